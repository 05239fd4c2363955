#include <gmock/gmock.h>

#include "core/vault/bsn.hpp"
#include "core/vault/participants.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel {
namespace {

using test::run_now;
using Test = test::VaultTest;

std::string code(const auto& r) { return r ? "" : r.error().code; }
Secret bsn(std::string_view digits) { return Secret(digits); }

TEST(ElevenTest, AcceptsTestNumbersAndRefusesEveryNeighbour) {
  // Numbers of the public test range; none is given to a person.
  for (auto ok : {"999990019", "999991772", "123456782", "12345672", "012345672"}) EXPECT_TRUE(vault::is_bsn(ok)) << ok;
  for (auto bad : {"999990018", "123456789", "000000000", "00000000", "", "1234567", "1234567890", "12345678a",
                   "-23456782", " 23456782"})
    EXPECT_FALSE(vault::is_bsn(bad)) << bad;
}

TEST_F(Test, BsnIsFoundByItsHashAndStoredNowhereInTheClear) {
  vault::Bsn numbers(*vault, *store);
  auto ops = run_now(numbers.put("case-1", bsn("999990019")));
  ASSERT_TRUE(ops);
  commit(*ops);
  EXPECT_EQ(*run_now(numbers.case_of(bsn("999990019"))), "case-1");
  EXPECT_EQ(*run_now(numbers.case_of(bsn("123456782"))), std::nullopt);
  EXPECT_EQ(*run_now(numbers.case_of(bsn("geen nummer"))), std::nullopt);
  for (auto space : {"bsn", "bsn.index"})
    for (auto& r : rows(space)) {
      const auto all = r.key + std::string(as_text(r.value));
      for (std::string needle : {std::string("999990019"), to_base64(as_bytes("999990019")),
                                 to_hex(as_bytes("999990019")), to_hex(sha256("999990019"))})
        EXPECT_EQ(all.find(needle), std::string::npos);
    }
}

TEST_F(Test, BsnOfEightDigitsIsTheSameNumberWithItsZero) {
  vault::Bsn numbers(*vault, *store);
  commit(*run_now(numbers.put("case-1", bsn("12345672"))));
  EXPECT_EQ(*run_now(numbers.case_of(bsn("012345672"))), "case-1");
}

TEST_F(Test, BsnRepeatIsFineAnotherNumberOrCaseIsNot) {
  vault::Bsn numbers(*vault, *store);
  commit(*run_now(numbers.put("case-1", bsn("999990019"))));
  EXPECT_TRUE(run_now(numbers.put("case-1", bsn("999990019")))->empty());
  EXPECT_EQ(code(run_now(numbers.put("case-2", bsn("999990019")))), "BSN_OTHER_CASE");
  EXPECT_EQ(code(run_now(numbers.put("case-1", bsn("123456782")))), "BSN_CHANGED");
  EXPECT_EQ(code(run_now(numbers.put("case-1", bsn("123456789")))), "BSN_INVALID");
}

TEST_F(Test, BsnLeavesOnlyWhenTheProfileAllowsItAndForAReasonThatNamesNobody) {
  vault::Bsn numbers(*vault, *store);
  commit(*run_now(numbers.put("case-1", bsn("999990019"))));
  EXPECT_EQ(code(run_now(numbers.release("case-1", "declaratie", false))), "BSN_NOT_ALLOWED");
  EXPECT_EQ(code(run_now(numbers.release("case-2", "zaak", true))), "BSN_UNKNOWN");
  EXPECT_EQ(code(run_now(numbers.release("case-1", "omdat Jan 999990019", true))), "BSN_REASON");
  auto out = run_now(numbers.release("case-1", "zaak_openen", true));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->reveal_text(), "999990019");
}

TEST_F(Test, ErasureTakesBsnParticipantsAndTheirIndexes) {
  vault::Bsn numbers(*vault, *store);
  vault::Participants people(*vault, *store);
  commit(*run_now(numbers.put("case-1", bsn("999990019"))));
  commit({*run_now(people.put(
      {"case-1", "p1", "school_ib", "Noor Verzonnen", "noor@school.example", "sms:+31612345678", "school"}))});
  commit({*run_now(people.put(
      {"case-2", "p1", "school_ib", "Noor Verzonnen", "noor@school.example", "sms:+31612345678", "school"}))});
  commit(run_now(vault->erase_case("case-1"))->ops);
  vault->forget("case-1");
  EXPECT_EQ(*run_now(numbers.case_of(bsn("999990019"))), std::nullopt);
  EXPECT_TRUE(rows("bsn").empty());
  EXPECT_TRUE(run_now(people.all("case-1"))->empty());
  EXPECT_EQ(run_now(people.all("case-2"))->size(), 1u);
}

TEST_F(Test, ParticipantsAreFoundByPersonAndSealedAtRest) {
  vault::Participants people(*vault, *store);
  const vault::Participant ib{"case-1",  "p1",    "school_ib", "Noor Verzonnen", "noor@school.example",
                              "totp:p1", "school"};
  const vault::Participant ortho{"case-1",           "p2", "orthopedagoog", "Sam Bedacht", "sam@swv.example",
                                 "sms:+31612345678", "swv"};
  commit({*run_now(people.put(ib)), *run_now(people.put(ortho))});
  EXPECT_EQ(run_now(people.all("case-1"))->at(1), ortho);
  EXPECT_EQ(*run_now(people.by_person("case-1", "p1")), ib);
  EXPECT_EQ(*run_now(people.by_person("case-1", "p9")), std::nullopt);
  EXPECT_EQ(run_now(people.all("case-1"))->size(), 2u);
  for (auto& r : rows("participant")) EXPECT_EQ(as_text(r.value).find("example"), std::string::npos);
}

TEST_F(Test, ParticipantWithAHeaderInItsAddressIsRefused) {
  vault::Participants people(*vault, *store);
  const vault::Participant good{"case-1", "p1", "school_ib", "Noor", "noor@school.example", "", ""};
  auto with = [&](auto change) {
    auto p = good;
    change(p);
    return code(run_now(people.put(p)));
  };
  EXPECT_EQ(with([](auto& p) { p.mail = "a@b.example\r\nBcc: x@y.example"; }), "PARTICIPANT_MAIL");
  EXPECT_EQ(with([](auto& p) { p.mail = "a@b.example, c@d.example"; }), "PARTICIPANT_MAIL");
  EXPECT_EQ(with([](auto& p) { p.mail = "geen adres"; }), "PARTICIPANT_MAIL");
  EXPECT_EQ(with([](auto& p) { p.name = "Noor\nBcc"; }), "PARTICIPANT_NAME");
  EXPECT_EQ(with([](auto& p) { p.second_factor = "mail:noor@school.example"; }), "PARTICIPANT_FACTOR");
  EXPECT_EQ(with([](auto& p) { p.second_factor = "sms:+31 6 1234"; }), "PARTICIPANT_FACTOR");
  EXPECT_EQ(with([](auto& p) { p.role = ""; }), "PARTICIPANT_ROLE");
  EXPECT_EQ(with([](auto& p) { p.case_id = "case-1/x"; }), "VAULT_ID");
}

}  // namespace
}  // namespace schakel
