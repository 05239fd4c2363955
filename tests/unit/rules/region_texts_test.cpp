// What the regions say is what the documents say, what a message may carry is read by somebody, and a case cannot be
// opened with a switch that changes nothing.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {
namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

/// Every rule of the documents is in a region file or its descriptive list, with the literal words.
TEST(RegionTexts, QuotesAreLiteral) {
  const fs::path domain = SCHAKEL_SOURCE_DIR "/../shared/domain/domain.md";
  if (!fs::exists(domain)) GTEST_SKIP() << "needs " << domain << ", which is not there";
  std::map<std::string, std::string> literal;
  std::istringstream in(text_of_file(domain));
  std::regex row(R"(^\| ((?:KNH|MH|FRL|MVS|HR)-[A-Z]+-\d+) \| .* \| `[^`]*` \| (.*) \|$)"),
      part(R"re("(.*?)"(?= // |$))re");
  for (std::string line; std::getline(in, line);) {
    std::smatch m;
    if (!std::regex_match(line, m, row)) continue;
    const std::string quotes = m[2].str();
    std::string& joined = literal[m[1].str()];
    for (std::sregex_iterator q(quotes.begin(), quotes.end(), part), end; q != end; ++q)
      joined += (joined.empty() ? "" : " … ") + (*q)[1].str();
  }
  ASSERT_EQ(literal.size(), 277u);
  std::set<std::string> seen;
  for (const auto& e : fs::recursive_directory_iterator(SCHAKEL_SOURCE_DIR "/config/regions")) {
    if (e.path().extension() != ".json") continue;
    for (const Json& r : Json::parse(text_of_file(e.path()))["rules"]) {
      auto it = literal.find(r["id"].get<std::string>());
      if (it == literal.end()) continue;
      seen.insert(it->first);
      EXPECT_EQ(r["quote"].get<std::string>(), it->second) << e.path().filename() << ' ' << it->first;
    }
  }
  for (const auto& [id, quote] : literal) EXPECT_TRUE(seen.contains(id)) << id;
}

/// Fields that no decision depends on: words for people and references, kept and delivered with the message.
const std::map<std::string, std::set<std::string>>& told_fields() {
  static const std::map<std::string, std::set<std::string>> all = {
      {"aanmelding_tjg", {"vraagverheldering"}},
      {"aanvulling_verzoek", {"cents", "reason"}},
      {"bekrachtiging", {"party", "date"}},
      {"beschikking", {"product", "volume", "period"}},
      {"besluit_onderwijsdeel", {"besluit", "date"}},
      {"besluit_zorgdeel", {"besluit", "date"}},
      {"betrokkenheidsmelding", {"start", "contact"}},
      {"bindend_advies", {"advice"}},
      {"cto_aanmelding", {"reason"}},
      {"cto_advies", {"advice"}},
      {"documentlevering", {"note"}},
      {"escalatie", {"body"}},
      {"escalatie_besluit", {"decision", "besluit", "opdracht", "aanbieder", "definitive"}},
      {"evaluatie", {"goals_reached", "decision"}},
      {"gezinsplan_bijlage", {"version"}},
      {"inspectie_besluit", {"period"}},
      {"intern_overleg", {"arrangements"}},
      {"onderschrijding_inzet", {"start"}},
      {"ondersteuningsplan", {"goals"}},
      {"onderzoek_start", {"reason"}},
      {"opdracht", {"profile", "opp_ref"}},
      {"ot_aanmelding", {"groeidocument"}},
      {"ot_verslag", {"onderwerp", "summary", "regie"}},
      {"ots_melding", {"start"}},
      {"ots_overdracht", {"appointment"}},
      {"oza_melding_swv", {"arrangement"}},
      {"oza_vaststelling", {"bekostiging", "doelen", "aanpak", "regie", "evaluatie"}},
      {"residentieel_einde", {"advies_twee_jaar"}},
      {"startgesprek", {"date"}},
      {"swv_leerkracht_verzoek", {"location", "reason"}},
      {"toelating_verlenging", {"reason", "date"}},
      {"uitnodiging", {"roles"}},
      {"verantwoording", {"goals_reached", "decision"}},
      {"volledigheidscheck", {"complete", "missing"}},
      {"vrijstelling_advies", {"via", "advice"}},
      {"vrijstelling_kennisgeving", {"arts"}},
      {"zorgsignaal_smw", {"signal", "outside_school"}},
      {"zorgtoewijzing", {"product", "start", "goals"}},
      {"zorgtoewijzing_antwoord", {"answer"}}};
  return all;
}

