// Invoices by mail. Source: facturatie.md section 2.6.
#include <fmt/format.h>

#include "schakel/outcome.hpp"
#include "schakel/plugin.hpp"

namespace schakel::mail {
namespace {

AttemptResult end(Verdict verdict, std::string code) {
  return {verdict, std::move(code), std::nullopt, Json::object()};
}

std::string_view status_text(std::string_view code) {
  if (code == "INVOICE_REFUSED") return "is door de ontvanger geweigerd of niet aangekomen";
  if (code == "INVOICE_UNDELIVERABLE") return "kon niet worden afgeleverd";
  if (code == "ANSWER_DUE") return "wordt vastgehouden; het antwoord aan de aanbieder (JW325) moet er binnenkort zijn";
  if (code == "ANSWER_OVERDUE") return "wordt vastgehouden; de termijn voor het antwoord (JW325) is voorbij";
  if (code == "INVOICE_NOT_TAKEN") return "is bij binnenkomst geweigerd";
  if (code == "INVOICE_CONFLICT") return "is binnengekomen met een andere inhoud dan wat hier bekend is";
  return "vraagt uw aandacht";
}

/// What the rules say of which finance has to know more than their id.
std::string_view door_text(std::string_view rule) {
  if (rule == "SCH-IBAN-OTHER") return "betaling wordt gevraagd op een rekening die niet van deze afzender bekend is";
  if (rule == "SCH-PAYEE") return "betaling wordt gevraagd aan een ander dan de afzender";
  if (rule == "SCH-BUYER") return "de factuur is voor een andere organisatie dan die hier worden bediend";
  return "";
}

}  // namespace

class MailAdapter final : public Adapter {
 public:
  explicit MailAdapter(const Json& c)
      : domain_(c.at("message_id_domain")),
        attachments_(c.value("attachments", "xml+pdf")),
        max_bytes_(c.value("max_mail_bytes", 7000000)) {}

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    co_return Result<void>{};
  }

  Task<AttemptResult> send(const Delivery& delivery) override {
    if (delivery.kind != "invoice" && delivery.kind != "signal")
      co_return end(Verdict::rejected, "MAIL_KIND_UNSUPPORTED");
    auto mail = delivery.kind == "invoice" ? compose(delivery) : tell(delivery);
    if (!mail)
      co_return end(mail.error().kind == ErrorKind::unavailable ? Verdict::retry_later : Verdict::rejected,
                    mail.error().code);
    // A mail that was taken is not sent again by a retry; by a person it is, under the same Message-ID.
    std::string key = "sent/" + delivery.id, id = mail->message_id;
    if (delivery.generation > 0) key += fmt::format("/{}", delivery.generation);
    auto before = co_await host_->progress().get(key);
    if (!before) co_return end(Verdict::retry_later, before.error().code);
    if (*before && sdk::text_at(**before, "message_id") == id)
      co_return AttemptResult{Verdict::delivered, "MAIL_SENT", std::nullopt, {{"message_id", id}}};
    auto reply = co_await host_->mail().send(std::move(*mail));
    if (!reply) co_return sdk::outcome_of_error(reply.error());
    // A crash right here mails it again, under the same Message-ID.
    auto saved = co_await host_->progress().put(key, Json{{"message_id", id}});
    if (!saved) log(LogLevel::warn, "mail.progress", {{"code", saved.error().code}});
    co_return AttemptResult{Verdict::delivered, "MAIL_SENT", std::nullopt, {{"message_id", id}}};
  }

