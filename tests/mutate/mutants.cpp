#include "tests/mutate/mutants.hpp"

#include <algorithm>
#include <map>

namespace schakel::mutate {
namespace {

/// Stands for whatever a value may not be: no region, role, purpose or system has this name.
constexpr const char* kOther = "mutant";
/// Two codes of core.json: what a code becomes, and what that one becomes.
constexpr const char* kCodes[] = {"TIMER_WARN", "TIMER_BREACH"};

class Maker {
 public:
  explicit Maker(const Json& file) : file_(file) {}

  std::vector<Mutant> all() {
    std::map<std::string, int> seen;
    const Json& rules = file_.at("rules");
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const Json& r = rules[i];
      rule_ = r.at("id").get<std::string>();
      std::string where = rule_ + " " + r.at("stage").get<std::string>();
      int n = ++seen[where];
      label_ = n == 1 ? where : where + "#" + std::to_string(n);
      std::string at = "/rules/" + std::to_string(i);
      on_ = types_of(r["on"]);
      Json without = rules;
      without.erase(i);
      put("delete", "/rules", std::move(without));
      out_.back().deletion = true;
      if (r.contains("when")) condition(r["when"], at + "/when", "when");
      each_dropped(r["on"], at + "/on", "on", 1);
      outcome(r.at("then"), at + "/then");
    }
    on_.clear();
    settings();
    gates();
    roles();
    return std::move(out_);
  }

 private:
  void put(const std::string& what, const std::string& at, Json value) {
    out_.push_back({rule_, label_ + ": " + what, Json::json_pointer(at), std::move(value), on_, false});
  }
  void without(const Json& object, const std::string& at, const std::string& key) {
    Json less = object;
    less.erase(key);
    put("drop " + key, at, std::move(less));
  }
  static std::string named(const Json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); }

  /// A list without each of its elements in turn, as long as `least` stay.
  void each_dropped(const Json& list, const std::string& at, const std::string& what, std::size_t least) {
    if (!list.is_array() || list.size() <= least) return;
    for (std::size_t i = 0; i < list.size(); ++i) {
      Json less = list;
      less.erase(i);
      put("drop " + named(list[i]) + " of " + what, at, std::move(less));
    }
  }

  void condition(const Json& c, const std::string& at, const std::string& path) {
    for (const auto& [name, v] : c.items()) {
      Json less = c;
      less.erase(name);
      if (name == "all" || name == "any" || name == "none") {
        put(path + " without " + name, at, less);
        each_dropped(v, at + "/" + name, path + "/" + name, 1);
        for (std::size_t i = 0; i < v.size(); ++i)
          condition(v[i], at + "/" + name + "/" + std::to_string(i), path + "/" + name + "/" + std::to_string(i));
        continue;
      }
      put(path + " without " + name, at, less);
      less["none"].push_back({{name, v}});
      put(path + " not " + name + "=" + v.dump(), at, std::move(less));
      if (v.is_object()) comparison(v, at + "/" + name, path + "/" + name);
    }
  }

  void comparison(const Json& v, const std::string& at, const std::string& path) {
    for (const auto& [op, operand] : v.items()) {
      Json changed = v;
      if (op == "at_least" || op == "more_than") {
        changed.erase(op);
        changed[op == "at_least" ? "more_than" : "at_least"] = operand;
        put(path + " " + op + " exchanged", at, std::move(changed));
      } else if (operand.is_number_integer()) {
        changed[op] = operand.get<std::int64_t>() + 1;
        put(path + " " + op + " one more", at, std::move(changed));
      } else {
        each_dropped(operand, at + "/" + op, path + " " + op, 1);
      }
    }
  }

