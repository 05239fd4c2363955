// A switch that changes nothing is found, in a region file and in the overrides of a case.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/model/rule_check.hpp"

namespace schakel {
namespace {

const Json& settings_facts() {
  static const Json facts = Json::parse(R"({"facts": [
    {"name": "envelope.sender", "type": "text", "meaning": "sender", "values": ["school", "ouders"]},
    {"name": "case.day", "type": "date", "meaning": "a day"},
    {"name": "case.minutes", "type": "integer", "meaning": "a number"}]})");
  return facts;
}

Json settings_region(Json settings) {
  Json timer = {{"name", "term_due"},
                {"from", "case.day"},
                {"days_setting", "terms.last"},
                {"severity", "hard"},
                {"responsible", "school"}};
  return {
      {"region", "X"},
      {"name", "Test"},
      {"sources", {{"s", "Source"}}},
      {"codes", {"ONE"}},
      {"settings", std::move(settings)},
      {"rules",
       {{{"id", "X-1"}, {"source", "s"}, {"quote", "q"}, {"stage", "timer"}, {"on", "*"}, {"then", {{"timer", timer}}}},
        {{"id", "X-2"},
         {"source", "s"},
         {"quote", "q"},
         {"stage", "gate"},
         {"on", "melding"},
         {"when", {{"setting.policy", "a"}, {"case.minutes", {{"at_least", {{"setting", "most.minutes"}}}}}}},
         {"then", {{"block", "ONE"}}}}}}};
}
Json good_settings() {
  return {{"terms", {{"value", {10, 20}}, {"parts", {"first", "last"}}, {"why", "the text"}}},
          {"policy", {{"value", "a"}, {"options", {"a", "b"}}, {"why", "the text"}}},
          {"most.minutes", {{"value", 600}, {"why", "the text"}}},
          {"link_days", {{"value", 14}, {"why", "read by a function"}}},
          {"told", {{"value", "so"}, {"why", "the text"}, {"describes", "it only says what holds"}}}};
}
std::vector<std::string> unused(const Json& settings) {
  std::vector<std::string> out;
  for (const RuleFinding& f :
       check_region({"x.json", settings_region(settings)}, {"", Json::object()}, settings_facts(), {"melding"}))
    if (f.code == "UNUSED_SETTING") out.push_back(f.pointer);
  return out;
}

TEST(RuleSettings, WhatNothingReadsIsFound) {
  EXPECT_EQ(unused(good_settings()), std::vector<std::string>{});
  Json extra = good_settings();
  extra["nonsens.setting"] = {{"value", 1}, {"why", "the text"}};
  EXPECT_EQ(unused(extra), std::vector<std::string>{"x.json#/settings/nonsens.setting"});
  // Who says that a switch decides nothing while a rule reads it is told as well.
  Json wrong = good_settings();
  wrong["policy"]["describes"] = "it only says what holds";
  EXPECT_EQ(unused(wrong), std::vector<std::string>{"x.json#/settings/policy"});
}

std::shared_ptr<const Profile> settings_profile() {
  auto p = Profile::parse(settings_region(good_settings()), *Vocabulary::parse(settings_facts()));
  EXPECT_TRUE(p);
  return *p;
}

TEST(RuleSettings, AListIsOverriddenAsAWholeOrByTheNameOfAnElement) {
  auto p = settings_profile();
  EXPECT_EQ(p->setting_int("terms.last", Json::object(), 0), 20);
  EXPECT_EQ(p->setting_int("terms.first", {{"terms", {1, 2}}}, 0), 1);
  EXPECT_EQ(p->setting_int("terms.last", {{"terms", {1, 2}}}, 0), 2);
  EXPECT_EQ(p->setting_int("terms.last", {{"terms.last", 3}}, 0), 3);
  EXPECT_EQ(p->setting_int("terms.last", {{"terms", {{"last", 4}}}}, 0), 4);
  EXPECT_EQ(p->setting_int("terms.first", {{"terms", {{"last", 4}}}}, 0), 10);
  EXPECT_EQ(p->setting_int("terms.last", {{"terms", {1}}}, 0), 20);
}

