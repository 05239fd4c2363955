// A region file is checked before it decides anything: every mistake is found, with its place.
#include "core/model/profile.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/clock.hpp"

namespace schakel {
namespace {

std::shared_ptr<const Vocabulary> vocabulary() {
  static auto v = Vocabulary::parse(Json::parse(R"({"facts": [
    {"name": "case.flag", "type": "boolean", "meaning": "a flag", "default": false},
    {"name": "case.count", "type": "integer", "meaning": "a number", "stated_by": {"sum": ["a", "b"], "one": "count"}},
    {"name": "case.day", "type": "date", "meaning": "a day", "stated_by": {"one": "day"}},
    {"name": "case.names", "type": "list", "meaning": "names"},
    {"name": "message.kind", "type": "text", "meaning": "a kind"},
    {"name": "envelope.sender", "type": "text", "meaning": "sender"},
    {"name": "document.opp.present", "type": "boolean", "meaning": "OPP"},
    {"name": "document.opp.complete", "type": "boolean", "meaning": "OPP"},
    {"name": "document.opp.status", "type": "text", "meaning": "OPP", "stated_by": {"one": "opp"}}]})"));
  EXPECT_TRUE(v);
  return *v;
}

Json region() {
  return Json::parse(R"({"region": "X", "name": "Test", "sources": {"s": "Source"},
    "settings": {"limit": {"value": 10, "why": "test"}, "group.deep": {"value": "a", "why": "test"}},
    "gates": [{"name": "G", "on": ["one"], "codes": ["FIRST", "SECOND"]}],
    "rules": [{"id": "X-1", "source": "s", "quote": "q", "stage": "gate", "on": ["one"], "when": {"case.flag": true}, "then": {"block": "SECOND"}}]})");
}

Result<std::shared_ptr<const Profile>> parse(const Json& j) { return Profile::parse(j, vocabulary()); }

/// Whether a change of the file is found at this place with this code.
void expect_finding(const std::function<void(Json&)>& change, const std::string& pointer, const std::string& code) {
  Json j = region();
  change(j);
  auto p = parse(j);
  ASSERT_FALSE(p) << pointer;
  EXPECT_EQ(p.error().code, "PROFILE_INVALID");
  bool found = false;
  for (const Finding& f : p.error().findings) found = found || (f.pointer == pointer && f.code == code);
  EXPECT_TRUE(found) << pointer << ' ' << code
                     << (p.error().findings.empty()
                             ? ""
                             : " but " + p.error().findings[0].pointer + ' ' + p.error().findings[0].code);
}

TEST(Profile, EveryMistakeHasItsPlace) {
  EXPECT_TRUE(parse(region()));
  expect_finding([](Json& j) { j["rules"][0]["when"] = {{"case.nothing", true}}; }, "/rules/0/when/case.nothing",
                 "UNKNOWN_FACT");
  expect_finding([](Json& j) { j["rules"][0]["when"] = {{"case.flag", "yes"}}; }, "/rules/0/when/case.flag", "TYPE");
  expect_finding([](Json& j) { j["rules"][0]["when"] = {{"case.count", {{"at_leats", 1}}}}; },
                 "/rules/0/when/case.count/at_leats", "UNKNOWN_COMPARISON");
  expect_finding([](Json& j) { j["rules"][0]["when"] = {{"case.count", {{"at_least", {{"setting", "none"}}}}}}; },
                 "/rules/0/when/case.count/at_least/setting", "UNKNOWN_SETTING");
  expect_finding([](Json& j) { j["rules"][0]["then"] = {{"explode", true}}; }, "/rules/0/then/explode", "UNKNOWN_KEY");
  expect_finding([](Json& j) { j["rules"][0]["then"] = {{"block", "THRID"}}; }, "/rules/0/then/block", "UNKNOWN_CODE");
  expect_finding([](Json& j) { j["rules"][0]["stage"] = "gates"; }, "/rules/0/stage", "UNKNOWN_STAGE");
  expect_finding([](Json& j) { j["rules"][0]["stage"] = "routing"; }, "/rules/0/then", "UNKNOWN_OUTCOME");
  expect_finding([](Json& j) { j["rules"][0].erase("quote"); }, "/rules/0/quote", "MISSING");
  expect_finding([](Json& j) { j["rules"][0]["source"] = "t"; }, "/rules/0/source", "UNKNOWN_SOURCE");
  expect_finding([](Json& j) { j["settings"]["limit"].erase("why"); }, "/settings/limit/why", "MISSING");
  expect_finding([](Json& j) { j["extra"] = 1; }, "/extra", "UNKNOWN_KEY");
  expect_finding([](Json& j) { j["rules"][0]["then"] = {{"recipient", {{"role", "$nobody"}}}}; },
                 "/rules/0/then/recipient/role", "UNKNOWN_ROLE");
  expect_finding([](Json& j) { j["rules"] = 5; }, "/rules", "TYPE");
}

