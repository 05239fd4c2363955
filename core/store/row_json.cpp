#include "core/store/row_json.hpp"

#include <fmt/format.h>

namespace schakel::store {

Result<Json> object_in(const Row& row) {
  // Our own writing, of any depth: the limits for what others send are not for it.
  auto value = Json::parse(row.value.begin(), row.value.end(), nullptr, false);
  if (!value.is_object())
    return fail(ErrorKind::internal, "STORE_CORRUPT_ROW",
                fmt::format("a row of {} bytes is no object", row.value.size()));
  return value;
}

}  // namespace schakel::store
