// SOAP 1.1 with WS-Addressing as the Edukoppeling WUS profile has it (onderwijs.md section 3). Unsigned: the signature
// is put on by whoever holds the key. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {

inline constexpr std::string_view kSoapNs = "http://schemas.xmlsoap.org/soap/envelope/";
inline constexpr std::string_view kWsaNs = "http://www.w3.org/2005/08/addressing";
/// HTTP Content-Type of every message of this profile.
inline constexpr std::string_view kSoapContentType = "text/xml;charset=UTF-8";

struct SoapHeader {
  std::string to_oin, from_oin;  ///< 20 characters; from is the school's, also when a supplier sends (SaaS)
  std::string action;            ///< contract namespace + "/" + operation; the HTTP SOAPAction is the same
  std::string message_id;        ///< a UUID, written as urn:uuid:
  std::string relates_to;        ///< of a reply, as received
};

/// `body` is the one child of soap:Body: a fragment from XmlWriter without declaration. SOAP_HEADER when an OIN, the
/// action or the UUID does not have its form.
[[nodiscard]] Result<std::string> write_soap(const SoapHeader& header, std::string_view body);

struct SoapFault {
  std::string code;  ///< without its prefix: "Client.DK0004"
  std::string text;  ///< of the partner; may hold personal data, never log it
};

/// A received message. Not movable while handles from it live.
class SoapMessage {
 public:
  [[nodiscard]] const SoapHeader& header() const { return header_; }
  [[nodiscard]] const std::optional<SoapFault>& fault() const { return fault_; }
  /// The one element in Body; the Fault element when there is a fault.
  [[nodiscard]] XmlElement body() const;
  /// True when wsa:RelatesTo names that message, with or without urn:uuid: (DUO echoes what it got).
  [[nodiscard]] bool answers(std::string_view message_id) const;

 private:
  friend Result<SoapMessage> read_soap(std::string_view bytes, const XmlLimits& limits);
  explicit SoapMessage(XmlDocument document) : document_(std::move(document)) {}
  XmlDocument document_;
  SoapHeader header_;
  std::optional<SoapFault> fault_;
};

/// XML_* as read_xml; SOAP_VERSION (not a SOAP 1.1 envelope), SOAP_BODY (not exactly one element in one Body),
/// SOAP_HEADER (a wsa header twice, or one that must be understood and is not known).
[[nodiscard]] Result<SoapMessage> read_soap(std::string_view bytes,
                                            const XmlLimits& limits = {.bytes = 5 * 1024 * 1024});

}  // namespace schakel::formats
