#include "core/delivery/invoice_document.hpp"

#include <fmt/format.h>

#include "schakel/outcome.hpp"

namespace schakel::delivery {

Result<InvoiceDocument> make_document(const Delivery& delivery, const Json& config, Json* stated) {
  Json invoice = sdk::object_at(delivery.body, "invoice");
  auto files = formats::invoice_files(invoice, delivery.pseudonym, formats::InvoiceSettings(config));
  if (!files) return fail(std::move(files.error()));
  std::string to = sdk::text_at(delivery.endpoint, "mail");
  if (to.empty()) to = sdk::text_at(invoice, "address");
  if (stated) {
    *stated = formats::stated_amounts(files->document);
    // Where no agreement says how VAT is treated its seller does: as it was set when this was made
    // (pipeline/books.hpp).
    (*stated)["verkoperBtw"] = sdk::text_at(sdk::object_at(invoice, "seller"), "vat_category");
  }
  InvoiceDocument out;
  out.message_id = fmt::format("factuur.{}", sdk::stable_uuid(files->document.id + "\n" + to + "\n" + files->xml));
  if (auto domain = sdk::text_at(config, "message_id_domain"); !domain.empty()) out.message_id += "@" + domain;
  out.name = std::move(files->name);
  out.xml = std::move(files->xml);
  out.pdf = std::move(files->pdf);
  out.number = files->document.id;
  out.supplier = files->document.supplier.name;
  const auto& ubl = files->document;
  // A reference of the buyer's own is the same on every invoice; then the case stands beside it (facturatie.md 2.6).
  out.arrangement = ubl.order_reference.empty() ? ubl.buyer_reference : ubl.order_reference;
  out.payment_id = files->document.payment_id;
  out.credit_note = files->document.credit_note;
  return out;
}

Bytes pack_document(const SealedInvoice& sealed) {
  const auto& d = sealed.document;
  Json head{{"name", d.name},
            {"address", sealed.address},
            {"message_id", d.message_id},
            {"number", d.number},
            {"supplier", d.supplier},
            {"arrangement", d.arrangement},
            {"payment_id", d.payment_id},
            {"credit_note", d.credit_note},
            {"xml_bytes", d.xml.size()},
            {"pdf_bytes", d.pdf.size()}};
  // Dumped JSON has no line feed: the first one ends it, and the files follow as they are.
  return to_bytes(dump_json(head) + "\n" + d.xml + d.pdf);
}

Result<SealedInvoice> unpack_document(ByteView bytes) {
  auto broken = [] { return fail(ErrorKind::io, "DOCUMENT_BROKEN", "a sealed invoice is not what was sealed"); };
  std::string_view text = as_text(bytes);
  auto end = text.find('\n');
  if (end == std::string_view::npos) return broken();
  auto head = parse_json(text.substr(0, end));
  if (!head || !head->is_object()) return broken();
  auto xml = sdk::number_at(*head, "xml_bytes"), pdf = sdk::number_at(*head, "pdf_bytes");
  text.remove_prefix(end + 1);
  const auto size = static_cast<std::int64_t>(text.size());
  if (!xml || !pdf || *xml <= 0 || *pdf < 0 || *xml > size || *pdf != size - *xml) return broken();
  SealedInvoice sealed;
  sealed.address = sdk::object_at(*head, "address");
  auto& d = sealed.document;
  d.name = sdk::text_at(*head, "name");
  d.message_id = sdk::text_at(*head, "message_id");
  d.number = sdk::text_at(*head, "number");
  d.supplier = sdk::text_at(*head, "supplier");
  d.arrangement = sdk::text_at(*head, "arrangement");
  d.payment_id = sdk::text_at(*head, "payment_id");
  d.credit_note = head->value("credit_note", false);
  d.xml = text.substr(0, static_cast<std::size_t>(*xml));
  d.pdf = text.substr(static_cast<std::size_t>(*xml));
  if (d.name.empty() || d.message_id.empty() || d.number.empty()) return broken();
  return sealed;
}

}  // namespace schakel::delivery
