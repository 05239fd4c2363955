#include "core/portal/portal.hpp"

#include <fmt/format.h>

#include "core/portal/call.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::portal {
namespace {

using namespace std::chrono_literals;
using net::Response;

constexpr std::size_t kFormBytes = 64 * 1024;
// Pages are cheap and many people share an address; what a guesser needs is not.
constexpr Limit kPage{"page", 600, 60s, 50}, kOpen{"open", 60, 60s, 1}, kCode{"code", 60, 60s, 1},
    kAct{"act", 240, 60s, 1}, kFetch{"fetch", 120, 60s, 1};
constexpr Limit kOneLink{"one_link", 40, 60s, 1};
constexpr std::size_t kMostEnded = 10'000;

bool is_id(std::string_view s) {
  return !s.empty() && s.size() <= 64 && std::ranges::all_of(s, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.';
  });
}

/// "/l/{link}/code" against a path; fills what stands in braces.
bool matches(std::string_view pattern, std::string_view path, std::string& link, std::string& name) {
  while (true) {
    const auto p = pattern.substr(0, pattern.find('/', 1)), s = path.substr(0, path.find('/', 1));
    if (p == "/{link}" || p == "/{name}") {
      if (s.size() < 2 || !is_id(s.substr(1))) return false;
      (p == "/{link}" ? link : name) = s.substr(1);
    } else if (p != s) {
      return false;
    }
    pattern.remove_prefix(p.size());
    path.remove_prefix(s.size());
    if (pattern.empty() || path.empty()) return pattern.empty() && path.empty();
  }
}

std::string_view cookie_of(const net::Headers& headers, std::string_view name) {
  std::string_view found;
  for (const auto& [k, v] : headers) {
    if (!net::equal_ignoring_case(k, "cookie")) continue;
    std::string_view rest = v;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      auto pair = rest.substr(0, end);
      while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
      const auto eq = pair.find('=');
      if (eq != pair.npos && pair.substr(0, eq) == name) found = pair.substr(eq + 1);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return found;
}

bool loopback_url(std::string_view url) {
  return url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:") ||
         url.starts_with("http://[::1]:") || url == "http://127.0.0.1" || url == "http://localhost";
}

}  // namespace

std::span<const Portal::Route> Portal::table() {
  using B = Route::Body;
  static const Route routes[] = {
      {"GET", "/l/{link}", &Portal::start, kPage},
      {"POST", "/l/{link}/openen", &Portal::open_link, kOpen, B::form},
      {"GET", "/l/{link}/code", &Portal::code_page, kPage},
      {"POST", "/l/{link}/code", &Portal::enter_code, kCode, B::form},
      {"POST", "/l/{link}/code/nieuw", &Portal::new_code, kCode, B::form},
      {"GET", "/l/{link}/inhoud", &Portal::content, kPage},
      {"POST", "/l/{link}/opnieuw", &Portal::ask_again, kAct, B::form},
      {"POST", "/l/{link}/document", &Portal::download, kFetch, B::form},
      {"POST", "/l/{link}/uit", &Portal::log_out, kAct, B::form},
      {"GET", "/w/{link}", &Portal::work, kPage, B::none, true},
      {"POST", "/w/{link}/document", &Portal::upload, kAct, B::upload, true},
      {"GET", "/w/{link}/versturen", &Portal::send_page, kPage, B::none, true},
      {"POST", "/w/{link}/voorbeeld", &Portal::preview, kAct, B::form, true},
      {"POST", "/w/{link}/versturen", &Portal::submit, kAct, B::form, true},
      {"POST", "/w/{link}/intrekken", &Portal::withdraw, kAct, B::form, true},
      {"GET", "/toegankelijkheid", &Portal::accessibility, kPage},
      {"GET", "/assets/{name}", &Portal::asset, kPage},
  };
  return routes;
}

std::vector<Portal::RouteInfo> Portal::routes() {
  static constexpr std::string_view kNeeds[] = {"anonymous", "link_proven", "full"};
  std::vector<RouteInfo> out;
  for (const auto& r : table()) out.push_back({r.method, r.pattern, kNeeds[r.handler.index()], r.workplace, r.limit});
  return out;
}

Result<std::unique_ptr<Portal>> Portal::open(PortalBackend& backend, LinkService& links, RateLimiter& limiter,
                                             PortalOptions options) {
  if (!options.public_url.starts_with("https://") && !loopback_url(options.public_url))
    return fail(ErrorKind::invalid, "PORTAL_PLAIN", "the portal speaks plain HTTP on loopback only");
  auto renderer = Renderer::load(options.share);
  if (!renderer) return fail(renderer.error());
  return std::unique_ptr<Portal>(new Portal(backend, links, limiter, std::move(options), std::move(*renderer)));
}

Portal::Portal(PortalBackend& backend, LinkService& links, RateLimiter& limiter, PortalOptions options,
               Renderer renderer)
    : backend_(backend),
      links_(links),
      limiter_(limiter),
      options_(std::move(options)),
      renderer_(std::move(renderer)),
      secure_(options_.public_url.starts_with("https://")) {}

