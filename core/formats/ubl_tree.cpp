#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"

namespace schakel::formats {
namespace {

constexpr std::string_view kSchemaInstance = "http://www.w3.org/2001/XMLSchema-instance";

class TreeRules {
 public:
  explicit TreeRules(const XmlElement& root)
      : root_(root),
        kinds_(root.name_count()),
        attributes_(root.name_count()),
        nlcius_(collapse(root.child(kCbc, "CustomizationID").text()) == kNlcius),
        ordered_(root.child(kCac, "OrderReference").child(kCbc, "ID")) {}

  std::vector<Finding> run() && {
    attributes(root_);
    visit(root_);
    if (representative_ && outside_)
      add(representative_, "BR-O-02", "category O excludes a tax representative and its VAT number");
    if (root_.child(kCbc, "TaxPointDate") && period_code_)
      add(period_code_, "BR-CO-03", "a tax point date and its code exclude each other");
    return std::move(out_);
  }

 private:
  static std::string_view text(const XmlElement& e) { return collapse(e.text()); }
  static std::string upper(std::string_view t) {
    std::string out(t);
    for (char& c : out) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return out;
  }
  static bool is_vat(const XmlElement& with_scheme) {
    auto t = text(with_scheme.child(kCac, "TaxScheme").child(kCbc, "ID"));
    return t == "VAT" || (t.size() == 3 && upper(t) == "VAT");
  }

  void add(const XmlElement& e, std::string_view rule, const char* message, std::string_view code = "UBL_RULE") {
    if (out_.size() <= 200) out_.push_back({e.path(), std::string(code), message, std::string(rule)});
  }
  void need(bool ok, const XmlElement& e, std::string_view rule, const char* message) {
    if (!ok) add(e, rule, message);
  }
  void coded(CodeList list, std::string_view value, const XmlElement& e, std::string_view rule, const char* message) {
    if (!in_code_list(list, value)) add(e, rule, message);
  }
  void scheme(CodeList list, const XmlElement& e, std::string_view rule, const char* attribute = "schemeID") {
    if (auto value = e.attribute(attribute)) coded(list, collapse(*value), e, rule, "the scheme is not in its list");
  }

  void visit(const XmlElement& e) {
    for (XmlElement c : e.children()) {
      bool leaf = !c.first_child();
      // Extensions hold what their makers like.
      bool outside = std::exchange(extension_, extension_ || c.ns() == kUblExtensions);
      if (!extension_ && c.has_attributes()) attributes(c);
      if (leaf && text(c).empty()) add(c, "SI-UBL-2", "an element may not be empty", "XML_ELEMENT_EMPTY");
      auto& kind = kinds_[c.name_id()];
      if (kind == Kind::unknown) kind = kind_of(c);
      if (kind == Kind::amount)
        amount(e, c);
      else if (kind == Kind::identifier)
        identifier(e, c);
      else if (kind == Kind::value)
        value(e, c);
      else if (kind == Kind::group)
        group(e, c);
      if (!leaf) visit(c);
      extension_ = outside;
    }
  }

  void attributes(const XmlElement& e) {
    auto& has = attributes_[e.name_id()];
    if (!has) has = ubl_attributes(e.ns(), e.local());
    for (std::size_t i = 0; i < e.attribute_count(); ++i) {
      auto a = e.attribute_at(i);
      bool known = a.ns.empty() ? std::ranges::find(*has, a.local) != has->end()
                                : a.ns == kSchemaInstance &&
                                      (a.local == "schemaLocation" || a.local == "noNamespaceSchemaLocation");
      if (!known) add(e, "", "an attribute that this element does not have", "XML_ATTRIBUTE_UNKNOWN");
    }
  }

  /// What a name asks for, found once for each name of the document.
  enum class Kind : unsigned char { unknown, nothing, amount, identifier, value, group };
  static Kind kind_of(const XmlElement& e) {
    static constexpr std::array<std::string_view, 9> kValues{"IdentificationCode",
                                                             "TaxCurrencyCode",
                                                             "DescriptionCode",
                                                             "ItemClassificationCode",
                                                             "PaymentMeansCode",
                                                             "TaxExemptionReasonCode",
                                                             "AllowanceChargeReasonCode",
                                                             "Note",
                                                             "LineID"};
    static constexpr std::array<std::string_view, 8> kGroups{
        "AllowanceCharge", "PayeeParty",  "TaxRepresentativeParty", "Address",
        "PaymentMeans",    "TaxCategory", "ClassifiedTaxCategory",  "AccountingSupplierParty"};
    auto name = e.local();
    auto in = [&](std::span<const std::string_view> names) { return std::ranges::find(names, name) != names.end(); };
    if (e.ns() == kCac) return in(kGroups) ? Kind::group : Kind::nothing;
    if (e.ns() != kCbc) return Kind::nothing;
    if (name.ends_with("Amount")) return Kind::amount;
    if (name == "ID" || name == "CompanyID" || name == "EndpointID") return Kind::identifier;
    return name.ends_with("Quantity") || in(kValues) ? Kind::value : Kind::nothing;
  }

