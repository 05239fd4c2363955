#include <fmt/format.h>

#include <algorithm>

#include "core/formats/pdf.hpp"
#include "core/formats/pdf_page.hpp"

namespace schakel::formats {
namespace {

using pdf::Align;
using pdf::Flow;
using pdf::Font;
using pdf::kLeft;
using pdf::kRight;

constexpr Font kBody{}, kSmall{8, false, 0.25}, kLabel{8.5, false, 0.3}, kBold{9.5, true}, kMoney{9}, kTitle{20, true},
    kHead{8.5, true};

// Columns of the line table: left edges; amounts are set flush right.
constexpr double kNumber = kLeft, kWhat = kLeft + 22, kPeriodX = kLeft + 214, kQuantity = kLeft + 282,
                 kPrice = kLeft + 320, kAmount = kLeft + 402;

/// "€ 140,58", or more decimals where a price has them.
std::string price_text(const UblDecimal& d) {
  if (d.scale <= 2) {
    auto cents = d.units;
    for (int i = d.scale; i < 2; ++i) cents *= 10;
    return format_euro(Cents{cents});
  }
  auto text = d.text();
  std::ranges::replace(text, '.', ',');
  return "€\u00a0" + text;
}
std::string number_text(const UblDecimal& d) {
  auto text = d.text();
  std::ranges::replace(text, '.', ',');
  return text;
}
std::string period_text(const UblPeriod& p) {
  auto day = [](const std::optional<Date>& d) {
    return d ? fmt::format("{:02}-{:02}-{}", static_cast<unsigned>(d->day()), static_cast<unsigned>(d->month()),
                           static_cast<int>(d->year()))
             : std::string("…");
  };
  return fmt::format("{} t/m {}", day(p.start), day(p.end));
}
std::string unit_text(std::string_view code) {
  if (code == "C62" || code == "EA") return "";
  if (code == "HUR") return " uur";
  if (code == "MIN") return " min";
  if (code == "DAY") return " dag";
  return fmt::format(" {}", code);
}
std::string grouped_iban(std::string_view iban) {
  std::string out;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    if (i > 0 && i % 4 == 0) out += ' ';
    out += iban[i];
  }
  return out;
}
std::string scheme_label(std::string_view scheme) {
  return scheme == "0106" ? "KvK" : scheme == "0190" ? "OIN" : scheme == "9944" ? "Btw" : "Nr.";
}

std::string address(const UblParty& p) {
  auto out = p.registration_name.empty() ? p.name : p.registration_name;
  for (const auto& line : {p.street, p.extra, fmt::format("{}  {}", p.zip, p.city)})
    if (!collapse(line).empty()) out += "\n" + line;
  if (p.country != "NL" && !p.country.empty()) out += "\n" + p.country;
  return out;
}

class Invoice {
 public:
  explicit Invoice(const UblDocument& d) : d_(d) {}

  void draw(Flow& f) const {
    parties(f);
    facts(f);
    notes(f);
    table(f);
    totals(f);
    payment(f);
  }

  void footer(Flow& f) const {
    f.y = pdf::kBottom + 14;
    f.rule(f.y - 6);
    auto text = fmt::format("{}   {} {}", d_.supplier.registration_name, scheme_label(d_.supplier.legal_id.scheme),
                            d_.supplier.legal_id.value);
    if (!d_.supplier.vat_number.empty()) text += fmt::format("   btw-nummer {}", d_.supplier.vat_number);
    f.text(text, kLeft, kRight - kLeft - 236, kSmall, Align::left, "P", 2);
    f.text(fmt::format("{} {}, pagina {} van {}", name(), d_.id, f.page(), f.pages()), kRight - 230, 230, kSmall,
           Align::right, "P", 2);
  }

  [[nodiscard]] const char* name() const {
    return d_.credit_note ? "Creditnota" : d_.type_code == "384" ? "Correctiefactuur" : "Factuur";
  }

 private:
  void parties(Flow& f) const {
    double left = f.text(name(), kLeft, 250, kTitle, Align::left, "H1");
    auto top = f.y;
    auto from = address(d_.supplier);
    for (const auto& extra : {d_.supplier.contact, d_.supplier.phone, d_.supplier.mail})
      if (!extra.empty()) from += "\n" + extra;
    double right = f.text(from, kLeft + 300, kRight - kLeft - 300, kBody, Align::left, "P", 12);
    f.y = top + left + 22;
    f.text("Aan", kLeft, 250, kLabel);
    f.y += 13;
    auto to = address(d_.customer);
    if (!d_.customer.contact.empty()) to += "\nt.a.v. " + d_.customer.contact;
    if (!d_.customer.mail.empty()) to += "\n" + d_.customer.mail;
    if (!d_.customer.legal_id.value.empty())
      to += fmt::format("\n{} {}", scheme_label(d_.customer.legal_id.scheme), d_.customer.legal_id.value);
    f.y += f.text(to, kLeft, 280, kBody, Align::left, "P", 12);
    f.y = std::max(f.y, top + right) + 18;
  }