/// Fields that code reads by name: type (or * for every), field, file.
struct ReadField {
  std::string type, field, file;
};
const std::vector<ReadField>& coded_fields() {
  static const std::vector<ReadField> all = [] {
    std::vector<ReadField> out;
    for (const char* type : {"factuur", "creditnota", "declaratie", "doorbelasting"})
      for (const char* field :
           {"number", "lines", "vat_rates", "vat_cents", "period", "service_period", "minutes", "date", "case_ref",
            "activity", "credits", "grey_total_cents", "source_invoice", "share_cents"})
        out.push_back({type, field, ""});
    for (const char* type : {"factuur", "creditnota"})
      for (auto [field, file] : {std::pair{"answer_due", "core/pipeline/invoice_index.cpp"},
                                 {"issue_date", "core/outbox/plan.cpp"},
                                 {"due_date", "core/outbox/plan.cpp"},
                                 {"payment_id", "core/outbox/plan.cpp"},
                                 {"buyer_id", "core/outbox/plan.cpp"},
                                 {"seller_vat_number", "core/outbox/plan.cpp"}})
        out.push_back({type, field, file});
    out.push_back({"factuur", "payment_account", "adapters/zorgaanbieder/ubl_event.cpp"});  // part of the whole's hash
    for (const char* field : {"purpose", "doc_types", "roles", "valid_from", "valid_until"})
      out.push_back({"toestemming", field, "plugins/consent/consent.cpp"});
    out.push_back({"toestemming_intrekking", "consent", "plugins/consent/consent.cpp"});
    for (const char* type : {"documentlevering", "uitnodiging"}) {
      out.push_back({type, "at", "plugins/routing/routing.cpp"});
      out.push_back({type, "meeting", "plugins/routing/routing.cpp"});
    }
    out.push_back({"documentlevering", "documents", "plugins/routing/routing.cpp"});
    out.push_back({"uitnodiging", "cancelled", "plugins/routing/routing.cpp"});
    out.push_back({"zorgtoewijzing_antwoord", "provider", "plugins/routing/routing.cpp"});
    out.push_back({"zaak_opening", "participants", "core/app/edges.cpp"});
    for (const char* field : {"pupil", "case", "consents", "documents", "meeting", "profile_overrides"})
      out.push_back({"zaak_opening", field, "plugins/routing/routing.cpp"});
    return out;
  }();
  return all;
}

/// A field that the schemas accept and nobody reads is silently lost: it is stated as a fact, a rule of some region
/// looks at it, code reads it, an adapter carries it outside, or it is a word for people.
TEST(RegionTexts, EveryFieldOfAMessageIsReadOrTold) {
  Json facts = Json::parse(text_of_file(SCHAKEL_SOURCE_DIR "/config/schemas/facts.json"));
  std::set<std::pair<std::string, std::string>> read;
  for (const Json& f : facts["facts"])
    if (f.contains("stated_by"))
      for (const auto& [type, fields] : f["stated_by"].items())
        for (const Json& field : fields.is_array() ? fields : Json::array({fields}))
          read.emplace(type, field.get<std::string>());
  auto looks = [&](const Rule& r, int slot) {
    const FactDef& d = profiles().begin()->second->vocabulary().at(slot);
    if (d.from != FactDef::From::payload) return;
    for (const std::string& type : r.on) read.emplace(type, d.field);
  };
  for (const auto& [code, profile] : profiles())
    for (const Rule& r : profile->all_rules()) {
      for (int slot : r.facts) looks(r, slot);
      for (const SetOutcome& s : r.then.set)
        if (s.value.slot >= 0) looks(r, s.value.slot);
    }
  for (const ReadField& f : coded_fields()) {
    read.emplace(f.type, f.field);
    if (!f.file.empty())
      EXPECT_NE(text_of_file(fs::path(SCHAKEL_SOURCE_DIR) / f.file).find('"' + f.field + '"'), std::string::npos)
          << f.file << " does not read " << f.field;
  }
  // What travels to OnderwijsTransparant and to the register of absence as it is.
  std::string outside;
  for (const char* folder : {"adapters/onderwijstransparant", "adapters/duo_verzuim"})
    for (const auto& e : fs::directory_iterator(fs::path(SCHAKEL_SOURCE_DIR) / folder))
      if (e.path().extension() == ".cpp") outside += text_of_file(e.path());
  for (const auto& e : fs::directory_iterator(SCHAKEL_SOURCE_DIR "/config/schemas/messages")) {
    std::string type = e.path().filename().string();
    type = type.substr(0, type.find('.'));
    auto told = told_fields().find(type);
    Json schema = Json::parse(text_of_file(e.path()));
    for (const auto& [field, about] : schema.value("properties", Json::object()).items()) {
      bool carried = (type == "hulpvraagmelding" || type == "oza_melding_swv" || type == "verzuimmelding") &&
                     outside.find('"' + field + '"') != std::string::npos;
      bool is_told = told != told_fields().end() && told->second.contains(field);
      bool is_read = read.contains({type, field}) || read.contains({"*", field}) || carried;
      EXPECT_TRUE(is_read || is_told) << type << '.' << field << " is accepted and read by nobody";
      EXPECT_FALSE(is_read && is_told) << type << '.' << field << " is read: it is no longer only told";
    }
    if (told != told_fields().end())
      for (const std::string& field : told->second)
        EXPECT_TRUE(schema["properties"].contains(field)) << type << " has no " << field;
  }
}

