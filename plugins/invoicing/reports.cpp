#include "plugins/invoicing/reports.hpp"

#include <algorithm>

#include "plugins/invoicing/documents.hpp"
#include "plugins/invoicing/gate.hpp"

namespace schakel::invoicing {
namespace {

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

/// The payer has this document under another number than it has here (a restored store numbers in a new epoch): credits
/// refer to the one that the payer knows.
void refer_to(const CaseFile& file, const Message& message, const std::string& said, const std::string& number,
              Draft& draft) {
  auto here = said.empty() ? message.payload.value("number", "") : said, payer = message.payload.value("payer", "");
  for (auto& entry : ledger_of(file.invoices).entries)
    for (auto& issued : entry.issued)
      if (issued.role == payer && issued.number == here) {
        issued.number = number;
        draft.effects.push_back(invoice_effect(entry));
        return;
      }
}

}  // namespace

bool refused(const Draft& draft) { return draft.outcome == Outcome::blocked || !draft.codes.empty(); }

Draft follow_status(const CaseFile& file, const Message& message, Draft draft) {
  if (message.party != "schakel" || refused(draft)) {
    draft.outcome = Outcome::blocked;
    if (draft.codes.empty()) draft.codes = {"SENDER_NOT_ALLOWED"};
    return draft;
  }
  auto text = [&](const char* name) { return message.payload.value(name, ""); };
  if (text("status") == "not_granted") return refuse_held(file, message, std::move(draft));
  std::string delivery = text("delivery"), status = text("status"), known, said;
  std::int64_t generation = message.payload.value("generation", std::int64_t{0}), known_generation = 0;
  if (file.invoices.is_object() && file.invoices.contains("status") && file.invoices["status"].contains(delivery)) {
    const Json& before = file.invoices["status"][delivery];
    known = before.value("status", "");
    known_generation = before.value("generation", std::int64_t{0});
    said = before.value("sent_as", "");
  }
  // A late "it is in the mailbox" says nothing against a refusal or a payment, unless a person sent it again after the
  // refusal; a refusal counts whenever it comes.
  bool sent_again = known == "refused" && generation > known_generation;
  bool counts = status == "refused" || status == "processed" ||
                (status == "received" && (known.empty() || known == "received" || sent_again));
  if (counts) {
    Json state{{"status", status}, {"code", text("code")}, {"at", format_instant(message.time)}};
    if (generation > 0) state["generation"] = generation;
    auto sent_as = text("sent_as").empty() ? said : text("sent_as");
    if (!sent_as.empty()) state["sent_as"] = sent_as;
    draft.effects.push_back({"invoice_status", delivery, std::move(state)});
    if (sent_as != said) refer_to(file, message, said, sent_as, draft);
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

}  // namespace schakel::invoicing
