// Which organisations have to do with a case: they opened it, it was sent to them, or they work for its region.
#pragma once
#include <optional>

#include "core/model/party.hpp"
#include "core/store/store.hpp"

namespace schakel::journal {

[[nodiscard]] store::PutRow member(std::string_view case_id, std::string_view party);
/// The message that opened a case, without its content: who (party) and for which region. nullopt when there is no such
/// case.
Task<Result<std::optional<store::MessageRow>>> opening(store::Store& store, std::string case_id);
/// Ids of the members, at most 1,000 of them, for Parties::desk; none where they can make no difference to it.
Task<Result<std::vector<std::string>>> members(store::Store& store, const Parties& parties, std::string case_id);
/// True for a member, and for a party of scope region in cases of a region that it may send for.
Task<Result<bool>> is_member(store::Store& store, const Party& party, std::string case_id);

}  // namespace schakel::journal
