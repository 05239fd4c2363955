#include "plugins/routing/routing.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/base/calendar.hpp"
#include "core/model/consent_check.hpp"

namespace schakel::routing {
namespace {

/// Role without what is put behind it: zorgaanbieder:C and lokaal_team@Gouda are a zorgaanbieder and a lokaal_team.
std::string_view base_role(std::string_view role) { return role.substr(0, role.find_first_of(":@")); }

bool addressed(const Message& m, std::string_view role) {
  return std::ranges::find(m.addressed_to, role) != m.addressed_to.end();
}

/// Whether a consent for what this message needs of the role names it; one for everybody ("*") names nobody.
bool consent_names(const FactView& view, std::string_view role) {
  auto asked = consent::purposes_of_delivery(view.profile(), view.message().type, role);
  return std::ranges::any_of(view.file().consents, [&](const Consent& c) {
    return std::ranges::find(asked, c.purpose) != asked.end() && std::ranges::find(c.roles, role) != c.roles.end();
  });
}

void add_code(Draft& d, const std::string& code) {
  if (std::ranges::find(d.codes, code) == d.codes.end()) d.codes.push_back(code);
}

/// A payload field as text; empty where it is absent or something else: payloads come from outside.
std::string text_of(const Message& m, const char* field) {
  auto it = m.payload.find(field);
  return it != m.payload.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// "A case begins with zaak_opening": only what the rules may know is kept, whatever was sent along.
Effect opening(const Message& m) {
  Json v = Json::object();
  for (const char* key : {"case", "consents", "documents", "meeting", "profile_overrides"})
    if (auto it = m.payload.find(key); it != m.payload.end()) v[key] = *it;
  Json pupil = Json::object();
  if (auto it = m.payload.find("pupil"); it != m.payload.end() && it->is_object())
    for (const char* key : {"birth_date", "school", "school_type", "woongemeente", "enrolled"})
      if (auto field = it->find(key); field != it->end()) pupil[key] = *field;
  v["pupil"] = std::move(pupil);
  return {"open", "", std::move(v)};
}

void set_facts(FactView& view, Draft& draft) {
  for (const Rule* r : view.rules(Stage::facts)) {
    if (!r->when.holds(view)) continue;
    for (const SetOutcome& s : r->then.set) {
      Json value = s.value.get(view).to_json();
      if (s.value.append) {
        // The lines of an agreement come behind those that the case has.
        Json list = view.get(s.slot).to_json();
        if (!list.is_array()) list = Json::array();
        if (value.is_array())
          for (Json& v : value) list.push_back(std::move(v));
        value = std::move(list);
      }
      view.set(s.slot, std::move(value));
    }
    draft.explanation.push_back(explain(*r, view, "facts", "fired", ""));
  }
}

/// True when a rule blocks alone: then nothing else is asked (domain.md 4.1, 6.1).
bool gates(const FactView& view, Draft& draft) {
  auto rules = view.rules(Stage::gate);
  for (const Rule* r : rules)
    if (r->then.alone && r->when.holds(view)) {
      draft.codes = {r->then.block};
      draft.explanation.push_back(explain(*r, view, "gate", "blocked", r->then.block));
      return true;
    }
  for (const Rule* r : rules) {
    if (r->then.alone) continue;
    auto fit = r->when.fit(view);
    if (fit == Condition::Fit::holds) {
      add_code(draft, r->then.block);
      draft.explanation.push_back(explain(*r, view, "gate", "blocked", r->then.block));
    } else if (fit == Condition::Fit::nearly) {
      draft.explanation.push_back(explain(*r, view, "gate", "near", r->then.block));
    }
  }
  return false;
}

std::vector<std::string> content_of(const RecipientOutcome& r, const Message& message) {
  if (r.content == "notice") return {"notice"};
  if (r.content == "gezinsplan") return {"gezinsplan"};
  if (r.content == "message_type") return {message.type};
  std::vector<std::string> out;
  if (r.content != "documents") return out;
  out.reserve(message.attachments.size() + 4);
  if (auto it = message.payload.find("documents"); it != message.payload.end() && it->is_array())
    for (const Json& d : it->get_ref<const Json::array_t&>())
      if (d.is_string()) out.push_back(d.get_ref<const std::string&>());
  for (const Attachment& a : message.attachments)
    if (std::ranges::find(out, a.doc_type) == out.end()) out.push_back(a.doc_type);
  return out;
}

/// Roles of recipients that a table cannot list.
std::vector<std::string> function_roles(const RecipientOutcome& r, const CaseFile& file, const Message& message) {
  std::vector<std::string> out;
  if (r.function == "assignment_sender") {
    // Who sent the last zorgtoewijzing, to the provider that answers if it says which one it is.
    std::string provider = text_of(message, "provider");
    for (auto m = file.messages.rbegin(); m != file.messages.rend(); ++m) {
      if (m->type != "zorgtoewijzing" || m->outcome != Outcome::delivered) continue;
      bool fits = provider.empty() || std::ranges::any_of(m->recipients, [&](const Recipient& x) {
                    return x.role == "zorgaanbieder:" + provider || x.role == "zorgaanbieder";
                  });
      if (fits) return {m->sender_role};
    }
  }
  if (r.function == "responsible")
    // The role that the deadline names; the broker itself wrote the message.
    if (std::string role = text_of(message, "responsible"); !role.empty()) out.push_back(role);
  if (r.function == "meeting_participants")
    // domain.md 14.1: sender and recipients of the last delivered invitation.
    for (auto m = file.messages.rbegin(); m != file.messages.rend(); ++m)
      if (m->outcome == Outcome::delivered &&
          (m->type == "uitnodiging" || m->type == "ot_aanmelding" || m->type == "ots_overdracht")) {
        out.push_back(m->sender_role);
        for (const Recipient& x : m->recipients) out.push_back(x.role);
        break;
      }
  return out;
}

void candidates(const FactView& view, Draft& draft) {
  const Profile& profile = view.profile();
  const Message& message = view.message();
  bool missing = false;
  draft.recipients.reserve(4);
  std::string provider(view.text(KnownFact::case_provider));
  for (const Rule* r : view.rules(Stage::routing)) {
    const RecipientOutcome& to = *r->then.recipient;
    auto fit = r->when.fit(view);
    if (fit == Condition::Fit::nearly)
      draft.explanation.push_back(explain(*r, view, "routing", "near", to.roles.empty() ? to.function : to.roles[0]));
    if (fit != Condition::Fit::holds) continue;
    std::vector<std::string> roles;
    for (const std::string& name : to.roles)
      if (auto role = profile.role(name, view); !role.empty()) roles.emplace_back(role);
    if (!to.function.empty()) roles = function_roles(to, view.file(), message);
    for (std::string& role : roles) {
      std::string_view plain = base_role(role);
      if (to.unless_sender && plain == message.sender_role) continue;
      if (to.if_addressed && !addressed(message, plain)) continue;
      if (to.if_consent_names && !consent_names(view, plain)) continue;
      if (to.list_only && !message.addressed_to.empty() && !addressed(message, plain)) {
        if (to.mandatory && plain != message.sender_role) {
          missing = true;
          draft.explanation.push_back(explain(*r, view, "routing", "blocked", "MANDATORY_INVITEE_MISSING"));
        }
        continue;
      }
      Recipient out;
      out.role = role;
      if (role == "zorgaanbieder" && !provider.empty()) out.role += ":" + provider;
      if (!to.of_gemeente.empty())
        if (auto gemeente = view.text(to.of_gemeente); !gemeente.empty()) out.role += "@" + std::string(gemeente);
      auto same =
          std::ranges::find_if(draft.recipients, [&](const Recipient& x) { return base_role(x.role) == plain; });
      if (same != draft.recipients.end()) {
        if (std::ranges::find(same->rules, r->id) == same->rules.end()) same->rules.push_back(r->id);
        continue;
      }
      out.content = content_of(to, message);
      out.channel = to.channel;
      out.without = to.without;
      out.rules = {r->id};
      draft.explanation.push_back(explain(*r, view, "routing", "fired", out.role));
      draft.recipients.push_back(std::move(out));
    }
  }
  if (missing) add_code(draft, "MANDATORY_INVITEE_MISSING");
}

/// The first opening of a delivery by the role that files it (domain.md 6.1, KNH-T3).
void filing(FactView& view, Draft& draft) {
  const Message& message = view.message();
  std::string delivery = text_of(message, "delivery");
  draft.effects.push_back({"opened", delivery, message.sender_role});
  if (!view.is(KnownFact::derived_link_first_opening)) return;
  for (const Rule* r : view.rules(Stage::filing)) {
    const FilingOutcome& f = *r->then.file;
    if (message.sender_role != f.by || !r->when.holds(view)) continue;
    std::vector<std::string> documents;
    for (const PastMessage& m : view.file().messages)
      if (m.id == delivery) documents = m.documents;
    if (!f.create_unless.empty() && !view.is(f.create_unless)) {
      draft.filings.push_back({"dossier.create", f.by, f.system, {}, delivery});
      view.set(view.profile().vocabulary().slot(f.create_unless), true);
    }
    draft.filings.push_back({"dossier.append", f.by, f.system, std::move(documents), delivery});
    draft.explanation.push_back(explain(*r, view, "filing", "fired", "dossier.append"));
    return;
  }
}

void escalation(const FactView& view, Draft& draft) {
  const Message& message = view.message();
  for (const Rule* r : view.rules(Stage::escalation)) {
    if (!r->when.holds(view)) continue;
    const EscalationOutcome& e = *r->then.escalation;
    Json state;
    if (e.action == "open") {
      std::string body =
          e.body.starts_with('$') ? view.profile().setting_text(e.body.substr(1), view.file().overrides) : e.body;
      state = {{"body", body},
               {"members", e.members},
               {"started", format_instant(message.time)},
               {"outcome", "open"},
               {"more", Json::object()}};
      for (const std::string& name : e.facts) {
        auto dot = name.find('.');
        std::string key = name.substr(dot + 1);
        if (key == "escalation_ground") key = "ground";
        if (FactValue v = view.get(name); v.kind == FactValue::Kind::text) state[key] = std::string(v.text);
      }
    } else {
      // The first decision closes it; a later one changes nothing.
      if (!view.file().escalation || view.file().escalation->closed) continue;
      const EscalationState& open = *view.file().escalation;
      state = {{"body", open.body},
               {"members", open.members},
               {"started", format_instant(open.started)},
               {"outcome", e.outcome},
               {"closed", format_instant(message.time)},
               {"ground", open.ground},
               {"rmc_region", open.rmc_region},
               {"more", open.more}};
      if (!e.register_as.empty()) state["more"][e.register_as] = true;
    }
    draft.effects.push_back({"escalation", "", std::move(state)});
    draft.explanation.push_back(explain(*r, view, "escalation", "fired", e.action));
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The meetings of the case, as case.meetings has them where there is more than one.
std::vector<Meeting> meetings_of(const FactView& view) {
  std::vector<Meeting> out;
  FactValue list = view.get(KnownFact::case_meetings);
  if (list.kind == FactValue::Kind::list)
    for (const Json& j : *list.json)
      if (j.is_object() && j.value("at", Json()).is_string() && j.value("kind", Json()).is_string())
        if (auto at = parse_instant(j["at"].get<std::string>())) out.push_back({j["kind"].get<std::string>(), *at});
  if (out.empty() && view.file().meeting) out.push_back(*view.file().meeting);
  return out;
}

/// Who sends documents for a meeting says when it is; an invitation fixes it, moves it or (`cancelled`) takes it away.
/// Deadlines follow from the date of the case; the messages that were sent for the old moment are named, so that their
/// links go along. A meeting of another kind stands beside the first: it takes nothing of it away.
void meeting(FactView& view, const Message& message, Draft& draft) {
  auto off = message.payload.find("cancelled");
  bool cancelled = message.type == "uitnodiging" && off != message.payload.end() && *off == Json(true);
  FactValue when = view.get(KnownFact::message_at);
  // Most documents are sent without saying when.
  if (!cancelled && when.kind != FactValue::Kind::text) return;
  auto at = parse_instant(when.kind == FactValue::Kind::text ? when.text : std::string_view());
  std::string kind(view.text(KnownFact::message_meeting));
  std::vector<Meeting> all = meetings_of(view);
  // What was held already stays: then this is the next one.
  auto to_come = [&](const Meeting& m) { return m.at > view.at() && lower(m.kind) == lower(kind); };
  std::optional<Meeting> known = view.file().meeting;
  if (kind.empty() && known) kind = known->kind;
  if (auto it = std::ranges::find_if(all, to_come); it != all.end()) known = *it;
  bool same = known && to_come(*known);
  if (cancelled ? !same : !at) return;
  // Said again: nothing changes.
  if (!cancelled && known && known->at == *at && lower(kind) == lower(known->kind)) return;
  Json value{{"kind", kind}, {"at", cancelled ? Json() : Json(format_instant(*at))}};
  if (same) {
    value["moved_from"] = format_instant(known->at);
    value["messages"] = Json::array();
    for (const PastMessage& m : view.file().messages)
      if (m.meeting && m.meeting->at == known->at && lower(m.meeting->kind) == lower(known->kind))
        value["messages"].push_back(m.id);
  }
  draft.effects.push_back({"meeting", "", std::move(value)});
  std::size_t before = all.size();
  std::erase_if(all, to_come);
  if (!cancelled) all.push_back({kind, *at});
  if (before < 2 && all.size() < 2) return;
  std::ranges::sort(all, {}, &Meeting::at);
  Json list = Json::array();
  for (const Meeting& m : all) list.push_back({{"kind", m.kind}, {"at", format_instant(m.at)}});
  // Rules of before this fact know one meeting.
  int slot = view.profile().vocabulary().slot("case.meetings");
  if (slot < 0) return;
  view.set(slot, std::move(list));
  // The one that is left is the meeting of the case again.
  if (cancelled && !all.empty())
    draft.effects.push_back({"meeting", "", {{"kind", all.back().kind}, {"at", format_instant(all.back().at)}}});
}

/// What differs from the case file becomes an effect; what was only said again does not.
void effects(const FactView& view, Draft& draft) {
  for (const FactView::Change& c : view.changes()) {
    if (c.document) {
      auto it = std::ranges::find(view.file().documents, c.key, &DocumentState::doc_type);
      bool has = it != view.file().documents.end();
      if (c.gone ? !has : has && it->status == c.status && it->version >= c.version) continue;
      draft.effects.push_back({"document", std::string(c.key), c.json()});
    } else {
      auto it = view.file().facts.find(c.key);
      if (it != view.file().facts.end() ? *it == *c.value : c.value->is_null()) continue;
      draft.effects.push_back({"fact", std::string(c.key), *c.value});
    }
  }
}

}  // namespace

Draft RoutingDecider::decide(FactView& view, const Facts&, Draft draft) const {
  const Message& message = view.message();
  if (message.type == "zaak_opening") {
    if (auto it = message.payload.find("profile_overrides"); it != message.payload.end())
      if (auto fault = view.profile().override_fault(*it)) {
        draft.codes = {fault->unknown ? "OVERRIDE_UNKNOWN" : "OVERRIDE_INVALID"};
        draft.outcome = Outcome::blocked;
        return draft;
      }
    draft.outcome = Outcome::recorded;
    draft.effects.push_back(opening(message));
    try {
      // What cannot be folded may not be recorded.
      CaseFile scratch;
      apply(scratch, message, draft);
    } catch (const std::exception&) {
      draft.effects.clear();
      draft.codes = {"OPENING_INVALID"};
      draft.outcome = Outcome::blocked;
    }
    return draft;
  }
  if (message.type == "toestemming" || message.type == "toestemming_intrekking") {
    draft.outcome = Outcome::recorded;
    return draft;
  }
  set_facts(view, draft);
  if (message.type == "link_geopend") draft.for_role = message.sender_role;
  bool alone = gates(view, draft);
  if (!alone) {
    candidates(view, draft);
    if (message.type == "link_geopend") filing(view, draft);
    escalation(view, draft);
  }
  if (message.type == "uitnodiging" || message.type == "documentlevering") meeting(view, message, draft);
  effects(view, draft);
  if (!draft.codes.empty()) draft.outcome = Outcome::blocked;
  return draft;
}

}  // namespace schakel::routing
