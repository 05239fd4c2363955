#include "core/model/explanation.hpp"

#include <mutex>
#include <set>

namespace schakel {

Word Word::of(std::string_view text) {
  static constexpr Word kWords[] = {"routing",   "gate",      "facts", "filing",  "escalation", "consent", "audience",
                                    "invoicing", "deadlines", "fired", "blocked", "suppressed", "near",    ""};
  for (Word w : kWords)
    if (w == text) return w;
  static std::mutex mutex;
  static std::set<std::string, std::less<>> others;  // its elements stay where they are
  std::scoped_lock lock(mutex);
  auto it = others.find(text);
  if (it == others.end()) {
    if (others.size() >= 1000) throw std::length_error("too many different words in explanations");
    it = others.emplace(text).first;
  }
  Word w;
  w.text_ = it->c_str();
  return w;
}

SeenFacts::Kept* SeenFacts::Kept::with_room(std::shared_ptr<const void> owner, std::size_t size) {
  auto* kept = new (::operator new(sizeof(Kept) + size * sizeof(Seen))) Kept;
  kept->owner = std::move(owner);
  kept->room = static_cast<std::uint32_t>(size);
  return kept;
}

void SeenFacts::Kept::drop(Kept* kept) noexcept {
  std::destroy_n(kept->facts(), kept->size);
  delete kept->json.load(std::memory_order_acquire);
  kept->~Kept();
  ::operator delete(kept);
}

SeenFacts::SeenFacts(Json object) : kept_(Kept::with_room(nullptr, 0)) {
  kept_->json.store(new Json(std::move(object)), std::memory_order_release);
}

SeenFacts::SeenFacts(const SeenFacts& o) {
  if (!o.kept_) return;
  SeenFacts copy;
  copy.kept_ = Kept::with_room(o.kept_->owner, o.kept_->size);
  for (std::uint32_t i = 0; i < o.kept_->size; ++i)
    copy.add(o.kept_->facts()[i].name, Value(o.kept_->facts()[i].value));
  // Of facts it is made again when it is asked for.
  if (o.kept_->size == 0)
    if (const Json* j = o.kept_->json.load(std::memory_order_acquire))
      copy.kept_->json.store(new Json(*j), std::memory_order_release);
  std::swap(kept_, copy.kept_);
}

Json SeenFacts::Kept::made() const {
  Json::object_t object;
  for (std::uint32_t i = 0; i < size; ++i)
    object.insert_or_assign(std::string(facts()[i].name),
                            std::visit([](const auto& v) { return Json(v); }, facts()[i].value));
  return Json(std::move(object));
}

const Json& SeenFacts::json() const {
  static const Json none = Json::object();
  if (!kept_) return none;
  if (const Json* known = kept_->json.load(std::memory_order_acquire)) return *known;
  auto mine = std::make_unique<const Json>(kept_->made());
  const Json* first = nullptr;
  // Two readers may both make it; the first one's stays.
  if (kept_->json.compare_exchange_strong(first, mine.get(), std::memory_order_acq_rel)) return *mine.release();
  return *first;
}

const Json& SeenFacts::operator[](std::string_view name) const {
  static const Json none;
  auto it = json().find(name);
  return it == json().end() ? none : *it;
}

void to_json(Json& j, const SeenFacts& f) {
  const Json* known = f.kept_ ? f.kept_->json.load(std::memory_order_acquire) : nullptr;
  j = known ? *known : f.kept_ ? f.kept_->made() : Json::object();
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
