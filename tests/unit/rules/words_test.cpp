// Every code that a decision can carry says something, and so does every fact, in Dutch and in English; and what rows
// of the stage invoicing explain is what the decider says.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/model/code_words.hpp"
#include "core/model/money_topics.hpp"
#include "core/model/region_files.hpp"
#include "core/model/rule_check.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel {
namespace {
namespace fs = std::filesystem;
const fs::path kRoot = SCHAKEL_SOURCE_DIR;

std::string whole_file(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  EXPECT_FALSE(out.str().empty()) << path;
  return out.str();
}
std::set<std::string> found_in(const std::string& text, const char* pattern) {
  std::set<std::string> out;
  const std::regex expression(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) out.insert((*it)[1]);
  return out;
}
std::string sources_in(const fs::path& folder) {
  std::string all;
  for (const auto& e : fs::recursive_directory_iterator(kRoot / folder))
    if (e.path().extension() == ".cpp" && e.path().filename() != "plugin.cpp") all += whole_file(e.path());
  return all;
}

/// The keys of a region file under which a code stands.
void codes_of(const Json& j, std::set<std::string>& out) {
  if (j.is_array())
    for (const Json& each : j) codes_of(each, out);
  if (!j.is_object()) return;
  for (const auto& [key, value] : j.items()) {
    if (value.is_string() && (key == "block" || key == "code" || key == "with_code")) out.insert(value);
    codes_of(value, out);
  }
}

TEST(Words, EveryCodeOfARegionHasThemInBothLanguages) {
  fs::path examples = kRoot / "config/examples";
  auto profiles = load_profiles(kRoot / "config", std::span(&examples, 1));
  auto files = read_region_files(kRoot / "config", std::span(&examples, 1));
  ASSERT_TRUE(profiles && files);
  ASSERT_GE(profiles->size(), 6u);
  for (const auto& f : *files) {
    std::set<std::string> codes;
    codes_of(f.region.value("rules", Json::array()), codes);
    for (const Json& c : f.region.value("codes", Json::array())) codes.insert(c);
    for (const Json& g : f.region.value("gates", Json::array()))
      for (const Json& c : g["codes"]) codes.insert(c);
    auto profile = profiles->find(f.region.value("region", ""));
    for (const auto& code : codes)
      for (bool dutch : {true, false})
        EXPECT_NE(code_words(code, dutch, profile == profiles->end() ? nullptr : profile->second.get()), "")
            << f.path.filename() << ": " << code << (dutch ? " in Dutch" : " in English");
  }
}

TEST(Words, EveryCodeOfADeciderAndOfTheBrokerHasThem) {
  constexpr const char* kCode = R"re("([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)")re";
  std::set<std::string> codes =
      found_in(sources_in("plugins") + whole_file(kRoot / "core/model/consent_check.cpp"), kCode);
  codes.merge(found_in(sources_in("core/pipeline"), R"re(codes = \{"([A-Z_0-9]+)")re"));
  codes.merge(found_in(sources_in("core/pipeline"), R"re("((?:TIMER|RATIFICATION|CONSENT)_[A-Z_]+)")re"));
  // Those that docs/errors.md gives as outcome or signal of a message.
  std::istringstream lines(whole_file(kRoot / "docs/errors.md"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("| blocked |") != std::string::npos)
      codes.merge(found_in(line.substr(0, line.find("| blocked |")), "`([A-Z_]+)`"));
    codes.merge(found_in(line, "signal `([A-Z_]+)`"));
  }
  for (const char* known : {"OVERRIDE_INVALID", "LINK_LOCKED", "DECIDER_THREW", "AUDIENCE_NOT_INVOLVED", "TIMER_WARN"})
    EXPECT_TRUE(codes.contains(known)) << known << " is no longer found: does this test still look where codes are?";
  // Topics of invoicing that look like a code: they explain INVOICE_CONFLICT.
  codes.erase("CREDIT_TOO_LARGE");
  for (const auto& code : codes) {
    const CodeWords* words = code_words(code);
    ASSERT_TRUE(words) << code << " has no words: core/model/code_words.cpp";
    EXPECT_FALSE(words->nl.empty() || words->en.empty()) << code;
    EXPECT_NE(words->nl, words->en) << code;
  }
  EXPECT_FALSE(code_words("NO_SUCH_CODE"));
  EXPECT_EQ(code_words("NO_SUCH_CODE", true, nullptr), "");
}

TEST(Words, ARegionMaySayItInItsOwn) {
  Json source = rules_test::profiles().at("KNH")->source();
  source["region"]["words"] = {{"OPP_MISSING", {{"nl", "eerst het OPP"}, {"en", "the OPP first"}}}};
  auto own = Profile::from_source(source);
  ASSERT_TRUE(own);
  EXPECT_EQ(code_words("OPP_MISSING", true, own->get()), "eerst het OPP");
  EXPECT_EQ(code_words("OPP_MISSING", false, own->get()), "the OPP first");
  EXPECT_EQ(code_words("OPP_INCOMPLETE", true, own->get()), "het OPP is niet compleet");
  // Refused: half of it, words for a code that the region has not, and what is no words.
  for (const auto& [code, words] :
       std::map<std::string, Json>{{"OPP_MISSING", {{"nl", "eerst het OPP"}}},
                                   {"OPP_MISSSING", {{"nl", "a"}, {"en", "b"}}},
                                   {"OPP_INCOMPLETE", {{"nl", ""}, {"en", "b"}}},
                                   {"GROEIDOCUMENT_MISSING", "words"},
                                   {"MANDATE_MISSING", {{"nl", "a"}, {"en", "b"}, {"de", "c"}}}}) {
    source["region"]["words"] = {{code, words}};
    EXPECT_FALSE(Profile::from_source(source)) << code << ' ' << words.dump();
  }
}

TEST(Words, CheckNamesACodeThatHasNone) {
  auto facts = read_region_json(kRoot / "config/schemas/facts.json");
  ASSERT_TRUE(facts);
  Json region = {{"region", "X"},
                 {"name", "X"},
                 {"codes", {"OPP_MISSING", "OWN_CODE", 7}},
                 {"gates", {{{"name", "G"}, {"on", "documentlevering"}, {"codes", "OTHER_CODE"}}}}};
  auto told = [&] {
    std::set<std::string> out;
    for (const RuleFinding& f : check_region({"x.json", region}, {"", Json::object()}, *facts, {}))
      if (f.code == "CODE_WITHOUT_WORDS") out.insert(f.pointer);
    return out;
  };
  EXPECT_EQ(told(), (std::set<std::string>{"x.json#/codes/1", "x.json#/gates/0/codes"}));
  region["words"] = {{"OWN_CODE", {{"nl", "a"}, {"en", "b"}}}, {"OTHER_CODE", {{"nl", "a"}, {"en", "b"}}}};
  auto own = Vocabulary::parse(*facts);
  ASSERT_TRUE(own);
  auto profile = Profile::parse_file("x.json", region, *own, Json::object());
  ASSERT_TRUE(profile);
  EXPECT_EQ(code_words("OWN_CODE", true, profile->get()), "a");
  EXPECT_TRUE(told().empty()) << "words of the file itself count";
}

TEST(Words, EveryFactHasADutchMeaning) {
  Json facts = Json::parse(whole_file(kRoot / "config/schemas/facts.json"));
  for (const Json& f : facts["facts"]) {
    ASSERT_TRUE(f.value("meaning_nl", Json()).is_string()) << f["name"];
    EXPECT_FALSE(f["meaning_nl"].get<std::string>().empty()) << f["name"];
    EXPECT_NE(f["meaning_nl"], f["meaning"]) << f["name"];
  }
}

TEST(UnusedFacts, AreThoseThatNothingLooksAt) {
  Json facts = {{"facts", Json::array()}};
  for (const char* name : {"case.asked", "case.only_set", "case.compared", "case.start", "case.copied", "case.nobody",
                           "case.of_a_role", "message.kind", "case.pgb"})
    facts["facts"].push_back({{"name", name}, {"type", "text"}, {"meaning", name}});
  Json rules = Json::array();
  rules.push_back(
      {{"when", {{"any", {{{"case.asked", true}}, {{"message.x", {{"not", {{"fact", "case.compared"}}}}}}}}}},
       {"then", {{"set", {{"case.only_set", {{"append", "case.copied"}}}}}}}});
  rules.push_back({{"then", {{"timer", {{"from", "case.start"}}}}}});
  Json region = {{"rules", rules}, {"roles", {{"zorg", {{{"role", "smw"}, {"when", {{"case.of_a_role", true}}}}}}}}};
  const Json* regions[] = {&region};
  auto found = unused_facts(facts, regions);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pointer, "facts.json#/facts/1");
  EXPECT_EQ(found[1].pointer, "facts.json#/facts/5");
  EXPECT_EQ(found[0].code, "UNUSED_FACT");
  EXPECT_EQ(found[0].severity, Severity::note);
}

/// Nobody is accused wrongly: what code reads by its name is in the list, and what is in the list code reads.
TEST(UnusedFacts, KnowWhatCodeReads) {
  const std::string code = sources_in("plugins") + sources_in("core/model") + sources_in("core/pipeline");
  auto literal = [&](const std::string& name) { return code.find("\"case." + name + "\"") != std::string::npos; };
  const std::string deciders = sources_in("plugins") + whole_file(kRoot / "core/model/rule_fact_functions.cpp") +
                               whole_file(kRoot / "core/model/consent_check.cpp");
  for (std::string_view name : facts_read_by_code())
    EXPECT_TRUE(literal(std::string(name)) || deciders.find('"' + std::string(name) + '"') != std::string::npos)
        << name << " is read by no code";
  auto files = read_region_files(kRoot / "config", {});
  ASSERT_TRUE(files);
  std::vector<const Json*> regions;
  for (const auto& f : *files) regions.push_back(&f.region);
  for (const RuleFinding& f : unused_facts(Json::parse(whole_file(kRoot / "config/schemas/facts.json")), regions)) {
    auto name = f.message.substr(5, f.message.find(' ') - 5);
    EXPECT_FALSE(literal(name)) << name << " is read by code: facts_read_by_code()";
    EXPECT_EQ(sources_in("plugins/invoicing").find('"' + name + '"'), std::string::npos) << name;
  }
}

std::vector<RuleFinding> checked_with(const Json& on, const Json& then) {
  auto region = read_region_json(kRoot / "config/examples/regions/waterland-oost.json");
  auto base = read_region_json(kRoot / "config/regions/core.json");
  auto facts = read_region_json(kRoot / "config/schemas/facts.json");
  EXPECT_TRUE(region && base && facts);
  (*region)["rules"].push_back({{"id", "WLO-MONEY-99"},
                                {"source", (*region)["rules"][0]["source"]},
                                {"quote", "ieder de helft"},
                                {"stage", "invoicing"},
                                {"on", on},
                                {"then", then}});
  return check_region({"wlo.json", *region}, {"core.json", *base}, *facts, {});
}
const RuleFinding* finding_in(const std::vector<RuleFinding>& all, std::string_view code) {
  auto it = std::ranges::find_if(
      all, [&](const RuleFinding& f) { return f.code == code && f.rules == std::vector<std::string>{"WLO-MONEY-99"}; });
  return it == all.end() ? nullptr : &*it;
}

TEST(MoneyTopics, CheckRefusesARowThatWouldNeverBeShown) {
  auto good =
      checked_with("factuur", {{"explains", {"half", "release:DISPUTE_PENDING", "holder:swv", "EDU_REGIE_MISSING"}}});
  EXPECT_FALSE(finding_in(good, "UNKNOWN_TOPIC") || finding_in(good, "UNKNOWN_OUTCOME") ||
               finding_in(good, "NO_EFFECT"));
  for (const Json& topics :
       {Json{"hafl"}, Json{"release:hafl"}, Json{"holder:ouders"}, Json{"half", 7}, Json("half"), Json(nullptr)}) {
    auto all = checked_with("factuur", {{"explains", topics}});
    const auto* f = finding_in(all, "UNKNOWN_TOPIC");
    ASSERT_TRUE(f) << topics.dump();
    EXPECT_EQ(f->severity, Severity::error);
    EXPECT_NE(f->pointer.find("/then/explains"), std::string::npos);
  }
  EXPECT_TRUE(finding_in(checked_with("factuur", {{"block", "DISPUTE_PENDING"}}), "UNKNOWN_OUTCOME"));
  EXPECT_TRUE(finding_in(checked_with("factuur", {{"block", "DISPUTE_PENDING"}}), "UNKNOWN_TOPIC"));
  EXPECT_TRUE(finding_in(checked_with("verzuimmelding", {{"explains", {"half"}}}), "NO_EFFECT"));
}

/// Both ways: what the decider says is in the list, and nothing is in the list that it never says.
TEST(MoneyTopics, AreWhatTheDeciderSays) {
  const std::string code = sources_in("plugins/invoicing");
  for (const auto& topic : found_in(code, R"re(\bsay\("([^"]+)")re"))
    EXPECT_TRUE(topic == "holder:" || money_topic(topic)) << topic;
  for (const auto& topic : found_in(code, R"re(\bexplain\(draft, facts, [a-z_.]+, "([^"]+)")re"))
    EXPECT_TRUE(topic == "release:" || money_topic(topic)) << topic;
  auto said = [&](std::string_view name) {
    auto literal = std::string(name.starts_with("holder:") ? "holder:" : name);
    EXPECT_NE(code.find('"' + literal + '"'), std::string::npos) << name << " is never said";
  };
  for (const auto& topic : kMoneyTopics) said(topic.name);
  for (const auto& topic : kMoneyCodes) said(topic.name);
  for (const auto& [region, profile] : rules_test::profiles())
    for (const auto& topic : kMoneyTopics)
      if (!topic.rule.empty()) EXPECT_TRUE(profile->rule(topic.rule)) << topic.rule;
  EXPECT_FALSE(money_topic("release:"));
  EXPECT_FALSE(money_topic(""));
}

}  // namespace
}  // namespace schakel
