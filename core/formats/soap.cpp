#include "core/formats/soap.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/formats/values.hpp"
#include "core/model/party.hpp"

namespace schakel::formats {
namespace {

constexpr std::string_view kWsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
constexpr std::string_view kUuid = "urn:uuid:";

std::string anonymous(std::string_view oin) { return fmt::format("{}/anonymous?oin={}", kWsaNs, oin); }
std::string oin_of(std::string_view address) {
  auto at = address.find("oin=");
  return at == std::string_view::npos ? "" : std::string(address.substr(at + 4, address.find('&', at) - at - 4));
}
std::string_view bare(std::string_view id) { return id.starts_with(kUuid) ? id.substr(kUuid.size()) : id; }
bool same_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

Result<std::string> write_soap(const SoapHeader& h, std::string_view body) {
  if (!valid_oin(h.to_oin) || !valid_oin(h.from_oin))
    return fail(ErrorKind::invalid, "SOAP_HEADER", "an OIN is eight digits, nine digits or capitals, and 000");
  if (!valid_uuid(h.message_id)) return fail(ErrorKind::invalid, "SOAP_HEADER", "the message id is not a UUID");
  if (h.action.empty() || h.action.find('"') != std::string::npos)
    return fail(ErrorKind::invalid, "SOAP_HEADER", "there is no action");
  XmlWriter w({.indent = false});
  w.open("soap:Envelope").attribute("xmlns:soap", kSoapNs);
  w.open("soap:Header").attribute("xmlns:wsa", kWsaNs);
  w.element("wsa:To", anonymous(h.to_oin))
      .element("wsa:Action", h.action)
      .element("wsa:MessageID", fmt::format("{}{}", kUuid, h.message_id));
  w.optional("wsa:RelatesTo", h.relates_to);
  w.open("wsa:From").element("wsa:Address", anonymous(h.from_oin)).close();
  w.close();
  w.open("soap:Body").raw(body).close().close();
  return std::move(w).finish();
}

XmlElement SoapMessage::body() const { return document_.root().child(kSoapNs, "Body").first_child(); }

bool SoapMessage::answers(std::string_view message_id) const {
  return !header_.relates_to.empty() && same_ignoring_case(bare(header_.relates_to), bare(message_id));
}

Result<SoapMessage> read_soap(std::string_view bytes, const XmlLimits& limits) {
  auto refuse = [](const char* code, const char* text) { return fail(ErrorKind::invalid, code, text); };
  auto xml = read_xml(bytes, limits);
  if (!xml) return fail(xml.error());
  SoapMessage message(std::move(*xml));
  auto root = message.document_.root();
  if (!root.is(kSoapNs, "Envelope")) return refuse("SOAP_VERSION", "not a SOAP 1.1 envelope");
  int headers = 0, bodies = 0;
  for (XmlElement part : root.children()) {
    if (part.is(kSoapNs, "Header")) {
      // Behind the body a header would be read by some and not by others.
      if (++headers > 1 || bodies > 0) return refuse("SOAP_HEADER", "more than one header, or one behind the body");
      for (XmlElement e : part.children()) {
        auto must = e.attribute("mustUnderstand", kSoapNs);
        if (e.ns() != kWsaNs) {
          if (must == "1" && e.ns() != kWsse)
            return refuse("SOAP_HEADER", "a header that must be understood is not known");
          continue;
        }
        auto name = e.local();
        auto& h = message.header_;
        std::string* field = name == "To"          ? &h.to_oin
                             : name == "From"      ? &h.from_oin
                             : name == "Action"    ? &h.action
                             : name == "MessageID" ? &h.message_id
                             : name == "RelatesTo" ? &h.relates_to
                                                   : nullptr;
        if (!field) continue;
        if (!field->empty()) return refuse("SOAP_HEADER", "a wsa header stands twice");
        auto text = collapse(name == "From" ? e.child(kWsaNs, "Address").text() : e.text());
        *field = name == "To" || name == "From" ? oin_of(text)
                 : name == "MessageID"          ? std::string(bare(text))
                                                : std::string(text);
      }
    } else if (part.is(kSoapNs, "Body")) {
      ++bodies;
    }
  }
  auto body = message.body();
  if (bodies != 1 || !body || body.next_sibling())
    return refuse("SOAP_BODY", "the envelope has not exactly one element in one Body");
  if (body.is(kSoapNs, "Fault")) {
    // faultcode is a qualified name; the prefix says nothing.
    auto code = collapse(body.child("", "faultcode").text());
    if (auto colon = code.find(':'); colon != std::string_view::npos) code.remove_prefix(colon + 1);
    message.fault_ =
        SoapFault{std::string(code.substr(0, 100)), std::string(collapse(body.child("", "faultstring").text()))};
  }
  return message;
}

}  // namespace schakel::formats
