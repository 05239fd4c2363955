// Each kind of finding of check_region has a region that shows it, and the same region mended.
#include "core/model/rule_check.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/model/region_files.hpp"
#include "core/model/rule_solver.hpp"

namespace schakel {
namespace {

const Json& vocabulary_file() {
  static const Json facts = Json::parse(R"({"facts": [
    {"name": "envelope.sender", "type": "text", "meaning": "sender", "values": ["school", "gemeente", "ouders", "arts"]},
    {"name": "envelope.addressed_to", "type": "list", "meaning": "asked for", "values": ["school", "gemeente", "ouders", "arts"]},
    {"name": "case.flag", "type": "boolean", "meaning": "a flag", "default": false},
    {"name": "case.other", "type": "boolean", "meaning": "another", "default": false},
    {"name": "case.asked", "type": "boolean", "meaning": "may be unknown"},
    {"name": "case.colour", "type": "text", "meaning": "closed", "values": ["red", "green", "blue"]},
    {"name": "message.kind", "type": "text", "meaning": "open", "values": ["a", "b"], "open": true},
    {"name": "case.minutes", "type": "integer", "meaning": "a number", "unit": "minutes"},
    {"name": "case.day", "type": "date", "meaning": "a day"},
    {"name": "case.end", "type": "date", "meaning": "another day"},
    {"name": "case.names", "type": "list", "meaning": "names"},
    {"name": "document.opp.present", "type": "boolean", "meaning": "OPP"},
    {"name": "document.opp.complete", "type": "boolean", "meaning": "OPP"},
    {"name": "document.opp.status", "type": "text", "meaning": "OPP", "values": ["concept", "compleet"]},
    {"name": "derived.today", "type": "date", "meaning": "today"}]})");
  return facts;
}

Json rule(const std::string& id, const std::string& stage, Json when, Json then) {
  return {{"id", id},        {"source", "s"},           {"quote", "quote of " + id}, {"stage", stage},
          {"on", "melding"}, {"when", std::move(when)}, {"then", std::move(then)}};
}
Json to(const std::string& role) { return {{"recipient", {{"role", role}}}}; }

Json region(std::vector<Json> rules) {
  return {{"region", "X"},
          {"name", "Test"},
          {"sources", {{"s", "Source"}}},
          {"codes", {"ONE", "TWO"}},
          {"settings", Json::object()},
          {"rules", rules}};
}

std::vector<RuleFinding> check(const Json& r, const Json& base = Json::object()) {
  return check_region({"x.json", r}, {"base.json", base}, vocabulary_file(), {"melding", "besluit"});
}

const RuleFinding* find(const std::vector<RuleFinding>& all, std::string_view code) {
  for (const RuleFinding& f : all)
    if (f.code == code) return &f;
  return nullptr;
}

/// The finding that must be there; a readable failure where it is not.
RuleFinding expect(const Json& r, std::string_view code, Severity severity, const std::string& pointer,
                   const Json& base = Json::object()) {
  auto all = check(r, base);
  const RuleFinding* f = find(all, code);
  std::string seen;
  for (const RuleFinding& x : all) seen += x.code + " " + x.pointer + "; ";
  EXPECT_TRUE(f) << code << " not among: " << seen;
  if (!f) return {};
  EXPECT_EQ(f->severity, severity) << code;
  EXPECT_EQ(f->pointer, pointer) << code;
  return *f;
}
void expect_none(const Json& r, std::string_view code) {
  auto all = check(r);
  const RuleFinding* f = find(all, code);
  EXPECT_FALSE(f) << code << ' ' << (f ? f->pointer + ' ' + f->message : "");
}

