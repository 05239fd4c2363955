// UBL 2.1 Invoice and CreditNote as EN 16931 and NLCIUS (SI-UBL 2.0) use them; Peppol BIS 3 as an option.
// Source: facturatie.md section 2. Rule ids: BR-* of EN 16931, BR-NL-* of NLCIUS, PEPPOL-* of Peppol, SCH-* our own:
//   SCH-IBAN mod-97, SCH-KVK/SCH-OIN/SCH-VAT identifier form, SCH-EUR euro only, SCH-CREDIT credit note with negative
//   amounts, SCH-LINE quantity x price is not the line, SCH-AMOUNT amount out of range, SCH-ATTACHMENT embedded file
//   does not decode, SCH-CATEGORY a VAT category other than O, E, Z and S, SCH-TYPE a type that is not carried,
//   SCH-REFERENCE a credit note without or with more than one invoice; check_carried has those of what comes in:
//   SCH-PAYMENT, SCH-PAYEE, SCH-DATE, SCH-LINES, SCH-RATES, SCH-NUMBER, SCH-PREPAID.
// Pure. No BSN, name or birth date of a pupil belongs in here (CORE-PRIV): only an arrangement reference.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/error.hpp"
#include "core/base/money.hpp"
#include "core/formats/table.hpp"
#include "core/formats/values.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {

/// A quantity, price or rate: units / 10^scale, kept as it was written. Money itself is always Cents.
struct UblDecimal {
  std::int64_t units = 0;
  int scale = 0;
  /// At most 15 digits, scale at most 8.
  [[nodiscard]] static std::optional<UblDecimal> parse(std::string_view text);
  [[nodiscard]] static UblDecimal of(std::int64_t whole) { return {whole, 0}; }
  [[nodiscard]] static UblDecimal of(Cents amount) { return {amount.value(), 2}; }
  [[nodiscard]] std::string text() const;
  /// Same number, whatever the scale.
  [[nodiscard]] bool equals(UblDecimal other) const;
  bool operator==(const UblDecimal&) const = default;
};

/// An identifier with its scheme: 0106 KvK, 0190 OIN, EM mail address. The scheme comes from a typed field, never from
/// length.
struct UblId {
  std::string scheme, value;
  bool operator==(const UblId&) const = default;
};

struct UblParty {
  UblId endpoint;    ///< BT-34/49; empty value: none. Required by Peppol only
  std::string name;  ///< BT-28/45
  std::string street, extra, city, zip, country = "NL";
  std::string registration_name;  ///< BT-27/44
  UblId legal_id;                 ///< BT-30/47
  std::string vat_number;         ///< BT-31/48; must be empty with VAT category O
  std::string contact, phone, mail;
  bool operator==(const UblParty&) const = default;
};

struct UblPeriod {
  std::optional<Date> start, end;
  bool operator==(const UblPeriod&) const = default;
};

struct UblAttachment {
  std::string id, description;
  std::string filename, mime;  ///< both empty: a reference without a file
  Bytes content;
  bool operator==(const UblAttachment&) const = default;
};

/// A VAT breakdown (BG-23).
struct UblTax {
  std::string category;               ///< O, E, S ...
  std::optional<UblDecimal> percent;  ///< absent for O
  Cents taxable, tax;
  std::string reason, reason_code;
  bool operator==(const UblTax&) const = default;
};

/// Document level allowance (BG-20) or charge (BG-21). Read and kept; we never make one.
struct UblAllowance {
  bool charge = false;
  Cents amount;
  std::string reason, category;
  std::optional<UblDecimal> percent;
  bool operator==(const UblAllowance&) const = default;
};

struct UblLine {
  std::string id;
  std::string note;
  UblDecimal quantity = UblDecimal::of(1);
  std::string unit = "C62";
  Cents net;
  std::optional<UblPeriod> period;
  std::string description, name;
  std::string seller_item;
  std::string category = "O";
  std::optional<UblDecimal> percent;
  std::vector<std::pair<std::string, std::string>> properties;
  UblDecimal price;
  std::optional<UblDecimal> base_quantity;
  Cents adjustments;  ///< charges minus allowances of the line; read only
  bool operator==(const UblLine&) const = default;
};

inline constexpr std::string_view kEn16931 = "urn:cen.eu:en16931:2017";
inline constexpr std::string_view kNlcius = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0";
inline constexpr std::string_view kPeppolBis3 =
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
inline constexpr std::string_view kPeppolBillingProcess = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0";

