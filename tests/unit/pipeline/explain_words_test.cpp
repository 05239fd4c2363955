// What an explanation says in words: the reason that it was, in the language that was asked.
#include <gtest/gtest.h>

#include "core/pipeline/explain.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::pipeline {
namespace {

struct Told : rules_test::Case {
  using rules_test::Case::Case;
  [[nodiscard]] Json in(Lang lang, bool with_rules = true) const {
    journal::Recorded recorded{message, last, message.time, profile->version(), kSemanticsVersion, {}, {}};
    Explained x;
    x.recorded = &recorded;
    if (with_rules) x.profile = profile;
    return explanation(x, Asker{}, lang);
  }
  [[nodiscard]] std::string summary(Lang lang, bool with_rules = true) const {
    return in(lang, with_rules)["samenvatting"].get<std::string>();
  }
};

Json invoice(const char* number, std::int64_t cents) {
  return {{"number", number}, {"lines", {{{"kind", "zorg"}, {"cents", cents}}}}};
}

TEST(ExplainWords, AConflictOfInvoicesSaysWhich) {
  auto payload = rules_test::given();
  payload["case"]["funding_agreed"] = true;
  Told c("KNH", payload);
  c.play("2026-11-20T09:00:00+01:00", "factuur", "zorgaanbieder", invoice("F-1", 10000));
  ASSERT_EQ(c.last.outcome, Outcome::delivered) << Json(c.last).dump();
  c.play("2026-11-20T09:01:00+01:00", "factuur", "zorgaanbieder", invoice("F-1", 20000));
  ASSERT_EQ(c.last.codes, std::vector<std::string>{"INVOICE_CONFLICT"});
  EXPECT_NE(c.summary(Lang::nl).find("zelfde nummer, andere inhoud"), std::string::npos) << c.summary(Lang::nl);
  EXPECT_NE(c.summary(Lang::en).find("same number, other content"), std::string::npos);
  auto credit = invoice("C-1", 10001);
  credit["credits"] = "F-1";
  c.play("2026-11-20T09:02:00+01:00", "creditnota", "zorgaanbieder", credit);
  ASSERT_EQ(c.last.codes, std::vector<std::string>{"INVOICE_CONFLICT"});
  EXPECT_NE(c.summary(Lang::nl).find("hoger dan wat er van de factuur over is"), std::string::npos);
  EXPECT_NE(c.summary(Lang::en).find("larger than what is left"), std::string::npos);
  EXPECT_EQ(c.summary(Lang::nl).find("zelfde nummer"), std::string::npos);
  credit["credits"] = "F-2";
  credit["number"] = "C-2";
  c.play("2026-11-20T09:03:00+01:00", "creditnota", "zorgaanbieder", credit);
  ASSERT_EQ(c.last.codes, std::vector<std::string>{"INVOICE_CONFLICT"});
  EXPECT_NE(c.summary(Lang::nl).find("een factuur die hier niet bekend is"), std::string::npos);
  // Beside the rule as well.
  EXPECT_NE(c.in(Lang::nl)["regels"].dump().find("niet bekend is"), std::string::npos);
}

TEST(ExplainWords, FactsHaveTheirMeaningInTheLanguageThatIsAsked) {
  auto payload = rules_test::given();
  payload["documents"] = Json::array();
  Told c("KNH", payload);
  c.play("2026-11-20T09:00:00+01:00", "documentlevering", "school_ib",
         {{"documents", Json::array()}, {"meeting", "OT"}});
  ASSERT_EQ(c.last.outcome, Outcome::blocked);
  auto meaning = [&](Lang lang) {
    for (const Json& f : c.in(lang)["feiten"])
      if (f["naam"] == "document.groeidocument.present") return f["betekenis"].get<std::string>();
    return std::string();
  };
  EXPECT_EQ(meaning(Lang::nl), "Groeidocument: de zaak of het bericht heeft het, in welke status ook.");
  EXPECT_EQ(meaning(Lang::en), "Groeidocument: the case or the message has it, in any status.");
  EXPECT_NE(c.summary(Lang::nl).find("het groeidocument ontbreekt"), std::string::npos) << c.summary(Lang::nl);
  // Also where the rule data of the decision are gone.
  EXPECT_NE(c.summary(Lang::en, false).find("the groeidocument is missing"), std::string::npos);
  // Rule data of before there were Dutch meanings.
  Json source = c.profile->source();
  for (Json& f : source["vocabulary"]["facts"]) f.erase("meaning_nl");
  auto old = Profile::from_source(source);
  ASSERT_TRUE(old);
  c.profile = *old;
  EXPECT_EQ(meaning(Lang::nl), meaning(Lang::en));
}

}  // namespace
}  // namespace schakel::pipeline
