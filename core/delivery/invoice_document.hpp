// The document of an invoice: rendered in one place, and the form in which it rests. Pure.
#pragma once
#include "core/formats/invoice_ubl.hpp"
#include "schakel/adapter.hpp"

namespace schakel::delivery {

/// From delivery.body.invoice, its endpoint and the configuration of the channel. The Message-ID comes from number,
/// receiver and content. Errors: those of formats::invoice_files.
[[nodiscard]] Result<InvoiceDocument> make_document(const Delivery& delivery, const Json& config);

[[nodiscard]] Bytes pack_document(const InvoiceDocument& document);
/// DOCUMENT_BROKEN (io) when it is not what pack_document made.
[[nodiscard]] Result<InvoiceDocument> unpack_document(ByteView bytes);

}  // namespace schakel::delivery
