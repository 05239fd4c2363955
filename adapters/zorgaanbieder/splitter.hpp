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

/// One invoice per client for its debit lines, one more for those that replace a credited invoice (they wait for the
/// credit), one credit note per client and credited invoice; credits first (OP366).
[[nodiscard]] std::vector<Part> split(const formats::Jw323& declaration, const Context& context,
                                      const Settings& settings, const std::string& content_hash);

/// The message of a UBL invoice or credit note. `case_id` empty: the broker finds the case by `reference`. Amounts are
/// gross.
[[nodiscard]] Json event_of(const formats::UblDocument& document, const std::string& case_id, const Settings& settings,
                            const std::string& content_hash);

}  // namespace schakel::zorgaanbieder
