#include "core/portal/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/calendar.hpp"

namespace schakel::portal {
namespace {

struct Word {
  std::string_view code, text;
};

template <std::size_t N>
std::string find(const Word (&table)[N], std::string_view code) {
  for (const auto& w : table)
    if (w.code == code) return std::string(w.text);
  std::string out(code);
  std::ranges::replace(out, '_', ' ');
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

constexpr Word kRoles[] = {{"school_ib", "Intern begeleider"},
                           {"school_directeur", "Directeur van de school"},
                           {"leerkracht", "Leerkracht"},
                           {"schoolbestuur", "Schoolbestuur"},
                           {"ouders", "Ouders"},
                           {"leerling", "Leerling"},
                           {"clientondersteuner", "Cliëntondersteuner"},
                           {"orthopedagoog", "Orthopedagoog (samenwerkingsverband)"},
                           {"smw", "Schoolmaatschappelijk werker"},
                           {"procesregisseur", "Procesregisseur (Team Jeugd en Gezin)"},
                           {"jeugdhulpdeskundige", "Jeugdhulpdeskundige (gemeente)"},
                           {"gezinsvoogd", "Gezinsvoogd"},
                           {"cto_voorzitter", "Voorzitter CTO"},
                           {"cto", "Commissie toelating onderwijsvoorzieningen"},
                           {"swv", "Samenwerkingsverband"},
                           {"swv_financien", "Samenwerkingsverband, financiën"},
                           {"leerplichtambtenaar", "Leerplichtambtenaar"},
                           {"zorgaanbieder", "Zorgaanbieder"},
                           {"tjg", "Team Jeugd en Gezin"},
                           {"lokaal_team", "Lokaal team"},
                           {"gebiedsteam", "Gebiedsteam"},
                           {"onderwijsspecialist", "Onderwijsspecialist"},
                           {"gezinsspecialist", "Gezinsspecialist"},
                           {"wijkteammedewerker", "Wijkteammedewerker"},
                           {"gemeente_financien", "Gemeente, financiën"},
                           {"gemeente_registratie", "Gemeente, registratie"},
                           {"jgz", "Jeugdgezondheidszorg"},
                           {"jeugdarts", "Jeugdarts"},
                           {"ouder_1", "Ouder 1"},
                           {"ouder_2", "Ouder 2"},
                           {"voogd", "Voogd"},
                           {"zorgcoordinator", "Zorgcoördinator"},
                           {"mentor", "Mentor"},
                           {"medewerker_toegang", "Medewerker toegang"}};

constexpr Word kDocs[] = {{"groeidocument", "Groeidocument"},
                          {"handelingsplan", "Handelingsplan"},
                          {"evaluatie", "Evaluatie"},
                          {"lvs", "Leerlingvolgsysteem (LVS)"},
                          {"opp", "Ontwikkelingsperspectief (OPP)"},
                          {"oza_werkdocument", "OZA-werkdocument"},
                          {"onderwijszorgplan", "Onderwijszorgplan"},
                          {"gezinsplan", "Gezinsplan"},
                          {"pgb_plan", "PGB-plan"},
                          {"gezamenlijk_plan", "Gezamenlijk plan"},
                          {"ondersteuningsplan", "Ondersteuningsplan"},
                          {"plan_monitoring_evaluatie", "Plan voor monitoring en evaluatie"},
                          {"plan_van_aanpak_concept", "Concept-plan van aanpak"},
                          {"diagnose", "Diagnose"},
                          {"onderbouwing_gedragsdeskundige", "Onderbouwing gedragsdeskundige"},
                          {"profiel_begeleider", "Profiel begeleider"},
                          {"notice", "Alleen een bericht, zonder documenten"}};

constexpr Word kQuestionWords[] = {
    {"onderwijs", "Alleen onderwijs"}, {"zorg", "Alleen zorg"}, {"onderwijs_zorg", "Onderwijs en zorg"}};
constexpr Word kMeetingWords[] = {{"OT", "Ondersteuningsteam (OT)"},
                                  {"MDO", "Multidisciplinair overleg (MDO)"},
                                  {"CTO", "Commissie toelating onderwijsvoorzieningen (CTO)"},
                                  {"OZO", "Onderwijszorgoverleg (OZO)"}};
constexpr Word kPurposes[] = {{"documents", "Documenten delen"},
                              {"smw_contact", "Contact met schoolmaatschappelijk werk"},
                              {"aanmelding_zorg", "Aanmelding bij zorg"},
                              {"cto_attendance", "Aanwezig zijn bij het CTO"},
                              {"external_invite", "Uitnodigen van anderen"},
                              {"gezinsplan_to_school", "Gezinsplan delen met school"},
                              {"request", "Hulpvraag indienen"},
                              {"onderschrijding", "Minder onderwijstijd"}};
constexpr Word kCoreRules[] = {
    {"CORE-CONSENT-01", "Documenten gaan alleen naar iemand voor wie de toestemming geldt."},
    {"CORE-CONSENT-04", "De toestemming moet gelden op het moment van versturen en van ophalen."},
    {"CORE-CONSENT-06", "Voor een melding die de wet verplicht, is geen toestemming nodig."},
    {"CORE-CONSENT-07", "Voor het gezinsplan is een aparte toestemming nodig."},
    {"CORE-AUD-01", "Afspraken over geld gaan alleen naar wie daarover gaat."},
    {"CORE-AUD-02", "Volgens de afspraken in de regio heeft deze rol de documenten niet nodig."}};
constexpr Word kMessages[] = {{"documentlevering", "Documenten voor een overleg"},
                              {"volledigheidscheck", "Controle op volledigheid"},
                              {"besluit_zorgdeel", "Besluit over de zorg"},
                              {"ot_verslag", "Verslag van het ondersteuningsteam"},
                              {"uitnodiging", "Uitnodiging"},
                              {"gezinsplan_bijlage", "Gezinsplan"},
                              {"oza_vaststelling", "Vaststelling van het arrangement"}};

struct Reason {
  std::string_view code, title, help;
};
constexpr Reason kReasons[] = {
    {"CONSENT_MISSING", "Er is geen toestemming van de ouders",
     "Vraag eerst toestemming en leg die vast. Daarna kunt u de documenten versturen."},
    {"CONSENT_WITHDRAWN", "De toestemming is ingetrokken",
     "Nieuwe toestemming van de ouders is nodig voordat documenten gedeeld mogen worden."},
    {"CONSENT_EXPIRED", "De toestemming is verlopen", "Vraag de ouders of zij de toestemming verlengen."},
    {"CONSENT_PARTIAL", "Nog niet iedereen met gezag heeft toestemming gegeven",
     "Alle ouders of voogden met gezag moeten toestemming geven."},
    {"CHILD_CONSENT_MISSING", "De toestemming van de leerling ontbreekt",
     "Vanaf 12 jaar is ook de toestemming van de leerling zelf nodig."},
    {"AUDIENCE_NOT_INVOLVED", "Deze rol is niet betrokken bij dit dossier",
     "Documenten gaan alleen naar wie volgens de afspraken in de regio betrokken is."},
    {"AUDIENCE_FINANCE", "Financiële informatie gaat niet naar deze rol",
     "Over bekostiging wordt alleen met de financiers gesproken."},
    {"LINK_EXPIRED", "De termijn om de documenten te openen is voorbij",
     "Vraag de afzender om de documenten opnieuw te versturen als u ze nog nodig heeft."},
    {"LINK_LOCKED", "De link van deze ontvanger is vandaag op slot",
     "Er is te vaak een code gevraagd of verkeerd ingevuld. Morgen werkt de link weer; vraag de ontvanger wat er is."},
    {"RECIPIENT_UNKNOWN", "Van deze ontvanger is geen adres bekend",
     "Laat de contactgegevens van deze deelnemer aanvullen. Daarna kan de beheerder het opnieuw versturen."},
    {"PARTY_AMBIGUOUS", "Het is niet duidelijk welke organisatie is bedoeld",
     "De beheerder kan de juiste organisatie kiezen en het dan versturen."},
    {"VAT_NUMBER_IS_ANOTHER", "Het btw-nummer op de factuur is een ander dan dat van de afzender",
     "Vraag de afzender welk nummer klopt. Daarna kan de beheerder het opnieuw versturen."},
    {"BUYER_IS_ANOTHER", "De factuur is aan een andere organisatie gericht dan die volgens het dossier betaalt",
     "Vraag de afzender om een creditnota en een factuur aan de juiste organisatie, of laat het dossier herstellen."},
    {"VAT_NUMBER_MISSING", "Het btw-nummer van de afzender is niet bekend",
     "De beheerder kan het aanvullen en de factuur dan opnieuw versturen."},
    {"OPP_INCOMPLETE", "Het OPP is nog niet compleet", "Vul het ontwikkelingsperspectief eerst volledig in."},
    {"OPP_MISSING", "Er is geen OPP bij de documenten",
     "U kunt versturen. Voor een arrangement is later wel een volledig OPP nodig."},
    {"SMW_CLOSED", "Het schoolmaatschappelijk werk is geen aanspreekpunt meer",
     "Sinds de aanmelding loopt het contact via het Team Jeugd en Gezin."},
    {"LEAD_TIME_SHORT", "De documenten gaan later weg dan de afgesproken termijn",
     "Zij komen nog wel binnen de uiterste termijn van de regio."},
    {"LEAD_TIME_VIOLATION", "De documenten gaan te laat weg voor dit overleg",
     "Overweeg om het overleg te verplaatsen."},
    {"CONSENT_WITHDRAWN_AFTER_DOWNLOAD", "De toestemming is ingetrokken nadat u de documenten ophaalde",
     "Verwijder uw kopie, tenzij u die wettelijk moet bewaren."},
    {"CONSENT_UNKNOWN", "Deze toestemming is niet bekend, er is niets ingetrokken",
     "Trek een toestemming in die u zelf gaf, met de naam waaronder zij bekend is."},
    {"DOWNLOAD_LIMIT", "Dit document is al zo vaak opgehaald als is toegestaan",
     "Vraag de afzender om een nieuwe link."},
    {"DOCUMENTS_MISSING", "Er ontbreken documenten", "Voeg de ontbrekende documenten toe."},
    {"MANDATORY_INVITEE_MISSING", "Een verplichte deelnemer ontbreekt", "Voeg de verplichte deelnemer toe."},
    {"MANDATE_MISSING", "De afzender is hiervoor niet gemandateerd",
     "Laat dit doen door iemand die hiervoor het mandaat heeft."}};

constexpr std::string_view kDays[] = {"maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"};
constexpr std::string_view kMonths[] = {"januari", "februari", "maart",     "april",   "mei",      "juni",
                                        "juli",    "augustus", "september", "oktober", "november", "december"};

std::string date_words(Date d) {
  return fmt::format("{} {} {} {}", kDays[static_cast<int>(d.weekday()) - 1], d.day(), kMonths[d.month() - 1],
                     d.year());
}

std::string ascii(std::string_view text) {
  std::string out;
  for (char c : text)
    out += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ? c : '-';
  return out.substr(0, 60);
}

}  // namespace

std::string role_word(std::string_view role) {
  const auto at = role.find_first_of(":@");
  if (at == role.npos) return find(kRoles, role);
  return find(kRoles, role.substr(0, at)) + (role[at] == '@' ? ", gemeente " : " ") + std::string(role.substr(at + 1));
}
std::string doc_word(std::string_view doc_type) { return find(kDocs, doc_type); }
std::string question_word(std::string_view kind) { return find(kQuestionWords, kind); }
std::string meeting_word(std::string_view kind) { return find(kMeetingWords, kind); }
std::string core_rule_word(std::string_view rule) {
  for (const auto& [code, text] : kCoreRules)
    if (rule == code) return std::string(text);
  return {};
}
std::string purpose_word(std::string_view purpose) { return find(kPurposes, purpose); }
std::string message_word(std::string_view type) { return find(kMessages, type); }

StateWord state_word(std::string_view state) {
  if (state == "wordt_verzonden") return {"Wordt verzonden", "neutral"};
  if (state == "verzonden") return {"Verzonden, nog niet geopend", "neutral"};
  if (state == "geopend") return {"Link geopend", "success"};
  if (state == "gedownload") return {"Documenten opgehaald", "success"};
  if (state == "ingetrokken") return {"Toegang ingetrokken", "warning"};
  if (state == "verlopen") return {"Verlopen, niet geopend", "warning"};
  if (state == "geblokkeerd") return {"Niet verzonden", "danger"};
  if (state == "mislukt") return {"Verzenden mislukt", "danger"};
  return {std::string(state), "neutral"};
}

Explained explain(std::string_view code) {
  for (const auto& r : kReasons)
    if (r.code == code) return {std::string(r.title), std::string(r.help)};
  return {"De regels van de regio staan dit nu niet toe",
          "Neem contact op met de afzender en noem deze code: " + std::string(code) + "."};
}

std::string long_date(Instant t) { return date_words(local_date(t)); }

std::string long_date_time(Instant t) {
  return fmt::format("{}, {} uur", long_date(t), format_amsterdam(t).substr(11, 5));
}

std::string long_date(std::string_view date) {
  auto d = Date::parse(date);
  return d ? date_words(*d) : std::string(date);
}

std::string size_word(std::int64_t bytes) {
  auto comma = [](double v) {
    auto s = fmt::format("{:.1f}", v);
    std::ranges::replace(s, '.', ',');
    return s;
  };
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  if (bytes < 1'000'000) return fmt::format("{} kB", (bytes + 500) / 1000);
  return comma(static_cast<double>(bytes) / 1e6) + " MB";
}

std::string file_name(std::string_view doc_type, std::string_view case_name, int version, std::string_view media_type) {
  std::string_view extension = "bin";
  for (const auto& [type, ext] : {std::pair<std::string_view, std::string_view>{"application/pdf", "pdf"},
                                  {"image/png", "png"},
                                  {"image/jpeg", "jpg"},
                                  {"text/plain", "txt"},
                                  {"application/vnd.oasis.opendocument.text", "odt"},
                                  {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"}})
    if (type == media_type) extension = ext;
  return fmt::format("{}-{}-v{}.{}", ascii(doc_type), ascii(case_name), version, extension);
}

}  // namespace schakel::portal
