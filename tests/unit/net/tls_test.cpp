// Mutual TLS with real handshakes: who gets in, who does not, and what we then know (IAM-1, IAM-3).
#include <boost/asio/ssl/context.hpp>
#include <fstream>

#include "tests/unit/net/net_fixture.hpp"

namespace schakel::net {
namespace {
using namespace testing_;
using Client = TlsServerOptions::ClientCertificate;

constexpr const char* kOin = "00000001123456782000";

class Tls : public ::testing::Test {
 protected:
  std::filesystem::path folder = fresh_folder();
  test::TestPki pki{folder};
  test::CertificateFiles server_files =
      pki.issue({.name = "server", .san = "DNS:localhost,IP:127.0.0.1", .eku = "serverAuth"});
  ~Tls() override { std::filesystem::remove_all(folder); }

  TlsServerOptions server_options(Client client = Client::required, std::string crl = {}) {
    return {.certificate_file = server_files.certificate,
            .key_file = server_files.key,
            .client = client,
            .client_ca_file = client == Client::none ? "" : pki.root(),
            .crl_file = std::move(crl)};
  }
  std::unique_ptr<Running> serve(TlsServerOptions tls_options) {
    auto tls = TlsServerContext::load(std::move(tls_options));
    EXPECT_TRUE(tls) << tls.error().message;
    if (!tls) return nullptr;
    context = *tls;
    ServerOptions options;
    options.listeners.push_back({.name = "tls", .endpoint = TcpEndpoint{}, .tls = *tls});
    return std::make_unique<Running>(std::move(options));
  }
  Result<ClientReply> call(const Running& running, const test::CertificateFiles* with,
                           std::string_view path = "/whoami", std::string_view host = "localhost",
                           std::string ca = {}) {
    auto tls = TlsClientContext::load({.ca_file = ca.empty() ? pki.root() : ca,
                                       .certificate_file = with != nullptr ? with->certificate : "",
                                       .key_file = with != nullptr ? with->key : ""});
    if (!tls) return fail(tls.error());
    return run_now(http_request({.url = running.url(path, "tls", "https", host)}, {.tls = *tls}));
  }
  std::shared_ptr<TlsServerContext> context;
};

TEST_F(Tls, MatrixOfClientCertificates) {
  const auto revoked = pki.issue({.name = "revoked", .serial_number = kOin});
  const auto running_plain = serve(server_options());
  const auto running_crl = serve(server_options(Client::required, pki.crl("list", {revoked})));
  struct Row {
    const char* name;
    test::CertificateSpec spec;
    bool in;
  };
  const std::vector<Row> rows = {
      {"right, both usages", {.name = "c1", .serial_number = kOin, .eku = "clientAuth,serverAuth"}, true},
      {"right, client usage", {.name = "c2", .serial_number = kOin, .eku = "clientAuth"}, true},
      {"right, no usage: Digikoppeling advises against one", {.name = "c3", .serial_number = kOin}, true},
      {"right, RSA", {.name = "c4", .serial_number = kOin, .rsa = true}, true},
      {"right but no OIN: known to nobody, decided above", {.name = "c5"}, true},
      {"wrong usage: server only", {.name = "c6", .serial_number = kOin, .eku = "serverAuth"}, false},
      {"wrong usage: code signing", {.name = "c7", .serial_number = kOin, .eku = "codeSigning"}, false},
      {"wrong usage: mail", {.name = "c8", .serial_number = kOin, .eku = "emailProtection"}, false},
      {"unknown root", {.name = "c9", .serial_number = kOin, .issuer = "other"}, false},
      {"self-signed", {.name = "c10", .serial_number = kOin, .issuer = "self"}, false},
      {"self-signed authority", {.name = "c11", .serial_number = kOin, .issuer = "self", .ca = true}, false},
      {"expired", {.name = "c12", .serial_number = kOin, .from_seconds = -7200, .to_seconds = -10}, false},
      {"not yet valid", {.name = "c13", .serial_number = kOin, .from_seconds = 3600, .to_seconds = 7200}, false},
      {"signed with SHA-1", {.name = "c14", .serial_number = kOin, .digest = "SHA1"}, false},
      {"short RSA key", {.name = "c15", .serial_number = kOin, .rsa = true, .rsa_bits = 1024}, false},
  };
  EXPECT_GE(rows.size() + 4, 12U);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto files = pki.issue(row.spec);
    const int before = running_plain->handler.heads;
    const auto reply = call(*running_plain, &files);
    EXPECT_EQ(reply.has_value(), row.in) << (reply ? "let in" : reply.error().code + " " + reply.error().message);
    if (!row.in && !reply)
      EXPECT_TRUE(reply.error().code == "HTTP_TLS" || reply.error().code == "TLS_CONFIG") << reply.error().code;
    EXPECT_EQ(running_plain->handler.heads - before, row.in ? 1 : 0) << "nobody asks the handler about a stranger";
  }
  const auto none = call(*running_plain, nullptr);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "HTTP_TLS");
  // An intermediate that the client sends is followed to the root.
  const auto below = pki.issue({.name = "below", .serial_number = kOin, .issuer = "sub"});
  const auto through = call(*running_plain, &below);
  ASSERT_TRUE(through) << through.error().message;
  EXPECT_EQ(Json::parse(through->body).at("chain"), 3);
  // Revocation.
  const auto good = pki.issue({.name = "good", .serial_number = kOin});
  EXPECT_TRUE(call(*running_crl, &good));
  EXPECT_FALSE(call(*running_crl, &revoked));
  EXPECT_TRUE(call(*running_plain, &revoked)) << "no list is configured there";
}

