#include <fmt/format.h>

#include "core/formats/pdf.hpp"
#include "core/formats/pdf_page.hpp"

namespace schakel::formats {

Result<std::string> render_text_pdf(const PdfText& d) {
  if (!d.date.ok()) return fail(ErrorKind::invalid, "PDF_TEXT", "the document has no date");
  bool utf8 =
      valid_xml_text(d.title) && valid_xml_text(d.author) && valid_xml_text(d.subtitle) && valid_xml_text(d.footer);
  for (const auto& b : d.blocks) utf8 = utf8 && valid_xml_text(b.text);
  if (!utf8) return fail(ErrorKind::invalid, "PDF_TEXT", "a text of the document is not UTF-8");
  auto draw = [&d](pdf::Flow& f) {
    f.paragraph(d.title, 0, {18, true}, "H1");
    f.y += 4;
    if (!d.subtitle.empty()) f.paragraph(d.subtitle, 0, {9.5, false, 0.3});
    f.y += 8;
    f.rule(f.y);
    f.y += 12;
    for (const auto& b : d.blocks) switch (b.kind) {
        case PdfBlock::Kind::heading:
          f.room(50);  // never alone at the foot of a page
          f.y += 6;
          f.paragraph(b.text, 0, {12.5, true}, "H2");
          f.y += 4;
          break;
        case PdfBlock::Kind::paragraph:
          f.paragraph(b.text, 0, {10.5});
          f.y += 8;
          break;
        case PdfBlock::Kind::bullet:
          f.room(14);
          f.text("•", pdf::kLeft + 4, 10, {10.5}, pdf::Align::left, "Lbl");
          f.paragraph(b.text, 16, {10.5}, "LBody");
          f.y += 4;
          break;
      }
  };
  auto footer = [&d](pdf::Flow& f) {
    f.y = pdf::kBottom + 14;
    f.rule(f.y - 6);
    f.text(d.footer, pdf::kLeft, 360, {8, false, 0.25}, pdf::Align::left, "P", 2);
    f.text(fmt::format("pagina {} van {}", f.page(), f.pages()), pdf::kRight - 120, 120, {8, false, 0.25},
           pdf::Align::right);
  };
  return pdf::draw_document({d.title, d.author, d.subtitle, d.date}, draw, footer);
}

}  // namespace schakel::formats
