#include "core/model/rule_check.hpp"

#include <algorithm>
#include <regex>

#include "core/base/calendar.hpp"
#include "core/model/code_words.hpp"
#include "core/model/money_topics.hpp"
#include "core/model/rule_check_stages.hpp"

namespace schakel {
namespace {

constexpr std::size_t kMostRules = 2000;

/// What a file says, word by word: names that exist, values that occur, reasons that are reasons.
class TextCheck {
 public:
  TextCheck(const Profile& profile, const NamedJson& file, const FactRanges& ranges,
            const std::set<std::string, std::less<>>& types, std::vector<RuleFinding>& out)
      : profile_(profile), file_(file), ranges_(ranges), types_(types), out_(out) {
    int sender = profile.vocabulary().slot("envelope.sender");
    if (sender >= 0 && !ranges[static_cast<std::size_t>(sender)].open)
      roles_.insert(ranges[static_cast<std::size_t>(sender)].values.begin(),
                    ranges[static_cast<std::size_t>(sender)].values.end());
  }

  void run(bool region) {
    const Json& j = file_.content;
    std::set<std::string> used;
    std::size_t n = 0;
    for (const Json& r : j.value("rules", Json::array())) {
      rule(r, "/rules/" + std::to_string(n++));
      used.insert(r.value("source", ""));
    }
    ids(j.value("rules", Json::array()));
    for (const auto& [name, rows] : j.value("roles", Json::object()).items())
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::string at = "/roles/" + name + "/" + std::to_string(i);
        role(rows[i].value("role", ""), at + "/role", "");
        condition(rows[i].value("when", Json::object()), at + "/when", rows[i].value("rule", ""));
      }
    n = 0;
    for (const Json& g : j.value("gates", Json::array())) {
      types(g.value("on", Json::array()), "/gates/" + std::to_string(n++) + "/on", "");
    }
    if (region)
      for (const auto& [key, title] : j.value("sources", Json::object()).items())
        if (!used.contains(key))
          add(Severity::note, "UNUSED_SOURCE", "/sources/" + key, "no rule cites this source", "");
    settings(j.value("settings", Json::object()));
    words(j);
  }

 private:
  void add(Severity severity, std::string code, const std::string& at, std::string message, const std::string& id) {
    RuleFinding f{severity, std::move(code), file_.name + "#" + at, std::move(message), {}, {}, ""};
    if (!id.empty()) f.rules.push_back(id);
    out_.push_back(std::move(f));
  }

  void rule(const Json& r, const std::string& at) {
    std::string id = r.value("id", "");
    types(r.value("on", Json::array()), at + "/on", id);
    if (r.contains("when")) condition(r["when"], at + "/when", id);
    const Json& t = r["then"];
    if (r.value("stage", "") == "invoicing") return money(r, at, id);
    auto roles = [&](const Json& j, const char* key, const std::string& here) {
      auto it = j.find(key);
      if (it == j.end()) return;
      for (const Json& name : it->is_array() ? *it : Json::array({*it}))
        if (name.is_string()) role(name.get<std::string>(), here + "/" + key, id);
    };
    roles(t, "drop", at + "/then");
    roles(t, "allow", at + "/then");
    for (const auto& [part, keys] : std::map<std::string, std::vector<const char*>>{{"recipient", {"role"}},
                                                                                    {"consent", {"role", "except"}},
                                                                                    {"timer", {"responsible"}},
                                                                                    {"signal", {"to", "role"}},
                                                                                    {"file", {"by"}},
                                                                                    {"escalate", {"members"}}})
      if (auto it = t.find(part); it != t.end())
        for (const char* key : keys) roles(*it, key, at + "/then/" + part);
    if (auto it = r.find("overlap_ok");
        it != r.end() && (!it->is_string() || it->get_ref<const std::string&>().size() < 10))
      add(Severity::error, "SWITCH_WITHOUT_REASON", at + "/overlap_ok", "say in a few words why this overlap is meant",
          id);
    if (t.contains("set"))
      for (const auto& [name, v] : t["set"].items())
        if (!v.is_object()) value(profile_.vocabulary().slot(name), v, at + "/then/set/" + name, id);
    if (t.contains("timer"))
      for (const char* key : {"met_when", "replaced_when"})
        if (auto it = t["timer"].find(key); it != t["timer"].end()) condition(*it, at + "/then/timer/" + key, id);
  }

