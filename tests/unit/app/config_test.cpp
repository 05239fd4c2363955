// What `schakel check` and a start say of schakel.json: everything a start would stumble over, at its place, at once.
#include "core/app/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/app/test_pki.hpp"
#include "core/vault/master_key.hpp"
#include "tests/support/temp_folder.hpp"

namespace schakel::app {
namespace {
namespace fs = std::filesystem;

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(at("certs"));
    fs::create_directories(at("secrets"));
    ASSERT_TRUE(make_test_pki(at("certs"), {{"server", "Schakel TEST", "", true}}));
    ASSERT_TRUE(vault::MasterKey::create_file(at("secrets/master.key").string()));
    std::ofstream(at("parties.json")) << R"({"parties": []})";
    config = Json::parse(R"({
      "data_dir": "data", "vault": {"master_key_file": "secrets/master.key"}, "parties": "parties.json",
      "listen": {"api": {"address": "127.0.0.1", "port": 8443, "certificate": "certs/server.pem", "key": "certs/server.key",
                         "client_ca": "certs/ca.pem"},
                 "health": {"address": "::1", "port": 8445}},
      "portal": {"address": "127.0.0.1", "port": 8444, "base_url": "https://portaal.example"},
      "mail": {"host": "127.0.0.1", "port": 1025, "security": "none", "from": "schakel@schakel.example"}, "adapters": {}})");
  }
  void TearDown() override { ::unsetenv("CREDENTIALS_DIRECTORY"); }
  fs::path at(const std::string& name) { return fs::path(folder.file(name)); }
  Result<Config> read() {
    std::ofstream(at("schakel.json")) << config.dump();
    return read_config(at("schakel.json"), SCHAKEL_BINARY_DIR);
  }
  /// "pointer CODE" of each finding.
  std::vector<std::string> findings() {
    auto done = read();
    std::vector<std::string> out;
    if (!done)
      for (const auto& f : done.error().findings)
        out.push_back(f.pointer.substr(f.pointer.find('#') + 1) + " " + f.code);
    return out;
  }
  std::vector<std::string> with(const std::string& pointer, Json value) {
    auto before = config;
    config[Json::json_pointer(pointer)] = std::move(value);
    auto out = findings();
    config = before;
    return out;
  }
  using Found = std::vector<std::string>;

  test::TempFolder folder;
  Json config;
};

TEST_F(ConfigTest, SoundOneIsTaken) { EXPECT_EQ(findings(), Found{}); }

TEST_F(ConfigTest, AddressesNamesAndLevelsAreLookedAt) {
  EXPECT_EQ(with("/listen/api/address", "0.0.0.0.0"), Found{"/listen/api/address VALUE"});
  EXPECT_EQ(with("/log", {{"level", "lawaai"}}), Found{"/log/level VALUE"});
  EXPECT_EQ(with("/mail/from", "geen adres"), Found{"/mail/from VALUE"});
  for (const char* url : {"niet-een-url/", "https://portaal.example/", "https://portaal.example?x=1",
                          "https://u@portaal.example", "ftp://portaal.example", "https://"})
    EXPECT_EQ(with("/portal/base_url", url), Found{"/portal/base_url VALUE"}) << url;
  EXPECT_EQ(with("/portal/base_url", "http://portaal.example"), Found{"/portal/base_url TLS_REQUIRED"});
  EXPECT_EQ(with("/portal/base_url", "http://localhost:8444"), Found{});
}

TEST_F(ConfigTest, NumbersOnInvoicesAreCheckedBeforeTheFirstInvoice) {
  auto with_invoice = [&](const Json& more) {
    Json invoice{
        {"payer_role", "swv"}, {"name", "SWV De Verzonnen Regio"}, {"kvk", "90000004"}, {"iban", "NL35TEST0001000004"}};
    invoice.merge_patch(more);
    std::ofstream(at("parties.json"))
        << Json{{"parties", {{{"id", "swv-1"}, {"name", "SWV"}, {"domain", "education"}, {"invoice", invoice}}}}}
               .dump();
    return findings();
  };
  EXPECT_EQ(with_invoice(Json::object()), Found{});
  EXPECT_EQ(with_invoice({{"iban", "NL36TEST0001000004"}}), Found{"swv-1/invoice/iban IBAN_CHECK"});
  EXPECT_EQ(with_invoice({{"kvk", "9000000"}}), Found{"swv-1/invoice/kvk KVK_FORMAT"});
  EXPECT_EQ(with_invoice({{"oin", "00000000000000000000"}}), Found{"swv-1/invoice/oin OIN_FORMAT"});
  EXPECT_EQ(with_invoice({{"vat_category", "X"}}), Found{"swv-1/invoice/vat_category VAT_CATEGORY"});
  EXPECT_EQ(with_invoice({{"vat_category", "S"}}), Found{"swv-1/invoice/vat_number VAT_NUMBER_NEEDED"});
  EXPECT_EQ(with_invoice({{"vat_category", "E"}, {"vat_number", "NL12345678B01"}}),
            Found{"swv-1/invoice/vat_number VAT_NUMBER"});
  // Without a category its invoices would lose their VAT without a word.
  EXPECT_EQ(with_invoice({{"vat_number", "NL123456789B01"}}), Found{"/parties/0/invoice/vat_category REQUIRED"});
  EXPECT_EQ(with_invoice({{"vat_number", "NL123456789B01"}, {"vat_category", "S"}}), Found{});
}

