// Whose documents a workplace shows: those of the organisation of its person, where that may speak in their role.
#include <gtest/gtest.h>

#include "core/app/edges.hpp"
#include "core/app/portal_backend.hpp"
#include "core/journal/vault_sealer.hpp"
#include "tests/unit/pipeline/road_parts.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::app {
namespace {
using test::run_now;

Json party_of_test(const char* id, const char* domain, Json roles, const char* region) {
  return {{"id", id},
          {"name", id},
          {"domain", domain},
          {"may_send", {{{"roles", roles}, {"types", {"*"}}, {"regions", {region}}}}}};
}

struct WorkplaceOf : test::VaultTest {
  boost::asio::io_context io;
  test::TempFolder folder;
  runtime::BlockingPool pool{1, 16};
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(folder.path() / "blobs"))};
  vault::Participants participants{*vault, *store};
  journal::VaultSealer sealer{*vault};
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  std::shared_ptr<const Parties> parties =
      std::make_shared<Parties>(Parties::read({{"parties",
                                                {party_of_test("school", "education", {"school_ib"}, "KNH"),
                                                 party_of_test("elders", "education", {"school_ib"}, "FRL"),
                                                 party_of_test("gemeente", "care", {"procesregisseur"}, "*")}}})
                                    .value());
  test::NoPeople people;
  pipeline::Pipeline pipeline{journal, {}, load_profiles(SCHAKEL_SOURCE_DIR "/config").value(), parties, people};
  ingress::TypeCatalogue catalogue =
      ingress::TypeCatalogue::load(SCHAKEL_SOURCE_DIR "/config/schemas/messages").value();
  VaultDocumentCheck check{documents};
  ingress::Ingress ingress{journal, parties, catalogue, check, {"KNH", "FRL"}};
  delivery::Delivering delivering{journal, *vault, documents, pipeline.profiles()};
  portal::LinkService links{*store, *vault, clock, nullptr, {.public_url = "https://portaal.example"}};
  BrokerPortalBackend backend{io.get_executor(), journal, pipeline, ingress, delivering, documents,
                              participants,      *vault,  links,    parties, 1 << 20};
  const std::string zaak = "Z-22222222222222AA";

  void SetUp() override {
    Message m;
    m.id = "opening";
    m.source = "urn:test";
    m.type = "zaak_opening";
    m.subject = zaak;
    m.region = "KNH";
    m.party = "gemeente";
    m.sender_role = "procesregisseur";
    ASSERT_TRUE(run_now(journal.accept(std::move(m))));
  }
  /// The link of somebody with this role, whom this party named.
  portal::LinkView somebody(const std::string& role, const std::string& party) {
    auto put = run_now(participants.put({zaak, "p-1", role, "Fictief", "p@school.example", "sms:+31600000001", party}));
    EXPECT_TRUE(put);
    commit({std::move(*put)});
    portal::LinkView link;
    link.case_id = zaak;
    link.person = "p-1";
    link.role = role;
    link.workplace = true;
    return link;
  }
  std::string document(const std::string& party) {
    vault::DocumentRecord r;
    r.case_id = zaak;
    r.doc_type = "opp";
    r.status = "compleet";
    r.media_type = "application/pdf";
    r.file_name = "opp-v1.pdf";
    r.party = party;
    auto stored = run_now(documents.store(std::move(r), to_bytes("%PDF-1.7 verzonnen")));
    EXPECT_TRUE(stored) << stored.error().code;
    return stored ? stored->id : "";
  }
  std::string invite() {
    auto done = run_now(backend.links_for_operator({{"do", "workplace"}, {"zaak", zaak}, {"persoon", "p-1"}}));
    return done ? "" : done.error().code;
  }
  std::string view(portal::LinkView link) {
    auto done = run_now(backend.case_view(std::move(link)));
    return done ? "" : done.error().code;
  }
  std::string fetch(portal::LinkView link, std::string id) {
    auto done = run_now(backend.download(std::move(link), std::move(id)));
    return done ? "" : done.error().code;
  }
};

TEST_F(WorkplaceOf, ItsOwnSchoolShowsWhatThatSchoolBroughtAndNoMore) {
  auto own = document("school"), of_gemeente = document("gemeente");
  auto link = somebody("school_ib", "school");
  EXPECT_EQ(invite(), "");
  auto shown = run_now(backend.case_view(link));
  ASSERT_TRUE(shown) << shown.error().code;
  ASSERT_EQ(shown->documents.size(), 1U);
  EXPECT_EQ(shown->documents[0].id, own);
  EXPECT_EQ(fetch(link, own), "");
  EXPECT_EQ(fetch(link, of_gemeente), "DOCUMENT_UNKNOWN");
}

TEST_F(WorkplaceOf, WhoWasNamedByAnOrganisationThatCannotSpeakForTheSchoolHasNone) {
  auto theirs = document("gemeente");
  auto link = somebody("school_ib", "gemeente");
  EXPECT_EQ(invite(), "ROLE_NOT_ALLOWED") << "the gemeente opened the case and named the school's staff";
  EXPECT_EQ(view(link), "ROLE_NOT_ALLOWED") << "also by a link from before";
  EXPECT_EQ(fetch(link, theirs), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(view(somebody("school_ib", "elders")), "ROLE_NOT_ALLOWED") << "a school of another region";
  EXPECT_EQ(view(somebody("procesregisseur", "gemeente")), "ROLE_NOT_ALLOWED") << "a workplace is of a school";
  EXPECT_EQ(view(somebody("school_ib", "")), "PARTY_UNKNOWN");
}

}  // namespace
}  // namespace schakel::app
