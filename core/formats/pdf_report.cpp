#include <fmt/format.h>

#include <algorithm>

#include "core/formats/pdf.hpp"
#include "core/formats/pdf_page.hpp"

namespace schakel::formats {
namespace {

using pdf::Align;
using pdf::Flow;
using pdf::Font;

constexpr Font kReportBody{9.5}, kReportLabel{8.5, false, 0.3}, kCell{7.5}, kCellBold{7.5, true},
    kFooter{8, false, 0.25};
/// Between two columns.
constexpr double kGap = 9;
/// Nothing of a cell is left out but what no table can hold.
constexpr int kMostLines = 6;

/// Left edge and width of each column.
std::vector<std::pair<double, double>> places(const Flow& f, const PdfTable& t) {
  double whole = 0;
  for (const auto& c : t.columns) whole += c.share;
  double room = f.right() - pdf::kLeft - kGap * static_cast<double>(t.columns.size() - 1), x = pdf::kLeft;
  std::vector<std::pair<double, double>> out;
  for (const auto& c : t.columns) {
    double width = room * c.share / whole;
    out.emplace_back(x, width);
    x += width + kGap;
  }
  return out;
}

class Table {
 public:
  Table(Flow& f, const PdfTable& t) : f_(f), t_(t), places_(places(f, t)) {}

  void draw() {
    // The heading, the names of the columns and one row stay together.
    const auto& first = t_.rows.empty() ? t_.totals : t_.rows;
    f_.room(40 + height_of(names(), kCellBold) + (first.empty() ? 0 : height_of(first.front(), kCell)));
    f_.y += 8;
    f_.paragraph(t_.heading, 0, {11.5, true}, "H2");
    f_.y += 4;
    f_.begin("Table");
    head();
    for (const auto& row : t_.rows) line(row, false);
    for (const auto& row : t_.totals) line(row, true);
    f_.end("Table");
    f_.y += 6;
  }

 private:
  double height_of(const std::vector<std::string>& cells, const Font& font) {
    double most = 0;
    for (std::size_t i = 0; i < cells.size(); ++i)
      most = std::max(most, f_.height(cells[i], places_[i].second, font, kMostLines));
    return most;
  }

  void cells(const std::vector<std::string>& texts, const Font& font, const char* tag) {
    f_.begin("TR");
    for (std::size_t i = 0; i < texts.size(); ++i)
      f_.text(texts[i], places_[i].first, places_[i].second, font, t_.columns[i].amount ? Align::right : Align::left,
              tag, kMostLines);
    f_.end("TR");
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& c : t_.columns) out.push_back(c.name);
    return out;
  }

  void head() {
    cells(names(), kCellBold, "TH");
    f_.y += height_of(names(), kCellBold) + 3;
    f_.rule(f_.y);
    f_.y += 3;
  }

  void line(const std::vector<std::string>& row, bool total) {
    const Font& font = total ? kCellBold : kCell;
    double h = height_of(row, font);
    if (f_.y + h + 6 > f_.bottom()) {
      f_.end("Table");
      f_.room(pdf::kHeight);
      f_.begin("Table");
      head();
    }
    cells(row, font, total ? "TH" : "TD");
    f_.y += h + 3;
    f_.rule(f_.y, pdf::kLeft, f_.right(), 0.25);
    f_.y += 3;
  }

  Flow& f_;
  const PdfTable& t_;
  std::vector<std::pair<double, double>> places_;
};

bool sound(const PdfTable& t) {
  auto fits = [&t](const std::vector<std::string>& row) {
    return row.size() == t.columns.size() && std::ranges::all_of(row, valid_xml_text);
  };
  return !t.columns.empty() && valid_xml_text(t.heading) &&
         std::ranges::all_of(t.columns, [](const PdfColumn& c) { return c.share > 0 && valid_xml_text(c.name); }) &&
         std::ranges::all_of(t.rows, fits) && std::ranges::all_of(t.totals, fits);
}

}  // namespace

Result<std::string> render_report_pdf(const PdfReport& d) {
  if (!d.date.ok()) return fail(ErrorKind::invalid, "PDF_TEXT", "the document has no date");
  bool utf8 =
      valid_xml_text(d.title) && valid_xml_text(d.author) && valid_xml_text(d.footer) &&
      std::ranges::all_of(d.remarks, valid_xml_text) &&
      std::ranges::all_of(d.facts, [](const auto& f) { return valid_xml_text(f.first) && valid_xml_text(f.second); });
  if (!utf8 || !std::ranges::all_of(d.tables, sound))
    return fail(ErrorKind::invalid, "PDF_TEXT",
                "a text of the document is not UTF-8, or a row has not the columns of its table");
  auto draw = [&d](Flow& f) {
    f.paragraph(d.title, 0, {18, true}, "H1");
    f.y += 8;
    for (const auto& [label, value] : d.facts) {
      f.room(16);
      auto h =
          std::max(f.text(label, pdf::kLeft, 130, kReportLabel),
                   f.text(value, pdf::kLeft + 136, f.right() - pdf::kLeft - 136, kReportBody, Align::left, "P", 3));
      f.y += h + 2;
    }
    f.y += 6;
    for (const auto& text : d.remarks) {
      f.paragraph(text, 0, kReportBody);
      f.y += 4;
    }
    for (const auto& t : d.tables) Table(f, t).draw();
  };
  auto footer = [&d](Flow& f) {
    f.y = f.bottom() + 14;
    f.rule(f.y - 6);
    f.text(d.footer, pdf::kLeft, f.right() - pdf::kLeft - 130, kFooter, Align::left, "P", 2);
    f.text(fmt::format("pagina {} van {}", f.page(), f.pages()), f.right() - 120, 120, kFooter, Align::right);
  };
  return pdf::draw_document({d.title, d.author, d.title, d.date, true}, draw, footer);
}

}  // namespace schakel::formats
