// What is this file, and is it acceptable: the engine of `schakel message check`. Pure.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/formats/values.hpp"

namespace schakel::formats {

enum class MessageKind {
  cloud_event,
  cloud_event_batch,
  jw323,
  jw325,
  ubl_invoice,
  ubl_credit_note,
  oso_dossier,
  ggk_envelope,
  soap,
  unknown
};

/// "JW323", "UBL Invoice": for people and for --json.
[[nodiscard]] std::string_view kind_name(MessageKind kind);

/// By root element or by the shape of the JSON; never by file name. Cheap: no full parse.
/// Where the low bytes of XML in UTF-16 begin, with a byte order mark or without; nullopt: it is not.
[[nodiscard]] std::optional<std::size_t> utf16_low(std::string_view bytes);
[[nodiscard]] MessageKind sniff(std::string_view bytes);

struct MessageReport {
  MessageKind kind = MessageKind::unknown;
  std::vector<Finding> findings;  ///< empty: acceptable
  std::vector<Finding> warnings;
};

/// Judges the XML kinds: JW323 and JW325 with their one-message rules, UBL with EN 16931, NLCIUS and ours, OSO dossiers
/// with the SWV profile's prohibitions, SOAP as an envelope; a StUF-GGk envelope, bare or in SOAP, by what is in it. A
/// CloudEvent gets its kind only: its schema check is the ingress's. `today` adds what may not be dated in the future
/// (TR135, SCH-DATE). MESSAGE_UNKNOWN is the finding for anything else.
[[nodiscard]] MessageReport check_message(std::string_view bytes, std::optional<Date> today = std::nullopt);

}  // namespace schakel::formats
