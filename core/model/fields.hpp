// The members of a value, named once for writing it as JSON, for reading it from JSON and for reading it from a record.
// A value has `fields(v, f)`, which calls f(name, member) for each.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/json_object.hpp"
#include "core/base/json_pull.hpp"

namespace schakel::field {

template <class V>
[[nodiscard]] Json written(const V& v) {
  Json::object_t out;
  fields(v, [&](const char* name, const auto& value) { out.emplace(name, value); });
  return Json(std::move(out));
}

/// What is absent keeps its default; throws where a member has another type.
template <class V>
void read(const Json& j, V& v) {
  if (!j.is_object()) throw std::invalid_argument("an object is expected");
  fields(v, [&](const char* name, auto& value) {
    if (const Json* found = member(j, name)) found->get_to(value);
  });
}

template <class V>
void pull(JsonPull& from, std::vector<V>& into);
inline void pull(JsonPull& from, std::string& into) { into = from.text(); }
inline void pull(JsonPull& from, Json& into) { into = from.value(); }
inline void pull(JsonPull& from, std::int64_t& into) { into = from.integer(); }
inline void pull(JsonPull& from, int& into) { into = static_cast<int>(from.integer()); }
template <class V>
void pull(JsonPull& from, V& v)
  requires requires { fields(v, [](const char*, auto&) {}); }
{
  from.object([&](std::string_view key) {
    bool known = false;
    fields(v, [&](const char* name, auto& value) {
      if (known || key != name) return;
      known = true;
      pull(from, value);
    });
    if (!known) from.skip();
  });
}
template <class V>
void pull(JsonPull& from, std::vector<V>& into) {
  into.clear();
  from.array([&] { pull(from, into.emplace_back()); });
}

}  // namespace schakel::field
