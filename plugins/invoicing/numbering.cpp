#include "plugins/invoicing/numbering.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schakel::invoicing {

std::pair<std::string, std::string> name_reinvoice(const LedgerEntry& source, std::string_view holder,
                                                   std::string_view payer) {
  if (source.is_credit())
    return {"CN-" + source.number + (payer == "schoolbestuur" ? "-SB" : payer == "gemeente" ? "-G" : ""), "creditnota"};
  if (holder == "schoolbestuur")
    return payer == "gemeente" ? std::pair{"FG-" + source.number, std::string("factuur")}
                               : std::pair{"DE-" + source.number, std::string("declaratie")};
  return {"DB-" + source.number +
              (payer == "schoolbestuur" ? "-SB"
               : payer == "gemeente"    ? "-G"
                                        : ""),
          "doorbelasting"};
}

Numbering::Numbering(const Switches& switches, const std::map<std::string, Json>& facts, std::string region, int year)
    : series_(switches.number_series), known_(facts), region_(std::move(region)), year_(year) {}

Json Numbering::value(const std::string& key) const {
  if (auto it = changed_.find(key); it != changed_.end()) return it->second;
  auto it = known_.find(key);
  return it == known_.end() ? Json() : it->second;
}

std::string Numbering::next(const std::string& creditor, const std::string& scheme_number) {
  auto prefix = series_.find(creditor);
  const std::string series = "series/" + region_ + "/" + creditor;
  // Nobody knows yet whose series it is: its number comes from its source, and no series has a gap or a number twice.
  auto nobody = known_.find(series);
  bool ambiguous = nobody != known_.end() && nobody->second.is_object() && nobody->second.contains("ambiguous");
  if (prefix == series_.end() || ambiguous) {
    // The same number from two sources would be two invoices of one number by this creditor.
    std::string key = "made/" + region_ + "/" + creditor + "/" + scheme_number;
    Json made = value(key);
    auto n = made.is_number_integer() ? made.get<std::int64_t>() + 1 : 1;
    changed_[key] = n;
    return n == 1 ? scheme_number : fmt::format("{}-{}", scheme_number, n);
  }
  // A restored copy of the store counts on in an epoch of its own: what it had given out since the copy is never given
  // again.
  Json epoch_row = value("series-epoch");
  auto epoch = epoch_row.is_number_integer() ? epoch_row.get<std::int64_t>() : 0;
  std::string slot = fmt::format("{}/{}", year_, epoch);
  Json counters = value(series);
  if (!counters.is_object()) counters = Json::object();
  auto n = counters.value(slot, std::int64_t{0}) + 1;
  counters[slot] = n;
  changed_[series] = std::move(counters);
  return fmt::format("{}{}{}-{:06}", prefix->second, year_, epoch == 0 ? "" : fmt::format("R{}", epoch), n);
}

std::vector<RegisterWrite> Numbering::writes() const {
  std::vector<RegisterWrite> out;
  for (const auto& [key, v] : changed_) out.push_back({key, v});
  return out;
}

std::vector<std::string> numbering_keys(const Switches& switches, const std::string& region,
                                        std::span<const LedgerEntry* const> sources) {
  std::vector<std::string> out;
  if (!switches.number_series.empty()) out.emplace_back("series-epoch");
  for (const auto& [creditor, prefix] : switches.number_series) out.push_back("series/" + region + "/" + creditor);
  for (const LedgerEntry* source : sources)
    for (std::string_view holder : {"gemeente", "schoolbestuur", "swv"}) {
      for (std::string_view payer : {"gemeente", "schoolbestuur", "swv"}) {
        auto key = fmt::format("made/{}/{}/{}", region, holder, name_reinvoice(*source, holder, payer).first);
        if (std::ranges::find(out, key) == out.end()) out.push_back(std::move(key));
      }
    }
  return out;
}

}  // namespace schakel::invoicing