std::string Portal::cookie_name(std::string_view link) const {
  return (secure_ ? "__Host-schakel-" : "schakel-") + std::string(link);
}

std::string Portal::set_cookie(std::string_view link, const Secret& cookie) const {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}", cookie_name(link), cookie.reveal_text(),
                     secure_ ? "; Secure" : "");
}

/// A browser says where a request comes from; one that says nothing at all may not change anything (IAM-7).
bool Portal::same_origin(const net::RequestHead& head) const {
  const auto site = head.headers.get("sec-fetch-site"), origin = head.headers.get("origin");
  if (!site.empty() && site != "same-origin") return false;
  // Our own pages have no-referrer, which makes browsers send "null" as the origin of a form; then the fetch metadata
  // decides.
  if (origin.empty() || origin == "null") return site == "same-origin";
  return origin == options_.public_url;
}

Response Portal::page(const std::string& name, Json data, int status) const {
  data["organisation"] = options_.organisation;
  data["contact"] = options_.contact;
  Response r;
  r.status = status;
  r.body = renderer_.page(name, data);
  r.headers = {{"Content-Type", "text/html; charset=utf-8"},
               {"Content-Security-Policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; form-action "
                "'self'; base-uri 'none'; frame-ancestors 'none'"},
               {"X-Content-Type-Options", "nosniff"},
               {"Referrer-Policy", "no-referrer"},
               {"X-Frame-Options", "DENY"},
               {"Cross-Origin-Opener-Policy", "same-origin"},
               {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
               {"Cache-Control", "no-store"}};
  if (secure_) r.headers.add("Strict-Transport-Security", "max-age=63072000");
  return r;
}

Response Portal::message(int status, std::string title, std::vector<std::string> lines) const {
  return page("message", Json{{"title", std::move(title)}, {"lines", std::move(lines)}}, status);
}

Response Portal::dead_link() const {
  return message(404, "Deze link werkt niet (meer)",
                 {"De link is verlopen, ingetrokken, onvolledig of nooit geldig geweest. Dat kunnen wij hier niet voor "
                  "u uitzoeken.",
                  "Gebruik de volledige link uit de laatste e-mail die u kreeg. Werkt die ook niet? Vraag de afzender "
                  "dan om een nieuwe link."});
}

Response Portal::failure(const Error& error) const {
  if (error.code == "LINK_DEAD") return dead_link();
  if (error.kind == ErrorKind::not_found)
    return message(404, "Deze pagina bestaat niet", {"Controleer het adres of open de link uit de e-mail opnieuw."});
  if (error.kind == ErrorKind::forbidden)
    return message(403, "Dit mag niet", {"U hebt geen toegang tot dit onderdeel."});
  if (error.kind == ErrorKind::conflict)
    return message(409, "Dit is intussen veranderd",
                   {"Uw verzoek is niet uitgevoerd. Ga terug, ververs de pagina en probeer het nog eens."});
  if (error.kind == ErrorKind::too_large)
    return message(413, "Het bestand is te groot",
                   {fmt::format("Een document mag hoogstens {} MB zijn.", options_.upload_bytes / 1000000)});
  auto r = message(error.kind == ErrorKind::timeout ? 504 : 503, "Het lukt nu niet",
                   {"Er ging aan onze kant iets mis. Uw gegevens zijn niet verloren.",
                    "Probeer het over een paar minuten opnieuw."});
  r.headers.add("Retry-After", "60");
  return r;
}

Response Portal::see_other(std::string to) {
  Response r;
  r.status = 303;
  r.headers = {{"Location", std::move(to)}, {"Cache-Control", "no-store"}, {"Referrer-Policy", "no-referrer"}};
  return r;
}

Task<net::HeadDecision> Portal::on_head(const net::RequestHead& head) {
  auto flushed = co_await flush();
  if (!flushed) co_return failure(flushed.error());
  Call call;
  call.began = std::chrono::steady_clock::now();
  bool path_known = false;
  const bool reads = head.method == "GET" || head.method == "HEAD";
  for (const auto& r : table()) {
    if (!matches(r.pattern, head.path, call.link, call.name)) continue;
    path_known = true;
    if (r.method == (reads ? "GET" : head.method)) {
      call.route = &r;
      break;
    }
  }
  const auto who = limited_address(head.address);
  if (call.route == nullptr) {
    // What is not there is limited as well.
    auto free = co_await limiter_.allow(kPage, who);
    if (!free) co_return failure(free.error());
    if (path_known) co_return message(405, "Dit kan hier niet", {"Ga terug en gebruik de knoppen op de pagina."});
    co_return message(404, "Deze pagina bestaat niet", {"Controleer het adres of open de link uit de e-mail opnieuw."});
  }
  if (!reads && !same_origin(head))
    co_return message(403, "Dit verzoek kwam van een andere website",
                      {"Open de link uit de e-mail opnieuw en probeer het nog eens."});
  // Who makes up links gets the same answers, and makes nothing be written down.
  bool made_up = false;
  if (!reads) {
    auto known = co_await links_.known(call.link);
    if (!known) co_return failure(known.error());
    made_up = !*known;
  }
  const auto link = "link:" + call.link;
  Result<bool> permit = true;
  if (made_up) {
    permit = limiter_.allow_unkept(call.route->limit, who) && limiter_.allow_unkept(kOneLink, link);
  } else {
    permit = co_await limiter_.allow(call.route->limit, who);
    if (permit && *permit && !reads) permit = co_await limiter_.allow(kOneLink, link);
  }
  if (!permit) co_return failure(permit.error());
  if (!*permit) {
    auto r = message(429, "Even geduld",
                     {"Er kwamen te veel verzoeken achter elkaar. Wacht een minuut en probeer het opnieuw."});
    r.headers.add("Retry-After", "60");
    co_return r;
  }
  if (call.route->handler.index() != 0) {
    auto visitor = co_await links_.visitor(call.link, Secret(cookie_of(head.headers, cookie_name(call.link))));
    if (!visitor) co_return failure(visitor.error());
    if (std::holds_alternative<Anonymous>(*visitor)) co_return see_other("/l/" + call.link);
    if (call.route->handler.index() == 2 && !std::holds_alternative<Full>(*visitor))
      co_return see_other("/l/" + call.link + "/code");
    if (call.route->handler.index() == 1 && std::holds_alternative<Full>(*visitor))
      co_return see_other("/l/" + call.link + "/inhoud");
    if (const auto* full = std::get_if<Full>(&*visitor);
        full != nullptr && call.route->workplace != full->session.link.workplace && head.path.starts_with("/w/"))
      co_return see_other("/l/" + call.link + "/inhoud");
    call.visitor = std::move(*visitor);
  }
  net::Accept accept;
  if (call.route->body == Route::Body::form) accept.body_limit = kFormBytes;
  if (call.route->body == Route::Body::upload) {
    accept.body_limit = static_cast<std::uint64_t>(options_.upload_bytes) + kFormBytes;
    accept.stream = true;
  }
  accept.context = std::move(call);
  co_return accept;
}

Task<Response> Portal::on_request(net::Request& request) {
  auto call = std::any_cast<Call>(std::move(request.context));
  call.request = &request;
  if (call.route->body == Route::Body::form) {
    auto fields = net::parse_query(request.body, 200);
    // '+' is a space in a form; parse_query does both.
    if (!fields) co_return message(400, "Het formulier kwam niet goed aan", {"Ga terug en probeer het nog eens."});
    call.fields = std::move(*fields);
    const Session* session = nullptr;
    if (auto* p = std::get_if<LinkProven>(&call.visitor)) session = &p->session;
    if (auto* f = std::get_if<Full>(&call.visitor)) session = &f->session;
    if (session != nullptr && !equal_constant_time(as_bytes(call.field("csrf")), as_bytes(session->csrf)))
      co_return message(403, "Het formulier is verlopen", {"Ga terug, ververs de pagina en probeer het nog eens."});
  }
  switch (call.route->handler.index()) {
    case 0: {
      const Anonymous who;
      auto r = co_await (this->*std::get<0>(call.route->handler))(call, who);
      co_return r;
    }
    case 1: {
      const auto who = std::get<LinkProven>(call.visitor);
      auto r = co_await (this->*std::get<1>(call.route->handler))(call, who);
      co_return r;
    }
    default: {
      const auto who = std::get<Full>(call.visitor);
      auto r = co_await (this->*std::get<2>(call.route->handler))(call, who);
      co_return r;
    }
  }
}

void Portal::EndedList::add(std::deque<Ended> more) {
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(mutex);
    for (auto& e : more)
      if (items.size() < kMostEnded)
        items.push_back(std::move(e));
      else
        ++dropped;
  }
  // That each of them began is in the audit already; how it ended is lost.
  if (dropped > 0) log(LogLevel::error, "portal.leaves_dropped", {{"count", static_cast<std::int64_t>(dropped)}});
}

Task<Result<void>> Portal::flush() {
  // What was not written goes back however this ends, also with the connection of the request that it runs for.
  struct Rest {
    std::shared_ptr<EndedList> list;
    std::deque<Ended> items;
    ~Rest() {
      if (!items.empty()) list->add(std::move(items));
    }
  } rest{ended_, {}};
  {
    const std::lock_guard lock(ended_->mutex);
    rest.items.swap(ended_->items);
  }
  while (!rest.items.empty()) {
    const auto& e = rest.items.front();
    auto done = co_await links_.record_download(e.link, e.document, e.bytes, e.complete);
    if (!done) co_return fail(done.error());
    rest.items.pop_front();
  }
  co_return Result<void>{};
}

}  // namespace schakel::portal
