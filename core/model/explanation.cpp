#include "core/model/explanation.hpp"

namespace schakel {

Json SeenFacts::made() const {
  Json::object_t object;
  for (const auto& [name, value] : list_)
    object.insert_or_assign(std::string(name), std::visit([](const auto& v) { return Json(v); }, value));
  return Json(std::move(object));
}

const Json& SeenFacts::json() const {
  if (const Json* known = json_.load(std::memory_order_acquire)) return *known;
  auto mine = std::make_unique<const Json>(made());
  const Json* first = nullptr;
  // Two readers may both make it; the first one's stays.
  if (json_.compare_exchange_strong(first, mine.get(), std::memory_order_acq_rel)) return *mine.release();
  return *first;
}

const Json& SeenFacts::operator[](std::string_view name) const {
  static const Json none;
  auto it = json().find(name);
  return it == json().end() ? none : *it;
}

void to_json(Json& j, const SeenFacts& f) {
  const Json* known = f.json_.load(std::memory_order_acquire);
  j = known ? *known : f.made();
}

void to_json(Json& j, const Explanation& v) {
  Json::object_t o;
  o.emplace("rule", v.rule);
  o.emplace("stage", v.stage);
  o.emplace("result", v.result);
  o.emplace("code", v.code);
  o.emplace("quote", v.quote);
  o.emplace("source", v.source);
  o.emplace("facts", v.facts);
  j = std::move(o);
}

void from_json(const Json& j, Explanation& v) {
  auto text = [&](const char* key, auto& into) {
    auto it = j.find(key);
    if (it != j.end()) it->get_to(into);
  };
  text("rule", v.rule);
  text("stage", v.stage);
  text("result", v.result);
  text("code", v.code);
  text("quote", v.quote);
  text("source", v.source);
  text("facts", v.facts);
}

}  // namespace schakel
