#include "core/pipeline/redecide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/calendar.hpp"
#include "core/model/ledger.hpp"

namespace schakel::replay {

Draft redecide(std::span<const Decider* const> deciders, const Known& known, const Profile& profile) {
  return decide(deciders, known.file, known.message, profile, known.registers);
}

bool identical(const Draft& a, const Draft& b) { return a == b && dump_json(Json(a)) == dump_json(Json(b)); }

std::string_view to_string(Flip::Kind kind) {
  switch (kind) {
    case Flip::Kind::outcome:
      return "outcome";
    case Flip::Kind::reason:
      return "reason";
    case Flip::Kind::recipient:
      return "recipient";
    case Flip::Kind::invoice:
      return "invoice";
    case Flip::Kind::deadline:
      return "deadline";
    case Flip::Kind::signal:
      return "signal";
    case Flip::Kind::suppressed:
      return "suppressed";
    case Flip::Kind::fact:
      return "fact";
    case Flip::Kind::filing:
      return "filing";
    case Flip::Kind::escalation:
      return "escalation";
    case Flip::Kind::link:
      return "link";
  }
  return "";
}

namespace {

std::string rule_of_code(const Draft& d, std::string_view code) {
  for (const Explanation& e : d.explanation)
    if (e.code == code && (e.result == "blocked" || e.result == "suppressed")) return e.rule;
  for (const Suppressed& s : d.suppressed)
    if (s.code == code) return s.rule;
  return {};
}

std::string verdict(const Draft& d) {
  return d.codes.empty() ? std::string(schakel::to_string(d.outcome))
                         : fmt::format("{} {}", schakel::to_string(d.outcome), fmt::join(d.codes, ", "));
}

/// The rule behind a role that one decision has and the other has not.
std::string rule_of_role(const Draft& with, const Draft& without, const Recipient& r) {
  for (const Suppressed& s : without.suppressed)
    if (r.role.starts_with(s.role)) return s.rule;
  if (!without.codes.empty())
    if (auto rule = rule_of_code(without, without.codes[0]); !rule.empty()) return rule;
  (void)with;
  return r.rules.empty() ? std::string() : r.rules[0];
}

std::string what(const Recipient& r) {
  return fmt::format("{} via {}", r.content.empty() ? "message" : fmt::format("{}", fmt::join(r.content, "+")),
                     r.channel);
}

void recipient_flips(const Draft& before, const Draft& after, std::vector<Flip>& out) {
  auto find = [](const Draft& d, const std::string& role) {
    return std::ranges::find(d.recipients, role, &Recipient::role);
  };
  for (const Recipient& r : before.recipients) {
    auto it = find(after, r.role);
    if (it == after.recipients.end())
      out.push_back({Flip::Kind::recipient, rule_of_role(before, after, r), r.role, what(r), "nothing"});
    else if (it->content != r.content || it->channel != r.channel || it->without != r.without)
      out.push_back({Flip::Kind::recipient, it->rules.empty() ? "" : it->rules[0], r.role, what(r), what(*it)});
  }
  for (const Recipient& r : after.recipients)
    if (find(before, r.role) == before.recipients.end())
      out.push_back({Flip::Kind::recipient, rule_of_role(after, before, r), r.role, "nothing", what(r)});
}

std::string money_rule(const Draft& d) {
  for (const Explanation& e : d.explanation)
    if (e.stage == "invoicing") return e.rule;
  return {};
}

/// The rule of a stage that acted in one decision alone; where there is none, one that acted in the later.
std::string rule_of_stage(const Draft& before, const Draft& after, std::string_view stage) {
  auto acted = [&](const Draft& d, const Explanation& e) {
    return std::ranges::any_of(d.explanation, [&](const Explanation& o) {
      return o.stage == stage && o.result != "near" && o.rule == e.rule && o.quote == e.quote;
    });
  };
  for (const auto& [d, other] : {std::pair(&after, &before), std::pair(&before, &after)})
    for (const Explanation& e : d->explanation)
      if (e.stage == stage && e.result != "near" && !acted(*other, e)) return e.rule;
  for (const Draft* d : {&after, &before})
    for (const Explanation& e : d->explanation)
      if (e.stage == stage && e.result != "near") return e.rule;
  return {};
}

/// A value in a few words: what is in a list or an object is for explain to tell.
std::string short_value(const Json& v) {
  if (v.is_null()) return "nothing";
  if (v.is_string()) return v.get<std::string>();
  if (v.is_array()) return fmt::format("a list of {}", v.size());
  if (v.is_object()) return v.contains("status") ? short_value(v["status"]) : fmt::format("{} fields", v.size());
  return v.dump();
}

/// Two sets of things by name: each that only one has, or that differs, is told.
using Told = std::map<std::string, std::string>;
void told_flips(Flip::Kind kind, const std::string& rule, const Told& before, const Told& after, const char* none,
                std::vector<Flip>& out) {
  for (const auto& [target, text] : before)
    if (auto it = after.find(target); it == after.end() || it->second != text)
      out.push_back({kind, rule, target, text, it == after.end() ? none : it->second});
  for (const auto& [target, text] : after)
    if (!before.contains(target)) out.push_back({kind, rule, target, none, text});
}

void suppressed_flips(const Draft& before, const Draft& after, std::vector<Flip>& out) {
  // A message that is stopped leaves out everybody: that is its outcome.
  if (before.outcome != after.outcome || before.suppressed == after.suppressed) return;
  auto left_out = [](const Draft& d, const std::string& role) {
    std::string codes;
    for (const Suppressed& s : d.suppressed)
      if (s.role == role) codes += (codes.empty() ? "" : ", ") + s.code;
    return codes.empty() ? "not left out" : codes;
  };
  std::set<std::string> roles;
  for (const Draft* d : {&before, &after})
    for (const Suppressed& s : d->suppressed) {
      // Who gets it in one of the two is told as a recipient.
      bool known = std::ranges::any_of(
          out, [&](const Flip& f) { return f.kind == Flip::Kind::recipient && f.target.starts_with(s.role); });
      if (known || !roles.insert(s.role).second) continue;
      auto was = left_out(before, s.role), is = left_out(after, s.role);
      if (was == is) continue;
      auto rule = std::ranges::find(after.suppressed, s.role, &Suppressed::role);
      out.push_back({Flip::Kind::suppressed, rule == after.suppressed.end() ? s.rule : rule->rule, s.role, was, is});
    }
}

/// What the decision makes true in the case. The fold over these is the case file, so a fact that flips reaches every
/// later message.
void fact_flips(const Draft& before, const Draft& after, std::vector<Flip>& out) {
  if (before.effects == after.effects) return;
  struct Side {
    std::map<std::string, Json> facts, rest;
    Told escalation;
  };
  auto side = [](const Draft& d) {
    Side s;
    for (const Effect& e : d.effects) {
      if (e.what == "fact")
        s.facts["case." + e.key] = e.value;
      else if (e.what == "document")
        s.facts[fmt::format("document.{}.status", e.key)] = e.value;
      else if (e.what == "invoice_dispute")
        s.facts["case.dispute"] = e.value;
      else if (e.what == "escalation" && e.value.is_object())
        s.escalation[e.value.value("body", "")] = e.value.value("outcome", "");
      else
        s.rest[e.what + " " + e.key] = e.value;
    }
    return s;
  };
  const Side was = side(before), is = side(after);
  const bool alone = out.empty();
  auto compare = [&](const std::map<std::string, Json>& a, const std::map<std::string, Json>& b, auto&& words) {
    Told from, to;
    for (const auto& [name, value] : a) from[words(name)] = short_value(value);
    for (const auto& [name, value] : b) {
      auto& text = to[words(name)] = short_value(value);
      if (auto it = a.find(name); it != a.end() && it->second != value && short_value(it->second) == text)
        text += ", other content";
    }
    told_flips(Flip::Kind::fact, rule_of_stage(before, after, "facts"), from, to, "not stated", out);
  };
  compare(was.facts, is.facts, [](const std::string& name) { return name; });
  told_flips(Flip::Kind::escalation, rule_of_stage(before, after, "escalation"), was.escalation, is.escalation,
             "nothing", out);
  // Consents, meetings and the books of invoices follow from outcome, invoices and deadlines: told by themselves only
  // where nothing else flips.
  if (alone && out.empty())
    compare(was.rest, is.rest, [](const std::string& name) { return name.substr(0, name.find(' ')); });
}

void filing_flips(const Draft& before, const Draft& after, std::vector<Flip>& out) {
  if (before.filings == after.filings) return;
  auto filed = [](const Draft& d) {
    Told t;
    for (const Filing& f : d.filings) {
      auto& text = t[f.by];
      text += fmt::format("{}{} in {}", text.empty() ? "" : ", ", f.operation, f.system);
      if (!f.doc_types.empty()) text += fmt::format(" ({})", fmt::join(f.doc_types, "+"));
    }
    return t;
  };
  told_flips(Flip::Kind::filing, rule_of_stage(before, after, "filing"), filed(before), filed(after), "nothing", out);
}

void link_flips(const Draft& before, const Draft& after, std::vector<Flip>& out) {
  if (before.revoked_links == after.revoked_links) return;
  auto ended = [](const Draft& d) {
    std::map<std::string, int> n;
    for (const auto& link : d.revoked_links) ++n[link.substr(link.find('/') + 1)];
    Told t;
    for (const auto& [role, count] : n) t[role] = fmt::format("{} ended", count);
    return t;
  };
  told_flips(Flip::Kind::link, rule_of_stage(before, after, "consent"), ended(before), ended(after), "none ended", out);
}

/// All but the explanation, which tells why and not what. Most decisions stay what they were: this is what plan does
/// for a million of them.
bool same_result(const Draft& a, const Draft& b) {
  return a.outcome == b.outcome && a.codes == b.codes && a.for_role == b.for_role && a.recipients == b.recipients &&
         a.suppressed == b.suppressed && a.signals == b.signals && a.deadlines == b.deadlines &&
         a.filings == b.filings && a.invoices == b.invoices && a.revoked_links == b.revoked_links &&
         a.effects == b.effects;
}

}  // namespace

std::vector<Flip> flips(const Draft& before, const Draft& after) {
  std::vector<Flip> out;
  if (same_result(before, after)) return out;
  auto changed_code = [](const Draft& in, const Draft& other) -> std::string {
    for (const auto& code : in.codes)
      if (std::ranges::find(other.codes, code) == other.codes.end())
        if (auto rule = rule_of_code(in, code); !rule.empty()) return rule;
    return {};
  };
  if (before.outcome != after.outcome || before.codes != after.codes) {
    auto rule = changed_code(after, before);
    if (rule.empty()) rule = changed_code(before, after);
    // A code may come from a rule that is explained under another of its codes.
    if (rule.empty())
      for (const Explanation& e : after.explanation)
        if (rule.empty() && (e.result == "blocked" || e.result == "suppressed")) rule = e.rule;
    out.push_back({before.outcome != after.outcome ? Flip::Kind::outcome : Flip::Kind::reason, rule, "",
                   verdict(before), verdict(after)});
  }
  recipient_flips(before, after, out);
  auto invoices = [](const Draft& d) {
    std::map<std::string, std::string> m;
    for (const auto& i : d.invoices)
      m[i.payer + "|" + i.number] = fmt::format("{} {} {}", i.kind, i.amount_cents, i.status);
    return m;
  };
  auto in = invoices(before), out_invoices = invoices(after);
  for (const auto& [key, text] : in)
    if (auto it = out_invoices.find(key); it == out_invoices.end() || it->second != text)
      out.push_back({Flip::Kind::invoice, money_rule(after).empty() ? money_rule(before) : money_rule(after),
                     key.substr(0, key.find('|')), text, it == out_invoices.end() ? "nothing" : it->second});
  for (const auto& [key, text] : out_invoices)
    if (!in.contains(key))
      out.push_back({Flip::Kind::invoice, money_rule(after), key.substr(0, key.find('|')), "nothing", text});
  auto dated = [](const Deadline& d) { return d.state == "set" ? d.date : fmt::format("{} {}", d.date, d.state); };
  for (const Deadline& d : before.deadlines) {
    auto it = std::ranges::find(after.deadlines, d.name, &Deadline::name);
    if (it == after.deadlines.end())
      out.push_back({Flip::Kind::deadline, d.rule, d.responsible, d.name + " " + dated(d), "nothing"});
    else if (dated(*it) != dated(d))
      out.push_back(
          {Flip::Kind::deadline, it->rule, it->responsible, d.name + " " + dated(d), d.name + " " + dated(*it)});
  }
  for (const Deadline& d : after.deadlines)
    if (std::ranges::find(before.deadlines, d.name, &Deadline::name) == before.deadlines.end())
      out.push_back({Flip::Kind::deadline, d.rule, d.responsible, "nothing", d.name + " " + dated(d)});
  for (const Signal& s : before.signals)
    if (std::ranges::find(after.signals, s) == after.signals.end())
      out.push_back({Flip::Kind::signal, s.rule, s.to, s.code, "nothing"});
  for (const Signal& s : after.signals)
    if (std::ranges::find(before.signals, s) == before.signals.end())
      out.push_back({Flip::Kind::signal, s.rule, s.to, "nothing", s.code});
  suppressed_flips(before, after, out);
  filing_flips(before, after, out);
  link_flips(before, after, out);
  fact_flips(before, after, out);
  return out;
}

bool in_flight(const CaseFile& file, Instant at, std::int64_t quiet_days) {
  if (file.messages.empty()) return true;
  // Nothing but a message changes how a deadline stands, and some are met by none: one that is long past is waited for
  // no longer.
  auto gone_by = add_days(local_date(at), -static_cast<int>(std::clamp<std::int64_t>(quiet_days, 0, 36'500))).str();
  if (std::ranges::any_of(file.deadlines, [&](const Deadline& d) { return d.state == "set" && d.date > gone_by; }))
    return true;
  if (file.escalation && !file.escalation->closed) return true;
  for (const char* fact : {"dispute", "ratification_pending"})
    if (auto it = file.facts.find(fact); it != file.facts.end() && *it == Json(true)) return true;
  auto ledger = ledger_of(file.invoices);
  if (ledger.dispute.value_or(false) ||
      std::ranges::any_of(ledger.entries, [](const LedgerEntry& e) { return e.held; }))
    return true;
  return at - file.messages.back().at < std::chrono::hours(24) * quiet_days;
}

}  // namespace schakel::replay
