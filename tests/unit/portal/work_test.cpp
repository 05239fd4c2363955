#include <gmock/gmock.h>

#include "core/portal/file_kind.hpp"
#include "core/portal/words.hpp"
#include "tests/unit/portal/http.hpp"

namespace schakel {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

struct Workplace : test::PortalTest {
  IssuedLink link;
  test::Browser b;
  std::string token;
  void SetUp() override {
    test::PortalTest::SetUp();
    link = workplace_link();
    b = entered(link);
    token = b.csrf("/w/" + link.id);
  }
  test::Answer upload(const std::string& name, const std::string& content, const std::string& csrf,
                      const std::string& kind = "opp", bool cut = false) {
    std::string body;
    for (auto& [k, v] : {std::pair<std::string, std::string>{"csrf", csrf}, {"soort", kind}, {"status", "compleet"}})
      body += "--grens\r\nContent-Disposition: form-data; name=\"" + k + "\"\r\n\r\n" + v + "\r\n";
    body += "--grens\r\nContent-Disposition: form-data; name=\"bestand\"; filename=\"" + name +
            "\"\r\nContent-Type: application/pdf\r\n\r\n" + content + "\r\n";
    if (!cut) body += "--grens--\r\n";
    return b.request("POST", "/w/" + link.id + "/document", body, "multipart/form-data; boundary=grens");
  }
  std::string form(const std::string& more = "") {
    return "csrf=" + token +
           "&sleutel=AAAAAAAAAAAAAAAAAAAAAA&vraag=onderwijs_zorg&overleg=OT&datum=2026-04-16&tijd=10%3A00&document=" +
           doc1 + more;
  }
};

TEST_F(Workplace, UploadedDocumentIsInTheCaseByteForByte) {
  std::string content = "%PDF-1.7\n";
  for (int i = 0; i < 30000; ++i) content += "\r\n--gren" + std::to_string(i);
  auto a = upload("Pluk Testerman OPP.pdf", content, token);
  EXPECT_EQ(a.status, 303);
  EXPECT_THAT(a.header("location"), Not(HasSubstr("Testerman")));
  EXPECT_EQ(as_text(backend.document_content("doc-3")), content);
  EXPECT_THAT(b.get("/w/" + link.id).body, Not(HasSubstr("Testerman"))) << "the sender's file name is not kept";
}

TEST_F(Workplace, UploadThatIsNotWhatItSaysIsRefusedAndKeepsNothing) {
  const auto before = backend.documents();
  EXPECT_EQ(upload("a.pdf", "<script>alert(1)</script>", token).status, 422);
  EXPECT_EQ(upload("a.html", "%PDF-1.7", token).status, 422);
  EXPECT_EQ(upload("a.pdf", "", token).status, 422);
  EXPECT_EQ(upload("a.pdf", "%PDF-1.7 x", token, "").status, 422);
  EXPECT_EQ(upload("a.pdf", "%PDF-1.7 x", token, "opp\r\nX: y").status, 422);
  EXPECT_EQ(upload("a.pdf", "%PDF-1.7 x", "verkeerd").status, 403);
  EXPECT_EQ(upload("a.pdf", "%PDF-1.7 x", token, "opp", true).status, 422) << "cut before its end";
  EXPECT_EQ(upload("a.pdf", "%PDF-1.7" + std::string(1'000'000, 'x'), token).status, 413);
  EXPECT_EQ(b.request("POST", "/w/" + link.id + "/document", "rubbish", "text/plain").status, 422);
  EXPECT_EQ(b.request("POST", "/w/" + link.id + "/document", "rubbish", "multipart/form-data; boundary=grens").status,
            422);
  EXPECT_EQ(backend.documents(), before);
}

TEST_F(Workplace, PreviewSaysWhoGetsWhatAndWhyAndSendsNothing) {
  auto a = b.post("/w/" + link.id + "/voorbeeld", form());
  EXPECT_EQ(a.status, 200);
  EXPECT_THAT(a.body, HasSubstr("Orthopedagoog (samenwerkingsverband)"));
  EXPECT_THAT(a.body, HasSubstr("Bij wijkteam betrokkenheid: betrokken procesregisseur"));
  EXPECT_THAT(a.body, HasSubstr("Jeugdhulpdeskundige (gemeente)"));
  EXPECT_THAT(a.body, HasSubstr("Deze rol is niet betrokken bij dit dossier"));
  EXPECT_THAT(a.body, HasSubstr("donderdag 16 april 2026, 10:00 uur"));
  EXPECT_THAT(a.body, HasSubstr("Volgens de afspraken in de regio heeft deze rol de documenten niet nodig."))
      << "our own rule, in Dutch";
  EXPECT_EQ(backend.submits, 0);
}

TEST_F(Workplace, BlockedSendingShowsTheReasonAndNoButton) {
  auto a = b.post("/w/" + link.id + "/voorbeeld", form("&toelichting=zonder+toestemming"));
  EXPECT_THAT(a.body, HasSubstr("Er is geen toestemming van de ouders"));
  EXPECT_THAT(a.body, HasSubstr("met toestemming van ouders, middels een beveiligde link verstuurd"));
  EXPECT_THAT(a.body, Not(HasSubstr("Nu versturen")));
  EXPECT_EQ(b.post("/w/" + link.id + "/versturen", form("&toelichting=zonder+toestemming")).status, 409);
}

TEST_F(Workplace, AfterAnAnswerTheFormGoesOnUnderAKeyOfItsOwn) {
  const std::string path = "/w/" + link.id + "/versturen", old = "AAAAAAAAAAAAAAAAAAAAAA";
  auto key_in = [](const std::string& body) {
    const std::string before = "name=\"sleutel\" value=\"";
    const auto at = body.find(before);
    return at == body.npos ? std::string() : body.substr(at + before.size(), 22);
  };
  auto blocked = b.post(path, form("&toelichting=zonder+toestemming"));
  EXPECT_EQ(blocked.status, 409);
  EXPECT_THAT(blocked.body, HasSubstr("Er is geen toestemming van de ouders"));
  EXPECT_THAT(blocked.body, HasSubstr("name=\"vraag\" value=\"onderwijs_zorg\"")) << "what was filled in stays";
  ASSERT_EQ(key_in(blocked.body).size(), old.size());
  EXPECT_NE(key_in(blocked.body), old);

  auto other = b.post(path, form());
  EXPECT_EQ(other.status, 409) << "the old key with other content";
  EXPECT_THAT(other.body, HasSubstr("al eerder verstuurd"));
  EXPECT_THAT(other.body, Not(HasSubstr("aan onze kant")));

  auto again = form();
  again.replace(again.find(old), old.size(), key_in(other.body));
  EXPECT_EQ(b.post(path, again).status, 303);
  EXPECT_EQ(b.post(path, again).status, 303) << "a second press is still one sending";
  auto list = test::run_now(links.of_case("case-1"));
  EXPECT_EQ(std::ranges::count(*list, false, &portal::LinkStatus::workplace), 2);
}

TEST_F(Workplace, SecondPressOfTheButtonSendsNothingMore) {
  EXPECT_EQ(b.post("/w/" + link.id + "/versturen", form()).status, 303);
  EXPECT_EQ(b.post("/w/" + link.id + "/versturen", form()).status, 303);
  auto list = test::run_now(links.of_case("case-1"));
  EXPECT_EQ(std::ranges::count(*list, false, &portal::LinkStatus::workplace), 2);
  auto page = b.get("/w/" + link.id + "?m=verzonden").body;
  EXPECT_THAT(page, HasSubstr("De documenten zijn verzonden"));
  EXPECT_THAT(page, HasSubstr("Verzonden, nog niet geopend"));
}

TEST_F(Workplace, OwnerWithdrawsOneRecipientAndTheOthersStay) {
  ASSERT_EQ(b.post("/w/" + link.id + "/versturen", form()).status, 303);
  EXPECT_EQ(b.post("/w/" + link.id + "/intrekken", "csrf=" + token + "&aflevering=d1").status, 303);
  EXPECT_TRUE(test::run_now(links.of_delivery("d1"))->value().revoked);
  EXPECT_FALSE(test::run_now(links.of_delivery("d2"))->value().revoked);
  EXPECT_EQ(b.post("/w/" + link.id + "/intrekken", "csrf=" + token + "&aflevering=nope").status, 404);
}

TEST_F(Workplace, FormThatIsNotFilledInSaysWhatIsMissing) {
  auto a = b.post("/w/" + link.id + "/voorbeeld",
                  "csrf=" + token + "&sleutel=AAAAAAAAAAAAAAAAAAAAAA&datum=2026-13-40&tijd=99:99");
  EXPECT_EQ(a.status, 422);
  for (auto text : {"Kies waar de vraag over gaat.", "Kies voor welk overleg de documenten zijn.",
                    "Vul de datum en het tijdstip van het overleg in.", "Kies minstens één document."})
    EXPECT_THAT(a.body, HasSubstr(text));
  EXPECT_THAT(a.body, HasSubstr("aria-invalid"));
}

TEST(SendForm, ReadsAmsterdamTimeInSummerWinterAndOnTheNightOfTheChange) {
  auto at = [](std::string date, std::string time) {
    auto f = portal::read_send_form(
        {{"vraag", "zorg"}, {"overleg", "MDO"}, {"datum", date}, {"tijd", time}, {"document", "d"}});
    return f ? format_instant(f->meeting.at) : f.error().code;
  };
  EXPECT_EQ(at("2026-07-01", "10:00"), "2026-07-01T08:00:00.000Z");
  EXPECT_EQ(at("2026-01-15", "10:00"), "2026-01-15T09:00:00.000Z");
  EXPECT_EQ(at("2026-03-29", "10:00"), "2026-03-29T08:00:00.000Z");
  EXPECT_EQ(at("2026-10-25", "10:00"), "2026-10-25T09:00:00.000Z");
  for (auto [d, t] : {std::pair{"2026-02-30", "10:00"},
                      {"2026-07-01", "24:00"},
                      {"2026-07-01", "1:00"},
                      {"", ""},
                      {"2026-07-01", "10:00:00"}})
    EXPECT_EQ(at(d, t), "FORM");
}

TEST(SendForm, HostileFieldsAreRefused) {
  std::vector<std::pair<std::string, std::string>> good{
      {"vraag", "zorg"}, {"overleg", "OT"}, {"datum", "2026-07-01"}, {"tijd", "10:00"}};
  auto many = good;
  for (int i = 0; i < 60; ++i) many.emplace_back("document", "d" + std::to_string(i));
  EXPECT_FALSE(portal::read_send_form(many));
  auto long_note = good;
  long_note.emplace_back("document", "d");
  EXPECT_TRUE(portal::read_send_form(long_note));
  long_note.emplace_back("toelichting", std::string(5000, 'x'));
  EXPECT_FALSE(portal::read_send_form(long_note));
  auto wrong = good;
  wrong[0].second = "<b>";
  wrong.emplace_back("document", "d");
  EXPECT_FALSE(portal::read_send_form(wrong));
}

TEST(FileKind, EndingAndContentMustAgree) {
  auto kind = [](std::string_view ext, std::string_view first) {
    return portal::file_kind(ext, as_bytes(first)).value_or("refused");
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(kind("pdf", "%PDF-1.7"), "application/pdf");
  EXPECT_EQ(kind("pdf", "\xef\xbb\xbf%PDF"), "refused");
  EXPECT_EQ(kind("png", "\x89PNG\r\n\x1a\n..."sv), "image/png");
  EXPECT_EQ(kind("jpg", "\x89PNG\r\n\x1a\n"sv), "refused");
  EXPECT_EQ(kind("jpeg", "\xff\xd8\xff\xe0"sv), "image/jpeg");
  EXPECT_EQ(kind("txt", "gewone tekst\r\n"), "text/plain");
  EXPECT_EQ(kind("txt", "<html>"), "refused");
  EXPECT_EQ(kind("txt", "a\0b"sv), "refused");
  EXPECT_EQ(kind("docx", "PK\x03\x04 ... [Content_Types].xml"sv),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
  EXPECT_EQ(kind("docx", "%PDF-1.7"), "refused");
  EXPECT_EQ(kind("odt",
                 "PK\x03\x04"
                 "12345678901234567890123456"
                 "mimetypeapplication/vnd.oasis.opendocument.text"sv),
            "application/vnd.oasis.opendocument.text");
  for (auto ext : {"svg", "html", "exe", "zip", "", "pdf.exe", "docm"})
    EXPECT_EQ(kind(ext, "%PDF-1.7"), "refused") << ext;
  EXPECT_EQ(kind("pdf", ""), "refused");
}

TEST(Words, FileNameIsAsciiAndOursWhateverComesIn) {
  EXPECT_EQ(portal::file_name("opp", "OZA-7K3F-9Q2M", 2, "application/pdf"), "opp-OZA-7K3F-9Q2M-v2.pdf");
  const auto hostile = portal::file_name("a\"\r\nX: y/../é", "b;c", 1, "text/html");
  EXPECT_EQ(hostile.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."),
            std::string::npos);
  EXPECT_EQ(hostile.substr(hostile.rfind('.')), ".bin");
}

TEST(Words, UnknownCodesAreStillWords) {
  EXPECT_EQ(portal::role_word("nieuwe_rol"), "Nieuwe rol");
  EXPECT_EQ(portal::role_word("zorgaanbieder:C"), "Zorgaanbieder C");
  EXPECT_EQ(portal::role_word("lokaal_team@Gouda"), "Lokaal team, gemeente Gouda");
  EXPECT_THAT(portal::explain("NEW_CODE").help, HasSubstr("NEW_CODE"));
  EXPECT_EQ(portal::size_word(2'345'678), "2,3 MB");
}

}  // namespace
}  // namespace schakel
