// A link by mail. Sources: KNH-PRIV-04 (documents travel only by secured link), NTA 7516 (the notification carries no
// content), trust.md LNK-5, LNK-8, LNK-16.
#include <fmt/format.h>

#include "core/base/calendar.hpp"
#include "schakel/outcome.hpp"
#include "schakel/plugin.hpp"

namespace schakel::secure_link {
namespace {

AttemptResult end(Verdict verdict, std::string code) {
  return {verdict, std::move(code), std::nullopt, Json::object()};
}

std::string day_text(Instant t) {
  static constexpr std::string_view kMonths[] = {"januari", "februari", "maart",     "april",   "mei",      "juni",
                                                 "juli",    "augustus", "september", "oktober", "november", "december"};
  const auto d = local_date(t);
  return fmt::format("{} {} {}", d.day(), kMonths[d.month() - 1], d.year());
}

/// One plain address: what could add a header or a second receiver is none (LNK-16).
bool plain_address(std::string_view s) {
  const auto at = s.find('@');
  return s.size() <= 254 && at != s.npos && at > 0 && at + 1 < s.size() && s.find('@', at + 1) == s.npos &&
         std::ranges::all_of(s, [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != 0x7f &&
                  std::string_view(",;<>()\"\\").find(c) == std::string_view::npos;
         });
}

}  // namespace

class SecureLink final : public Adapter {
 public:
  explicit SecureLink(const Json& c)
      : domain_(c.at("message_id_domain")),
        signature_(c.value("signature", "Schakel")),
        days_(c.value("days_without_meeting", 14)),
        after_(c.value("days_after_meeting", 0)) {}

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    co_return Result<void>{};
  }

  Task<AttemptResult> send(const Delivery& delivery) override {
    const auto to = sdk::text_at(delivery.endpoint, "mail");
    if (to.empty()) co_return end(Verdict::rejected, "MAIL_NO_ADDRESS");
    if (!plain_address(to)) co_return end(Verdict::rejected, "MAIL_ADDRESS");
    // What was mailed is not mailed again by a retry; by a person it is, with a link of its own.
    auto key = "sent/" + delivery.id;
    if (delivery.generation > 0) key += fmt::format("/{}", delivery.generation);
    auto before = co_await host_->progress().get(key);
    if (!before) co_return end(Verdict::retry_later, before.error().code);
    if (*before && sdk::text_at(**before, "state") == "sent")
      co_return AttemptResult{Verdict::delivered, "LINK_SENT", std::nullopt, **before};
    Mail mail;
    mail.to = to;
    Json note{{"state", "sent"}};
    if (delivery.kind == "revocation") {
      mail.subject = "Toegang beëindigd";
      mail.text = fmt::format(
          "Geachte heer, mevrouw,\n\nEr stond iets voor u klaar via een beveiligde link (kenmerk {}). Die toegang is "
          "beëindigd: de link werkt niet meer.\n\n"
          "Hebt u de documenten al opgehaald? Verwijder uw kopie dan, tenzij u die wettelijk moet bewaren.\n\nU hoeft "
          "verder niets te doen.\n\nMet vriendelijke groet,\n{}\n",
          delivery.pseudonym, signature_);
    } else {
      auto issued = co_await order(delivery);
      if (!issued) {
        // Access was ended, or there is no second channel or no time left: another attempt would not change that.
        if (issued.error().kind == ErrorKind::invalid || issued.error().kind == ErrorKind::forbidden)
          co_return end(Verdict::rejected, issued.error().code);
        co_return end(Verdict::retry_later, issued.error().code);
      }
      note["link"] = issued->id;
      compose(mail, delivery, issued->url);
    }
    // One mail has one Message-ID. A link that is sent again has a new secret, and only the last one works.
    mail.message_id = fmt::format("<link.{}@{}>", sdk::stable_uuid(delivery.id + "\n" + mail.text), domain_);
    note["message_id"] = mail.message_id;
    auto reply = co_await host_->mail().send(std::move(mail));
    if (!reply) {
      // Not knowing is harmless here: the next attempt ends the secret of this one.
      auto verdict = sdk::outcome_of_error(reply.error());
      if (verdict.verdict == Verdict::unknown) verdict.verdict = Verdict::retry_later;
      co_return verdict;
    }
    auto saved = co_await host_->progress().put(key, note);
    if (!saved) log(LogLevel::warn, "secure_link.progress", {{"code", saved.error().code}});
    co_return AttemptResult{Verdict::delivered, "LINK_SENT", std::nullopt, note};
  }

 private:
  [[nodiscard]] Instant expires(const Delivery& delivery) const {
    auto meeting = parse_instant(sdk::text_at(sdk::object_at(delivery.body, "meeting"), "at"));
    const auto now = host_->clock().now();
    auto wanted = delivery.valid_until ? *delivery.valid_until
                  : meeting            ? end_of_day(local_date(*meeting))
                                       : end_of_day(add_days(local_date(now), days_));
    if ((delivery.valid_until || meeting) && after_ > 0) wanted = end_of_day(add_days(local_date(wanted), after_));
    // What is not about that meeting (a result, a notice afterwards) still has to be read.
    if (wanted <= now && delivery.kind != "documents") wanted = end_of_day(add_days(local_date(now), days_));
    return std::min(wanted, now + std::chrono::hours(24 * 60));
  }

  Task<Result<IssuedLink>> order(const Delivery& delivery) {
    LinkOrder o;
    o.delivery = delivery.id;
    o.message_id = delivery.message_id;
    o.case_id = delivery.case_id;
    o.role = delivery.role;
    o.person = sdk::text_at(delivery.endpoint, "person");
    for (const auto& d : delivery.documents) o.documents.push_back(d.id);
    o.expires = expires(delivery);
    o.mail = sdk::text_at(delivery.endpoint, "mail");
    o.second_factor = sdk::text_at(delivery.endpoint, "second_factor");
    o.workplace = delivery.kind == "workplace";
    o.generation = delivery.generation;
    auto issued = co_await host_->links().issue(std::move(o));
    co_return issued;
  }

  void compose(Mail& mail, const Delivery& delivery, const std::string& url) const {
    const auto factor = sdk::text_at(delivery.endpoint, "second_factor");
    const bool documents = delivery.kind == "documents";
    const std::string ready = documents                      ? "Er staan documenten voor u klaar"
                              : delivery.kind == "workplace" ? "Uw werkplek staat voor u klaar"
                                                             : "Er staat een bericht voor u klaar";
    mail.subject = ready;
    mail.text = fmt::format(
        "Geachte heer, mevrouw,\n\n{} (kenmerk {}). In deze e-mail staat geen inhoud.\n\nOpen deze persoonlijke "
        "link:\n\n{}\n\n"
        "Daarna vragen wij een code {}. De link werkt tot en met {}.\n\n"
        "Stuur deze e-mail niet door: de link is alleen voor u. Verwachtte u dit bericht niet? Dan hoeft u niets te "
        "doen.\n\nMet vriendelijke groet,\n{}\n",
        ready, delivery.pseudonym, url,
        factor.starts_with("totp:") ? "uit uw authenticator-app" : "die u per sms krijgt", day_text(expires(delivery)),
        signature_);
  }

  std::string domain_, signature_;
  int days_, after_;
  Host* host_ = nullptr;
};

}  // namespace schakel::secure_link

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::secure_link::SecureLink, kSchema)
