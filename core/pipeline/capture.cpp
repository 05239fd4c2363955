#include "core/pipeline/capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/base/calendar.hpp"
#include "core/base/hash.hpp"
#include "core/model/invoice_types.hpp"
#include "core/pipeline/provider.hpp"

namespace schakel::scenario {
namespace {

bool cap_is_date(std::string_view s) { return Date::parse(s).has_value() || parse_instant(s).has_value(); }

/// Words of the domain that stand in code instead of in rule data: who has custody, states of documents, kinds of
/// schools, how a funding line is shared and what VAT it bears.
constexpr std::array<std::string_view, 32> kCapDomain = {"*",
                                                         "ouder_1",
                                                         "ouder_2",
                                                         "ouders",
                                                         "voogd",
                                                         "leerling",
                                                         "concept",
                                                         "compleet",
                                                         "ondertekend",
                                                         "vastgesteld",
                                                         "aanwezig",
                                                         "OT",
                                                         "MDO",
                                                         "CTO",
                                                         "OZO",
                                                         "PO",
                                                         "SBO",
                                                         "SO",
                                                         "VO",
                                                         "VSO",
                                                         "MBO",
                                                         "50/50",
                                                         "O",
                                                         "E",
                                                         "S",
                                                         "delivery",
                                                         "delivered",
                                                         "recorded",
                                                         "blocked",
                                                         "held",
                                                         "dropped_duplicate",
                                                         "quarantined"};
constexpr std::size_t kCapDifference = 600;
bool cap_domain_word(std::string_view s) { return std::ranges::find(kCapDomain, s) != kCapDomain.end(); }

bool cap_is_month(std::string_view s) { return s.size() == 7 && Date::parse(std::string(s) + "-01").has_value(); }
/// A VAT rate: nobody is known by it, and the split hangs on it.
bool cap_is_rate(std::string_view s) { return s.size() <= 5 && s.find_first_not_of("0123456789.") == s.npos; }

/// Kinds of meetings are written in any case and compared in lower case.
std::string cap_lower(std::string s) {
  for (char& c : s)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return s;
}

class CapReplacer {
 public:
  CapReplacer(const std::set<std::string, std::less<>>& words, std::string born, std::string other_birth)
      : words_(words), born_(std::move(born)), other_birth_(std::move(other_birth)) {}

  /// `key` says what kind of text it is.
  std::string text(const std::string& s, std::string_view key) {
    if (s.empty() || words_.contains(s) || also_.contains(s) || cap_domain_word(s) || words_.contains(cap_lower(s)))
      return s;
    if (!born_.empty() && s == born_) return other_birth_;
    if (cap_is_date(s) || cap_is_month(s) || (key == "percent" && cap_is_rate(s))) return s;
    if (auto cut = s.find_first_of(":@");
        cut != std::string::npos && cut > 0 && words_.contains(s.substr(0, cut)) && cut + 1 < s.size()) {
      auto rest = s.substr(cut + 1);
      // zorgaanbieder:C is how scenarios write an unnamed provider.
      if (s[cut] == ':' && rest.size() == 1 && rest[0] >= 'A' && rest[0] <= 'Z') return s;
      return s.substr(0, cut + 1) + text(rest, s[cut] == '@' ? "gemeente" : "provider");
    }
    if (auto it = made_.find(s); it != made_.end()) return it->second;
    if (auto number = derived(s); !number.empty()) return number;
    return made_.emplace(s, fresh(key)).first->second;
  }
  Json value(const Json& v, std::string_view key = {}) {
    if (v.is_string()) return text(v.get<std::string>(), key);
    if (v.is_array()) {
      Json out = Json::array();
      for (const Json& e : v) out.push_back(value(e, key));
      return out;
    }
    if (v.is_object()) {
      Json out = Json::object();
      for (const auto& [k, e] : v.items()) out[text(k, "key")] = value(e, k);
      return out;
    }
    return v;
  }
  /// Words that may stay from here on.
  void keep(const Json& j) { collect_words(j, also_); }
  [[nodiscard]] int replaced() const { return static_cast<int>(made_.size()); }

