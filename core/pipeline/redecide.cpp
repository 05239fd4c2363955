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

}  // namespace

std::vector<Flip> flips(const Draft& before, const Draft& after) {
  std::vector<Flip> out;
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
