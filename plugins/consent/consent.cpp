#include "plugins/consent/consent.hpp"

#include <algorithm>
#include <set>

#include "core/model/consent_check.hpp"
#include "core/model/invoice_types.hpp"

namespace schakel::consent {
namespace {

std::string_view base_role(std::string_view role) { return role.substr(0, role.find_first_of(":@")); }
bool has(const std::vector<std::string>& list, std::string_view what) {
  return std::ranges::find(list, what) != list.end();
}

void add_code(Draft& d, std::string_view code) {
  if (!has(d.codes, code)) d.codes.emplace_back(code);
}

/// Takes the consents out of the answer, which is not asked for them again.
Explanation explained(const Rule& rule, const Question& q, Answer& a, Word result, std::string_view code) {
  auto texts = [](std::span<const std::string> list) { return std::vector<std::string>(list.begin(), list.end()); };
  SeenFacts seen(nullptr, 6);
  seen.add("purpose", std::string(q.purpose));
  seen.add("role", std::string(q.role));
  seen.add("doc_types", texts(q.doc_types));
  seen.add("custody", texts(q.custody));
  seen.add("child_needed", Json(q.child_needed));
  seen.add("consents", std::move(a.used));
  return explain(rule, "consent", result, code, std::move(seen));
}

void record_consent(const Message& message, const Profile& profile, Draft& draft) {
  const Json& p = message.payload;
  std::string purpose = p.value("purpose", Json()).is_string() ? p["purpose"].get<std::string>() : "";
  std::string id = message.sender_role + ":" + purpose;
  // What is no list of texts covers nothing less than it says: it is left out, and an empty list covers nothing.
  auto list = [&](const char* key) {
    if (!p.contains(key) || !p[key].is_array()) return Json::array({"*"});
    Json out = Json::array();
    for (const Json& v : p[key])
      if (v.is_string()) out.push_back(v);
    return out;
  };
  auto instant = [&](const char* key) {
    return p.contains(key) && p[key].is_string() && parse_instant(p[key].get<std::string>()) ? p[key] : Json();
  };
  Json from = instant("valid_from");
  draft.effects.push_back({"consent",
                           id,
                           {{"id", id},
                            {"giver", message.sender_role},
                            {"purpose", purpose},
                            {"doc_types", list("doc_types")},
                            {"roles", list("roles")},
                            {"valid_from", from.is_null() ? Json(format_instant(message.time)) : from},
                            {"valid_until", instant("valid_until")},
                            {"withdrawn_at", nullptr}}});
  draft.explanation.push_back(profile.explain("CORE-CONSENT-01", "consent", "fired", "recorded", {{"consent", id}}));
}

/// A consent ends by who gave it; `ouders` speaks for each parent.
bool may_withdraw(std::string_view sender, const Consent& c) {
  return sender == c.giver || (sender == "ouders" && c.giver.starts_with("ouder_"));
}

/// CORE-CONSENT-04, CORE-CONSENT-05: unopened links end, those who opened one are told once.
void withdraw(const FactView& view, Draft& draft) {
  const CaseFile& file = view.file();
  const Message& message = view.message();
  const Profile& profile = view.profile();
  std::string id =
      message.payload.value("consent", Json()).is_string() ? message.payload["consent"].get<std::string>() : "";
  auto named = [&](const Consent& c) { return c.id == id && may_withdraw(message.sender_role, c); };
  if (std::ranges::none_of(file.consents, named)) {
    // Nothing ends, and who thinks otherwise must hear it: the next delivery goes out.
    draft.signals.push_back({"CONSENT_UNKNOWN", message.sender_role, "", "", "CORE-CONSENT-04"});
    draft.explanation.push_back(
        profile.explain("CORE-CONSENT-04", "consent", "fired", "CONSENT_UNKNOWN", {{"consent", id}}));
    return;
  }
  draft.effects.push_back({"consent_withdrawn", id, format_instant(message.time)});
  draft.explanation.push_back(profile.explain("CORE-CONSENT-04", "consent", "fired", "withdrawn", {{"consent", id}}));
  std::vector<Consent> after = file.consents;
  std::set<std::string_view> purposes;
  for (Consent& c : after)
    if (c.id == id) {
      purposes.insert(c.purpose);
      if (!c.withdrawn_at || *c.withdrawn_at > message.time) c.withdrawn_at = message.time;
    }
  std::set<std::string> told;
  for (const PastMessage& m : file.messages) {
    if (m.outcome != Outcome::delivered) continue;
    for (const Recipient& r : m.recipients) {
      if (r.channel != "secure_link") continue;
      auto asked = purposes_of_delivery(profile, m.type, r.role);
      if (std::ranges::none_of(asked, [&](std::string_view p) { return purposes.contains(p); })) continue;
      if (check_delivery(view, after, m.type, r.role, r.content).covered()) continue;
      if (!has(m.opened_by, r.role)) {
        draft.revoked_links.push_back(m.id + "/" + r.role);
        continue;
      }
      if (has(m.told_after_download, r.role)) continue;
      draft.effects.push_back({"told", m.id, r.role});
      if (told.insert(r.role).second) {
        draft.signals.push_back({"CONSENT_WITHDRAWN_AFTER_DOWNLOAD", r.role, "", "", "CORE-CONSENT-05"});
        draft.explanation.push_back(profile.explain("CORE-CONSENT-05", "consent", "fired",
                                                    "CONSENT_WITHDRAWN_AFTER_DOWNLOAD", {{"role", r.role}}));
      }
    }
  }
}

void suppress(Draft& draft, const std::string& role, std::string_view code, const std::string& rule) {
  Suppressed s{std::string(base_role(role)), std::string(code), rule};
  if (std::ranges::find(draft.suppressed, s) == draft.suppressed.end()) draft.suppressed.push_back(std::move(s));
}

void consents(const FactView& view, Draft& draft) {
  const Message& message = view.message();
  auto rules = view.rules(Stage::consent);
  if (rules.empty()) return;
  std::vector<std::string> givers = custody(view);
  bool child = child_needed(view), one = one_suffices(view);
  for (const Rule* r : rules) {
    if (!r->when.holds(view)) continue;
    const ConsentOutcome& c = *r->then.consent;
    if (c.blocks) {
      // The message as a whole: the roles that the rule names, or who opens a link.
      std::vector<std::string> roles = c.roles;
      std::vector<std::string> documents;
      std::vector<std::string_view> purposes{c.purpose};
      if (message.type == "link_geopend") {
        roles = {message.sender_role};
        std::string delivery =
            message.payload.value("delivery", Json()).is_string() ? message.payload["delivery"].get<std::string>() : "";
        for (const PastMessage& m : view.file().messages)
          if (const Recipient* sent = m.id == delivery ? link_of(m, message.sender_role) : nullptr) {
            documents = sent->content;
            if (c.purpose == kOfDelivery) purposes = purposes_of_delivery(view.profile(), m.type, message.sender_role);
          }
      }
      for (const std::string& role : roles)
        for (std::string_view purpose : purposes) {
          // What travels by secured link is a document, whose kind the consent must cover.
          if (message.type != "link_geopend")
            for (const Recipient& to : draft.recipients)
              if (base_role(to.role) == role && to.channel == "secure_link") documents = to.content;
          Question q{purpose, role, documents, view.at(), givers, child, one};
          Answer a = check(view.file().consents, q);
          if (a.covered()) {
            draft.explanation.push_back(explained(*r, q, a, "fired", role));
            continue;
          }
          std::string_view reported = !c.code.empty()   ? std::string_view(c.code)
                                      : !a.code.empty() ? a.code
                                                        : "CHILD_CONSENT_MISSING";
          draft.explanation.push_back(explained(*r, q, a, "blocked", reported));
          if (!c.code.empty()) {
            add_code(draft, c.code);
            continue;
          }
          if (!a.code.empty()) add_code(draft, a.code);
          if (a.child_missing) add_code(draft, "CHILD_CONSENT_MISSING");
        }
      continue;
    }
    std::vector<Recipient> left;
    left.reserve(draft.recipients.size());
    for (Recipient& to : draft.recipients) {
      std::string_view role = base_role(to.role);
      bool concerned = (c.roles.empty() || has(c.roles, role)) && !has(c.except, role);
      // A notice tells that something is, without documents: no consent is asked for it (Q-03).
      bool notice = to.content.size() == 1 && to.content[0] == "notice";
      if (!concerned || notice) {
        left.push_back(std::move(to));
        continue;
      }
      std::span<const std::string> documents;
      if (to.channel == "secure_link") documents = to.content;
      Question q{c.purpose, role, documents, view.at(), givers, child, one};
      Answer a = check(view.file().consents, q);
      if (a.covered()) {
        draft.explanation.push_back(explained(*r, q, a, "fired", role));
        left.push_back(std::move(to));
        continue;
      }
      if (!a.code.empty()) suppress(draft, to.role, a.code, r->id);
      if (a.child_missing) suppress(draft, to.role, "CHILD_CONSENT_MISSING", r->id);
      draft.explanation.push_back(explained(*r, q, a, "suppressed", a.code.empty() ? "CHILD_CONSENT_MISSING" : a.code));
    }
    draft.recipients = std::move(left);
  }
}

/// CORE-AUD-01 and CORE-AUD-02: who never gets it, and who was asked for without being involved.
void audience(const FactView& view, const std::vector<std::string>& implied, Draft& draft) {
  const Profile& profile = view.profile();
  const Message& message = view.message();
  std::vector<std::string> allowed;
  std::vector<std::string> dropped;
  for (const Rule* r : view.rules(Stage::audience)) {
    if (!r->when.holds(view)) continue;
    allowed.insert(allowed.end(), r->then.allow.begin(), r->then.allow.end());
    auto drop = [&](const std::string& role) {
      bool was = std::erase_if(draft.recipients, [&](const Recipient& x) { return base_role(x.role) == role; }) > 0;
      if (!was && !r->then.always && !has(message.addressed_to, role)) return;
      dropped.push_back(role);
      suppress(draft, role, r->then.code, r->id);
      draft.explanation.push_back(explain(*r, view, "audience", "suppressed", r->then.code));
    };
    for (const std::string& name : r->then.drop) {
      if (!name.starts_with('$'))
        drop(name);
      else
        for (const std::string& role : profile.setting_list(name.substr(1), view.file().overrides)) drop(role);
    }
  }
  for (const Recipient& to : draft.recipients)
    for (const std::string& section : to.without) {
      suppress(draft, to.role + ":" + section, "AUDIENCE_FINANCE", to.rules.empty() ? "" : to.rules[0]);
      draft.suppressed.back().role = to.role + ":" + section;
    }
  for (const std::string& role : message.addressed_to) {
    if (has(implied, base_role(role)) || has(allowed, role) || has(dropped, role)) continue;
    suppress(draft, role, "AUDIENCE_NOT_INVOLVED", "CORE-AUD-02");
    draft.explanation.push_back(
        profile.explain("CORE-AUD-02", "audience", "suppressed", "AUDIENCE_NOT_INVOLVED", {{"role", role}}));
  }
}

/// domain.md 14.2: nobody left means blocked, by the strictest consent code where consent is the reason, else by the
/// audience.
void nobody_left(Draft& draft) {
  std::string_view strictest;
  bool child = false, consent = false;
  for (const Suppressed& s : draft.suppressed) {
    if (s.code == "CHILD_CONSENT_MISSING") child = consent = true;
    if (int rank = strictness(s.code); rank < 4) {
      consent = true;
      if (rank < strictness(strictest)) strictest = s.code;
    }
  }
  std::string code(strictest);
  if (consent) {
    if (!code.empty()) add_code(draft, code);
    if (child) add_code(draft, "CHILD_CONSENT_MISSING");
  } else {
    for (const Suppressed& s : draft.suppressed) add_code(draft, s.code);
    if (draft.suppressed.empty()) add_code(draft, "AUDIENCE_NOT_INVOLVED");
  }
}

bool blocked_alone(const FactView& view, const Draft& draft) {
  if (draft.codes.size() != 1) return false;
  for (const Rule* r : view.rules(Stage::gate))
    if (r->then.alone && r->then.block == draft.codes[0]) return true;
  return false;
}

}  // namespace

Draft ConsentDecider::decide(FactView& view, const Facts&, Draft draft) const {
  const Message& message = view.message();
  if (message.type == "zaak_opening") return draft;
  if (message.type == "toestemming") {
    record_consent(message, view.profile(), draft);
    return draft;
  }
  if (message.type == "toestemming_intrekking") {
    withdraw(view, draft);
    return draft;
  }
  if (blocked_alone(view, draft)) return draft;
  std::vector<std::string> implied;
  // Asked for of who was addressed only.
  if (!message.addressed_to.empty())
    for (const Recipient& r : draft.recipients)
      if (r.content.size() != 1 || r.content[0] != "notice") implied.emplace_back(base_role(r.role));
  consents(view, draft);
  audience(view, implied, draft);
  if (std::ranges::any_of(draft.codes,
                          [](const std::string& c) { return strictness(c) < 4 || c == "CHILD_CONSENT_MISSING"; }))
    for (const Rule* r : view.rules(Stage::gate))
      if (r->then.if_consented) std::erase(draft.codes, r->then.block);
  // The recipients of an invoice are its payers, which the invoicing decider finds out after this one. What became of
  // an invoice is told to its parties by signals only.
  bool sends = message.type != "link_geopend" && message.type != "factuur_status" && !is_invoice_type(message.type);
  // A notice tells that documents went to others: alone it tells nothing.
  bool only_notices = std::ranges::all_of(
      draft.recipients, [](const Recipient& r) { return r.content.size() == 1 && r.content[0] == "notice"; });
  if (sends && (draft.recipients.empty() || (only_notices && !draft.suppressed.empty()))) nobody_left(draft);
  if (!draft.codes.empty()) draft.outcome = Outcome::blocked;
  return draft;
}

}  // namespace schakel::consent
