// What an explanation shares must read like what it used to own: the same JSON, for as long as the explanation lives.
#include "core/model/explanation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "core/base/calendar.hpp"
#include "core/model/profile.hpp"

namespace schakel {
namespace {

SeenFacts seen() {
  SeenFacts f(nullptr, 3);
  f.add("b", std::string("text"));
  f.add("a", Json(7));
  f.add("c", std::vector<std::string>{"x", "y"});
  return f;
}

TEST(SeenFacts, ReadAsTheObjectThatTheyAre) {
  const Json object = {{"a", 7}, {"b", "text"}, {"c", {"x", "y"}}};
  SeenFacts f = seen();
  EXPECT_EQ(Json(f), object);
  EXPECT_EQ(f.dump(), object.dump());
  EXPECT_EQ(f["b"], "text");
  EXPECT_TRUE(f["nothing"].is_null());
  EXPECT_NE(f.find("c"), f.end());
  EXPECT_EQ(f.find("d"), f.end());
  EXPECT_EQ(f, SeenFacts(object));
  EXPECT_TRUE(SeenFacts().empty());
  EXPECT_EQ(Json(SeenFacts()), Json::object());
  int n = 0;
  for (const auto& [name, value] : f.items()) n += object.at(name) == value;
  EXPECT_EQ(n, 3);
}

TEST(SeenFacts, CopiesAndMovesKeepTheValue) {
  SeenFacts unread = seen(), read = seen();
  (void)read.json();
  for (const SeenFacts* f : {&unread, &read}) {
    SeenFacts copy = *f, target = SeenFacts(Json{{"z", 1}});
    target = copy;
    EXPECT_EQ(target, *f);
    SeenFacts moved = std::move(copy);
    EXPECT_EQ(moved, *f);
    copy = moved;
    EXPECT_EQ(copy, *f);
  }
  SeenFacts of_json(Json{{"z", 1}}), copy = of_json;
  EXPECT_EQ(copy["z"], 1);
  of_json = SeenFacts();
  EXPECT_TRUE(of_json.empty());
  EXPECT_EQ(copy["z"], 1);
}

TEST(SeenFacts, HasNoMoreRoomThanItWasGiven) {
  SeenFacts f(nullptr, 1), none(nullptr, 0);
  f.add("a", Json(1));
  EXPECT_THROW(f.add("b", Json(2)), std::logic_error);
  EXPECT_THROW(none.add("a", Json(1)), std::logic_error);
  EXPECT_THROW(SeenFacts().add("a", Json(1)), std::logic_error);
  EXPECT_EQ(Json(f), (Json{{"a", 1}}));
  EXPECT_EQ(Json(none), Json::object());
  SeenFacts copy = f;
  EXPECT_THROW(copy.add("b", Json(2)), std::logic_error);
  EXPECT_EQ(copy, f);
}

TEST(Word, ReadsAsTheTextWhereverItComesFrom) {
  const Word literal = "fired", known = Word::of(std::string("fired")), other = Word::of(std::string("a later word"));
  EXPECT_EQ(literal, known);
  EXPECT_EQ(literal, "fired");
  EXPECT_EQ(known, std::string("fired"));
  EXPECT_NE(literal, other);
  EXPECT_EQ(other, Word::of("a later word"));
  EXPECT_EQ(other.view(), "a later word");
  EXPECT_EQ(Word(), "");
  EXPECT_EQ(Json(other), "a later word");
  EXPECT_EQ(Json("a later word").get<Word>(), other);
  EXPECT_THROW((void)Json(1).get<Word>(), Json::exception);
}

TEST(SeenFacts, ManyMayReadFirst) {
  for (int round = 0; round < 200; ++round) {
    const SeenFacts f = seen();
    std::array<const Json*, 4> got{};
    {
      std::vector<std::jthread> readers;
      for (auto& g : got) readers.emplace_back([&f, &g] { g = &f.json(); });
    }
    for (const Json* g : got) EXPECT_EQ(g, got[0]);
  }
}

TEST(SharedText, ReadsAsAString) {
  SharedText a = "quote", b = a, none;
  EXPECT_EQ(a, b);
  EXPECT_EQ(a, "quote");
  EXPECT_EQ(a, std::string("quote"));
  EXPECT_FALSE(a == none);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none, "");
  EXPECT_EQ(fmt::format("{:>6}", a), " quote");
  EXPECT_EQ(Json(a), "quote");
  EXPECT_EQ(Json("x").get<SharedText>(), "x");
  a = "other";
  EXPECT_EQ(b, "quote");
  std::map<std::string, int, std::less<>> by_text = {{"quote", 1}};
  EXPECT_TRUE(by_text.contains(b));
}

TEST(Explanation, IsRecordedAndReadBack) {
  Explanation e{"R-1", "gate", "blocked", "CODE", "what it says", "source", seen()};
  Json j = e;
  EXPECT_EQ(j, (Json{{"rule", "R-1"},
                     {"stage", "gate"},
                     {"result", "blocked"},
                     {"code", "CODE"},
                     {"quote", "what it says"},
                     {"source", "source"},
                     {"facts", Json(seen())}}));
  EXPECT_EQ(j.get<Explanation>(), e);
  EXPECT_EQ(Json::object().get<Explanation>(), Explanation{});
}

std::shared_ptr<const Profile> profile() {
  auto vocabulary = Vocabulary::parse(Json::parse(R"({"facts": [
    {"name": "case.flag_with_a_name_that_is_not_short", "type": "boolean", "meaning": "a flag", "stated_by": {"one": "flag"}},
    {"name": "case.other", "type": "text", "meaning": "text", "stated_by": {"one": "other"}},
    {"name": "document.opp.status", "type": "text", "meaning": "OPP", "stated_by": {"one": "opp"}}]})"));
  return Profile::
      parse(Json::parse(
                R"({"region": "X", "name": "Test", "sources": {"s": "Source"}, "settings": {"limit": {"value": 10, "why": "test"}},
    "gates": [{"name": "G", "on": ["one"], "codes": ["FIRST"]}],
    "rules": [{"id": "X-1", "source": "s", "quote": "a quote that is longer than a short string", "stage": "gate", "on": ["one"],
               "when": {"case.flag_with_a_name_that_is_not_short": true, "setting.limit": 10}, "then": {"block": "FIRST"}}]})"),
            *vocabulary)
          .value();
}

