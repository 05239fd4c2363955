#include "core/plugin/registry.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

namespace schakel::plugin {
namespace fs = std::filesystem;
namespace {

Json good() {
  return {{"zaken_url", "https://zaken.example.nl/api"},
          {"documenten_url", "https://Documenten.example.nl:8443/api"},
          {"client_id", "c"},
          {"client_secret", "zgw"},
          {"bronorganisatie", "517439943"},
          {"types", {{"zaaktype", "https://catalogi.example.nl/1"}}}};
}

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root / "adapters");
    fs::create_directories(root / "plugins");
  }
  void copy(const std::string& as) {
    fs::copy_file(fs::path(SCHAKEL_PLUGIN_FOLDER) / "adapters/gemeente.so", root / as);
  }
  std::string code(Kind kind, std::string_view name, std::string stamp = sdk::build_stamp()) {
    Registry registry(root, std::move(stamp));
    auto loaded = registry.load(kind, name);
    return loaded ? "loaded" : loaded.error().code;
  }
  schakel::test::TempFolder temp;
  const fs::path root = temp.path();
};

TEST_F(Folder, LoadsOnceAndChecksConfiguration) {
  Registry registry(SCHAKEL_PLUGIN_FOLDER);
  auto loaded = registry.load(Kind::adapter, "gemeente");
  ASSERT_TRUE(loaded) << loaded.error().code;
  EXPECT_EQ(*registry.load(Kind::adapter, "gemeente"), *loaded);
  auto grants = (*loaded)->check(good());
  ASSERT_TRUE(grants);
  EXPECT_EQ(grants->hosts,
            (std::set<std::string>{"https://zaken.example.nl:443", "https://documenten.example.nl:8443"}));
  EXPECT_EQ(grants->secrets, (std::set<std::string>{"zgw"}));
  EXPECT_TRUE(grants->access.contains("bsn"));
  EXPECT_FALSE(grants->access.contains("mail"));
  EXPECT_TRUE((*loaded)->make_adapter(good()));
  EXPECT_EQ((*loaded)->make_decider(good()).error().code, "PLUGIN_KIND");
}

TEST_F(Folder, ConfigurationFindingsComeAllAtOnce) {
  Registry registry(SCHAKEL_PLUGIN_FOLDER);
  auto loaded = registry.load(Kind::adapter, "gemeente");
  ASSERT_TRUE(loaded);
  Json bad = good();
  bad["zaken_url"] = "http://elders.example.nl/api";
  bad["client_secret"] = "Dit is het geheim zelf";
  bad["bronorganisatie"] = "12";
  bad.erase("types");
  auto grants = (*loaded)->check(bad);
  ASSERT_FALSE(grants);
  std::set<std::string> got;
  for (const auto& f : grants.error().findings) got.insert(f.pointer + ' ' + f.code);
  EXPECT_EQ(got, (std::set<std::string>{"/zaken_url URL_NOT_TLS", "/client_secret SECRET_NAME",
                                        "/bronorganisatie SCHEMA_PATTERN", "/types SCHEMA_REQUIRED"}));
}

/// A dossier takes longer than a message: what carries documents has the time for them.
TEST_F(Folder, AnAdapterDeclaresHowLongAnAttemptMayTake) {
  Registry registry(SCHAKEL_PLUGIN_FOLDER);
  auto seconds = [&](const char* name) {
    auto loaded = registry.load(Kind::adapter, name);
    return loaded ? (*loaded)->declared.attempt_seconds : -1;
  };
  // 10 documents of 25 MB in base64 over 1 MB/s.
  constexpr std::int64_t kDossier = std::int64_t{10} * 25 * 4 / 3;
  EXPECT_GE(seconds("gemeente"), 2 * kDossier);
  EXPECT_GE(seconds("file_drop"), 2 * kDossier);
  for (const char* small : {"duo_verzuim", "onderwijstransparant", "secure_link", "mail", "webhook", "zorgaanbieder"})
    EXPECT_EQ(seconds(small), 120) << small;
}

TEST(Declares, AttemptSecondsOfASchemaAreWholeAndWithinBounds) {
  auto of = [](Json schema) { return declared_in(schema); };
  EXPECT_EQ(of({{"x-access", {"http"}}})->attempt_seconds, 120);
  EXPECT_EQ(of({{"x-access", {"documents"}}})->attempt_seconds, 1800);
  EXPECT_EQ(of({{"x-access", {"documents"}}, {"x-attempt-seconds", 60}})->attempt_seconds, 60);
  EXPECT_EQ(of({{"x-attempt-seconds", 5}})->attempt_seconds, 5);
  EXPECT_EQ(of({{"x-attempt-seconds", 3600}})->attempt_seconds, 3600);
  for (const Json& bad : {Json(4), Json(3601), Json(-1), Json("60"), Json(7.5), Json(nullptr),
                          Json(std::uint64_t{18446744073709551615U})}) {
    auto refused = of({{"x-attempt-seconds", bad}});
    ASSERT_FALSE(refused) << bad.dump();
    EXPECT_EQ(refused.error().code, "PLUGIN_SCHEMA");
  }
}

