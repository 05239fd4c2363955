// The VAT rules of EN 16931 for the four categories that the broker carries: O outside scope, E exempt, Z zero rated,
// S standard. The other six are refused: reverse charge, export and the islands do not occur between these parties, and
// what is not shared by rules of ours is not shared at all.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"

namespace schakel::formats {
namespace {

constexpr std::array<std::string_view, 4> kCarried{"O", "E", "Z", "S"};

/// VAT is due for a category and, for S, a rate: 21 and 21.00 are one. Ordered, as one document may name any number of
/// them.
struct VatGroup {
  std::string_view category;
  bool rated = false;
  std::int64_t units = 0;
  int scale = 0;
  VatGroup(std::string_view c, const std::optional<UblDecimal>& p) : category(c) {
    if (c != "S" || !p) return;
    rated = true, units = p->units, scale = p->scale;
    for (; scale > 0 && units % 10 == 0; --scale) units /= 10;
  }
  auto operator<=>(const VatGroup&) const = default;
};

/// What lines and allowances make of a group, and how many breakdowns it has.
struct VatSum {
  Cents taxable;
  int breakdowns = 0;
  bool named = false;  ///< by something that is carried
};

class VatRules {
 public:
  explicit VatRules(const UblDocument& d) : d_(d) {}

  std::vector<Finding> run() && {
    constexpr const char* kAt = "TaxTotal/TaxSubtotal";
    need(!d_.taxes.empty(), "BR-CO-18", kAt, "a VAT breakdown is required");
    for (const auto& l : d_.lines) sums_[{l.category, l.percent}].taxable += l.net;
    for (const auto& a : d_.allowances) sums_[{a.category, a.percent}].taxable += a.charge ? a.amount : -a.amount;
    for (const auto& t : d_.taxes) ++sums_[{t.category, t.percent}].breakdowns;
    for (const auto& t : d_.taxes) breakdown(t);
    for (std::size_t i = 0; i < d_.lines.size(); ++i) line(d_.lines[i], i);
    for (const auto& a : d_.allowances) allowance(a);
    for (const auto& g : named_)
      need(sums_[g].breakdowns == 1, Id(g.category, "01"), kAt,
           "each VAT category, and each rate of S, has one breakdown");
    numbers();
    alone();
    return std::move(out_);
  }

 private:
  /// Where something stands and the id of a rule; written out only when it is broken.
  struct Where {
    std::string_view path;
    std::size_t line = 0;  ///< number of the line, 0 when it is not in one
    constexpr Where(const char* p) : path(p) {}
    explicit constexpr Where(std::size_t number) : line(number) {}
  };
  struct Id {
    std::string_view head, category{}, number{};  ///< head alone, or BR-<category>-<number>
    constexpr Id(const char* id) : head(id) {}
    constexpr Id(std::string_view c, std::string_view n) : head("BR-"), category(c), number(n) {}
    [[nodiscard]] std::string text() const {
      return category.empty() && number.empty() ? std::string(head) : fmt::format("{}{}-{}", head, category, number);
    }
  };
  void add(const Id& rule, const Where& where, const char* text) {
    if (out_.size() >= 200) return;
    const char* root = d_.credit_note ? "CreditNote" : "Invoice";
    auto at =
        where.line ? fmt::format("/{}/{}Line[{}]", root, root, where.line) : fmt::format("/{}/{}", root, where.path);
    out_.push_back({std::move(at), "UBL_RULE", text, rule.text()});
  }
  void need(bool ok, const Id& rule, const Where& where, const char* text) {
    if (!ok) add(rule, where, text);
  }
  static bool carried(std::string_view category) { return std::ranges::find(kCarried, category) != kCarried.end(); }

  /// False when it is none that we know more of.
  bool category(std::string_view c, const Where& where, const char* list_rule) {
    if (!in_code_list(CodeList::vat_category, c))
      add(list_rule, where, "the VAT category is not in its list");
    else if (!carried(c))
      add("SCH-CATEGORY", where, "only the VAT categories O, E, Z and S are carried");
    return carried(c);
  }
  void group(std::string_view c, const std::optional<UblDecimal>& percent) {
    VatGroup g(c, percent);
    if (!std::exchange(sums_[g].named, true)) named_.push_back(g);
  }
  /// BR-*-05 of a line, -06 of an allowance, -07 of a charge.
  void rate_of(std::string_view c, const std::optional<UblDecimal>& percent, const Where& where, const char* rule) {
    Id id(c, rule);
    if (c == "O")
      need(!percent, id, where, "category O has no rate");
    else if (c == "S")
      need(percent && percent->units > 0, id, where, "the standard rate is above zero");
    else
      need(percent && percent->units == 0, id, where, "the rate of this category is 0");
  }

