// An e-invoice as a case message: what each of its lines costs in gross cents.
#include <fmt/format.h>

#include <algorithm>

#include "schakel/outcome.hpp"
#include "splitter.hpp"

namespace schakel::zorgaanbieder {
namespace {

struct GrossLine {
  std::string kind;
  std::int64_t net = 0;  ///< as invoiced, then after allowances and negative lines
  std::int64_t vat = 0;
  bool dropped = false;  ///< a negative line: what it takes off is on the others
};

/// Lays `amount` over the weights by cumulative rounding, so that the parts add up to it (facturatie.md 2.5).
std::vector<std::int64_t> lay(std::int64_t amount, const std::vector<std::int64_t>& weights) {
  std::vector<std::int64_t> out(weights.size());
  std::int64_t total = 0, before = 0, given = 0;
  for (auto w : weights) total += w;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    before += weights[i];
    auto now = proportion_floor(Cents(amount), before, total);
    if (!now) return out;
    out[i] = now->value() - given;
    given = now->value();
  }
  return out;
}

class Sharing {
 public:
  Sharing(const formats::UblDocument& d, const Settings& settings) : d_(d) {
    for (std::size_t i = 0; i < d.lines.size(); ++i) {
      auto kind = settings.kind_of("", d.lines[i].seller_item);
      if (!kind)
        add(i, "/Item/SellersItemIdentification", "SCH-PRODUCT", "no product of the configuration is this item");
      lines_.push_back({kind.value_or(""), d.lines[i].net.value()});
    }
    if (!findings.empty()) return;
    for (const auto& tax : d.taxes) group(tax);
  }

  std::vector<Finding> findings;
  [[nodiscard]] const std::vector<GrossLine>& lines() const { return lines_; }

 private:
  void add(std::size_t line, const char* rest, const char* rule, const char* text) {
    findings.push_back(
        {fmt::format("/{}[{}]{}", d_.credit_note ? "CreditNote/CreditNoteLine" : "Invoice/InvoiceLine", line + 1, rest),
         "UBL_RULE", text, rule});
  }

  /// The lines of one VAT category and, for S, rate: their breakdown is theirs alone.
  void group(const formats::UblTax& tax) {
    std::vector<std::size_t> mine;
    for (std::size_t i = 0; i < d_.lines.size(); ++i) {
      const auto& l = d_.lines[i];
      bool same = l.category == tax.category;
      if (same && tax.category == "S") same = l.percent && tax.percent && l.percent->equals(*tax.percent);
      if (same) mine.push_back(i);
    }
    if (!settle_negative(mine)) return;
    std::vector<std::int64_t> weights;
    std::int64_t total = 0;
    for (auto i : mine) weights.push_back(lines_[i].net), total += lines_[i].net;
    if (tax.taxable == Cents{} && tax.tax == Cents{}) {
      for (auto i : mine) lines_[i].net = 0;
      return;
    }
    if (total <= 0 || tax.taxable < Cents{} || tax.tax < Cents{})
      return findings.push_back({fmt::format("/{}/AllowanceCharge", d_.credit_note ? "CreditNote" : "Invoice"),
                                 "UBL_RULE", "an allowance or charge of a VAT category that no line can carry",
                                 "SCH-ALLOWANCE"});
    auto net = lay(tax.taxable.value(), weights), vat = lay(tax.tax.value(), weights);
    for (std::size_t k = 0; k < mine.size(); ++k) lines_[mine[k]].net = net[k], lines_[mine[k]].vat = vat[k];
  }

  /// A negative line takes off what lines of its kind and rate ask; it is legal, and nobody's share is negative.
  bool settle_negative(const std::vector<std::size_t>& mine) {
    bool sound = true;
    for (auto i : mine) {
      if (lines_[i].net >= 0 || lines_[i].dropped) continue;
      std::vector<std::size_t> same;
      std::vector<std::int64_t> weights;
      std::int64_t left = 0;
      for (auto k : mine) {
        if (lines_[k].kind != lines_[i].kind) continue;
        left += lines_[k].net;
        if (lines_[k].net < 0) {
          lines_[k].dropped = true;
        } else {
          same.push_back(k);
          weights.push_back(lines_[k].net);
        }
      }
      if (left < 0) {
        add(i, "", "SCH-NEGATIVE", "lines of this kind and VAT rate ask less than nothing: send a credit note");
        sound = false;
        continue;
      }
      auto laid = lay(left, weights);
      for (std::size_t k = 0; k < same.size(); ++k) lines_[same[k]].net = laid[k];
      for (auto k : mine)
        if (lines_[k].dropped) lines_[k].net = 0;
    }
    return sound;
  }

