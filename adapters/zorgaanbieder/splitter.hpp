// From a declaration or an e-invoice to case messages. Pure: no BSN, name or free text of the sender gets into a
// message.
#pragma once
#include <set>

#include "core/formats/ijw.hpp"
#include "core/formats/ubl.hpp"
#include "settings.hpp"

namespace schakel::zorgaanbieder {

using Line = std::pair<std::size_t, std::size_t>;  ///< (client, prestatie)

/// What the splitter must know from outside one declaration.
struct Context {
  std::vector<std::optional<std::string>> cases;  ///< by client; nullopt: nobody we know (8187)
  std::map<Line, std::vector<std::string>>
      rejected;                          ///< lines that are out before any decision, with their return codes
  std::map<Line, std::string> kinds;     ///< kind of a line; where it says nothing, that of its product
  std::map<Line, std::string> credited;  ///< credit line to the number of the invoice that it takes back
  std::map<Line, Line> replaces;         ///< debit line to the credit line that must be granted before it (TR389)
};

/// One message of a declaration, and the lines that share its fate.
struct Part {
  std::string id;  ///< CloudEvents id, the same for the same content
  std::vector<Line> lines;
  Json event;
  std::string number;
  std::string after;  ///< id of the part that must be granted first; empty
};

/// One invoice per client and month for its debit lines, one more for those that replace a credited invoice (they wait
/// for the credit), one credit note per client and credited invoice; credits first (OP366). Of the clients from `first`
/// to before `last`: a large declaration is split piece by piece, as its messages take more memory than it does.
[[nodiscard]] std::vector<Part> split(const formats::Jw323& declaration, const Context& context,
                                      const Settings& settings, const std::string& content_hash, std::size_t first = 0,
                                      std::size_t last = std::string::npos);

/// Why an e-invoice is refused here though it is sound: check_carried, and by the settings SCH-BUYER (for another than
/// `afnemers`) and SCH-IBAN-OTHER (to be paid on another account than the seller's `rekeningen`).
[[nodiscard]] std::vector<Finding> refused_here(const formats::UblDocument& document, const Settings& settings,
                                                formats::Date today);

/// The message of a UBL invoice or credit note that check_carried passed. `case_id` empty: the broker finds the case by
/// `reference`. Amounts are gross: each line has its net, its part of the allowances of its VAT category and rate, and
/// its own VAT. UBL_INVALID with SCH-PRODUCT (an item that no product of the configuration is), SCH-NEGATIVE (lines of
/// less than nothing) or SCH-ALLOWANCE (an allowance or charge of a category that no line has).
[[nodiscard]] Result<Json> event_of(const formats::UblDocument& document, const std::string& case_id,
                                    const Settings& settings, const std::string& content_hash);

/// A CloudEvent of this instance.
[[nodiscard]] Json event_envelope(const std::string& id, std::string_view type, const std::string& case_id,
                                  const std::string& date, const Settings& settings, Json data);
[[nodiscard]] std::string month_of(formats::Date date);

}  // namespace schakel::zorgaanbieder
