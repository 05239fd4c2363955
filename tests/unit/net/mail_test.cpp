#include "core/net/mail.hpp"

#include <openssl/ssl.h>

#include <thread>

#include "tests/unit/net/net_fixture.hpp"

namespace schakel::net {
namespace {
using namespace testing_;

MailMessage good() {
  MailMessage m;
  m.from = {"schakel@swv.example", "Schakel"};
  m.to = {{"ib@school.example"}};
  m.subject = "Documenten staan klaar";
  m.text = "Er staan documenten klaar.\n";
  m.message_id = "0191b7d6-1@swv.example";
  m.date = parse_instant("2026-11-22T09:05:07Z").value();
  return m;
}

TEST(MailMessage, SameInputGivesTheSameBytes) {
  EXPECT_EQ(write_mail(good()).value(),
            "From: \"Schakel\" <schakel@swv.example>\r\nTo: ib@school.example\r\nSubject: Documenten staan klaar\r\n"
            "Date: Sun, 22 Nov 2026 09:05:07 +0000\r\nMessage-ID: <0191b7d6-1@swv.example>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nEr staan "
            "documenten klaar.\r\n\r\n");
  auto m = good();
  m.attachments.push_back({"factuur.xml", "application/xml", to_bytes("<a/>")});
  EXPECT_EQ(write_mail(m).value(), write_mail(m).value());
}

TEST(MailMessage, NoLineIsTooLongAndNoBareLineEndIsLeft) {
  auto m = good();
  m.subject = std::string(50, 'x') + " Überdruk €€€€€€€€€€€€€€€€€€€€ einde";
  m.to = {{"a@b.example", "Ayşe Çelik-Łoś met een heel lange naam die niet op een regel past omdat zij zo lang is"}};
  m.text = std::string(500, 'e') + "\r\nregel met é en = en punt\n.\n\rlaatste \t\n";
  m.attachments.push_back({"verslag Çelik.pdf", "application/pdf", Bytes(5000, 0xFF)});
  const auto out = write_mail(m);
  ASSERT_TRUE(out) << out.error().message;
  std::size_t start = 0;
  while (start < out->size()) {
    const auto end = out->find("\r\n", start);
    ASSERT_NE(end, std::string::npos);
    const auto line = out->substr(start, end - start);
    EXPECT_LE(line.size(), 998U);
    EXPECT_LE(line.size(), 110U) << line;
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
    for (const char c : line) EXPECT_LT(static_cast<unsigned char>(c), 0x7F);
    start = end + 2;
  }
  EXPECT_NE(out->find("filename*=UTF-8''verslag%20%C3%87elik.pdf"), std::string::npos);
  EXPECT_NE(out->find(" =09\r\n"), std::string::npos) << "a blank at a line end survives";
}

TEST(MailMessage, HeaderInjectionIsRefusedInEveryField) {
  const std::vector<void (*)(MailMessage&, const std::string&)> places = {
      [](MailMessage& m, const std::string& x) { m.subject += x; },
      [](MailMessage& m, const std::string& x) { m.from.address += x; },
      [](MailMessage& m, const std::string& x) { m.from.name += x; },
      [](MailMessage& m, const std::string& x) { m.to[0].address += x; },
      [](MailMessage& m, const std::string& x) { m.to[0].name += x; },
      [](MailMessage& m, const std::string& x) { m.message_id += x; },
      [](MailMessage& m, const std::string& x) { m.headers.emplace_back("X-A", "b" + x); },
      [](MailMessage& m, const std::string& x) { m.headers.emplace_back("X" + x, "b"); },
      [](MailMessage& m, const std::string& x) { m.attachments.push_back({"a" + x, "a/b", {}}); },
      [](MailMessage& m, const std::string& x) { m.attachments.push_back({"a", "a/b" + x, {}}); },
  };
  for (std::size_t i = 0; i < places.size(); ++i)
    for (const std::string injected :
         {"\r\nBcc: evil@example.org", "\nBcc: evil@example.org", "\rBcc: x", "\r\n\r\nbody", "\r\n", "\x01"}) {
      auto m = good();
      places[i](m, injected);
      const auto out = write_mail(m);
      ASSERT_FALSE(out) << i;
      EXPECT_EQ(out.error().code, "MAIL_HEADER") << i;
    }
  for (const auto* name : {"Bcc", "from", "CONTENT-TYPE", "Message-Id"}) {
    auto m = good();
    m.headers.emplace_back(name, "x");
    EXPECT_EQ(write_mail(m).error().code, "MAIL_HEADER") << name;
  }
}

TEST(MailMessage, OnlyPlainAddressesAreUsed) {
  for (const auto* ok : {"a@b.nl", "voor.achter+tag@sub.school.example", "x@xn--caf-dma.example", "o'neil@a.example"})
    EXPECT_TRUE(is_mail_address(ok)) << ok;
  for (const auto* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c.nl", "<a@b.nl>", "a@b.nl,c@d.nl", "\"a b\"@c.nl",
                          "a@-b.nl", "a@b-.nl", "a..b@c.nl", ".a@b.nl", "a@b..nl", "a@[1.2.3.4]", "caf\xc3\xa9@b.nl",
                          "a@caf\xc3\xa9.nl", "a@b.nl>", "a@b.nl NOTIFY=NEVER"})
    EXPECT_FALSE(is_mail_address(bad)) << bad;
  auto m = good();
  m.to[0].address = "a@b@c";
  EXPECT_EQ(write_mail(m).error().code, "MAIL_ADDRESS");
  m.to.clear();
  EXPECT_EQ(write_mail(m).error().code, "MAIL_ADDRESS");
  m = good();
  m.text = "\xff\xfe";
  EXPECT_EQ(write_mail(m).error().code, "MAIL_TEXT");
}

/// Speaks just enough SMTP to be told what to answer. One connection.
class SmtpServer {
 public:
  struct Script {
    std::string greeting = "220 test";
    std::string rcpt = "250 ok";
    std::string data = "354 go";
    std::string end = "250 queued";  ///< empty: closes without an answer
    std::string auth = "235 ok";
    bool drop_in_data = false;  ///< closes after the first bytes of the content
    bool starttls = false;
  };
  SmtpServer(Script script, const test::CertificateFiles* tls)
      : script_(std::move(script)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (tls != nullptr) {
      ctx_.reset(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
      SSL_CTX_use_certificate_file(ctx_.get(), tls->certificate.c_str(), SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(ctx_.get(), tls->key.c_str(), SSL_FILETYPE_PEM);
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~SmtpServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  void join() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    thread_ = std::thread([] {});
  }
  std::uint16_t port = 0;
  std::string commands, content;
  bool encrypted = false;

 private:
  void say(const std::string& line) {
    const auto text = line + "\r\n";
    if (ssl_)
      SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    else
      ::send(peer_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  bool hear(std::string& line) {
    line.clear();
    char c = 0;
    for (;;) {
      const auto n = ssl_ ? SSL_read(ssl_.get(), &c, 1) : static_cast<int>(::recv(peer_, &c, 1, 0));
      if (n <= 0) return false;
      line += c;
      if (line.ends_with("\r\n")) return true;
    }
  }
  void serve() {
    peer_ = ::accept(fd_, nullptr, nullptr);
    if (peer_ < 0) return;
    talk();
    ssl_.reset();
    ::close(peer_);
  }
  void talk() {
    say(script_.greeting);
    std::string line;
    while (hear(line)) {
      commands += line;
      if (line.starts_with("EHLO")) {
        say("250-test");
        if (script_.starttls && !ssl_) say("250-STARTTLS");
        say("250 AUTH PLAIN");
      } else if (line.starts_with("STARTTLS")) {
        say("220 go");
        ssl_.reset(SSL_new(ctx_.get()), SSL_free);
        SSL_set_fd(ssl_.get(), peer_);
        if (SSL_accept(ssl_.get()) <= 0) return;
        encrypted = true;
      } else if (line.starts_with("AUTH")) {
        say("334 ");
        if (!hear(line)) return;
        say(script_.auth);
      } else if (line.starts_with("RCPT")) {
        say(script_.rcpt);
      } else if (line.starts_with("DATA")) {
        say(script_.data);
        if (!script_.data.starts_with("354")) continue;
        while (hear(line) && line != ".\r\n") {
          content += line;
          if (script_.drop_in_data) return;
        }
        if (script_.end.empty()) return;
        say(script_.end);
      } else if (line.starts_with("QUIT")) {
        say("221 bye");
        return;
      } else {
        say("250 ok");
      }
    }
  }

  Script script_;
  int fd_;
  int peer_ = -1;
  std::shared_ptr<SSL_CTX> ctx_;
  std::shared_ptr<SSL> ssl_;
  std::thread thread_;
};

class Mail : public ::testing::Test {
 protected:
  runtime::BlockingPool pool{2, 10};
  std::filesystem::path folder = fresh_folder();
  test::TestPki pki{folder};
  ~Mail() override { std::filesystem::remove_all(folder); }

  Result<MailReceipt> send_to(std::uint16_t port, MailMessage m = good(),
                              MailServer::Security security = MailServer::Security::none, std::string ca = {},
                              std::string user = {}) {
    MailSender sender(pool, {.host = "127.0.0.1",
                             .port = port,
                             .security = security,
                             .user = std::move(user),
                             .password = Secret("geheim"),
                             .ca_file = std::move(ca),
                             .helo = "schakel.example",
                             .deadline = 5000ms});
    return run_now(sender.send(std::move(m)), std::chrono::seconds(240));
  }
  MailReceipt play(SmtpServer::Script script) {
    SmtpServer server(std::move(script), nullptr);
    auto receipt = send_to(server.port);
    EXPECT_TRUE(receipt) << receipt.error().code;
    return receipt.value_or(MailReceipt{});
  }
};

TEST_F(Mail, AcceptedMessageArrivesAsWritten) {
  SmtpServer server({}, nullptr);
  auto m = good();
  m.to.push_back({"tweede@school.example"});
  m.text = "een\n.\n..twee\n";
  const auto receipt = send_to(server.port, m);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->verdict, MailVerdict::accepted);
  EXPECT_EQ(receipt->code, "SMTP_250");
  server.join();
  EXPECT_NE(server.commands.find("EHLO schakel.example\r\n"), std::string::npos);
  EXPECT_NE(server.commands.find("MAIL FROM:<schakel@swv.example>\r\n"), std::string::npos) << server.commands;
  EXPECT_NE(server.commands.find("RCPT TO:<ib@school.example>\r\nRCPT TO:<tweede@school.example>\r\n"),
            std::string::npos)
      << server.commands;
  EXPECT_EQ(server.commands.find("NOTIFY"), std::string::npos);
  EXPECT_EQ(server.commands.find("AUTH"), std::string::npos);
  // Dots are stuffed on the way; taken off again it is what was written.
  std::string seen = server.content;
  for (std::size_t at = 0; (at = seen.find("\r\n..", at)) != std::string::npos; at += 3) seen.erase(at + 2, 1);
  EXPECT_EQ(seen, write_mail(m).value());
}

TEST_F(Mail, RepliesOfTheServerDecideTheVerdict) {
  const auto expect = [this](SmtpServer::Script script, MailVerdict verdict, const char* code) {
    const auto r = play(std::move(script));
    EXPECT_EQ(r.verdict, verdict) << code << " but " << r.code;
    EXPECT_EQ(r.code, code);
  };
  expect({.end = "250 queued"}, MailVerdict::accepted, "SMTP_250");
  expect({.rcpt = "550 no such user"}, MailVerdict::refused, "SMTP_550");
  expect({.rcpt = "451 greylisted"}, MailVerdict::later, "SMTP_451");
  expect({.rcpt = "452 too many"}, MailVerdict::later, "SMTP_452");
  expect({.data = "554 no"}, MailVerdict::refused, "SMTP_554");
  expect({.data = "421 closing"}, MailVerdict::later, "SMTP_421");
  expect({.end = "552 too large"}, MailVerdict::refused, "SMTP_552");
  expect({.end = "451 try later"}, MailVerdict::later, "SMTP_451");
  expect({.greeting = "421 busy"}, MailVerdict::later, "SMTP_421");
  expect({.greeting = "554 go away"}, MailVerdict::refused, "SMTP_554");
}

TEST_F(Mail, ConnectionLostAfterTheContentIsUnknownNotARetry) {
  const auto r = play({.end = ""});
  EXPECT_EQ(r.verdict, MailVerdict::unknown);
  EXPECT_EQ(r.code, "MAIL_UNKNOWN");
}

TEST_F(Mail, ConnectionLostInsideTheContentIsSafeToRepeat) {
  SmtpServer server({.drop_in_data = true}, nullptr);
  auto m = good();
  m.attachments.push_back({"groot.bin", "application/octet-stream", Bytes(4'000'000, 7)});
  const auto r = send_to(server.port, m);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->verdict, MailVerdict::later);
  EXPECT_EQ(r->code, "MAIL_BROKEN");
}

TEST_F(Mail, NobodyThereIsLater) {
  std::uint16_t port = 0;
  {
    port = SmtpServer({}, nullptr).port;
  }
  const auto r = send_to(port);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->verdict, MailVerdict::later);
  EXPECT_EQ(r->code, "MAIL_CONNECT");
}

TEST_F(Mail, StartTlsEncryptsBeforeAnythingIsSaid) {
  const auto files = pki.issue({.name = "mail", .san = "IP:127.0.0.1", .eku = "serverAuth"});
  SmtpServer server({.starttls = true}, &files);
  const auto r = send_to(server.port, good(), MailServer::Security::starttls, pki.root(), "schakel");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->verdict, MailVerdict::accepted) << r->code;
  server.join();
  EXPECT_TRUE(server.encrypted);
  EXPECT_LT(server.commands.find("STARTTLS"), server.commands.find("AUTH"));
  EXPECT_LT(server.commands.find("AUTH"), server.commands.find("MAIL FROM"));
}

TEST_F(Mail, ServerWithoutStartTlsGetsNoPasswordAndNoMail) {
  SmtpServer server({}, nullptr);
  const auto r = send_to(server.port, good(), MailServer::Security::starttls, pki.root(), "schakel");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->verdict, MailVerdict::later);
  EXPECT_EQ(r->code, "MAIL_TLS");
  server.join();
  EXPECT_EQ(server.commands.find("AUTH"), std::string::npos);
  EXPECT_EQ(server.commands.find("MAIL"), std::string::npos);
}

TEST_F(Mail, UntrustedOrWronglyNamedServerGetsNothing) {
  const auto named = pki.issue({.name = "mail", .san = "DNS:mail.example", .eku = "serverAuth"});
  const auto stranger = pki.issue({.name = "mail2", .san = "IP:127.0.0.1", .issuer = "other"});
  for (const auto* files : {&named, &stranger}) {
    SmtpServer server({.starttls = true}, files);
    const auto r = send_to(server.port, good(), MailServer::Security::starttls, pki.root());
    ASSERT_TRUE(r);
    EXPECT_EQ(r->code, "MAIL_TLS");
    EXPECT_EQ(r->verdict, MailVerdict::later);
    server.join();
    EXPECT_EQ(server.commands.find("MAIL FROM"), std::string::npos);
  }
}

TEST_F(Mail, WrongPasswordIsOurMistakeNotTheMessages) {
  SmtpServer server({.auth = "535 no"}, nullptr);
  const auto r = send_to(server.port, good(), MailServer::Security::none, {}, "schakel");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->verdict, MailVerdict::later);
  EXPECT_EQ(r->code, "MAIL_LOGIN");
}

TEST_F(Mail, WithoutTlsOnlyLoopbackIsSpokenTo) {
  MailSender sender(pool, {.host = "mail.example", .port = 25, .security = MailServer::Security::none});
  EXPECT_EQ(run_now(sender.send(good())).error().code, "MAIL_CONFIG");
  MailSender odd(pool, {.host = "a/b?c", .port = 25});
  EXPECT_EQ(run_now(odd.send(good())).error().code, "MAIL_CONFIG");
  auto m = good();
  m.subject = "a\r\nBcc: x@y.nl";
  MailSender local(pool, {.host = "127.0.0.1", .port = 1, .security = MailServer::Security::none});
  EXPECT_EQ(run_now(local.send(m)).error().code, "MAIL_HEADER");
}

}  // namespace
}  // namespace schakel::net
