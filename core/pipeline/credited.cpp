#include "core/pipeline/credited.hpp"

#include <fmt/format.h>

#include "core/model/ledger.hpp"
#include "core/outbox/invoice_rows.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

/// One number and payer has a row per document; one number of two sellers, several.
constexpr int kMostRows = 50;

/// The rows of what went out under this number to this payer.
Task<Result<std::vector<Json>>> rows_of(store::Store& store, const std::string& case_id, const std::string& number,
                                        const std::string& payer) {
  auto rows = co_await store.rows(std::string(outbox::kInvoicesOut), fmt::format("{}/{}/{}/", case_id, number, payer),
                                  "", kMostRows);
  if (!rows) co_return fail(std::move(rows.error()));
  std::vector<Json> out;
  for (const auto& row : *rows) {
    auto value = store::object_in(row);
    if (!value) co_return fail(std::move(value.error()));
    // A number may hold a slash: another one begins alike then.
    if (value->value("nummer", "") == number && value->value("betaler", "") == payer) out.push_back(std::move(*value));
  }
  co_return out;
}

}  // namespace

Task<Result<std::map<std::string, outbox::Between>>> credited_between(store::Store& store, const Message& message,
                                                                      const Draft& draft) {
  std::map<std::string, outbox::Between> out;
  for (const auto& i : draft.invoices) {
    if (i.credits.empty()) continue;
    auto rows = co_await rows_of(store, message.subject, i.credits, i.payer);
    if (!rows) co_return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      outbox::Between sides{row.value("ontvangerPartij", ""), row.value("betalerPartij", "")};
      bool another = row.value("ontvanger", "") != i.payee || (!i.payee_party.empty() && sides.seller != i.payee_party);
      if (another || sides.buyer.empty()) continue;
      out[outbox::invoice_delivery_id(message, i)] = std::move(sides);
    }
  }
  co_return out;
}

Task<Result<std::vector<CreditFrom>>> sellers_credited(store::Store& store, const std::string& role,
                                                       const CaseFile& file, const Message& message) {
  std::vector<CreditFrom> out;
  auto ledger = ledger_of(file.invoices);
  std::vector<std::pair<std::string, std::string>> credits;  // who credits, and what
  if (message.type == "creditnota" && message.payload.is_object())
    if (auto it = message.payload.find("credits"); it != message.payload.end() && it->is_string())
      credits.emplace_back(message.party, *it);
  for (const auto& entry : ledger.entries)
    if (entry.held && entry.is_credit()) credits.emplace_back(entry.party, entry.credits);
  for (const auto& [party, number] : credits) {
    std::string seller;
    for (const auto& entry : ledger.entries) {
      if (entry.is_credit() || entry.refused || entry.number != number || entry.party != party) continue;
      for (const auto& issued : entry.issued) {
        if (issued.number.empty()) continue;
        auto rows = co_await rows_of(store, file.id, issued.number, issued.role);
        if (!rows) co_return fail(std::move(rows.error()));
        for (const auto& row : *rows)
          if (row.value("ontvanger", "") == role) seller = row.value("ontvangerPartij", seller);
      }
    }
    out.push_back({party, std::move(seller)});
  }
  co_return out;
}

}  // namespace schakel::pipeline
