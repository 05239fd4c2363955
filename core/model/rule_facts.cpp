#include "core/model/rule_facts.hpp"

#include <algorithm>
#include <set>

#include "core/base/calendar.hpp"
#include "core/model/profile.hpp"

namespace schakel {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// ---- named functions: what a table cannot say. Each is a fact of the vocabulary with "function": its name.

/// Full years of the pupil on the Amsterdam date of the instant (CORE-TIME-05).
FactValue age_years(const FactView& f) {
  auto born = Date::parse(f.file().pupil.birth_date);
  if (!born) return {};
  return FactValue::of(std::int64_t{age_on(*born, local_date(f.at()))});
}

/// Kind of the meeting a message is about, in lower case: what it says itself, else the meeting of the case.
FactValue meeting_kind(const FactView& f) {
  auto it = f.message().payload.find("meeting");
  if (it != f.message().payload.end() && it->is_string())
    return FactValue::of(f.keep(lower(it->get_ref<const std::string&>())));
  if (f.file().meeting) return FactValue::of(f.keep(lower(f.file().meeting->kind)));
  return {};
}

/// Amsterdam date of the meeting of the case.
FactValue meeting_date(const FactView& f) {
  if (!f.file().meeting) return {};
  return FactValue::of(f.keep(local_date(f.file().meeting->at).str()));
}

FactValue today(const FactView& f) { return FactValue::of(f.today()); }

/// domain.md 4.1: as stated, else whether the OPP is signed.
FactValue handelingsdeel_signed(const FactView& f) {
  FactValue stated = f.get("case.handelingsdeel_signed");
  if (stated.there()) return stated;
  return FactValue::of(f.document_status("opp") == "ondertekend");
}

/// MH-ROUTE-08, MH-ROUTE-09, CONF-16: the parent's until the change of the woonplaatsbeginsel, from then the youth's,
/// or the one before a stay.
FactValue responsible_gemeente(const FactView& f) {
  std::string change = f.profile().setting_text("woonplaats_change", f.file().overrides, "2022-01-01");
  if (f.today() < std::string_view(change)) return f.get("case.gezaghebbende_ouder_gemeente");
  return f.is("case.verblijf") ? f.get("case.brp_before_stay") : f.get("case.brp_gemeente");
}

std::int64_t number(const FactValue& v) { return v.kind == FactValue::Kind::integer ? v.number : 0; }

/// KNH-CTO-02, Q-15: the education part of a year, with the SWV half of the grey area where the region counts it.
FactValue cto_cents(const FactView& f) {
  std::int64_t sum = number(f.get("case.education_cents_per_year"));
  if (f.profile().setting_flag("cto.count_grey", f.file().overrides, false))
    sum += number(f.get("case.grey_swv_half_cents"));
  return FactValue::of(sum);
}

/// What would be counted if the SWV half of the grey area were (CTO_THRESHOLD_NEAR).
FactValue cto_cents_with_grey(const FactView& f) {
  return FactValue::of(number(f.get("case.education_cents_per_year")) + number(f.get("case.grey_swv_half_cents")));
}

/// HR-TIMER-01: the latest end of a goal that the message starts.
FactValue goal_limit(const FactView& f) {
  auto start = Date::parse(f.text("case.goal_start"));
  if (!start) return {};
  return FactValue::of(
      f.keep(add_months(*start, f.profile().setting_int("goal_max_months", f.file().overrides, 6)).str()));
}

/// HR-MONEY-01: an invoice of the combined counsellor has a line of that kind.
FactValue combined_invoice(const FactView& f) {
  auto it = f.message().payload.find("lines");
  if (it == f.message().payload.end() || !it->is_array() || f.message().type != "factuur") return FactValue::of(false);
  for (const Json& line : *it)
    if (line.is_object() && line.value("kind", Json()) == "gecombineerd") return FactValue::of(true);
  return FactValue::of(false);
}

/// Whether a link that is opened now went to the role that opens it (domain.md 6.1). A notice is no link.
const PastMessage* opened_delivery(const FactView& f) {
  auto it = f.message().payload.find("delivery");
  if (it == f.message().payload.end() || !it->is_string()) return nullptr;
  const std::string& id = it->get_ref<const std::string&>();
  for (const PastMessage& m : f.file().messages)
    if (m.id == id) return &m;
  return nullptr;
}

FactValue link_was_sent(const FactView& f) {
  const PastMessage* m = opened_delivery(f);
  if (!m || m->outcome != Outcome::delivered) return FactValue::of(false);
  for (const Recipient& r : m->recipients)
    if (r.channel == "secure_link" && r.role == f.message().sender_role) return FactValue::of(true);
  return FactValue::of(false);
}

/// CORE-RET-01: later than `link_days` days after the meeting that the delivery was for.
FactValue link_expired(const FactView& f) {
  const PastMessage* m = opened_delivery(f);
  std::optional<Meeting> meeting = m && m->meeting ? m->meeting : f.file().meeting;
  if (!meeting) return FactValue::of(false);
  Date last = add_days(local_date(meeting->at), f.profile().setting_int("link_days", f.file().overrides, 14));
  return FactValue::of(local_date(f.at()) > last);
}

/// Whether this role opens this delivery for the first time.
FactValue link_first_opening(const FactView& f) {
  const PastMessage* m = opened_delivery(f);
  return FactValue::of(m && std::ranges::find(m->opened_by, f.message().sender_role) == m->opened_by.end());
}

struct Function {
  std::string_view name;
  FactValue (*call)(const FactView&);
};
constexpr std::array<Function, 13> kFunctions = {{{"age_years", age_years},
                                                  {"meeting_kind", meeting_kind},
                                                  {"meeting_date", meeting_date},
                                                  {"today", today},
                                                  {"handelingsdeel_signed", handelingsdeel_signed},
                                                  {"responsible_gemeente", responsible_gemeente},
                                                  {"cto_cents", cto_cents},
                                                  {"cto_cents_with_grey", cto_cents_with_grey},
                                                  {"goal_limit", goal_limit},
                                                  {"link_was_sent", link_was_sent},
                                                  {"link_expired", link_expired},
                                                  {"link_first_opening", link_first_opening},
                                                  {"combined_invoice", combined_invoice}}};

}  // namespace