TEST(Profile, HostileFilesAreRefusedNotThrown) {
  for (const char* text : {"null", "[]", "5", "{}", R"({"region": 5})",
                           R"({"region": "X", "name": "n", "rules": [null, 5, {}, {"then": []}]})",
                           R"({"region": "X", "name": "n", "gates": [5]})",
                           R"({"region": "X", "name": "n", "roles": {"a": [{"role": 5, "when": []}]}})",
                           R"({"region": "X", "name": "n", "settings": {"a": 5}, "sources": {"b": 5}, "codes": {}})"})
    EXPECT_FALSE(parse(Json::parse(text))) << text;
}

TEST(Profile, VersionChangesWithTheFileOnly) {
  Json other = region();
  other["settings"]["limit"]["value"] = 11;
  EXPECT_EQ((*parse(region()))->version(), (*parse(region()))->version());
  EXPECT_NE((*parse(region()))->version(), (*parse(other))->version());
}

TEST(Profile, OverridesOfACaseGoBeforeTheSetting) {
  auto p = *parse(region());
  EXPECT_EQ(p->setting_int("limit", {{"limit", 12}}, 0), 12);
  EXPECT_EQ(p->setting_int("limit", Json::object(), 0), 10);
  EXPECT_EQ(p->setting_text("group.deep", {{"group", {{"deep", "b"}}}}), "b");
  EXPECT_EQ(p->setting_text("group.deep", {{"group.deep", "c"}}), "c");
  EXPECT_EQ(p->setting_text("group.deep", {{"group", "odd"}}), "a");
  EXPECT_TRUE(p->setting("absent", Json::object()).is_null());
}

TEST(Profile, CodesAreRankedAsTheGateListsThem) {
  auto p = *parse(region());
  EXPECT_LT(p->code_rank("one", "CONSENT_MISSING"), p->code_rank("one", "FIRST"));
  EXPECT_LT(p->code_rank("one", "FIRST"), p->code_rank("one", "SECOND"));
  EXPECT_LT(p->code_rank("one", "SECOND"), p->code_rank("one", "SOMETHING_ELSE"));
  EXPECT_LT(p->code_rank("one", "SOMETHING_ELSE"), p->code_rank("one", "MANDATE_MISSING"));
}

TEST(Profile, ARegionReplacesTheGeneralRecipientsOfAType) {
  Json base = {{"region", "CORE"},
               {"name", "core"},
               {"sources", {{"c", "Core"}}},
               {"rules",
                {{{"id", "C-1"},
                  {"source", "c"},
                  {"quote", "q"},
                  {"stage", "routing"},
                  {"on", {"one", "two"}},
                  {"then", {{"recipient", {{"role", "a"}}}}}}}}};
  Json j = region();
  j["rules"].push_back({{"id", "X-2"},
                        {"source", "s"},
                        {"quote", "q"},
                        {"stage", "routing"},
                        {"on", {"one"}},
                        {"then", {{"recipient", {{"role", "b"}}}}}});
  auto p = Profile::parse(j, vocabulary(), base);
  ASSERT_TRUE(p);
  ASSERT_EQ((*p)->rules(Stage::routing, "one").size(), 1u);
  EXPECT_EQ((*p)->rules(Stage::routing, "one")[0]->id, "X-2");
  EXPECT_EQ((*p)->rules(Stage::routing, "two")[0]->id, "C-1");
  EXPECT_EQ((*p)->source_title("c"), "Core");
}

struct Facts {
  CaseFile file;
  Message message;
  std::shared_ptr<const Profile> profile = *parse(region());
  bool holds(const std::string& when) {
    Json j = region();
    j["rules"][0]["when"] = Json::parse(when);
    auto p = parse(j);
    EXPECT_TRUE(p) << when;
    FactView view(file, message, **p, message.time);
    return (*p)->rules(Stage::gate, "one")[0]->when.holds(view);
  }
};

TEST(Conditions, EveryComparison) {
  Facts f;
  f.file.facts = {{"flag", true}, {"count", 10}, {"day", "2026-05-01"}, {"names", {"a", "b", "a"}}};
  f.message.sender_role = "school_ib";
  EXPECT_TRUE(f.holds(R"({"case.flag": true})"));
  EXPECT_FALSE(f.holds(R"({"case.flag": {"not": true}})"));
  EXPECT_TRUE(f.holds(R"({"case.count": {"at_least": {"setting": "limit"}}})"));
  EXPECT_FALSE(f.holds(R"({"case.count": {"more_than": {"setting": "limit"}}})"));
  EXPECT_TRUE(f.holds(R"({"case.count": {"less_than": 11}})"));
  EXPECT_TRUE(f.holds(R"({"case.day": {"more_than": "2026-04-30"}})"));
  EXPECT_TRUE(f.holds(R"({"envelope.sender": {"in": ["school_ib", "x"]}})"));
  EXPECT_FALSE(f.holds(R"({"envelope.sender": {"not_in": ["school_ib", "x"]}})"));
  EXPECT_TRUE(f.holds(R"({"case.names": {"contains": ["a", "b"]}})"));
  EXPECT_FALSE(f.holds(R"({"case.names": {"contains": ["a", "c"]}})"));
  EXPECT_TRUE(f.holds(R"({"case.names": {"count_less_than": 3}})"));
  EXPECT_FALSE(f.holds(R"({"case.names": {"count_not": 2}})"));
  EXPECT_TRUE(f.holds(R"({"message.kind": {"exists": false}})"));
  EXPECT_TRUE(f.holds(R"({"any": [{"case.flag": false}, {"case.count": 10}], "none": [{"case.count": 9}]})"));
  EXPECT_TRUE(f.holds(R"({"setting.limit": 10})"));
}

