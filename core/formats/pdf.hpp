// PDFs for people: an invoice drawn from its UBL, and tables to file. Cairo and pango; A4, Dutch, tagged.
// Needs fonts that fontconfig can find (Debian: fonts-dejavu-core). The same input, fonts and library versions give the
// same bytes: nothing of the clock enters, the creation date is given. Blocking, some 10 ms a page: call it
// from the blocking pool. Thread: any.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/formats/ubl.hpp"
#include "core/formats/values.hpp"

namespace schakel::formats {

/// The invoice or credit note as a person reads it: every amount and party of the UBL, nothing that is not in it, so
/// that the two attachments of one mail never differ (facturatie.md section 6, case 8). Errors: PDF_FONT when there is
/// no font at all (unavailable), PDF_TEXT for text that is not UTF-8, PDF_RENDER when cairo gives up.
[[nodiscard]] Result<std::string> render_invoice_pdf(const UblDocument& invoice);

struct PdfColumn {
  std::string name;
  double share = 1;     ///< of the width, beside the others
  bool amount = false;  ///< set flush right
};

/// A table over as many pages as it needs, its heads on each. Every row has a cell for every column; a cell that is
/// longer than six lines ends in an ellipsis.
struct PdfTable {
  std::string heading;
  std::vector<PdfColumn> columns;
  std::vector<std::vector<std::string>> rows, totals;
};

/// A document to file: a title, facts under it, remarks, tables. A4 that lies, pages numbered.
struct PdfReport {
  std::string title;
  std::string author;
  Date date{};  ///< creation date in the file
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<std::string> remarks;
  std::vector<PdfTable> tables;
  std::string footer;
};

/// Errors as render_invoice_pdf.
[[nodiscard]] Result<std::string> render_report_pdf(const PdfReport& document);

}  // namespace schakel::formats