  /// A row that explains what nobody decides would never be shown.
  void money(const Json& r, const std::string& at, const std::string& id) {
    for (const auto& [key, value] : r["then"].items())
      if (key != "explains")
        add(Severity::error, "UNKNOWN_OUTCOME", at + "/then/" + key,
            "invoicing explains decisions and takes none: only explains stands here", id);
    auto topics = r["then"].find("explains");
    if (topics == r["then"].end() || !topics->is_array())
      return add(Severity::error, "UNKNOWN_TOPIC", at + "/then/explains", "a list of money decisions is expected", id);
    std::size_t n = 0;
    for (const Json& topic : *topics) {
      std::string here = at + "/then/explains/" + std::to_string(n++);
      if (!topic.is_string() || !money_topic(topic.get_ref<const std::string&>()))
        add(Severity::error, "UNKNOWN_TOPIC", here,
            topic.dump() +
                " is no money decision: half, whole, basis_points, minutes, credit, vat, zero_share, pgb, "
                "offering_party, holder:<payer>, release, release:<code> or a code of G-MONEY",
            id);
    }
    const Json on = r.value("on", Json::array());
    for (const Json& type : on.is_array() ? on : Json::array({on}))
      if (type.is_string() && type != "*" &&
          std::ranges::find(kMoneyTypes, type.get_ref<const std::string&>()) == kMoneyTypes.end())
        add(Severity::warning, "NO_EFFECT", at + "/on",
            "a " + type.get<std::string>() + " is no invoice: nothing is decided to explain", id);
  }

  /// Who is told a code without words reads the code.
  void words(const Json& j) {
    std::map<std::string, std::string> codes;
    auto named = [&](const Json& list, const std::string& at) {
      for (const auto& [n, code] : list.items())
        if (code.is_string()) codes.try_emplace(code.get<std::string>(), list.is_array() ? at + "/" + n : at);
    };
    named(j.value("codes", Json::array()), "/codes");
    for (const auto& [n, gate] : j.value("gates", Json::array()).items())
      named(gate.value("codes", Json::array()), "/gates/" + n + "/codes");
    for (const auto& [code, at] : codes)
      for (bool dutch : {true, false})
        if (code_words(code, dutch, &profile_).empty())
          add(Severity::note, "CODE_WITHOUT_WORDS", at,
              code + " has no words in " + (dutch ? "Dutch" : "English") + ": say them in words", "");
  }

  void role(const std::string& name, const std::string& at, const std::string& id) {
    if (roles_.empty() || name.empty() || name.starts_with('$') ||
        roles_.contains(name.substr(0, name.find_first_of(":@"))))
      return;
    add(Severity::error, "UNKNOWN_ROLE", at, name + " is not among the roles of the vocabulary (envelope.sender)", id);
  }
  void types(const Json& on, const std::string& at, const std::string& id) {
    if (types_.empty()) return;
    for (const Json& t : on.is_array() ? on : Json::array({on}))
      if (t.is_string() && t != "*" && !types_.contains(t.get_ref<const std::string&>()))
        add(Severity::error, "UNKNOWN_MESSAGE_TYPE", at, "there is no message type " + t.get<std::string>(), id);
  }

  void condition(const Json& c, const std::string& at, const std::string& id) {
    for (const auto& [name, v] : c.items()) {
      std::string here = at + "/" + name;
      if (name == "all" || name == "any" || name == "none") {
        for (std::size_t i = 0; i < v.size(); ++i) condition(v[i], here + "/" + std::to_string(i), id);
        continue;
      }
      if (name.starts_with("setting.")) {
        setting_value(name.substr(8), v, here, id);
        continue;
      }
      int slot = profile_.vocabulary().slot(name);
      if (!v.is_object())
        value(slot, v, here, id);
      else
        for (const char* word : {"equal", "not", "in", "not_in", "contains", "at_least", "more_than", "less_than"})
          if (auto it = v.find(word); it != v.end()) value(slot, *it, here + "/" + word, id);
    }
  }
  void value(int slot, const Json& v, const std::string& at, const std::string& id) {
    if (slot < 0 || v.is_object()) return;
    if (v.is_array()) {
      for (const Json& each : v) value(slot, each, at, id);
      return;
    }
    const FactRange& range = ranges_[static_cast<std::size_t>(slot)];
    if (!v.is_string() || range.values.empty() ||
        std::ranges::find(range.values, v.get_ref<const std::string&>()) != range.values.end()) {
      if (profile_.vocabulary().at(slot).type == FactType::date && v.is_string() &&
          !Date::parse(v.get_ref<const std::string&>()))
        add(Severity::error, "VALUE_UNKNOWN", at, "a date is written YYYY-MM-DD", id);
      return;
    }
    add(range.open ? Severity::warning : Severity::error, range.open ? "VALUE_UNLISTED" : "VALUE_UNKNOWN", at,
        v.get<std::string>() + " is not a value of " + profile_.vocabulary().at(slot).name + " in facts.json", id);
  }
  /// A switch is compared with one of the values that it may have.
  void setting_value(const std::string& name, const Json& v, const std::string& at, const std::string& id) {
    auto options = options_of(name);
    if (options.empty()) return;
    auto check = [&](const Json& each) {
      if (!each.is_object() && std::ranges::find(options, each) == options.end())
        add(Severity::error, "SWITCH_VALUE", at, each.dump() + " is not among the options of " + name, id);
    };
    if (!v.is_object()) return check(v);
    for (const char* word : {"equal", "not", "in", "not_in"})
      if (auto it = v.find(word); it != v.end())
        for (const Json& each : it->is_array() ? *it : Json::array({*it})) check(each);
  }
  [[nodiscard]] Json options_of(const std::string& name) const {
    const Json settings = file_.content.value("settings", Json::object());
    auto it = settings.find(name);
    return it == settings.end() ? Json::array() : it->value("options", Json::array());
  }