 private:
  /// A number that the broker made of one that was replaced (DB-<number>-G, <number>-2), made of the other one; else
  /// empty. What stands around it is the broker's own: nothing of the case is left in it.
  [[nodiscard]] std::string derived(std::string_view s) const {
    std::string_view before;
    for (std::string_view prefix : {"CN-", "DB-", "FG-"})
      if (s.starts_with(prefix)) before = prefix;
    for (auto end = s.size(); end > before.size(); end = s.rfind('-', end - 1)) {
      if (end == std::string_view::npos) break;
      auto after = s.substr(end);
      bool ours = after.size() <= 7 && std::ranges::all_of(after, [](char c) {
                    return c == '-' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
                  });
      if (!ours) break;
      auto it = made_.find(s.substr(before.size(), end - before.size()));
      if (it != made_.end() && it->second.starts_with("F-"))
        return std::string(before) + it->second + std::string(after);
    }
    return {};
  }
  std::string fresh(std::string_view key) {
    auto has = [&](std::string_view part) { return key.find(part) != std::string_view::npos; };
    std::string_view kind = has("school")                                       ? "School"
                            : has("gemeente")                                   ? "Gemeente"
                            : has("provider") || has("creditor")                ? "Aanbieder"
                            : has("number") || has("credits") || has("invoice") ? "F"
                            : has("name") || has("person") || has("contact")    ? "Persoon"
                            : has("id") || has("consent")                       ? "id"
                                                                                : "Tekst";
    int n = ++count_[std::string(kind)];
    if (kind == "F") return fmt::format("F-{}", 1000 + n);
    if (kind == "id") return fmt::format("id-{}", n);
    return fmt::format("{} {}", kind, n <= 26 ? std::string(1, static_cast<char>('A' + n - 1)) : std::to_string(n));
  }
  const std::set<std::string, std::less<>>& words_;
  std::set<std::string, std::less<>> also_;
  std::string born_, other_birth_;
  std::map<std::string, std::string, std::less<>> made_;
  std::map<std::string, int> count_;
};

struct CapTry {
  Json file;
  std::vector<Difference> differences;
  int replaced = 0;
};

Json cap_given(const Json& opening, CapReplacer& fiction, const std::string& id) {
  Json given{{"timezone", "Europe/Amsterdam"}, {"pupil", Json::object()}, {"meeting", nullptr}};
  for (const char* key : {"birth_date", "school", "school_type", "woongemeente", "enrolled"})
    if (auto p = opening.find("pupil"); p != opening.end() && p->contains(key))
      given["pupil"][key] = fiction.value((*p)[key], key);
  given["pupil"]["name"] = "Leerling A";
  given["pupil"]["bsn"] = fictional_bsn(id);
  for (const char* key : {"case", "profile_overrides"})
    given[key] = opening.contains(key) ? fiction.value(opening[key], key) : Json::object();
  for (const char* key : {"consents", "documents"})
    given[key] = opening.contains(key) ? fiction.value(opening[key], key) : Json::array();
  if (opening.contains("meeting")) given["meeting"] = fiction.value(opening["meeting"], "meeting");
  return given;
}

/// What a scenario calls the parties of which a decision asked whether they are a provider: the name it is called by,
/// else a name that is nobody's.
std::map<std::string, std::string> cap_providers(const std::vector<const CapturedDecision*>& rest) {
  std::map<std::string, std::string> out;
  for (const CapturedDecision* d : rest)
    for (const auto& [key, value] : d->registers) {
      auto asked = pipeline::provider_key_of(key);
      if (!asked) continue;
      std::string party(asked->party);
      out.try_emplace(party, party);
      if (value == true) out[party] = asked->role.substr(asked->role.find(':') + 1);
    }
  return out;
}

/// One attempt, with this date of birth.
Result<CapTry> cap_play(const std::vector<const Decider*>& deciders, std::shared_ptr<const Profile> profile,
                        const CapturedDecision& opening, const std::vector<const CapturedDecision*>& rest,
                        const std::set<std::string, std::less<>>& words, const std::string& id, const std::string& born,
                        const std::string& other_birth) {
  CapReplacer fiction(words, born, other_birth);
  CapTry out;
  Json file{{"schema", "oza-scenario/1"},
            {"id", id},
            {"region", profile->region()},
            {"title", "Captured from a case; names, numbers and texts are fictional"},
            {"messages_in", Json::array()}};
  file["given"] = cap_given(opening.message.payload, fiction, id);
  const auto providers = cap_providers(rest);
  std::map<std::string, int> numbers;
  for (std::size_t i = 0; i < rest.size(); ++i) numbers[rest[i]->message.id] = static_cast<int>(i + 1);
  CaseFile after;
  apply(after, opening.message, opening.draft);
  std::vector<Draft> recorded;
  std::set<std::string> rules;
  for (const CapturedDecision* d : rest) {
    const Message& m = d->message;
    Json payload = m.payload;
    std::optional<int> delivery;
    if (auto it = payload.find("delivery"); it != payload.end() && it->is_string())
      if (auto n = numbers.find(it->get<std::string>()); n != numbers.end()) {
        delivery = n->second;
        payload.erase("delivery");
      }
    payload = fiction.value(payload);
    if (delivery) payload["delivery_seq"] = *delivery;
    Json row{{"seq", recorded.size() + 1},
             {"at", format_amsterdam(m.time)},
             {"type", m.type},
             {"from", fiction.text(m.sender_role, "provider")},
             {"payload", payload}};
    if (auto sender = providers.find(m.party); sender != providers.end() && is_invoice_type(m.type))
      row["party"] = fiction.text(sender->second, "provider");
    if (!m.addressed_to.empty()) row["addressed_to"] = fiction.value(Json(m.addressed_to), "provider");
    // Status and version decide (KNH-DOC-04): a name in the payload would say less.
    for (const Attachment& a : m.attachments) {
      Json carried{{"doc_type", fiction.text(a.doc_type, "doc_type")}, {"version", a.version}};
      if (!a.status.empty()) carried["status"] = fiction.text(a.status, "status");
      row["attachments"].push_back(std::move(carried));
    }
    file["messages_in"].push_back(std::move(row));
    recorded.push_back(d->draft);
    apply(after, m, d->draft);
    for (const Explanation& e : d->draft.explanation)
      if (e.result != "near") rules.insert(e.rule.str());
  }
  file["rules"] = rules;
  file["expect"] = {{"outcomes", Json::array()}};
  for (const char* part :
       {"recipients", "not_recipients", "blocked_because", "signals", "filing", "deadlines", "invoices"})
    file["expect"][part] = Json::array();
  file["expect"]["escalation"] = nullptr;
  auto scenario = read(dump_json(file));
  if (!scenario) return fail(scenario.error());
  PurePlayer player(deciders, profile);
  auto played = run(*scenario, player);
  if (played.error) return fail(*played.error);
  // What was decided, in the words of the scenario, against what the scenario decides.
  Scenario shape = *scenario;
  shape.messages.clear();
  for (const CapturedDecision* d : rest) shape.messages.push_back(d->message);
  out.replaced = fiction.replaced();
  // The frame of an outcome, and what was fictional already, is the same on both sides.
  fiction.keep(played.got);
  out.differences = compare(fiction.value(outcome_of(shape, recorded, after)), played.got);
  file["expect"] = played.got;
  out.file = std::move(file);
  return out;
}

}  // namespace

void collect_words(const Json& j, std::set<std::string, std::less<>>& words) {
  if (j.is_string()) {
    const auto& text = j.get_ref<const std::string&>();
    words.insert(text);
    // document.opp.status, case.custody: kinds of documents and names of facts stand inside these.
    if (text.find(' ') == std::string::npos) {
      std::size_t at = 0;
      for (std::size_t dot; (dot = text.find('.', at)) != std::string::npos; at = dot + 1)
        words.insert(text.substr(at, dot - at));
      if (at > 0) words.insert(text.substr(at));
    }
  }
  if (j.is_object())
    for (const auto& [key, value] : j.items()) {
      words.insert(key);
      collect_words(value, words);
    }
  if (j.is_array())
    for (const Json& e : j) collect_words(e, words);
}

std::string fictional_bsn(std::string_view seed) {
  auto hash = sha256(seed);
  unsigned n = static_cast<unsigned>(hash[0]) << 8 | hash[1];
  for (;; ++n) {
    std::string digits = fmt::format("9999{:04}", n % 10000);
    int sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += (digits[i] - '0') * static_cast<int>(9 - i);
    if (sum % 11 < 10) return digits + static_cast<char>('0' + sum % 11);
  }
}

Result<Capture> capture(const std::vector<const Decider*>& deciders, std::shared_ptr<const Profile> profile,
                        const std::vector<CapturedDecision>& decisions,
                        const std::set<std::string, std::less<>>& words) {
  if (decisions.empty() || decisions[0].message.type != "zaak_opening" ||
      decisions[0].draft.outcome != Outcome::recorded)
    return fail(ErrorKind::invalid, "CAPTURE_NO_OPENING", "a scenario begins with the opening of its case");
  Capture out;
  std::vector<const CapturedDecision*> rest;
  for (std::size_t i = 1; i < decisions.size(); ++i) {
    // Reports and timers of the broker itself: a scenario has what people and systems send, also through our pages.
    if (decisions[i].message.party == "schakel" && decisions[i].message.sender_role == "broker")
      ++out.dropped;
    else
      rest.push_back(&decisions[i]);
  }
  if (rest.empty()) return fail(ErrorKind::invalid, "CAPTURE_EMPTY", "there is no message in this case");
  const auto& payload = decisions[0].message.payload;
  std::string born = payload.contains("pupil") ? payload["pupil"].value("birth_date", "") : "";
  std::string id = "captured-" + sha256_hex(decisions[0].message.subject).substr(0, 12);
  std::vector<std::string> births;
  if (auto date = Date::parse(born))
    for (int days : {17, -13, 8, -6, 3, -2, 1, -1}) births.push_back(add_days(*date, days).str());
  births.push_back(born);
  Error last;
  for (const auto& birth : births) {
    auto tried = cap_play(deciders, profile, decisions[0], rest, words, id, born, birth);
    if (!tried) return fail(std::move(tried.error()));
    if (tried->differences.empty()) {
      out.scenario = std::move(tried->file);
      out.replaced = tried->replaced;
      out.birth_date_kept = !born.empty() && birth == born;
      return out;
    }
    last = {ErrorKind::conflict, "CAPTURE_DIFFERS", "played alone, the case is not decided as it was", {}};
    // In the words of the scenario: nobody's. A long row is cut.
    for (const auto& d : tried->differences) {
      auto text = d.text();
      if (text.size() > kCapDifference) text = text.substr(0, kCapDifference) + " ...";
      last.findings.push_back({fmt::format("/expect/{}", d.part), "DIFFERS", std::move(text), ""});
    }
  }
  return fail(std::move(last));
}

}  // namespace schakel::scenario
