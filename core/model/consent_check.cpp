#include "core/model/consent_check.hpp"

#include <algorithm>
#include <array>

namespace schakel::consent {
namespace {

constexpr std::array<std::string_view, 4> kCodes = {"CONSENT_WITHDRAWN", "CONSENT_EXPIRED", "CONSENT_PARTIAL",
                                                    "CONSENT_MISSING"};

bool names(const std::vector<std::string>& list, std::string_view what) {
  for (const std::string& s : list)
    if ((s.size() == 1 && s[0] == '*') || std::string_view(s) == what) return true;
  return false;
}

enum class State { valid, withdrawn, expired, missing };

State worse(State a, State b) {
  // Of two consents of one giver, the stricter reason is the one that is told.
  auto rank = [](State s) { return s == State::withdrawn ? 0 : s == State::expired ? 1 : s == State::missing ? 2 : 3; };
  return rank(a) <= rank(b) ? a : b;
}

/// Consents for the purpose and the role of a question.
using Relevant = std::vector<const Consent*>;

/// One giver, one document (or the message itself where `doc` is empty).
State of_giver(const Relevant& consents, const Question& q, std::string_view giver, std::string_view doc,
               std::vector<std::string>& used) {
  State found = State::missing;
  for (const Consent* one : consents) {
    const Consent& c = *one;
    if (c.giver != giver) continue;
    if (!doc.empty() && !names(c.doc_types, doc)) continue;
    if (c.withdrawn_at && q.at >= *c.withdrawn_at) {
      found = worse(found, State::withdrawn);
    } else if (q.at < c.valid_from) {
      continue;  // not given yet
    } else if (c.valid_until && q.at >= *c.valid_until) {
      found = worse(found, State::expired);
    } else {
      if (std::ranges::find(used, c.id) == used.end()) used.push_back(c.id);
      return State::valid;
    }
  }
  return found;
}

/// What a giver's consents make of all that is asked. Several may cover the documents between them, and then what
/// became of one of them is why it is no longer so. Where some document never had a consent, only one for the whole of
/// it can have been withdrawn or have ended: one for a part says nothing of the whole.
State of_giver(const Relevant& consents, const Question& q, std::string_view giver, std::vector<std::string>& used) {
  if (q.doc_types.empty()) return of_giver(consents, q, giver, {}, used);
  State between = State::valid;
  bool gap = false;
  for (const std::string& doc : q.doc_types) {
    State one = of_giver(consents, q, giver, doc, used);
    gap = gap || one == State::missing;
    between = worse(between, one);
  }
  if (between == State::valid) return State::valid;
  Relevant whole;
  for (const Consent* c : consents)
    if (std::ranges::all_of(q.doc_types, [&](const std::string& doc) { return names(c->doc_types, doc); }))
      whole.push_back(c);
  State as_whole = of_giver(whole, q, giver, {}, used);
  return as_whole == State::missing && !gap ? between : as_whole;
}

}  // namespace

int strictness(std::string_view code) {
  for (std::size_t i = 0; i < kCodes.size(); ++i)
    if (kCodes[i] == code) return static_cast<int>(i);
  return static_cast<int>(kCodes.size());
}

Answer check(std::span<const Consent> consents, const Question& q) {
  Answer a;
  Relevant relevant;
  relevant.reserve(consents.size());
  for (const Consent& c : consents)
    if (c.purpose == q.purpose && names(c.roles, q.role)) relevant.push_back(&c);
  std::size_t valid = 0;
  bool withdrawn = false, expired = false;
  for (const std::string& giver : q.custody) switch (of_giver(relevant, q, giver, a.used)) {
      case State::valid:
        ++valid;
        break;
      case State::withdrawn:
        withdrawn = true;
        break;
      case State::expired:
        expired = true;
        break;
      case State::missing:
        break;
    }
  // Nobody with custody known: nobody can have consented (CORE-CONSENT-01, deny by default). Where one is enough, what
  // another withdrew does not count: taking a consent out of a case must never add a recipient.
  if (q.one_suffices && valid > 0)
    a.code = {};
  else if (withdrawn)
    a.code = kCodes[0];
  else if (expired)
    a.code = kCodes[1];
  else if (valid > 0 && valid < q.custody.size())
    a.code = kCodes[2];
  else if (valid == 0)
    a.code = kCodes[3];
  if (q.child_needed) a.child_missing = of_giver(relevant, q, "leerling", a.used) != State::valid;
  return a;
}

namespace {
/// Below this age parents consent, whatever a tenant or a case says (child_only_age, Q-07).
constexpr std::int64_t kYoungestAlone = 16;

bool has_age(const FactView& view, std::int64_t from) {
  FactValue age = view.get(KnownFact::derived_age_years);
  return age.kind == FactValue::Kind::integer && age.number >= from;
}
}  // namespace

std::vector<std::string> custody(const FactView& view) {
  std::int64_t alone = view.profile().setting_int("child_only_age", view.file().overrides, 0);
  if (alone > 0 && has_age(view, std::max(alone, kYoungestAlone))) return {"leerling"};
  if (view.text(KnownFact::case_measure) == "voogdij") {
    std::string_view end = view.text(KnownFact::case_voogdij_end);
    // Rules and facts of before this fact know one end for every measure.
    if (end.empty()) end = view.text("case.ots_end");
    if (end.empty() || view.today() <= end) return {"voogd"};
  }
  std::vector<std::string> out;
  if (FactValue v = view.get(KnownFact::case_custody); v.kind == FactValue::Kind::list) {
    out.reserve(v.json->size());
    for (const Json& giver : *v.json)
      if (giver.is_string()) out.push_back(giver.get<std::string>());
  }
  return out;
}

bool child_needed(const FactView& view) {
  return has_age(view, view.profile().setting_int("child_consent_age", view.file().overrides, 12));
}

bool one_suffices(const FactView& view) {
  return view.profile().setting_view("consent_quorum", view.file().overrides) == "one";
}

std::vector<std::string_view> purposes_of_delivery(const Profile& profile, std::string_view type,
                                                   std::string_view role) {
  std::vector<std::string_view> out;
  for (const Rule* r : profile.rules(Stage::consent, type)) {
    const ConsentOutcome& c = *r->then.consent;
    bool concerned = (c.roles.empty() || std::ranges::find(c.roles, role) != c.roles.end()) &&
                     std::ranges::find(c.except, role) == c.except.end();
    if (concerned && std::ranges::find(out, c.purpose) == out.end()) out.emplace_back(c.purpose);
  }
  if (out.empty()) out.emplace_back("documents");
  return out;
}

const Recipient* link_of(const PastMessage& message, std::string_view role) {
  if (message.outcome != Outcome::delivered) return nullptr;
  auto it = std::ranges::find_if(message.recipients,
                                 [&](const Recipient& r) { return r.channel == "secure_link" && r.role == role; });
  return it == message.recipients.end() ? nullptr : &*it;
}

Answer check_delivery(const FactView& view, std::span<const Consent> consents, std::string_view type,
                      std::string_view role, std::span<const std::string> documents) {
  std::vector<std::string> givers = custody(view);
  bool child = child_needed(view), one = one_suffices(view);
  Answer answer;
  for (std::string_view purpose : purposes_of_delivery(view.profile(), type, role)) {
    answer = check(consents, {purpose, role, documents, view.at(), givers, child, one});
    if (!answer.covered()) break;
  }
  if (answer.code.empty() && answer.child_missing) answer.code = "CHILD_CONSENT_MISSING";
  return answer;
}

}  // namespace schakel::consent
