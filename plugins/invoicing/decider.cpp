#include "plugins/invoicing/decider.hpp"

#include <algorithm>

#include "core/model/invoice_types.hpp"
#include "plugins/invoicing/documents.hpp"
#include "plugins/invoicing/explain.hpp"
#include "plugins/invoicing/gate.hpp"
#include "plugins/invoicing/source.hpp"

namespace schakel::invoicing {
namespace {

std::string odd_key(const CaseFile& file) { return "odd_cent/" + file.region; }

/// Whose turn the odd cent is. Fixed by the region, or by turns: then the register counts across cases (CORE-MONEY-02).
class OddTurn {
 public:
  OddTurn(const Switches& switches, const Facts& facts, const CaseFile& file)
      : mode_(switches.odd_cent), key_(odd_key(file)) {
    if (auto it = facts.find(key_); it != facts.end() && it->second.is_number_unsigned())
      made_ = it->second.get<std::uint64_t>();
  }
  [[nodiscard]] OddCent now() const {
    if (mode_ == "swv") return OddCent::swv;
    return mode_ == "alternate" ? alternate_odd_cent(made_) : OddCent::gemeente;
  }
  void sent(const LedgerEntry& invoice) {
    if (mode_ != "alternate") return;
    for (const auto& group : invoice.groups) {
      if (group.method != ShareGroup::Method::half) continue;
      Cents sum;
      for (const auto& line : invoice.lines)
        if (std::ranges::find(group.kinds, line.kind) != group.kinds.end()) sum += line.cents;
      if (sum.value() % 2 != 0) ++made_, changed_ = true;
    }
  }
  void record(Draft& draft) const {
    if (changed_) draft.registers.push_back({key_, made_});
  }

 private:
  std::string mode_, key_;
  std::uint64_t made_ = 0;
  bool changed_ = false;
};

/// Earlier deciders refuse a message by its codes; the outcome follows when all have spoken.
bool refused(const Draft& draft) { return draft.outcome == Outcome::blocked || !draft.codes.empty(); }

struct Work {
  const CaseFile& file;
  const Message& message;
  const Switches& switches;
  Ledger ledger;
  OddTurn odd;
  Numbering numbering;
  Draft draft;

  /// Nothing leaves and nothing changes but what the caller adds after it.
  void stop(Outcome outcome, std::vector<std::string> codes) {
    draft.outcome = outcome;
    draft.codes = std::move(codes);
    draft.recipients.clear();
    draft.suppressed.clear();
    draft.signals.clear();
    draft.deadlines.clear();
    draft.filings.clear();
    draft.effects.clear();
    draft.registers.clear();
  }

  bool uses_swv_money(const LedgerEntry& entry, const MoneyState& state) const {
    LedgerEntry planned = entry;
    if (const auto* invoice = entry.is_credit() ? ledger.credited(entry.creditor, entry.credits) : nullptr;
        invoice && !invoice->held)
      planned.groups = invoice->groups;
    else
      plan(planned, state, switches, OddCent::gemeente);
    return std::ranges::any_of(planned.groups, [](const ShareGroup& g) {
      return std::ranges::find(g.payers, "swv", &PayerShare::role) != g.payers.end();
    });
  }

  std::vector<std::string> codes_of(const LedgerEntry& entry, const MoneyState& state) const {
    return money_codes(entry, state, switches,
                       switches.education_needs_regie && !state.education_regie && uses_swv_money(entry, state));
  }

  void explain_sent(const FactView& facts, const LedgerEntry& entry, const LedgerEntry& invoice, const Written& written,
                    std::string_view code) {
    auto say = [&](std::string_view topic, Word result = "fired", std::string_view why = {}) {
      explain(draft, facts, entry.kind, topic, result, why.empty() ? code : why, written.facts);
    };
    if (entry.is_credit()) say("credit");
    bool seen[4] = {};
    for (const auto& group : invoice.groups) {
      auto method = static_cast<std::size_t>(group.method);
      if (seen[method]) continue;
      seen[method] = true;
      switch (group.method) {
        case ShareGroup::Method::whole:
          say("whole");
          break;
        case ShareGroup::Method::half:
          say("half");
          break;
        case ShareGroup::Method::basis_points:
          say("basis_points");
          break;
        case ShareGroup::Method::minutes:
          say("minutes");
          break;
      }
    }
    if (switches.flow == Flow::offering_party) say("offering_party");
    if (switches.flow == Flow::contract_holder) say("holder:" + invoice.holder);
    if (entry.vat > Cents{}) say("vat");
    if (!written.zero.empty() || entry.total() == Cents{}) say("zero_share", "suppressed", "ZERO_SHARE_NOT_SENT");
  }

