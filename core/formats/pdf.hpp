// PDFs for people: an invoice drawn from its UBL, and plain documents. Cairo and pango; A4, Dutch, tagged.
// Needs fonts that fontconfig can find (Debian: fonts-dejavu-core). The same input, fonts and library versions give the
// same bytes: nothing of the clock enters, the creation date is the issue date. Blocking, some 10 ms a page: call it
// from the blocking pool. Thread: any.
#pragma once
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/formats/ubl.hpp"
#include "core/formats/values.hpp"

namespace schakel::formats {

/// The invoice or credit note as a person reads it: every amount and party of the UBL, nothing that is not in it, so
/// that the two attachments of one mail never differ (facturatie.md section 6, case 8). Errors: PDF_FONT when there is
/// no font at all (unavailable), PDF_TEXT for text that is not UTF-8, PDF_RENDER when cairo gives up.
[[nodiscard]] Result<std::string> render_invoice_pdf(const UblDocument& invoice);

struct PdfBlock {
  enum class Kind { heading, paragraph, bullet };
  Kind kind = Kind::paragraph;
  std::string text;
};

/// A plain document: a title, a line of facts under it, then blocks over as many pages as they need.
struct PdfText {
  std::string title;
  std::string author;
  std::string subtitle;
  Date date{};  ///< creation date in the file
  std::vector<PdfBlock> blocks;
  std::string footer;
};

/// Errors as render_invoice_pdf.
[[nodiscard]] Result<std::string> render_text_pdf(const PdfText& document);

}  // namespace schakel::formats
