// Mails the link that the portal issued. Source: KNH-CONSENT-01, KNH-PRIV-04; trust.md 2.4.
#include "adapters/secure_link/texts.hpp"
#include "schakel/outcome.hpp"
#include "schakel/plugin.hpp"

namespace schakel::secure_link {
namespace {

AttemptResult end(Verdict verdict, std::string code) { return {verdict, std::move(code), std::nullopt, Json::object()}; }

}  // namespace

class SecureLinkAdapter final : public Adapter {
 public:
  explicit SecureLinkAdapter(const Json& c)
      : domain_(c.value("message_id_domain", "schakel.example")), organisation_(c.value("organisation", "Schakel")), days_(c.value("message_days", 30)) {}

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    co_return Result<void>{};
  }

  Task<AttemptResult> send(const Delivery& d) override {
    auto mail_address = sdk::text_at(d.endpoint, "mail");
    if (mail_address.empty()) co_return end(Verdict::rejected, "LINK_NO_MAIL");
    if (d.kind == "revocation") {
      auto text = ended(d, organisation_);
      auto sent = co_await mail(d, mail_address, std::move(text), "ended");
      co_return sent;
    }
    LinkOrder order;
    order.delivery = d.id;
    order.message_id = d.message_id;
    order.case_id = d.case_id;
    order.role = d.role;
    order.person = sdk::text_at(d.endpoint, "person");
    order.mail = mail_address;
    order.second_factor = sdk::text_at(d.endpoint, "second_factor");
    order.workplace = d.kind == "workplace";
    order.expires = d.valid_until.value_or(d.first_attempt + std::chrono::hours(24 * days_));
    for (const auto& document : d.documents) order.documents.push_back(document.id);
    auto expires = order.expires;
    auto link = co_await host_->links().issue(std::move(order));
    if (!link) {
      // Revoked, past or without a second channel: no later attempt changes that.
      bool never = link.error().kind == ErrorKind::invalid || link.error().kind == ErrorKind::forbidden;
      co_return end(never ? Verdict::rejected : Verdict::retry_later, link.error().code);
    }
    auto text = invitation(d, link->url, expires, organisation_);
    auto sent = co_await mail(d, mail_address, std::move(text), fmt::format("{}.{}", link->id, d.attempt));
    if (sent.verdict == Verdict::delivered) sent.receipt = {{"link", link->id}};
    // A mail that may have left holds a secret that the next attempt ends, so a repeat shows nobody anything twice.
    if (sent.verdict == Verdict::unknown) sent.verdict = Verdict::retry_later;
    co_return sent;
  }

 private:
  Task<AttemptResult> mail(const Delivery& d, std::string to, Text text, std::string detail) {
    Mail m;
    m.to = std::move(to);
    m.subject = std::move(text.subject);
    m.text = std::move(text.body);
    m.message_id = fmt::format("<link.{}@{}>", sdk::stable_uuid(d.id + "\n" + detail), domain_);
    auto sent = co_await host_->mail().send(std::move(m));
    if (sent) co_return end(Verdict::delivered, "MAIL_SENT");
    switch (sent.error().kind) {
      case ErrorKind::invalid: co_return end(Verdict::rejected, sent.error().code);
      case ErrorKind::timeout: co_return end(Verdict::unknown, sent.error().code);
      default: co_return end(Verdict::retry_later, sent.error().code);
    }
  }

  Host* host_ = nullptr;
  std::string domain_, organisation_;
  int days_;
};

}  // namespace schakel::secure_link

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::secure_link::SecureLinkAdapter, kSchema)
