#include <algorithm>

#include "core/base/calendar.hpp"
#include "core/base/json_object.hpp"
#include "core/model/profile.hpp"
#include "core/model/rule_fact_functions.hpp"
#include "core/model/rule_facts.hpp"

namespace schakel {

FactView::FactView(const CaseFile& file, const Message& message, const Profile& profile, Instant at)
    : file_(&file),
      message_(&message),
      profile_(&profile),
      at_(at),
      rules_(profile.rules(message.type)),
      as_region_(file.overrides.is_object() && file.overrides.empty()) {
  auto slots = static_cast<std::size_t>(profile.vocabulary().size());
  place_ = {static_cast<const FactValue**>(memory_.allocate(slots * sizeof(void*), alignof(void*))), slots};
  std::ranges::fill(place_, nullptr);
  changes_.reserve(4);
  state_message();
}

void FactView::state_message() {
  const Message& message = *message_;
  const Vocabulary& vocabulary = profile_->vocabulary();
  if (!message.payload.is_object()) return;
  for (const Statement& s : vocabulary.statements(message.type)) {
    if (s.fields.size() == 1) {
      if (const Json* value = member(message.payload, s.fields[0])) state(s.slot, *value);
      continue;
    }
    std::int64_t sum = 0;
    bool any = false;
    for (const std::string& field : s.fields)
      if (auto it = message.payload.find(field); it != message.payload.end() && it->is_number_integer()) {
        sum += it->get<std::int64_t>();
        any = true;
      }
    if (any) state(s.slot, Json(sum));
  }
  const std::size_t by_payload = changes_.size();
  for (const Attachment& a : message.attachments)
    if (int slot = vocabulary.document_slot(a.doc_type); slot >= 0) attached(vocabulary.at(slot), a, by_payload);
  // What is carried by name, or is the message itself, is in the file from here on (domain.md 4.1).
  if (const Json* documents = member(message.payload, "documents"); documents && documents->is_array())
    for (const Json& d : documents->get_ref<const Json::array_t&>())
      if (d.is_string()) named(vocabulary.document_slot(d.get_ref<const std::string&>()));
  for (int slot : vocabulary.carried(message.type)) named(slot);
}

/// A name says that the document is there and nothing of its status: one that is known stays.
void FactView::named(int slot) {
  if (slot < 0) return;
  const FactDef& d = profile_->vocabulary().at(slot);
  bool known = std::ranges::any_of(changes_, [&](const Change& c) { return c.document && c.key == d.field; }) ||
               std::ranges::find(file_->documents, d.field, &DocumentState::doc_type) != file_->documents.end();
  if (!known) state_document(d, "aanwezig", false);
}

/// An older version than the case or this message has changes nothing (KNH-DOC-04 asks for the last one).
void FactView::attached(const FactDef& d, const Attachment& a, std::size_t by_payload) {
  std::string_view status = a.status.empty() ? std::string_view("aanwezig") : std::string_view(a.status);
  auto stated = std::ranges::find_if(changes_, [&](const Change& c) { return c.document && c.key == d.field; });
  if (stated != changes_.end()) {
    // Of two versions in one message the higher one. What the payload says of the document that it brings along stays.
    if (stated->gone || a.version <= stated->version) return;
    stated->version = a.version;
    if (stated - changes_.begin() >= static_cast<std::ptrdiff_t>(by_payload)) stated->status = status;
    return;
  }
  auto known = std::ranges::find(file_->documents, d.field, &DocumentState::doc_type);
  if (known != file_->documents.end() && a.version < known->version) return;
  state_document(d, status, false);
  changes_.back().version = a.version;
}

void FactView::state(int slot, const Json& value) {
  const FactDef& d = profile_->vocabulary().at(slot);
  if (d.from == FactDef::From::document) {
    // An object states the parts of a document: it is complete when each of them is there.
    if (value.is_object()) {
      bool whole = !value.empty();
      for (const auto& [name, part] : value.items()) whole = whole && part.is_boolean() && part.get<bool>();
      for (const std::string& part : d.parts) whole = whole && value.contains(part);
      state_document(d, whole ? "compleet" : "concept", false);
    } else if (value.is_string()) {
      state_document(d, value.get_ref<const std::string&>(), false);
    } else {
      state_document(d, {}, true);
    }
    return;
  }
  // A date that is left open says nothing: an ots_melding without an end does not take away the end that was known.
  if (value.is_null() && d.type == FactType::date) return;
  put(slot, value);
}

void FactView::state_document(const FactDef& d, std::string_view status, bool gone) {
  if (std::ranges::any_of(changes_, [&](const Change& c) { return c.document && c.key == d.field; }))
    as_stated_ = false;
  changes_.push_back({d.field, true, nullptr, status, gone, 1});
}

void FactView::set(int slot, Json value) {
  as_stated_ = false;
  put(slot, std::move(value));
}

void FactView::put(int slot, Json value) {
  const FactDef& d = profile_->vocabulary().at(slot);
  set_.push_back(std::make_unique<Json>(std::move(value)));
  // What is derived from it must be read again: sets are few and come before the reading.
  forget();
  auto old = std::ranges::find_if(changes_, [&](const Change& c) { return !c.document && c.key == d.field; });
  if (old != changes_.end()) changes_.erase(old);
  changes_.push_back({d.field, false, set_.back().get(), {}, false, 1});
  stated_.emplace_back(slot, set_.back().get());
}

void FactView::forget() const {
  if (known_.empty()) return;
  known_.clear();
  std::ranges::fill(place_, nullptr);
}

Json FactView::Change::json() const {
  if (value) return *value;
  return gone ? Json() : json_object("status", std::string(status), "version", version);
}

namespace {
/// Whether its json() is this value, without making it: it is asked for each effect before each decider.
bool states(const FactView::Change& c, const Json& v) {
  if (c.value) return *c.value == v;
  if (c.gone) return v.is_null();
  const auto* object = v.get_ptr<const Json::object_t*>();
  if (!object || object->size() != 2) return false;
  // Sorted by name.
  const auto& [first, status] = *object->begin();
  const auto& [second, version] = *std::next(object->begin());
  return first == "status" && status.is_string() && status.get_ref<const std::string&>() == c.status &&
         second == "version" && version.is_number_integer() && version.get<std::int64_t>() == c.version;
}
}  // namespace

void FactView::adopt(std::span<const Effect> effects) {
  for (const Effect& e : effects) {
    if (e.what == "fact") {
      if (int slot = profile_->vocabulary().slot("case." + e.key); slot >= 0) set(slot, e.value);
    } else if (e.what == "document") {
      as_stated_ = false;
      std::erase_if(changes_, [&](const Change& c) { return c.document && c.key == e.key; });
      set_.push_back(std::make_unique<Json>(e.value));
      const Json& v = *set_.back();
      changes_.push_back(
          {keep(e.key), true, &v,
           v.is_null() ? std::string_view() : std::string_view(v["status"].get_ref<const std::string&>()), v.is_null(),
           v.is_null() ? 1 : v.value("version", 1)});
      forget();
    }
  }
}

bool FactView::has(const Effect& e) const {
  bool document = e.what == "document";
  if (!document && e.what != "fact") return true;
  auto it = std::ranges::find_if(changes_, [&](const Change& c) { return c.document == document && c.key == e.key; });
  return it != changes_.end() && states(*it, e.value);
}

void FactView::restart(std::span<const Effect> effects) {
  if (as_stated_ && std::ranges::all_of(effects, [&](const Effect& e) { return has(e); })) return;
  changes_.clear();
  stated_.clear();
  forget();
  as_stated_ = true;
  state_message();
  adopt(effects);
}

const FactValue& FactView::first(int slot) const {
  // A function reads other facts first: the place is taken after it.
  FactValue value = read(slot);
  known_.push_back(value);
  return *(place_[static_cast<std::size_t>(slot)] = &known_.back());
}

FactValue FactView::get(std::string_view name) const {
  int slot = profile_->vocabulary().slot(name);
  return slot < 0 ? FactValue{} : get(slot);
}

FactValue FactView::get(KnownFact fact) const {
  int slot = profile_->vocabulary().slot(fact);
  return slot < 0 ? FactValue{} : get(slot);
}

std::string_view FactView::keep(std::string_view text) const {
  auto* kept = static_cast<char*>(memory_.allocate(text.size(), 1));
  text.copy(kept, text.size());
  return {kept, text.size()};
}

Date FactView::day() const {
  if (!day_) day_ = local_date(at_);
  return *day_;
}

std::string_view FactView::today() const {
  if (today_.empty()) today_ = day().str();
  return today_;
}

std::string_view FactView::document_status(std::string_view doc_type) const {
  for (const Change& c : changes_)
    if (c.document && c.key == doc_type) return c.status;
  for (const DocumentState& d : file_->documents)
    if (d.doc_type == doc_type) return d.status;
  return {};
}

FactValue FactView::read(int slot) const {
  const FactDef& d = profile_->vocabulary().at(slot);
  FactValue v;
  switch (d.from) {
    case FactDef::From::payload:
      if (const Json* value = member(message_->payload, d.field)) v = FactValue::of(*value);
      break;
    case FactDef::From::envelope:
      if (d.field == "sender") v = FactValue::of(std::string_view(message_->sender_role));
      if (d.field == "type") v = FactValue::of(std::string_view(message_->type));
      if (d.field == "addressed_to" && !message_->addressed_to.empty()) {
        set_.push_back(std::make_unique<Json>(message_->addressed_to));
        v = FactValue::of(*set_.back());
      }
      break;
    case FactDef::From::case_fact: {
      bool stated = false;
      for (const auto& [s, value] : stated_)
        if (s == slot) {
          v = FactValue::of(*value);
          stated = true;
        }
      if (!stated)
        if (const Json* value = member(file_->facts, d.field)) v = FactValue::of(*value);
      break;
    }
    case FactDef::From::pupil: {
      const Pupil& p = file_->pupil;
      if (d.field == "enrolled") v = FactValue::of(p.enrolled);
      const std::string* text = d.field == "school_type"    ? &p.school_type
                                : d.field == "woongemeente" ? &p.woongemeente
                                : d.field == "birth_date"   ? &p.birth_date
                                : d.field == "school"       ? &p.school
                                                            : nullptr;
      if (text && !text->empty()) v = FactValue::of(std::string_view(*text));
      break;
    }
    case FactDef::From::document: {
      std::string_view status = document_status(d.field);
      if (d.aspect == "present")
        v = FactValue::of(!status.empty());
      else if (d.aspect == "complete")
        v = FactValue::of(!status.empty() && status != "concept");
      else if (!status.empty())
        v = FactValue::of(status);
      break;
    }
    case FactDef::From::past:
      v = FactValue::of(std::ranges::any_of(
          file_->messages, [&](const PastMessage& m) { return m.outcome == Outcome::delivered && m.type == d.field; }));
      break;
    case FactDef::From::deadline:
      for (const Deadline& t : file_->deadlines)
        if (t.name == d.field && t.state != "cancelled") v = FactValue::of(std::string_view(t.date));
      break;
    case FactDef::From::function:
      v = fact_functions()[static_cast<std::size_t>(d.function)].call(*this);
      break;
  }
  if (!v.there() && !d.fallback.is_null() && v.kind == FactValue::Kind::absent) return FactValue::of(d.fallback);
  return v;
}

}  // namespace schakel