  void facts(Flow& f) const {
    std::vector<std::pair<const char*, std::string>> rows{
        {d_.credit_note ? "Creditnotanummer" : "Factuurnummer", d_.id},
        {d_.credit_note ? "Datum" : "Factuurdatum", format_date_dutch(d_.issue_date)}};
    if (d_.due_date) rows.emplace_back("Vervaldatum", format_date_dutch(*d_.due_date));
    if (!d_.buyer_reference.empty()) rows.emplace_back("Uw kenmerk", d_.buyer_reference);
    if (!d_.order_reference.empty()) rows.emplace_back("Ordernummer", d_.order_reference);
    for (const auto& r : d_.billing_references) rows.emplace_back("Betreft factuur", r);
    if (d_.period) rows.emplace_back("Periode", period_text(*d_.period));
    for (const auto& [label, value] : rows) {
      auto h = std::max(f.text(label, kLeft, 110, kLabel), f.text(value, kLeft + 114, 360, kBody, Align::left, "P", 2));
      f.y += h + 2;
    }
    f.y += 10;
  }

  void notes(Flow& f) const {
    for (const auto& note : d_.notes) {
      f.paragraph(note, 0, kBody);
      f.y += 6;
    }
    if (!d_.notes.empty()) f.y += 6;
  }

  static void heading(Flow& f) {
    f.begin("TR");
    f.text("Nr.", kNumber, 24, kHead, Align::left, "TH");
    f.text("Omschrijving", kWhat, 186, kHead, Align::left, "TH");
    f.text("Periode", kPeriodX, 66, kHead, Align::left, "TH");
    f.text("Aantal", kQuantity, 36, kHead, Align::right, "TH");
    f.text("Prijs", kPrice, kAmount - kPrice - 4, kHead, Align::right, "TH");
    f.text("Bedrag", kAmount, kRight - kAmount, kHead, Align::right, "TH");
    f.end("TR");
    f.y += 14;
    f.rule(f.y);
    f.y += 5;
  }

