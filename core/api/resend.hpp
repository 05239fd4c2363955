// Where a delivery goes that a person sends again.
#pragma once
#include <string>

#include "core/api/services.hpp"

namespace schakel::api {

/// Looks up anew who is meant where the decision found nobody, by the same rules (core/outbox/reach.hpp) and what is
/// known today; a deelnemer gets it at the contact data of today. Adds target and body to `change`, and to `with` what
/// belongs to it: the party has to do with the case from then on, and where the role is of several people each of the
/// others gets a delivery too. `wanted` is the adapter instance that the operator named, or empty: what is known of
/// nobody there goes to it as it is.
/// RECIPIENT_UNKNOWN, PARTY_AMBIGUOUS, PARTY_MISNAMED (conflict): no instance was named, and there is still nobody.
Task<Result<void>> readdress(Services& services, store::DeliveryRow row, std::string wanted,
                             store::ChangeDelivery& change, store::Transaction& with);

}  // namespace schakel::api
