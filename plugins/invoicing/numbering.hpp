// The numbers of what the broker makes.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/invoicing/state.hpp"

namespace schakel::invoicing {

/// Number and kind of a re-invoice (domain.md 9.2, number scheme).
[[nodiscard]] std::pair<std::string, std::string> name_reinvoice(const LedgerEntry& source, std::string_view holder,
                                                                 std::string_view payer);

/// Gives a document that the broker makes its number: the creditor's own series, or what the scheme of domain.md 9.2
/// made of the source's number, told apart where another source made the same.
class Numbering {
 public:
  Numbering() = default;
  /// `facts` are the registers of `numbering_keys`; `year` is that of the issue date in the Netherlands.
  Numbering(const Switches& switches, const std::map<std::string, Json>& facts, std::string region, int year);
  [[nodiscard]] std::string next(const std::string& creditor, const std::string& scheme_number);
  /// Registers that changed; they go into the transaction of the decision, so that no number is lost or given twice.
  [[nodiscard]] std::vector<RegisterWrite> writes() const;

 private:
  [[nodiscard]] Json value(const std::string& key) const;
  std::map<std::string, std::string> series_;
  std::map<std::string, Json> known_;
  std::map<std::string, Json> changed_;
  std::string region_;
  int year_ = 0;
};
/// Keys of the registers that numbering may look at when these are sent.
[[nodiscard]] std::vector<std::string> numbering_keys(const Switches& switches, const std::string& region,
                                                      std::span<const LedgerEntry* const> sources);

}  // namespace schakel::invoicing