  void flip(const Json& object, const std::string& at, const char* key) {
    Json changed = object;
    bool was = object.value(key, false);
    if (was)
      changed.erase(key);
    else
      changed[key] = true;
    put(std::string(was ? "no " : "with ") + key, at, std::move(changed));
  }
  void changed(const Json& object, const std::string& at, const char* key, Json other) {
    if (!object.contains(key) || object[key] == other) return;
    put("other " + std::string(key), at + "/" + key, std::move(other));
  }
  void code(const Json& object, const std::string& at, const char* key) {
    if (object.contains(key)) changed(object, at, key, object[key] == kCodes[0] ? kCodes[1] : kCodes[0]);
  }
  void one_more(const Json& object, const std::string& at, const char* key) {
    if (object.contains(key)) put("one more " + std::string(key), at + "/" + key, object[key].get<std::int64_t>() + 1);
  }

  void outcome(const Json& t, const std::string& at) {
    if (t.contains("block")) {
      code(t, at, "block");
      flip(t, at, "alone");
      // Adding it changes nothing for the types that ask no consent; that is most of them.
      if (t.contains("if_consented")) flip(t, at, "if_consented");
    }
    each_dropped(t.value("explains", Json()), at + "/explains", "explains", 0);
    if (t.contains("drop")) {
      code(t, at, "code");
      flip(t, at, "always");
      changed(t, at, "drop", Json::array({kOther}));
    }
    each_dropped(t.value("allow", Json()), at + "/allow", "allow", 1);
    if (t.contains("set"))
      for (const auto& [name, v] : t["set"].items()) {
        if (t["set"].size() > 1) without(t["set"], at + "/set", name);
        if (v.is_boolean()) put("set " + name + " otherwise", at + "/set/" + name, !v.get<bool>());
      }
    if (t.contains("recipient")) recipient(t["recipient"], at + "/recipient");
    if (t.contains("consent")) consent(t["consent"], at + "/consent");
    if (t.contains("signal")) {
      const Json& s = t["signal"];
      std::string here = at + "/signal";
      code(s, here, "code");
      changed(s, here, "to", kOther);
      flip(s, here, "also_blocked");
      if (s.contains("with_code")) without(s, here, "with_code");
    }
    if (t.contains("file")) {
      changed(t["file"], at + "/file", "by", kOther);
      changed(t["file"], at + "/file", "system", kOther);
      if (t["file"].contains("create_unless")) without(t["file"], at + "/file", "create_unless");
    }
    if (t.contains("escalate")) {
      const Json& e = t["escalate"];
      std::string here = at + "/escalate";
      changed(e, here, "action", e["action"] == "open" ? "close" : "open");
      changed(e, here, "body", kOther);
      changed(e, here, "outcome", kOther);
      changed(e, here, "register_as", kOther);
      each_dropped(e.value("members", Json()), here + "/members", "members", 0);
      each_dropped(e.value("facts", Json()), here + "/facts", "facts", 0);
    }
    if (t.contains("timer")) timer(t["timer"], at + "/timer");
  }

  void recipient(const Json& r, const std::string& at) {
    each_dropped(r["role"], at + "/role", "recipients", 1);
    for (std::size_t i = 0; i < r["role"].size(); ++i)
      put("other role for " + named(r["role"][i]), at + "/role/" + std::to_string(i), kOther);
    std::string content = r.value("content", "none"), channel = r.value("channel", "broker");
    Json other = r;
    other["content"] = content == "notice" ? "none" : "notice";
    put("other content", at, other);
    other = r;
    other["channel"] = channel == "secure_link" ? "broker" : "secure_link";
    put("other channel", at, other);
    for (const char* key : {"if_addressed", "unless_sender"}) flip(r, at, key);
    if (r.contains("if_consent_names")) flip(r, at, "if_consent_names");
    // Only a list of the sender is looked through for these.
    if (!r.value("if_addressed", false)) flip(r, at, "list_only");
    if (r.value("list_only", false)) flip(r, at, "mandatory");
    for (const char* key : {"of_gemeente", "without"})
      if (r.contains(key)) without(r, at, key);
    if (r.contains("function"))
      changed(r, at, "function", r["function"] == "assignment_sender" ? "meeting_participants" : "assignment_sender");
  }

