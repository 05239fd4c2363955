// What a source invoice asks and what the documents made of it ask, per VAT category and rate. Pure.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/json.hpp"
#include "core/model/decision.hpp"

namespace schakel::pipeline {

struct NetVat {
  std::int64_t net = 0, vat = 0;
  bool operator==(const NetVat&) const = default;
};
/// By VAT category and rate: S 21, S 9, E 0, O 0; category "?" where nobody said it.
using ByTax = std::map<std::pair<std::string, std::string>, NetVat>;

void add_taxes(ByTax& to, const ByTax& more, std::int64_t factor = 1);
[[nodiscard]] NetVat sum_of(const ByTax& taxes);

/// What a source message asks, credits below zero: from its payload as it came in, not from what was booked of it.
struct SourceAmounts {
  std::int64_t gross = 0, vat = 0;
  ByTax taxes;                     ///< empty where the source names no rates
  std::vector<std::string> kinds;  ///< of its lines
};
[[nodiscard]] SourceAmounts source_amounts(const std::string& type, const Json& payload);

/// What a document says, from the row that its sealing wrote (formats::stated_amounts); nothing where it was sent to an
/// adapter that takes no document.
struct DocumentAmounts {
  std::int64_t gross = 0;
  ByTax taxes;
  std::string seller{};  ///< the setting of its seller (O, E, S) when it was sealed; empty where it had none
};
[[nodiscard]] std::optional<DocumentAmounts> document_amounts(const Json& stated);

/// What a document has to say by its decision: the VAT of its source, or `gross` and `vat` as its agreement treats
/// them. Without an agreement on it the `seller` decides (DocumentAmounts::seller; empty as O).
[[nodiscard]] ByTax decided_taxes(const InvoiceOut& invoice, std::int64_t gross, std::int64_t vat,
                                  const std::string& seller);

/// What a line of an invoice says, as far as a line of an agreement can be narrowed to it.
struct AskedLine {
  std::string kind, from, to;  ///< period YYYY-MM-DD, or both empty
  std::optional<std::int64_t> assignment{};
  std::string product{};
};
/// Which lines of an agreement (facts `funding`) answer for these: "1", "1+3"; empty where none does. For each the
/// first of its kind and period that names nothing else than its toewijzing, its product and, by `is_sender`, who sent
/// it; without such a one the first of its kind and period. No maximum is looked at: what was left of it is not booked.
[[nodiscard]] std::string agreement_lines(const Json& funding, const std::vector<AskedLine>& lines,
                                          const std::function<bool(const std::string&)>& is_sender);

}  // namespace schakel::pipeline
