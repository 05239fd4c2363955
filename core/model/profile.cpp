#include "core/model/profile.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "core/base/hash.hpp"

namespace schakel {

/// Reads one region file; collects every finding instead of stopping at the first.
class RuleReader {
 public:
  RuleReader(Profile& profile, std::vector<Finding>& findings) : p_(profile), findings_(findings) {}

  void head(const Json& file) {
    only(file, "", {"$schema", "region", "name", "extends", "sources", "settings", "gates", "codes", "roles", "rules", "about"});
    for (const auto& [key, title] : object(file, "", "sources").items()) {
      if (!title.is_string() || title.get_ref<const std::string&>().empty()) wrong("/sources/" + key, "TYPE", "a source has a title");
      else p_.sources_[key] = title.get<std::string>();
    }
    for (const auto& [key, s] : object(file, "", "settings").items()) {
      std::string at = "/settings/" + key;
      if (!s.is_object() || !s.contains("value")) {
        wrong(at, "MISSING", "a setting has value and why");
        continue;
      }
      only(s, at, {"value", "why", "unit"});
      if (!s.value("why", Json()).is_string()) wrong(at + "/why", "MISSING", "say why the setting has this value");
      p_.settings_[key] = s["value"];
      p_.why_[key] = s.value("why", "");
    }
    for (const Json& c : array(file, "", "codes"))
      if (c.is_string()) codes_.insert(c.get<std::string>());
    std::size_t n = 0;
    for (const Json& g : array(file, "", "gates")) {
      std::string at = "/gates/" + std::to_string(n++);
      only(g, at, {"name", "on", "codes"});
      Profile::Gate gate{g.value("name", ""), texts(g, at, "on"), texts(g, at, "codes")};
      if (gate.name.empty() || gate.on.empty() || gate.codes.empty()) wrong(at, "MISSING", "a gate has name, on and codes");
      codes_.insert(gate.codes.begin(), gate.codes.end());
      p_.gates_.push_back(std::move(gate));
    }
    for (const auto& [name, rows] : object(file, "", "roles").items()) {
      std::string at = "/roles/" + name;
      std::vector<RoleAlias> alias;
      if (!rows.is_array()) wrong(at, "TYPE", "a list of rows {role, when}");
      else
        for (std::size_t i = 0; i < rows.size(); ++i) {
          std::string row = at + "/" + std::to_string(i);
          only(rows[i], row, {"role", "when", "rule"});
          alias.push_back({condition(rows[i].value("when", Json::object()), row + "/when"), rows[i].value("role", ""), rows[i].value("rule", "")});
        }
      p_.aliases_[name] = std::move(alias);
    }
  }

  void rules(const Json& file, const std::map<std::string, std::set<std::string>>& replaced) {
    std::size_t n = 0;
    for (const Json& r : array(file, "", "rules")) {
      std::string at = "/rules/" + std::to_string(n++);
      if (!r.is_object()) {
        wrong(at, "TYPE", "a rule is an object");
        continue;
      }
      only(r, at, {"id", "source", "quote", "stage", "on", "when", "then", "why"});
      Rule rule;
      rule.id = need(r, at, "id");
      rule.source = need(r, at, "source");
      rule.quote = need(r, at, "quote");
      if (!rule.source.empty() && !p_.sources_.contains(rule.source)) wrong(at + "/source", "UNKNOWN_SOURCE", "not among the sources of the file");
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
      p_.rules_.push_back(std::move(rule));
    }
  }

 private:
  void wrong(std::string pointer, std::string code, std::string message) { findings_.push_back({std::move(pointer), std::move(code), std::move(message), ""}); }

