#include "core/model/rule_reader.hpp"

#include <algorithm>

#include "core/base/hash.hpp"

namespace schakel {

void RuleReader::head(const Json& file) {
  only(file, "",
       {"$schema", "region", "name", "extends", "sources", "settings", "gates", "codes", "words", "roles", "rules",
        "about", "gaps_ok"});
  for (const auto& [key, title] : object(file, "", "sources").items()) {
    if (!title.is_string() || title.get_ref<const std::string&>().empty())
      wrong("/sources/" + key, "TYPE", "a source has a title");
    else
      p_.sources_[key] = title.get<std::string>();
  }
  for (const auto& [key, s] : object(file, "", "settings").items()) {
    std::string at = "/settings/" + key;
    if (!s.is_object() || !s.contains("value")) {
      wrong(at, "MISSING", "a setting has value and why");
      continue;
    }
    only(s, at, {"value", "why", "unit", "options", "parts", "describes"});
    if (!s.value("why", Json()).is_string()) wrong(at + "/why", "MISSING", "say why the setting has this value");
    p_.settings_[key] = s["value"];
    p_.why_[key] = s.value("why", "");
    if (auto o = s.find("options"); o != s.end() && o->is_array())
      p_.options_[key] = *o;
    else
      p_.options_.erase(key);
    p_.describes_.erase(key);
    if (s.contains("describes")) p_.describes_[key] = need(s, at, "describes");
    parts(s, key, at);
  }
  for (const Json& c : array(file, "", "codes"))
    if (c.is_string()) codes_.insert(c.get<std::string>());
  std::size_t n = 0;
  for (const Json& g : array(file, "", "gates")) {
    std::string at = "/gates/" + std::to_string(n++);
    only(g, at, {"name", "on", "codes"});
    Profile::Gate gate{g.value("name", ""), texts(g, at, "on"), texts(g, at, "codes")};
    if (gate.name.empty() || gate.on.empty() || gate.codes.empty())
      wrong(at, "MISSING", "a gate has name, on and codes");
    codes_.insert(gate.codes.begin(), gate.codes.end());
    p_.gates_.push_back(std::move(gate));
  }
  // Read where they are shown (code_words), from the file as it is kept.
  for (const auto& [code, words] : object(file, "", "words").items()) {
    std::string at = "/words/" + code;
    known_code(code, at);
    only(words, at, {"nl", "en"});
    for (const char* language : {"nl", "en"})
      if (words.is_object()) need(words, at, language);
  }
  for (const auto& [name, rows] : object(file, "", "roles").items()) {
    std::string at = "/roles/" + name;
    std::vector<RoleAlias> alias;
    if (!rows.is_array())
      wrong(at, "TYPE", "a list of rows {role, when}");
    else
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::string row = at + "/" + std::to_string(i);
        only(rows[i], row, {"role", "when", "rule"});
        alias.push_back({condition(rows[i].value("when", Json::object()), row + "/when"), rows[i].value("role", ""),
                         rows[i].value("rule", "")});
      }
    p_.aliases_[name] = std::move(alias);
  }
}

void RuleReader::parts(const Json& setting, const std::string& key, const std::string& at) {
  if (!setting.contains("parts")) return;
  auto names = texts(setting, at, "parts");
  const Json& list = setting["value"];
  if (!list.is_array() || list.size() != names.size() || names.empty()) {
    wrong(at + "/parts", "TYPE", "one name for each element of the value, which is a list");
    return;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!list[i].is_number_integer()) wrong(at + "/value/" + std::to_string(i), "TYPE", "an integer is expected");
    p_.settings_[key + "." + names[i]] = list[i];
    p_.why_[key + "." + names[i]] = setting.value("why", "");
  }
  p_.parts_[key] = std::move(names);
}

