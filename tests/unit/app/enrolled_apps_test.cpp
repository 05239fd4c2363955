// An opening that names an authenticator app nobody enrolled is refused where it can be mended: at its sender.
#include "core/app/edges.hpp"
#include "core/journal/members.hpp"
#include "core/journal/vault_sealer.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::app {
namespace {
using test::run_now;

struct Openings : test::VaultTest {
  test::TempFolder folder;
  runtime::BlockingPool pool{1, 16};
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(folder.path() / "blobs"))};
  journal::VaultSealer sealer{*vault};
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(
      Parties::read({{"parties",
                      {{{"id", "school"},
                        {"name", "Basisschool Het Papieren Schip"},
                        {"domain", "education"},
                        {"oin", "0000000700000YY00000"},
                        {"certificates", {{{"oin", "0000000700000YY00000"}}}},
                        {"may_send", {{{"roles", {"school_ib"}}, {"types", {"*"}}, {"regions", {"KNH"}}}}}}}}})
          .value());
  ingress::TypeCatalogue catalogue =
      ingress::TypeCatalogue::load(SCHAKEL_SOURCE_DIR "/config/schemas/messages").value();
  VaultDocumentCheck check{documents};
  EnrolledApps enrolled{*store, *vault, clock};
  ingress::Ingress ingress{journal, parties, catalogue, check, {"KNH"}, &enrolled};
  portal::Authenticators apps{*store, *vault, clock};

  /// With one deelnemer for each factor; an empty one names none.
  Result<std::vector<ingress::Receipt>> open(const std::string& id, const std::vector<std::string>& factors) {
    Json people = Json::array();
    for (const auto& factor : factors) {
      people.push_back({{"person", fmt::format("p-{}", people.size())}, {"role", "orthopedagoog"}});
      if (!factor.empty()) people.back()["second_factor"] = factor;
    }
    Json event{{"specversion", "1.0"},
               {"id", id},
               {"source", "urn:nld:oin:0000000700000YY00000:systeem:las"},
               {"type", "nl.schakel.zaak_opening.v1"},
               {"datacontenttype", "application/json"},
               {"data",
                {{"region", "KNH"},
                 {"sender", {{"role", "school_ib"}}},
                 {"pupil", {{"birth_date", "2017-03-02"}, {"school", "S"}, {"school_type", "PO"}, {"enrolled", true}}},
                 {"case", {{"question_kind", "onderwijs_zorg"}, {"custody", {"ouder_1"}}}},
                 {"participants", people}}}};
    return run_now(ingress.receive(*parties->find("school"), "application/cloudevents+json", {}, dump_json(event)));
  }
  std::size_t accepted() {
    return run_now(store->messages({.case_id = "",
                                    .party = "school",
                                    .type = "",
                                    .outcome = "",
                                    .after = 0,
                                    .limit = 100,
                                    .with_sealed = false}))
        ->size();
  }
};

TEST_F(Openings, AppThatWasNotEnrolledIsRefusedAndNothingIsAccepted) {
  ASSERT_TRUE(run_now(apps.enrol("ortho-1", false, 0)));
  auto refused = open("1", {"totp:ortho-1", "", "totp:ortho-2", "sms:+31612345678", "totp:audit.seed"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  EXPECT_EQ(refused.error().code, "AUTHENTICATOR_UNKNOWN");
  std::vector<std::string> at;
  for (const auto& f : refused.error().findings) at.push_back(f.pointer + " " + f.code);
  EXPECT_EQ(at, (std::vector<std::string>{"/data/participants/2/second_factor AUTHENTICATOR_UNKNOWN",
                                          "/data/participants/4/second_factor AUTHENTICATOR_UNKNOWN"}));
  EXPECT_EQ(accepted(), 0u);
  commit({store::SequenceLeaves{}});
  auto leaves = run_now(store->leaves(0, 100)).value();
  EXPECT_EQ(leaves.back().kind, "message.refused");
  EXPECT_NE(leaves.back().body.find("AUTHENTICATOR_UNKNOWN"), std::string::npos);
  EXPECT_EQ(leaves.back().body.find("ortho-2"), std::string::npos);
}

TEST_F(Openings, WhoHasAnAppASmsNumberOrNothingIsTaken) {
  ASSERT_TRUE(run_now(apps.enrol("ortho-1", false, 0)));
  EXPECT_TRUE(open("1", {"totp:ortho-1", "sms:+31612345678", ""}));
  EXPECT_TRUE(open("2", {}));
  EXPECT_EQ(accepted(), 2u);
}

TEST_F(Openings, ARepeatStaysARepeatWhenTheAppIsGoneSince) {
  ASSERT_TRUE(run_now(apps.enrol("ortho-1", false, 0)));
  auto first = open("1", {"totp:ortho-1"});
  ASSERT_TRUE(first);
  ASSERT_TRUE(run_now(apps.remove("ortho-1", 0)));
  auto again = open("1", {"totp:ortho-1"});
  ASSERT_TRUE(again) << again.error().code;
  EXPECT_TRUE(again->front().duplicate);
  EXPECT_EQ(again->front().case_id, first->front().case_id);
  EXPECT_FALSE(open("2", {"totp:ortho-1"})) << "a new opening is looked at";
}

}  // namespace
}  // namespace schakel::app