TEST_F(Folder, AnotherStampIsRefusedBeforeAnyCall) {
  copy("adapters/gemeente.so");
  EXPECT_EQ(code(Kind::adapter, "gemeente", "0123456789abcdef"), "PLUGIN_STAMP");
  EXPECT_EQ(code(Kind::adapter, "gemeente"), "loaded");
}

TEST_F(Folder, AnAdapterIsNeverTakenForADecider) {
  copy("plugins/routing.so");
  EXPECT_EQ(code(Kind::decider, "routing"), "PLUGIN_STAMP");
}

TEST_F(Folder, NamesCannotLeaveTheFolder) {
  for (const char* name : {"../adapters/gemeente", "/etc/passwd", "", "Gemeente", "a.so", "a b"})
    EXPECT_EQ(code(Kind::adapter, name), "PLUGIN_NAME") << name;
  EXPECT_EQ(code(Kind::adapter, "bestaat_niet"), "PLUGIN_NOT_FOUND");
  fs::create_symlink(fs::path(SCHAKEL_PLUGIN_FOLDER) / "adapters/gemeente.so", root / "adapters/gemeente.so");
  EXPECT_EQ(code(Kind::adapter, "gemeente"), "PLUGIN_WRITABLE");
}

TEST_F(Folder, WhatOthersCanWriteIsNotLoaded) {
  copy("adapters/gemeente.so");
  ::chmod((root / "adapters/gemeente.so").c_str(), 0666);
  EXPECT_EQ(code(Kind::adapter, "gemeente"), "PLUGIN_WRITABLE");
  ::chmod((root / "adapters/gemeente.so").c_str(), 0644);
  ::chmod((root / "adapters").c_str(), 0777);
  EXPECT_EQ(code(Kind::adapter, "gemeente"), "PLUGIN_WRITABLE");
}

TEST_F(Folder, FilesThatAreNoPluginAreRefused) {
  std::ofstream(root / "adapters/tekst.so") << "geen ELF";
  EXPECT_EQ(code(Kind::adapter, "tekst"), "PLUGIN_LOAD");
  std::ofstream(root / "adapters/leeg.so").flush();
  EXPECT_EQ(code(Kind::adapter, "leeg"), "PLUGIN_LOAD");
  Dl_info library{};  // some library that is no plugin
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&::OPENSSL_cleanse), &library), 0);
  fs::copy_file(fs::canonical(library.dli_fname), root / "adapters/geen_plugin.so");
  EXPECT_EQ(code(Kind::adapter, "geen_plugin"), "PLUGIN_SYMBOL");
}

TEST(Origin, IsSchemeHostAndPort) {
  EXPECT_EQ(*origin_of("HTTPS://Zaken.Example.NL/a?b"), "https://zaken.example.nl:443");
  EXPECT_EQ(*origin_of("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
  EXPECT_EQ(*origin_of("https://[::1]:1/x"), "https://[::1]:1");
  for (const char* bad : {"", "zaken.example.nl", "ftp://a/b", "https://", "https://user:pw@a/", "https://a:99999/",
                          "https://a:0/", "javascript:x", "https://a b/"})
    EXPECT_FALSE(origin_of(bad)) << bad;
}

TEST(Restrict, LeavesOnlyDeclaredFields) {
  Delivery d;
  d.id = "a";
  d.case_id = "zaak";
  d.pseudonym = "ps";
  d.endpoint = {{"mail", "x@example.nl"}, {"iban", "NL"}};
  d.body = {{"payload", {{"naam", "Jansen"}, {"soort", "x"}}}, {"invoice", {{"number", "1"}}}};
  d.documents.resize(2);
  Delivery got = restrict(d, {"/endpoint/mail", "/body/payload/soort", "/body/afwezig/diep", "/pseudonym"});
  EXPECT_EQ(got.id, "a");
  EXPECT_EQ(got.endpoint, (Json{{"mail", "x@example.nl"}}));
  EXPECT_EQ(got.body, (Json{{"payload", {{"soort", "x"}}}}));
  EXPECT_EQ(got.pseudonym, "ps");
  EXPECT_TRUE(got.case_id.empty());
  EXPECT_TRUE(got.documents.empty());
  EXPECT_EQ(restrict(d, {"/body", "/documents"}).body, d.body);
  EXPECT_EQ(restrict(d, {"/body/payload/naam/diep"}).body, Json::object());
}

}  // namespace
}  // namespace schakel::plugin