Json FactValue::to_json() const {
  switch (kind) {
    case Kind::absent:
    case Kind::null:
      return nullptr;
    case Kind::boolean:
      return flag;
    case Kind::integer:
      return number;
    case Kind::text:
      return std::string(text);
    case Kind::list:
    case Kind::object:
      return *json;
  }
  return nullptr;
}

SeenFacts::Value FactValue::seen() const {
  if (kind == Kind::text) return std::string(text);
  return to_json();
}

bool same(const FactValue& a, const FactValue& b) {
  if (!a.there() || !b.there()) return !a.there() && !b.there();
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case FactValue::Kind::boolean:
      return a.flag == b.flag;
    case FactValue::Kind::integer:
      return a.number == b.number;
    case FactValue::Kind::text:
      return a.text == b.text;
    default:
      return *a.json == *b.json;
  }
}

Result<std::shared_ptr<const Vocabulary>> Vocabulary::parse(const Json& facts) {
  auto v = std::make_shared<Vocabulary>();
  v->source_ = facts;
  std::vector<Finding> findings;
  auto wrong = [&](std::string pointer, std::string code, std::string message) {
    findings.push_back({std::move(pointer), std::move(code), std::move(message), ""});
  };
  if (!facts.is_object() || !facts.contains("facts") || !facts["facts"].is_array())
    return fail(ErrorKind::invalid, "VOCABULARY_INVALID", "facts.json needs a list named facts",
                {{"/facts", "MISSING", "a list of facts", ""}});
  static const std::map<std::string, FactType, std::less<>> types = {
      {"boolean", FactType::boolean}, {"integer", FactType::integer}, {"text", FactType::text},
      {"date", FactType::date},       {"list", FactType::list},       {"object", FactType::object}};
  static const std::map<std::string, FactDef::From, std::less<>> prefixes = {
      {"message", FactDef::From::payload},   {"envelope", FactDef::From::envelope}, {"case", FactDef::From::case_fact},
      {"pupil", FactDef::From::pupil},       {"document", FactDef::From::document}, {"past", FactDef::From::past},
      {"deadline", FactDef::From::deadline}, {"derived", FactDef::From::function}};
  std::size_t n = 0;
  for (const Json& f : facts["facts"]) {
    std::string at = "/facts/" + std::to_string(n++);
    if (!f.is_object() || !f.value("name", Json()).is_string() || !f.value("type", Json()).is_string() ||
        !f.value("meaning", Json()).is_string()) {
      wrong(at, "MISSING", "a fact has name, type and meaning");
      continue;
    }
    FactDef d;
    d.name = f["name"];
    d.meaning = f["meaning"];
    d.unit = f.value("unit", "");
    d.who = f.value("who", "");
    d.fallback = f.value("default", Json());
    auto type = types.find(f["type"].get<std::string>());
    if (type == types.end()) {
      wrong(at + "/type", "UNKNOWN_TYPE", "no such type of fact");
      continue;
    }
    d.type = type->second;
    auto dot = d.name.find('.');
    auto prefix = dot == std::string::npos ? prefixes.end() : prefixes.find(d.name.substr(0, dot));
    if (prefix == prefixes.end()) {
      wrong(at + "/name", "UNKNOWN_PREFIX",
            "a fact is named message., envelope., case., pupil., document., past., deadline. or derived. something");
      continue;
    }
    d.from = prefix->second;
    d.field = d.name.substr(dot + 1);
    if (d.from == FactDef::From::document) {
      auto last = d.field.rfind('.');
      d.aspect = last == std::string::npos ? "" : d.field.substr(last + 1);
      d.field = d.field.substr(0, last);
      if (d.aspect != "present" && d.aspect != "complete" && d.aspect != "status")
        wrong(at + "/name", "UNKNOWN_ASPECT", "of a document: present, complete or status");
    }
    if (d.from == FactDef::From::function) {
      for (std::size_t i = 0; i < kFunctions.size(); ++i)
        if (kFunctions[i].name == d.field) d.function = static_cast<int>(i);
      if (d.function < 0) wrong(at + "/name", "UNKNOWN_FUNCTION", "no function of that name");
    }
    if (v->index_.contains(d.name)) {
      wrong(at + "/name", "TWICE", "the same fact is named twice");
      continue;
    }
    int slot = static_cast<int>(v->facts_.size());
    v->index_.emplace(d.name, slot);
    if (d.from == FactDef::From::document && d.aspect == "status") v->documents_.emplace(d.field, slot);
    if (auto by = f.find("stated_by"); by != f.end()) {
      // {"message type": "payload field" or ["field", "field"] that are added up}
      if (!by->is_object() || (d.from != FactDef::From::case_fact && d.aspect != "status"))
        wrong(at + "/stated_by", "NOT_STATABLE", "only case facts and the status of documents are stated by messages");
      else
        for (const auto& [message_type, fields] : by->items()) {
          Statement s{slot, {}};
          if (fields.is_string())
            s.fields.push_back(fields.get<std::string>());
          else if (fields.is_array())
            for (const Json& one : fields)
              if (one.is_string()) s.fields.push_back(one.get<std::string>());
          if (s.fields.empty()) wrong(at + "/stated_by/" + message_type, "NO_FIELD", "names no payload field");
          v->statements_[message_type].push_back(std::move(s));
        }
    }
    v->facts_.push_back(std::move(d));
  }
  if (!findings.empty())
    return fail(ErrorKind::invalid, "VOCABULARY_INVALID", "the vocabulary of facts has mistakes", std::move(findings));
  return std::shared_ptr<const Vocabulary>(std::move(v));
}

