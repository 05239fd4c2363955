// StUF-GGk 2.1.04: the envelope in which the GGk carries iJw messages (facturatie.md section 4). Pure.
//
// Only the envelope is read here; what is inside is judged by its own reader. The whole is at most 25 MB (IB003).
#pragma once
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {

inline constexpr std::string_view kGgkNs = "http://www.stufstandaarden.nl/koppelvlak/ggk0210";
inline constexpr std::string_view kStufNs = "http://www.egem.nl/StUF/StUF0301";

/// Who speaks to whom: a CBS or AGB code, and the name of a system.
struct GgkSystem {
  std::string organisatie, applicatie;
};

/// ggk_Di01 (a message, here a JW323) or ggk_Du01 (its return message, here a JW325).
struct GgkEnvelope {
  bool retour = false;
  GgkSystem zender, ontvanger;
  std::string referentienummer;  ///< UUID
  std::string tijdstip;          ///< yyyyMMddHHmmss
  std::string cross_ref;         ///< of a Du01: referentienummer of the Di01
  std::string functie;           ///< JW323, JW325
  std::string applicatie_versie = "0000", applicatie_subversie = "0000", functie_versie = "0003",
              functie_subversie = "0002";
  std::string bericht;  ///< decoded
};

/// Reads a Di01 or Du01, bare or as the one element of a SOAP 1.1 body. XML_* as read_xml; GGK_UNKNOWN (no such
/// element), GGK_FIELD (a field is missing or has not its form; the finding names it), GGK_CONTENT (xmlBestand is not
/// base64, is empty, or there is a text file instead).
[[nodiscard]] Result<GgkEnvelope> read_ggk(std::string_view bytes, const XmlLimits& limits = {});

/// The envelope as XML. GGK_FIELD when a field has not its form, GGK_TOO_LARGE above 25 MB.
[[nodiscard]] Result<std::string> write_ggk(const GgkEnvelope& envelope);

/// Answers of the StUF layer to an envelope.
struct StufAnswer {
  std::string berichtcode;  ///< Bv03 (taken), Fo03 (refused, in the same call), Fo01 (refused, later)
  GgkSystem zender, ontvanger;
  std::string referentienummer, tijdstip, cross_ref;
  std::string code, omschrijving;  ///< of a Fo01 or Fo03: StUF055 and what it means; no personal data
};
[[nodiscard]] Result<std::string> write_stuf_answer(const StufAnswer& answer, bool declaration = true);
/// The answer in a SOAP 1.1 envelope: a Bv03 as body, a Fo03 as detail of a Fault.
[[nodiscard]] Result<std::string> write_stuf_soap(const StufAnswer& answer);

}  // namespace schakel::formats