TEST_F(ConfigTest, ASecretThatAStartWouldMissIsMissedHere) {
  Json sms{{"url", "https://sms.example/messages"}, {"secret", "sms"}};
  Json imap{{"imap", {{"host", "imap.example"}, {"user", "schakel"}, {"password_secret", "postbus"}}}};
  EXPECT_EQ(with("/mail/password_secret", "mail"), Found{"/mail/password_secret SECRET_UNKNOWN"});
  EXPECT_EQ(with("/portal/sms", sms), Found{"/portal/sms/secret SECRET_UNKNOWN"});
  EXPECT_EQ(with("/mail/returns", imap), Found{"/mail/returns/imap/password_secret SECRET_UNKNOWN"});
  EXPECT_EQ(with("/portal/sms", {{"url", "https://sms.example/messages"}, {"secret", 7}}),
            Found{"/portal/sms/secret TYPE"});
  for (const char* name : {"mail", "sms", "postbus"}) {
    folder.write("secrets/" + std::string(name), "geheim");
    config["secrets"][name] = {{"file", "secrets/" + std::string(name)}};
  }
  EXPECT_EQ(with("/mail/password_secret", "mail"), Found{});
  EXPECT_EQ(with("/portal/sms", sms), Found{});
  EXPECT_EQ(with("/mail/returns", imap), Found{});
}

TEST_F(ConfigTest, CertificateThatAStartWouldRefuseIsRefusedHere) {
  std::ofstream(at("certs/server.pem"), std::ios::trunc) << "-----BEGIN CERTIFICATE-----\nrubbish\n";
  EXPECT_EQ(findings(), Found{"/listen/api TLS_CONFIG"});
}

TEST_F(ConfigTest, KeyThatOthersMayReadIsRefused) {
  fs::permissions(at("certs/server.key"), fs::perms::owner_read | fs::perms::group_read);
  EXPECT_EQ(findings(), Found{"/listen/api/key KEY_MODE"});
}

TEST_F(ConfigTest, KeysThatAServiceManagerHandsOverGoFirstAndMayHaveAGroup) {
  fs::create_directories(at("handed"));
  fs::rename(at("certs/server.key"), at("handed/server.key"));
  fs::rename(at("secrets/master.key"), at("handed/master.key"));
  EXPECT_EQ(findings(), (Found{"/vault/master_key_file FILE_MISSING", "/listen/api/key FILE_MISSING"}));
  ::setenv("CREDENTIALS_DIRECTORY", at("handed").c_str(), 1);
  fs::permissions(at("handed/server.key"), fs::perms::owner_read | fs::perms::group_read);
  auto read_now = read();
  ASSERT_TRUE(read_now) << read_now.error().findings.front().pointer;
  EXPECT_EQ(read_now->api.key, at("handed/server.key"));
  EXPECT_EQ(read_now->master_key, at("handed/master.key"));
  fs::permissions(at("handed/server.key"), fs::perms::owner_read | fs::perms::others_read);
  EXPECT_EQ(findings(), Found{"/listen/api/key KEY_MODE"});
}

/// How long one attempt may take, of each instance apart.
TEST_F(ConfigTest, AttemptSecondsAreWholeAndWithinBounds) {
  config["adapters"]["zaken"] = {{"plugin", "file_drop"}, {"config", {{"out_folder", "/tmp/uit"}}}};
  auto absent = read();
  ASSERT_TRUE(absent) << absent.error().findings.front().pointer << absent.error().findings.front().message;
  EXPECT_EQ(absent->adapters.at("zaken").attempt_seconds, std::nullopt) << "as the adapter declares";
  for (std::int64_t good : {5, 120, 3600}) {
    config["adapters"]["zaken"]["attempt_seconds"] = good;
    auto done = read();
    ASSERT_TRUE(done) << good;
    EXPECT_EQ(done->adapters.at("zaken").attempt_seconds, good);
  }
  for (const Json& bad : {Json(4), Json(3601), Json(-1), Json(0), Json(60.5), Json("60"), Json(nullptr), Json(true)})
    EXPECT_EQ(with("/adapters/zaken/attempt_seconds", bad), Found{"/adapters/zaken/attempt_seconds RANGE"})
        << bad.dump();
  EXPECT_EQ(with("/adapters/zaken/attempt_second", 60), Found{"/adapters/zaken/attempt_second UNKNOWN_FIELD"});
}

TEST_F(ConfigTest, ThePagesSayWhoseTheyAreAndWhomToCall) {
  EXPECT_EQ(read()->portal.organisation, "Schakel");
  config["portal"]["organisation"] = "Samenwerkingsverband Kop van Noord-Holland";
  config["portal"]["contact"] = "Bel 0223 000 000 op schooldagen";
  auto done = read();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->portal.organisation, "Samenwerkingsverband Kop van Noord-Holland");
  EXPECT_EQ(done->portal.contact, "Bel 0223 000 000 op schooldagen");
  EXPECT_EQ(with("/portal/organisation", ""), Found{"/portal/organisation VALUE"});
  EXPECT_EQ(with("/portal/organisation", std::string(101, 'a')), Found{"/portal/organisation VALUE"});
  EXPECT_EQ(with("/portal/contact", std::string(201, 'a')), Found{"/portal/contact VALUE"});
  EXPECT_EQ(with("/portal/contact", 7), Found{"/portal/contact TYPE"});
}

TEST_F(ConfigTest, PluginOfAnotherBuildIsSaidBeforeTheStart) {
  fs::create_directories(at("lib/plugins"));
  fs::create_directories(at("lib/adapters"));
  config["plugins_dir"] = at("lib").string();
  auto found = findings();
  ASSERT_EQ(found.size(), 4u) << "each decider";
  EXPECT_TRUE(found[0].starts_with("/plugins_dir ")) << found[0];
}

}  // namespace
}  // namespace schakel::app