  void line(const UblLine& l, std::size_t i) {
    const Where at(i + 1);
    if (l.category.empty()) return add("BR-CO-04", at, "a line has a VAT category");
    if (!category(l.category, at, "BR-CL-18")) return;
    rate_of(l.category, l.percent, at, "05");
    group(l.category, l.percent);
  }
  void allowance(const UblAllowance& a) {
    if (!category(a.category, "AllowanceCharge", "BR-CL-17")) return;
    rate_of(a.category, a.percent, "AllowanceCharge", a.charge ? "07" : "06");
    group(a.category, a.percent);
  }

  void breakdown(const UblTax& t) {
    constexpr const char* kAt = "TaxTotal/TaxSubtotal";
    if (!category(t.category, kAt, "BR-CL-17")) return;
    group(t.category, t.percent);
    auto id = [&](const char* number) { return Id(t.category, number); };
    need(t.percent || t.category == "O", "BR-48", kAt, "a breakdown has a rate");
    need(sums_[{t.category, t.percent}].taxable == t.taxable, id("08"), kAt,
         "the taxable amount is not the sum of its lines");
    bool reason = !t.reason.empty() || !t.reason_code.empty();
    if (t.category == "O" || t.category == "E")
      need(reason, id("10"), kAt, "the reason why no VAT is charged is required");
    else
      need(!reason, id("10"), kAt, "this category has no reason to charge no VAT");
    if (t.category != "S") {
      need(t.tax == Cents{}, id("09"), kAt, "the VAT of this category is 0");
      need(!t.percent || t.percent->units == 0, "BR-CO-17", kAt, "the rate of this category is 0");
      return;
    }
    need(t.percent && t.percent->units > 0, "BR-S-05", kAt, "the standard rate is above zero");
    if (t.percent) need(near_rate(t), "BR-S-09", kAt, "the VAT is not the taxable amount times the rate");
  }

  /// The published rule allows a slack of less than one euro; ours too, as rounding per line is lawful. With the sign:
  /// a negative VAT on a positive amount is none.
  static bool near_rate(const UblTax& t) {
    __int128 scale = 100;
    for (int i = 0; i < t.percent->scale; ++i) scale *= 10;
    auto exact = static_cast<__int128>(t.taxable.value()) * t.percent->units;
    auto off = static_cast<__int128>(t.tax.value()) * scale - exact;
    return off < 100 * scale && -off < 100 * scale;
  }

  /// BR-*-02 for lines, -03 for allowances, -04 for charges: who charges VAT or is exempt has a number, O has none.
  void numbers() {
    constexpr const char* kAt = "AccountingSupplierParty/Party/PartyTaxScheme";
    bool seller = !d_.supplier.vat_number.empty(), any = seller || !d_.customer.vat_number.empty();
    for (std::string_view c : kCarried) {
      auto check = [&](bool there, const char* rule) {
        if (there && (c == "O" ? any : !seller))
          add(Id(c, rule), kAt,
              c == "O" ? "category O excludes VAT numbers" : "this category requires the seller's VAT number");
      };
      check(std::ranges::any_of(d_.lines, [&](const UblLine& l) { return l.category == c; }), "02");
      check(std::ranges::any_of(d_.allowances, [&](const auto& a) { return a.category == c && !a.charge; }), "03");
      check(std::ranges::any_of(d_.allowances, [&](const auto& a) { return a.category == c && a.charge; }), "04");
    }
  }

  void alone() {
    if (std::ranges::none_of(d_.taxes, [](const UblTax& t) { return t.category == "O"; })) return;
    constexpr const char* kAt = "TaxTotal/TaxSubtotal";
    need(std::ranges::all_of(d_.taxes, [](const UblTax& t) { return t.category == "O"; }), "BR-O-11", kAt,
         "category O stands alone");
    need(std::ranges::all_of(d_.lines, [](const UblLine& l) { return l.category == "O"; }), "BR-O-12", kAt,
         "category O allows no line of another");
    for (const auto& a : d_.allowances)
      need(a.category == "O", a.charge ? "BR-O-14" : "BR-O-13", kAt, "category O allows no other");
  }

  const UblDocument& d_;
  std::map<VatGroup, VatSum> sums_;
  std::vector<VatGroup> named_;  ///< in the order of the document
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> check_ubl_vat(const UblDocument& document) { return VatRules(document).run(); }

}  // namespace schakel::formats
