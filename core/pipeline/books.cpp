#include "core/pipeline/books.hpp"

#include <algorithm>
#include <set>

#include "core/outbox/invoice_parties.hpp"
#include "schakel/outcome.hpp"

namespace schakel::pipeline {
namespace {

bool is_zero_rate(const std::string& percent) { return percent.find_first_not_of("0.") == std::string::npos; }

/// Category and rate of a row or line; a source without categories has S, and E at 0.
std::pair<std::string, std::string> tax_of(const Json& row) {
  auto percent = sdk::text_at(row, "percent"), category = sdk::text_at(row, "category");
  if (category.empty()) category = is_zero_rate(percent) ? "E" : "S";
  return {category, is_zero_rate(percent) ? "0" : percent};
}

ByTax of_rates(const Json& rates, std::int64_t sign) {
  ByTax out;
  for (const auto& r : rates)
    out[tax_of(r)] = {out[tax_of(r)].net + sign * sdk::number_at(r, "net_cents").value_or(0),
                      out[tax_of(r)].vat + sign * sdk::number_at(r, "vat_cents").value_or(0)};
  return out;
}

/// By kind and period.
bool answers_for(const Json& funding, const AskedLine& line) {
  auto kind = sdk::text_at(funding, "kind");
  if (!kind.empty() && line.kind != "gecombineerd" && kind != line.kind) return false;
  auto period = sdk::array_at(funding, "period");
  bool dated = period.size() == 2 && period[0].is_string() && period[1].is_string() && !line.from.empty();
  return !dated || (line.from >= period[0].get<std::string>() && line.to <= period[1].get<std::string>());
}

bool is_narrowed_to(const Json& funding, const AskedLine& line,
                    const std::function<bool(const std::string&)>& is_sender) {
  auto provider = sdk::text_at(funding, "aanbieder"), product = sdk::text_at(funding, "product");
  auto assignment = sdk::number_at(funding, "toewijzing");
  return (!assignment || line.assignment == assignment) && (product.empty() || line.product == product) &&
         (provider.empty() || is_sender(provider));
}

}  // namespace

void add_taxes(ByTax& to, const ByTax& more, std::int64_t factor) {
  for (const auto& [tax, part] : more) to[tax].net += part.net * factor, to[tax].vat += part.vat * factor;
}

NetVat sum_of(const ByTax& taxes) {
  NetVat out;
  for (const auto& [tax, part] : taxes) out.net += part.net, out.vat += part.vat;
  return out;
}

SourceAmounts source_amounts(const std::string& type, const Json& payload) {
  const std::int64_t sign = type == "creditnota" ? -1 : 1;
  SourceAmounts out;
  out.vat = sign * sdk::number_at(payload, "vat_cents").value_or(0);
  auto lines = sdk::array_at(payload, "lines");
  bool rated = !lines.empty();
  ByTax by_line;
  for (const auto& l : lines) {
    auto cents = sign * sdk::number_at(l, "cents").value_or(0), vat = sign * sdk::number_at(l, "vat_cents").value_or(0);
    out.gross += cents;
    if (auto kind = sdk::text_at(l, "kind"); std::ranges::find(out.kinds, kind) == out.kinds.end())
      out.kinds.push_back(kind);
    rated = rated && !sdk::text_at(l, "percent").empty();
    if (rated) by_line[tax_of(l)].net += cents - vat, by_line[tax_of(l)].vat += vat;
  }
  if (lines.empty()) {
    // A declaration of the school names its grey total, a re-invoice of the gemeente its share.
    auto grey = sdk::number_at(payload, "grey_total_cents"), share = sdk::number_at(payload, "share_cents");
    out.gross = sign * (grey ? *grey : share.value_or(0));
    out.kinds.emplace_back(grey ? "grijs" : "gecombineerd");
  }
  out.taxes = rated ? std::move(by_line) : of_rates(sdk::array_at(payload, "vat_rates"), sign);
  return out;
}

std::optional<DocumentAmounts> document_amounts(const Json& stated) {
  auto gross = sdk::number_at(stated, "bedragCent");
  if (!gross) return {};
  DocumentAmounts out{*gross, {}, sdk::text_at(stated, "verkoperBtw")};
  for (const auto& t : sdk::array_at(stated, "btw")) {
    auto& part = out.taxes[{sdk::text_at(t, "categorie"), sdk::text_at(t, "tarief")}];
    part.net += sdk::number_at(t, "nettoCent").value_or(0), part.vat += sdk::number_at(t, "btwCent").value_or(0);
  }
  // Sealed before the setting was written with it.
  if (!stated.contains("verkoperBtw"))
    for (const auto& [tax, part] : out.taxes)
      if (out.seller != "S") out.seller = tax.first;
  return out;
}

ByTax decided_taxes(const InvoiceOut& invoice, std::int64_t gross, std::int64_t vat, const std::string& seller) {
  if (outbox::says_vat_of_source(invoice)) return of_rates(invoice.vat_rates, 1);
  auto treatment = invoice.vat_treatment.empty() ? seller : invoice.vat_treatment;
  if (treatment.empty()) treatment = "O";
  if (treatment == "S") {
    auto by = of_rates(invoice.vat_rates, 1);
    bool charged =
        vat != 0 || std::ranges::any_of(by, [](const auto& r) { return r.first.first == "S" && r.second.net != 0; });
    // VAT of which no rate is known cannot be passed on and never leaves.
    if (charged && by.empty()) return {{{"S", "?"}, {gross - vat, vat}}};
    ByTax out;
    for (const auto& [tax, part] : by) add_taxes(out, {{{tax.first == "S" ? "S" : "E", tax.second}, part}});
    if (charged) return out;
    treatment = "E";  // no rate on it
  }
  return {{{treatment, "0"}, {gross, 0}}};
}

std::string agreement_lines(const Json& funding, const std::vector<AskedLine>& lines,
                            const std::function<bool(const std::string&)>& is_sender) {
  if (!funding.is_array()) return {};
  std::set<std::size_t> found;
  for (const auto& line : lines) {
    std::optional<std::size_t> first, meant;
    for (std::size_t i = 0; i < funding.size() && !meant; ++i) {
      if (!answers_for(funding[i], line)) continue;
      if (!first) first = i;
      if (is_narrowed_to(funding[i], line, is_sender)) meant = i;
    }
    if (meant || first) found.insert(meant ? *meant : *first);
  }
  std::string out;
  for (auto i : found) out += (out.empty() ? "" : "+") + std::to_string(i + 1);
  return out;
}

}  // namespace schakel::pipeline
