#include "core/model/code_words.hpp"

#include <algorithm>
#include <array>

#include "core/model/profile.hpp"

namespace schakel {
namespace {

/// Sorted by code. CODE:fact is for explanations that have this fact: one code, several reasons.
constexpr std::array<CodeWords, 101> kCodeWords = {{
    {"ALIGNMENT_MISSING", "de afweging is niet met iedereen afgestemd", "the weighing was not aligned with everybody"},
    {"ANSWER_DUE", "het antwoord van de gemeente op een declaratie wordt verwacht",
     "the answer of the gemeente to a declaration is due"},
    {"ANSWER_OVERDUE", "het antwoord van de gemeente op een declaratie is te laat",
     "the answer of the gemeente to a declaration is overdue"},
    {"ASSIGNMENT_IS_ANOTHER", "de afspraak noemt een andere toewijzing", "the agreement names another toewijzing"},
    {"AUDIENCE_FINANCE", "financiële stukken gaan niet naar deze rol", "financial matters do not go to this role"},
    {"AUDIENCE_NOT_INVOLVED", "deze rol is niet betrokken", "this role is not involved"},
    {"AUDIENCE_NOT_INVOLVED:funding_agreed", "ouders betalen deze zorg uit hun PGB",
     "the parents pay this care from their PGB"},
    {"BEKRACHTIGING_MISSING", "het bindend advies is niet bekrachtigd", "the binding advice is not ratified"},
    {"BOTH_ORDERS_REQUIRED", "de opdracht van onderwijs of die van de medewerker toegang ontbreekt",
     "the order of education or that of the medewerker toegang is missing"},
    {"BUYER_IS_ANOTHER", "de factuur is aan een andere organisatie gericht dan die volgens het dossier betaalt",
     "the invoice is made out to another organisation than the one that pays by the case"},
    {"CASUISTIEK_MISSING", "het interne casuïstiekoverleg van de gemeente is nog niet geweest",
     "the internal case discussion of the gemeente was not held yet"},
    {"CHILD_CONSENT_MISSING", "de leerling zelf gaf geen toestemming", "the pupil did not consent"},
    {"CONCLUSION_MISSING", "de gezamenlijke conclusie dat er meer nodig is ontbreekt",
     "the joint conclusion that more is needed is missing"},
    {"CONSENT_EXPIRED", "de toestemming is verlopen", "the consent has expired"},
    {"CONSENT_MISSING", "er is geen toestemming", "there is no consent"},
    {"CONSENT_PARTIAL", "niet iedereen met gezag gaf toestemming", "not everybody with custody consented"},
    {"CONSENT_UNKNOWN", "deze toestemming is er niet", "there is no such consent"},
    {"CONSENT_WITHDRAWN", "de toestemming is ingetrokken", "the consent was withdrawn"},
    {"CONSENT_WITHDRAWN_AFTER_DOWNLOAD", "ingetrokken nadat het was opgehaald", "withdrawn after it was downloaded"},
    {"CONTENT_NOT_FIXED", "de inhoud is nog niet vastgesteld", "the content is not fixed yet"},
    {"CTO_ADVICE_REQUIRED", "advies van de CTO is nodig en er nog niet",
     "advice of the CTO is needed and not there yet"},
    {"CTO_REQUIRED", "advies van de CTO is nodig", "advice of the CTO is needed"},
    {"CTO_THRESHOLD_NEAR", "de grens voor de CTO is dichtbij", "the CTO threshold is near"},
    {"DECIDER_THREW", "een beslisser liep vast", "a decider failed"},
    {"DIAGNOSE_MISSING", "de diagnose ontbreekt", "the diagnosis is missing"},
    {"DISPUTE_PENDING", "er loopt een verschil over de kosten", "a dispute on the costs is pending"},
    {"DOSSIER_INCOMPLETE", "het dossier is niet compleet", "the dossier is not complete"},
    {"DUPLICATE_INVOICE", "deze factuur is er al", "this invoice is there already"},
    {"EDU_REGIE_MISSING", "onderwijs heeft de regie niet", "education does not have the regie"},
    {"ESCALATION_SAME_PERSON", "dezelfde persoon zit op twee plaatsen", "the same person holds two places"},
    {"FALLS_ON_HOLIDAY", "de datum valt op een feestdag", "the date falls on a holiday"},
    {"FUNDING_MAX_EXCEEDED", "meer dan het afgesproken maximum", "more than the agreed maximum"},
    {"FUNDING_NOT_AGREED", "de bekostiging is niet afgesproken", "the funding is not agreed"},
    {"GEBIEDSTEAM_NOT_INVOLVED", "het gebiedsteam is niet betrokken", "the gebiedsteam is not involved"},
    {"GEDRAGSDESKUNDIGE_MISSING", "de onderbouwing door een gedragsdeskundige ontbreekt",
     "the substantiation by a gedragsdeskundige is missing"},
    {"GEZINSPLAN_MISSING", "het gezinsplan ontbreekt", "the gezinsplan is missing"},
    {"GOAL_TOO_LONG", "de doelen duren langer dan mag", "the goals last longer than is allowed"},
    {"GROEIDOCUMENT_MISSING", "het groeidocument ontbreekt", "the groeidocument is missing"},
    {"GROUND_UNKNOWN", "deze grond voor opschalen is niet bekend", "this ground for escalation is not known"},
    {"HANDELINGSDEEL_UNSIGNED", "ouders hebben het handelingsdeel van het OPP niet ondertekend",
     "parents did not sign the handelingsdeel of the OPP"},
    {"HOORRECHT_MISSING", "de leerling is niet gehoord", "the pupil was not heard"},
    {"HUISARTS_ROUTE_NOT_PREFERRED", "verwijzing door de huisarts heeft niet de voorkeur",
     "referral by the general practitioner is not preferred"},
    {"INSPECTIE_PERMISSION_MISSING", "de Inspectie heeft geen toestemming gegeven", "the Inspectie gave no permission"},
    {"INVOICE_CONFLICT", "zelfde nummer, andere inhoud", "same number, other content"},
    {"INVOICE_CONFLICT:invoice_known", "de creditnota noemt een factuur die hier niet bekend is",
     "the credit note names an invoice that is not known here"},
    {"INVOICE_CONFLICT:left_cents", "de creditnota is hoger dan wat er van de factuur over is",
     "the credit note is larger than what is left of the invoice"},
    {"INVOICE_CONFLICT:reinvoiced_by_the_broker", "deze kosten worden al doorbelast",
     "these costs are charged on already"},
    {"INVOICE_INVALID", "de factuur klopt niet", "the invoice is not valid"},
    {"INVOICE_NOT_TAKEN", "de factuur is bij binnenkomst geweigerd", "the invoice was refused when it came in"},
    {"INVOICE_REFUSED", "de betaler wees de factuur af", "the payer refused the invoice"},
    {"INVOICE_UNDELIVERABLE", "de factuur kon niet worden bezorgd", "the invoice could not be delivered"},
    {"IZO_MISSING", "het intern zorgoverleg is nog niet gehouden", "the intern zorgoverleg was not held yet"},
    {"JOINT_PLAN_MISSING", "het gezamenlijke plan ontbreekt", "the joint plan is missing"},
    {"LEAD_TIME_SHORT", "de termijn vóór het overleg is kort", "the time before the meeting is short"},
    {"LEAD_TIME_VIOLATION", "te laat vóór het overleg", "too late before the meeting"},
    {"LINK_EXPIRED", "de link is verlopen", "the link has expired"},
    {"LINK_LOCKED", "te vaak een code gevraagd of geprobeerd: de link is dicht tot morgen",
     "too many codes were asked or tried: the link is locked until tomorrow"},
    {"MANDATE_MISSING", "de afzender mag dit niet besluiten", "the sender has no mandate for this"},
    {"MANDATORY_INVITEE_MISSING", "een verplichte genodigde ontbreekt", "a mandatory invitee is missing"},
    {"MAX_TERM_EXCEEDED", "langer dan de maximale termijn", "longer than the maximum term"},
    {"NOT_ENROLLED_NO_EDU_FUNDING", "zonder inschrijving betaalt onderwijs niet",
     "without enrolment education does not pay"},
    {"NO_DISAGREEMENT_STATED", "het verschil van mening is niet genoemd", "no point of disagreement is stated"},
    {"ONDERSTEUNINGSPLAN_MISSING", "het ondersteuningsplan ontbreekt", "the ondersteuningsplan is missing"},
    {"OPENING_INVALID", "de opening van de zaak klopt niet", "the opening of the case is not valid"},
    {"OPP_INCOMPLETE", "het OPP is niet compleet", "the OPP is not complete"},
    {"OPP_MISSING", "het OPP ontbreekt", "the OPP is missing"},
    {"ORTHO_AGREEMENT_MISSING", "de orthopedagoog heeft niet ingestemd", "the orthopedagoog did not agree"},
    {"OT_COUNT_LOW", "er zijn weinig OT-overleggen", "there are few OT meetings"},
    {"OUTSIDE_FUNDING_PERIOD", "buiten de afgesproken periode", "outside the agreed period"},
    {"OUT_OF_SCOPE_18PLUS", "de regeling geldt tot 18 jaar", "the arrangement holds until the age of 18"},
    {"OUT_OF_SCOPE_EXEMPT", "bij een vrijstelling geldt de regeling niet",
     "the arrangement does not hold where there is an exemption"},
    {"OVERRIDE_INVALID", "die waarde kan deze instelling niet hebben", "the setting cannot have that value"},
    {"OVERRIDE_UNKNOWN", "deze regio kent die instelling niet", "the region has no such setting"},
    {"PARENTS_AGREEMENT_MISSING", "ouders hebben niet ingestemd", "the parents did not agree"},
    {"PARENTS_NOT_CONSULTED", "er is niet met ouders overlegd", "the parents were not consulted"},
    {"PAYLOAD_INVALID", "de inhoud is geen object", "the content is no object"},
    {"PGB_ADVICE_REFUSED", "een school adviseert geen PGB", "a school does not advise a PGB"},
    {"PGB_PLAN_MISSING", "het PGB-plan ontbreekt of is niet compleet", "the PGB plan is missing or not complete"},
    {"PLAN_MISSING", "het plan ontbreekt", "the plan is missing"},
    {"PLAN_SECTION_MISSING", "een deel van het plan ontbreekt", "a section of the plan is missing"},
    {"PROCESREGISSEUR_NOT_UNIQUE", "er is niet precies één procesregisseur",
     "there is not exactly one procesregisseur"},
    {"PRODUCT_IS_ANOTHER", "de afspraak noemt een ander product", "the agreement names another product"},
    {"PROFILE_MISMATCH", "de begeleider heeft geen onderwijsbevoegdheid of SKJ-registratie",
     "the counsellor lacks a teaching qualification or SKJ registration"},
    {"PROVIDER_IS_ANOTHER", "een andere zorgaanbieder is aangewezen", "another care provider is named"},
    {"PR_SIGNATURE_MISSING", "de handtekening van de procesregisseur ontbreekt",
     "the signature of the procesregisseur is missing"},
    {"RATIFICATION_OVERDUE", "de bekrachtiging is te laat", "the ratification is overdue"},
    {"REGION_UNKNOWN", "de regio is niet ingericht", "the region is not configured"},
    {"SCHOOL_SUBSTANTIATION_MISSING", "de school onderbouwt niet wat er eerder is gedaan",
     "the school does not state what was done before"},
    {"SENDER_NOT_ALLOWED", "deze afzender mag dit bericht niet sturen", "this sender may not send this message"},
    {"SMW_CLOSED", "het schoolmaatschappelijk werk heeft afgesloten", "the school social work has closed"},
    {"SUPPLEMENT_SOURCE_MISSING", "de aanvulling komt niet van wie haar moet geven",
     "the supplement does not come from who has to give it"},
    {"TIMER_BREACH", "een termijn is verstreken", "a deadline has passed"},
    {"TIMER_WARN", "een termijn nadert", "a deadline is near"},
    {"TWO_EXPERTS_REQUIRED", "advies van twee onafhankelijke deskundigen is nodig",
     "advice of two independent experts is needed"},
    {"VERVOER_REQUEST", "vervoer naar de tijdelijke plek is nodig", "transport to the temporary location is needed"},
    {"VOORLIGGEND_NOT_CHECKED", "er is niet eerst naar voorliggende voorzieningen gekeken",
     "voorliggende voorzieningen were not looked at first"},
    {"VO_NOT_ENABLED", "voor het voortgezet onderwijs staat dit niet aan",
     "this is not switched on for secondary education"},
    {"WIJKTEAM_ALIGNMENT_MISSING", "er is niet afgestemd met de wijkteammedewerker",
     "it was not aligned with the wijkteammedewerker"},
    {"WLZ_FIRST", "de Wlz gaat voor", "the Wlz comes first"},
    {"WRITTEN_CONFIRMATION_MISSING", "de schriftelijke bevestiging ontbreekt", "the written confirmation is missing"},
    {"ZERO_SHARE_NOT_SENT", "een aandeel van nul euro wordt niet verstuurd", "a share of zero euros is not sent"},
}};
static_assert(std::ranges::is_sorted(kCodeWords, {}, &CodeWords::code));

/// {"words": {code: {"nl": .., "en": ..}}} of a region file.
const Json* words_of_file(const Json& source, const char* file, std::string_view code) {
  const Json* at = &source;
  for (std::string_view key : {std::string_view(file), std::string_view("words"), code}) {
    if (!at->is_object()) return nullptr;
    auto it = at->find(key);
    if (it == at->end()) return nullptr;
    at = &*it;
  }
  return at->is_object() ? at : nullptr;
}

}  // namespace

const CodeWords* code_words(std::string_view code) {
  auto it = std::ranges::lower_bound(kCodeWords, code, {}, &CodeWords::code);
  return it != kCodeWords.end() && it->code == code ? &*it : nullptr;
}

std::string code_words(std::string_view code, bool dutch, const Profile* profile) {
  const char* language = dutch ? "nl" : "en";
  if (profile)
    for (const char* file : {"region", "base"})
      if (const Json* words = words_of_file(profile->source(), file, code))
        if (auto it = words->find(language); it != words->end() && it->is_string()) return it->get<std::string>();
  const CodeWords* words = code_words(code);
  return words ? std::string(dutch ? words->nl : words->en) : std::string();
}

}  // namespace schakel
