// From a verzuimmelding of the broker to DUO's. Pure but for the BSN, which the caller adds last.
#pragma once
#include "core/base/json.hpp"
#include "core/formats/duo.hpp"
#include "schakel/adapter.hpp"

namespace schakel::duo_verzuim {

/// `delivery.body.payload`: kind and from_date are required; until, hours, reason, note, action_wanted, action_taken,
/// school, grade, days [{date, whole_day, periods}] are used where present. DUO_FIELD (invalid) names the field that is
/// missing or wrong: `school` also where it is absent and several schools are configured, or names none of them. Ids
/// derive from the delivery, so that DUO recognises a repeat.
[[nodiscard]] Result<formats::DuoAanlevering> to_duo(const Delivery& delivery, const Json& config);

}  // namespace schakel::duo_verzuim