/// The other way round: what a rule looks at in a message, a message can say. The ingress takes what the schemas have.
TEST(RegionTexts, EveryFieldThatARuleReadsIsAcceptedForAMessageOfIt) {
  auto accepted = [](const std::string& type, const std::string& field) {
    const fs::path path = fs::path(SCHAKEL_SOURCE_DIR "/config/schemas/messages") / (type + ".schema.json");
    return fs::exists(path) && Json::parse(text_of_file(path)).value("properties", Json::object()).contains(field);
  };
  // The broker's own message: it never passes the ingress.
  const std::set<std::pair<std::string, std::string>> own = {{"termijnsignaal", "timer"}};
  int looked = 0;
  for (const auto& [code, profile] : profiles())
    for (const Rule& r : profile->all_rules()) {
      std::set<int> slots(r.facts.begin(), r.facts.end());
      for (const SetOutcome& s : r.then.set) slots.insert(s.value.slot);
      for (int slot : slots) {
        if (slot < 0) continue;
        const FactDef& d = profile->vocabulary().at(slot);
        if (d.from != FactDef::From::payload) continue;
        ++looked;
        EXPECT_TRUE(std::ranges::any_of(
            r.on, [&](const std::string& type) { return accepted(type, d.field) || own.contains({type, d.field}); }))
            << code << ' ' << r.id << " reads " << d.name << ", which no message of its `on` may carry";
      }
    }
  EXPECT_GT(looked, 40);
}

TEST(RegionTexts, ACaseIsNotOpenedWithASwitchThatChangesNothing) {
  auto opened = [](const std::string& region, const Json& overrides) {
    Json g = given();
    g["profile_overrides"] = overrides;
    Case c(region, Json::object());
    const Draft& d = c.play("2026-10-01T09:10:00+02:00", "zaak_opening", "broker", g);
    return d.outcome == Outcome::recorded ? std::string("opened") : d.codes.empty() ? "no code" : d.codes[0];
  };
  EXPECT_EQ(opened("MH", Json::object()), "opened");
  EXPECT_EQ(opened("MH", {{"operational_days", {14, 28, 42}}, {"admission_days", {21, 35}}}), "opened");
  EXPECT_EQ(opened("MH", {{"operational_days", {14, 28}}}), "OVERRIDE_INVALID");
  EXPECT_EQ(opened("MH", {{"operational_dayz", {14, 28, 42}}}), "OVERRIDE_UNKNOWN");
  EXPECT_EQ(opened("KNH", {{"cto", {{"minutes_per_week", 500}, {"year", "school_year"}}}}), "opened");
  EXPECT_EQ(opened("KNH", {{"cto", {{"year", "calendar_year"}}}}), "OVERRIDE_INVALID");
  EXPECT_EQ(opened("KNH", {{"leerplicht_invite", "sometimes"}}), "OVERRIDE_INVALID");
  EXPECT_EQ(opened("HR", {{"onderschrijding", {{"max_months", 12}}}}), "opened");
  EXPECT_EQ(opened("HR", "text"), "OVERRIDE_INVALID");
}

/// The profiles of domain.md section 10 name every switch that a tenant may set.
TEST(RegionTexts, EverySwitchOfTheProfilesOfTheDomainIsKnown) {
  const fs::path domain = SCHAKEL_SOURCE_DIR "/../shared/domain/domain.md";
  if (!fs::exists(domain)) GTEST_SKIP() << "needs " << domain << ", which is not there";
  std::string text = text_of_file(domain);
  auto from = text.find("```json", text.find("## 10. Region profiles"));
  ASSERT_NE(from, std::string::npos);
  from += 7;
  Json all = Json::parse(text.substr(from, text.find("```", from) - from));
  ASSERT_EQ(all.size(), 5u);
  for (const auto& [region, settings] : all.items()) {
    auto fault = profiles().at(region)->override_fault(settings);
    EXPECT_FALSE(fault) << region << ' ' << (fault ? fault->name : "");
  }
}

}  // namespace
}  // namespace schakel::rules_test
