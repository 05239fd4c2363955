// iJw 3.2: JW323 (declaratie) and JW325 (declaratie-antwoord). Names are those of the standard.
// Source: facturatie.md section 3; rule ids (CS, CD, RS, TR, IV, OP) are those of iJw 3.2. Pure; holds BSNs, so never
// log it.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/money.hpp"
#include "core/formats/table.hpp"
#include "core/formats/values.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {

struct IjwPeriode {
  Date begin{}, eind{};
  bool operator==(const IjwPeriode&) const = default;
};

struct IjwVersies {
  std::string basisschema = "1.0.0", bericht = "1.0.0";
  bool operator==(const IjwVersies&) const = default;
};

struct IjwPrestatie {
  std::string referentie;
  std::string vorige_referentie;  ///< empty: none. Filled exactly when `credit` (CD060)
  std::int64_t toewijzing = 0;
  std::string categorie, product;
  IjwPeriode periode;
  std::int64_t volume = 0;
  std::string eenheid;
  std::optional<Cents> tarief;  ///< absent exactly with eenheid 83 (CD087)
  Cents bedrag;                 ///< never negative; see `credit` (IV091)
  bool credit = false;
  int line = 0;  ///< in the XML, 0 when made here
  [[nodiscard]] Cents signed_bedrag() const { return credit ? -bedrag : bedrag; }
};

struct IjwClient {
  std::string bsn;
  std::vector<IjwPrestatie> prestaties;
};

struct Jw323 {
  std::string afzender;   ///< AGB of the zorgaanbieder, 8 digits
  std::string ontvanger;  ///< CBS code of the gemeente, 4 digits
  std::string identificatie;
  Date dagtekening{};
  IjwVersies versies;
  std::string declaratienummer;
  IjwPeriode periode;
  Date declaratie_dagtekening{};
  Cents totaal;  ///< signed: negative for C
  std::vector<IjwClient> clienten;
};

/// A broken rule, with where it broke and what a JW325 answers to it.
struct IjwFinding {
  Finding finding;  ///< code "IJW_<rule>", rule "TR346"
  std::string_view retour = "0001";
  std::ptrdiff_t client = -1, prestatie = -1;  ///< indices; -1 when it is about the whole message
};

struct Jw323Read {
  /// Present when level 1 passed, whatever level 2 says.
  std::optional<Jw323> message;
  /// Level 1: bytes, XML and table. With any of these there is no JW325 at all: the transport answers (Fo01).
  std::vector<Finding> structure;
  /// Level 2, as far as one message shows; only when level 1 passed (IV088).
  std::vector<IjwFinding> rules;
  [[nodiscard]] bool accepted() const { return message && structure.empty() && rules.empty(); }
};

/// Reads and judges a JW323. `today` adds TR135 (not dated in the future). Never fails otherwise than by findings.
[[nodiscard]] Jw323Read read_jw323(std::string_view bytes, std::optional<Date> today = std::nullopt,
                                   const XmlLimits& limits = {.refuse_bom = true});

/// A national product code (45A03) begins with its category (JZ020, TR381); other codes are of the contract (IV075).
[[nodiscard]] bool of_another_category(std::string_view product, std::string_view categorie);

/// The one-message rules on a declaration however it was made.
[[nodiscard]] std::vector<IjwFinding> check_jw323(const Jw323& declaration, std::optional<Date> today = std::nullopt);

/// JW323 text: UTF-8, no mark, CR/LF (OP192). XML_CHARACTER when a field cannot be written.
[[nodiscard]] Result<std::string> write_jw323(const Jw323& declaration);

struct IjwAnswerPrestatie {
  IjwPrestatie prestatie;
  std::vector<std::string> retour;
};
struct IjwAnswerClient {
  std::string bsn;
  std::vector<IjwAnswerPrestatie> prestaties;  ///< rejected lines only
  std::vector<std::string> retour;
};
struct IjwDeclaratieAntwoord {
  std::string declaratienummer;
  Cents ingediend, toegekend;  ///< signed
  std::vector<IjwAnswerClient> clienten;
  std::vector<std::string> retour;
};