TEST(RuleCheck, UnreachableConditions) {
  for (const char* when :
       {R"({"all": [{"case.flag": true}, {"case.flag": false}]})",
        R"({"case.minutes": {"at_least": 10, "less_than": 10}})",
        R"({"document.opp.present": false, "document.opp.complete": true})",
        R"({"case.colour": {"not_in": ["red", "green", "blue"], "exists": true}})",
        R"({"none": [{"case.flag": true}, {"case.flag": false}]})",
        R"({"case.day": {"more_than": {"fact": "case.end"}}, "case.end": {"at_least": {"fact": "case.day"}}})",
        R"({"case.names": {"contains": ["a", "b"], "count_less_than": 2}})", R"({"case.minutes": {"less_than": 0}})",
        R"({"case.asked": true, "any": [{"case.asked": false}, {"case.asked": null}]})"})
    expect(region({rule("X-1", "routing", Json::parse(when), to("school"))}), "UNREACHABLE", Severity::error,
           "x.json#/rules/0/when");
  for (const char* when :
       {R"({"case.minutes": {"at_least": 10, "less_than": 11}})",
        R"({"document.opp.present": true, "document.opp.complete": false})",
        R"({"case.colour": {"not_in": ["red", "green"]}})", R"({"case.day": {"more_than": {"fact": "case.end"}}})",
        R"({"case.names": {"contains": ["a", "b"], "count_less_than": 3}})",
        R"({"message.kind": {"not_in": ["a", "b"]}})"})
    expect_none(region({rule("X-1", "routing", Json::parse(when), to("school"))}), "UNREACHABLE");
}

TEST(RuleCheck, SwitchedOffIsANoteWithTheSwitch) {
  Json r = region({rule("X-1", "routing", {{"setting.policy", "strict"}}, to("school"))});
  r["settings"]["policy"] = {{"value", "mild"}, {"why", "the text says so"}, {"options", {"mild", "strict"}}};
  EXPECT_EQ(expect(r, "SWITCHED_OFF", Severity::note, "x.json#/rules/0/when").example["setting.policy"], "strict");
  r["rules"][0]["when"] = {{"setting.policy", "strcit"}};
  expect(r, "SWITCH_VALUE", Severity::error, "x.json#/rules/0/when/setting.policy");
}

TEST(RuleCheck, DeadBranchOfAny) {
  expect(region({rule("X-1", "routing",
                      {{"case.flag", true}, {"any", {{{"case.flag", false}}, {{"case.other", true}}}}}, to("school"))}),
         "DEAD_BRANCH", Severity::warning, "x.json#/rules/0/when/any/0");
}

TEST(RuleCheck, OverlapShowsFactsAndCanBeAccepted) {
  Json a = rule("X-1", "routing", {{"case.flag", true}}, to("school")),
       b = rule("X-2", "routing", {{"case.other", true}}, to("school"));
  b["then"]["recipient"]["content"] = "documents";
  auto f = expect(region({a, b}), "OVERLAP", Severity::warning, "x.json#/rules/1");
  EXPECT_EQ(f.rules, (std::vector<std::string>{"X-2", "X-1"}));
  EXPECT_EQ(f.example, (Json{{"case.flag", true}, {"case.other", true}}));
  Json accepted = b;
  accepted["overlap_ok"] = "whoever has the flag gets the notice only";
  EXPECT_EQ(expect(region({a, accepted}), "OVERLAP", Severity::note, "x.json#/rules/1").accepted,
            "whoever has the flag gets the notice only");
  Json apart = b;
  apart["when"] = {{"case.other", true}, {"case.flag", false}};
  expect_none(region({a, apart}), "OVERLAP");
  Json same = b;
  same["then"] = a["then"];
  expect_none(region({a, same}), "OVERLAP");
}

