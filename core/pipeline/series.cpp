#include "core/pipeline/series.hpp"

#include "core/audit/leaf.hpp"
#include "core/base/json.hpp"
#include "core/journal/members.hpp"
#include "core/model/invoice_types.hpp"
#include "core/model/ledger.hpp"
#include "core/outbox/invoice_parties.hpp"
#include "core/outbox/restored.hpp"
#include "core/pipeline/credited.hpp"
#include "core/pipeline/provider.hpp"

namespace schakel::pipeline {
namespace {
constexpr std::string_view kMarkSpace = "copy-mark", kMarkKey = "copy", kEpochKey = "series-epoch";
constexpr std::string_view kSeries = "series/";

/// The party in whose name documents of this role are numbered in a decision on this message. `credited`: of the
/// credits among them, by sellers_credited.
PartyChoice creditor_of(const std::string& role, const std::string& region, const CaseFile& file,
                        const Message& message, const Parties& parties, const std::vector<CreditFrom>& credited) {
  auto all = parties.invoice_parties(role, region);
  auto choice = parties.invoice_party(role, region, outbox::hints_of(file, role));
  bool moved = std::ranges::any_of(credited, [&](const CreditFrom& c) {
    return !c.seller.empty() && (!choice.party || choice.party->id != c.seller);
  });
  if (all.size() < 2 && !moved) return choice;
  // A creditor that sends its own invoice is the seller of it, whatever the case says; what others sent is numbered for
  // whom the case means. Where the two are not one party no series is used: a number of the one on a document of the
  // other would leave a gap with the one and a number twice with the other.
  std::vector<const Party*> sellers;
  auto source = [&](const std::string& party) {
    auto it = std::ranges::find(all, party, &Party::id);
    sellers.push_back(it == all.end() ? choice.party : *it);
  };
  if (!is_invoice_type(message.type)) {
    for (const auto& entry : ledger_of(file.invoices).entries)
      if (entry.held && !entry.is_credit()) source(entry.creditor_role == role ? entry.party : "");
  } else if (message.type != "creditnota") {
    source(message.party);  // an invoice releases nothing that is held
  }
  // In the name of who made what it credits, also when the case is another's by now.
  for (const auto& c : credited)
    if (c.seller.empty())
      source(c.by);
    else
      sellers.push_back(parties.find(c.seller));
  if (sellers.empty()) return choice;
  if (!sellers.front() || std::ranges::any_of(sellers, [&](const Party* p) { return p != sellers.front(); }))
    return {nullptr, choice.code == "PARTY_MISNAMED" ? choice.code : "PARTY_AMBIGUOUS"};
  return {sellers.front(), ""};
}

Result<RegisterRow> row_of(std::string key, std::optional<store::Row> row) {
  RegisterRow out{std::move(key)};
  if (!row) return out;
  out.version = row->version;
  auto value = parse_json(as_text(row->value));
  if (!value) return fail(ErrorKind::internal, "STORE_CORRUPT_ROW", "a register is not JSON");
  out.value = std::move(*value);
  return out;
}
}  // namespace

Task<Result<void>> mark_copy(store::Store& store, bool marked) {
  store::Transaction tx;
  if (marked)
    tx.ops.push_back(store::PutRow{std::string(kMarkSpace), std::string(kMarkKey), to_bytes("1"), std::nullopt});
  else
    tx.ops.push_back(store::EraseRow{std::string(kMarkSpace), std::string(kMarkKey), std::nullopt});
  auto done = co_await store.commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

Task<Result<std::int64_t>> new_epoch(store::Store& store, Instant now) {
  auto row = co_await store.row("register", std::string(kEpochKey));
  if (!row) co_return fail(std::move(row.error()));
  std::int64_t epoch = 1;
  if (*row) {
    auto known = parse_json(as_text((*row)->value));
    // Counting on from a guess would give numbers out twice.
    if (!known || !known->is_number_integer())
      co_return fail(ErrorKind::internal, "STORE_CORRUPT_ROW", "the epoch of the number series is no number");
    epoch = known->get<std::int64_t>() + 1;
  }
  store::Transaction tx;
  tx.ops.push_back(
      store::PutRow{"register", std::string(kEpochKey), to_bytes(std::to_string(epoch)), *row ? (*row)->version : 0});
  tx.ops.push_back(store::EraseRow{std::string(kMarkSpace), std::string(kMarkKey), std::nullopt});
  tx.ops.push_back(outbox::wait_after_restore(now));
  tx.ops.push_back(audit::leaf(now, "invoice.new_epoch", {.counts = {{"epoch", epoch}}}));
  auto done = co_await store.commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  co_return epoch;
}

Task<Result<RegisterRow>> read_register(store::Store& store, std::string key, const CaseFile& file,
                                        const Message& message, const Parties& parties) {
  if (auto asked = provider_key_of(key)) {
    auto members = co_await journal::members(store, parties, file.id);
    if (!members) co_return fail(std::move(members.error()));
    auto known =
        is_provider(asked->party, asked->role, message.region, outbox::hints_of(file.pupil), *members, parties);
    RegisterRow answer{key};
    if (known) answer.value = Json(*known);
    co_return answer;
  }
  auto row = co_await store.row("register", key);
  if (!row) co_return fail(std::move(row.error()));
  auto shared = row_of(key, std::move(*row));
  auto slash = key.rfind('/');
  if (!shared || !key.starts_with(kSeries) || slash < kSeries.size()) co_return shared;
  auto region = key.substr(kSeries.size(), slash - kSeries.size()), role = key.substr(slash + 1);
  auto credited = co_await sellers_credited(store, role, file, message);
  if (!credited) co_return fail(std::move(credited.error()));
  auto choice = creditor_of(role, region, file, message, parties, *credited);
  if (!choice.code.empty()) {
    shared->value = Json{{"ambiguous", true}};
    co_return shared;
  }
  if (!choice.party) co_return shared;
  auto key_of_party = key + "/" + choice.party->id;
  auto own_row = co_await store.row("register", key_of_party);
  if (!own_row) co_return fail(std::move(own_row.error()));
  auto all = parties.invoice_parties(role, region);
  bool separate = *own_row || all.size() > 1 || std::ranges::find(all, choice.party) == all.end();
  if (!separate) co_return shared;
  auto own = row_of(std::move(key_of_party), std::move(*own_row));
  if (own && !own->value) own->value = std::move(shared->value);
  co_return own;
}

Task<Result<bool>> continue_series(store::Store& store, Instant now) {
  auto mark = co_await store.row(std::string(kMarkSpace), std::string(kMarkKey));
  if (!mark) co_return fail(std::move(mark.error()));
  if (!*mark) co_return false;
  auto epoch = co_await new_epoch(store, now);
  if (!epoch) co_return fail(std::move(epoch.error()));
  co_return true;
}

}  // namespace schakel::pipeline