  void only(const Json& j, const std::string& at, std::initializer_list<std::string_view> keys) {
    if (!j.is_object()) return wrong(at, "TYPE", "an object is expected");
    for (const auto& [key, value] : j.items())
      if (std::ranges::find(keys, key) == keys.end()) wrong(at + "/" + key, "UNKNOWN_KEY", "no such key here");
  }
  std::string need(const Json& j, const std::string& at, const std::string& key) {
    auto it = j.find(key);
    if (it == j.end() || !it->is_string() || it->get_ref<const std::string&>().empty()) {
      wrong(at + "/" + key, "MISSING", "a text is expected");
      return {};
    }
    return it->get<std::string>();
  }
  const Json& object(const Json& j, const std::string& at, const std::string& key) {
    static const Json none = Json::object();
    auto it = j.find(key);
    if (it == j.end()) return none;
    if (!it->is_object()) {
      wrong(at + "/" + key, "TYPE", "an object is expected");
      return none;
    }
    return *it;
  }
  const Json& array(const Json& j, const std::string& at, const std::string& key) {
    static const Json none = Json::array();
    auto it = j.find(key);
    if (it == j.end()) return none;
    if (!it->is_array()) {
      wrong(at + "/" + key, "TYPE", "a list is expected");
      return none;
    }
    return *it;
  }
  std::vector<std::string> texts(const Json& j, const std::string& at, const std::string& key) {
    std::vector<std::string> out;
    auto it = j.find(key);
    if (it == j.end()) return out;
    if (it->is_string()) return {it->get<std::string>()};
    if (!it->is_array()) {
      wrong(at + "/" + key, "TYPE", "a text or a list of texts is expected");
      return out;
    }
    for (const Json& v : *it) {
      if (v.is_string()) out.push_back(v.get<std::string>());
      else wrong(at + "/" + key, "TYPE", "a list of texts is expected");
    }
    return out;
  }
  bool flag(const Json& j, const std::string& at, const std::string& key) {
    auto it = j.find(key);
    if (it == j.end()) return false;
    if (!it->is_boolean()) wrong(at + "/" + key, "TYPE", "true or false is expected");
    return it->is_boolean() && it->get<bool>();
  }
  int integer(const Json& j, const std::string& at, const std::string& key) {
    auto it = j.find(key);
    if (it == j.end()) return 0;
    if (!it->is_number_integer()) {
      wrong(at + "/" + key, "TYPE", "an integer is expected");
      return 0;
    }
    return it->get<int>();
  }
  int fact(const std::string& name, const std::string& at) {
    int slot = p_.vocabulary_->slot(name);
    if (slot < 0) wrong(at, "UNKNOWN_FACT", "the vocabulary has no such fact");
    return slot;
  }
  std::string known_setting(const std::string& name, const std::string& at) {
    if (!p_.settings_.contains(name)) wrong(at, "UNKNOWN_SETTING", "the region has no such setting");
    return name;
  }
  std::string known_code(std::string code, const std::string& at) {
    if (!codes_.contains(code)) wrong(at, "UNKNOWN_CODE", "neither a gate nor the list of codes has it");
    return code;
  }
  std::string known_role(std::string role, const std::string& at) {
    if (role.starts_with('$') && !p_.aliases_.contains(std::string_view(role).substr(1))) wrong(at, "UNKNOWN_ROLE", "no such entry in roles");
    return role;
  }
  std::vector<std::string> known_roles(const Json& j, const std::string& at, const std::string& key) {
    auto out = texts(j, at, key);
    for (auto& r : out) known_role(r, at + "/" + key);
    return out;
  }

  Operand operand(const Json& v, const std::string& at, FactType type) {
    Operand o;
    if (v.is_object()) {
      only(v, at, {"setting", "fact", "append"});
      if (v.contains("setting")) o.setting = known_setting(v.value("setting", ""), at + "/setting");
      else if (v.contains("fact")) o.slot = fact(v.value("fact", ""), at + "/fact");
      else if (v.contains("append")) {
        o.slot = fact(v.value("append", ""), at + "/append");
        o.append = true;
      } else wrong(at, "MISSING", "setting or fact");
      return o;
    }
    o.value = v;
    bool fits = v.is_null();
    switch (type) {
      case FactType::boolean: fits = fits || v.is_boolean(); break;
      case FactType::integer: fits = fits || v.is_number_integer(); break;
      case FactType::text:
      case FactType::date: fits = fits || v.is_string(); break;
      default: fits = true;
    }
    if (!fits) wrong(at, "TYPE", "the value does not have the type of the fact");
    return o;
  }

