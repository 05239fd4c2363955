#include "core/pipeline/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/calendar.hpp"
#include "core/pipeline/provider.hpp"

namespace schakel::scenario {
namespace {

Json sorted(Json list) {
  if (list.is_array()) std::sort(list.begin(), list.end());
  return list;
}

Json recipients_of(std::int64_t seq, const Draft& d) {
  // One row for all roles with the same content and channel, as scenario files have it.
  Json rows = Json::array();
  for (const Recipient& r : d.recipients) {
    auto it = std::ranges::find_if(
        rows, [&](const Json& row) { return row["content"] == Json(r.content) && row["channel"] == r.channel; });
    if (it == rows.end()) {
      rows.push_back({{"message_seq", seq}, {"to", {r.role}}, {"content", r.content}, {"channel", r.channel}});
    } else {
      (*it)["to"].push_back(r.role);
    }
  }
  return rows;
}

Json invoice_row(std::int64_t seq, const InvoiceOut& i) {
  Json row = {{"message_seq", seq},
              {"number", i.number},
              {"kind", i.kind},
              {"payer", i.payer},
              {"payee", i.payee},
              {"address", i.address},
              {"amount_cents", i.amount_cents},
              {"status", i.status}};
  // What releases a held invoice is the message whose decision carries it.
  if (i.released_by != 0) row["released_by_seq"] = seq;
  if (i.vat_cents) row["vat_cents"] = *i.vat_cents;
  if (i.net_cents) row["net_cents"] = *i.net_cents;
  if (i.minutes) row["minutes"] = *i.minutes;
  if (!i.split.is_null()) row["split"] = i.split;
  return row;
}

Json escalation_of(const CaseFile& file) {
  if (!file.escalation) return nullptr;
  const EscalationState& e = *file.escalation;
  Json out = {{"body", e.body}, {"started", format_amsterdam(e.started)}, {"outcome", e.outcome}};
  if (!e.members.empty()) out["members"] = e.members;
  if (!e.ground.empty()) out["ground"] = e.ground;
  if (!e.rmc_region.empty()) out["rmc_region"] = e.rmc_region;
  if (e.closed) out["closed"] = format_amsterdam(*e.closed);
  for (const auto& [key, value] : e.more.items()) out[key] = value;
  return out;
}

/// A row without the order of its lists; of recipients one row per role, so that grouping does not count either.
std::vector<Json> canonical(const std::string& part, const Json& list) {
  std::vector<Json> out;
  for (const Json& row : list) {
    Json r = row;
    if (!r.is_object()) {
      out.push_back(std::move(r));
      continue;
    }
    if (part == "recipients" && r.contains("to") && r["to"].is_array()) {
      if (r.contains("content")) r["content"] = sorted(r["content"]);
      Json roles = r["to"];
      for (const Json& role : roles) {
        r["to"] = role;
        out.push_back(r);
      }
      continue;
    }
    for (auto& [key, value] : r.items())
      if (key != "codes") value = sorted(value);
    out.push_back(std::move(r));
  }
  std::ranges::sort(out);
  return out;
}

std::int64_t seq_of(const Json& row) {
  auto it = row.is_object() ? row.find("message_seq") : row.end();
  return row.is_object() && it != row.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

void compare_lists(const std::string& part, const Json& expect, const Json& got, std::vector<Difference>& out) {
  std::vector<Json> wanted = canonical(part, expect), found = canonical(part, got), missing, extra;
  std::ranges::set_difference(wanted, found, std::back_inserter(missing));
  std::ranges::set_difference(found, wanted, std::back_inserter(extra));
  // What is there in another form stands beside what was expected of the same message.
  for (Json& m : missing) {
    auto same = [&](const Json& e) {
      if (seq_of(e) != seq_of(m)) return false;
      for (const char* key : {"name", "number", "role", "to"})
        if (m.contains(key) && e.contains(key) && m[key] == e[key]) return true;
      return part == "outcomes" || part == "blocked_because";
    };
    auto it = std::ranges::find_if(extra, same);
    Difference d{part, seq_of(m), std::move(m), nullptr};
    if (it != extra.end()) {
      d.got = std::move(*it);
      extra.erase(it);
    }
    out.push_back(std::move(d));
  }
  for (Json& e : extra) out.push_back({part, seq_of(e), nullptr, std::move(e)});
}

/// A scenario may ask more of a deadline than the format does: when it warns, who answers for it, how it stands, also
/// that it was cancelled.
void asked_of_deadlines(const Json& expect, const CaseFile& file, Json& got) {
  for (const Json& row : expect.value("deadlines", Json::array())) {
    if (!row.is_object()) continue;
    bool gone = row.value("state", Json()) == "cancelled";
    auto d = std::ranges::find_if(file.deadlines, [&](const Deadline& x) {
      return (gone || x.state != "cancelled") && row.value("name", Json()) == x.name;
    });
    if (d == file.deadlines.end()) continue;
    if (d->severity == "signal" || d->state == "cancelled")
      got["deadlines"].push_back({{"name", d->name}, {"date", d->date}, {"rule", d->rule}, {"severity", d->severity}});
    for (Json& mine : got["deadlines"]) {
      if (mine["name"] != d->name) continue;
      if (row.contains("warn")) mine["warn"] = d->warn_date;
      if (row.contains("responsible")) mine["responsible"] = d->responsible;
      if (row.contains("state")) mine["state"] = d->state;
    }
  }
}

}  // namespace

std::string Difference::text() const {
  auto show = [](const Json& j) { return j.is_null() ? std::string("nothing") : dump_json(j); };
  return fmt::format("{}{}: expected {}, got {}", part, seq ? fmt::format(" of message {}", seq) : "", show(expected),
                     show(got));
}

Json outcome_of(const Scenario& scenario, std::span<const Draft> drafts, const CaseFile& file) {
  Json out = {{"outcomes", Json::array()},        {"recipients", Json::array()}, {"not_recipients", Json::array()},
              {"blocked_because", Json::array()}, {"signals", Json::array()},    {"filing", Json::array()},
              {"deadlines", Json::array()},       {"invoices", Json::array()},   {"escalation", nullptr}};
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const Draft& d = drafts[i];
    const Message& m = scenario.messages[i];
    auto seq = static_cast<std::int64_t>(i + 1);
    out["outcomes"].push_back({{"message_seq", seq}, {"outcome", to_string(d.outcome)}});
    if (d.outcome == Outcome::delivered && m.type != "link_geopend") {
      for (Json& row : recipients_of(seq, d)) out["recipients"].push_back(std::move(row));
      for (const Suppressed& s : d.suppressed)
        out["not_recipients"].push_back({{"message_seq", seq}, {"role", s.role}, {"code", s.code}});
    }
    if (!d.codes.empty()) {
      Json row = {{"message_seq", seq}, {"codes", d.codes}};
      if (!d.for_role.empty()) row["for_role"] = d.for_role;
      out["blocked_because"].push_back(std::move(row));
    }
    for (const Signal& s : d.signals) {
      Json row = {{"message_seq", seq}, {"code", s.code}, {"to", s.to}};
      if (!s.role.empty()) row["role"] = s.role;
      if (!s.timer.empty()) row["timer"] = s.timer;
      out["signals"].push_back(std::move(row));
    }
    for (const Filing& f : d.filings)
      out["filing"].push_back({{"message_seq", seq}, {"operation", f.operation}, {"by", f.by}, {"system", f.system}});
    for (const InvoiceOut& v : d.invoices) out["invoices"].push_back(invoice_row(seq, v));
  }
  for (const Deadline& d : file.deadlines)
    // A term that only gives a signal is no timer of section 8; asked_of_deadlines adds it where a scenario asks.
    if (d.state != "cancelled" && d.severity != "signal")
      out["deadlines"].push_back({{"name", d.name}, {"date", d.date}, {"rule", d.rule}, {"severity", d.severity}});
  out["escalation"] = escalation_of(file);
  return out;
}

std::vector<Difference> compare(const Json& expect, const Json& got) {
  std::vector<Difference> out;
  for (const char* part :
       {"outcomes", "recipients", "not_recipients", "blocked_because", "signals", "filing", "deadlines", "invoices"})
    compare_lists(part, expect.value(part, Json::array()), got.value(part, Json::array()), out);
  auto flat = [](Json e) {
    if (e.is_object())
      for (auto& [key, value] : e.items()) value = sorted(value);
    return e;
  };
  Json wanted = flat(expect.value("escalation", Json())), found = flat(got.value("escalation", Json()));
  if (wanted != found) out.push_back({"escalation", 0, std::move(wanted), std::move(found)});
  return out;
}

Played run(const Scenario& scenario, Player& player) {
  Played out;
  out.id = scenario.id;
  out.region = scenario.region;
  out.title = scenario.title;
  if (auto opened = player.open(scenario.opening); !opened) {
    out.error = opened.error();
    return out;
  }
  for (const Message& m : scenario.messages) {
    auto draft = player.play(m);
    if (!draft) {
      out.error = draft.error();
      return out;
    }
    out.drafts.push_back(std::move(*draft));
  }
  out.got = outcome_of(scenario, out.drafts, player.file());
  asked_of_deadlines(scenario.expect, player.file(), out.got);
  out.differences = compare(scenario.expect, out.got);
  return out;
}

PurePlayer::PurePlayer(std::vector<const Decider*> deciders, std::shared_ptr<const Profile> profile)
    : deciders_(in_order(std::move(deciders))), profile_(std::move(profile)) {}

Result<void> PurePlayer::open(const Message& opening) {
  file_ = CaseFile{};
  auto draft = play(opening);
  if (!draft) return fail(draft.error());
  return {};
}

Result<Draft> PurePlayer::play(const Message& message) {
  Facts facts;
  for (const std::string& key : registers_read(deciders_, file_, message, *profile_)) {
    if (auto it = registers_.find(key); it != registers_.end()) facts.insert(*it);
    // A scenario calls its providers by the ids of their parties.
    if (auto asked = pipeline::provider_key_of(key))
      facts[key] = asked->role.substr(asked->role.find(':') + 1) == asked->party;
  }
  try {
    Draft draft = decide(deciders_, file_, message, *profile_, facts);
    apply(file_, message, draft);
    for (const RegisterWrite& w : draft.registers) registers_[w.key] = w.value;
    return draft;
  } catch (const std::exception& e) {
    return fail(ErrorKind::internal, "DECIDE_FAILED", e.what());
  }
}

}  // namespace schakel::scenario
