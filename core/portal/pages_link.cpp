// What a recipient meets: link, code, documents.
#include <fmt/format.h>

#include <cstring>

#include "core/portal/call.hpp"
#include "core/portal/words.hpp"
#include "core/runtime/scope.hpp"

namespace schakel::portal {
namespace {

using net::Response;

constexpr std::size_t kPiece = 64 * 1024;
/// Each question to the rules is a message in the case, for good.
constexpr Limit kAgain{"again", 20, std::chrono::hours(1), 1};

Json documents_json(const std::vector<DocumentView>& documents) {
  Json out = Json::array();
  for (const auto& d : documents)
    out.push_back({{"id", d.id},
                   {"name", doc_word(d.doc_type)},
                   {"version", std::to_string(d.version)},
                   {"size", size_word(d.size)},
                   {"status", d.status},
                   {"concept", d.status == "concept"}});
  return out;
}

std::vector<std::string> split(std::string_view codes) {
  std::vector<std::string> out;
  while (!codes.empty()) {
    const auto end = std::min(codes.find(','), codes.size());
    out.emplace_back(codes.substr(0, end));
    codes.remove_prefix(std::min(end + 1, codes.size()));
  }
  return out;
}

/// The lock of a recipient's link is told in the same transaction; a workplace has no sender.
std::string sender_told(const Session& s) {
  return s.link.workplace ? "" : " De afzender heeft daarvan bericht gekregen.";
}

Json session_json(const Session& s, std::string title) {
  return {
      {"title", std::move(title)}, {"link", s.link.id}, {"csrf", s.csrf}, {"until", long_date_time(s.link.expires)}};
}

}  // namespace

/// A document as it leaves. Whether it may go on is asked before each piece, so that a revocation stops it at once
/// (LNK-9).
class Portal::DownloadBody final : public net::BodyProducer {
 public:
  DownloadBody(LinkService& links, std::shared_ptr<EndedList> ended, Session session, std::string document,
               std::unique_ptr<Download> source)
      : links_(links),
        ended_(std::move(ended)),
        session_(std::move(session)),
        document_(std::move(document)),
        source_(std::move(source)) {}

  [[nodiscard]] Task<Result<std::size_t>> produce(std::span<std::uint8_t> into) override {
    const auto left = source_->info().size - offset_;
    if (left <= 0) co_return std::size_t{0};
    auto valid = co_await links_.still_valid(session_.link.id, session_.token_hash);
    if (!valid) co_return fail(valid.error());
    auto piece = co_await source_->read(
        offset_, std::min(into.size(), std::min<std::size_t>(kPiece, static_cast<std::size_t>(left))));
    if (!piece) co_return fail(piece.error());
    if (piece->empty() || piece->size() > into.size())
      co_return fail(ErrorKind::io, "DOWNLOAD_SHORT", "the document ended early");
    std::memcpy(into.data(), piece->data(), piece->size());
    offset_ += static_cast<std::int64_t>(piece->size());
    co_return piece->size();
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    return static_cast<std::uint64_t>(source_->info().size);
  }
  void finished(std::uint64_t sent, bool complete) override {
    std::deque<Ended> one;
    one.push_back({session_.link, document_, static_cast<std::int64_t>(sent), complete});
    ended_->add(std::move(one));
  }

 private:
  LinkService& links_;
  std::shared_ptr<EndedList> ended_;
  Session session_;
  std::string document_;
  std::unique_ptr<Download> source_;
  std::int64_t offset_ = 0;
};

Task<Response> Portal::start(Call& call, const Anonymous&) {
  // The same page for every id, also for one that never was: this request knows nothing and changes nothing (LNK-4,
  // LNK-7).
  co_return page("start", Json{{"title", "Documenten bekijken"}, {"link", call.link}, {"script", true}});
}

Task<Response> Portal::open_link(Call& call, const Anonymous&) {
  const Secret pasted(call.field("sleutel"));
  Secret secret(std::string_view(secret_of(pasted.reveal_text())));
  auto cookie = co_await links_.prove(call.link, std::move(secret));
  if (cookie) {
    auto r = see_other("/l/" + call.link + "/code");
    r.headers.add("Set-Cookie", set_cookie(call.link, *cookie));
    co_return r;
  }
  if (cookie.error().code != "LINK_DEAD") co_return failure(cookie.error());
  // Unknown, expired, revoked and wrong take the same time, that of the limits before this included.
  const auto left =
      options_.refusal_time - std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - call.began);
  if (left.count() > 0) co_await runtime::sleep_for(left);
  co_return dead_link();
}

Response Portal::show_code_page(const Session& s, const std::string& error) const {
  auto data = session_json(s, "Code invullen");
  data["sms"] = s.sms;
  data["app"] = !s.sms;
  data["ask"] = s.sms && !s.code_waiting;
  data["enter"] = !s.sms || s.code_waiting;
  data["number"] = s.number_end;
  data["error"] = error;
  if (!error.empty()) data["title"] = "Fout: Code invullen";
  return page("code", std::move(data), error.empty() ? 200 : 422);
}

