// Objects of known members: read without the iterators of nlohmann, which look what they stand on at every step, and
// built without the detour of nlohmann's braces: those make an array of every member first.
#pragma once
#include <utility>

#include "core/base/json.hpp"

namespace schakel {

/// The member of that name; null where `value` is no object or has none.
[[nodiscard]] inline const Json* member(const Json& value, std::string_view name) {
  const auto* object = value.get_ptr<const Json::object_t*>();
  if (!object) return nullptr;
  auto it = object->find(name);
  return it == object->end() ? nullptr : &it->second;
}

inline void put_members(Json::object_t&) {}
template <class Value, class... Rest>
void put_members(Json::object_t& object, const char* name, Value&& value, Rest&&... rest) {
  // Cheapest when the names come in their order.
  object.emplace_hint(object.end(), name, std::forward<Value>(value));
  put_members(object, std::forward<Rest>(rest)...);
}

/// json_object("cents", 5, "kind", "zorg"): names and values by turns, no name twice.
template <class... Members>
[[nodiscard]] Json json_object(Members&&... members) {
  static_assert(sizeof...(Members) % 2 == 0);
  Json out(Json::value_t::object);
  put_members(out.get_ref<Json::object_t&>(), std::forward<Members>(members)...);
  return out;
}

}  // namespace schakel
