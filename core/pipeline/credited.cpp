#include "core/pipeline/credited.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/model/invoice_types.hpp"
#include "core/model/ledger.hpp"
#include "core/outbox/invoice_rows.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

/// Documents of one number and payer in one case: of each seller one, and few sellers share a number.
constexpr int kMostRows = 50;

/// The rows of the documents that this invoice was sent as.
Task<Result<std::vector<Json>>> documents_of(store::Store& store, const std::string& case_id,
                                             const LedgerEntry& invoice) {
  auto sent_by = invoice.released_by != 0 ? invoice.released_by : invoice.seq;
  std::vector<std::pair<std::string, std::string>> sent{{invoice.number, invoice.holder}};  // what the holder was sent
  for (const auto& issued : invoice.issued)
    if (std::pair one{issued.number, issued.role}; !issued.number.empty() && std::ranges::find(sent, one) == sent.end())
      sent.push_back(std::move(one));
  std::vector<Json> out;
  for (const auto& [number, payer] : sent) {
    if (payer.empty()) continue;
    auto rows = co_await store.rows(std::string(outbox::kInvoicesOut), fmt::format("{}/{}/{}/", case_id, number, payer),
                                    "", kMostRows);
    if (!rows) co_return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      auto value = store::object_in(row);
      if (!value) co_return fail(std::move(value.error()));
      // A number may hold a slash: another one begins alike then. One decision may release two sellers' invoices of one
      // number.
      bool its = value->value("nummer", "") == number && value->value("betaler", "") == payer &&
                 value->value("bron", "") == invoice.number && value->value("bericht", std::int64_t{0}) == sent_by;
      if (its) out.push_back(std::move(*value));
    }
  }
  co_return out;
}

/// Of those the parties of the one that this credit is on.
std::optional<outbox::Between> between(const std::vector<Json>& documents, const std::string& number,
                                       const std::string& payer, const std::string& payee,
                                       const std::string& payee_party) {
  std::optional<outbox::Between> out;
  std::vector<std::string> buyers;
  for (const auto& row : documents) {
    outbox::Between sides{row.value("ontvangerPartij", ""), row.value("betalerPartij", ""), {}};
    if (sides.buyer.empty()) continue;
    buyers.push_back(sides.buyer);
    if (row.value("nummer", "") != number || row.value("betaler", "") != payer || row.value("ontvanger", "") != payee ||
        (!payee_party.empty() && sides.seller != payee_party))
      continue;
    out = std::move(sides);
  }
  if (out) out->buyers = std::move(buyers);
  return out;
}

/// The invoice that a credit is on. A credit is known by its message, or by its number and who sent it; nullptr where
/// there is none, or several of that number.
const LedgerEntry* credited_by(const Ledger& ledger, std::string_view number, std::string_view message,
                               std::string_view party) {
  const LedgerEntry* credit = nullptr;
  for (const auto& entry : ledger.entries) {
    if (!entry.is_credit() || entry.refused || entry.number != number) continue;
    if (message.empty() ? !party.empty() && entry.party != party : entry.message != message) continue;
    if (credit) return nullptr;
    credit = &entry;
  }
  return credit ? ledger.credited(credit->creditor, credit->credits) : nullptr;
}

}  // namespace

Task<Result<std::map<std::string, outbox::Between>>> credited_between(store::Store& store, const CaseFile& file,
                                                                      const Message& message, const Draft& draft) {
  std::map<std::string, outbox::Between> out;
  if (std::ranges::all_of(draft.invoices, [](const InvoiceOut& i) { return i.credits.empty(); })) co_return out;
  const auto ledger = ledger_of(file.invoices);
  for (const auto& i : draft.invoices) {
    if (i.credits.empty()) continue;
    const LedgerEntry* invoice = credited_by(ledger, i.source_number, i.source_message, "");
    if (!invoice) continue;
    auto documents = co_await documents_of(store, file.id, *invoice);
    if (!documents) co_return fail(std::move(documents.error()));
    if (auto sides = between(*documents, i.credits, i.payer, i.payee, i.payee_party))
      out[outbox::invoice_delivery_id(message, i)] = std::move(*sides);
  }
  co_return out;
}

Task<Result<std::optional<outbox::Between>>> credited_of(store::Store& store, const CaseFile& file,
                                                         const Json& invoice) {
  auto credits = invoice.value("credits", "");
  if (credits.empty() || invoice.contains("credited_buyer")) co_return std::optional<outbox::Between>{};
  const auto ledger = ledger_of(file.invoices);
  auto payee_party = invoice.value("payee_party", "");
  const LedgerEntry* of = credited_by(ledger, invoice.value("source_number", ""), "", payee_party);
  if (!of) co_return std::optional<outbox::Between>{};
  auto documents = co_await documents_of(store, file.id, *of);
  if (!documents) co_return fail(std::move(documents.error()));
  co_return between(*documents, credits, invoice.value("payer", ""), invoice.value("payee", ""), payee_party);
}

Task<Result<std::vector<CreditFrom>>> sellers_credited(store::Store& store, const std::string& role,
                                                       const CaseFile& file, const Message& message) {
  std::vector<CreditFrom> out;
  const auto ledger = ledger_of(file.invoices);
  std::vector<std::pair<std::string, std::string>> credits;  // who credits, and what
  if (message.type == "creditnota" && message.payload.is_object()) {
    if (auto it = message.payload.find("credits"); it != message.payload.end() && it->is_string())
      credits.emplace_back(message.party, *it);
  } else if (!is_invoice_type(message.type)) {
    for (const auto& entry : ledger.entries)
      if (entry.held && entry.is_credit()) credits.emplace_back(entry.party, entry.credits);
  }
  for (const auto& [party, number] : credits) {
    std::string seller;
    for (const auto& entry : ledger.entries) {
      if (entry.is_credit() || entry.refused || entry.number != number || entry.party != party) continue;
      auto documents = co_await documents_of(store, file.id, entry);
      if (!documents) co_return fail(std::move(documents.error()));
      for (const auto& row : *documents)
        if (auto of = row.value("ontvangerPartij", ""); !of.empty() && row.value("ontvanger", "") == role) seller = of;
    }
    out.push_back({party, std::move(seller)});
  }
  co_return out;
}

}  // namespace schakel::pipeline