TEST(Explanation, OutlivesTheProfile) {
  Explanation e;
  {
    auto p = profile();
    CaseFile file;
    Message m;
    m.type = "one";
    m.payload = {{"flag", true}};
    FactView view(file, m, *p, {});
    ASSERT_EQ(view.rules(Stage::gate).size(), 1u);
    e = explain(*view.rules(Stage::gate)[0], view, "gate", "blocked", "FIRST");
  }
  EXPECT_EQ(e.quote, "a quote that is longer than a short string");
  EXPECT_EQ(Json(e.facts), (Json{{"case.flag_with_a_name_that_is_not_short", true}}));
}

/// A view that starts again has what a new one that adopts the same effects has.
TEST(FactView, StartsAgainLikeANewOne) {
  auto p = profile();
  CaseFile file;
  file.facts = {{"other", "of the case"}};
  file.documents = {{"opp", "aanwezig", 1}};
  Message m;
  m.type = "one";
  const std::vector<std::vector<Effect>> all = {
      {},
      {{"fact", "other", "said"}},
      {{"fact", "other", "by a rule"}},
      {{"fact", "other", nullptr}, {"document", "opp", {{"status", "ondertekend"}, {"version", 1}}}},
      {{"document", "opp", {{"status", "compleet"}, {"version", 1}}}},
      {{"document", "opp", nullptr}, {"fact", "unknown", 1}},
      {{"meeting", "", nullptr}}};
  for (const Json& payload : {Json::object(), Json{{"other", "said"}}, Json{{"flag", true}, {"opp", "compleet"}},
                              Json{{"opp", {{"part", false}}}}, Json{{"opp", nullptr}}})
    for (bool attached : {false, true})
      for (bool set : {false, true})
        for (const auto& effects : all) {
          m.payload = payload;
          m.attachments.clear();
          if (attached) m.attachments = {{"d", "opp", 1, "compleet", ""}};
          FactView view(file, m, *p, {});
          (void)view.text("case.other");
          if (set) view.set(p->vocabulary().slot("case.other"), "set");
          view.restart(effects);
          FactView fresh(file, m, *p, {});
          fresh.adopt(effects);
          for (int slot = 0; slot < p->vocabulary().size(); ++slot)
            EXPECT_TRUE(same(view.get(slot), fresh.get(slot)))
                << p->vocabulary().at(slot).name << ' ' << payload.dump();
        }
}

TEST(Date, IsWrittenWithAllItsDigits) {
  for (auto [y, m, d] : {std::array{1, 1, 1}, std::array{999, 12, 31}, std::array{1000, 10, 9},
                         std::array{2026, 11, 22}, std::array{9999, 12, 31}}) {
    Date date = Date::from(y, m, d).value();
    EXPECT_EQ(date.str(), fmt::format("{:04}-{:02}-{:02}", y, m, d));
    EXPECT_EQ(Date::parse(date.str()).value(), date);
  }
}

}  // namespace
}  // namespace schakel
