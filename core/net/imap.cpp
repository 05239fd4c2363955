#include "core/net/imap.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <mutex>

#include "core/net/imap_line.hpp"

namespace schakel::net {
namespace {

using ImapTime = std::chrono::steady_clock::time_point;

std::unexpected<Error> imap_failed(const char* code) {
  return fail(ErrorKind::unavailable, code, "the mailbox cannot be reached");
}

Result<void> imap_verdict(CURLcode result) {
  switch (result) {
    case CURLE_OK:
      return {};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return imap_failed("IMAP_CONNECT");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
      return imap_failed("IMAP_TLS");
    case CURLE_LOGIN_DENIED:
      return imap_failed("IMAP_LOGIN");
    case CURLE_OPERATION_TIMEDOUT:
      return fail(ErrorKind::timeout, "IMAP_TIMEOUT", "the mail server did not answer in time");
    default:
      return imap_failed("IMAP_BROKEN");
  }
}

/// A connection that is logged in. libcurl connects, checks the certificate and logs in (CONNECT_ONLY); the commands
/// are ours, because its own FETCH would mark a mail as read that a person still has to see.
class ImapSession {
 public:
  static Result<std::unique_ptr<ImapSession>> open(const ImapServer& server) {
    auto out = std::unique_ptr<ImapSession>(new ImapSession(server));
    if (!out->curl_) return imap_failed("IMAP_BROKEN");
    CURL* c = out->curl_.get();
    const bool v6 = server.host.find(':') != std::string::npos;
    const auto url = fmt::format("imaps://{}:{}/", v6 ? "[" + server.host + "]" : server.host, server.port);
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "imaps");
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(server.deadline.count()));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(server.connect_time.count()));
    curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!server.ca_file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, server.ca_file.c_str());
    curl_easy_setopt(c, CURLOPT_USERNAME, server.user.c_str());
    curl_easy_setopt(c, CURLOPT_PASSWORD, std::string(server.password.reveal_text()).c_str());
    if (auto done = imap_verdict(curl_easy_perform(c)); !done) return fail(std::move(done.error()));
    return out;
  }

  /// Sends a command and collects its untagged responses up to its own answer; IMAP_REFUSED when that is not OK.
  Result<std::vector<ImapLine>> ask(const std::string& command) {
    const auto tag = fmt::format("S{}", ++tags_);
    if (auto sent = send(fmt::format("{} {}\r\n", tag, command)); !sent) return fail(std::move(sent.error()));
    std::vector<ImapLine> out;
    for (;;) {
      auto line = next();
      if (!line) return fail(std::move(line.error()));
      if (line->text.starts_with("* BYE")) return imap_failed("IMAP_BROKEN");
      if (line->text.starts_with(tag + " ")) {
        if (!line->text.starts_with(tag + " OK")) return imap_failed("IMAP_REFUSED");
        return out;
      }
      if (!line->text.starts_with("* ")) return fail(ErrorKind::io, "IMAP_PROTOCOL", "an answer nobody asked for");
      // A server tells of new mail whenever it likes; none tells a thousand times.
      if (out.size() >= 1000) return fail(ErrorKind::too_large, "IMAP_TOO_LARGE", "the mail server does not end");
      out.push_back(std::move(*line));
    }
  }

  /// libcurl says nothing when a CONNECT_ONLY connection ends.
  void leave() { (void)send("S0 LOGOUT\r\n"); }

 private:
  explicit ImapSession(const ImapServer& server)
      : curl_(curl_easy_init(), curl_easy_cleanup), until_(std::chrono::steady_clock::now() + server.deadline) {}

  Result<void> wait(short events) {
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
      return imap_failed("IMAP_BROKEN");
    const auto left = std::chrono::duration_cast<milliseconds>(until_ - std::chrono::steady_clock::now()).count();
    pollfd p{fd, events, 0};
    // TLS may want to read before it can write: a look now and then is cheap.
    if (left > 0) (void)::poll(&p, 1, static_cast<int>(std::min<std::int64_t>(left, 1000)));
    if (left <= 0) return fail(ErrorKind::timeout, "IMAP_TIMEOUT", "the mail server did not answer in time");
    return {};
  }

  Result<void> send(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t n = 0;
      const auto code = curl_easy_send(curl_.get(), bytes.data(), bytes.size(), &n);
      if (code == CURLE_AGAIN) {
        if (auto ready = wait(POLLOUT); !ready) return ready;
        continue;
      }
      if (code != CURLE_OK) return imap_failed("IMAP_BROKEN");
      bytes.remove_prefix(n);
    }
    return {};
  }

  Result<ImapLine> next() {
    for (;;) {
      std::string_view rest = buffer_;
      auto line = take_imap_line(rest);
      if (!line) return fail(std::move(line.error()));
      if (*line) {
        buffer_.erase(0, buffer_.size() - rest.size());
        return std::move(**line);
      }
      if (std::chrono::steady_clock::now() > until_)
        return fail(ErrorKind::timeout, "IMAP_TIMEOUT", "the mail server did not answer in time");
      char piece[64 * 1024];
      std::size_t n = 0;
      const auto code = curl_easy_recv(curl_.get(), piece, sizeof piece, &n);
      if (code == CURLE_AGAIN) {
        if (auto ready = wait(POLLIN); !ready) return fail(std::move(ready.error()));
        continue;
      }
      if (code != CURLE_OK || n == 0) return imap_failed("IMAP_BROKEN");
      buffer_.append(piece, n);
    }
  }

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  ImapTime until_;
  std::string buffer_;
  int tags_ = 0;
};