/// An invoice (380, 384, 389) or a credit note (381, positive amounts).
struct UblDocument {
  bool credit_note = false;
  std::string customization{kNlcius};
  std::string profile{kPeppolBillingProcess};
  std::string id;
  Date issue_date{};
  std::optional<Date> due_date;  ///< on a credit note written as PaymentMeans/PaymentDueDate
  std::string type_code = "380";
  std::vector<std::string> notes;
  std::string currency = "EUR";
  std::string buyer_reference;  ///< BT-10: required here, receivers route on it
  std::string order_reference;
  std::optional<UblPeriod> period;
  std::vector<std::string> billing_references;  ///< BT-25: numbers of the invoices that this corrects
  std::vector<UblAttachment> attachments;
  UblParty supplier, customer;
  std::string payment_means = "30";  ///< empty: none
  std::string payment_id, iban;
  /// PaymentMeans beside the first: code and account. Read only.
  std::vector<std::pair<std::string, std::string>> further_means;
  /// Who is to be paid instead of the seller (PayeeParty): its legal id, empty when it has none. Read only.
  std::optional<UblId> payee;
  std::string payment_terms;
  std::vector<UblAllowance> allowances;
  Cents tax_total;
  std::vector<UblTax> taxes;
  Cents line_total, tax_exclusive, tax_inclusive;
  std::optional<Cents> allowance_total, charge_total, prepaid, rounding;
  Cents payable;
  std::vector<UblLine> lines;
  bool operator==(const UblDocument&) const = default;
};

/// Fills line ids that are empty, the VAT breakdown (one per category and rate, tax 0: we never compute VAT,
/// CORE-MONEY-05) and all totals from the lines. `exemption_reason` is required text for O and E (BR-O-10, BR-E-10).
void complete_totals(UblDocument& document, std::string_view exemption_reason);

/// EN 16931, NLCIUS or Peppol (by CustomizationID) and our own rules on a document however it was made. Pointers are
/// UBL paths, with the line number as [n]; code is UBL_RULE, rule the id.
[[nodiscard]] std::vector<Finding> check_ubl(const UblDocument& document);

/// Lines of an invoice that are carried: of a UBL document, and of one pupil and month of a JW323.
inline constexpr std::size_t kMostLines = 10'000;
/// VAT breakdowns of a UBL document that are carried; each of them is shared over its lines.
inline constexpr std::size_t kMostRates = 100;

/// Rules of ours for what comes in, beside check_ubl: SCH-TYPE a corrective invoice (384), SCH-REFERENCE a credit note
/// on more than one invoice, SCH-PREPAID an amount paid before or rounded, SCH-NUMBER a number that could hold a BSN or
/// that no document of ours can have, SCH-LINES too many lines, SCH-RATES too many VAT breakdowns, SCH-PAYMENT an
/// invoice that is not to be paid by transfer (30, 57, 58) to an IBAN, SCH-PAYEE to another than the seller, SCH-DATE
/// dated after tomorrow (where `today` is given) or due before its date.
[[nodiscard]] std::vector<Finding> check_carried(const UblDocument& document, std::optional<Date> today = std::nullopt);

/// The XML, after check_ubl and read back once: UBL_INVALID with all findings when a rule is broken, so that nothing
/// wrong leaves the house.
[[nodiscard]] Result<std::string> write_ubl(const UblDocument& document);
/// The same without check_ubl, for a document that it passed; what is written is read back all the same.
[[nodiscard]] Result<std::string> write_checked_ubl(const UblDocument& document);
/// The XML without the check. For tests and for rendering what another party sent.
[[nodiscard]] Result<std::string> render_ubl(const UblDocument& document);

struct UblRead {
  /// Present when root, required elements and value types are right; rules may still be broken.
  std::optional<UblDocument> document;
  /// Everything that makes it unacceptable, bytes first, then structure, then rules.
  std::vector<Finding> findings;
  /// What we pass over: elements that we do not read.
  std::vector<Finding> warnings;
  [[nodiscard]] bool accepted() const { return document && findings.empty(); }
};

/// Reads a UBL 2.1 Invoice or CreditNote with any prefixes. Never fails otherwise than by findings.
[[nodiscard]] UblRead read_ubl(std::string_view bytes, const XmlLimits& limits = {});

inline constexpr std::string_view kUblInvoice = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2";
inline constexpr std::string_view kUblCreditNote = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2";
inline constexpr std::string_view kCac = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
inline constexpr std::string_view kCbc = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";
inline constexpr std::string_view kUblExtensions =
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2";
[[nodiscard]] const ElementRule& ubl_invoice_table();
[[nodiscard]] const ElementRule& ubl_credit_note_table();

}  // namespace schakel::formats