TEST(RuleCheck, ShadowedByWhatComesBefore) {
  Json a = rule("X-1", "routing", Json::object(), to("school")),
       b = rule("X-2", "routing", {{"case.flag", true}}, to("school"));
  b["then"]["recipient"]["channel"] = "secure_link";
  expect(region({a, b}), "SHADOWED", Severity::error, "x.json#/rules/1");
  // Behind a block that stands alone nothing is reported.
  Json alone = rule("X-3", "gate", {{"case.flag", true}}, {{"block", "ONE"}, {"alone", true}});
  expect(region({alone, rule("X-4", "gate", {{"case.flag", true}, {"case.other", true}}, {{"block", "TWO"}})}),
         "SHADOWED", Severity::error, "x.json#/rules/1");
  expect_none(region({alone, rule("X-4", "gate", {{"case.other", true}}, {{"block", "TWO"}})}), "SHADOWED");
  // Of two rows with one code the narrower adds nothing, also where it comes first.
  Json narrow = rule("X-5", "gate", {{"case.flag", true}, {"case.other", true}}, {{"block", "TWO"}}),
       wide = rule("X-6", "gate", {{"case.flag", true}}, {{"block", "TWO"}});
  expect(region({narrow, wide}), "SHADOWED", Severity::error, "x.json#/rules/0");
  expect(region({wide, narrow}), "SHADOWED", Severity::error, "x.json#/rules/1");
  expect(region({wide, rule("X-7", "gate", {{"case.flag", true}}, {{"block", "TWO"}})}), "SHADOWED", Severity::error,
         "x.json#/rules/1");
  expect_none(region({narrow, rule("X-8", "gate", {{"case.flag", true}}, {{"block", "ONE"}})}), "SHADOWED");
  // Also where both wait for another choice of a switch.
  Json off = region({rule("X-9", "gate", {{"setting.want", "always"}, {"case.flag", true}}, {{"block", "TWO"}}),
                     rule("X-10", "gate", {{"setting.want", "always"}}, {{"block", "TWO"}})});
  off["settings"]["want"] = {{"value", "never"}, {"why", "w"}, {"options", {"always", "never"}}};
  expect(off, "SHADOWED", Severity::error, "x.json#/rules/0");
}

TEST(RuleCheck, TermsOfOneName) {
  Json timer = {{"timer",
                 {{
                      "name",
                      "besluit",
                  },
                  {"from", "case.day"},
                  {"days", 14},
                  {"severity", "hard"},
                  {"responsible", "school"}}}};
  Json longer = timer;
  longer["timer"]["days"] = 28;
  expect(region({rule("X-1", "timer", {{"case.flag", true}}, timer),
                 rule("X-2", "timer", {{"case.other", true}}, longer)}),
         "OVERLAP", Severity::warning, "x.json#/rules/1");
  expect(region({rule("X-1", "timer", Json::object(), timer), rule("X-2", "timer", {{"case.other", true}}, longer)}),
         "SHADOWED", Severity::error, "x.json#/rules/1");
  expect_none(region({rule("X-1", "timer", {{"case.flag", true}}, timer),
                      rule("X-2", "timer", {{"case.flag", false}}, longer)}),
              "OVERLAP");
  Json nobody = timer;
  nobody["timer"].erase("responsible");
  expect(region({rule("X-1", "timer", Json::object(), nobody)}), "NO_RESPONSIBLE", Severity::error,
         "x.json#/rules/0/then/timer");
}

TEST(RuleCheck, GapWithExampleAndReason) {
  Json r = region({rule("X-1", "routing", {{"case.colour", "red"}}, to("school")),
                   rule("X-2", "routing", {{"case.colour", "green"}}, to("gemeente"))});
  auto f = expect(r, "GAP", Severity::warning, "x.json#/rules/0");
  EXPECT_EQ(f.example, (Json{{"case.colour", "blue"}}));
  r["gaps_ok"] = {{"melding", "blue ones stay with the sender"}};
  EXPECT_EQ(expect(r, "GAP", Severity::note, "x.json#/rules/0").accepted, "blue ones stay with the sender");
  // What a gate blocks is no gap.
  Json gated = region({rule("X-1", "routing", {{"case.colour", "red"}}, to("school")),
                       rule("X-3", "gate", {{"case.colour", {{"not", "red"}}}}, {{"block", "ONE"}})});
  expect_none(gated, "GAP");
  // Of an open fact only the values that the region speaks of count.
  expect(region({rule("X-1", "routing", {{"message.kind", "a"}}, to("school"))}), "GAP", Severity::note,
         "x.json#/rules/0");
}

