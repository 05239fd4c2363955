#include "core/pipeline/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/outbox/invoice_parties.hpp"
#include "core/pipeline/fact_changes.hpp"

namespace schakel::pipeline {
namespace {

constexpr std::array<std::string_view, 3> kExKinds = {"documents", "message", "notice"};
/// Names in explanations that are no facts of the vocabulary and tell no more than the message and its answer do.
constexpr std::array<std::string_view, 14> kExHarmless = {
    "purpose", "role", "doc_types", "consents", "consent",      "due",      "today",
    "number",  "kind", "credits",   "fields",   "same_content", "held_for", "left_cents"};

bool ex_prefix(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view p) { return name.starts_with(p); });
}

std::string_view ex_base(std::string_view role) { return role.substr(0, role.find_first_of(":@")); }

/// Whether this party is one of those who state such a fact: `who` of the vocabulary names roles, "school" all of a
/// school.
bool ex_would_state(const Party& party, std::string_view who) {
  for (const Grant& g : party.may_send)
    for (const auto& role : g.roles) {
      if (role == "*" || who == "any party") return true;
      if (who == "school" ? role.starts_with("school") : who.find(role) != std::string_view::npos) return true;
    }
  return false;
}

/// A row of the explanation that the asker may have, with the facts it may know; nullopt for the others.
struct ExRow {
  const Explanation* e;
  Json facts = Json::object();
  int hidden = 0;
};

std::vector<ExRow> ex_rows(const Explained& x, const Asker& asker) {
  std::vector<ExRow> out;
  for (const Explanation& e : x.recorded->draft.explanation) {
    ExRow row{&e};
    for (const auto& [name, value] : e.facts.items()) {
      if (!asker.party || asker.knows(name))
        row.facts[name] = asker.masked && about_child(name) ? Json(kMasked) : value;
      else
        ++row.hidden;
    }
    if (asker.party && !asker.sender) {
      // Who was sent it hears why it got it, not who else did.
      bool mine = std::ranges::find(asker.roles, e.code) != asker.roles.end();
      if (auto role = e.facts.find("role"); role != e.facts.end() && role->is_string())
        mine = mine || std::ranges::find(asker.roles, role->get<std::string>()) != asker.roles.end();
      if (!mine || e.result != "fired") continue;
    }
    // That a rule nearly held tells the fact that it lacked.
    if (asker.party && e.result == "near" && row.hidden > 0) continue;
    out.push_back(std::move(row));
  }
  return out;
}

Json ex_alternative(const replay::Alternative& a, const Asker& asker, Lang lang) {
  Json changes = Json::array();
  std::vector<std::string> texts;
  for (auto c : a.changes) {
    if (asker.masked && about_child(c.fact)) c.was = kMasked;
    auto text = change_words(c, lang);
    changes.push_back({{"feit", c.fact}, {"was", c.was}, {"zou", c.would_be}, {"tekst", text}});
    texts.push_back(std::move(text));
  }
  auto mine = [&](std::vector<std::string> roles) {
    if (asker.party && !asker.sender)
      std::erase_if(roles,
                    [&](const std::string& r) { return std::ranges::find(asker.roles, r) == asker.roles.end(); });
    return roles;
  };
  auto gained = mine(a.gained), lost = mine(a.lost);
  auto codes = asker.party && !asker.sender ? std::vector<std::string>{} : a.codes;
  std::string then(schakel::to_string(a.outcome));
  if (!codes.empty()) then += fmt::format(" ({})", fmt::join(codes, ", "));
  if (!gained.empty())
    then += fmt::format(fmt::runtime(lang == Lang::nl ? ", ook naar {}" : ", also to {}"), fmt::join(gained, ", "));
  if (!lost.empty())
    then += fmt::format(fmt::runtime(lang == Lang::nl ? ", niet naar {}" : ", not to {}"), fmt::join(lost, ", "));
  auto text = fmt::format(fmt::runtime(lang == Lang::nl ? "Als {}: {}." : "If {}: {}."),
                          fmt::join(texts, lang == Lang::nl ? " en " : " and "), then);
  return {{"wijzigingen", changes}, {"uitkomst", schakel::to_string(a.outcome)},
          {"codes", codes},         {"erbij", gained},
          {"eraf", lost},           {"tekst", text}};
}