TEST_F(Tls, ExpiredRevocationListRefusesEverybody) {
  const auto good = pki.issue({.name = "good", .serial_number = kOin});
  const auto running = serve(server_options(Client::required, pki.crl("old", {}, -60)));
  const auto reply = call(*running, &good);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "HTTP_TLS");
}

TEST_F(Tls, EndOfACertificateIsReadFromItsFile) {
  const auto good = pki.issue({.name = "good", .serial_number = kOin});
  auto end = certificate_end(good.certificate);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(*end, identity_of(good.x509.get()).not_after);
  EXPECT_GT(*end, SystemClock().now());
  EXPECT_EQ(certificate_end(good.key).error().code, "TLS_CONFIG");
  EXPECT_EQ(certificate_end("/nergens.pem").error().code, "TLS_CONFIG");
}

TEST_F(Tls, ReloadTakesANewRevocationListWithoutRestart) {
  const auto files = pki.issue({.name = "party", .serial_number = kOin});
  const auto crl = pki.crl("list", {});
  const auto running = serve(server_options(Client::required, crl));
  EXPECT_TRUE(call(*running, &files));
  pki.crl("list", {files});
  EXPECT_TRUE(call(*running, &files)) << "not before the reload";
  EXPECT_TRUE(context->reload());
  EXPECT_FALSE(call(*running, &files));
  std::filesystem::remove(crl);
  const auto bad = context->reload();
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, "TLS_CONFIG");
  EXPECT_FALSE(call(*running, &files)) << "the context before stays in use";
}

TEST_F(Tls, IdentityIsTheSubjectSerialNumberNotTheCommonName) {
  const auto running = serve(server_options());
  const auto files = pki.issue({.name = "00000003999999990000",
                                .serial_number = kOin,
                                .san = "DNS:mis.school.example,URI:urn:nld:oin:x,email:a@b.nl"});
  const auto reply = call(*running, &files);
  ASSERT_TRUE(reply) << reply.error().message;
  const auto who = Json::parse(reply->body);
  EXPECT_EQ(who.at("kind"), static_cast<int>(PeerIdentity::Kind::certificate));
  EXPECT_EQ(who.at("oin"), kOin);
  EXPECT_EQ(who.at("dns"), Json::array({"mis.school.example"}));
  EXPECT_EQ(who.at("uri"), Json::array({"urn:nld:oin:x"}));
  EXPECT_EQ(who.at("issuer"), "CN=root");
  EXPECT_EQ(who.at("address"), "127.0.0.1");
  unsigned char* der = nullptr;
  const int n = i2d_PUBKEY(files.pkey.get(), &der);
  EXPECT_EQ(who.at("spki"), to_hex(sha256(ByteView(der, static_cast<std::size_t>(n)))));
  OPENSSL_free(der);
}

TEST_F(Tls, AmbiguousOrMalformedSerialNumbersAreNoOin) {
  const auto twice = pki.issue({.name = "twice", .serial_number = kOin, .serial_number_2 = "00000003123456780000"});
  EXPECT_EQ(identity_of(twice.x509.get()).subject_serial, "");
  EXPECT_EQ(identity_of(twice.x509.get()).oin, "");
  const auto other = pki.issue({.name = "odd", .serial_number = "AB-1"});
  EXPECT_EQ(identity_of(other.x509.get()).subject_serial, "AB-1");
  EXPECT_EQ(identity_of(other.x509.get()).oin, "");
  const auto nul = pki.issue({.name = "nul", .serial_number = std::string(kOin) + std::string("\0x", 2)});
  EXPECT_EQ(identity_of(nul.x509.get()).oin, "");
  EXPECT_GT(identity_of(other.x509.get()).not_after, SystemClock().now());
}