TEST(RuleCheck, Contradictions) {
  // Required by one, blocked by the other.
  expect(region({rule("X-1", "gate", {{"case.flag", true}}, {{"block", "ONE"}}),
                 rule("X-2", "gate", {{"case.flag", false}}, {{"block", "TWO"}}),
                 rule("X-3", "gate", {{"case.colour", "red"}}, {{"block", "TWO"}})}),
         "CONTRADICTION", Severity::error, "x.json#/rules/0");
  auto f = expect(region({rule("X-1", "gate", {{"case.flag", true}}, {{"block", "ONE"}}),
                          rule("X-2", "routing", {{"case.flag", true}}, to("school"))}),
                  "CONTRADICTION", Severity::error, "x.json#/rules/1");
  EXPECT_EQ(f.rules, (std::vector<std::string>{"X-2", "X-1"}));
  expect(region({rule("X-1", "routing", Json::object(), to("ouders")),
                 rule("X-2", "audience", Json::object(), {{"drop", {"ouders"}}, {"code", "ONE"}})}),
         "CONTRADICTION", Severity::error, "x.json#/rules/0");
  expect_none(region({rule("X-1", "routing", Json::object(), to("ouders")),
                      rule("X-2", "audience", {{"case.flag", true}}, {{"drop", {"ouders"}}, {"code", "ONE"}})}),
              "CONTRADICTION");
  expect(region({rule("X-1", "gate", {{"case.flag", true}}, {{"block", "ONE"}}),
                 rule("X-2", "signal", {{"case.flag", true}}, {{"signal", {{"code", "TWO"}, {"to", "school"}}}})}),
         "CONTRADICTION", Severity::error, "x.json#/rules/1");
  expect(region({rule("X-1", "audience", Json::object(), {{"drop", {"arts"}}, {"code", "ONE"}}),
                 rule("X-2", "audience", Json::object(), {{"allow", {"arts"}}})}),
         "CONTRADICTION", Severity::warning, "x.json#/rules/1/then/allow");
}

TEST(RuleCheck, RolesThatDependOnTheCase) {
  Json r = region({rule("X-1", "routing", Json::object(), to("$zorg"))});
  r["roles"] = {{"zorg", {{{"role", "gemeente"}, {"when", {{"case.flag", true}}}}}}};
  EXPECT_EQ(expect(r, "ROLE_GAP", Severity::warning, "x.json#/roles/zorg").example, (Json{{"case.flag", false}}));
  r["roles"]["zorg"].push_back({{"role", "arts"}});
  expect_none(r, "ROLE_GAP");
  r["roles"]["zorg"].push_back({{"role", "school"}, {"when", {{"case.flag", true}}}});
  expect(r, "UNREACHABLE", Severity::error, "x.json#/roles/zorg/2");
}

TEST(RuleCheck, NamesThatDoNotExist) {
  auto with = [](const std::string& pointer, Json value) {
    Json r = region({rule("X-1", "routing", {{"case.colour", "red"}}, to("school"))});
    r[Json::json_pointer(pointer)] = std::move(value);
    return r;
  };
  expect(with("/rules/0/when", {{"case.colour", "purple"}}), "VALUE_UNKNOWN", Severity::error,
         "x.json#/rules/0/when/case.colour");
  expect(with("/rules/0/when", {{"message.kind", {{"in", {"a", "c"}}}}}), "VALUE_UNLISTED", Severity::warning,
         "x.json#/rules/0/when/message.kind/in");
  expect(with("/rules/0/when", {{"case.day", "1 september"}}), "VALUE_UNKNOWN", Severity::error,
         "x.json#/rules/0/when/case.day");
  expect(with("/rules/0/when", {{"case.nothing", true}}), "UNKNOWN_FACT", Severity::error,
         "x.json#/rules/0/when/case.nothing");
  expect(with("/rules/0/when", {{"case.flag", "yes"}}), "TYPE", Severity::error, "x.json#/rules/0/when/case.flag");
  expect(with("/rules/0/then/recipient/role", "shcool"), "UNKNOWN_ROLE", Severity::error,
         "x.json#/rules/0/then/recipient/role");
  expect(with("/rules/0/on", "mledingen"), "UNKNOWN_MESSAGE_TYPE", Severity::error, "x.json#/rules/0/on");
  expect(with("/rules/0/quote", ""), "MISSING", Severity::error, "x.json#/rules/0/quote");
  expect(with("/rules/0/source", "t"), "UNKNOWN_SOURCE", Severity::error, "x.json#/rules/0/source");
  expect(with("/sources/t", "Another"), "UNUSED_SOURCE", Severity::note, "x.json#/sources/t");
}

