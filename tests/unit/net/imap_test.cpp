// A mailbox by IMAP: a server that says what no server may say, and a real one (Dovecot) where it is installed.
#include "core/net/imap.hpp"

#include <openssl/ssl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include "core/net/imap_line.hpp"
#include "tests/unit/net/net_fixture.hpp"

namespace schakel::net {
namespace {
using namespace testing_;
namespace fs = std::filesystem;

TEST(ImapLine, ResponsesComeOutWholeWhateverThePieces) {
  const std::string all =
      "* OK [UIDVALIDITY 17] ok\r\n* 3 FETCH (UID 9 BODY[]<0> {11}\r\nSubject: }\n FLAGS (\\Seen))\r\nS1 OK done\r\n";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    std::vector<ImapLine> lines;
    std::string buffer = all.substr(0, cut);
    for (int feed = 0; feed < 2; ++feed) {
      std::string_view rest = buffer;
      for (;;) {
        auto line = take_imap_line(rest);
        ASSERT_TRUE(line) << line.error().code;
        if (!*line) break;
        lines.push_back(std::move(**line));
      }
      buffer = std::string(rest) + all.substr(feed == 0 ? cut : all.size());
    }
    ASSERT_EQ(lines.size(), 3U) << cut;
    EXPECT_EQ(read_imap_code(lines[0].text, "UIDVALIDITY"), 17U);
    ASSERT_EQ(lines[1].literals.size(), 1U);
    EXPECT_EQ(lines[1].literals[0], "Subject: }\n");
    EXPECT_EQ(lines[1].text, "* 3 FETCH (UID 9 BODY[]<0> {} FLAGS (\\Seen))");
    EXPECT_EQ(lines[2].text, "S1 OK done");
  }
}

TEST(ImapLine, WhatNoServerMaySayIsRefused) {
  auto code = [](std::string text, ImapLimits limits = {}) {
    std::string_view rest = text;
    auto line = take_imap_line(rest, limits);
    return line ? *line ? "taken" : "more" : line.error().code;
  };
  EXPECT_EQ(code("* OK\n"), "IMAP_PROTOCOL");
  EXPECT_EQ(code(std::string("* O\0K\r\n", 7)), "IMAP_PROTOCOL");
  EXPECT_EQ(code("* {99999999}\r\n"), "IMAP_TOO_LARGE");
  EXPECT_EQ(code("* {4}\r\nabcd {4}\r\nabcd\r\n", {100, 10, 1}), "IMAP_TOO_LARGE");
  EXPECT_EQ(code(std::string(200, 'a'), {100, 10, 1}), "IMAP_TOO_LARGE");
  EXPECT_EQ(code("* {99999999999999999999}\r\n"), "taken") << "no number, so no literal";
  EXPECT_EQ(code("* {5}\r\nab"), "more");
  EXPECT_EQ(read_imap_search("* SEARCH").value(), std::vector<std::uint32_t>{});
  EXPECT_EQ(read_imap_search("* SEARCH 9 4 9 ").value(), (std::vector<std::uint32_t>{4, 9}));
  for (const char* bad : {"* SEARCHED 1", "* SEARCH x", "* SEARCH 0", "* SEARCH -1", "* SEARCH 4294967296"})
    EXPECT_FALSE(read_imap_search(bad)) << bad;
  EXPECT_FALSE(read_imap_code("* OK [UIDVALIDITYX 3]", "UIDVALIDITY"));
  EXPECT_FALSE(read_imap_code("* OK UIDVALIDITY 3", "UIDVALIDITY"));
  EXPECT_EQ(imap_quoted("a\"b\\c").value(), "\"a\\\"b\\\\c\"");
  EXPECT_FALSE(imap_quoted("a\r\nS2 DELETE INBOX"));
}

struct Certificates {
  fs::path folder = fresh_folder();
  test::TestPki pki{folder};
  test::CertificateFiles server = pki.issue({.name = "mail", .san = "DNS:localhost,IP:127.0.0.1", .eku = "serverAuth"});
};

/// Says the given answers in turn, one for each command, over TLS. "*" in an answer stands for the tag of the command.
class ScriptedImap {
 public:
  ScriptedImap(const test::CertificateFiles& tls, std::vector<std::string> answers) : answers_(std::move(answers)) {
    ctx_.reset(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_use_certificate_file(ctx_.get(), tls.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(ctx_.get(), tls.key.c_str(), SSL_FILETYPE_PEM);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(fd_, 4) != 0) throw std::runtime_error("");
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedImap() {
    ::shutdown(fd_, SHUT_RDWR);
    ::close(fd_);
    thread_.join();
  }
  std::uint16_t port = 0;
  [[nodiscard]] std::vector<std::string> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  void serve() {
    const int fd = ::accept(fd_, nullptr, nullptr);
    if (fd < 0) return;
    timeval limit{10, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(ctx_.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) == 1) talk(ssl.get());
    ssl.reset();
    ::close(fd);
  }
  void talk(SSL* ssl) {
    say(ssl, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n");
    std::size_t next = 0;
    std::string line;
    for (char c = 0; SSL_read(ssl, &c, 1) == 1;) {
      line += c;
      if (c != '\n') continue;
      {
        const std::lock_guard lock(mutex_);
        heard_.push_back(line);
      }
      const auto tag = line.substr(0, line.find(' '));
      std::string answer;
      if (line.find("CAPABILITY") != std::string::npos)
        answer = "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n@ OK\r\n";
      else if (line.find("AUTHENTICATE") != std::string::npos || line.find("LOGIN ") != std::string::npos)
        answer = "@ OK in\r\n";
      else if (line.find("LOGOUT") != std::string::npos)
        return;
      else if (next < answers_.size())
        answer = answers_[next++];
      else
        return;
      for (std::size_t at = 0; (at = answer.find('@', at)) != std::string::npos;) answer.replace(at, 1, tag);
      say(ssl, answer);
      line.clear();
    }
  }
  static void say(SSL* ssl, const std::string& text) {
    (void)SSL_write(ssl, text.data(), static_cast<int>(text.size()));
  }

  std::vector<std::string> answers_, heard_;
  mutable std::mutex mutex_;
  int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::shared_ptr<SSL_CTX> ctx_;
  std::thread thread_;
};

class Imap : public ::testing::Test {
 protected:
  static Certificates& certificates() {
    static Certificates made;
    return made;
  }
  ImapServer at(std::uint16_t port) const {
    ImapServer s;
    s.host = "localhost";
    s.port = port;
    s.user = "terug";
    s.password = Secret("geheim");
    s.ca_file = certificates().pki.root();
    s.deadline = 5s;
    return s;
  }
  runtime::BlockingPool pool{2, 16};
};

const std::string kExamined = "* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ids\r\n@ OK [READ-ONLY] done\r\n";

TEST_F(Imap, ALookTakesWhatIsBehindTheMarkAndMarksNothing) {
  ScriptedImap server(certificates().server,
                      {kExamined, "* SEARCH 4 5 6\r\n@ OK\r\n",
                       "* 2 FETCH (FLAGS (\\Seen))\r\n* 3 FETCH (UID 5 BODY[]<0> {5}\r\neen\r\n)\r\n@ OK\r\n",
                       "* 4 FETCH (BODY[]<0> {6}\r\nabcdef UID 6)\r\n@ OK\r\n"});
  ImapMailbox mailbox(pool, at(server.port));
  auto look = run_now(mailbox.look({77, 4}, 10, 5));
  ASSERT_TRUE(look) << look.error().code;
  EXPECT_EQ(look->validity, 77U);
  ASSERT_EQ(look->mails.size(), 2U);
  EXPECT_EQ(look->mails[0].uid, 5U);
  EXPECT_EQ(look->mails[0].content, "een\r\n");
  EXPECT_TRUE(look->mails[1].too_large);
  EXPECT_TRUE(look->mails[1].content.empty());
  for (const auto& line : server.heard()) {
    EXPECT_EQ(line.find("STORE"), std::string::npos);
    EXPECT_EQ(line.find("BODY["), std::string::npos) << "only PEEK leaves a mail unread: " << line;
  }
}

TEST_F(Imap, AnotherValidityBeginsAnewAndMarksAreRefused) {
  ScriptedImap server(certificates().server, {kExamined, "* SEARCH\r\n@ OK\r\n"});
  ImapMailbox mailbox(pool, at(server.port));
  auto look = run_now(mailbox.look({76, 400}, 10, 5));
  ASSERT_TRUE(look) << look.error().code;
  const auto heard = server.heard();
  EXPECT_TRUE(
      std::ranges::any_of(heard, [](const auto& l) { return l.find("UID SEARCH UID 1:*") != std::string::npos; }));
  ScriptedImap again(certificates().server, {kExamined});
  ImapMailbox other(pool, at(again.port));
  EXPECT_EQ(run_now(other.mark(76, {1}, ImapMailbox::Mark::read)).error().code, "IMAP_VALIDITY");
}

TEST_F(Imap, HostileAndBrokenServersEndWithinTheDeadlineAndTheirCode) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> set = {
      {{}, "IMAP_BROKEN"},
      {{"@ NO there is a mail of Jan\r\n"}, "IMAP_REFUSED"},
      {{"@ OK\r\n"}, "IMAP_PROTOCOL"},
      {{"hello\r\n"}, "IMAP_PROTOCOL"},
      {{"* BYE\r\n"}, "IMAP_BROKEN"},
      {{"* OK\n"}, "IMAP_PROTOCOL"},
      {{kExamined, "* SEARCH 1 een\r\n@ OK\r\n"}, "IMAP_PROTOCOL"},
      {{kExamined, "* SEARCH 1\r\n@ OK\r\n", "* 1 FETCH (UID 1 BODY[]<0> {400000000}\r\n"}, "IMAP_TOO_LARGE"},
      {{kExamined, "* SEARCH 1\r\n@ OK\r\n", "* 1 FETCH (UID 1 BODY[]<0> {4}\r\nab"}, "IMAP_TIMEOUT"},
      {{"* " + std::string(300 * 1024, 'x')}, "IMAP_TOO_LARGE"},
  };
  for (const auto& [answers, code] : set) {
    ScriptedImap server(certificates().server, answers);
    auto to = at(server.port);
    to.deadline = 1500ms;
    ImapMailbox mailbox(pool, std::move(to));
    auto look = run_now(mailbox.look({}, 10, 100));
    ASSERT_FALSE(look) << code;
    EXPECT_EQ(look.error().code, code);
    EXPECT_EQ(look.error().message.find("Jan"), std::string::npos);
  }
}

TEST_F(Imap, ACertificateNobodyVouchesForIsNotTalkedTo) {
  ScriptedImap server(certificates().server, {kExamined});
  auto to = at(server.port);
  to.ca_file.clear();
  ImapMailbox mailbox(pool, std::move(to));
  EXPECT_EQ(run_now(mailbox.look({}, 1, 100)).error().code, "IMAP_TLS");
  EXPECT_TRUE(server.heard().empty()) << "no password left";
  ImapMailbox nobody(pool, at(1));
  EXPECT_EQ(run_now(nobody.look({}, 1, 100)).error().code, "IMAP_CONNECT");
  auto odd = at(1);
  odd.mailbox = "a\r\nb";
  ImapMailbox bad(pool, std::move(odd));
  EXPECT_EQ(run_now(bad.look({}, 1, 100)).error().code, "IMAP_CONFIG");
}

/// Dovecot with one mailbox in a folder of the test.
class Dovecot {
 public:
  explicit Dovecot(const test::CertificateFiles& tls) {
    const bool root = ::geteuid() == 0;
    const auto uid = root ? 65534U : ::geteuid(), gid = root ? 65534U : ::getegid();
    for (const char* sub : {"mail/new", "mail/cur", "mail/tmp"}) fs::create_directories(folder / sub);
    port = free_port();
    std::ofstream(folder / "dovecot.conf")
        << "base_dir = " << (folder / "run").string() << "\nlog_path = " << (folder / "log").string()
        << "\nprotocols = imap\nlisten = 127.0.0.1\nssl = required\nssl_cert = <" << tls.certificate << "\nssl_key = <"
        << tls.key << "\nmail_location = maildir:" << (folder / "mail").string()
        << "\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n"
        << (root ? "default_login_user = nobody\ndefault_internal_user = nobody\ndefault_internal_group = nogroup\n"
                 : "")
        << "passdb {\n driver = static\n args = password=geheim\n}\nuserdb {\n driver = static\n args = uid=" << uid
        << " gid=" << gid << " home=" << folder.string()
        << "\n}\nservice anvil {\n chroot =\n}\nservice imap-login {\n chroot =\n inet_listener imap {\n port = 0\n "
           "}\n "
           "inet_listener imaps {\n port = "
        << port << "\n }\n}\n";
    if (root)
      for (const auto& e : fs::recursive_directory_iterator(folder / "mail"))
        if (::chown(e.path().c_str(), uid, gid) != 0) throw std::runtime_error("chown");
    if (root && (::chown((folder / "mail").c_str(), uid, gid) != 0 || ::chown(folder.c_str(), uid, gid) != 0))
      throw std::runtime_error("chown");
    const std::string config = (folder / "dovecot.conf").string();
    const char* args[] = {"dovecot", "-F", "-c", config.c_str(), nullptr};
    if (::posix_spawn(&pid_, "/usr/sbin/dovecot", nullptr, nullptr, const_cast<char**>(args), environ) != 0)
      throw std::runtime_error("dovecot does not start");
  }
  ~Dovecot() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    fs::remove_all(folder);
  }
  void deliver(const std::string& name, const std::string& content) const {
    std::ofstream(folder / "mail/tmp" / name) << content;
    fs::rename(folder / "mail/tmp" / name, folder / "mail/new" / name);
  }
  /// Flags of the mail whose name begins so: "S" is seen; "-" when it is gone.
  [[nodiscard]] std::string flags(const std::string& name) const {
    for (const char* sub : {"mail/new", "mail/cur"})
      for (const auto& e : fs::directory_iterator(folder / sub)) {
        const auto file = e.path().filename().string();
        if (!file.starts_with(name)) continue;
        const auto at = file.find(":2,");
        return at == std::string::npos ? "" : file.substr(at + 3);
      }
    return "-";
  }
  fs::path folder = fresh_folder();
  std::uint16_t port = 0;

 private:
  static std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0) throw std::runtime_error("no port");
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    ::close(fd);
    return ntohs(at.sin_port);
  }
  pid_t pid_ = -1;
};