  /// One id is one rule of the source: it may stand at several stages, with the same words.
  void ids(const Json& rules) {
    std::map<std::string, std::pair<std::size_t, const Json*>> first;
    std::map<std::string, std::size_t> whole;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const Json& r = rules[i];
      std::string id = r.value("id", ""), at = "/rules/" + std::to_string(i);
      auto [it, fresh] = first.try_emplace(id, i, &r);
      if (!fresh && ((*it->second.second)["quote"] != r["quote"] || (*it->second.second)["source"] != r["source"]))
        add(Severity::error, "ID_TWICE", at + "/id",
            "rule " + std::to_string(it->second.first) +
                " has this id with another quote or source: an id is one rule of the document",
            id);
      for (const Json& type : r["on"].is_array() ? r["on"] : Json::array({r["on"]})) {
        Json same = r;
        same["on"] = type;
        for (const char* words : {"why", "quote", "overlap_ok"}) same.erase(words);
        auto [w, new_one] = whole.try_emplace(same.dump(), i);
        if (!new_one) add(Severity::error, "RULE_TWICE", at, "the same as rule " + std::to_string(w->second), id);
      }
    }
  }

  void settings(const Json& all) {
    static const std::regex only_open(R"(^\s*((CONF|Q)-\d+[\s,;]*)+$)");
    std::map<std::string, std::vector<std::pair<std::string, std::int64_t>>> shares;
    for (const auto& [name, s] : all.items()) {
      std::string at = "/settings/" + name, why = s.value("why", "");
      const Json& v = s["value"];
      if (v.is_null()) add(Severity::error, "SWITCH_VALUE", at + "/value", "a switch has a default", "");
      if (why.empty() || std::regex_match(why.substr(0, 200), only_open))
        add(Severity::error, "SWITCH_WITHOUT_REASON", at + "/why",
            "a conflict or open question has a number; say also why this is the default", "");
      if (auto o = s.find("options"); o != s.end()) {
        if (!o->is_array() || o->size() < 2)
          add(Severity::error, "SWITCH_VALUE", at + "/options", "a list of two or more values", "");
        else if (std::ranges::find(*o, v) == o->end())
          add(Severity::error, "SWITCH_VALUE", at + "/value", "the default is not among the options", "");
      }
      if (name == "school_holidays") school_holidays(v, at + "/value");
      split(name, v, at, shares);
      if (v.is_object()) {
        std::map<std::string, std::vector<std::pair<std::string, std::int64_t>>> inner;
        for (const auto& [key, part] : v.items()) split(key, part, at + "/value", inner);
        for (const auto& [group, parts] : inner) sum(parts, at + "/value", group);
      }
    }
    for (const auto& [group, parts] : shares) sum(parts, "/settings/" + parts.front().first, group);
  }
  /// A day that is none would never be found, and nobody be told.
  void school_holidays(const Json& all, const std::string& at) {
    auto day = [](const Json& holiday, const char* key) -> std::optional<Date> {
      auto it = holiday.is_object() ? holiday.find(key) : holiday.end();
      if (it == holiday.end() || !it->is_string()) return {};
      auto read = Date::parse(it->get<std::string>());
      return read ? std::optional<Date>(*read) : std::nullopt;
    };
    bool sound = all.is_array();
    if (sound)
      for (const Json& holiday : all) {
        auto from = day(holiday, "from"), to = day(holiday, "to");
        sound = sound && from && to && *from <= *to && holiday.contains("name") && holiday["name"].is_string();
      }
    if (!sound)
      add(Severity::error, "SWITCH_VALUE", at, "a list of {name, from, to}, days as YYYY-MM-DD, from not after to", "");
  }
  static std::int64_t whole(const std::string& name) { return name.ends_with("_bp") ? 10000 : 100; }
  void split(const std::string& name, const Json& v, const std::string& at,
             std::map<std::string, std::vector<std::pair<std::string, std::int64_t>>>& shares) {
    if (!name.ends_with("_bp") && !name.ends_with("_percent")) return;
    if (!v.is_number_integer() || v.get<std::int64_t>() < 0 || v.get<std::int64_t>() > whole(name)) {
      add(Severity::error, "SPLIT_SUM", at, "a share is a whole number from 0 to " + std::to_string(whole(name)), "");
      return;
    }
    auto dot = name.rfind('.');
    shares[(dot == std::string::npos ? "" : name.substr(0, dot)) + std::to_string(whole(name))].emplace_back(
        name, v.get<std::int64_t>());
  }
  /// One share stands for itself: the rest is for the other. Two or more must be the whole.
  void sum(const std::vector<std::pair<std::string, std::int64_t>>& parts, const std::string& at,
           const std::string& group) {
    // Settings without a group are not shares of one thing.
    if (parts.size() < 2 || (at.starts_with("/settings/") && !at.ends_with("/value") && group.size() <= 5 &&
                             group.find_first_not_of("0123456789") == std::string::npos))
      return;
    std::int64_t total = 0;
    std::string names;
    for (const auto& [name, n] : parts) {
      total += n;
      names += (names.empty() ? "" : " + ") + name;
    }
    if (total != whole(parts.front().first))
      add(Severity::error, "SPLIT_SUM", at,
          names + " is " + std::to_string(total) + ", not " + std::to_string(whole(parts.front().first)), "");
  }

