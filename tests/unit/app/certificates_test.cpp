// A certificate that is replaced on disk is the one that the next connection sees.
#include "core/app/certificates.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/app/test_pki.hpp"
#include "core/net/tls.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::app {
namespace {

namespace fs = std::filesystem;

struct Certificates : ::testing::Test {
  test::TempFolder folder;
  CertificateWatch watch;
  std::shared_ptr<net::TlsServerContext> tls;

  void SetUp() override {
    for (auto set : {"old", "new"}) {
      fs::create_directory(folder.path / set);
      ASSERT_TRUE(make_test_pki(folder.path / set, {{"server", "Knooppunt", "", true}}));
    }
    put("old", "server.pem");
    put("old", "server.key");
    net::TlsServerOptions o;
    o.certificate_file = folder.path / "server.pem";
    o.key_file = folder.path / "server.key";
    auto loaded = net::TlsServerContext::load(o);
    ASSERT_TRUE(loaded) << loaded.error().message;
    tls = *loaded;
    watch.add({o.certificate_file, o.key_file, o.crl_file}, [this] { return tls->reload(); });
  }
  /// As a tool that renews does: written beside, then in its place.
  void put(const char* set, const char* file) {
    auto beside = folder.path / "renewed";
    fs::copy_file(folder.path / set / file, beside, fs::copy_options::overwrite_existing);
    fs::last_write_time(beside, fs::file_time_type::clock::now() + std::chrono::seconds(++moments));
    fs::rename(beside, folder.path / file);
  }
  int moments = 0;
};

TEST_F(Certificates, ARenewedOneIsUsedAndAHalfRenewedOneIsNot) {
  auto first = tls->current();
  EXPECT_EQ(watch.look(), 0);
  EXPECT_EQ(tls->current(), first) << "nothing changed";
  put("new", "server.pem");
  EXPECT_EQ(watch.look(), 0) << "the key is still the old one";
  EXPECT_EQ(tls->current(), first);
  put("new", "server.key");
  EXPECT_EQ(watch.look(), 1);
  EXPECT_NE(tls->current(), first);
  EXPECT_EQ(watch.look(), 0);
}

TEST_F(Certificates, AFileThatIsGoneOrRubbishChangesNothing) {
  auto first = tls->current();
  fs::remove(folder.path / "server.pem");
  EXPECT_EQ(watch.look(), 0);
  std::ofstream(folder.path / "server.pem") << "geen certificaat";
  EXPECT_EQ(watch.look(), 0);
  EXPECT_EQ(tls->current(), first);
  put("old", "server.pem");
  EXPECT_EQ(watch.look(), 1);
}

}  // namespace
}  // namespace schakel::app