TEST_F(Imap, ARealServerGivesEachMailOnceAndKeepsWhatWeMarked) {
  if (!fs::exists("/usr/sbin/dovecot")) GTEST_SKIP() << "dovecot is not installed: apt-get install dovecot-imapd";
  Dovecot server(certificates().server);
  server.deliver("1000.a", "Subject: een\n\neen\n");
  server.deliver("1001.b", "Subject: twee\n\n" + std::string(5000, 'x') + "\n");
  ImapMailbox mailbox(pool, at(server.port));
  Result<ImapLook> look = fail(ErrorKind::unavailable, "NOT_YET", "");
  const auto until = std::chrono::steady_clock::now() + 20s;  // until it listens
  while (!look && std::chrono::steady_clock::now() < until) look = run_now(mailbox.look({}, 10, 1000));
  ASSERT_TRUE(look) << look.error().code;
  ASSERT_EQ(look->mails.size(), 2U);
  EXPECT_EQ(look->mails[0].content, "Subject: een\r\n\r\neen\r\n");
  EXPECT_TRUE(look->mails[1].too_large);
  EXPECT_EQ(server.flags("1000.a"), "") << "a look leaves it unread";
  ASSERT_TRUE(run_now(mailbox.mark(look->validity, {look->mails[0].uid}, ImapMailbox::Mark::read)));
  EXPECT_EQ(server.flags("1000.a"), "S");
  EXPECT_EQ(server.flags("1001.b"), "") << "a person still has to see it";

  server.deliver("1002.c", "Subject: drie\n\ndrie\n");
  server.deliver("1003.d", "Subject: vier\n\nvier\n");
  auto next = run_now(mailbox.look({look->validity, look->mails[1].uid}, 1, 1000));
  ASSERT_TRUE(next) << next.error().code;
  ASSERT_EQ(next->mails.size(), 1U);
  EXPECT_TRUE(next->more);
  EXPECT_EQ(next->mails[0].content, "Subject: drie\r\n\r\ndrie\r\n");
  ASSERT_TRUE(run_now(mailbox.mark(next->validity, {next->mails[0].uid}, ImapMailbox::Mark::removed)));
  EXPECT_EQ(server.flags("1002.c"), "-");
  auto last = run_now(mailbox.look({next->validity, next->mails[0].uid + 1}, 10, 1000));
  ASSERT_TRUE(last) << last.error().code;
  EXPECT_TRUE(last->mails.empty()) << "n:* names the last one, which was seen before";

  auto wrong = at(server.port);
  wrong.password = Secret("fout");
  ImapMailbox refused(pool, std::move(wrong));
  EXPECT_EQ(run_now(refused.look({}, 1, 100)).error().code, "IMAP_LOGIN");
}

}  // namespace
}  // namespace schakel::net
