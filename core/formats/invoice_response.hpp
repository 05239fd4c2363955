// The answer to an e-invoice: a UBL 2.1 ApplicationResponse as the Peppol BIS "Invoice Response" 3 uses it (transaction
// T111). It says what became of one invoice or credit note; it is no invoice and carries no amount. Pure.
#pragma once
#include "core/formats/ubl.hpp"

namespace schakel::formats {

/// UNCL4343, the part that the Invoice Response allows and that a broker can truthfully say.
enum class ResponseStatus {
  in_process,   ///< IP: taken and passed on; whether it is paid is up to the payer
  under_query,  ///< UQ: it waits for a person
  rejected      ///< RE: not passed on, or refused by who had to pay it
};

/// Who answers or is answered. `id` empty: no EndpointID is written.
struct ResponseParty {
  std::string name;
  UblId id;
};

struct InvoiceResponse {
  std::string id;  ///< of this answer
  Date issued;
  ResponseParty sender, receiver;  ///< the buyer of the invoice, and its seller
  ResponseStatus status = ResponseStatus::in_process;
  std::string reason;     ///< in words; what a person at the seller's reads. Empty: none
  std::string invoice;    ///< number of the invoice it answers
  std::string type_code;  ///< 380, 381, ... of that invoice
};

/// The document. XML_CHARACTER when a text cannot be written as XML 1.0; INVOICE_RESPONSE_INCOMPLETE without id, number
/// or one of the names.
[[nodiscard]] Result<std::string> write_invoice_response(const InvoiceResponse& response);

}  // namespace schakel::formats