void RuleReader::rules(const Json& file, bool base, const std::map<std::string, std::set<std::string>>& replaced) {
  std::size_t n = 0;
  for (const Json& r : array(file, "", "rules")) {
    std::size_t row = n++;
    std::string at = "/rules/" + std::to_string(row);
    if (!r.is_object()) {
      wrong(at, "TYPE", "a rule is an object");
      continue;
    }
    only(r, at, {"id", "source", "quote", "stage", "on", "when", "then", "why", "overlap_ok"});
    Rule rule;
    rule.id = need(r, at, "id");
    rule.source = need(r, at, "source");
    rule.quote = need(r, at, "quote");
    if (!rule.source.empty() && !p_.sources_.contains(rule.source))
      wrong(at + "/source", "UNKNOWN_SOURCE", "not among the sources of the file");
    std::string stage = need(r, at, "stage");
    bool known = false;
    for (int i = 0; i < kStages; ++i)
      if (to_string(static_cast<Stage>(i)) == stage) {
        rule.stage = static_cast<Stage>(i);
        known = true;
      }
    if (!known) wrong(at + "/stage", "UNKNOWN_STAGE", "no such stage");
    rule.on = texts(r, at, "on");
    if (rule.on.empty()) wrong(at + "/on", "MISSING", "name the message types, or *");
    if (auto it = replaced.find(stage); it != replaced.end()) {
      std::erase_if(rule.on, [&](const std::string& t) { return it->second.contains(t); });
      if (rule.on.empty()) continue;
    }
    if (r.contains("when")) rule.when = condition(r["when"], at + "/when");
    if (!r.contains("then") || !r["then"].is_object())
      wrong(at + "/then", "MISSING", "say what follows");
    else
      then(rule, r["then"], at + "/then");
    rule.when.collect(rule.facts);
    rule.order = static_cast<int>(p_.rules_.size());
    origins_.push_back({base, row});
    p_.rules_.push_back(std::move(rule));
  }
}

void RuleReader::then(Rule& rule, const Json& t, const std::string& at) {
  Then& out = rule.then;
  if (rule.stage == Stage::invoicing) {
    out.more = t;
    return;
  }
  only(t, at,
       {"recipient", "consent", "timer", "signal", "file", "escalate", "set", "drop", "allow", "block", "code", "alone",
        "always", "if_consented"});
  if (auto it = t.find("recipient"); it != t.end()) {
    std::string here = at + "/recipient";
    only(*it, here,
         {"role", "content", "channel", "of_gemeente", "if_addressed", "if_consent_names", "unless_sender", "mandatory",
          "list_only", "function", "without"});
    RecipientOutcome r;
    r.roles = known_roles(*it, here, "role");
    r.content = it->value("content", "none");
    r.channel = it->value("channel", "broker");
    r.of_gemeente = it->value("of_gemeente", "");
    if (!r.of_gemeente.empty()) fact(r.of_gemeente, here + "/of_gemeente");
    r.if_addressed = flag(*it, here, "if_addressed");
    r.if_consent_names = flag(*it, here, "if_consent_names");
    r.unless_sender = flag(*it, here, "unless_sender");
    r.mandatory = flag(*it, here, "mandatory");
    r.list_only = flag(*it, here, "list_only");
    r.function = it->value("function", "");
    r.without = texts(*it, here, "without");
    static const std::set<std::string, std::less<>> contents = {"none", "documents", "notice", "gezinsplan",
                                                                "message_type"},
                                                    channels = {"broker", "secure_link", "onderwijstransparant"},
                                                    functions = {"", "assignment_sender", "meeting_participants",
                                                                 "responsible"};
    if (!contents.contains(r.content))
      wrong(here + "/content", "UNKNOWN_CONTENT", "none, documents, notice, gezinsplan or message_type");
    if (!channels.contains(r.channel))
      wrong(here + "/channel", "UNKNOWN_CHANNEL", "broker, secure_link or onderwijstransparant");
    if (!functions.contains(r.function))
      wrong(here + "/function", "UNKNOWN_FUNCTION", "assignment_sender, meeting_participants or responsible");
    if (r.roles.empty() && r.function.empty()) wrong(here + "/role", "MISSING", "name a role");
    out.recipient = std::move(r);
  }
  if (auto it = t.find("consent"); it != t.end()) {
    std::string here = at + "/consent";
    only(*it, here, {"purpose", "role", "except", "blocks", "code"});
    ConsentOutcome c{need(*it, here, "purpose"), known_roles(*it, here, "role"), texts(*it, here, "except"),
                     flag(*it, here, "blocks"), it->value("code", "")};
    if (!c.code.empty()) known_code(c.code, here + "/code");
    out.consent = std::move(c);
  }
  if (auto it = t.find("signal"); it != t.end()) {
    std::string here = at + "/signal";
    only(*it, here, {"code", "to", "role", "also_blocked", "with_code"});
    SignalOutcome s;
    s.code = known_code(need(*it, here, "code"), here + "/code");
    s.to = need(*it, here, "to");
    s.role = it->value("role", "");
    s.to_sender = s.to == "$sender";
    s.also_blocked = flag(*it, here, "also_blocked");
    s.with_code = it->value("with_code", "");
    out.signal = std::move(s);
  }
  if (auto it = t.find("file"); it != t.end()) {
    std::string here = at + "/file";
    only(*it, here, {"by", "system", "create_unless"});
    out.file = FilingOutcome{need(*it, here, "by"), need(*it, here, "system"), it->value("create_unless", "")};
    if (!out.file->create_unless.empty()) fact(out.file->create_unless, here + "/create_unless");
  }
  if (auto it = t.find("escalate"); it != t.end()) {
    std::string here = at + "/escalate";
    only(*it, here, {"action", "body", "outcome", "members", "facts", "register_as"});
    EscalationOutcome e{need(*it, here, "action"),   it->value("body", ""),     it->value("outcome", ""),
                        texts(*it, here, "members"), texts(*it, here, "facts"), it->value("register_as", "")};
    if (e.action != "open" && e.action != "close") wrong(here + "/action", "UNKNOWN_ACTION", "open or close");
    if (e.body.starts_with('$')) known_setting(e.body.substr(1), here + "/body");
    for (const auto& f : e.facts) fact(f, here + "/facts");
    out.escalation = std::move(e);
  }
  if (auto it = t.find("set"); it != t.end()) {
    if (!it->is_object())
      wrong(at + "/set", "TYPE", "an object is expected");
    else
      for (const auto& [name, v] : it->items()) {
        int slot = fact(name, at + "/set/" + name);
        if (slot < 0) continue;
        if (p_.vocabulary_->at(slot).from != FactDef::From::case_fact)
          wrong(at + "/set/" + name, "NOT_SETTABLE", "only case facts can be set");
        else
          out.set.push_back({slot, operand(v, at + "/set/" + name, p_.vocabulary_->at(slot).type)});
      }
  }
  if (auto it = t.find("timer"); it != t.end()) timer(out, *it, at + "/timer");
  out.drop = texts(t, at, "drop");
  out.allow = texts(t, at, "allow");
  out.block = t.value("block", "");
  out.code = t.value("code", "");
  out.alone = flag(t, at, "alone");
  out.always = flag(t, at, "always");
  out.if_consented = flag(t, at, "if_consented");
  for (const std::string& role : out.drop)
    if (role.starts_with('$')) known_setting(role.substr(1), at + "/drop");
  if (!out.block.empty()) known_code(out.block, at + "/block");
  if (!out.code.empty()) known_code(out.code, at + "/code");
  if (!out.drop.empty() && out.code.empty()) wrong(at + "/code", "MISSING", "a drop has a code");
  fits(rule, at);
}