/// EXAMINE or SELECT; the validity of the uids.
Result<std::uint32_t> open_mailbox(ImapSession& session, const ImapServer& server, const char* how) {
  auto lines = session.ask(fmt::format("{} {}", how, imap_quoted(server.mailbox).value_or("\"INBOX\"")));
  if (!lines) return fail(std::move(lines.error()));
  for (const auto& l : *lines)
    if (auto validity = read_imap_code(l.text, "UIDVALIDITY")) return *validity;
  return fail(ErrorKind::io, "IMAP_PROTOCOL", "the mail server gives no UIDVALIDITY");
}

Result<ImapLook> look_now(const ImapServer& server, ImapMark after, std::size_t limit, std::size_t max_bytes) {
  auto session = ImapSession::open(server);
  if (!session) return fail(std::move(session.error()));
  auto validity = open_mailbox(**session, server, "EXAMINE");
  if (!validity) return fail(std::move(validity.error()));
  ImapLook out;
  out.validity = *validity;
  const std::uint32_t from = after.validity == *validity ? after.uid : 0;
  if (from == UINT32_MAX) return out;
  auto found = (*session)->ask(fmt::format("UID SEARCH UID {}:*", from + 1));
  if (!found) return fail(std::move(found.error()));
  std::vector<std::uint32_t> uids;
  for (const auto& l : *found) {
    if (!l.text.starts_with("* SEARCH")) continue;
    auto some = read_imap_search(l.text);
    if (!some) return fail(std::move(some.error()));
    // n:* names the last mail also when it is an older one.
    for (auto uid : *some)
      if (uid > from) uids.push_back(uid);
  }
  std::ranges::sort(uids);
  out.more = uids.size() > limit;
  if (out.more) uids.resize(limit);
  for (auto uid : uids) {
    auto lines = (*session)->ask(fmt::format("UID FETCH {} (UID BODY.PEEK[]<0.{}>)", uid, max_bytes + 1));
    if (!lines) return fail(std::move(lines.error()));
    ImapMail mail;
    mail.uid = uid;
    for (auto& l : *lines) {
      if (l.text.find(" FETCH ") == std::string::npos || l.literals.empty()) continue;
      // A server may tell of another mail meanwhile.
      if (l.text.find(fmt::format("UID {} ", uid)) == std::string::npos &&
          l.text.find(fmt::format("UID {})", uid)) == std::string::npos)
        continue;
      mail.content = std::move(l.literals.front());
    }
    mail.too_large = mail.content.size() > max_bytes;
    if (mail.too_large) mail.content.clear();
    // Also one without content, such as one that was removed since SEARCH: the mark has to pass it.
    out.mails.push_back(std::move(mail));
  }
  (*session)->leave();
  return out;
}

Result<void> mark_now(const ImapServer& server, std::uint32_t validity, const std::vector<std::uint32_t>& uids,
                      ImapMailbox::Mark how) {
  auto session = ImapSession::open(server);
  if (!session) return fail(std::move(session.error()));
  auto now = open_mailbox(**session, server, "SELECT");
  if (!now) return fail(std::move(now.error()));
  if (*now != validity) return fail(ErrorKind::conflict, "IMAP_VALIDITY", "the mailbox was made anew meanwhile");
  std::string set;
  for (auto uid : uids) set += (set.empty() ? "" : ",") + std::to_string(uid);
  const bool gone = how == ImapMailbox::Mark::removed;
  auto stored = (*session)->ask(fmt::format("UID STORE {} +FLAGS.SILENT ({})", set, gone ? "\\Deleted" : "\\Seen"));
  if (!stored) return fail(std::move(stored.error()));
  // Only these (RFC 4315): a plain EXPUNGE would take what a person marked. A server without it keeps them marked.
  if (gone) (void)(*session)->ask("UID EXPUNGE " + set);
  (*session)->leave();
  return {};
}

bool imap_host(const std::string& host) {
  return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' ||
           c == ':';
  });
}

Result<void> usable(const ImapServer& s) {
  if (imap_host(s.host) && !s.user.empty() && imap_quoted(s.mailbox) && !s.mailbox.empty()) return {};
  return fail(ErrorKind::invalid, "IMAP_CONFIG", "host, user or mailbox is malformed");
}

}  // namespace

ImapMailbox::ImapMailbox(runtime::BlockingPool& pool, ImapServer server)
    : pool_(pool), server_(std::make_unique<ImapServer>(std::move(server))) {
  static std::once_flag once;
  std::call_once(once, [] {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    std::signal(SIGPIPE, SIG_IGN);  // as in mail.cpp: OpenSSL writes to sockets that the server may have closed
  });
}

ImapMailbox::~ImapMailbox() = default;

Task<Result<ImapLook>> ImapMailbox::look(ImapMark after, std::size_t limit, std::size_t max_bytes) {
  if (auto good = usable(*server_); !good) co_return fail(std::move(good.error()));
  const ImapServer& server = *server_;
  auto out = co_await pool_.run([&] { return look_now(server, after, limit, max_bytes); });
  if (!out) co_return fail(std::move(out.error()));
  co_return std::move(*out);
}

Task<Result<void>> ImapMailbox::mark(std::uint32_t validity, std::vector<std::uint32_t> uids, Mark how) {
  if (auto good = usable(*server_); !good) co_return fail(std::move(good.error()));
  if (uids.empty()) co_return Result<void>{};
  const ImapServer& server = *server_;
  auto out = co_await pool_.run([&] { return mark_now(server, validity, uids, how); });
  if (!out) co_return fail(std::move(out.error()));
  co_return std::move(*out);
}

}  // namespace schakel::net
