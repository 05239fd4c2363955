#include "adapters/secure_link/texts.hpp"

#include "core/base/calendar.hpp"

namespace schakel::secure_link {
namespace {

std::string what(const Delivery& d) {
  if (d.kind == "workplace") return "uw werkplek";
  if (d.kind == "documents") return "documenten";
  if (d.kind == "signal") return "een signaal";
  return "een bericht";
}

std::string day(Instant t) {
  auto date = local_date(t);
  return fmt::format("{}-{}-{}", date.day(), date.month(), date.year());
}

std::string foot(const std::string& organisation) {
  return fmt::format("\nDeze mail bevat met opzet geen inhoud en geen namen. Vertrouwt u hem niet? Bel dan {} op het nummer dat u al kent.\n", organisation);
}

}  // namespace

Text invitation(const Delivery& d, const std::string& url, Instant expires, const std::string& organisation) {
  Text t;
  t.subject = fmt::format("Er staat {} voor u klaar ({})", what(d), d.pseudonym);
  t.body = fmt::format("Goedendag,\n\nEr staat {} voor u klaar in dossier {}.\n\nOpen deze link:\n{}\n\n", what(d), d.pseudonym, url);
  t.body += "U krijgt daarna een code op uw telefoon of in uw authenticator-app. Stuur deze mail en de code aan niemand door: ze zijn alleen voor u.\n\n";
  t.body += fmt::format("De link werkt tot en met {}.\n", day(expires));
  t.body += foot(organisation);
  return t;
}

Text ended(const Delivery& d, const std::string& organisation) {
  Text t;
  t.subject = fmt::format("Toegang beëindigd ({})", d.pseudonym);
  t.body = fmt::format("Goedendag,\n\nUw toegang tot documenten in dossier {} is beëindigd, omdat een toestemming is ingetrokken. De link die u kreeg werkt niet meer.\n\nHebt u documenten gedownload? Gebruik ze niet verder en overleg met de school.\n", d.pseudonym);
  t.body += foot(organisation);
  return t;
}

}  // namespace schakel::secure_link