  const formats::UblDocument& d_;
  std::vector<GrossLine> lines_;
};

/// "21" for 21.00: the same rate is written one way.
std::string rate_text(const std::optional<formats::UblDecimal>& percent) {
  if (!percent) return "0";
  auto p = *percent;
  while (p.scale > 0 && p.units % 10 == 0) p.units /= 10, --p.scale;
  return p.text();
}

/// VAT per category and rate, as the seller says it. check_ubl: each stands once.
Json rates_of(const formats::UblDocument& d) {
  Json out = Json::array();
  for (const auto& tax : d.taxes)
    out.push_back({{"percent", rate_text(tax.percent)},
                   {"category", tax.category},
                   {"net_cents", tax.taxable.value()},
                   {"vat_cents", tax.tax.value()}});
  return out;
}

/// Who has to pay, where it is a number by which organisations are known here: KvK or OIN. It decides whether the one
/// that the case makes the payer is meant.
std::string buyer_id(const formats::UblParty& buyer) {
  const auto& id = buyer.legal_id.value.empty() ? buyer.endpoint : buyer.legal_id;
  bool known = (id.scheme == "0106" && id.value.size() == 8) || (id.scheme == "0190" && id.value.size() == 20);
  bool digits = std::ranges::all_of(id.value, [](char c) { return c >= '0' && c <= '9'; });
  return known && digits ? id.scheme + ':' + id.value : std::string();
}

Json days(formats::Date from, formats::Date to) {
  return Json::array({formats::format_date(from), formats::format_date(to)});
}

}  // namespace

Result<Json> event_of(const formats::UblDocument& d, const std::string& case_id, const Settings& settings,
                      const std::string& content_hash) {
  Sharing sharing(d, settings);
  if (!sharing.findings.empty())
    return fail(ErrorKind::invalid, "UBL_INVALID", "the invoice cannot be shared", std::move(sharing.findings));
  Json data{{"number", d.id},
            {"lines", Json::array()},
            {"vat_cents", d.tax_total.value()},
            {"issue_date", formats::format_date(d.issue_date)}};
  std::string reference = d.buyer_reference.empty() ? d.order_reference : d.buyer_reference;
  if (!reference.empty()) data["reference"] = reference;
  if (d.credit_note && !d.billing_references.empty()) data["credits"] = d.billing_references.front();
  // What the payer of a forwarded invoice needs of the original. A reference of another form stays behind: it is free
  // text of the sender.
  if (d.due_date) data["due_date"] = formats::format_date(*d.due_date);
  bool plain = !d.payment_id.empty() && d.payment_id.size() <= 35 && !formats::holds_bsn(d.payment_id) &&
               std::ranges::all_of(d.payment_id, [](char c) {
                 return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
                        c == '.' || c == '/';
               });
  if (plain) data["payment_id"] = d.payment_id;
  if (auto buyer = buyer_id(d.customer); !buyer.empty()) data["buyer_id"] = std::move(buyer);
  // The same invoice to be paid on another account is other content, and no repeat (INVOICE_CONFLICT).
  if (!d.credit_note && !d.iban.empty()) data["payment_account"] = sha256_hex(d.iban);
  if (d.period && d.period->start) data["period"] = month_of(*d.period->start);
  if (d.period && d.period->start && d.period->end) data["service_period"] = days(*d.period->start, *d.period->end);
  bool dated = !d.lines.empty() && std::ranges::all_of(d.lines, [](const formats::UblLine& l) {
    return l.period && l.period->start && l.period->end;
  });
  if (!data.contains("service_period") && dated) {
    auto first = *d.lines[0].period->start, last = *d.lines[0].period->end;
    for (const auto& l : d.lines) first = std::min(first, *l.period->start), last = std::max(last, *l.period->end);
    data["service_period"] = days(first, last);
  }
  data["vat_rates"] = rates_of(d);
  // Who passes the invoice on says its VAT, in the name of its seller. It stays in the sealed payload: it may be that
  // of a person who is a business.
  if (!d.supplier.vat_number.empty()) data["seller_vat_number"] = d.supplier.vat_number;
  for (std::size_t i = 0; i < d.lines.size(); ++i) {
    const auto& g = sharing.lines()[i];
    if (g.dropped) continue;
    Json line{{"kind", g.kind}, {"cents", g.net + g.vat}};
    line["vat_cents"] = g.vat;
    line["percent"] = rate_text(d.lines[i].percent);
    line["category"] = d.lines[i].category;
    // An agreement may name it. One of another form stays behind: it is free text of the sender.
    if (const auto& item = d.lines[i].seller_item; !item.empty() && item.size() <= 60 && !formats::holds_bsn(item))
      line["product"] = item;
    if (const auto& p = d.lines[i].period; p && p->start && p->end) line["period"] = days(*p->start, *p->end);
    data["lines"].push_back(std::move(line));
  }
  return event_envelope(sdk::stable_uuid(fmt::format("ubl|{}|{}|{}|{}", d.supplier.legal_id.scheme,
                                                     d.supplier.legal_id.value, d.id, content_hash)),
                        d.credit_note ? "creditnota" : "factuur", case_id, formats::format_date(d.issue_date), settings,
                        std::move(data));
}

}  // namespace schakel::zorgaanbieder
