// parties.json: every mistake is found at once, and who is who is never a guess.
#include "core/model/party.hpp"

#include <gtest/gtest.h>

#include <set>

namespace schakel {
namespace {

Json good() {
  return Json::parse(R"({"parties": [
    {"id": "school", "name": "School", "oin": "0000000700000YY00000", "domain": "education", "may_supply_bsn": true,
     "certificates": [{"oin": "0000000700000YY00000"}], "may_send": [{"roles": ["school_ib"], "types": ["factuur"], "regions": ["KNH"]}],
     "endpoints": [{"roles": ["school_ib"], "regions": ["KNH"], "kinds": ["signal"], "adapter": "hook"}]},
    {"id": "gemeente", "name": "Gemeente", "domain": "care", "scope": "region", "may_receive_bsn": true,
     "certificates": [{"san": "gemeente.test"}, {"oin": "00000099000100001000"}], "may_send": [{"roles": ["*"], "types": ["*"], "regions": ["KNH", "FRL"]}],
     "endpoints": [{"roles": ["gemeente_financien"], "regions": ["*"], "adapter": "mail", "address": {"mail": "a@b.example"}}, {"roles": ["smw@zandoever"], "regions": ["KNH"], "adapter": "eigen"}, {"roles": ["smw"], "regions": ["KNH"], "adapter": "algemeen"}],
     "invoice": {"payer_role": "gemeente", "name": "Gemeente", "oin": "00000099000100001000"}},
    {"id": "vast", "name": "Met pin", "domain": "care", "certificates": [{"oin": "00000099000100009000"}, {"spki_sha256": "ab12"}]}]})");
}

std::set<std::string> findings(const std::function<void(Json&)>& change) {
  Json j = good();
  change(j);
  auto read = Parties::read(j);
  std::set<std::string> out;
  if (!read)
    for (const auto& f : read.error().findings) out.insert(f.pointer + ' ' + f.code);
  return out;
}

TEST(Parties, EveryMistakeHasItsPlace) {
  EXPECT_TRUE(findings([](Json&) {}).empty());
  auto at = [](const char* pointer, Json value) {
    return [pointer, value](Json& j) { j[Json::json_pointer(pointer)] = value; };
  };
  const std::vector<std::tuple<const char*, Json, const char*>> set = {
      {"/parties/0/schoenmaat", 44, "/parties/0/schoenmaat UNKNOWN_FIELD"},
      {"/parties/0/oin", "1234", "/parties/0/oin OIN_FORMAT"},
      {"/parties/0/domain", "sport", "/parties/0/domain VALUE"},
      {"/parties/0/scope", "wereld", "/parties/0/scope VALUE"},
      {"/parties/0/may_receive_bsn", true, "/parties/0/may_receive_bsn BSN_DOMAIN"},
      {"/parties/0/may_supply_bsn", "ja", "/parties/0/may_supply_bsn TYPE"},
      {"/parties/0/certificates", "x", "/parties/0/certificates TYPE"},
      {"/parties/0/may_send", Json::array({5}), "/parties/0/may_send TYPE"},
      {"/parties/0/may_send/0/types", 5, "/parties/0/may_send/types TYPE"},
      {"/parties/0/may_send/0/wie", Json::array(), "/parties/0/may_send/wie UNKNOWN_FIELD"},
      {"/parties/0/endpoints/0/address", 5, "/parties/0/endpoints/address TYPE"},
      {"/parties/0/rate_per_minute", "veel", "/parties/0/rate_per_minute TYPE"},
      {"/parties/1/id", "school", "/parties/1 DOUBLE"},
      {"/parties/1/certificates/1/oin", "0000000700000YY00000", "/parties/1 DOUBLE"},
      {"/parties/1/invoice/oin", "", "/parties/1/invoice REQUIRED"},
      {"/parties/1", 5, "/parties/1 TYPE"},
      {"/parties/0/serves", "Zandoever", "/parties/0/serves TYPE"},
      {"/parties/0/serves", {{"gemeenten", "Zandoever"}}, "/parties/0/serves/gemeenten TYPE"},
      {"/parties/0/serves", {{"wijken", {"x"}}}, "/parties/0/serves/wijken UNKNOWN_FIELD"},
      {"/parties/0/name", nullptr, "/parties/0/name TYPE"}};
  for (const auto& [pointer, value, wanted] : set) EXPECT_TRUE(findings(at(pointer, value)).contains(wanted)) << wanted;
  auto both = findings([](Json& j) { j["parties"][0]["oin"] = "1", j["parties"][1]["domain"] = "x"; });
  EXPECT_EQ(both.size(), 3U) << "all at once: OIN, domain, and a BSN for another domain than care";
  for (const Json& bad : {Json(), Json::array(), Json{{"parties", 5}}, Json("x")})
    EXPECT_EQ(Parties::read(bad).error().code, "PARTIES_INVALID");
}

