// The document of an invoice: rendered in one place, and the form in which it rests. Pure.
#pragma once
#include "core/formats/invoice_ubl.hpp"
#include "schakel/adapter.hpp"

namespace schakel::delivery {

/// From delivery.body.invoice, its endpoint and the configuration of the channel. The Message-ID comes from number,
/// receiver and content. `stated` gets what it asks. Errors: those of formats::invoice_files.
[[nodiscard]] Result<InvoiceDocument> make_document(const Delivery& delivery, const Json& config,
                                                    Json* stated = nullptr);

/// A document with the address that it was made for: both stay as they were at the first attempt, whatever changes in
/// the parties.
struct SealedInvoice {
  InvoiceDocument document;
  Json address = Json::object();
};
[[nodiscard]] Bytes pack_document(const SealedInvoice& sealed);
/// DOCUMENT_BROKEN (io) when it is not what pack_document made.
[[nodiscard]] Result<SealedInvoice> unpack_document(ByteView bytes);

}  // namespace schakel::delivery
