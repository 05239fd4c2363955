#include "core/net/mail.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string_view>

namespace schakel::net {
namespace {

struct Upload {
  std::string_view left;
  bool all_read = false;
};

std::size_t read_more(char* into, std::size_t size, std::size_t count, void* user) {
  auto& upload = *static_cast<Upload*>(user);
  const auto n = std::min(size * count, upload.left.size());
  std::memcpy(into, upload.left.data(), n);
  upload.left.remove_prefix(n);
  if (n == 0) upload.all_read = true;  // libcurl writes the final dot after this
  return n;
}

MailReceipt verdict_of(CURLcode result, int code, bool all_read) {
  const auto smtp = "SMTP_" + std::to_string(code);
  if (result == CURLE_OK) return {MailVerdict::accepted, code, smtp};
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return {MailVerdict::later, 0, "MAIL_CONNECT"};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
      return {MailVerdict::later, code, "MAIL_TLS"};
    // Wrong credentials are our mistake, not the message's: it waits until they are mended.
    case CURLE_LOGIN_DENIED:
      return {MailVerdict::later, code, "MAIL_LOGIN"};
    default:
      break;
  }
  if (code >= 500 && code < 600) return {MailVerdict::refused, code, smtp};
  if (code >= 400 && code < 500) return {MailVerdict::later, code, smtp};
  if (all_read) return {MailVerdict::unknown, code, "MAIL_UNKNOWN"};
  return {MailVerdict::later, code, "MAIL_BROKEN"};
}

MailReceipt transfer(const MailServer& server, const MailMessage& message, const std::string& content) {
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return {MailVerdict::later, 0, "MAIL_BROKEN"};
  CURL* c = curl.get();
  const bool implicit = server.security == MailServer::Security::implicit_tls;
  const bool v6 = server.host.find(':') != std::string::npos;
  const std::string url = std::string(implicit ? "smtps://" : "smtp://") +
                          (v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port) +
                          (server.helo.empty() ? "" : "/" + server.helo);
  Upload upload{content};
  curl_slist* list = nullptr;
  for (const auto& to : message.to) list = curl_slist_append(list, ("<" + to.address + ">").c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(list, curl_slist_free_all);

  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(server.deadline.count()));
  curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, std::max(1L, static_cast<long>(server.deadline.count() / 1000)));
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(server.connect_time.count()));
  curl_easy_setopt(c, CURLOPT_USE_SSL,
                   server.security == MailServer::Security::none ? static_cast<long>(CURLUSESSL_NONE)
                                                                 : static_cast<long>(CURLUSESSL_ALL));
  curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!server.ca_file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, server.ca_file.c_str());
  if (!server.user.empty()) {
    curl_easy_setopt(c, CURLOPT_USERNAME, server.user.c_str());
    curl_easy_setopt(c, CURLOPT_PASSWORD, std::string(server.password.reveal_text()).c_str());
  }
  curl_easy_setopt(c, CURLOPT_MAIL_FROM, ("<" + message.from.address + ">").c_str());
  curl_easy_setopt(c, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(c, CURLOPT_READFUNCTION, read_more);
  curl_easy_setopt(c, CURLOPT_READDATA, &upload);

  const CURLcode result = curl_easy_perform(c);
  // RCPT refusals are CURLE_SEND_ERROR for 550 and 451 alike; only the reply code tells them apart.
  long code = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
  return verdict_of(result, static_cast<int>(code), upload.all_read);
}

bool loopback(const std::string& host) { return host == "127.0.0.1" || host == "::1" || host == "localhost"; }

bool valid_host(const std::string& host) {
  return !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' ||
           c == ':';
  });
}

}  // namespace

MailSender::MailSender(runtime::BlockingPool& pool, MailServer server)
    : pool_(pool), server_(std::make_unique<MailServer>(std::move(server))) {
  static std::once_flag once;
  std::call_once(once, [] {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    // With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE to us, and OpenSSL writes to a socket that the server may have
    // closed: the signal would end the whole process.
    std::signal(SIGPIPE, SIG_IGN);
  });
}

MailSender::~MailSender() = default;

Task<Result<MailReceipt>> MailSender::send(MailMessage message) {
  const auto bad = [](const char* why) { return fail(ErrorKind::invalid, "MAIL_CONFIG", why); };
  if (!valid_host(server_->host) || (!server_->helo.empty() && !valid_host(server_->helo)))
    co_return bad("the mail server's name is malformed");
  if (server_->security == MailServer::Security::none && !loopback(server_->host))
    co_return bad("mail without TLS is for loopback only");
  auto content = write_mail(message);
  if (!content) co_return fail(content.error());
  const MailServer& server = *server_;
  auto receipt = co_await pool_.run([&] { return transfer(server, message, *content); });
  co_return receipt;
}

}  // namespace schakel::net