TEST(Conditions, AbsentIsNeitherMoreNorLess) {
  Facts f;
  EXPECT_FALSE(f.holds(R"({"case.count": {"at_least": 0}})"));
  EXPECT_FALSE(f.holds(R"({"case.count": {"less_than": 5}})"));
  EXPECT_TRUE(f.holds(R"({"case.flag": false})"));
  EXPECT_TRUE(f.holds(R"({"case.count": {"not": 5}})"));
  EXPECT_TRUE(f.holds(R"({"case.names": {"count_not": 1}})"));
}

TEST(FactView, TheMessageGoesBeforeTheCaseFile) {
  Facts f;
  f.file.facts = {{"count", 1}, {"day", "2026-05-01"}};
  f.file.documents = {{"opp", "compleet", 1}};
  f.message.type = "one";
  f.message.payload = {{"count", 5}, {"opp", "concept"}, {"day", nullptr}};
  FactView view(f.file, f.message, *f.profile, {});
  EXPECT_EQ(view.get("case.count").number, 5);
  EXPECT_TRUE(view.is("document.opp.present"));
  EXPECT_FALSE(view.is("document.opp.complete"));
  EXPECT_EQ(view.text("case.day"), "2026-05-01");  // a date that is left open says nothing
  f.message.payload = {{"opp", nullptr}};
  FactView none(f.file, f.message, *f.profile, {});
  EXPECT_FALSE(none.is("document.opp.present"));
}

TEST(FactView, SeveralFieldsAreAddedUp) {
  Facts f;
  f.message.type = "sum";
  f.message.payload = {{"a", 300}, {"b", 299}};
  EXPECT_EQ(FactView(f.file, f.message, *f.profile, {}).get("case.count").number, 599);
  f.message.payload = {{"a", 300}};
  EXPECT_EQ(FactView(f.file, f.message, *f.profile, {}).get("case.count").number, 300);
}

TEST(Regions, EveryFileOfTheConfigurationIsSound) {
  auto all = load_profiles(SCHAKEL_SOURCE_DIR "/config");
  if (!all)
    for (const Finding& f : all.error().findings) ADD_FAILURE() << f.pointer << ' ' << f.code << ' ' << f.message;
  ASSERT_TRUE(all);
  for (const char* region : {"KNH", "MH", "FRL", "MVS", "HR"}) ASSERT_TRUE(all->contains(region)) << region;
  for (const auto& [code, profile] : *all)
    for (const Rule& r : profile->all_rules()) {
      EXPECT_FALSE(profile->source_title(r.source).empty()) << code << ' ' << r.id;
      EXPECT_TRUE(r.id.starts_with(code + "-") || r.id.starts_with("CORE-") || r.id.starts_with("CONF-") ||
                  r.id.starts_with("Q-"))
          << code << ' ' << r.id;
    }
}

TEST(Vocabulary, MistakesAreFound) {
  auto bad = [](const char* text) {
    auto v = Vocabulary::parse(Json::parse(text));
    return v ? std::string("accepted") : v.error().findings.empty() ? "" : v.error().findings[0].code;
  };
  EXPECT_EQ(bad(R"({})"), "MISSING");
  EXPECT_EQ(bad(R"({"facts": [{"name": "case.a", "type": "float", "meaning": "m"}]})"), "UNKNOWN_TYPE");
  EXPECT_EQ(bad(R"({"facts": [{"name": "nowhere.a", "type": "text", "meaning": "m"}]})"), "UNKNOWN_PREFIX");
  EXPECT_EQ(bad(R"({"facts": [{"name": "derived.magic", "type": "text", "meaning": "m"}]})"), "UNKNOWN_FUNCTION");
  EXPECT_EQ(bad(R"({"facts": [{"name": "document.opp.weight", "type": "text", "meaning": "m"}]})"), "UNKNOWN_ASPECT");
  EXPECT_EQ(
      bad(R"({"facts": [{"name": "case.a", "type": "text", "meaning": "m"}, {"name": "case.a", "type": "text", "meaning": "m"}]})"),
      "TWICE");
  EXPECT_EQ(bad(R"({"facts": [{"name": "pupil.a", "type": "text", "meaning": "m", "stated_by": {"x": "y"}}]})"),
            "NOT_STATABLE");
}

}  // namespace
}  // namespace schakel