int Vocabulary::slot(std::string_view name) const {
  auto it = index_.find(name);
  return it == index_.end() ? -1 : it->second;
}

int Vocabulary::document_slot(std::string_view doc_type) const {
  auto it = documents_.find(doc_type);
  return it == documents_.end() ? -1 : it->second;
}

std::span<const Statement> Vocabulary::statements(std::string_view type) const {
  auto it = statements_.find(type);
  if (it == statements_.end()) return {};
  return it->second;
}

FactView::FactView(const CaseFile& file, const Message& message, const Profile& profile, Instant at)
    : file_(&file), message_(&message), profile_(&profile), at_(at), rules_(profile.rules(message.type)) {
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
      auto it = message.payload.find(s.fields[0]);
      if (it != message.payload.end()) state(s.slot, *it);
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
  for (const Attachment& a : message.attachments)
    if (int slot = vocabulary.document_slot(a.doc_type); slot >= 0)
      state_document(vocabulary.at(slot), a.status.empty() ? std::string_view("aanwezig") : a.status, false);
}

void FactView::state(int slot, const Json& value) {
  const FactDef& d = profile_->vocabulary().at(slot);
  if (d.from == FactDef::From::document) {
    // An object states the parts of a document: it is complete when each of them is there.
    if (value.is_object()) {
      bool whole = !value.empty();
      for (const auto& [name, part] : value.items()) whole = whole && part.is_boolean() && part.get<bool>();
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
  changes_.push_back({d.field, true, nullptr, status, gone});
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
  changes_.push_back({d.field, false, set_.back().get(), {}, false});
  stated_.emplace_back(slot, set_.back().get());
}

void FactView::forget() const {
  if (known_.empty()) return;
  known_.clear();
  std::ranges::fill(place_, nullptr);
}

Json FactView::Change::json() const {
  if (value) return *value;
  return gone ? Json() : Json{{"status", status}, {"version", 1}};
}

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
           v.is_null() ? std::string_view() : std::string_view(v["status"].get_ref<const std::string&>()),
           v.is_null()});
      forget();
    }
  }
}