TEST(Parties, AreKnownByTheirCertificateAndAPinIsStrict) {
  auto p = Parties::read(good()).value();
  auto who = [&](CertificateFacts f) {
    auto* found = p.identify(f);
    return found ? found->id : "nobody";
  };
  EXPECT_EQ(who({"0000000700000YY00000", {}, "ffff"}), "school");
  EXPECT_EQ(who({"", {"anders.test", "gemeente.test"}, ""}), "gemeente");
  EXPECT_EQ(who({"", {}, "ab12"}), "vast");
  EXPECT_EQ(who({"00000099000100009000", {}, "cd34"}), "nobody") << "the right OIN with another key";
  EXPECT_EQ(who({"0000000700000YY00000", {}, "ab12"}), "vast") << "the pin wins";
  EXPECT_EQ(who({"0000000700000YY00000", {"gemeente.test"}, ""}), "nobody") << "two parties match";
  EXPECT_EQ(who({}), "nobody");
}

TEST(Parties, WhatIsNotGrantedIsRefused) {
  auto p = Parties::read(good()).value();
  const auto& school = *p.find("school");
  EXPECT_TRUE(Parties::may_send(school, "school_ib", "factuur", "KNH"));
  for (auto [role, type, region] : {std::tuple{"ouder_1", "factuur", "KNH"},
                                    {"school_ib", "declaratie", "KNH"},
                                    {"school_ib", "factuur", "FRL"},
                                    {"*", "factuur", "KNH"},
                                    {"", "", ""}})
    EXPECT_FALSE(Parties::may_send(school, role, type, region)) << role << type << region;
  EXPECT_TRUE(Parties::may_send_type(school, "factuur"));
  EXPECT_FALSE(Parties::may_send_type(school, "declaratie"));
  EXPECT_FALSE(Parties::may_send(*p.find("vast"), "x", "y", "z")) << "no grants, no rights";
  EXPECT_FALSE(Parties::may_send_type(*p.find("vast"), "factuur"));
}

TEST(Parties, RolesAreReachedExactlyFirstAndByRegionAndKind) {
  auto p = Parties::read(good()).value();
  auto reach = [&](const char* role, const char* region, const char* kind) {
    auto desk = p.desk(role, region, kind, {}, {});
    return desk.endpoint ? desk.endpoint->adapter : "nowhere";
  };
  EXPECT_EQ(reach("smw@zandoever", "KNH", "message"), "eigen");
  EXPECT_EQ(reach("smw@elders", "KNH", "message"), "algemeen");
  EXPECT_EQ(reach("smw", "FRL", "message"), "nowhere");
  EXPECT_EQ(reach("school_ib", "KNH", "message"), "nowhere") << "signals only";
  EXPECT_EQ(reach("school_ib", "KNH", "signal"), "hook");
  EXPECT_EQ(reach("gemeente_financien", "FRL", "invoice"), "mail");
}

TEST(Parties, OfTwoSchoolsACaseReachesItsOwnAndNeverTheFirst) {
  auto school = [](const char* id, const Json& roles) {
    return Json{{"id", id},
                {"name", id},
                {"domain", "education"},
                {"endpoints", {{{"roles", roles}, {"regions", {"KNH"}}, {"adapter", id}}}}};
  };
  Json both{{"parties", {school("duin", {"school_ib"}), school("zee", {"school_ib"})}}};
  using Members = std::vector<std::string>;
  auto reach = [](const Json& list, CaseHints hints, const Members& members) {
    auto parties = Parties::read(list).value();
    EXPECT_TRUE(parties.members_matter());
    auto desk = parties.desk("school_ib", "KNH", "message", hints, members);
    EXPECT_EQ(desk.party == nullptr, desk.endpoint == nullptr);
    return desk.party ? desk.party->id : desk.code;
  };
  EXPECT_EQ(reach(both, {}, {}), "PARTY_AMBIGUOUS");
  EXPECT_EQ(reach(both, {}, {"zee"}), "zee") << "it has to do with the case";
  EXPECT_EQ(reach(both, {}, {"zee", "duin", "gemeente"}), "PARTY_AMBIGUOUS");
  auto said = both;
  said["parties"][0]["serves"] = {{"schools", {"De Duinroos"}}};
  EXPECT_EQ(reach(said, {"", "", "De Duinroos"}, {"zee"}), "duin");
  EXPECT_EQ(reach(said, {"", "", "Het Zeepaard"}, {}), "zee") << "the other says that it serves others";
  EXPECT_EQ(reach(said, {}, {}), "PARTY_AMBIGUOUS") << "a case that does not say its school";
  said["parties"].erase(1);
  EXPECT_EQ(reach(said, {"", "", "Het Zeepaard"}, {}), "") << "the only one, and not this case's";
  EXPECT_EQ(reach(said, {"", "", "Het Zeepaard"}, {"duin"}), "duin") << "it opened it";
  EXPECT_EQ(reach(said, {}, {}), "duin");
  // Who takes everything comes after who names the role.
  Json all{{"parties", {school("alles", {"*"}), school("zee", {"school_ib"})}}};
  auto parties = Parties::read(all).value();
  EXPECT_FALSE(parties.members_matter());
  EXPECT_EQ(parties.desk("school_ib", "KNH", "message", {}, {}).party->id, "zee");
  EXPECT_EQ(parties.desk("swv", "KNH", "message", {}, {}).party->id, "alles");
}