struct Jw325 {
  std::string afzender;   ///< gemeente
  std::string ontvanger;  ///< aanbieder
  std::string identificatie;
  Date dagtekening{};
  IjwVersies versies;
  std::string declaratie_identificatie;  ///< BerichtIdentificatie of the JW323 (TR337)
  Date declaratie_dagtekening{};
  std::string xslt_versie = "1.0.0";
  IjwVersies declaratie_versies;
  std::vector<std::string> retour;
  std::optional<IjwDeclaratieAntwoord> antwoord;  ///< absent when the whole message is rejected (level 2)
};

struct Jw325Read {
  std::optional<Jw325> message;
  std::vector<Finding> structure;
  std::vector<IjwFinding> rules;
  [[nodiscard]] bool accepted() const { return message && structure.empty() && rules.empty(); }
};
[[nodiscard]] Jw325Read read_jw325(std::string_view bytes, const XmlLimits& limits = {.refuse_bom = true});
/// TR342: rejected lines explain submitted minus granted; CS002, CS325, CD060, CD087, CS337, TR346 on the lines.
[[nodiscard]] std::vector<IjwFinding> check_jw325(const Jw325& answer);
[[nodiscard]] Result<std::string> write_jw325(const Jw325& answer);

/// What the gemeente decides about one line. `codes` are not empty.
struct IjwRejectedLine {
  std::size_t client = 0, prestatie = 0;
  std::vector<std::string> codes;
};

/// Everything granted: 0200 in the header, 8001 on the declaration.
[[nodiscard]] Jw325 grant_all(const Jw323& declaration, std::string identificatie, Date dagtekening);
/// Some lines (or all) rejected; a line is granted or rejected as a whole (IV087). `unknown_clients`: 8187 on the
/// client and 0233 on all its lines.
[[nodiscard]] Jw325 reject_lines(const Jw323& declaration, std::string identificatie, Date dagtekening,
                                 const std::vector<IjwRejectedLine>& lines,
                                 const std::vector<std::size_t>& unknown_clients = {});
/// The declaration as a whole, as 9333 for a number used before: granted is 0, no lines.
[[nodiscard]] Jw325 reject_declaration(const Jw323& declaration, std::string identificatie, Date dagtekening,
                                       std::string code);
/// Level 2: the message as a whole, normally 0001; there is no DeclaratieAntwoord.
[[nodiscard]] Jw325 reject_message(const Jw323& declaration, std::string identificatie, Date dagtekening,
                                   std::string code = "0001");
/// Applies the findings of read_jw323: any that is answered with 0001 or 8848 rejects the message, the others their
/// lines; without findings all is granted.
[[nodiscard]] Jw325 answer_to(const Jw323& declaration, const std::vector<IjwFinding>& rules, std::string identificatie,
                              Date dagtekening);

/// The lines that a JW325 leaves granted, as (client, prestatie) indices into the declaration; none when the message or
/// the declaration was rejected. IJW_ANSWER_MISMATCH when the answer is not about this declaration or names a line it
/// does not have (TR337, TR367).
[[nodiscard]] Result<std::vector<std::pair<std::size_t, std::size_t>>> granted_lines(const Jw323& declaration,
                                                                                     const Jw325& answer);

/// The return code that answers a broken rule: "TR346" -> "9346"; "0001" where the standard gives none.
[[nodiscard]] std::string_view retour_code(std::string_view rule);

inline constexpr std::string_view kIjwBasis = "http://www.istandaarden.nl/ijw/3_2/basisschema/schema";
inline constexpr std::string_view kJw323Ns = "http://www.istandaarden.nl/ijw/3_2/jw323/schema";
inline constexpr std::string_view kJw325Ns = "http://www.istandaarden.nl/ijw/3_2/jw325/schema";
[[nodiscard]] const ElementRule& jw323_table();
[[nodiscard]] const ElementRule& jw325_table();

}  // namespace schakel::formats
