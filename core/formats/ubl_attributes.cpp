// Which attributes UBL 2.1 gives a basic component. Its names end in the term that its type goes by; the few that do
// not are told apart here, and tests/unit/formats/ubl_attributes_test.cpp holds all of it against the publisher's
// schema.
#include <algorithm>
#include <array>

#include "core/formats/ubl.hpp"
#include "core/formats/ubl_codes.hpp"

namespace schakel::formats {
namespace {

constexpr std::array<std::string_view, 2> kAmountAttributes{"currencyID", "currencyCodeListVersionID"};
constexpr std::array<std::string_view, 6> kBinaryAttributes{"mimeCode",     "filename",         "format",
                                                            "encodingCode", "characterSetCode", "uri"};
constexpr std::array<std::string_view, 9> kCodeAttributes{"listID",     "listAgencyID",  "listAgencyName",
                                                          "listName",   "listVersionID", "name",
                                                          "languageID", "listURI",       "listSchemeURI"};
constexpr std::array<std::string_view, 7> kIdAttributes{
    "schemeID", "schemeAgencyID", "schemeName", "schemeAgencyName", "schemeVersionID", "schemeDataURI", "schemeURI"};
constexpr std::array<std::string_view, 2> kMeasureAttributes{"unitCode", "unitCodeListVersionID"};
constexpr std::array<std::string_view, 1> kNumericAttributes{"format"};
constexpr std::array<std::string_view, 4> kQuantityAttributes{"unitCode", "unitCodeListID", "unitCodeListAgencyID",
                                                              "unitCodeListAgencyName"};
constexpr std::array<std::string_view, 2> kTextAttributes{"languageID", "languageLocaleID"};

struct Term {
  std::string_view end;
  std::span<const std::string_view> attributes;
};
constexpr std::array<Term, 13> kTerms{{{"Amount", kAmountAttributes},
                                       {"ID", kIdAttributes},
                                       {"URI", kIdAttributes},
                                       {"Code", kCodeAttributes},
                                       {"Quantity", kQuantityAttributes},
                                       {"Percent", kNumericAttributes},
                                       {"Numeric", kNumericAttributes},
                                       {"Rate", kNumericAttributes},
                                       {"Measure", kMeasureAttributes},
                                       {"Object", kBinaryAttributes},
                                       {"Date", {}},
                                       {"Time", {}},
                                       {"Indicator", {}}}};

}  // namespace

std::span<const std::string_view> ubl_attributes(std::string_view ns, std::string_view name) {
  if (ns != kCbc) return {};
  if (name == "TimeAmount") return kTextAttributes;  // the duration of an auction, in words
  auto term = std::ranges::find_if(kTerms, [&](const Term& t) { return name.ends_with(t.end); });
  return term == kTerms.end() ? std::span<const std::string_view>(kTextAttributes) : term->attributes;
}

}  // namespace schakel::formats
