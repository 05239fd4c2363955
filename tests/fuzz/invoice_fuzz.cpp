// A payload from outside: either it is no invoice, or every way of sharing it adds up.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "plugins/invoicing/documents.hpp"
#include "plugins/invoicing/gate.hpp"
#include "plugins/invoicing/source.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace schakel;
  using namespace schakel::invoicing;
  if (size < 2) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  auto payload = parse_json(text);
  if (!payload) return 0;
  static constexpr std::string_view types[] = {"factuur", "declaratie", "doorbelasting", "creditnota"};
  Message message;
  message.type = types[data[0] % 4];
  message.sender_role = data[0] & 4 ? "schoolbestuur" : "zorgaanbieder_billing";
  message.payload = *payload;

  Switches switches;
  switches.flow = static_cast<Flow>(data[1] % 3);
  switches.grey_split = (data[1] & 4) != 0;
  MoneyState state;
  state.agreed = true;
  if (auto shares = read_shares(payload->is_object() && payload->contains("payer_bp")
                                    ? (*payload)["payer_bp"]
                                    : Json({{"gemeente", 5000}, {"swv", 5000}}))) {
    state.any_line = true;
    state.funding.push_back({"", *shares, {}});
  }
  state.education_payer = "swv";
  auto entry = read_source(message);
  if (!entry) return 0;
  (void)money_codes(*entry, state, switches, false);
  if (entry->is_credit()) return 0;
  plan(*entry, state, switches, data[1] & 8 ? OddCent::swv : OddCent::gemeente);
  Numbering numbering;
  auto written = write_invoice(*entry, switches, 0, numbering);
  std::int64_t gross = 0, vat = 0;
  for (const auto& i : entry->issued) {
    if (i.gross < Cents{} || i.vat < Cents{} || i.vat > i.gross) std::abort();
    gross += i.gross.value(), vat += i.vat.value();
  }
  if (gross != entry->total().value() || vat != entry->vat.value()) std::abort();
  for (const auto& doc : written.invoices) {
    std::int64_t lines = 0;
    for (const auto& line : doc.lines) lines += line["share_cents"].get<std::int64_t>();
    if (lines != doc.amount_cents) std::abort();
  }
  // What the ledger keeps is read back as it was.
  Json invoices;
  apply_invoice_effect(invoices, invoice_effect(*entry));
  if (ledger_of(invoices).entries != std::vector{*entry}) std::abort();
  return 0;
}
