#include "core/outbox/invoice_rows.hpp"

#include "core/store/row_json.hpp"

namespace schakel::outbox {

Task<Result<void>> made_invoice(store::Store& store, std::string delivery, InvoiceMade made, store::Transaction& with) {
  auto key = co_await store.row(std::string(kInvoiceOfDelivery), std::move(delivery));
  if (!key) co_return fail(std::move(key.error()));
  if (!*key) co_return Result<void>{};
  std::string at(as_text((*key)->value));
  auto row = co_await store.row(std::string(kInvoicesOut), at);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return Result<void>{};
  auto value = store::object_in(**row);
  if (!value) co_return fail(std::move(value.error()));
  (*value)["gesteld"] = std::move(made.stated);
  if (made.named) {
    (*value)["betalerPartij"] = std::move(made.buyer_party);
    (*value)["ontvangerPartij"] = std::move(made.seller_party);
  }
  with.ops.push_back(
      store::PutRow{std::string(kInvoicesOut), std::move(at), to_bytes(dump_json(*value)), (*row)->version});
  co_return Result<void>{};
}

}  // namespace schakel::outbox