  /// Sends an entry that nothing holds any more; updates the ledger, not yet the effects.
  Written send(LedgerEntry& entry, const MoneyState& state, const FactView& facts, std::int64_t released_by) {
    entry.held = false;
    entry.codes.clear();
    entry.released_by = released_by;
    Written written;
    LedgerEntry credited;
    if (entry.is_credit()) {
      credited = *ledger.credited(entry.creditor, entry.credits);
      written = write_credit(entry, credited, ledger.sent_credits(credited), switches, released_by, numbering);
      ledger.put(credited);
    } else {
      plan(entry, state, switches, odd.now());
      written = write_invoice(entry, switches, released_by, numbering);
      odd.sent(entry);
    }
    const LedgerEntry& invoice = entry.is_credit() ? credited : entry;
    ledger.put(entry);
    explain_sent(facts, entry, invoice, written, released_by ? "RELEASED" : "");
    for (auto& out : written.invoices) draft.invoices.push_back(std::move(out));
    for (const auto& zero : written.zero) {
      (void)zero;
      // To the creditor that would claim it: who has the invoice and would have invoiced it on (domain.md 14).
      draft.signals.push_back({"ZERO_SHARE_NOT_SENT", finance_role(invoice.holder), "", "", "CORE-MONEY-09"});
    }
    return written;
  }

  /// Ledger effects of what changed since `before`, in order of arrival.
  void record(const Ledger& before) {
    for (const auto& entry : ledger.entries) {
      auto was = std::ranges::find_if(before.entries, [&](const LedgerEntry& e) {
        return e.kind == entry.kind && e.creditor == entry.creditor && e.number == entry.number;
      });
      if (was == before.entries.end() || !(*was == entry)) draft.effects.push_back(invoice_effect(entry));
    }
    odd.record(draft);
    for (auto& write : numbering.writes()) draft.registers.push_back(std::move(write));
  }

  void address(const FactView& facts, const Written& written, const std::string& kind) {
    draft.recipients.clear();
    draft.suppressed.clear();
    for (const auto& payer : written.payers)
      draft.recipients.push_back({finance_role(payer), {}, "broker", {}, {"CORE-MONEY-07"}});
    for (const auto& asked : message.addressed_to) {
      auto role = asked.substr(0, asked.find_first_of("@:"));
      // Finance desks may be asked for; who pays decides which of them gets it.
      if (role == "gemeente_financien" || role == "swv_financien" || role == "schoolbestuur") continue;
      bool hidden = std::ranges::find(switches.hidden_from, role) != switches.hidden_from.end();
      std::string code = hidden ? "AUDIENCE_FINANCE" : "AUDIENCE_NOT_INVOLVED";
      Suppressed row{asked, code, hidden ? "CORE-AUD-01" : "CORE-AUD-02"};
      if (std::ranges::find(draft.suppressed, row) != draft.suppressed.end()) continue;
      explain(draft, facts, kind, code, "suppressed", code, {{"role", asked}});
      draft.suppressed.push_back(std::move(row));
    }
  }