TEST(RuleCheck, IdsAndSettings) {
  Json a = rule("X-1", "routing", Json::object(), to("school")),
       b = rule("X-1", "gate", {{"case.flag", true}}, {{"block", "ONE"}});
  expect_none(region({a, b}), "ID_TWICE");
  b["quote"] = "something else";
  expect(region({a, b}), "ID_TWICE", Severity::error, "x.json#/rules/1/id");
  expect(region({a, a}), "RULE_TWICE", Severity::error, "x.json#/rules/1");
  auto with = [&](const std::string& name, Json setting) {
    Json r = region({a});
    r["settings"][name] = std::move(setting);
    return r;
  };
  expect(with("p", {{"value", 1}, {"why", "CONF-05, Q-12"}}), "SWITCH_WITHOUT_REASON", Severity::error,
         "x.json#/settings/p/why");
  expect_none(with("p", {{"value", 1}, {"why", "CONF-05: the later text"}}), "SWITCH_WITHOUT_REASON");
  expect(with("p", {{"value", nullptr}, {"why", "CONF-05: the later text"}}), "SWITCH_VALUE", Severity::error,
         "x.json#/settings/p/value");
  expect(with("p", {{"value", "c"}, {"why", "as told"}, {"options", {"a", "b"}}}), "SWITCH_VALUE", Severity::error,
         "x.json#/settings/p/value");
  expect(with("split", {{"value", {{"gemeente_bp", 5000}, {"swv_bp", 4000}}}, {"why", "as told"}}), "SPLIT_SUM",
         Severity::error, "x.json#/settings/split/value");
  expect_none(with("split", {{"value", {{"gemeente_bp", 5000}, {"swv_bp", 5000}}}, {"why", "as told"}}), "SPLIT_SUM");
  expect(with("split.swv_bp", {{"value", 10001}, {"why", "as told"}}), "SPLIT_SUM", Severity::error,
         "x.json#/settings/split.swv_bp");
  Json two = with("split.swv_percent", {{"value", 60}, {"why", "as told"}});
  two["settings"]["split.gemeente_percent"] = {{"value", 50}, {"why", "as told"}};
  EXPECT_TRUE(find(check(two), "SPLIT_SUM"));
}

TEST(RuleCheck, ConsentForNobodyAndFactsSetTwice) {
  expect(region({rule("X-1", "routing", Json::object(), to("school")),
                 rule("X-2", "consent", Json::object(), {{"consent", {{"purpose", "p"}, {"role", "arts"}}}})}),
         "NO_EFFECT", Severity::warning, "x.json#/rules/1/then/consent/role");
  expect(region({rule("X-1", "facts", {{"case.flag", true}}, {{"set", {{"case.other", true}}}}),
                 rule("X-2", "facts", Json::object(), {{"set", {{"case.other", false}}}})}),
         "OVERLAP", Severity::warning, "x.json#/rules/1/then/set");
}

