#include "core/formats/invoice_response.hpp"

namespace schakel::formats {
namespace {

void response_party(XmlWriter& x, std::string_view name, const ResponseParty& party) {
  x.open(name);
  if (!party.id.value.empty()) {
    x.open("cbc:EndpointID");
    if (!party.id.scheme.empty()) x.attribute("schemeID", party.id.scheme);
    x.text(party.id.value).close();
  }
  x.open("cac:PartyLegalEntity").element("cbc:RegistrationName", party.name).close();
  x.close();
}

void coded(XmlWriter& x, std::string_view name, std::string_view list, std::string_view code) {
  x.open(name).attribute("listID", list).text(code).close();
}

std::string_view status_code(ResponseStatus status) {
  switch (status) {
    case ResponseStatus::in_process:
      return "IP";
    case ResponseStatus::under_query:
      return "UQ";
    case ResponseStatus::rejected:
      break;
  }
  return "RE";
}

}  // namespace

Result<std::string> write_invoice_response(const InvoiceResponse& r) {
  if (r.id.empty() || r.invoice.empty() || r.sender.name.empty() || r.receiver.name.empty())
    return fail(ErrorKind::invalid, "INVOICE_RESPONSE_INCOMPLETE", "id, invoice number and both names are needed");
  XmlWriter x;
  x.open("ApplicationResponse")
      .attribute("xmlns", "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2")
      .attribute("xmlns:cac", kCac)
      .attribute("xmlns:cbc", kCbc);
  x.element("cbc:CustomizationID", "urn:fdc:peppol.eu:poacc:trns:invoice_response:3")
      .element("cbc:ProfileID", "urn:fdc:peppol.eu:poacc:bis:invoice_response:3")
      .element("cbc:ID", r.id)
      .element("cbc:IssueDate", format_date(r.issued));
  response_party(x, "cac:SenderParty", r.sender);
  response_party(x, "cac:ReceiverParty", r.receiver);
  x.open("cac:DocumentResponse").open("cac:Response");
  coded(x, "cbc:ResponseCode", "UNCL4343OpSubset", status_code(r.status));
  x.element("cbc:EffectiveDate", format_date(r.issued));
  // What is refused or queried has a clarification, also where there are no words for it.
  if (!r.reason.empty() || r.status != ResponseStatus::in_process) {
    x.open("cac:Status");
    coded(x, "cbc:StatusReasonCode", "OPStatusReason", r.status == ResponseStatus::in_process ? "NON" : "OTH");
    x.optional("cbc:StatusReason", r.reason).close();
  }
  x.close().open("cac:DocumentReference").element("cbc:ID", r.invoice);
  if (!r.type_code.empty()) coded(x, "cbc:DocumentTypeCode", "UNCL1001", r.type_code);
  x.close().close().close();
  return std::move(x).finish();
}

}  // namespace schakel::formats