Json ex_what_if(const Explained& x, const Asker& asker, Lang lang) {
  const bool nl = lang == Lang::nl;
  Json out{{"gevonden", false}, {"mogelijkheden", Json::array()}};
  if (!x.what_if) {
    out["reden"] = x.reason;
    out["tekst"] = fmt::format(fmt::runtime(nl ? "Niet onderzocht: {}." : "Not examined: {}."), x.reason);
    return out;
  }
  const auto& w = *x.what_if;
  out["geprobeerd"] = w.tried;
  out["enkelVolledig"] = w.singles_complete;
  out["parenVolledig"] = w.pairs_complete;
  for (const auto& a : w.found) {
    // Of others' receiving the asker hears nothing: what changes only that is no alternative to it.
    bool concerns = !asker.party || asker.sender || a.outcome != x.recorded->draft.outcome ||
                    std::ranges::any_of(
                        a.lost, [&](const auto& r) { return std::ranges::find(asker.roles, r) != asker.roles.end(); });
    if (concerns) out["mogelijkheden"].push_back(ex_alternative(a, asker, lang));
  }
  out["gevonden"] = !out["mogelijkheden"].empty();
  if (!out["mogelijkheden"].empty()) {
    auto n = out["mogelijkheden"][0]["wijzigingen"].size();
    out["aantal"] = n;
    const bool smallest = n == 1 || (n == 2 && w.singles_complete) || (n == 3 && w.pairs_complete);
    out["kleinste"] = smallest;
    out["tekst"] = nl ? fmt::format("{} wijziging{} van feiten {} de uitkomst veranderd{}.", n, n == 1 ? "" : "en",
                                    n == 1 ? "had" : "hadden", smallest ? "" : " (een kleinere is niet uitgesloten)")
                      : fmt::format("{} change{} of facts would have altered the outcome{}.", n, n == 1 ? "" : "s",
                                    smallest ? "" : " (a smaller one is not ruled out)");
  } else if (w.pairs_complete) {
    out["tekst"] = nl ? "Binnen 2 wijzigingen van feiten is geen andere uitkomst gevonden."
                      : "None found within 2 changes of facts.";
  } else {
    out["tekst"] =
        nl ? fmt::format("Geen gevonden in {} beslissingen; niet alle paren van wijzigingen zijn geprobeerd.", w.tried)
           : fmt::format("None found in {} decisions; not every pair of changes was tried.", w.tried);
  }
  return out;
}

std::string ex_rule_text(const Explanation& e, Lang lang, const Profile* profile) {
  const bool nl = lang == Lang::nl;
  auto words = code_words(e, lang, profile);
  auto code = words.empty() ? e.code : fmt::format("{}: {}", e.code, words);
  if (e.result == "blocked")
    return fmt::format(fmt::runtime(nl ? "{} houdt het bericht tegen ({})" : "{} blocks the message ({})"), e.rule,
                       code);
  if (e.result == "suppressed")
    return fmt::format(fmt::runtime(nl ? "{} laat iemand weg ({})" : "{} leaves somebody out ({})"), e.rule, code);
  if (e.result == "near")
    return fmt::format(fmt::runtime(nl ? "{} scheelde één feit ({})" : "{} was one fact away ({})"), e.rule, code);
  return code.empty() ? fmt::format(fmt::runtime(nl ? "{} geldt" : "{} holds"), e.rule)
                      : fmt::format(fmt::runtime(nl ? "{} geldt ({})" : "{} holds ({})"), e.rule, code);
}

}  // namespace