TEST(RuleCheck, WhatConcernsTheBaseAloneIsToldThere) {
  Json base = region({rule("B-1", "routing", {{"case.colour", "red"}}, to("school"))});
  base["region"] = "CORE";
  Json r = {{"region", "X"}, {"name", "Test"}, {"extends", "base.json"}};
  EXPECT_FALSE(find(check_region({"x.json", r}, {"base.json", base}, vocabulary_file(), {"melding"}), "GAP"));
  EXPECT_TRUE(find(check_region({"base.json", base}, {"", Json::object()}, vocabulary_file(), {"melding"}), "GAP"));
}

TEST(RuleCheck, HostileFilesGiveFindings) {
  for (const char* text :
       {"null", "[]", "5", "{}", R"({"region": 5})",
        R"({"region": "X", "name": "n", "rules": [null, 5, {}, {"then": []}]})",
        R"({"region": "X", "name": "n", "rules": {"a": 1}})",
        R"({"region": "X", "name": "n", "roles": {"a": [{"role": 5, "when": []}]}})",
        R"({"region": "X", "name": "n", "gaps_ok": 5, "settings": {"a": {"value": 1, "why": 5}}})"}) {
    auto all = check(Json::parse(text));
    EXPECT_TRUE(std::ranges::any_of(all, [](const RuleFinding& f) { return f.severity == Severity::error; })) << text;
  }
  EXPECT_TRUE(find(check_region({"x.json", region({})}, {"", Json::object()}, Json::parse("[1]"), {}), "MISSING"));
  // As deep as a file may be.
  Json deep = {{"case.flag", true}};
  for (int i = 0; i < 24; ++i) deep = {{i % 2 ? "any" : "none", {deep}}};
  auto all = check(region({rule("X-1", "routing", deep, to("school"))}));
  EXPECT_FALSE(find(all, "UNDECIDED"));
}

TEST(RuleCheck, ManyRulesAndManyFactsEndInTime) {
  std::vector<Json> rules(2001, rule("X-1", "routing", Json::object(), to("school")));
  EXPECT_TRUE(find(check(region(rules)), "TOO_MANY_RULES"));
  // Thirty names in a list: more combinations than are tried, and that is said.
  Json names = Json::array();
  for (int i = 0; i < 30; ++i) names.push_back("n" + std::to_string(i));
  auto all = check(region({rule("X-1", "routing", {{"case.names", {{"contains", names}}}}, to("school"))}));
  EXPECT_TRUE(find(all, "UNDECIDED"));
  EXPECT_FALSE(find(all, "UNREACHABLE"));
}

