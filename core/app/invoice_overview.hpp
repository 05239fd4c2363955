// The books of a month on paper: what finance files. From the answer of the API alone.
#pragma once
#include <optional>
#include <string>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/formats/values.hpp"

namespace schakel::app {

/// VAT category and rate: "S 21 %", "O".
[[nodiscard]] std::string vat_name(const Json& row, const char* category = "btwCategorie",
                                   const char* rate = "btwTarief");
/// What an open item is called (core/pipeline/reconcile.hpp, OpenItem).
[[nodiscard]] std::string what_open(const std::string& what);

/// `month` is pipeline::month_view. The same month and day of making give the same bytes; without `made` the document
/// names no such day. Errors of formats::render_report_pdf.
[[nodiscard]] Result<std::string> month_pdf(const Json& month, std::optional<formats::Date> made);

}  // namespace schakel::app