const Party* Knowledge::reached(const Recipient& recipient, std::string_view kind, const Step& step) const {
  auto hints = outbox::hints_of(step.known.file.pupil);
  return parties_.desk(recipient.role, step.row->content->message.region, kind, hints, members_).party;
}

void Knowledge::learn(const Step& step) {
  if (!step.row->content) return;
  const auto& r = *step.row->content;
  std::set<std::string> to{r.message.party};
  for (const Recipient& recipient : r.draft.recipients) {
    if (recipient.content.size() == 1 && recipient.content[0] == "notice") continue;
    for (auto kind : kExKinds)
      if (const auto* party = reached(recipient, kind, step)) to.insert(party->id);
  }
  auto tell = [&](const std::string& fact, bool anew) {
    auto& list = known_[fact];
    // Who knew the old value does not know the new one.
    if (anew) list.clear();
    list.insert(to.begin(), to.end());
  };
  tell("past." + r.message.type, false);
  if (r.draft.outcome == Outcome::blocked) return;
  for (const Effect& e : r.draft.effects) {
    if (e.what == "fact") tell("case." + e.key, true);
    if (e.what == "pupil") tell("pupil." + e.key, true);
    if (e.what == "open" && e.value.is_object()) {
      for (const char* part : {"case", "pupil"})
        if (auto it = e.value.find(part); it != e.value.end() && it->is_object())
          for (const auto& [key, value] : it->items()) tell(std::string(part) + "." + key, true);
    }
  }
}

bool Knowledge::knows(const Party& party, bool sender, std::string_view name, const Profile* profile) const {
  if (name == "envelope.sender" || name == "envelope.type" || name == "message.time" || name == "meeting.at")
    return true;
  if (ex_prefix(name, {"message.", "envelope.", "register:"})) return sender;
  if (ex_prefix(name, {"document.", "deadline.", "consent:"})) return true;
  if (name.starts_with("derived.")) {
    auto inputs = replay::inputs_of(name);
    return !inputs.empty() &&
           std::ranges::all_of(inputs, [&](std::string_view i) { return knows(party, sender, i, profile); });
  }
  if (name == "custody")
    return knows(party, sender, "case.custody", profile) && knows(party, sender, "case.measure", profile);
  if (name == "child_needed") return knows(party, sender, "pupil.birth_date", profile);
  if (std::ranges::find(kExHarmless, name) != kExHarmless.end()) return true;
  if (!ex_prefix(name, {"case.", "pupil.", "past."})) return false;
  if (auto it = known_.find(name); it != known_.end()) return it->second.contains(party.id);
  if (!profile || name.starts_with("past.")) return false;
  int slot = profile->vocabulary().slot(name);
  return slot >= 0 && ex_would_state(party, profile->vocabulary().at(slot).who);
}

std::vector<std::string> Knowledge::roles(const Party& party, const Step& step) const {
  std::vector<std::string> out;
  for (const Recipient& r : step.row->content->draft.recipients)
    for (auto kind : kExKinds)
      if (reached(r, kind, step) == &party) {
        out.push_back(r.role);
        if (auto base = std::string(ex_base(r.role)); base != r.role) out.push_back(base);
        break;
      }
  return out;
}

bool about_child(std::string_view fact) {
  // The roles of the envelope and the moment of the message say how it travelled.
  return fact == "custody" || (fact != "message.time" && ex_prefix(fact, {"pupil.", "case.", "message.", "derived."}));
}