  void consent(const Json& c, const std::string& at) {
    changed(c, at, "purpose", kOther);
    flip(c, at, "blocks");
    each_dropped(c.value("role", Json()), at + "/role", "roles", 0);
    each_dropped(c.value("except", Json()), at + "/except", "except", 0);
    if (c.contains("code")) without(c, at, "code");
  }

  void timer(const Json& t, const std::string& at) {
    for (const char* key :
         {"days", "months", "years", "working_days", "warn_days", "warn_months", "warn_working_days", "warn_from_days"})
      one_more(t, at, key);
    for (const char* key : {"rolls", "announces_holiday"}) flip(t, at, key);
    if (t.contains("months") || t.contains("years") || t.contains("days") || t.contains("days_setting"))
      flip(t, at, "backwards");
    for (const char* key : {"days_setting", "ends", "replaced_when"})
      if (t.contains(key)) without(t, at, key);
    changed(t, at, "severity", t["severity"] == "hard" ? "firm" : "hard");
    changed(t, at, "responsible", kOther);
    changed(t, at, "name", kOther);
    each_dropped(t.value("met_by", Json()), at + "/met_by", "met_by", 0);
    if (t.contains("replaced_when")) condition(t["replaced_when"], at + "/replaced_when", "replaced_when");
  }

  void settings() {
    rule_ = "settings";
    const Json all = file_.value("settings", Json::object());
    for (const auto& [name, s] : all.items()) {
      label_ = "settings " + name;
      value(s.at("value"), "/settings/" + name + "/value", "value");
    }
  }
  void value(const Json& v, const std::string& at, const std::string& path) {
    if (v.is_boolean())
      put(path + " otherwise", at, !v.get<bool>());
    else if (v.is_number_integer())
      put(path + " one more", at, v.get<std::int64_t>() + 1), put(path + " one less", at, v.get<std::int64_t>() - 1);
    else if (v.is_string())
      put(path + " other", at, Json(kOther));
    else if (v.is_array())
      each_dropped(v, at, path, 0);
    else if (v.is_object())
      for (const auto& [key, one] : v.items()) value(one, at + "/" + key, path + "/" + key);
  }

  void gates() {
    rule_ = "gates";
    const Json all = file_.value("gates", Json::array());
    for (std::size_t i = 0; i < all.size(); ++i) {
      label_ = "gate " + all[i].at("name").get<std::string>();
      std::string at = "/gates/" + std::to_string(i);
      const Json& codes = all[i].at("codes");
      for (std::size_t k = 0; k + 1 < codes.size(); ++k) {
        Json other = codes;
        std::swap(other[k], other[k + 1]);
        put(named(codes[k + 1]) + " before " + named(codes[k]), at + "/codes", std::move(other));
      }
      each_dropped(all[i].at("on"), at + "/on", "on", 1);
    }
  }

  void roles() {
    rule_ = "roles";
    const Json all = file_.value("roles", Json::object());
    for (const auto& [name, rows] : all.items()) {
      label_ = "role $" + name;
      std::string at = "/roles/" + name;
      each_dropped(rows, at, "rows", 1);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        put("other role for " + named(rows[i].at("role")), at + "/" + std::to_string(i) + "/role", kOther);
        if (rows[i].contains("when"))
          condition(rows[i]["when"], at + "/" + std::to_string(i) + "/when", "when of " + named(rows[i]["role"]));
      }
    }
  }

  /// Empty where the rule looks at every type.
  static std::vector<std::string> types_of(const Json& on) {
    if (on.is_string()) return {on.get<std::string>()};
    auto out = on.get<std::vector<std::string>>();
    if (std::ranges::find(out, "*") != out.end()) out.clear();
    return out;
  }

  const Json& file_;
  std::vector<std::string> on_;
  std::string rule_, label_;
  std::vector<Mutant> out_;
};

}  // namespace

std::vector<Mutant> mutants_of(const Json& file) { return Maker(file).all(); }

}  // namespace schakel::mutate