void RuleReader::timer(Then& out, const Json& j, const std::string& here) {
  only(j, here,
       {"name",
        "from",
        "days",
        "months",
        "years",
        "working_days",
        "days_setting",
        "months_setting",
        "working_days_setting",
        "backwards",
        "ends",
        "severity",
        "responsible",
        "rolls",
        "announces_holiday",
        "warn_days",
        "warn_months",
        "warn_working_days",
        "warn_from_days",
        "warn_from_months",
        "met_by",
        "met_when",
        "tells_late",
        "replaced_when"});
  TimerOutcome t;
  t.name = need(j, here, "name");
  t.severity = need(j, here, "severity");
  t.responsible = j.value("responsible", "");
  t.from = fact(need(j, here, "from"), here + "/from");
  t.days = integer(j, here, "days");
  t.months = integer(j, here, "months");
  t.years = integer(j, here, "years");
  t.working_days = integer(j, here, "working_days");
  t.days_setting = j.value("days_setting", "");
  if (!t.days_setting.empty()) known_setting(t.days_setting, here + "/days_setting");
  t.months_setting = j.value("months_setting", "");
  if (!t.months_setting.empty()) known_setting(t.months_setting, here + "/months_setting");
  t.working_days_setting = j.value("working_days_setting", "");
  if (!t.working_days_setting.empty()) known_setting(t.working_days_setting, here + "/working_days_setting");
  t.backwards = flag(j, here, "backwards");
  t.ends = j.value("ends", "");
  if (!t.ends.empty() && t.ends != "school_year") wrong(here + "/ends", "UNKNOWN_END", "school_year");
  t.rolls = flag(j, here, "rolls");
  t.announces_holiday = flag(j, here, "announces_holiday");
  t.warn_days = integer(j, here, "warn_days");
  t.warn_months = integer(j, here, "warn_months");
  t.warn_working_days = integer(j, here, "warn_working_days");
  t.warn_from_days = integer(j, here, "warn_from_days");
  t.warn_from_months = integer(j, here, "warn_from_months");
  t.met_by = texts(j, here, "met_by");
  t.tells_late = !j.contains("tells_late") || flag(j, here, "tells_late");
  static const std::set<std::string, std::less<>> severities = {"hard", "firm",      "target",
                                                                "warn", "statutory", "signal"};
  if (!severities.contains(t.severity))
    wrong(here + "/severity", "UNKNOWN_SEVERITY", "hard, firm, target, warn, statutory or signal");
  if (j.contains("met_when")) t.met = condition(j["met_when"], here + "/met_when");
  if (j.contains("replaced_when")) t.replaced = condition(j["replaced_when"], here + "/replaced_when");
  out.timer = std::move(t);
}