TEST(RuleSettings, AnOverrideThatWouldChangeNothingIsNamed) {
  auto p = settings_profile();
  auto fault = [&](const Json& overrides) {
    auto f = p->override_fault(overrides);
    return f ? f->name + (f->unknown ? " unknown" : " invalid") : std::string("none");
  };
  for (const Json& good :
       {Json::object(), Json(), Json{{"terms", {1, 2}}}, Json{{"terms", {{"last", 2}}}}, Json{{"terms.first", 2}},
        Json{{"policy", "b"}}, Json{{"most", {{"minutes", 5}}}}, Json{{"most.minutes", 5}}, Json{{"told", "so"}}})
    EXPECT_EQ(fault(good), "none") << good;
  EXPECT_EQ(fault({{"nonsens", 1}}), "nonsens unknown");
  EXPECT_EQ(fault({{"most", {{"seconds", 1}}}}), "most.seconds unknown");
  EXPECT_EQ(fault({{"most", 5}}), "most unknown");
  EXPECT_EQ(fault({{"mos", {{"t.minutes", 5}}}}), "mos unknown");
  EXPECT_EQ(fault({{"policy", "c"}}), "policy invalid");
  EXPECT_EQ(fault({{"most.minutes", "5"}}), "most.minutes invalid");
  EXPECT_EQ(fault({{"most.minutes", nullptr}}), "most.minutes invalid");
  EXPECT_EQ(fault({{"terms", {1}}}), "terms invalid");
  EXPECT_EQ(fault({{"terms", {1, "2"}}}), "terms invalid");
  EXPECT_EQ(fault({{"told", "otherwise"}}), "told invalid");
  EXPECT_EQ(fault(Json::array({1})), " invalid");
  EXPECT_EQ(fault("text"), " invalid");
}

TEST(RuleSettings, PartsAreTheElementsOfAList) {
  for (const Json& wrong : {Json{{"value", 1}, {"parts", {"a"}}, {"why", "the text"}},
                            Json{{"value", {1, 2}}, {"parts", {"a"}}, {"why", "the text"}},
                            Json{{"value", {"x"}}, {"parts", {"a"}}, {"why", "the text"}},
                            Json{{"value", Json::array()}, {"parts", Json::array()}, {"why", "the text"}}}) {
    Json settings = good_settings();
    settings["more"] = wrong;
    EXPECT_FALSE(Profile::parse(settings_region(settings), *Vocabulary::parse(settings_facts()))) << wrong;
  }
}

/// The list of what code reads by name is what the code reads: a name in it that no decider asks for would hide an
/// unused setting.
TEST(RuleSettings, TheListOfNamesReadByCodeIsThatOfTheCode) {
  std::set<std::string> read;
  std::regex call(
      R"re((?:setting|setting_int|setting_text|setting_view|setting_flag|setting_list|texts)\(\s*"([a-z_.]+)")re"),
      group(R"re(nested\(\s*profile,\s*overrides,\s*"([a-z_]+)",\s*"([a-z_]+)"\))re");
  for (const char* folder : {"core/model", "core/pipeline", "plugins"})
    for (const auto& e :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(SCHAKEL_SOURCE_DIR) / folder)) {
      if (e.path().extension() != ".cpp") continue;
      std::ifstream in(e.path());
      std::ostringstream all;
      all << in.rdbuf();
      const std::string text = all.str();
      for (std::sregex_iterator m(text.begin(), text.end(), call), end; m != end; ++m) read.insert((*m)[1].str());
      for (std::sregex_iterator m(text.begin(), text.end(), group), end; m != end; ++m)
        read.insert((*m)[1].str() + "." + (*m)[2].str());
    }
  auto names = settings_read_by_code();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), read);
}

}  // namespace
}  // namespace schakel
