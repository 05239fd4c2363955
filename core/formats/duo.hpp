// DUO verzuim: the request that reports an absence and what comes back. DUO's contract is not public; this is the
// proposal in its house style (onderwijs.md section 4), so only the table in duo.cpp changes when the real one arrives.
// Pure; a melding holds a BSN: never log it.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/formats/soap.hpp"
#include "core/formats/table.hpp"
#include "core/formats/values.hpp"

namespace schakel::formats {

inline constexpr std::string_view kDuoOin = "00000001800866472000";
inline constexpr std::string_view kDuoVerzuimNs = "urn:oza:proposal:duo-verzuim:v1";
inline constexpr std::string_view kDuoVerzuimContract = "urn:oza:proposal:contract:duo-verzuim:v1";

struct DuoVerzuimdag {
  Date datum{};
  bool hele_dag = true;
  std::vector<int> lesuren;  ///< 1..12, at most 12
};

struct DuoContact {
  std::string naam, functie, email, telefoon;
};

/// Fields in the order of the contract; empty and nullopt mean absent (a tag without content may not be sent).
struct DuoVerzuimmelding {
  std::string brin;       ///< 00YY
  std::string vestiging;  ///< 00YY00
  std::string bsn;        ///< or onderwijsnummer; one of both
  std::string onderwijsnummer;
  std::string leerlingkenmerk;
  std::string soort_opleiding;  ///< PO, SO, VO, BVE
  std::optional<int> leerjaar;
  std::string verzuimsoort;  ///< V3, V4, LRV, L, RMC, O; V1 and V2 are read and never sent
  Date begin{};
  std::optional<Date> eind;
  std::string reden;
  std::string toelichting;
  bool actie_gewenst = false;
  std::string toelichting_actie, ondernomen_actie;
  std::optional<bool> alle_lessen_gemist;
  std::vector<DuoVerzuimdag> dagen;
  DuoContact contact;
};

struct DuoAanlevering {
  std::string
      document_id;  ///< UUID; unique and the same in every repeat of one delivery, since DUO refuses a reused one
  std::string message_id;  ///< UUID of this attempt
  std::string school_oin;
  std::string verzendende_instantie, ontvangende_instantie = "DUO";
  Instant tijd{};
  DuoVerzuimmelding melding;
};

/// The SOAP message for aanleverenVerzuimmelding. DUO_REQUEST_INVALID with every finding when a field does not fit the
/// contract; SOAP_HEADER and XML_CHARACTER as their writers.
[[nodiscard]] Result<std::string> write_aanleveren(const DuoAanlevering& request);
/// HTTP SOAPAction of it, without quotes.
[[nodiscard]] std::string aanleveren_action();

enum class DuoVerdict {
  accepted,       ///< meldingsnummer is filled
  already_known,  ///< this document id was used before: an earlier attempt arrived. meldingsnummer where DUO tells it
  rejected,       ///< for a person; repeating is useless
  retry           ///< DK0050, DK0051 or an unreadable 5xx
};

struct DuoAnswer {
  DuoVerdict verdict = DuoVerdict::rejected;
  std::string meldingsnummer;
  /// Codes only, for logs and people: "Client.DK0004", "BSN_ONGELDIG". Texts of DUO may hold personal data and are left
  /// out.
  std::vector<std::string> codes;
};

/// Reads the reply to `request`. A SOAP fault, or a 5xx that is none, becomes a verdict; DUO_REPLY (invalid) is
/// returned only when DUO says 2xx and the content is not an answer to this request: then it is unknown whether the
/// melding was taken.
[[nodiscard]] Result<DuoAnswer> read_aanleveren_answer(const DuoAanlevering& request, int http_status,
                                                       std::string_view bytes);

/// Fault code to verdict (onderwijs.md section 3: retry DK0050 and DK0051, everything else to a person).
[[nodiscard]] DuoVerdict duo_fault_verdict(std::string_view code);

[[nodiscard]] const ElementRule& duo_aanleveren_table();

}  // namespace schakel::formats