Task<Response> Portal::code_page(Call&, const LinkProven& who) { co_return show_code_page(who.session, ""); }

Task<Response> Portal::new_code(Call& call, const LinkProven& who) {
  auto done = co_await links_.begin_round(who.session);
  if (done) co_return see_other("/l/" + call.link + "/code");
  if (done.error().code == "CODE_LIMIT")
    co_return message(403, "Vandaag zijn er geen codes meer",
                      {"U kunt voor deze link vandaag geen nieuwe code meer krijgen." + sender_told(who.session),
                       "Probeer het morgen opnieuw, of vraag de afzender om hulp."});
  if (done.error().code == "SMS_FAILED")
    co_return show_code_page(who.session,
                             "De sms kon niet worden verstuurd. Probeer het over een paar minuten opnieuw.");
  co_return failure(done.error());
}

Task<Response> Portal::enter_code(Call& call, const LinkProven& who) {
  std::string digits;
  for (char c : call.field("code"))
    if (c != ' ' && c != '-') digits += c;
  const bool plausible =
      digits.size() >= 6 && digits.size() <= 8 && digits.find_first_not_of("0123456789") == digits.npos;
  if (!plausible)
    co_return show_code_page(who.session, who.session.sms ? "Vul de code van 8 cijfers in die in de sms staat."
                                                          : "Vul de code in die uw app nu laat zien.");
  Secret code(std::move(digits));
  auto cookie = co_await links_.try_code(who.session, code.clone());
  if (!cookie && cookie.error().code == "CODE_NONE" && !who.session.sms) {
    // With an app nothing has to be sent: the first try begins the round.
    auto round = co_await links_.begin_round(who.session);
    if (!round && round.error().code == "CODE_LIMIT")
      co_return message(403, "Te vaak een verkeerde code",
                        {"Deze link is voor vandaag op slot." + sender_told(who.session),
                         "Probeer het morgen opnieuw, of vraag de afzender om hulp."});
    if (!round) co_return failure(round.error());
    cookie = co_await links_.try_code(who.session, code.clone());
  }
  if (!cookie) {
    const auto& c = cookie.error().code;
    if (c == "CODE_WRONG")
      co_return show_code_page(who.session,
                               "Deze code klopt niet of is al gebruikt. Controleer de code en vul hem opnieuw in.");
    if (c == "CODE_NONE") {
      auto session = who.session;
      session.code_waiting = false;
      co_return show_code_page(session, "Deze code is verlopen of te vaak geprobeerd. Vraag een nieuwe code aan.");
    }
    if (c == "CODE_LIMIT")
      co_return message(403, "Te vaak een verkeerde code",
                        {"Deze link is voor vandaag op slot." + sender_told(who.session),
                         "Probeer het morgen opnieuw, of vraag de afzender om hulp."});
    co_return failure(cookie.error());
  }
  auto visitor = co_await links_.visitor(call.link, cookie->clone());
  if (!visitor) co_return failure(visitor.error());
  const auto* full = std::get_if<Full>(&*visitor);
  if (full == nullptr) co_return dead_link();
  auto asked = co_await ask_rules(full->session);
  if (!asked) log(LogLevel::warn, "portal.rules_silent", {{"code", asked.error().code}});
  auto r = see_other((full->session.link.workplace ? "/w/" : "/l/") + call.link +
                     (full->session.link.workplace ? "" : "/inhoud"));
  r.headers.add("Set-Cookie", set_cookie(call.link, *cookie));
  co_return r;
}

/// Whether this person may see it now is a decision of the rules; without an answer the answer is no.
Task<Result<void>> Portal::ask_rules(Session session) {
  if (session.link.workplace) {
    auto done = co_await links_.record_outcome(session, true, {});
    co_return done;
  }
  auto outcome = co_await backend_.open_request(session.link, "");
  if (!outcome) co_return fail(outcome.error());
  auto done = co_await links_.record_outcome(session, outcome->granted, outcome->codes);
  co_return done;
}

Task<Response> Portal::ask_again(Call& call, const Full& who) {
  if (who.session.granted) co_return see_other("/l/" + call.link + "/inhoud");
  auto permit = co_await limiter_.allow(kAgain, "link:" + call.link);
  if (!permit) co_return failure(permit.error());
  if (!*permit)
    co_return message(
        429, "Even geduld",
        {"U hebt dit nu te vaak geprobeerd. Probeer het over een uur opnieuw, of vraag de afzender om hulp."});
  auto done = co_await ask_rules(who.session);
  if (!done) co_return failure(done.error());
  co_return see_other("/l/" + call.link + "/inhoud");
}