  Condition comparison(const std::string& name, const Json& v, const std::string& at) {
    Condition c;
    FactType type = FactType::text;
    if (name.starts_with("setting.")) {
      c.setting = known_setting(name.substr(8), at);
      type = FactType::object;  // any
    } else {
      c.slot = fact(name, at);
      if (c.slot >= 0) type = p_.vocabulary_->at(c.slot).type;
    }
    using Op = Condition::Op;
    if (!v.is_object()) {
      c.op = Op::equal;
      c.operands.push_back(operand(v, at, type));
      return c;
    }
    static const std::map<std::string, Op, std::less<>> ops = {
        {"equal", Op::equal}, {"not", Op::not_equal}, {"in", Op::in}, {"not_in", Op::not_in}, {"at_least", Op::at_least}, {"more_than", Op::more_than}, {"less_than", Op::less_than},
        {"exists", Op::exists}, {"contains", Op::contains}, {"count_less_than", Op::count_less_than}, {"count_not", Op::count_not}};
    std::vector<Condition> parts;
    for (const auto& [word, right] : v.items()) {
      std::string here = at + "/" + word;
      auto op = ops.find(word);
      if (op == ops.end()) {
        wrong(here, "UNKNOWN_COMPARISON", "equal, not, in, not_in, at_least, more_than, less_than, exists, contains, count_less_than or count_not");
        continue;
      }
      Condition one = c;
      one.op = op->second;
      FactType element = one.op == Op::count_less_than || one.op == Op::count_not ? FactType::integer : type == FactType::list ? FactType::object : type;
      if (one.op == Op::exists) {
        if (!right.is_boolean()) wrong(here, "TYPE", "true or false is expected");
        else one.flag = right.get<bool>();
      } else if (right.is_array()) {
        if (one.op != Op::in && one.op != Op::not_in && one.op != Op::contains) wrong(here, "TYPE", "one value is expected");
        for (const Json& each : right) one.operands.push_back(operand(each, here, element));
      } else {
        one.operands.push_back(operand(right, here, element));
      }
      parts.push_back(std::move(one));
    }
    if (parts.size() == 1) return parts[0];
    Condition all;
    all.op = Op::all;
    all.children = std::move(parts);
    return all;
  }

  Condition condition(const Json& j, const std::string& at) {
    Condition all;
    if (!j.is_object()) {
      wrong(at, "TYPE", "a condition is an object");
      return all;
    }
    if (j.empty()) return all;
    all.op = Condition::Op::all;
    for (const auto& [name, v] : j.items()) {
      std::string here = at + "/" + name;
      if (name == "all" || name == "any" || name == "none") {
        Condition group;
        group.op = name == "all" ? Condition::Op::all : name == "any" ? Condition::Op::any : Condition::Op::none;
        if (!v.is_array()) wrong(here, "TYPE", "a list of conditions is expected");
        else
          for (std::size_t i = 0; i < v.size(); ++i) group.children.push_back(condition(v[i], here + "/" + std::to_string(i)));
        all.children.push_back(std::move(group));
      } else {
        all.children.push_back(comparison(name, v, here));
      }
    }
    if (all.children.size() == 1) return all.children[0];
    return all;
  }

