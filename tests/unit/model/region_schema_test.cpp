// The published JSON Schema against every region file, judged by valijson: an editor that follows it accepts what we
// accept.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma clang diagnostic pop

#include <gtest/gtest.h>

#include "core/model/region_files.hpp"

namespace schakel {
namespace {

const std::filesystem::path kConfig = std::filesystem::path(SCHAKEL_SOURCE_DIR) / "config";

struct Judge {
  Json text;
  valijson::Schema schema;
  Judge() {
    auto read = read_region_json(kConfig / "schemas" / "region.schema.json");
    if (!read) throw std::runtime_error("region.schema.json");
    text = std::move(*read);
    valijson::adapters::NlohmannJsonAdapter adapter(text);
    valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(adapter, schema);
  }
  std::string mistakes(const Json& j) const {
    valijson::ValidationResults results;
    valijson::Validator validator;
    if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(j), &results)) return {};
    std::string out;
    valijson::ValidationResults::Error e;
    while (results.popError(e)) {
      for (const std::string& part : e.context) out += part;
      out += " " + e.description + "\n";
    }
    return out;
  }
};
const Judge& judge() {
  static const Judge j;
  return j;
}

TEST(RegionSchema, AcceptsEveryRegion) {
  std::filesystem::path examples = kConfig / "examples";
  auto files = read_region_files(kConfig, std::span(&examples, 1));
  ASSERT_TRUE(files);
  ASSERT_GE(files->size(), 7u);
  for (const RegionFile& f : *files) {
    EXPECT_EQ(judge().mistakes(f.region), "") << f.path.filename();
    // So that an editor finds it.
    auto named = f.path.parent_path() / f.region.value("$schema", "");
    EXPECT_TRUE(std::filesystem::is_regular_file(named)) << f.path.filename() << " names no schema that is there";
  }
}

TEST(RegionSchema, RefusesWhatTheReaderRefuses) {
  auto file = read_region_json(kConfig / "examples" / "regions" / "waterland-oost.json");
  ASSERT_TRUE(file);
  for (const auto& [pointer, value] :
       std::map<std::string, Json>{{"/extra", 1},
                                   {"/rules/0/stage", "gates"},
                                   {"/rules/0/quote", ""},
                                   {"/rules/0/when", {{"wrong.fact", true}}},
                                   {"/rules/0/when", {{"case.verzuim", {{"at_leats", 1}}}}},
                                   {"/rules/0/then", {{"explode", true}}},
                                   {"/rules/0/then", {{"block", "lower case"}}},
                                   {"/rules/3/then/recipient/content", "everything"},
                                   {"/rules/3/then/recipient/chanel", "broker"},
                                   {"/settings/lead_floor_days", 5},
                                   {"/gates/0/codes", Json()},
                                   {"/extends", "../core.json"}}) {
    Json changed = *file;
    changed[Json::json_pointer(pointer)] = value;
    EXPECT_NE(judge().mistakes(changed), "") << pointer << ' ' << value.dump();
  }
  Json none = *file;
  none["rules"][0].erase("source");
  EXPECT_NE(judge().mistakes(none), "");
}

Json waterland() {
  auto file = read_region_json(kConfig / "examples" / "regions" / "waterland-oost.json");
  EXPECT_TRUE(file);
  return file ? *file : Json::object();
}

/// What an editor underlines while one types: names that nobody knows, and values that a fact cannot have.
TEST(RegionSchema, RefusesNamesAndValuesThatDoNotExist) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, Json>>{{"case.wijkteam_involvd", true},
                                                 {"case.wijkteam_involved", "ja"},
                                                 {"case.wijkteam_involved", {{"at_least", 1}}},
                                                 {"case.minutes_per_week", {{"at_least", "600"}}},
                                                 {"case.minutes_per_week", {{"at_least", {{"fact", "case.minutes"}}}}},
                                                 {"case.ots_end", "31-12-2026"},
                                                 {"case.measure", "otss"},
                                                 {"case.measure", {{"in", {"ots", "vogdij"}}}},
                                                 {"case.custody", {{"contains", "ouder_3"}}},
                                                 {"case.custody", {{"at_least", 2}}},
                                                 {"envelope.sender", {{"not", "shcool_ib"}}},
                                                 {"pupil.birth_date", 2018},
                                                 {"document.opp.statuss", "concept"},
                                                 {"any", {{{"case.wijkteam_involvd", true}}}},
                                                 {"none", Json::object()}}) {
    Json changed = waterland();
    changed["rules"][0]["when"] = {{name, value}};
    EXPECT_NE(judge().mistakes(changed), "") << name << ' ' << value.dump();
  }
  for (const auto& [name, value] : std::vector<std::pair<std::string, Json>>{
           {"case.wijkteam_involved", {{"not", true}}},
           {"case.minutes_per_week", {{"at_least", {{"setting", "own.minutes"}}}}},
           {"case.ots_end", {{"more_than", {{"fact", "derived.today"}}}}},
           {"case.measure", nullptr},
           {"case.custody", {{"contains", {"ouder_1", "voogd"}}}},
           {"message.kind", "a kind that facts.json leaves open"},
           {"setting.own", "always"},
           {"any", {{{"case.dispute", true}}}}}) {
    Json changed = waterland();
    changed["rules"][0]["when"] = {{name, value}};
    EXPECT_EQ(judge().mistakes(changed), "") << name << ' ' << value.dump();
  }
}