  void incoming(const FactView& facts, const Facts& registers) {
    auto source = read_source(message);
    if (!source) {
      if (refused(draft)) return;
      stop(Outcome::quarantined, {"INVOICE_INVALID"});
      Json pointers = Json::array();
      for (const auto& f : source.error().findings) pointers.push_back(f.pointer);
      return explain(draft, facts, message.type, "INVOICE_INVALID", "blocked", "INVOICE_INVALID",
                     {{"fields", pointers}});
    }
    LedgerEntry& entry = *source;
    auto key = register_key(entry);
    auto elsewhere = registers.find(key);
    auto compared = compare(entry, ledger, elsewhere == registers.end() ? Json() : elsewhere->second);
    if (compared.seen != Seen::fresh) {
      bool same = compared.seen == Seen::duplicate;
      std::string code = same ? "DUPLICATE_INVOICE" : "INVOICE_CONFLICT";
      stop(same ? Outcome::dropped_duplicate : Outcome::quarantined, {code});
      return explain(draft, facts, message.type, compared.why == "CORE-MONEY-04" ? "CREDIT_TOO_LARGE" : code, "blocked",
                     code, compared.facts);
    }
    if (refused(draft)) return;

    MoneyState state = read_state(facts, ledger, switches);
    if (switches.content_first && !state.content_fixed) {
      stop(Outcome::blocked, {"CONTENT_NOT_FIXED"});
      return explain(draft, facts, message.type, "CONTENT_NOT_FIXED", "blocked", "CONTENT_NOT_FIXED",
                     {{"content_fixed", false}});
    }
    const LedgerEntry* invoice = entry.is_credit() ? ledger.credited(entry.creditor, entry.credits) : nullptr;
    if (invoice) {
      entry.period_from = invoice->period_from, entry.period_to = invoice->period_to;
      // A credit is of the periods that it takes back.
      for (auto& line : entry.lines) {
        auto same = std::ranges::find_if(invoice->lines, [&](const LedgerLine& l) { return l.kind == line.kind; });
        if (line.from.empty() && same != invoice->lines.end()) line.from = same->from, line.to = same->to;
      }
    }
    bool with_invoice = invoice && invoice->held;
    auto codes = codes_of(with_invoice ? *invoice : entry, state);
    if (with_invoice && codes.empty()) codes = invoice->codes;
    if (!codes.empty()) {
      Json seen = {{"number", entry.number},
                   {"funding_agreed", state.agreed},
                   {"period", {entry.period_from, entry.period_to}},
                   {"dispute", state.dispute}};
      if (state.advice) seen["ratified_by"] = state.advice->ratified;
      bool blocked = !with_invoice && std::ranges::any_of(codes, [](const std::string& c) { return blocks(c); });
      for (const auto& code : codes)
        explain(draft, facts, message.type, code == "AUDIENCE_NOT_INVOLVED" ? "pgb" : std::string_view(code), "blocked",
                code, seen);
      if (blocked) return stop(Outcome::blocked, std::move(codes));
      draft.outcome = Outcome::held;
      draft.codes = codes;
      draft.recipients.clear();
      draft.suppressed.clear();
      entry.held = true;
      entry.codes = std::move(codes);
      draft.effects.push_back(invoice_effect(entry));
    } else {
      Ledger before = ledger;
      auto written = send(entry, state, facts, 0);
      record(before);
      address(facts, written, message.type);
    }
    draft.registers.push_back({key, {{"hash", entry.hash}, {"case", file.id}, {"message", message.id}}});
  }

  /// What another message changes for money: disputes and advice are kept in the ledger, agreements in the facts of the
  /// case.
  void follow_disputes(const FactView& facts) {
    if (message.type == "escalatie" && switches.escalation_suspends) {
      ledger.dispute = true;
      draft.effects.push_back(dispute_effect(true));
      if (ledger.advice) draft.effects.push_back({"invoice_advice", "", nullptr});
      ledger.advice.reset();
    } else if (message.type == "escalatie_besluit") {
      ledger.dispute = false;
      draft.effects.push_back(dispute_effect(false));
    } else if (message.type == "bindend_advies" && !switches.ratified_by.empty()) {
      // From now on it is the ratification that money waits for (domain.md 4.1).
      MoneyAdvice advice;
      const Json& payload = message.payload;
      if (payload.is_object() && payload.contains("shares") && !payload["shares"].is_null()) {
        auto shares = read_shares(payload["shares"]);
        // Shares that do not add up are no advice that anybody can carry out: money waits for one that is.
        if (shares)
          advice.shares = std::move(*shares);
        else
          advice.shares = {{"", 0}};
      }
      ledger.dispute = false;
      ledger.advice = advice;
      draft.effects.push_back(dispute_effect(false));
      draft.effects.push_back(advice_effect(advice));
    } else if (message.type == "bekrachtiging" && ledger.advice) {
      // Who ratifies for a party is for the rules of the region to say (MH-ESC-05).
      for (const auto& party : switches.ratified_by)
        if (is_stated(facts, "ratified_" + party) &&
            std::ranges::find(ledger.advice->ratified, party) == ledger.advice->ratified.end()) {
          ledger.advice->ratified.push_back(party);
          draft.effects.push_back(advice_effect(*ledger.advice));
        }
    }
  }

