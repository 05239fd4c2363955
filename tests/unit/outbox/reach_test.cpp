// Who gets a delivery: of several the one that is meant, of one party no other, and people where no desk is.
#include "core/outbox/reach.hpp"

#include <gtest/gtest.h>

namespace schakel::outbox {
namespace {

struct Reaching : ::testing::Test {
  static Json party(const char* id, Json roles, const char* adapter) {
    return {{"id", id},
            {"name", id},
            {"domain", "care"},
            {"endpoints", {{{"roles", roles}, {"regions", {"KNH"}}, {"adapter", adapter}}}}};
  }
  const Parties parties = Parties::read({{"parties",
                                          {party("a", {"smw"}, "hook"), party("b", {"smw"}, "post"),
                                           party("c", {"cto"}, "post"), party("d", {"cto"}, "post")}}})
                              .value();
  CaseFile file;
  const std::string kind = "message", region = "KNH";
  std::vector<Contact> contacts;
  std::vector<std::string> members;

  static std::string text(const Reach& found) {
    auto out = found.code;
    for (const auto& p : found.places)
      out += (out.empty() ? "" : " ") + p.target + ":" + p.address.value("party", p.person);
    return out;
  }
  std::string of(const std::string& role, const char* whose = nullptr) {
    return text(reach({role, kind, region, file, parties, contacts, members, whose ? parties.find(whose) : nullptr}));
  }
  std::string through(const std::string& role, const char* target) {
    return text(reach_through({role, kind, region, file, parties, contacts, members, nullptr}, target));
  }
};

TEST_F(Reaching, OfSeveralOnlyTheOneThatIsMeant) {
  EXPECT_EQ(of("smw"), "PARTY_AMBIGUOUS");
  members = {"b"};
  EXPECT_EQ(of("smw"), "post:b");
  EXPECT_EQ(of("smw@Zandoever"), "post:b");
  EXPECT_EQ(of("smw", "a"), "hook:a") << "whose desk it is goes before who has to do with the case";
  EXPECT_EQ(of("niemand"), "RECIPIENT_UNKNOWN");
}

TEST_F(Reaching, WhatIsOfOnePartyGoesToItsPeopleOrToNobody) {
  members = {"b"};
  EXPECT_EQ(of("smw", "c"), "RECIPIENT_UNKNOWN") << "another has this role";
  contacts = {{"p-1", "smw", "een@example.org", "sms:+31600000001"}, {"p-2", "smw", "twee@example.org", ""}};
  EXPECT_EQ(of("smw", "c"), "secure_link:p-1 secure_link:p-2");
}

TEST_F(Reaching, APersonWhoNamesAnInstanceChoosesAmongThoseReachedThere) {
  EXPECT_EQ(through("smw", "post"), "post:b");
  EXPECT_EQ(through("cto", "post"), "PARTY_AMBIGUOUS") << "two are reached there";
  members = {"d"};
  EXPECT_EQ(through("cto", "post"), "post:d");
  EXPECT_EQ(through("smw", "elders"), "RECIPIENT_UNKNOWN");
  contacts = {{"p-1", "smw", "een@example.org", "sms:+31600000001"}};
  EXPECT_EQ(through("smw", "secure_link"), "secure_link:p-1") << "also where an organisation has the role";
}

}  // namespace
}  // namespace schakel::outbox
