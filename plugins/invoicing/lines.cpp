#include "plugins/invoicing/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/json_object.hpp"

namespace schakel::invoicing {
namespace {

std::string_view kind_name(std::string_view kind) {
  if (kind == "zorg") return "Zorg";
  if (kind == "onderwijs") return "Onderwijs";
  if (kind == "grijs") return "Grijs gebied van onderwijs en zorg";
  return "Gecombineerde begeleiding onderwijs en zorg";
}

std::string_view payer_name(std::string_view payer) {
  return payer == "swv" ? "samenwerkingsverband" : payer == "schoolbestuur" ? "schoolbestuur" : "gemeente";
}

std::string dutch_date(Date d) {
  static constexpr std::array months{"januari", "februari", "maart",     "april",   "mei",      "juni",
                                     "juli",    "augustus", "september", "oktober", "november", "december"};
  return fmt::format("{} {} {}", d.day(), months[static_cast<std::size_t>(d.month() - 1)], d.year());
}

std::string dutch_period(const LedgerEntry& entry) {
  auto period = period_of(entry);
  if (!period) return "";
  if (period->from.day() == 1 && period->to == add_days(add_months(period->from, 1), -1))
    return ", " + dutch_date(period->from).substr(2);
  return fmt::format(", {} tot en met {}", dutch_date(period->from), dutch_date(period->to));
}

/// Of which VAT rate it is, where its source says so: documents of rates say by it what each is for.
void add_rate(Json& out, const LedgerLine& line) {
  if (line.percent.empty()) return;
  out["percent"] = line.percent;
  if (!line.category.empty()) out["category"] = line.category;
}

/// A credit note has no line that asks for money: a cent that rounding asks back in one group is taken off what goes
/// back in another. The sum stays.
void take_off_positive_lines(Json& lines) {
  auto cents_of = [](const Json& line) { return line["share_cents"].get<std::int64_t>(); };
  std::int64_t total = 0;
  for (const auto& line : lines) total += cents_of(line);
  if (total > 0) return;  // it is an invoice
  for (auto& line : lines) {
    std::int64_t rest = cents_of(line);
    if (rest <= 0) continue;
    line["share_cents"] = 0;
    while (rest > 0) {
      auto most = std::min_element(lines.begin(), lines.end(),
                                   [&](const Json& a, const Json& b) { return cents_of(a) < cents_of(b); });
      if (cents_of(*most) >= 0) return;
      std::int64_t part = std::min(rest, -cents_of(*most));
      (*most)["share_cents"] = cents_of(*most) + part;
      rest -= part;
    }
  }
}

}  // namespace

Json lines_for(std::string_view payer, const LedgerEntry& source, const LedgerEntry& period_of,
               const std::vector<GroupAmounts>& groups, const std::vector<std::vector<PayerAmount>>& amounts,
               std::int64_t sign) {
  Json out = Json::array();
  out.get_ref<Json::array_t&>().reserve(source.lines.size());
  const std::string period = dutch_period(period_of);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto& group = *groups[g].group;
    auto mine = std::ranges::find(amounts[g], payer, &PayerAmount::role);
    if (mine == amounts[g].end()) continue;
    std::vector<const LedgerLine*> lines;
    std::vector<Cents> cents;
    lines.reserve(source.lines.size()), cents.reserve(source.lines.size());
    for (const auto& line : source.lines)
      if (std::ranges::find(group.kinds, line.kind) != group.kinds.end())
        lines.push_back(&line), cents.push_back(line.cents);
    Cents total = sign < 0 ? -mine->gross : mine->gross;
    // A cent of VAT that a credit takes beyond its own lines (shares.cpp): no line of it is of this group.
    LedgerLine rounding{group.kinds.front(), total};
    if (lines.empty() && total != Cents{}) lines.push_back(&rounding), cents.push_back(total);
    auto shares =
        group.method == ShareGroup::Method::half && sign > 0
            ? (payer == "swv" ? swv_half_of_lines(cents, group.odd) : gemeente_half_of_lines(cents, group.odd))
            : lay_on_lines(total, cents);
    std::string rest = period;
    if (group.method != ShareGroup::Method::whole) rest += fmt::format(": aandeel {}", payer_name(payer));
    rest += fmt::format(", {} {}", source.is_credit() ? "creditnota" : source.kind, source.number);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      // Made of the kind alone: no text of the source gets into a mailbox (CORE-RET-03).
      auto name = kind_name(lines[i]->kind);
      std::string text;
      text.reserve(name.size() + rest.size());
      text.append(name).append(rest);
      out.push_back(json_object("cents", lines[i]->cents.value() * sign, "description", std::move(text), "kind",
                                lines[i]->kind, "share_cents", shares[i].value() * sign));
      add_rate(out.back(), *lines[i]);
    }
  }
  if (sign < 0) take_off_positive_lines(out);
  return out;
}

Json source_lines(const LedgerEntry& source, const LedgerEntry& period_of, std::int64_t sign) {
  Json out = Json::array();
  out.get_ref<Json::array_t&>().reserve(source.lines.size());
  const std::string period = dutch_period(period_of);
  for (const auto& line : source.lines) {
    std::string text(kind_name(line.kind));
    text += period;
    out.push_back(json_object("cents", line.cents.value() * sign, "description", std::move(text), "kind", line.kind,
                              "share_cents", line.cents.value() * sign));
    add_rate(out.back(), line);
  }
  return out;
}

}  // namespace schakel::invoicing