TEST(Parties, WhoPaysIsSaidByTheCaseAndNeverTheFirstOfSeveral) {
  auto one = Parties::read(good()).value();
  EXPECT_EQ(one.invoice_party("gemeente", "FRL", {}).party->id, "gemeente") << "there is only one";
  EXPECT_EQ(one.invoice_party("swv", "KNH", {}).party, nullptr);
  EXPECT_EQ(one.invoice_party("swv", "KNH", {}).code, "") << "nobody is not a choice";

  Json j = good();
  auto& list = j["parties"];
  list[1]["endpoints"][0]["regions"] = {"KNH"};
  list[1]["serves"] = {{"gemeenten", {"Zandoever"}}};
  auto second = list[1];
  second["id"] = "gemeente-2";
  second["certificates"] = Json::array();
  second["serves"] = {{"gemeenten", {"Elders", "Duindorp"}}};
  second["may_send"][0]["regions"] = {"KNH"};
  list.push_back(second);
  auto p = Parties::read(j).value();
  auto who = [&](const char* region, CaseHints hints) {
    auto choice = p.invoice_party("gemeente", region, hints);
    return choice.party ? choice.party->id : choice.code;
  };
  EXPECT_EQ(who("KNH", {}), "PARTY_AMBIGUOUS");
  EXPECT_EQ(who("KNH", {"", "Onbekend", ""}), "PARTY_AMBIGUOUS");
  auto alone = j;
  alone["parties"].erase(alone["parties"].size() - 1);
  auto only = Parties::read(alone).value();
  EXPECT_NE(only.invoice_party("gemeente", "KNH", {}).party, nullptr) << "the only one, where the case says nothing";
  EXPECT_NE(only.invoice_party("gemeente", "KNH", {"", "Zandoever", ""}).party, nullptr);
  EXPECT_EQ(only.invoice_party("gemeente", "KNH", {"", "Elders", ""}).code, "PARTY_AMBIGUOUS") << "it serves another";
  EXPECT_EQ(who("KNH", {"", "Zandoever", ""}), "gemeente");
  EXPECT_EQ(who("KNH", {"", "Duindorp", ""}), "gemeente-2");
  EXPECT_EQ(who("KNH", {"gemeente-2", "Zandoever", ""}), "gemeente-2") << "what the case names goes first";
  EXPECT_EQ(who("KNH", {"school", "", ""}), "PARTY_MISNAMED") << "not of this role";
  EXPECT_EQ(who("FRL", {"gemeente-2", "", ""}), "PARTY_MISNAMED") << "not of this region";
  EXPECT_EQ(who("FRL", {}), "gemeente");
  EXPECT_EQ(who("MVS", {}), "") << "nobody, and never a party of another region";
  EXPECT_EQ(Parties::endpoint_of(*p.find("gemeente-2"), "gemeente_financien", "KNH", "invoice")->adapter, "mail");
  EXPECT_EQ(Parties::endpoint_of(*p.find("gemeente-2"), "gemeente_financien", "FRL", "invoice"), nullptr);
  EXPECT_EQ(Parties::endpoint_of(*p.find("school"), "gemeente_financien", "KNH", "invoice"), nullptr);
}

TEST(Parties, SettingsOfACaseAreSetByWhoMaySetThem) {
  Party p;
  auto no = [&](const char* overrides) { return Parties::not_its_own(p, parse_json(overrides).value()); };
  EXPECT_EQ(no(R"({})"), "");
  EXPECT_EQ(no(R"({"grey_split.swv_bp": 1000})"), "grey_split.swv_bp") << "nobody unless it is said";
  p.may_override = {"late_policy", "cto.minutes_per_week", "money.number_series"};
  EXPECT_EQ(no(R"({"late_policy": "hold", "cto": {"minutes_per_week": 500}})"), "");
  EXPECT_EQ(no(R"({"cto": {"minutes_per_week": 500, "cents_per_year": 1}})"), "cto.cents_per_year");
  EXPECT_EQ(no(R"({"money.number_series": {"schoolbestuur": "XX"}})"), "");
  EXPECT_EQ(no(R"({"money": {"number_series": {"schoolbestuur": "XX"}}})"), "");
  EXPECT_EQ(no(R"({"money": {"number_series": {}, "content_first": true}})"), "money.content_first");
  EXPECT_EQ(no(R"({"late_policy_other": 1})"), "late_policy_other") << "the beginning of a name is up to a dot";
  p.may_override = {"*"};
  EXPECT_EQ(no(R"({"anything": {"at": "all"}})"), "");
}

TEST(Oin, HasItsForm) {
  for (const char* yes : {"00000099000100001000", "0000000700000YY00000", "00000007123456AB0000"})
    EXPECT_TRUE(valid_oin(yes)) << yes;
  for (const char* no :
       {"", "0000009900010000100", "00000099000100001001", "0000009A000100001000", "000000990001000o1000",
        "000000990001000010000", "00000007123456ab0000", "00000001123456782001"})
    EXPECT_FALSE(valid_oin(no)) << no;
}

}  // namespace
}  // namespace schakel