  void then(Rule& rule, const Json& t, const std::string& at) {
    Then& out = rule.then;
    if (rule.stage == Stage::invoicing) {
      out.more = t;
      return;
    }
    only(t, at, {"recipient", "consent", "timer", "signal", "file", "escalate", "set", "drop", "allow", "block", "code", "alone", "always", "if_consented"});
    if (auto it = t.find("recipient"); it != t.end()) {
      std::string here = at + "/recipient";
      only(*it, here, {"role", "content", "channel", "of_gemeente", "if_addressed", "unless_sender", "mandatory", "list_only", "function", "without"});
      RecipientOutcome r;
      r.roles = known_roles(*it, here, "role");
      r.content = it->value("content", "none");
      r.channel = it->value("channel", "broker");
      r.of_gemeente = it->value("of_gemeente", "");
      if (!r.of_gemeente.empty()) fact(r.of_gemeente, here + "/of_gemeente");
      r.if_addressed = flag(*it, here, "if_addressed");
      r.unless_sender = flag(*it, here, "unless_sender");
      r.mandatory = flag(*it, here, "mandatory");
      r.list_only = flag(*it, here, "list_only");
      r.function = it->value("function", "");
      r.without = texts(*it, here, "without");
      static const std::set<std::string, std::less<>> contents = {"none", "documents", "notice", "gezinsplan", "message_type"}, channels = {"broker", "secure_link", "onderwijstransparant"},
                                                      functions = {"", "assignment_sender", "meeting_participants"};
      if (!contents.contains(r.content)) wrong(here + "/content", "UNKNOWN_CONTENT", "none, documents, notice, gezinsplan or message_type");
      if (!channels.contains(r.channel)) wrong(here + "/channel", "UNKNOWN_CHANNEL", "broker, secure_link or onderwijstransparant");
      if (!functions.contains(r.function)) wrong(here + "/function", "UNKNOWN_FUNCTION", "assignment_sender or meeting_participants");
      if (r.roles.empty() && r.function.empty()) wrong(here + "/role", "MISSING", "name a role");
      out.recipient = std::move(r);
    }
    if (auto it = t.find("consent"); it != t.end()) {
      std::string here = at + "/consent";
      only(*it, here, {"purpose", "role", "except", "blocks", "code"});
      ConsentOutcome c{need(*it, here, "purpose"), known_roles(*it, here, "role"), texts(*it, here, "except"), flag(*it, here, "blocks"), it->value("code", "")};
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
      EscalationOutcome e{need(*it, here, "action"), it->value("body", ""), it->value("outcome", ""), texts(*it, here, "members"), texts(*it, here, "facts"), it->value("register_as", "")};
      if (e.action != "open" && e.action != "close") wrong(here + "/action", "UNKNOWN_ACTION", "open or close");
      for (const auto& f : e.facts) fact(f, here + "/facts");
      out.escalation = std::move(e);
    }
    if (auto it = t.find("set"); it != t.end()) {
      if (!it->is_object()) wrong(at + "/set", "TYPE", "an object is expected");
      else
        for (const auto& [name, v] : it->items()) {
          int slot = fact(name, at + "/set/" + name);
          if (slot < 0) continue;
          if (p_.vocabulary_->at(slot).from != FactDef::From::case_fact) wrong(at + "/set/" + name, "NOT_SETTABLE", "only case facts can be set");
          else out.set.push_back({slot, operand(v, at + "/set/" + name, p_.vocabulary_->at(slot).type)});
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

  void timer(Then& out, const Json& j, const std::string& here) {
    only(j, here, {"name", "from", "days", "months", "years", "working_days", "days_setting", "backwards", "ends", "severity", "responsible", "rolls", "announces_holiday",
                   "warn_days", "warn_months", "warn_working_days", "warn_from_days", "met_by", "replaced_when"});
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
    t.backwards = flag(j, here, "backwards");
    t.ends = j.value("ends", "");
    if (!t.ends.empty() && t.ends != "school_year") wrong(here + "/ends", "UNKNOWN_END", "school_year");
    t.rolls = flag(j, here, "rolls");
    t.announces_holiday = flag(j, here, "announces_holiday");
    t.warn_days = integer(j, here, "warn_days");
    t.warn_months = integer(j, here, "warn_months");
    t.warn_working_days = integer(j, here, "warn_working_days");
    t.warn_from_days = integer(j, here, "warn_from_days");
    t.met_by = texts(j, here, "met_by");
    static const std::set<std::string, std::less<>> severities = {"hard", "firm", "target", "warn", "statutory"};
    if (!severities.contains(t.severity)) wrong(here + "/severity", "UNKNOWN_SEVERITY", "hard, firm, target, warn or statutory");
    if (j.contains("replaced_when")) t.replaced = condition(j["replaced_when"], here + "/replaced_when");
    out.timer = std::move(t);
  }

  /// Each stage has its own outcomes; a rule at the wrong stage would silently do nothing.
  void fits(const Rule& rule, const std::string& at) {
    const Then& t = rule.then;
    bool ok = false;
    switch (rule.stage) {
      case Stage::facts: ok = !t.set.empty(); break;
      case Stage::gate: ok = !t.block.empty(); break;
      case Stage::routing: ok = t.recipient.has_value(); break;
      case Stage::audience: ok = !t.drop.empty() || !t.allow.empty(); break;
      case Stage::consent: ok = t.consent.has_value(); break;
      case Stage::signal: ok = t.signal.has_value(); break;
      case Stage::filing: ok = t.file.has_value(); break;
      case Stage::escalation: ok = t.escalation.has_value(); break;
      case Stage::timer: ok = t.timer.has_value(); break;
      case Stage::invoicing: ok = true; break;
    }
    if (!ok) wrong(at, "UNKNOWN_OUTCOME", "the stage does not know this outcome");
  }

  Profile& p_;
  std::vector<Finding>& findings_;
  std::set<std::string, std::less<>> codes_;
};

Result<std::shared_ptr<const Profile>> Profile::parse(const Json& region, std::shared_ptr<const Vocabulary> vocabulary, const Json& base) {
  auto p = std::make_shared<Profile>();
  p->vocabulary_ = std::move(vocabulary);
  std::vector<Finding> findings;
  if (!region.is_object()) return fail(ErrorKind::invalid, "PROFILE_INVALID", "a region file is an object", {{"", "TYPE", "an object is expected", ""}});
  p->region_ = region.value("region", Json()).is_string() ? region["region"].get<std::string>() : "";
  p->name_ = region.value("name", Json()).is_string() ? region["name"].get<std::string>() : "";
  if (p->region_.empty()) findings.push_back({"/region", "MISSING", "the code of the region", ""});
  if (p->name_.empty()) findings.push_back({"/name", "MISSING", "the name of the region", ""});

  RuleReader reader(*p, findings);
  // Where the region lists who gets a type of message, or which gates it passes, the general list of that type does not count.
  std::map<std::string, std::set<std::string>> replaced;
  if (auto it = region.find("rules"); it != region.end() && it->is_array())
    for (const Json& r : *it)
      if (r.is_object() && r.value("stage", Json()) == "routing" && r.contains("on"))
        for (const Json& type : r["on"].is_array() ? r["on"] : Json::array({r["on"]}))
          if (type.is_string()) replaced["routing"].insert(type.get<std::string>());
  try {
    if (base.is_object() && !base.empty()) reader.head(base);
    reader.head(region);
    if (base.is_object() && !base.empty()) reader.rules(base, replaced);
    reader.rules(region, {});
  } catch (const Json::exception&) {
    findings.push_back({"", "TYPE", "a value has another type than its place asks for", ""});
  }
  if (!findings.empty()) return fail(ErrorKind::invalid, "PROFILE_INVALID", "the region file has mistakes", std::move(findings));

  for (const Rule& r : p->rules_) {
    p->by_id_.emplace(r.id, &r);
    auto stage = static_cast<std::size_t>(r.stage);
    for (const std::string& type : r.on)
      if (type != "*") p->by_stage_[stage].try_emplace(type);
  }
  for (std::size_t s = 0; s < kStages; ++s) {
    for (const Rule& r : p->rules_)
      if (static_cast<std::size_t>(r.stage) == s && std::ranges::find(r.on, "*") != r.on.end()) p->every_type_[s].push_back(&r);
    for (auto& [type, list] : p->by_stage_[s])
      for (const Rule& r : p->rules_)
        if (static_cast<std::size_t>(r.stage) == s && (std::ranges::find(r.on, type) != r.on.end() || std::ranges::find(r.on, "*") != r.on.end())) list.push_back(&r);
  }
  Json names = Json::array();
  for (int i = 0; i < p->vocabulary_->size(); ++i) names.push_back(p->vocabulary_->at(i).name);
  p->version_ = p->region_ + "-" + sha256_hex(region.dump() + base.dump() + names.dump()).substr(0, 16);
  return std::shared_ptr<const Profile>(std::move(p));
}

const Json& Profile::setting(std::string_view name, const Json& overrides) const {
  static const Json none;
  if (overrides.is_object() && !overrides.empty()) {
    if (auto it = overrides.find(name); it != overrides.end()) return *it;
    const Json* at = &overrides;
    std::string_view rest = name;
    while (at->is_object()) {
      auto dot = rest.find('.');
      auto it = at->find(rest.substr(0, dot));
      if (it == at->end()) break;
      if (dot == std::string_view::npos) return *it;
      at = &*it;
      rest = rest.substr(dot + 1);
    }
  }
  auto it = settings_.find(name);
  return it == settings_.end() ? none : it->second;
}

std::int64_t Profile::setting_int(std::string_view name, const Json& overrides, std::int64_t otherwise) const {
  const Json& v = setting(name, overrides);
  return v.is_number_integer() ? v.get<std::int64_t>() : otherwise;
}

std::string Profile::setting_text(std::string_view name, const Json& overrides, std::string_view otherwise) const {
  const Json& v = setting(name, overrides);
  return v.is_string() ? v.get<std::string>() : std::string(otherwise);
}

bool Profile::setting_flag(std::string_view name, const Json& overrides, bool otherwise) const {
  const Json& v = setting(name, overrides);
  return v.is_boolean() ? v.get<bool>() : otherwise;
}

std::vector<std::string> Profile::setting_list(std::string_view name, const Json& overrides) const {
  std::vector<std::string> out;
  const Json& v = setting(name, overrides);
  if (v.is_array())
    for (const Json& e : v)
      if (e.is_string()) out.push_back(e.get<std::string>());
  return out;
}

std::span<const Rule* const> Profile::rules(Stage stage, std::string_view type) const {
  auto s = static_cast<std::size_t>(stage);
  auto it = by_stage_[s].find(type);
  if (it != by_stage_[s].end()) return it->second;
  return every_type_[s];
}

const Rule* Profile::rule(std::string_view id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : it->second;
}

std::string Profile::quote(std::string_view id) const {
  const Rule* r = rule(id);
  return r ? r->quote : std::string();
}

std::string Profile::source_title(std::string_view source) const {
  auto it = sources_.find(source);
  return it == sources_.end() ? std::string() : it->second;
}

Explanation Profile::explain(std::string_view id, std::string_view stage, std::string_view result, std::string_view code, Json facts) const {
  const Rule* r = rule(id);
  return {std::string(id), std::string(stage), std::string(result), std::string(code), r ? r->quote : "", r ? r->source : "", std::move(facts)};
}

std::string_view Profile::role(std::string_view name, const FactView& facts) const {
  if (!name.starts_with('$')) return name;
  auto it = aliases_.find(name.substr(1));
  if (it == aliases_.end()) return {};
  for (const RoleAlias& row : it->second)
    if (row.when.holds(facts)) return row.role;
  return {};
}

int Profile::code_rank(std::string_view type, std::string_view code) const {
  static constexpr std::array<std::string_view, 8> first = {"CONSENT_WITHDRAWN", "CONSENT_EXPIRED", "CONSENT_PARTIAL", "CONSENT_MISSING", "CHILD_CONSENT_MISSING",
                                                            "AUDIENCE_FINANCE", "AUDIENCE_NOT_INVOLVED", "MANDATORY_INVITEE_MISSING"};
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i] == code) return static_cast<int>(i);
  int base = 100;
  for (const Gate& g : gates_) {
    if (std::ranges::find(g.on, type) == g.on.end()) continue;
    for (std::size_t i = 0; i < g.codes.size(); ++i)
      if (g.codes[i] == code) return base + static_cast<int>(i);
    base += 100;
  }
  return code == "MANDATE_MISSING" ? 100000 : 10000;
}

namespace {

Result<Json> read_json(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorKind::not_found, "CONFIG_UNREADABLE", path.filename().string() + " cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  auto j = parse_json(text.str(), {.bytes = 8 * 1024 * 1024, .depth = 32, .string_bytes = 64 * 1024});
  if (!j) return fail(ErrorKind::invalid, "CONFIG_UNREADABLE", path.filename().string() + ": " + j.error().message);
  return j;
}

Error with_file(Error e, const std::filesystem::path& path) {
  for (Finding& f : e.findings) f.pointer = path.filename().string() + "#" + f.pointer;
  return e;
}

}  // namespace

Result<Profiles> load_profiles(const std::filesystem::path& config_dir) {
  auto facts_path = config_dir / "schemas" / "facts.json";
  auto facts = read_json(facts_path);
  if (!facts) return fail(facts.error());
  auto vocabulary = Vocabulary::parse(*facts);
  if (!vocabulary) return fail(with_file(vocabulary.error(), facts_path));
  std::error_code ec;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(config_dir / "regions", ec))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  if (ec) return fail(ErrorKind::not_found, "CONFIG_UNREADABLE", "the folder regions cannot be read");
  std::ranges::sort(files);
  Profiles out;
  for (const auto& path : files) {
    auto region = read_json(path);
    if (!region) return fail(region.error());
    if (region->is_object() && region->value("region", Json()) == "CORE") continue;
    Json base = Json::object();
    if (region->is_object() && region->contains("extends")) {
      const Json& name = (*region)["extends"];
      // A file name beside this one, never a path.
      if (!name.is_string() || name.get_ref<const std::string&>().find_first_of("/\\") != std::string::npos)
        return fail(ErrorKind::invalid, "PROFILE_INVALID", "extends names a file in the same folder", {{path.filename().string() + "#/extends", "TYPE", "a file name", ""}});
      auto read = read_json(path.parent_path() / name.get<std::string>());
      if (!read) return fail(read.error());
      base = std::move(*read);
    }
    auto profile = Profile::parse(*region, *vocabulary, base);
    if (!profile) return fail(with_file(profile.error(), path));
    std::string code = (*profile)->region();
    if (!out.emplace(code, std::move(*profile)).second)
      return fail(ErrorKind::conflict, "PROFILE_INVALID", "two files have the same region", {{path.filename().string() + "#/region", "TWICE", "another file has this region", ""}});
  }
  return out;
}

}  // namespace schakel
