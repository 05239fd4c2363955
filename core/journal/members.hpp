// Which organisations have to do with a case: they opened it, or it was sent to them.
#pragma once
#include "core/model/party.hpp"
#include "core/store/store.hpp"

namespace schakel::journal {

[[nodiscard]] store::PutRow member(std::string_view case_id, std::string_view party);
/// True for a member, and for a party of scope region when the case exists.
Task<Result<bool>> is_member(store::Store& store, const Party& party, std::string case_id);

}  // namespace schakel::journal