TEST_F(Tls, OptionalCertificateLetsAnonymousInButNotAStranger) {
  const auto running = serve(server_options(Client::optional));
  const auto anonymous = call(*running, nullptr);
  ASSERT_TRUE(anonymous) << anonymous.error().message;
  EXPECT_EQ(Json::parse(anonymous->body).at("kind"), static_cast<int>(PeerIdentity::Kind::anonymous));
  const auto stranger = pki.issue({.name = "stranger", .serial_number = kOin, .issuer = "other"});
  EXPECT_FALSE(call(*running, &stranger));
}

TEST_F(Tls, ClientRefusesAServerOfAnotherNameRootOrTime) {
  const auto running = serve(server_options(Client::none));
  EXPECT_TRUE(call(*running, nullptr, "/", "localhost"));
  EXPECT_TRUE(call(*running, nullptr, "/", "127.0.0.1"));
  const auto wrong_root = call(*running, nullptr, "/", "localhost", pki.other());
  ASSERT_FALSE(wrong_root);
  EXPECT_EQ(wrong_root.error().code, "HTTP_TLS");
  const auto wrong_name = call(*running, nullptr, "/", "ip6-localhost");
  ASSERT_FALSE(wrong_name);
  for (const auto& spec : std::vector<test::CertificateSpec>{
           {.name = "localhost"},  // the common name does not count
           {.name = "s1", .san = "DNS:other.example", .eku = "serverAuth"},
           {.name = "s2", .san = "DNS:localhost", .eku = "clientAuth"},
           {.name = "s3", .san = "DNS:localhost", .from_seconds = -7200, .to_seconds = -10}}) {
    SCOPED_TRACE(spec.name);
    server_files = pki.issue(spec);
    const auto bad = serve(server_options(Client::none));
    const auto reply = call(*bad, nullptr, "/");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, "HTTP_TLS");
    EXPECT_EQ(bad->handler.heads, 0) << "nothing was sent to it";
  }
}

TEST_F(Tls, OnlyTheSettingsOfTheGuidelineAreOffered) {
  const auto running = serve(server_options(Client::none));
  const auto try_with = [&](auto prepare) {
    std::shared_ptr<SSL_CTX> ctx(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(ctx.get(), 0);
    prepare(ctx.get());
    std::shared_ptr<BIO> bio(BIO_new_ssl_connect(ctx.get()), BIO_free_all);
    BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(running->port("tls"))).c_str());
    return BIO_do_connect(bio.get()) > 0 && BIO_do_handshake(bio.get()) > 0;
  };
  EXPECT_TRUE(try_with([](SSL_CTX*) {}));
  EXPECT_TRUE(try_with([](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); }));
  EXPECT_FALSE(try_with([](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_1_VERSION); }));
  for (const char* cipher : {"ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA", "AES256-GCM-SHA384",
                             "DHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-CCM"})
    EXPECT_FALSE(try_with([cipher](SSL_CTX* c) {
      SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
      SSL_CTX_set_cipher_list(c, cipher);
    })) << cipher;
  EXPECT_FALSE(try_with([](SSL_CTX* c) { SSL_CTX_set1_groups_list(c, "P-224:secp256k1"); }));
  EXPECT_FALSE(try_with([](SSL_CTX* c) { SSL_CTX_set1_sigalgs_list(c, "ECDSA+SHA1:ECDSA+SHA224"); }));
}

TEST_F(Tls, NoSessionIsResumed) {
  const auto running = serve(server_options(Client::none));
  std::shared_ptr<SSL_CTX> ctx(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(ctx.get(), version);
    SSL_SESSION* session = nullptr;
    for (int round = 0; round < 2; ++round) {
      std::shared_ptr<BIO> bio(BIO_new_ssl_connect(ctx.get()), BIO_free_all);
      BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(running->port("tls"))).c_str());
      SSL* ssl = nullptr;
      BIO_get_ssl(bio.get(), &ssl);
      if (session != nullptr) SSL_set_session(ssl, session);
      ASSERT_GT(BIO_do_connect(bio.get()), 0);
      ASSERT_GT(BIO_do_handshake(bio.get()), 0);
      BIO_puts(bio.get(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      char piece[1000];
      BIO_read(bio.get(), piece, sizeof piece);
      EXPECT_EQ(SSL_session_reused(ssl), 0);
      SSL_SESSION_free(session);
      session = SSL_get1_session(ssl);
    }
    SSL_SESSION_free(session);
  }
}

