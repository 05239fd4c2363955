// The rows of an invoice that goes out: by its case and number, by its delivery, by its mail.
#pragma once
#include <string>
#include <string_view>

#include "core/store/store.hpp"

namespace schakel::outbox {

inline constexpr std::string_view kInvoicesOut = "invoice.out";  ///< key <case>/<number>/<payer>/<delivery>
inline constexpr std::string_view kInvoiceOfDelivery =
    "invoice.delivery";                                             ///< key delivery id, value the key in invoice.out
inline constexpr std::string_view kInvoiceOfMail = "invoice.mail";  ///< key Message-ID, value the delivery id

/// Adds to `with` whose invoice this is, where that was not known when it was decided: from then on its payer and its
/// creditor find it. Nothing where there is no such row. STORE_CORRUPT_ROW.
Task<Result<void>> name_invoice(store::Store& store, std::string delivery, std::string buyer_party,
                                std::string seller_party, store::Transaction& with);

}  // namespace schakel::outbox