  void release(const Profile& profile, Instant at) {
    if (std::ranges::none_of(ledger.entries, &LedgerEntry::held)) return;
    // The case as it stands after this message: what it states is in there, so no message goes before it any more.
    CaseFile after = file;
    apply(after, message, draft);
    Message nothing;
    nothing.region = message.region;
    FactView facts(after, nothing, profile, at);
    MoneyState state = read_state(facts, ledger, switches);
    Ledger before = ledger;
    for (std::size_t i = 0; i < ledger.entries.size(); ++i) {
      LedgerEntry entry = ledger.entries[i];
      if (!entry.held) continue;
      const LedgerEntry* invoice = entry.is_credit() ? ledger.credited(entry.creditor, entry.credits) : nullptr;
      auto codes = codes_of(invoice && invoice->held ? *invoice : entry, state);
      if (!codes.empty() || (invoice && invoice->held)) {
        if (!codes.empty() && entry.codes != codes) {
          entry.codes = std::move(codes);
          ledger.put(std::move(entry));
        }
        continue;
      }
      auto over = invoice ? exceeds(entry, *invoice, ledger) : std::nullopt;
      if (over || (entry.is_credit() && !invoice)) {
        // Credits before it took what it wanted to take, or there is nothing to take from: a person has to look at it
        // (CORE-MONEY-04).
        Json left{{"number", entry.number}};
        if (over) left["kind"] = over->kind, left["left_cents"] = over->cents;
        explain(draft, facts, entry.kind, "CREDIT_TOO_LARGE", "blocked", "INVOICE_CONFLICT", std::move(left));
        draft.registers.push_back({register_key(entry), nullptr});
        entry.held = false;
        entry.refused = true;
        entry.codes = {"INVOICE_CONFLICT"};
        ledger.put(std::move(entry));
        continue;
      }
      // Each reason that is gone has a sentence of its own: a decision on a dispute is not what agreed the funding.
      Json seen{{"number", entry.number}, {"held_for", entry.codes}};
      explain(draft, facts, entry.kind, "release", "fired", "RELEASED", seen);
      for (const auto& code : entry.codes)
        explain(draft, facts, entry.kind, "release:" + code, "fired", "RELEASED", seen);
      (void)send(entry, state, facts, message.seq);
    }
    record(before);
  }
};

/// Finance refuses what is held: its sender is told, and its number is free again. With it go the held credits on it,
/// which have nothing to take from any more. What is not held any more stays as it is.
Draft refuse_held(const CaseFile& file, const Message& message, Draft draft) {
  auto ledger = ledger_of(file.invoices);
  auto source = message.payload.value("source", ""), code = message.payload.value("code", "");
  auto asked =
      std::ranges::find_if(ledger.entries, [&](const LedgerEntry& e) { return e.held && e.message == source; });
  if (asked == ledger.entries.end()) return draft;
  auto refuse = [&](LedgerEntry entry) {
    draft.registers.push_back({register_key(entry), nullptr});
    entry.held = false;
    entry.refused = true;
    entry.codes = {code};
    draft.effects.push_back(invoice_effect(entry));
  };
  refuse(*asked);
  if (!asked->is_credit())
    for (const auto& entry : ledger.entries)
      if (entry.held && entry.is_credit() && entry.creditor == asked->creditor && entry.credits == asked->number)
        refuse(entry);
  return draft;
}

/// What the receiver of an invoice reports of it (core/pipeline/settlement.hpp): kept by delivery; a refusal is told to
/// the finance desk of whoever is owed the money, every time one is reported.
Draft follow_status(const CaseFile& file, const Message& message, Draft draft) {
  if (message.party != "schakel" || refused(draft)) {
    draft.outcome = Outcome::blocked;
    if (draft.codes.empty()) draft.codes = {"SENDER_NOT_ALLOWED"};
    return draft;
  }
  auto text = [&](const char* name) { return message.payload.value(name, ""); };
  if (text("status") == "not_granted") return refuse_held(file, message, std::move(draft));
  std::string delivery = text("delivery"), status = text("status"), known;
  std::int64_t generation = message.payload.value("generation", std::int64_t{0}), known_generation = 0;
  if (file.invoices.is_object() && file.invoices.contains("status") && file.invoices["status"].contains(delivery)) {
    const Json& before = file.invoices["status"][delivery];
    known = before.value("status", "");
    known_generation = before.value("generation", std::int64_t{0});
  }
  // A late "it is in the mailbox" says nothing against a refusal or a payment, unless a person sent it again after the
  // refusal; a refusal counts whenever it comes.
  bool sent_again = known == "refused" && generation > known_generation;
  bool counts = status == "refused" || status == "processed" ||
                (status == "received" && (known.empty() || known == "received" || sent_again));
  if (counts) {
    Json state{{"status", status}, {"code", text("code")}, {"at", format_instant(message.time)}};
    if (generation > 0) state["generation"] = generation;
    draft.effects.push_back({"invoice_status", delivery, std::move(state)});
  }
  std::string payee = text("payee");
  auto desk = payee == "zorgaanbieder" ? std::string("zorgaanbieder_billing") : finance_role(payee);
  if (status == "refused") draft.signals.push_back({"INVOICE_REFUSED", desk, finance_role(text("payer")), "", ""});
  // Held here, and the provider is owed its JW325: whoever answers it has to lift or refuse (OP090x4).
  if (status == "answer_due") draft.signals.push_back({"ANSWER_DUE", finance_role("gemeente"), "", "", "OP090x4"});
  if (status == "answer_overdue")
    draft.signals.push_back({"ANSWER_OVERDUE", finance_role("gemeente"), "", "", "OP090x4"});
  // Refused at the door for what a forged invoice looks like: who would have paid it hears of it.
  if (status == "not_taken")
    draft.signals.push_back({"INVOICE_NOT_TAKEN", finance_role("gemeente"), "", "", text("code")});
  if (status == "stuck") draft.signals.push_back({"INVOICE_UNDELIVERABLE", desk, finance_role(text("payer")), "", ""});
  return draft;
}

}  // namespace

std::vector<std::string> InvoicingDecider::reads(const CaseFile& file, const Message& message,
                                                 const Profile& profile) const {
  std::vector<std::string> keys;
  Switches switches = read_switches(profile, file.overrides);
  std::vector<LedgerEntry> sources;
  if (is_invoice_type(message.type)) {
    if (auto source = read_source(message)) {
      keys.push_back(register_key(*source));
      sources.push_back(std::move(*source));
    }
  } else if (file.invoices.contains("entries")) {
    // Any message may release what is held.
    for (auto& entry : ledger_of(file.invoices).entries)
      if (entry.held) sources.push_back(std::move(entry));
  }
  if (switches.odd_cent == "alternate") keys.push_back(odd_key(file));
  if (!sources.empty()) {
    std::vector<const LedgerEntry*> all;
    for (const auto& s : sources) all.push_back(&s);
    for (auto& key : numbering_keys(switches, file.region, all)) keys.push_back(std::move(key));
  }
  return keys;
}

Draft InvoicingDecider::decide(FactView& view, const Facts& facts, Draft draft) const {
  const CaseFile& file = view.file();
  const Message& message = view.message();
  const Profile& profile = view.profile();
  if (message.type == "factuur_status") return follow_status(file, message, std::move(draft));
  bool invoice = is_invoice_type(message.type);
  if (!invoice && (refused(draft) || draft.outcome != Outcome::delivered)) return draft;
  if (!invoice && !file.invoices.contains("entries") && message.type != "escalatie" &&
      message.type != "escalatie_besluit" && message.type != "bindend_advies" && message.type != "bekrachtiging")
    return draft;
  Switches switches = read_switches(profile, file.overrides);
  Work work{file,
            message,
            switches,
            ledger_of(file.invoices),
            OddTurn(switches, facts, file),
            Numbering(switches, facts, file.region, local_date(view.at()).year()),
            std::move(draft)};
  if (invoice) {
    work.incoming(view, facts);
  } else {
    work.follow_disputes(view);
    work.release(profile, view.at());
  }
  return std::move(work.draft);
}

}  // namespace schakel::invoicing