  const Profile& profile_;
  const NamedJson& file_;
  const FactRanges& ranges_;
  const std::set<std::string, std::less<>>& types_;
  std::vector<RuleFinding>& out_;
  std::set<std::string, std::less<>> roles_;
};

void refused(const Error& e, const std::string& file, std::vector<RuleFinding>& out) {
  if (e.findings.empty()) out.push_back({Severity::error, e.code, file + "#", e.message, {}, {}, ""});
  for (const Finding& f : e.findings)
    out.push_back({Severity::error,
                   f.code,
                   file + "#" + f.pointer,
                   f.message,
                   f.rule.empty() ? std::vector<std::string>{} : std::vector{f.rule},
                   {},
                   ""});
}

}  // namespace

std::string_view to_string(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

Json to_json(const RuleFinding& f) {
  Json j{{"severity", to_string(f.severity)},
         {"code", f.code},
         {"pointer", f.pointer},
         {"message", f.message},
         {"rules", f.rules}};
  if (!f.example.is_null()) j["example"] = f.example;
  if (!f.accepted.empty()) j["accepted"] = f.accepted;
  return j;
}

std::vector<RuleFinding> check_region(const NamedJson& region, const NamedJson& base, const Json& facts,
                                      const std::set<std::string, std::less<>>& types) {
  std::vector<RuleFinding> out;
  auto vocabulary = Vocabulary::parse(facts);
  if (!vocabulary) {
    refused(vocabulary.error(), "facts.json", out);
    return out;
  }
  for (const NamedJson* file : {&base, &region})
    if (auto rules = file->content.is_object() ? file->content.find("rules") : file->content.end();
        rules != file->content.end() && rules->size() > kMostRules) {
      out.push_back({Severity::error,
                     "TOO_MANY_RULES",
                     file->name + "#/rules",
                     "a file has at most " + std::to_string(kMostRules) + " rules",
                     {},
                     {},
                     ""});
      return out;
    }
  std::vector<RuleOrigin> origins;
  auto profile = RuleReader::compile(region.content, *vocabulary, base.content, &origins);
  if (!profile) {
    refused(profile.error(), region.name, out);
    return out;
  }
  auto ranges = fact_ranges(**vocabulary, facts);
  TextCheck(**profile, region, ranges, types, out).run(!region.content.contains("extends") || !base.content.empty());
  check_settings(**profile, region, base, out);
  StageCheck({**profile, origins, region, base, ranges, types}, out).run();
  // The worst first, otherwise in the order in which they were found.
  std::vector<RuleFinding> sorted;
  for (Severity level : {Severity::error, Severity::warning, Severity::note})
    for (RuleFinding& f : out)
      if (f.severity == level) sorted.push_back(std::move(f));
  return sorted;
}

}  // namespace schakel