  static std::string details(const UblLine& l) {
    auto out = l.description;
    auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "\n") + text; };
    if (!l.note.empty()) add(l.note);
    std::string properties;
    for (const auto& [key, value] : l.properties)
      properties += fmt::format("{}{}: {}", properties.empty() ? "" : "; ", key, value);
    if (!properties.empty()) add(properties);
    if (!l.seller_item.empty()) add("Artikel " + l.seller_item);
    if (l.adjustments != Cents{}) add(fmt::format("Korting of toeslag op deze regel: {}", format_euro(l.adjustments)));
    // Empty lines say nothing and make pages.
    auto rest = std::ranges::unique(out, [](char a, char b) { return a == '\n' && b == '\n'; });
    out.erase(rest.begin(), rest.end());
    return out;
  }

  /// One line, or what of it is on this page: its amounts stand where it begins.
  static void row(Flow& f, const UblLine& l, std::string_view name, std::string_view more, bool first) {
    constexpr double kWhatWidth = kPeriodX - kWhat - 6;
    auto top = f.y;
    f.begin("TR");
    if (first) f.text(l.id, kNumber, 22, kBody, Align::left, "TD", 2);
    double h = f.text(name, kWhat, kWhatWidth, kBody, Align::left, "TD");
    f.y += h;
    h += f.text(more, kWhat, kWhatWidth, kSmall, Align::left, "TD");
    f.y = top;
    double p = 0;
    if (first) {
      p = l.period ? f.text(period_text(*l.period), kPeriodX, 66, kSmall, Align::left, "TD", 3) : 0;
      f.text(number_text(l.quantity) + unit_text(l.unit), kQuantity, 36, kMoney, Align::right, "TD", 2);
      f.text(price_text(l.price), kPrice, kAmount - kPrice - 4, kMoney, Align::right, "TD", 2);
      f.text(format_euro(l.net), kAmount, kRight - kAmount, kMoney, Align::right, "TD", 2);
    }
    f.end("TR");
    f.y = top + std::max(h, p) + 4;
    f.rule(f.y, kLeft, kRight, 0.25);
    f.y += 4;
  }

  void table(Flow& f) const {
    f.room(80);
    f.begin("Table");
    heading(f);
    constexpr double kWhatWidth = kPeriodX - kWhat - 6, kBelow = 8;
    auto next_page = [&f] {
      f.end("Table");
      f.room(pdf::kHeight);
      f.begin("Table");
      heading(f);
    };
    for (const auto& l : d_.lines) {
      const std::string details_text = details(l);
      std::string_view name = l.name, more = details_text;
      // A line that is longer than what is left goes to the next page; one that is longer than a page goes on there.
      // Nothing of it is left out: it is what the payer checks.
      bool first = true, fresh = false;
      while (first || !name.empty() || !more.empty()) {
        double left = pdf::kBottom - f.y - kBelow;
        auto n = f.fits(name, kWhatWidth, kBody, left);
        double h = f.height(name.substr(0, n), kWhatWidth, kBody);
        auto m = n == name.size() ? f.fits(more, kWhatWidth, kSmall, left - h) : 0;
        bool whole = n == name.size() && m == more.size();
        // On a page of its own a line is cut only where the page ends.
        if (!whole && !fresh) {
          next_page();
          fresh = true;
          continue;
        }
        // Not one line on an empty page cannot be; it is drawn rather than tried for ever.
        if (n + m == 0 && !whole) n = name.size(), m = more.size();
        row(f, l, name.substr(0, n), more.substr(0, m), first);
        name.remove_prefix(n), more.remove_prefix(m);
        first = false;
        if (whole) break;
        next_page();
      }
    }
    f.end("Table");
  }

  void totals(Flow& f) const {
    std::vector<std::tuple<std::string, Cents, bool>> rows;
    rows.emplace_back("Totaal van de regels", d_.line_total, false);
    for (const auto& a : d_.allowances)
      rows.emplace_back(a.reason.empty() ? (a.charge ? "Toeslag" : "Korting") : a.reason,
                        a.charge ? a.amount : -a.amount, false);
    if (!d_.allowances.empty()) rows.emplace_back("Totaal exclusief btw", d_.tax_exclusive, false);
    for (const auto& t : d_.taxes) {
      auto label = t.category == "O"   ? std::string("Btw: niet van toepassing")
                   : t.category == "E" ? std::string("Btw: vrijgesteld")
                                       : fmt::format("Btw {}% over {}", t.percent ? number_text(*t.percent) : "0",
                                                     format_euro(t.taxable));
      rows.emplace_back(label, t.tax, false);
    }
    rows.emplace_back("Totaal inclusief btw", d_.tax_inclusive, false);
    if (d_.prepaid) rows.emplace_back("Al betaald", -*d_.prepaid, false);
    if (d_.rounding) rows.emplace_back("Afronding", *d_.rounding, false);
    rows.emplace_back(d_.credit_note ? "Te ontvangen" : "Te betalen", d_.payable, true);
    f.room(static_cast<double>(rows.size()) * 15 + 20);
    f.y += 6;
    f.begin("Table");
    for (const auto& [label, amount, strong] : rows) {
      if (strong) {
        f.rule(f.y, kPeriodX);
        f.y += 3;
      }
      f.begin("TR");
      double h = f.text(label, kPeriodX, kAmount - kPeriodX - 8, strong ? kBold : kBody, Align::left, "TH", 3);
      f.text(format_euro(amount), kAmount - 30, kRight - kAmount + 30, strong ? kBold : kMoney, Align::right, "TD", 1);
      f.end("TR");
      f.y += h + 2;
    }
    f.end("Table");
    f.y += 10;
    for (const auto& t : d_.taxes) {
      if (t.reason.empty()) continue;
      f.room(24);
      f.paragraph(t.reason, 0, kSmall);
      f.y += 2;
    }
  }

  void payment(Flow& f) const {
    std::vector<std::pair<const char*, std::string>> rows;
    if (!d_.iban.empty()) {
      rows.emplace_back("IBAN", grouped_iban(d_.iban));
      rows.emplace_back("Op naam van", d_.supplier.registration_name);
    }
    if (!d_.payment_id.empty()) rows.emplace_back("Betalingskenmerk", d_.payment_id);
    for (const auto& a : d_.attachments)
      rows.emplace_back("Bijlage", a.description.empty() ? a.id : fmt::format("{} ({})", a.description, a.id));
    if (rows.empty() && d_.payment_terms.empty()) return;
    f.y += 8;
    f.room(20 + static_cast<double>(rows.size()) * 15);
    f.y += f.text(d_.credit_note ? "Verrekening" : "Betaling", kLeft, 300, kBold, Align::left, "H2") + 3;
    for (const auto& [label, value] : rows) {
      auto h = std::max(f.text(label, kLeft, 110, kLabel), f.text(value, kLeft + 114, 360, kBody, Align::left, "P", 3));
      f.y += h + 2;
    }
    if (!d_.payment_terms.empty()) {
      f.y += 4;
      f.paragraph(d_.payment_terms, 0, kBody);
    }
  }

  const UblDocument& d_;
};

/// Every text that is drawn, so that pango never sees invalid UTF-8. The writer's own check knows them all.
bool drawable(const UblDocument& d) { return render_ubl(d).has_value(); }

}  // namespace

Result<std::string> render_invoice_pdf(const UblDocument& d) {
  if (!d.issue_date.ok()) return fail(ErrorKind::invalid, "PDF_TEXT", "the invoice has no issue date");
  if (!drawable(d)) return fail(ErrorKind::invalid, "PDF_TEXT", "a text of the invoice is not UTF-8");
  Invoice invoice(d);
  pdf::Info info{fmt::format("{} {}", invoice.name(), d.id), d.supplier.registration_name,
                 fmt::format("{} aan {}", invoice.name(), d.customer.registration_name), d.issue_date};
  return pdf::draw_document(info, [&](Flow& f) { invoice.draw(f); }, [&](Flow& f) { invoice.footer(f); });
}

}  // namespace schakel::formats