/// The solver says "yes" with facts for which Condition::holds says the same, and "no" only where no random facts hold.
TEST(RuleSolver, AgreesWithWhatConditionsMean) {
  auto vocabulary = *Vocabulary::parse(vocabulary_file());
  auto ranges = fact_ranges(*vocabulary, vocabulary_file());
  std::mt19937 random(20261122);
  auto pick = [&](auto list) { return list[random() % list.size()]; };
  const std::vector<std::string> kLeaves = {R"({"case.flag": true})",
                                            R"({"case.other": {"not": true}})",
                                            R"({"case.asked": {"exists": false}})",
                                            R"({"case.asked": true})",
                                            R"({"case.colour": {"in": ["red", "blue"]}})",
                                            R"({"case.colour": {"not": "red"}})",
                                            R"({"message.kind": {"not_in": ["a", "b"]}})",
                                            R"({"case.minutes": {"at_least": 600}})",
                                            R"({"case.minutes": {"less_than": 601}})",
                                            R"({"case.day": {"more_than": {"fact": "case.end"}}})",
                                            R"({"case.end": {"at_least": "2026-01-01"}})",
                                            R"({"case.names": {"contains": ["x", "y"]}})",
                                            R"({"case.names": {"count_not": 1}})",
                                            R"({"document.opp.complete": false})",
                                            R"({"document.opp.status": "concept"})",
                                            R"({"document.opp.present": true})"};
  std::function<Json(int)> build = [&](int depth) -> Json {
    if (depth == 0 || random() % 3 == 0) return Json::parse(pick(kLeaves));
    Json list = Json::array();
    for (std::size_t n = 1 + random() % 3; n > 0; --n) list.push_back(build(depth - 1));
    return {{pick(std::vector<std::string>{"all", "any", "none"}), list}};
  };
  auto random_file = [&] {
    CaseFile f;
    auto set = [&](const char* key, std::vector<Json> values) {
      if (Json v = pick(values); !v.is_null()) f.facts[key] = v;
    };
    set("flag", {true, false, nullptr});
    set("other", {true, false, nullptr});
    set("asked", {true, false, nullptr});
    set("colour", {"red", "green", "blue", nullptr});
    set("minutes", {0, 599, 600, 601, 900, nullptr});
    set("day", {"2025-12-31", "2026-01-01", "2026-05-05", nullptr});
    set("end", {"2025-12-31", "2026-01-01", "2026-05-05", nullptr});
    set("names", {Json::array(), {"x"}, {"x", "y"}, {"x", "y", "z"}, {"z"}, nullptr});
    if (auto s = pick(std::vector<std::string>{"", "concept", "compleet"}); !s.empty())
      f.documents.push_back({"opp", s, 1});
    return f;
  };
  int yes = 0, no = 0;
  for (int i = 0; i < 800; ++i) {
    Json r = region({rule("X-1", "routing", build(3), to("school"))});
    auto profile = Profile::parse(r, vocabulary);
    ASSERT_TRUE(profile) << r.dump();
    const Condition& when = (*profile)->all_rules()[0].when;
    RuleSolver solver(**profile, ranges);
    Json example;
    Sat s = solver.solve(when, {"melding", false, nullptr}, example);
    ASSERT_NE(s, Sat::undecided) << r["rules"][0]["when"].dump();
    Message message;
    message.type = "melding";
    if (s == Sat::yes) {
      ++yes;
      CaseFile f;
      for (const auto& [name, value] : example.items()) {
        if (name == "document.opp") {
          if (value != "absent") f.documents.push_back({"opp", value.get<std::string>(), 1});
        } else if (name == "message.kind") {
          message.payload["kind"] = value;
        } else {
          f.facts[name.substr(name.find('.') + 1)] = value;
        }
      }
      FactView view(f, message, **profile, message.time);
      EXPECT_TRUE(when.holds(view)) << r["rules"][0]["when"].dump() << " with " << example.dump();
    } else {
      ++no;
    }
    for (int k = 0; k < 20; ++k) {
      CaseFile f = random_file();
      Message m = message;
      m.payload = Json{{"kind", pick(std::vector<std::string>{"a", "b", "c"})}};
      FactView view(f, m, **profile, m.time);
      if (s == Sat::no) {
        EXPECT_FALSE(when.holds(view)) << r["rules"][0]["when"].dump() << " with " << f.facts.dump();
      }
    }
  }
  EXPECT_GT(yes, 300);
  EXPECT_GT(no, 20);
}

TEST(RuleCheck, TheRegionsOfTheProductAreClean) {
  std::filesystem::path config = std::filesystem::path(SCHAKEL_SOURCE_DIR) / "config", examples = config / "examples";
  std::set<std::string, std::less<>> types = {"link_geopend", "termijnsignaal"};
  for (const auto& e : std::filesystem::directory_iterator(config / "schemas" / "messages"))
    types.insert(e.path().filename().string().substr(0, e.path().filename().string().find('.')));
  auto facts = read_region_json(config / "schemas" / "facts.json");
  ASSERT_TRUE(facts);
  auto files = read_region_files(config, std::span(&examples, 1));
  ASSERT_TRUE(files);
  EXPECT_GE(files->size(), 7u);
  for (const RegionFile& f : *files)
    for (const RuleFinding& x :
         check_region({f.path.filename(), f.region}, {f.base_path.filename(), f.base}, *facts, types))
      EXPECT_EQ(x.severity, Severity::note)
          << x.pointer << ' ' << x.code << ' ' << x.message << ' ' << x.example.dump();
}

}  // namespace
}  // namespace schakel