TEST_F(Tls, SilentOrRudeClientDuringTheHandshakeIsCutOff) {
  auto tls = TlsServerContext::load(server_options());
  ASSERT_TRUE(tls);
  ServerOptions options;
  options.listeners.push_back({.name = "tls", .endpoint = TcpEndpoint{}, .tls = *tls});
  options.limits.handshake_time = 100ms;
  Running running(std::move(options));
  RawClient silent(running.port("tls"));
  EXPECT_EQ(silent.read(), "");
  EXPECT_TRUE(silent.closed());
  RawClient rude(running.port("tls"));
  rude.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  rude.read();
  EXPECT_TRUE(rude.closed());
  EXPECT_EQ(running.handler.heads, 0);
  EXPECT_EQ(settles_at(running.server->stats().handshakes_failed, 2), 2);
}

TEST_F(Tls, LimitPerIdentityHoldsAcrossConnections) {
  auto tls = TlsServerContext::load(server_options());
  ASSERT_TRUE(tls);
  ServerOptions options;
  options.listeners.push_back({.name = "tls", .endpoint = TcpEndpoint{}, .tls = *tls});
  options.limits.connections_per_identity = 1;
  Running running(std::move(options));
  const auto files = pki.issue({.name = "party", .serial_number = kOin});
  const auto other = pki.issue({.name = "other-party", .serial_number = "00000003123456780000"});
  std::shared_ptr<SSL_CTX> ctx(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_use_certificate_file(ctx.get(), files.certificate.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(ctx.get(), files.key.c_str(), SSL_FILETYPE_PEM);
  std::shared_ptr<BIO> held(BIO_new_ssl_connect(ctx.get()), BIO_free_all);
  BIO_set_conn_hostname(held.get(), ("127.0.0.1:" + std::to_string(running.port("tls"))).c_str());
  ASSERT_GT(BIO_do_connect(held.get()), 0);
  BIO_puts(held.get(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  char piece[1000];
  ASSERT_GT(BIO_read(held.get(), piece, sizeof piece), 0);
  const auto second = call(running, &files, "/");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->status, 503);
  EXPECT_TRUE(second->headers.has("Retry-After"));
  EXPECT_EQ(call(running, &other, "/")->status, 200) << "others are not in its way";
}

TEST_F(Tls, ConfigurationMistakesAreNamed) {
  auto o = server_options();
  o.key_file = pki.issue({.name = "foreign"}).key;
  EXPECT_EQ(TlsServerContext::load(o).error().code, "TLS_CONFIG");
  o = server_options();
  o.certificate_file = "/nonexistent.pem";
  EXPECT_NE(TlsServerContext::load(o).error().message.find("/nonexistent.pem"), std::string::npos);
  o = server_options();
  o.client_ca_file.clear();
  EXPECT_EQ(TlsServerContext::load(o).error().code, "TLS_CONFIG");
  EXPECT_EQ(TlsClientContext::load({.ca_file = "/nonexistent.pem"}).error().code, "TLS_CONFIG");
}

TEST_F(Tls, LargeBodiesPassBothWays) {
  const auto running = serve(server_options(Client::none));
  auto tls = TlsClientContext::load({.ca_file = pki.root()});
  ASSERT_TRUE(tls);
  ClientRequest request{.method = "POST",
                        .url = running->url("/up", "tls", "https", "localhost"),
                        .stream = std::make_unique<Numbers>(3'000'000, ~0ULL, false)};
  const auto up = run_now(http_request(std::move(request), {.tls = *tls}));
  ASSERT_TRUE(up) << up.error().code;
  EXPECT_EQ(up->body, "3000000 " + sha256_hex(letters(3'000'000)));
  const auto down = run_now(http_request({.url = running->url("/down", "tls", "https", "localhost")},
                                         {.max_response_bytes = 6'000'000, .tls = *tls}));
  ASSERT_TRUE(down);
  EXPECT_EQ(down->body, letters(5'000'000));
}

}  // namespace
}  // namespace schakel::net
