// What rests in a row as JSON.
#pragma once
#include "core/base/json.hpp"
#include "core/store/store.hpp"

namespace schakel::store {

/// The object in a row. STORE_CORRUPT_ROW (internal) when it holds no object: the store was changed by other hands.
[[nodiscard]] Result<Json> object_in(const Row& row);

}  // namespace schakel::store
