// Which organisation is meant by the name of a care provider, and that a decision keeps the answer.
#include "core/pipeline/provider.hpp"

#include <gtest/gtest.h>

#include "core/base/json.hpp"

namespace schakel::test {
namespace {

using pipeline::is_provider;

Json endpoint(std::vector<std::string> roles) {
  return {{"roles", std::move(roles)}, {"regions", {"KNH"}}, {"adapter", "mail"}, {"address", Json::object()}};
}

Json party(const char* id, const char* name, Json endpoints) {
  return {{"id", id},
          {"name", name},
          {"domain", "care"},
          {"may_send", {{{"roles", {"*"}}, {"types", {"*"}}, {"regions", {"KNH"}}}}},
          {"endpoints", std::move(endpoints)}};
}

Parties parties(Json list) {
  auto read = Parties::read({{"parties", std::move(list)}});
  if (!read)
    throw std::runtime_error(read.error().findings.empty() ? read.error().code : read.error().findings[0].message);
  return std::move(*read);
}

std::optional<bool> asked(const Parties& all, const char* id, const char* role,
                          const std::vector<std::string>& members = {}) {
  return is_provider(id, role, "KNH", {}, members, all);
}

TEST(Provider, IsKnownByIdByNameAndByTheRoleOfItsEndpoint) {
  auto all = parties({party("hoeve", "De Verzonnen Hoeve",
                            Json::array({endpoint({"zorgaanbieder:Hoeve Noord", "zorgaanbieder:Hoeve Zuid"})})),
                      party("terp", "De Verzonnen Terp", Json::array({endpoint({"zorgaanbieder:Terp"})}))});
  for (const char* name : {"zorgaanbieder:hoeve", "zorgaanbieder:De Verzonnen Hoeve", "zorgaanbieder:Hoeve Noord",
                           "zorgaanbieder:Hoeve Zuid"}) {
    EXPECT_EQ(asked(all, "hoeve", name), true) << name;
    EXPECT_EQ(asked(all, "terp", name), false) << name;
    EXPECT_EQ(asked(all, "nobody", name), false) << name;
  }
  // A name that is nobody's, where no endpoint takes all providers.
  EXPECT_EQ(asked(all, "hoeve", "zorgaanbieder:Onbekend"), std::nullopt);
  EXPECT_EQ(asked(all, "hoeve", "zorgaanbieder"), std::nullopt);
  EXPECT_EQ(asked(all, "hoeve", ""), std::nullopt);
}

TEST(Provider, TheOnlyOneThatIsReachedIsMeantWhateverItIsCalled) {
  auto one = parties({party("hoeve", "De Hoeve", Json::array({endpoint({"zorgaanbieder"})})),
                      party("terp", "De Terp", Json::array())});
  EXPECT_EQ(asked(one, "hoeve", "zorgaanbieder:een naam"), true);
  EXPECT_EQ(asked(one, "terp", "zorgaanbieder:een naam"), false);
  EXPECT_EQ(asked(one, "terp", "zorgaanbieder:De Terp"), true) << "its name goes before where mail goes";
  auto two = parties({party("hoeve", "De Hoeve", Json::array({endpoint({"zorgaanbieder"})})),
                      party("terp", "De Terp", Json::array({endpoint({"zorgaanbieder"})}))});
  EXPECT_EQ(asked(two, "hoeve", "zorgaanbieder:een naam"), std::nullopt);
  EXPECT_EQ(asked(two, "hoeve", "zorgaanbieder:een naam", {"terp"}), false) << "the only one of the case";
}

TEST(Provider, WhoTakesEverybodysMailOrSharesANameIsNotMeant) {
  auto all = parties({party("gem", "Gemeente", Json::array({endpoint({"*"})})),
                      party("hoeve", "De Hoeve", Json::array()), party("hoeve2", "De Hoeve", Json::array())});
  EXPECT_EQ(asked(all, "hoeve", "zorgaanbieder:een naam"), std::nullopt);
  EXPECT_EQ(asked(all, "hoeve", "zorgaanbieder:De Hoeve"), std::nullopt);
}

TEST(Provider, KeysOfOtherRegistersAreNone) {
  auto key = pipeline::provider_key_of("provider/hoeve/zorgaanbieder:A/B");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->party, "hoeve");
  EXPECT_EQ(key->role, "zorgaanbieder:A/B");
  EXPECT_EQ(pipeline::provider_key("hoeve", "A/B"), "provider/hoeve/zorgaanbieder:A/B");
  for (const char* other : {"", "provider/", "provider/hoeve", "invoice/provider/x", "series/KNH/gemeente"})
    EXPECT_FALSE(pipeline::provider_key_of(other)) << other;
}

}  // namespace
}  // namespace schakel::test