 private:
  Result<Mail> compose(const Delivery& delivery) const {
    if (!delivery.invoice) return fail(ErrorKind::invalid, "INVOICE_NO_DOCUMENT", "the invoice has no document");
    const InvoiceDocument& invoice = *delivery.invoice;
    std::string wanted = sdk::text_at(delivery.endpoint, "attachments");
    if (wanted.empty()) wanted = attachments_;
    bool xml = wanted != "pdf", pdf = wanted != "xml";
    const std::string& name = invoice.name;

    Mail mail;
    mail.to = sdk::text_at(delivery.endpoint, "mail");
    if (mail.to.empty()) mail.to = sdk::text_at(sdk::object_at(delivery.body, "invoice"), "address");
    if (mail.to.empty()) return fail(ErrorKind::invalid, "MAIL_NO_ADDRESS", "the receiver has no mail address");
    std::string_view what = invoice.credit_note ? "Creditnota" : "Factuur";
    mail.subject =
        fmt::format("{} {} - {} - arrangement {}", what, invoice.number, invoice.supplier, invoice.arrangement);
    mail.text = fmt::format(
        "Geachte heer, mevrouw,\n\nBijgaand ontvangt u {} {} van {}.\n{}\nDe bijlage {} is de e-factuur (UBL) die uw "
        "administratie kan inlezen{}.\n\n"
        "Met vriendelijke groet,\n{}\n",
        invoice.credit_note ? "creditnota" : "factuur", invoice.number, invoice.supplier,
        invoice.credit_note ? "" : fmt::format("Betalingskenmerk: {}\n", invoice.payment_id),
        xml ? name + ".xml" : name + ".pdf", pdf && xml ? ", " + name + ".pdf is de leesbare versie" : "",
        invoice.supplier);
    if (!xml)
      mail.text = fmt::format(
          "Geachte heer, mevrouw,\n\nBijgaand ontvangt u {} {} van {} ({}.pdf).\n\nMet vriendelijke groet,\n{}\n",
          invoice.credit_note ? "creditnota" : "factuur", invoice.number, invoice.supplier, name, invoice.supplier);
    bool whole = invoice.message_id.find('@') != std::string::npos;
    mail.message_id = fmt::format("<{}{}>", invoice.message_id, whole ? "" : "@" + domain_);
    if (xml) mail.attachments.push_back({name + ".xml", "application/xml", to_bytes(invoice.xml)});
    if (pdf) mail.attachments.push_back({name + ".pdf", "application/pdf", to_bytes(invoice.pdf)});
    std::size_t bytes = 0;
    for (const auto& a : mail.attachments) bytes += a.content.size();
    if (bytes > static_cast<std::size_t>(max_bytes_))
      return fail(ErrorKind::too_large, "MAIL_TOO_LARGE", "the attachments are larger than receivers take");
    return mail;
  }

  /// Tells finance by mail what became of an invoice. Numbers and codes only.
  Result<Mail> tell(const Delivery& delivery) const {
    Json signal = sdk::object_at(delivery.body, "signal");
    std::string number = sdk::text_at(signal, "number"), code = sdk::text_at(signal, "code");
    if (number.empty())
      return fail(ErrorKind::invalid, "MAIL_KIND_UNSUPPORTED", "only signals about an invoice are mailed");
    Mail mail;
    mail.to = sdk::text_at(delivery.endpoint, "mail");
    if (mail.to.empty()) return fail(ErrorKind::invalid, "MAIL_NO_ADDRESS", "the receiver has no mail address");
    mail.subject = fmt::format("Factuur {}: {}", number, status_text(code));
    if (code.starts_with("ANSWER_"))
      mail.text = fmt::format(
          "Geachte heer, mevrouw,\n\nFactuur {} {}.\nUiterste datum: {}\n\nHef op wat haar tegenhoudt of wijs haar af: "
          "`schakel invoice show {}` noemt de reden. Het antwoord gaat dan vanzelf.\n\nSchakel\n",
          number, status_text(code), sdk::text_at(signal, "reason"), number);
    else if (code == "INVOICE_NOT_TAKEN" || code == "INVOICE_CONFLICT") {
      auto rule = sdk::text_at(signal, "rule");
      auto why = door_text(rule);
      mail.text = fmt::format(
          "Geachte heer, mevrouw,\n\nFactuur {} van {} {}.\nReden: {}{}{}\n\nEr is niets doorgestuurd. Betaal niet en "
          "wijzig geen gegevens op grond van deze factuur: bel de afzender op een nummer uit uw eigen "
          "administratie.\n\nSchakel\n",
          number, sdk::text_at(signal, "creditor"), status_text(code), rule, why.empty() ? "" : ": ", why);
    } else
      mail.text = fmt::format(
          "Geachte heer, mevrouw,\n\nFactuur {} aan {} {}.\nReden: {}\n\nDe andere helft van de kosten is mogelijk wel "
          "aangekomen. "
          "Kijk met `schakel invoice show {}` en verstuur opnieuw of boek af.\n\nSchakel\n",
          number, sdk::text_at(signal, "payer"), status_text(code), sdk::text_at(signal, "reason"), number);
    mail.message_id = fmt::format("<signaal.{}@{}>", sdk::stable_uuid(delivery.id + "\n" + mail.to), domain_);
    return mail;
  }

  std::string domain_, attachments_;
  std::int64_t max_bytes_;
  Host* host_ = nullptr;
};

}  // namespace schakel::mail

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::mail::MailAdapter, kSchema)