TEST(RegionSchema, RefusesOutcomesThatNobodyKnows) {
  auto rule = [](const char* stage, Json then) {
    Json r = waterland();
    r["rules"].push_back({{"id", "WLO-X-1"},
                          {"source", "wlo-2026"},
                          {"quote", "zo"},
                          {"stage", stage},
                          {"on", "documentlevering"},
                          {"then", std::move(then)}});
    return r;
  };
  for (const auto& [stage, then] : std::vector<std::pair<const char*, Json>>{
           {"invoicing", {{"explains", {"hafl"}}}},
           {"invoicing", {{"block", "OPP_MISSING"}}},
           {"invoicing", {{"explains", {"half"}}, {"block", "OPP_MISSING"}}},
           {"facts", {{"set", {{"case.disptue", true}}}}},
           {"facts", {{"set", {{"case.dispute", "ja"}}}}},
           {"facts", {{"set", {{"pupil.school", "De Wilgen"}}}}},
           {"gate", {{"recipient", {{"role", "school_ib"}}}}},
           {"audience", {{"code", "AUDIENCE_FINANCE"}}},
           {"routing", {{"recipient", {{"role", "shcool_ib"}}}}},
           {"consent", {{"consent", {{"purpose", "documnets"}}}}},
           {"timer",
            {{"timer",
              {{"name", "x_due"}, {"from", "case.advsed_on"}, {"severity", "hard"}, {"responsible", "school_ib"}}}}}})
    EXPECT_NE(judge().mistakes(rule(stage, then)), "") << stage << ' ' << then.dump();
  for (const auto& [stage, then] :
       std::vector<std::pair<const char*, Json>>{{"invoicing", {{"explains", {"half", "release:DISPUTE_PENDING"}}}},
                                                 {"facts", {{"set", {{"case.dispute", true}}}}},
                                                 {"gate", {{"block", "A_CODE_OF_OUR_OWN"}}},
                                                 {"audience", {{"allow", {"clientondersteuner"}}}},
                                                 {"consent", {{"consent", {{"purpose", "documents"}}}}},
                                                 {"routing", {{"recipient", {{"role", {"$zorg", "school_ib"}}}}}}})
    EXPECT_EQ(judge().mistakes(rule(stage, then)), "") << stage << ' ' << then.dump();
  for (const auto& [pointer, value] :
       std::map<std::string, Json>{{"/rules/0/on", "documentlevring"},
                                   {"/gates/0/on", {"documentlevring"}},
                                   {"/settings/child_consent_age/value", "twelve"},
                                   {"/words", {{"VERZUIMGESPREK", {{"nl", "gesprek"}}}}},
                                   {"/gaps_ok", {{"uitnodging", "nobody is meant here"}}}}) {
    Json changed = waterland();
    if (pointer.starts_with("/settings")) changed["settings"]["child_consent_age"] = {{"why", "the law says so"}};
    changed[Json::json_pointer(pointer)] = value;
    EXPECT_NE(judge().mistakes(changed), "") << pointer << ' ' << value.dump();
  }
}

/// Who hovers over a word sees what it is for.
void described(const Json& schema, const std::string& at, int& missing) {
  if (!schema.is_object()) return;
  if (auto p = schema.find("properties"); p != schema.end())
    for (const auto& [name, s] : p->items()) {
      bool told = s.is_object() && (s.contains("description") || s.contains("$ref") || s.contains("enum"));
      if (!told) ADD_FAILURE() << at << "/" << name << " has no description", ++missing;
      described(s, at + "/" + name, missing);
    }
}

TEST(RegionSchema, EveryPropertyIsDescribed) {
  int missing = 0;
  described(judge().text, "", missing);
  for (const char* name : {"rule"}) described(judge().text["$defs"][name], name, missing);
  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace schakel