bool FactView::has(const Effect& e) const {
  bool document = e.what == "document";
  if (!document && e.what != "fact") return true;
  auto it = std::ranges::find_if(changes_, [&](const Change& c) { return c.document == document && c.key == e.key; });
  return it != changes_.end() && it->json() == e.value;
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

std::string_view FactView::keep(std::string text) const {
  kept_.push_back(std::make_unique<std::string>(std::move(text)));
  return *kept_.back();
}

std::string_view FactView::today() const {
  if (today_.empty()) today_ = local_date(at_).str();
  return today_;
}

std::string_view FactView::document_status(std::string_view doc_type) const {
  for (const Change& c : changes_)
    if (c.document && c.key == doc_type) return c.status;
  for (const DocumentState& d : file_->documents)
    if (d.doc_type == doc_type) return d.status;
  // A delivery that lists a document carries it, whatever its status.
  if (auto it = message_->payload.find("documents"); it != message_->payload.end() && it->is_array())
    for (const Json& d : *it)
      if (d.is_string() && d.get_ref<const std::string&>() == doc_type) return "aanwezig";
  return {};
}

FactValue FactView::read(int slot) const {
  const FactDef& d = profile_->vocabulary().at(slot);
  FactValue v;
  switch (d.from) {
    case FactDef::From::payload:
      if (message_->payload.is_object())
        if (auto it = message_->payload.find(d.field); it != message_->payload.end()) v = FactValue::of(*it);
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
        if (auto it = file_->facts.find(d.field); it != file_->facts.end()) v = FactValue::of(*it);
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
      v = kFunctions[static_cast<std::size_t>(d.function)].call(*this);
      break;
  }
  if (!v.there() && !d.fallback.is_null() && v.kind == FactValue::Kind::absent) return FactValue::of(d.fallback);
  return v;
}

}  // namespace schakel