  void value(const XmlElement& parent, const XmlElement& e) {
    auto name = e.local(), in = parent.local();
    if (name.ends_with("Quantity")) {
      if (auto unit = e.attribute("unitCode"))
        coded(CodeList::unit, collapse(*unit), e, "BR-CL-23", "the unit is not a code of Recommendation 20 or 21");
    } else if (name == "IdentificationCode") {
      coded(CodeList::country, text(e), e, in == "OriginCountry" ? "BR-CL-15" : "BR-CL-14",
            "the country is not in ISO 3166-1");
    } else if (name == "TaxCurrencyCode") {
      coded(CodeList::currency, text(e), e, "BR-CL-05", "the currency is not in ISO 4217");
      need(text(e) == "EUR", e, "BR-53", "there is no VAT total in the accounting currency");
    } else if (name == "DescriptionCode") {
      period_code_ = e;
      need(text(e) == "3" || text(e) == "35" || text(e) == "432", e, "BR-CL-06",
           "the tax point code is not 3, 35, 432");
    } else if (name == "ItemClassificationCode") {
      need(e.attribute("listID").has_value(), e, "BR-65", "a classification names its list");
      scheme(CodeList::item_class, e, "BR-CL-13", "listID");
    } else if (name == "PaymentMeansCode") {
      coded(CodeList::payment_means, text(e), e, "BR-CL-16", "the means of payment is not in its list");
    } else if (name == "TaxExemptionReasonCode") {
      coded(CodeList::exemption, upper(text(e)), e, "BR-CL-22", "the reason code is not in its list");
    } else if (name == "AllowanceChargeReasonCode") {
      bool charge = charges(parent);
      coded(charge ? CodeList::charge_reason : CodeList::allowance_reason, text(e), e, charge ? "BR-CL-20" : "BR-CL-19",
            "the reason code is not in its list");
    } else if (name == "Note" && parent == root_) {
      note(e);
    } else if (name == "LineID" && in == "OrderLineReference") {
      need(!nlcius_ || ordered_, e, "BR-NL-13", "an order line without an order");
    }
  }

  static bool charges(const XmlElement& allowance) {
    auto indicator = text(allowance.child(kCbc, "ChargeIndicator"));
    return indicator == "true" || indicator == "1";
  }

  void amount(const XmlElement& parent, const XmlElement& e) {
    if (auto currency = e.attribute("currencyID"))
      coded(CodeList::currency, collapse(*currency), e, "BR-CL-03", "the currency is not in ISO 4217");
    if (e.local() == "PriceAmount" || parent.parent().local() == "Price") return;
    // The reader tells the decimals of what it reads by the rule of the amount (BR-DEC-*).
    bool read =
        e.local() != "BaseAmount" && (parent.local() == "AllowanceCharge" || parent.local() == "LegalMonetaryTotal" ||
                                      parent.local().ends_with("Line") || parent.local().starts_with("Tax"));
    auto decimals = [](std::string_view t) { return t.find('.') == t.npos ? 0 : t.size() - t.find('.') - 1; };
    need(read || decimals(text(e)) <= 2, e, "UBL-DT-01", "an amount has at most two decimals");
    // The rule counts characters: white space after an amount is a decimal too many.
    need(decimals(text(e)) > 2 || decimals(e.text()) <= 2, e, "UBL-DT-01",
         "white space after the decimals of an amount");
  }

  void identifier(const XmlElement& parent, const XmlElement& e) {
    auto name = e.local(), in = parent.local();
    if (name == "EndpointID") return scheme(CodeList::endpoint, e, "BR-CL-25");
    if (name == "CompanyID") {
      if (in == "PartyLegalEntity") scheme(CodeList::icd, e, "BR-CL-11");
      if (in == "PartyTaxScheme" && is_vat(parent)) {
        auto prefix = text(e).substr(0, 2);
        need(prefix == "EL" || in_code_list(CodeList::country, prefix), e, "BR-CO-09",
             "a VAT number starts with its country");
      }
      return;
    }
    if (in == "PartyIdentification") {
      if (e.attribute("schemeID") != "SEPA") scheme(CodeList::icd, e, "BR-CL-10");
    } else if (in == "StandardItemIdentification") {
      need(e.attribute("schemeID").has_value(), e, "BR-64", "a standard item number names its scheme");
      scheme(CodeList::icd, e, "BR-CL-21");
    } else if (in == "DeliveryLocation") {
      scheme(CodeList::icd, e, "BR-CL-26");
    } else if (in == "TaxCategory" || in == "ClassifiedTaxCategory") {
      coded(CodeList::vat_category, text(e), e, in == "TaxCategory" ? "BR-CL-17" : "BR-CL-18",
            "the VAT category is not in its list");
      if (in == "ClassifiedTaxCategory" && text(e) == "O") outside_ = true;
    } else if (in.ends_with("DocumentReference") && text(parent.child(kCbc, "DocumentTypeCode")) == "130") {
      scheme(CodeList::reference, e, "BR-CL-07");
    }
  }