Json explanation(const Explained& x, const Asker& asker, Lang lang) {
  const auto& r = *x.recorded;
  const bool nl = lang == Lang::nl;
  const bool whole = !asker.party || asker.sender;
  auto codes = whole ? r.draft.codes : std::vector<std::string>{};
  Json j{{"volgnummer", r.message.seq},
         {"type", r.message.type},
         {"van", r.message.sender_role},
         {"aanvaardOp", format_instant(r.message.time)},
         {"besloten", format_instant(r.decided_at)},
         {"uitkomst", schakel::to_string(r.draft.outcome)},
         {"codes", codes},
         {"regelversie", r.rules_version},
         {"semantiek", r.semantics},
         {"taal", to_string(lang)}};
  std::vector<std::string> why;
  for (const auto& code : codes) {
    auto told = std::ranges::find_if(r.draft.explanation, [&](const Explanation& e) {
      return e.code == code && (e.result == "blocked" || e.result == "suppressed");
    });
    auto words = told == r.draft.explanation.end() ? code_words(code, lang, x.profile.get())
                                                   : code_words(*told, lang, x.profile.get());
    why.push_back(words.empty() ? code : fmt::format("{} ({})", code, words));
  }
  static constexpr std::array<std::array<std::string_view, 2>, 6> kOutcomes = {
      {{"is bezorgd", "was delivered"},
       {"is vastgelegd", "was recorded"},
       {"is tegengehouden", "was blocked"},
       {"wordt vastgehouden", "is held"},
       {"was al eens ontvangen", "was received before"},
       {"kon niet worden beslist", "could not be decided"}}};
  auto outcome = kOutcomes[static_cast<std::size_t>(r.draft.outcome)][nl ? 0 : 1];
  j["samenvatting"] =
      fmt::format(fmt::runtime(nl ? "{} van {} {}{}" : "{} from {} {}{}"), r.message.type, r.message.sender_role,
                  outcome, why.empty() ? "." : fmt::format(": {}.", fmt::join(why, "; ")));
  j["regels"] = Json::array();
  Json facts = Json::object();
  int hidden = 0;
  for (const auto& row : ex_rows(x, asker)) {
    const Explanation& e = *row.e;
    hidden += row.hidden;
    facts.update(row.facts);
    Json rule{{"regel", e.rule},
              {"stap", e.stage},
              {"resultaat", e.result},
              {"code", e.code},
              {"citaat", e.quote},
              {"bron", e.source},
              {"bronTitel", nullptr},
              {"bestand", nullptr},
              {"versie", r.rules_version},
              {"feiten", row.facts},
              {"verborgenFeiten", row.hidden},
              {"tekst", ex_rule_text(e, lang, x.profile.get())}};
    if (x.profile) {
      rule["bronTitel"] = x.profile->source_title(e.source);
      // A rule that a named function applies may be in no file.
      if (auto file = x.profile->rule_file(e.rule, e.quote); !file.empty()) rule["bestand"] = file;
    }
    j["regels"].push_back(std::move(rule));
  }
  j["feiten"] = Json::array();
  for (const auto& [name, value] : facts.items()) {
    Json fact{{"naam", name}, {"waarde", value}};
    if (int slot = x.profile ? x.profile->vocabulary().slot(name) : -1; slot >= 0) {
      fact["betekenis"] = fact_words(x.profile->vocabulary(), slot, lang);
      fact["wie"] = x.profile->vocabulary().at(slot).who;
    }
    j["feiten"].push_back(std::move(fact));
  }
  j["verborgenFeiten"] = hidden;
  j["ontvangers"] = Json::array();
  for (const Recipient& to : r.draft.recipients)
    if (whole || std::ranges::find(asker.roles, to.role) != asker.roles.end())
      j["ontvangers"].push_back({{"rol", to.role},
                                 {"inhoud", to.content},
                                 {"kanaal", to.channel},
                                 {"zonder", to.without},
                                 {"regels", to.rules}});
  j["nietNaar"] = Json::array();
  if (whole)
    for (const Suppressed& s : r.draft.suppressed)
      j["nietNaar"].push_back({{"rol", s.role}, {"code", s.code}, {"regel", s.rule}});
  j["anders"] = ex_what_if(x, asker, lang);
  return j;
}

}  // namespace schakel::pipeline