Task<Response> Portal::content(Call&, const Full& who) {
  const auto& s = who.session;
  if (s.link.workplace) co_return see_other("/w/" + s.link.id);
  if (!s.granted) {
    auto data = session_json(s, "U kunt dit nu niet bekijken");
    data["reasons"] = Json::array();
    for (const auto& code : split(s.mask)) {
      const auto e = explain(code);
      data["reasons"].push_back({{"title", e.title}, {"help", e.help}, {"code", code}});
    }
    data["silent"] = data["reasons"].empty();
    co_return page("refused", std::move(data), 403);
  }
  auto content = co_await backend_.content(s.link);
  if (!content && content.error().kind == ErrorKind::forbidden) {
    // Allowed when it was opened, and no longer.
    auto noted = co_await links_.record_outcome(s, false, {content.error().code});
    if (!noted) co_return failure(noted.error());
    co_return see_other("/l/" + s.link.id + "/inhoud");
  }
  if (!content) co_return failure(content.error());
  auto data = session_json(s, message_word(content->type));
  data["sender"] = content->sender;
  data["case_name"] = content->case_name;
  data["sent"] = long_date(content->sent_at);
  if (content->meeting)
    data["meeting"] = {{"kind", meeting_word(content->meeting->kind)}, {"at", long_date_time(content->meeting->at)}};
  data["text"] = content->text;
  data["has_text"] = !content->text.empty();
  data["documents"] = documents_json(content->documents);
  data["has_documents"] = !content->documents.empty();
  co_return page("content", std::move(data));
}

Task<Response> Portal::download(Call& call, const Full& who) {
  const auto& s = who.session;
  const std::string document(call.field("document"));
  if (!s.granted && !s.link.workplace) co_return see_other("/l/" + s.link.id + "/inhoud");
  if (!s.link.workplace && std::ranges::find(s.link.documents, document) == s.link.documents.end())
    co_return message(404, "Dit document is er niet", {"Ga terug en kies een document uit de lijst."});
  auto no_more = [this] {
    const auto e = explain("DOWNLOAD_LIMIT");
    return message(403, e.title, {e.help});
  };
  // Before the rules are asked: each question is a message in the case, for good.
  auto left = co_await links_.may_download(s, document);
  if (!left && left.error().code == "DOWNLOAD_LIMIT") co_return no_more();
  if (!left) co_return failure(left.error());
  // Consent counts at each download, not only when the link was opened (CORE-CONSENT-04).
  if (!s.link.workplace) {
    auto outcome = co_await backend_.open_request(s.link, document);
    if (!outcome) co_return failure(outcome.error());
    if (!outcome->granted) {
      auto noted = co_await links_.record_outcome(s, false, outcome->codes);
      if (!noted) co_return failure(noted.error());
      co_return see_other("/l/" + s.link.id + "/inhoud");
    }
  }
  auto source = co_await backend_.download(s.link, document);
  if (!source) co_return failure(source.error());
  auto counted = co_await links_.count_download(s, document);
  if (!counted && counted.error().code == "DOWNLOAD_LIMIT") co_return no_more();
  if (!counted) co_return failure(counted.error());
  const auto& info = (*source)->info();
  std::string case_name = "document";
  auto content = s.link.workplace ? Result<DeliveryContent>(DeliveryContent{}) : co_await backend_.content(s.link);
  if (content && !content->case_name.empty()) case_name = content->case_name;
  Response r;
  r.headers = {{"Content-Type", info.media_type.empty() ? "application/octet-stream" : info.media_type},
               {"Content-Disposition",
                "attachment; filename=\"" + file_name(info.doc_type, case_name, info.version, info.media_type) + "\""},
               {"Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"},
               {"X-Content-Type-Options", "nosniff"},
               {"Referrer-Policy", "no-referrer"},
               {"Cross-Origin-Resource-Policy", "same-origin"},
               {"Cache-Control", "no-store"}};
  if (secure_) r.headers.add("Strict-Transport-Security", "max-age=63072000");
  r.stream = std::make_unique<DownloadBody>(links_, ended_, s, document, std::move(*source));
  co_return r;
}

Task<Response> Portal::log_out(Call& call, const Full& who) {
  auto done = co_await links_.log_out(who.session);
  if (!done) co_return failure(done.error());
  auto r = message(200, "U bent uitgelogd",
                   {"U kunt dit venster sluiten. Wilt u later verder? Open dan de link uit de e-mail opnieuw."});
  r.headers.add("Set-Cookie", fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{}", cookie_name(call.link),
                                          secure_ ? "; Secure" : ""));
  co_return r;
}

Task<Response> Portal::accessibility(Call&, const Anonymous&) {
  co_return page("accessibility", Json{{"title", "Toegankelijkheid"}});
}

Task<Response> Portal::asset(Call& call, const Anonymous&) {
  const auto* a = renderer_.asset(call.name);
  if (a == nullptr)
    co_return message(404, "Deze pagina bestaat niet", {"Controleer het adres of open de link uit de e-mail opnieuw."});
  Response r;
  r.body = a->content;
  r.headers = {{"Content-Type", a->media_type},
               {"X-Content-Type-Options", "nosniff"},
               {"Referrer-Policy", "no-referrer"},
               {"Cross-Origin-Resource-Policy", "same-origin"},
               {"Content-Security-Policy", "default-src 'none'"},
               {"Cache-Control", "public, max-age=300"}};
  co_return r;
}

}  // namespace schakel::portal
