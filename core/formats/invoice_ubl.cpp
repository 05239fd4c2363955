#include "core/formats/invoice_ubl.hpp"

#include <fmt/format.h>

#include <numeric>
#include <set>

#include "core/base/calendar.hpp"
#include "core/base/json_object.hpp"
#include "core/formats/pdf.hpp"
#include "schakel/outcome.hpp"

namespace schakel::formats {
namespace {

using sdk::number_at;

/// As sdk::text_at, sdk::object_at and sdk::array_at, without a copy.
const std::string& text_at(const Json& object, const char* key) {
  static const std::string nothing;
  const Json* it = member(object, key);
  return it && it->is_string() ? it->get_ref<const std::string&>() : nothing;
}
const Json& part_at(const Json& object, const char* key, Json::value_t type) {
  static const Json nothing_object = Json::object(), nothing_array = Json::array();
  if (const Json* it = member(object, key); it && it->type() == type) return *it;
  return type == Json::value_t::object ? nothing_object : nothing_array;
}
const Json& object_at(const Json& object, const char* key) { return part_at(object, key, Json::value_t::object); }
const Json& array_at(const Json& object, const char* key) { return part_at(object, key, Json::value_t::array); }

UblParty party_of(const Json& j, bool with_vat, bool peppol) {
  UblParty p;
  p.name = p.registration_name = text_at(j, "name");
  p.street = text_at(j, "street");
  p.city = text_at(j, "city");
  p.zip = text_at(j, "postcode");
  if (const auto& oin = text_at(j, "oin"); !oin.empty())
    p.legal_id = {"0190", oin};
  else if (const auto& kvk = text_at(j, "kvk"); !kvk.empty())
    p.legal_id = {"0106", kvk};
  if (with_vat) p.vat_number = text_at(j, "vat_number");  // O forbids it (BR-O-02)
  if (peppol) p.endpoint = p.legal_id.value.empty() ? UblId{"EM", text_at(j, "mail")} : p.legal_id;
  return p;
}

std::string_view kind_text(std::string_view kind) {
  if (kind == "zorg") return "Zorg";
  if (kind == "onderwijs") return "Onderwijs";
  if (kind == "grijs") return "Onderwijs-zorg (grijs gebied)";
  if (kind == "gecombineerd") return "Gecombineerde begeleiding";
  return "Onderwijszorgarrangement";
}

std::string euro(std::int64_t cents) {
  std::int64_t whole = cents < 0 ? -cents : cents;
  auto out = std::to_string(whole / 100);
  out += ',';
  out += static_cast<char>('0' + whole % 100 / 10);
  out += static_cast<char>('0' + whole % 10);
  return cents < 0 ? "-" + out : out;
}

bool flag_at(const Json& object, const char* key) {
  auto it = object.find(key);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

std::optional<Date> date_of(const std::string& text) { return text.empty() ? std::nullopt : parse_date(text); }

struct RatePart {
  UblDecimal percent;
  std::string category;  ///< as the source says it, or S and E by the rate
  Cents net, vat;
};

/// The rates of the source as this payer gets them; nullopt when they do not add up to net and VAT. None is an empty
/// list.
std::optional<std::vector<RatePart>> rates_of(const Json& invoice, std::int64_t sign) {
  std::vector<RatePart> out;
  Cents net, vat;
  for (const auto& r : array_at(invoice, "vat_rates")) {
    auto percent = UblDecimal::parse(text_at(r, "percent"));
    auto n = number_at(r, "net_cents"), v = number_at(r, "vat_cents");
    if (!percent || percent->units < 0 || !n || !v) return {};
    auto category = text_at(r, "category");
    if (category.empty()) category = percent->units > 0 ? "S" : "E";
    out.push_back({*percent, std::move(category), Cents(*n * sign), Cents(*v * sign)});
    net += out.back().net, vat += out.back().vat;
  }
  auto all_vat = number_at(invoice, "vat_cents").value_or(0) * sign;
  if (!out.empty() &&
      (vat != Cents(all_vat) || net + vat != Cents(number_at(invoice, "amount_cents").value_or(0) * sign)))
    return {};
  return out;
}

/// Would a receiver's validator that adds in binary floating point reach the total? Several do (JavaScript engines of
/// the EN 16931 rules): 166.66 + 200.00 is 366.65999999999997 there, and a sound invoice is refused. Predicts; computes
/// no amount.
bool adds_up_in_binary(const std::vector<UblLine>& lines, const std::vector<std::size_t>& order, std::int64_t amount) {
  double sum = 0;
  for (auto i : order) sum += static_cast<double>(lines[i].net.value()) / 100;
  return sum == static_cast<double>(amount) / 100;
}

/// The lines in an order in which they add up there too: as they came, else the first of a fixed row of shuffles. False
/// when none of them does, as with two lines, whose order is nothing to their sum.
bool order_for_binary(std::vector<UblLine>& lines, std::int64_t amount) {
  std::vector<std::size_t> order(lines.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (adds_up_in_binary(lines, order, amount)) return true;
  if (lines.size() < 3) return false;
  std::uint64_t state = lines.size();  // no randomness: the same invoice has the same order each time
  for (int tries = 0; tries < 200; ++tries) {
    for (std::size_t i = order.size(); i > 1; --i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      std::swap(order[i - 1], order[(state >> 33) % i]);
    }
    if (!adds_up_in_binary(lines, order, amount)) continue;
    std::vector<UblLine> ordered;
    ordered.reserve(lines.size());
    for (auto i : order) ordered.push_back(std::move(lines[i]));
    lines = std::move(ordered);
    return true;
  }
  return false;
}

std::int64_t share_of(const Json& line) {
  return number_at(line, "share_cents").value_or(number_at(line, "cents").value_or(0));
}

/// What a part of one rate is for: the lines of that rate, or all where none says so and there is one rate only.
void describe_part(UblLine& part, const Json& invoice, const RatePart& rate, bool only_rate) {
  constexpr std::size_t kMost = 300;
  auto is_of = [&](const Json& line) {
    auto percent = UblDecimal::parse(text_at(line, "percent"));
    if (share_of(line) == 0 || !percent || !percent->equals(rate.percent)) return false;
    const auto& category = text_at(line, "category");
    return (category.empty() ? (percent->units > 0 ? "S" : "E") : category) == rate.category;
  };
  const Json& lines = array_at(invoice, "lines");
  bool all = only_rate && std::ranges::none_of(lines, is_of);
  std::set<std::string_view> kinds, said;
  std::string text = only_rate ? "" : fmt::format("Deel met {} % btw", rate.percent.text());
  std::size_t unsaid = 0;
  for (const auto& line : lines) {
    if (share_of(line) == 0 || (!all && !is_of(line))) continue;
    kinds.insert(text_at(line, "kind"));
    const auto& about = text_at(line, "description");
    if (about.empty() || !said.insert(about).second) continue;
    bool fits = text.size() + about.size() <= kMost;
    unsaid += fits ? 0 : 1;
    if (fits) text.append(text.empty() ? "" : said.size() == 1 ? ": " : "; ").append(about);
  }
  if (unsaid > 0) text += fmt::format(" (en nog {})", unsaid);
  if (kinds.size() == 1) part.name = kind_text(*kinds.begin());
  part.description = std::move(text);
}

/// One line of the whole, with the parts in words.
UblLine as_one(const std::vector<UblLine>& parts, std::int64_t amount) {
  UblLine l;
  l.net = Cents(amount);
  l.name = kind_text("");
  for (const auto& p : parts)
    l.description += fmt::format("{}{} {} euro{}{}", l.description.empty() ? "" : "; ", p.name, euro(p.net.value()),
                                 p.description.empty() ? "" : ": ", p.description);
  return l;
}

/// The shares of the lines when they add up to the amount, else one line of the whole.
std::vector<UblLine> lines_of(const Json& invoice, std::int64_t amount, bool credit) {
  std::vector<UblLine> out;
  std::int64_t sum = 0;
  std::int64_t sign = credit ? -1 : 1;
  const Json& lines = array_at(invoice, "lines");
  out.reserve(lines.size());
  for (const auto& line : lines) {
    auto share = share_of(line);
    sum += share;
    if (share == 0) continue;
    UblLine& l = out.emplace_back();
    l.net = Cents(share * sign);
    l.name = kind_text(text_at(line, "kind"));
    l.description = text_at(line, "description");
    const Json& days = array_at(line, "period");
    if (days.size() == 2 && days[0].is_string() && days[1].is_string()) {
      auto from = date_of(days[0].get<std::string>()), to = date_of(days[1].get<std::string>());
      if (from && to) l.period = UblPeriod{from, to};
    }
    if (auto whole = number_at(line, "cents"); whole && *whole != share) {
      auto part = euro(share * sign);
      part.append(" van ").append(euro(*whole * sign)).append(" euro");
      l.description.append(l.description.empty() ? "aandeel " : "; aandeel ").append(part);
      l.properties.reserve(2);  // describe_lines adds one
      l.properties.emplace_back("Aandeel", std::move(part));
    }
  }
  if (out.empty() || sum != amount) {
    UblLine l;
    l.net = Cents(amount * sign);
    l.name = kind_text("");
    out = {l};
  }
  if (out.size() > 1 && !order_for_binary(out, amount * sign)) out = {as_one(out, amount * sign)};
  for (auto& l : out) {
    // A price is never negative (BR-27): the quantity carries the sign.
    bool negative = l.net.value() < 0;
    l.quantity = UblDecimal::of(negative ? -1 : 1);
    l.price = UblDecimal::of(negative ? -l.net : l.net);
  }
  return out;
}

/// Each line says of which month and which arrangement it is: importers take lines apart.
void describe_lines(UblDocument& d, const std::string& reference) {
  for (auto& l : d.lines) {
    if (!l.period) l.period = d.period;
    if (!reference.empty()) l.properties.emplace(l.properties.begin(), "Arrangement", reference);
  }
}

}  // namespace

InvoiceSettings::InvoiceSettings(const Json& c)
    : peppol(c.value("profile", "nlcius") == "peppol"),
      embed_pdf(c.value("embed_pdf", true)),
      payment_days(c.value("payment_days", 30)),
      reason_o(c.value("reason_o", "Doorbelasting van kosten buiten het toepassingsgebied van de btw")),
      reason_e(c.value("reason_e", "Vrijgesteld van btw, artikel 11 Wet op de omzetbelasting 1968")) {}

std::string file_name(const std::string& number) {
  std::string out;
  for (unsigned char c : number.substr(0, 60))
    out += std::isalnum(c) != 0 || c == '-' || c == '_' || (c == '.' && !out.empty()) ? static_cast<char>(c) : '-';
  return out.empty() ? "factuur" : out;
}

Result<UblDocument> to_ubl(const Json& invoice, const std::string& reference, const InvoiceSettings& settings) {
  auto malformed = [](std::string what) { return fail(ErrorKind::invalid, "INVOICE_MALFORMED", std::move(what)); };
  auto amount = number_at(invoice, "amount_cents");
  auto issued = date_of(text_at(invoice, "issued"));
  if (!amount || text_at(invoice, "number").empty() || !issued)
    return malformed("number, amount_cents and issued are required");
  for (const char* number : {"number", "source_number", "credits"})
    if (holds_bsn(text_at(invoice, number))) return malformed("a number holds nine digits that could be a BSN");
  const Json &seller = object_at(invoice, "seller"), &buyer = object_at(invoice, "buyer");
  if (seller.empty() || buyer.empty())
    return fail(ErrorKind::invalid, "INVOICE_PARTY_UNKNOWN", "seller or buyer has no invoice data");

  UblDocument d;
  // A credit after which rounding asks a payer for a cent more is an invoice: a credit note cannot ask for money.
  d.credit_note = *amount < 0;
  if (settings.peppol) d.customization = kPeppolBis3;
  d.type_code = d.credit_note ? "381" : "380";
  d.id = text_at(invoice, "number");
  // An invoice that is passed on keeps the dates and the payment reference of who made it.
  auto dated = date_of(text_at(invoice, "issue_date")), due = date_of(text_at(invoice, "due_date"));
  d.issue_date = dated.value_or(*issued);
  d.due_date = due.value_or(Date(std::chrono::sys_days(d.issue_date) + std::chrono::days(settings.payment_days)));
  d.buyer_reference = text_at(buyer, "buyer_reference");
  // The arrangement is on it always: receivers book on it (facturatie.md 2.1).
  if (d.buyer_reference.empty())
    d.buyer_reference = reference;
  else if (d.buyer_reference != reference)
    d.order_reference = reference;
  auto from = date_of(text_at(invoice, "period_from")), to = date_of(text_at(invoice, "period_to"));
  if (from || to) d.period = UblPeriod{from, to};
  if (const auto& credited = text_at(invoice, "credits"); !credited.empty()) d.billing_references.push_back(credited);
  if (const auto& source = text_at(invoice, "source_number"); !source.empty() && source != d.id)
    d.notes.push_back("Betreft bronfactuur " + source);

  std::int64_t sign = d.credit_note ? -1 : 1;
  std::int64_t gross = *amount * sign, vat = number_at(invoice, "vat_cents").value_or(0) * sign;
  // What the agreement says goes before what the seller does otherwise.
  const std::string& treatment = text_at(invoice, "vat_treatment");
  std::string category = treatment.empty() ? text_at(seller, "vat_category") : treatment;
  if (category.empty()) category = "O";
  auto rates = rates_of(invoice, sign);
  if (!rates) return malformed("vat_rates does not add up to the amount");
  // VAT is on it by the agreement or by the seller's category alone, and at the rates of the source: none is guessed.
  // In the name of who made the source it says the VAT of the source, whatever its agreement is.
  bool of_source = flag_at(invoice, "vat_of_source") && !rates->empty() && gross != 0;
  // Also where the VAT of a rate rounds to nothing: it is of that rate all the same.
  bool charged =
      category == "S" &&
      (vat > 0 || std::ranges::any_of(*rates, [](const RatePart& r) { return r.category == "S" && r.net != Cents{}; }));
  if (of_source) {
    category = rates->front().category;
    charged =
        std::ranges::any_of(*rates, [&](const RatePart& r) { return r.category == "S" || r.category != category; });
  }
  if (charged && rates->empty()) return malformed("the source names no VAT rate that can be passed on");
  if (category == "S" && !charged) category = "E";  // no rate on it, by a seller that charges VAT otherwise
  d.supplier = party_of(seller, category != "O", settings.peppol);
  d.customer = party_of(buyer, category != "O", settings.peppol);
  if (settings.peppol && !text_at(buyer, "mail").empty() && d.customer.endpoint.value.empty())
    d.customer.endpoint = {"EM", text_at(buyer, "mail")};
  d.iban = text_at(seller, "iban");
  d.payment_id = text_at(invoice, "payment_id");
  if (d.payment_id.empty()) d.payment_id = d.id;
  if (!due) d.payment_terms = fmt::format("Betaling binnen {} dagen", settings.payment_days);
  if (d.credit_note) d.payment_terms.clear();

  if (charged) {
    // VAT as the provider charged it, one line per rate: shares of lines are gross, and their net would not add up.
    for (const auto& part : *rates) {
      if (part.net == Cents{} && part.vat == Cents{}) continue;
      UblLine l;
      l.net = part.net;
      l.quantity = UblDecimal::of(part.net < Cents{} ? -1 : 1);
      l.price = UblDecimal::of(part.net < Cents{} ? -part.net : part.net);
      l.name = kind_text("");
      // What we make has no Z (facturatie.md 2.2).
      l.category = !of_source && part.category == "Z" ? "E" : part.category;
      if (l.category != "O") l.percent = part.percent;
      describe_part(l, invoice, part, rates->size() == 1);
      d.lines.push_back(std::move(l));
    }
    describe_lines(d, reference);
    complete_totals(d, category == "O" ? settings.reason_o : settings.reason_e);
    for (auto& tax : d.taxes) {
      if (tax.category == "Z") tax.reason.clear();
      if (tax.category != "S") continue;
      tax.reason.clear();
      tax.tax = Cents{};
      for (const auto& part : *rates)
        if (tax.percent && part.percent.equals(*tax.percent)) tax.tax += part.vat;
    }
    d.tax_total = Cents(vat);
    d.tax_inclusive = d.payable = Cents(gross);
    return d;
  }
  d.lines = lines_of(invoice, *amount, d.credit_note);
  for (auto& l : d.lines) {
    l.category = category;
    if (category != "O") l.percent = UblDecimal::of(std::int64_t{0});
  }
  describe_lines(d, reference);
  // The seller charges no VAT of its own; what its supplier charged is part of the cost that is shared.
  if (vat != 0)
    d.notes.push_back(
        fmt::format("Het bedrag is inclusief {} euro btw die de leverancier in rekening bracht", euro(vat)));
  complete_totals(d, category == "E" ? settings.reason_e : category == "O" ? settings.reason_o : "");
  return d;
}

Json stated_amounts(const UblDocument& d) {
  std::int64_t sign = d.credit_note ? -1 : 1;
  Json vat = Json::array();
  for (const auto& t : d.taxes) {
    auto percent = t.percent.value_or(UblDecimal{});
    while (percent.scale > 0 && percent.units % 10 == 0) percent.units /= 10, --percent.scale;
    vat.push_back({{"categorie", t.category},
                   {"tarief", percent.text()},
                   {"nettoCent", t.taxable.value() * sign},
                   {"btwCent", t.tax.value() * sign}});
  }
  return {{"bedragCent", d.payable.value() * sign}, {"btw", std::move(vat)}};
}

std::string code_with_rules(const Error& error) {
  std::string out = error.code;
  std::set<std::string> rules;
  for (const auto& f : error.findings)
    if (!f.rule.empty()) rules.insert(f.rule);
  for (const auto& rule : rules) {
    if (out.size() > 120) break;
    out += (out == error.code ? ':' : ',') + rule;
  }
  return out;
}

Result<InvoiceFiles> invoice_files(const Json& invoice, const std::string& reference, const InvoiceSettings& settings,
                                   bool want_pdf) {
  auto ubl = to_ubl(invoice, reference, settings);
  if (!ubl) return fail(ubl.error());
  InvoiceFiles out;
  out.document = std::move(*ubl);
  if (auto findings = check_ubl(out.document); !findings.empty())
    return fail(ErrorKind::invalid, "UBL_INVALID", "the document breaks rules", std::move(findings));
  out.name = file_name(out.document.id);
  if (want_pdf || settings.embed_pdf) {
    auto drawn = render_invoice_pdf(out.document);
    if (!drawn) return fail(drawn.error());
    out.pdf = std::move(*drawn);
  }
  if (settings.embed_pdf)
    out.document.attachments.push_back({out.name, out.document.credit_note ? "Creditnota" : "Factuur",
                                        out.name + ".pdf", "application/pdf", to_bytes(out.pdf)});
  auto text = settings.embed_pdf ? write_ubl(out.document) : write_checked_ubl(out.document);
  if (!text) return fail(text.error());
  out.xml = std::move(*text);
  return out;
}

}  // namespace schakel::formats
