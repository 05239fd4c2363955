// What finance would otherwise learn from the first refused invoice: numbers of parties.json that fail their check.
#pragma once
#include <vector>

#include "core/base/error.hpp"
#include "core/model/party.hpp"

namespace schakel::app {

/// One finding per wrong `oin`, `kvk`, `iban`, `vat_number` or `vat_category` of an `invoice` block; pointers name the
/// party by its id. Values are not repeated. Rules: facturatie.md 2.1 (BR-NL-1, BR-S-02, BR-E-02), ISO 13616 for IBAN.
[[nodiscard]] std::vector<Finding> check_invoice_identities(const Parties& parties);

}  // namespace schakel::app
