// From enrolment to an opened link, with the codes that an app would show.
#include "core/portal/authenticators.hpp"

#include "tests/unit/portal/support.hpp"

namespace schakel::test {
namespace {

/// RFC 4648 base32 without padding.
Bytes from_base32(std::string_view text) {
  Bytes out;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (char c : text) {
    auto v = c >= 'A' && c <= 'Z' ? c - 'A' : c - '2' + 26;
    buffer = buffer << 5 | static_cast<std::uint32_t>(v);
    if ((bits += 5) >= 8) out.push_back(static_cast<std::uint8_t>(buffer >> (bits -= 8)));
  }
  return out;
}

struct Apps : LinkTest {
  portal::Authenticators apps{*store, *vault, clock};
  /// What an app shows that read this address.
  std::string shows(const std::string& uri) {
    auto at = uri.find("secret=") + 7;
    auto key = from_base32(uri.substr(at, uri.find('&', at) - at));
    return portal::hotp(key, static_cast<std::uint64_t>(portal::totp_step(clock.now())), {portal::TotpHash::sha1, 6});
  }
  std::string enrol(const std::string& name, bool replace = false) {
    auto uri = run_now(apps.enrol(name, replace, 1000));
    EXPECT_TRUE(uri) << uri.error().code;
    return uri ? *uri : "";
  }
  std::string open_with(const std::string& delivery, const std::string& name, const std::string& code) {
    auto link = issue(order(delivery, "totp:" + name));
    auto s = session(link.id, prove(link));
    EXPECT_TRUE(run_now(links.begin_round(s)));
    return code_of(run_now(links.try_code(s, Secret(std::string_view(code)))));
  }
};

TEST_F(Apps, AnEnrolledAppOpensALinkAndItsSeedIsShownOnce) {
  auto uri = enrol("ortho-1");
  EXPECT_TRUE(uri.starts_with("otpauth://totp/Schakel:ortho-1?secret=")) << uri;
  for (auto part : {"&issuer=Schakel", "&algorithm=SHA1", "&digits=6", "&period=30"})
    EXPECT_NE(uri.find(part), std::string::npos) << part;
  EXPECT_EQ(open_with("d1", "ortho-1", shows(uri)), "");
  EXPECT_EQ(code_of(run_now(apps.enrol("ortho-1", false, 0))), "AUTHENTICATOR_EXISTS");
  clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(open_with("d2", "ortho-1", shows(uri)), "") << "the refused enrolment changed nothing";
  auto secret = uri.substr(uri.find("secret=") + 7, 32);
  for (auto& row : rows(vault::kSecrets)) EXPECT_EQ(as_text(row.value).find(secret), std::string_view::npos);
  EXPECT_EQ(leaves("authenticator.enrolled"), 1);
  for (auto& l : *run_now(store->leaves(0, 1000))) EXPECT_EQ(l.body.find(secret), std::string::npos);
}

TEST_F(Apps, AReplacedOrRemovedAppOpensNothing) {
  auto old = enrol("jhd-1"), fresh = enrol("jhd-1", true);
  EXPECT_NE(old, fresh);
  EXPECT_EQ(open_with("d1", "jhd-1", shows(old)), "CODE_WRONG");
  auto link = issue(order("d2", "totp:jhd-1"));
  auto s = session(link.id, prove(link));
  ASSERT_TRUE(run_now(links.begin_round(s)));
  ASSERT_TRUE(run_now(apps.remove("jhd-1", 1000)));
  EXPECT_EQ(code_of(run_now(links.try_code(s, Secret(std::string_view(shows(fresh)))))), "LINK_DEAD");
  EXPECT_EQ(code_of(run_now(apps.remove("jhd-1", 1000))), "AUTHENTICATOR_UNKNOWN");
  EXPECT_EQ(code_of(run_now(links.issue(order("d3", "totp:jhd-1")))), "LINK_NO_FACTOR");
  EXPECT_EQ(leaves("authenticator.replaced") + leaves("authenticator.removed"), 2);
}

TEST_F(Apps, NoFactorReachesAnotherSecretOfTheBroker) {
  commit({*run_now(vault->put_secret("audit.seed", Secret(std::string_view(seed))))});
  EXPECT_FALSE(*run_now(apps.known("totp:audit.seed")));
  EXPECT_FALSE(*run_now(apps.known("audit.seed")));
  EXPECT_EQ(code_of(run_now(links.issue(order("d1", "totp:audit.seed")))), "LINK_NO_FACTOR");
  EXPECT_EQ(*run_now(apps.names()), (std::vector<std::string>{"app-1"}));
  enrol("audit.seed");
  EXPECT_EQ(run_now(vault->secret("audit.seed"))->reveal_text(), seed) << "a name is below its own prefix";
}

TEST_F(Apps, HostileNamesAreRefused) {
  for (std::string name : {"", "a/b", "A", "a b", "a?secret=x", "a&b", "\n", "../x", "jos\xc3\xa9"})
    EXPECT_EQ(code_of(run_now(apps.enrol(name, false, 0))), "AUTHENTICATOR_NAME") << name;
  EXPECT_EQ(code_of(run_now(apps.enrol(std::string(65, 'a'), false, 0))), "AUTHENTICATOR_NAME");
  EXPECT_TRUE(run_now(apps.enrol(std::string(64, 'a'), false, 0)));
}

}  // namespace
}  // namespace schakel::test