  /// "#AAI#text": a note may begin with its subject.
  void note(const XmlElement& e) {
    auto t = text(e);
    auto open = t.find('#');
    if (open == std::string_view::npos) return;
    auto close = t.find('#', open + 1);
    if (close == std::string_view::npos || close - open != 4) return;
    coded(CodeList::note_subject, t.substr(open + 1, 3), e, "BR-CL-08", "the subject of the note is not in its list");
  }

  void group(const XmlElement& parent, const XmlElement& e) {
    auto name = e.local(), in = parent.local();
    if (name == "AllowanceCharge") {
      allowance(parent, e);
    } else if (name == "PayeeParty") {
      auto payee = text(e.child(kCac, "PartyName").child(kCbc, "Name"));
      auto seller = root_.child(kCac, "AccountingSupplierParty").child(kCac, "Party");
      need(!payee.empty() && payee != text(seller.child(kCac, "PartyName").child(kCbc, "Name")), e, "BR-17",
           "a payee has a name, and is not the seller");
    } else if (name == "TaxRepresentativeParty") {
      representative_ = e;
      auto address = e.child(kCac, "PostalAddress");
      need(!text(e.child(kCac, "PartyName").child(kCbc, "Name")).empty(), e, "BR-18", "its name is required");
      need(bool(address), e, "BR-19", "its address is required");
      need(!text(address.child(kCac, "Country").child(kCbc, "IdentificationCode")).empty(), e, "BR-20",
           "its country is required");
      auto scheme = e.child(kCac, "PartyTaxScheme");
      need(is_vat(scheme) && scheme.child(kCbc, "CompanyID"), e, "BR-56", "its VAT number is required");
      need(!nlcius_ || (address.child(kCbc, "StreetName") && address.child(kCbc, "CityName") &&
                        address.child(kCbc, "PostalZone")),
           e, "BR-NL-5", "its street, city and postal code are required");
    } else if (name == "Address" && in == "DeliveryLocation") {
      need(bool(e.child(kCac, "Country").child(kCbc, "IdentificationCode")), e, "BR-57",
           "a place of delivery has its country");
    } else if (name == "PaymentMeans" && parent == root_) {
      means(e);
    } else if (name == "TaxCategory" && in == "TaxSubtotal") {
      need(is_vat(e), e, "BR-47", "the tax is not VAT");
    } else if (name == "ClassifiedTaxCategory") {
      need(is_vat(e), e, "BR-CO-04", "the tax is not VAT");
    } else if (name == "AccountingSupplierParty" && parent == root_) {
      auto party = e.child(kCac, "Party");
      bool known = bool(party.child(kCac, "PartyLegalEntity").child(kCbc, "CompanyID"));
      for (XmlElement c : party.children()) {
        if (c.is(kCac, "PartyTaxScheme")) known = known || (is_vat(c) && c.child(kCbc, "CompanyID"));
        if (auto id = c.child(kCbc, "ID"); c.is(kCac, "PartyIdentification"))
          known = known || (id && id.attribute("schemeID") != "SEPA");
      }
      need(known, e, "BR-CO-26", "the seller has an identifier");
    }
  }

  void allowance(const XmlElement& parent, const XmlElement& e) {
    if (parent.local() == "Price") {
      auto base = e.child(kCbc, "BaseAmount");
      return need(!text(base).starts_with('-'), e, "BR-28", "a gross price is not negative");
    }
    bool charge = charges(e), head = parent == root_;
    bool reason = e.child(kCbc, "AllowanceChargeReason") || e.child(kCbc, "AllowanceChargeReasonCode");
    need(reason, e, head ? (charge ? "BR-38" : "BR-33") : (charge ? "BR-44" : "BR-42"), "its reason is required");
    auto category = e.child(kCac, "TaxCategory");
    if (head)
      need(is_vat(category) && category.child(kCbc, "ID"), e, charge ? "BR-37" : "BR-32",
           "its VAT category is required");
  }

  /// The reader keeps the first only; a second one is held to the same.
  void means(const XmlElement& e) {
    auto code = text(e.child(kCbc, "PaymentMeansCode"));
    bool second = std::exchange(means_, true);
    if (!second) return;
    auto account = text(e.child(kCac, "PayeeFinancialAccount").child(kCbc, "ID"));
    bool transfer = code == "30" || code == "58";
    need(!transfer || !account.empty(), e, "BR-61", "a credit transfer needs an account");
    need(!(transfer ? !account.empty() : looks_like_iban(account)) || valid_iban(account), e, "SCH-IBAN",
         "the IBAN fails its check");
    need(!nlcius_ || code == "30" || code == "48" || code == "49" || code == "57" || code == "58" || code == "59", e,
         "BR-NL-12", "the code is not 30, 48, 49, 57, 58 or 59");
  }

  XmlElement root_;
  std::vector<Kind> kinds_;                                                   ///< by XmlElement::name_id
  std::vector<std::optional<std::span<const std::string_view>>> attributes_;  ///< likewise; those of the format
  bool nlcius_, ordered_, means_ = false, outside_ = false, extension_ = false;
  XmlElement representative_{}, period_code_{};
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> check_ubl_tree(const XmlElement& root) { return TreeRules(root).run(); }

}  // namespace schakel::formats
