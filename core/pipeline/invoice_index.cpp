#include "core/pipeline/invoice_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/model/invoice_types.hpp"

namespace schakel::pipeline {

void index_invoices(const Message& m, const Draft& d, const std::vector<outbox::Planned>& planned,
                    store::Transaction& with) {
  auto put = [&](std::string_view space, std::string key, const Json& value) {
    with.ops.push_back(store::PutRow{std::string(space), std::move(key), to_bytes(dump_json(value)), std::nullopt});
  };
  auto in_row = [&](const std::string& id, std::string number, std::string status,
                    const std::vector<std::string>& codes, const std::string& party) {
    put(kInvoicesIn, m.subject + "/" + id,
        {{"zaak", m.subject},
         {"nummer", number},
         {"bericht", id},
         {"status", status},
         {"codes", codes},
         {"partij", party},
         {"bijgewerkt", format_instant(m.time)}});
  };
  if (is_invoice_type(m.type))
    in_row(m.id, m.payload.value("number", ""), std::string(to_string(d.outcome)), d.codes, m.party);
  if (is_invoice_type(m.type) && d.outcome == Outcome::held && m.payload.contains("answer_due"))
    put(kInvoiceAnswer, m.subject + "/" + m.id,
        {{"zaak", m.subject},
         {"nummer", m.payload.value("number", "")},
         {"bericht", m.id},
         {"regio", m.region},
         {"termijn", m.payload.value("answer_due", "")}});
  auto answered = [&](const std::string& id) {
    with.ops.push_back(store::EraseRow{std::string(kInvoiceAnswer), m.subject + "/" + id, std::nullopt});
  };
  // A decision may also change why others are held, or refuse a held credit whose turn has come.
  for (const auto& e : d.effects)
    if (e.what == "invoice" && e.value.value("message", "") != m.id && e.value.value("status", "") != "forwarded") {
      in_row(e.value.at("message"), e.value.at("number"), e.value.at("status"), e.value.at("codes"),
             e.value.value("party", ""));
      if (e.value.value("status", "") != "held") answered(e.value.at("message"));
    }
  std::set<std::string> released;
  for (const auto& e : d.effects)
    if (e.what == "invoice_status") put(kInvoiceState, e.key, e.value);
  for (const auto& i : d.invoices) {
    // A number is one only of its creditor and kind: two providers may both send a "2026-001" in one case.
    auto delivery = outbox::invoice_delivery_id(m, i),
         key = fmt::format("{}/{}/{}/{}", m.subject, i.number, i.payer, delivery);
    auto plan = std::ranges::find(planned, delivery, &outbox::Planned::id);
    auto party = [&](const char* side) {
      return plan == planned.end() ? std::string() : plan->body["invoice"].value(side, "");
    };
    with.ops.push_back(store::PutRow{std::string(outbox::kInvoiceOfDelivery), delivery, to_bytes(key), std::nullopt});
    put(outbox::kInvoicesOut, key,
        {{"zaak", m.subject},
         {"aflevering", delivery},
         {"nummer", i.number},
         {"soort", i.kind},
         {"betaler", i.payer},
         {"ontvanger", i.payee},
         {"adres", i.address},
         {"bedragCent", i.amount_cents},
         {"btwCent", i.vat_cents ? Json(*i.vat_cents) : Json()},
         {"bron", i.source_number},
         {"crediteert", i.credits},
         {"bericht", m.seq},
         {"gemaaktOp", format_instant(m.time)},
         {"vrijgegevenDoor", i.released_by},
         {"regio", m.region},
         {"betalerPartij", party("buyer_party")},
         {"ontvangerPartij", party("seller_party")}});
    if (i.released_by != 0 && !i.source_message.empty() && released.insert(i.source_message).second) {
      in_row(i.source_message, i.source_number, "released", {}, i.payee_party);
      answered(i.source_message);
    }
  }
  for (const auto& e : d.effects)
    if (auto id = outbox::released_without_document(e, m); !id.empty() && released.insert(id).second) {
      in_row(id, e.value.value("number", ""), "released", {}, e.value.value("party", ""));
      answered(id);
    }
}

}  // namespace schakel::pipeline
