// The pages behind secure links, as a handler of the HTTP server.
//
// Every route says in its type what a visitor must have proven (Anonymous, LinkProven, Full), has a limit in the store,
// and, when it changes something, wants its own origin and the session's token. What is not in the table does not
// exist.
#pragma once
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/net/http_server.hpp"
#include "core/portal/backend.hpp"
#include "core/portal/links.hpp"
#include "core/portal/rate_limit.hpp"
#include "core/portal/render.hpp"

namespace schakel::portal {

struct PortalOptions {
  std::filesystem::path share;           ///< folder with templates/ and assets/
  std::string public_url;                ///< origin, as in LinkSettings; http:// is taken on loopback only
  std::string organisation = "Schakel";  ///< shown in head and foot of each page
  std::string contact;                   ///< whom to call when a page does not work; shown in the foot
  std::int64_t upload_bytes = 100'000'000;
  milliseconds refusal_time{300};  ///< how long a refused link takes at least, whatever the reason (LNK-7)
};

/// Thread: every shard at once. Lifetime: outlives the server; outlived by backend, links and limiter.
class Portal final : public net::HttpHandler {
 public:
  /// PORTAL_SHARE; PORTAL_PLAIN (invalid: public_url is plain HTTP and not loopback).
  [[nodiscard]] static Result<std::unique_ptr<Portal>> open(PortalBackend& backend, LinkService& links,
                                                            RateLimiter& limiter, PortalOptions options);

  Task<net::HeadDecision> on_head(const net::RequestHead& head) override;
  Task<net::Response> on_request(net::Request& request) override;
  /// Writes the ends of downloads that are not yet in the audit; what cannot be written now stays for the next time.
  /// Called by every request; call it once at the stop too.
  Task<Result<void>> flush();

  /// What a route is, for the test that walks all of them.
  struct RouteInfo {
    std::string_view method, pattern, needs;
    bool workplace;
    Limit limit;
  };
  [[nodiscard]] static std::vector<RouteInfo> routes();

 private:
  struct Call;
  struct Route;
  struct Ended {
    LinkView link;
    std::string document;
    std::int64_t bytes;
    bool complete;
  };
  struct EndedList {
    std::mutex mutex;
    std::deque<Ended> items;
    /// Keeps at most 10,000: a store that takes nothing must not fill the memory. The log says what was dropped.
    void add(std::deque<Ended> more);
  };
  class DownloadBody;
  using Fields = std::vector<std::pair<std::string, std::string>>;

  Portal(PortalBackend& backend, LinkService& links, RateLimiter& limiter, PortalOptions options, Renderer renderer);
  static std::span<const Route> table();

  [[nodiscard]] bool same_origin(const net::RequestHead& head) const;
  [[nodiscard]] std::string cookie_name(std::string_view link) const;
  [[nodiscard]] std::string set_cookie(std::string_view link, const Secret& cookie) const;
  [[nodiscard]] net::Response page(const std::string& name, Json data, int status = 200) const;
  [[nodiscard]] net::Response message(int status, std::string title, std::vector<std::string> lines) const;
  [[nodiscard]] net::Response failure(const Error& error) const;
  [[nodiscard]] net::Response dead_link() const;
  [[nodiscard]] static net::Response see_other(std::string to);

  // Recipient: pages_link.cpp
  Task<net::Response> start(Call& call, const Anonymous&);
  Task<net::Response> open_link(Call& call, const Anonymous&);
  Task<net::Response> code_page(Call& call, const LinkProven& who);
  Task<net::Response> new_code(Call& call, const LinkProven& who);
  Task<net::Response> enter_code(Call& call, const LinkProven& who);
  Task<net::Response> content(Call& call, const Full& who);
  Task<net::Response> ask_again(Call& call, const Full& who);
  Task<net::Response> download(Call& call, const Full& who);
  Task<net::Response> log_out(Call& call, const Full& who);
  Task<net::Response> accessibility(Call& call, const Anonymous&);
  Task<net::Response> asset(Call& call, const Anonymous&);
  [[nodiscard]] Task<Result<void>> ask_rules(Session session);
  [[nodiscard]] net::Response show_code_page(const Session& session, const std::string& error) const;

  // School: pages_work.cpp and pages_send.cpp
  Task<net::Response> work(Call& call, const Full& who);
  Task<net::Response> upload(Call& call, const Full& who);
  Task<net::Response> send_page(Call& call, const Full& who);
  Task<net::Response> preview(Call& call, const Full& who);
  Task<net::Response> submit(Call& call, const Full& who);
  Task<net::Response> withdraw(Call& call, const Full& who);
  [[nodiscard]] Task<Result<std::string>> receive(Call& call, const Full& who);
  [[nodiscard]] net::Response show_work(const Session& session, const CaseView& view, const std::string& notice,
                                        const std::string& error, int status = 200) const;
  /// Nothing was sent: why, and the way on with what was filled in under a key of its own. The key that was used has
  /// its answer, and would get it again.
  [[nodiscard]] net::Response show_unsent(const Session& session, const Fields& filled,
                                          std::vector<std::string> lines) const;
  [[nodiscard]] net::Response show_send(const Session& session, const CaseView& view, const Fields& filled,
                                        const std::vector<Finding>& findings) const;

  PortalBackend& backend_;
  LinkService& links_;
  RateLimiter& limiter_;
  PortalOptions options_;
  Renderer renderer_;
  bool secure_ = true;
  std::shared_ptr<EndedList> ended_ = std::make_shared<EndedList>();
};

/// The form of pages_send as a SendForm; findings name the field that is wrong. Pure.
[[nodiscard]] Result<SendForm> read_send_form(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace schakel::portal
