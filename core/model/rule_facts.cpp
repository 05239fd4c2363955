#include "core/model/rule_facts.hpp"

#include "core/model/rule_fact_functions.hpp"

namespace schakel {

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

void FactValue::tell(std::string_view name, SeenFacts& into) const {
  if (kind == Kind::text)
    into.add(name, std::string(text));
  else
    into.add(name, to_json());
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

namespace {
/// In the order of KnownFact.
constexpr std::array<std::string_view, kKnownFacts> kKnownNames = {"case.custody",
                                                                   "case.measure",
                                                                   "case.meetings",
                                                                   "case.voogdij_end",
                                                                   "case.provider",
                                                                   "derived.age_years",
                                                                   "derived.link_first_opening",
                                                                   "message.at",
                                                                   "message.meeting"};
}  // namespace

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
      auto functions = fact_functions();
      for (std::size_t i = 0; i < functions.size(); ++i)
        if (functions[i].name == d.field) d.function = static_cast<int>(i);
      if (d.function < 0) wrong(at + "/name", "UNKNOWN_FUNCTION", "no function of that name");
    }
    if (v->index_.contains(d.name)) {
      wrong(at + "/name", "TWICE", "the same fact is named twice");
      continue;
    }
    int slot = static_cast<int>(v->facts_.size());
    v->index_.emplace(d.name, slot);
    if (d.from == FactDef::From::document && d.aspect == "status") v->documents_.emplace(d.field, slot);
    if (auto by = f.find("carried_by"); by != f.end()) {
      if (!by->is_array() || d.aspect != "status")
        wrong(at + "/carried_by", "NOT_CARRIED", "a list of message types, of the status of a document");
      else
        for (const Json& message_type : *by)
          if (message_type.is_string()) v->carried_[message_type.get<std::string>()].push_back(slot);
    }
    if (auto parts = f.find("parts"); parts != f.end()) {
      if (!parts->is_array() || parts->empty() || d.aspect != "status")
        wrong(at + "/parts", "NO_PARTS", "a list of names, of the status of a document");
      else
        for (const Json& part : *parts)
          if (part.is_string()) d.parts.push_back(part.get<std::string>());
    }
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
  for (std::size_t i = 0; i < kKnownFacts; ++i) v->known_[i] = v->slot(kKnownNames[i]);
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

std::span<const int> Vocabulary::carried(std::string_view type) const {
  auto it = carried_.find(type);
  if (it == carried_.end()) return {};
  return it->second;
}

std::span<const Statement> Vocabulary::statements(std::string_view type) const {
  auto it = statements_.find(type);
  if (it == statements_.end()) return {};
  return it->second;
}

}  // namespace schakel