void RuleReader::fits(const Rule& rule, const std::string& at) {
  const Then& t = rule.then;
  bool ok = false;
  switch (rule.stage) {
    case Stage::facts:
      ok = !t.set.empty();
      break;
    case Stage::gate:
      ok = !t.block.empty();
      break;
    case Stage::routing:
      ok = t.recipient.has_value();
      break;
    case Stage::audience:
      ok = !t.drop.empty() || !t.allow.empty();
      break;
    case Stage::consent:
      ok = t.consent.has_value();
      break;
    case Stage::signal:
      ok = t.signal.has_value();
      break;
    case Stage::filing:
      ok = t.file.has_value();
      break;
    case Stage::escalation:
      ok = t.escalation.has_value();
      break;
    case Stage::timer:
      ok = t.timer.has_value();
      break;
    case Stage::invoicing:
      ok = true;
      break;
  }
  if (!ok) wrong(at, "UNKNOWN_OUTCOME", "the stage does not know this outcome");
}

Result<std::shared_ptr<const Profile>> RuleReader::compile(const Json& region,
                                                           std::shared_ptr<const Vocabulary> vocabulary,
                                                           const Json& base, std::vector<RuleOrigin>* origins) {
  auto p = std::make_shared<Profile>();
  p->vocabulary_ = std::move(vocabulary);
  std::vector<Finding> findings;
  if (!region.is_object())
    return fail(ErrorKind::invalid, "PROFILE_INVALID", "a region file is an object",
                {{"", "TYPE", "an object is expected", ""}});
  p->region_ = region.value("region", Json()).is_string() ? region["region"].get<std::string>() : "";
  p->name_ = region.value("name", Json()).is_string() ? region["name"].get<std::string>() : "";
  if (p->region_.empty()) findings.push_back({"/region", "MISSING", "the code of the region", ""});
  if (p->name_.empty()) findings.push_back({"/name", "MISSING", "the name of the region", ""});

  RuleReader reader(*p, findings);
  // Where the region lists who gets a type of message, or which gates it passes, the general list of that type does not
  // count.
  std::map<std::string, std::set<std::string>> replaced;
  if (auto it = region.find("rules"); it != region.end() && it->is_array())
    for (const Json& r : *it)
      if (r.is_object() && r.value("stage", Json()) == "routing" && r.contains("on"))
        for (const Json& type : r["on"].is_array() ? r["on"] : Json::array({r["on"]}))
          if (type.is_string()) replaced["routing"].insert(type.get<std::string>());
  try {
    if (base.is_object() && !base.empty()) reader.head(base);
    reader.head(region);
    if (base.is_object() && !base.empty()) reader.rules(base, true, replaced);
    reader.rules(region, false, {});
  } catch (const Json::exception&) {
    findings.push_back({"", "TYPE", "a value has another type than its place asks for", ""});
  }
  if (!findings.empty())
    return fail(ErrorKind::invalid, "PROFILE_INVALID", "the region file has mistakes", std::move(findings));

  if (origins) *origins = reader.take_origins();
  p->index();
  p->source_ = {{"file", ""}, {"region", region}, {"base", base}, {"vocabulary", p->vocabulary_->source()}};
  // A default or a stated_by of the vocabulary changes decisions as much as a rule does.
  p->version_ =
      p->region_ + "-" + sha256_hex(region.dump() + base.dump() + p->vocabulary_->source().dump()).substr(0, 16);
  return std::shared_ptr<const Profile>(std::move(p));
}

std::span<const RoleAlias> RuleReader::role_rows(const Profile& profile, std::string_view name) {
  auto it = profile.aliases_.find(name);
  return it == profile.aliases_.end() ? std::span<const RoleAlias>() : std::span<const RoleAlias>(it->second);
}

}  // namespace schakel
