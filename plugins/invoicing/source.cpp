#include "plugins/invoicing/source.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/calendar.hpp"
#include "core/base/hash.hpp"
#include "core/formats/values.hpp"

namespace schakel::invoicing {
namespace {

constexpr std::size_t kMaxNumber = 100, kMaxLines = 10'000;
constexpr std::size_t kMaxProduct = 60;
constexpr std::int64_t kMaxMinutes = 10'000'000, kMaxAssignment = 999'999'999;

struct Reader {
  const Json& payload;
  std::vector<Finding> findings;

  void wrong(std::string pointer, std::string message) {
    findings.push_back({std::move(pointer), "INVOICE_INVALID", std::move(message), {}});
  }

  const Json* field(const char* name) const {
    auto it = payload.find(name);
    return it == payload.end() || it->is_null() ? nullptr : &*it;
  }

  std::string number(const char* name) {
    const Json* v = field(name);
    if (!v || !v->is_string()) return wrong(std::string("/") + name, "an invoice number is a text"), "";
    auto text = v->get<std::string>();
    bool printable =
        std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (text.empty() || text.size() > kMaxNumber || !printable)
      return wrong(std::string("/") + name, "an invoice number has 1 to 100 printable characters"), "";
    // It goes into subjects and file names (CORE-RET-03).
    if (formats::holds_bsn(text))
      return wrong(std::string("/") + name, "an invoice number holds no nine digits that could be a BSN"), "";
    return text;
  }

  /// `pointer` is a text, or what makes it when something is wrong.
  template <class Pointer>
  std::optional<std::int64_t> whole(const Json& v, const Pointer& pointer, std::int64_t limit) {
    if (!v.is_number_integer() ||
        (v.is_number_unsigned() && v.get<std::uint64_t>() > static_cast<std::uint64_t>(limit)) ||
        v.get<std::int64_t>() < 0 || v.get<std::int64_t>() > limit) {
      if constexpr (std::is_invocable_v<Pointer>)
        wrong(pointer(), "a whole number from 0 was expected");
      else
        wrong(pointer, "a whole number from 0 was expected");
      return {};
    }
    return v.get<std::int64_t>();
  }

  std::vector<LedgerLine> lines() {
    static constexpr std::array<std::string_view, 4> kinds{"zorg", "onderwijs", "grijs", "gecombineerd"};
    const Json* list = field("lines");
    if (!list) {
      // A declaratie of the schoolbestuur names its grey total only.
      const Json* grey = field("grey_total_cents");
      // A doorbelasting names the share it asks for: of whatever kind, so every funding line may answer for it.
      if (const Json* share = grey ? nullptr : field("share_cents")) {
        auto cents = whole(*share, "/share_cents", Cents::kLimit);
        return {{"gecombineerd", Cents{cents.value_or(0)}}};
      }
      if (!grey) return wrong("/lines", "an invoice has lines"), std::vector<LedgerLine>{};
      auto cents = whole(*grey, "/grey_total_cents", Cents::kLimit);
      return {{"grijs", Cents{cents.value_or(0)}}};
    }
    if (!list->is_array() || list->empty() || list->size() > kMaxLines)
      return wrong("/lines", "1 to 10,000 lines were expected"), std::vector<LedgerLine>{};
    std::vector<LedgerLine> out;
    out.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Json& line = (*list)[i];
      auto at = [i](const char* what = "") { return "/lines/" + std::to_string(i) + what; };
      auto kind = line.find("kind"), cents = line.find("cents");
      if (!line.is_object() || kind == line.end() || cents == line.end() || !kind->is_string()) {
        wrong(at(), "a line has a kind and cents");
        continue;
      }
      const auto& text = kind->get_ref<const std::string&>();
      if (std::ranges::find(kinds, text) == kinds.end())
        wrong(at("/kind"), "zorg, onderwijs, grijs or gecombineerd was expected");
      auto amount = whole(*cents, [&] { return at("/cents"); }, Cents::kLimit);
      auto& read = out.emplace_back(text, Cents{amount.value_or(0)});
      if (auto vat = line.find("vat_cents"); vat != line.end()) line_vat(read, *vat, at("/vat_cents"));
      if (auto days = line.find("period"); days != line.end() && !days->is_null())
        if (!line_period(read, *days)) wrong(at("/period"), "a period is its first and its last day");
      if (line.contains("percent")) line_rate(read, line, at());
      line_of(read, line, at);
    }
    auto with_vat = std::ranges::count_if(out, [](const LedgerLine& l) { return l.vat.has_value(); });
    if (with_vat != 0 && std::cmp_not_equal(with_vat, out.size()))
      wrong("/lines", "VAT stands on every line or on none");
    auto with_rate = std::ranges::count_if(out, [](const LedgerLine& l) { return !l.percent.empty(); });
    if (with_rate != 0 && (std::cmp_not_equal(with_rate, out.size()) || with_rate != with_vat))
      wrong("/lines", "a VAT rate stands on every line, with its VAT, or on none");
    return out;
  }

  /// The rate of a line or a row of vat_rates: `percent` and, where the source has one, the category of UBL.
  bool rate(const Json& v, std::string& percent, std::string& category, const std::string& at) {
    auto text = v.find("percent");
    if (text == v.end() || !text->is_string()) return wrong(at + "/percent", "a rate is written 21 or 5.5"), false;
    percent = text->get<std::string>();
    auto dot = percent.find('.');
    bool digits = !percent.empty() && percent.size() <= 5 && dot != 0 && dot != percent.size() - 1 &&
                  std::ranges::count(percent, '.') <= 1 &&
                  std::ranges::all_of(percent, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    if (!digits) return wrong(at + "/percent", "a rate is written 21 or 5.5"), false;
    if (auto it = v.find("category"); it != v.end()) {
      bool zero = zero_rate(percent);
      if (*it != "S" && *it != "E" && *it != "Z" && *it != "O")
        return wrong(at + "/category", "a VAT category is S, E, Z or O"), false;
      if ((*it == "S") == zero) return wrong(at + "/category", "S has a rate above 0, the others have 0"), false;
      category = it->get<std::string>();
    }
    return true;
  }
  static bool zero_rate(const std::string& percent) { return percent.find_first_not_of("0.") == std::string::npos; }

  void line_rate(LedgerLine& read, const Json& line, const std::string& at) {
    if (!rate(line, read.percent, read.category, at)) return;
    if (zero_rate(read.percent) && read.vat.value_or(Cents{}) != Cents{})
      wrong(at + "/vat_cents", "a rate of 0 has no VAT");
  }

  /// What it says it delivers on, which an agreement may name.
  template <class At>
  void line_of(LedgerLine& read, const Json& line, const At& at) {
    if (auto it = line.find("toewijzing"); it != line.end())
      read.assignment = whole(*it, [&] { return at("/toewijzing"); }, kMaxAssignment);
    if (auto it = line.find("product"); it != line.end()) {
      if (it->is_string() && it->get_ref<const std::string&>().size() <= kMaxProduct)
        read.product = it->get<std::string>();
      else
        wrong(at("/product"), "a product is a text of at most 60 characters");
    }
  }

  void line_vat(LedgerLine& read, const Json& given, const std::string& at) {
    auto vat = whole(given, at, Cents::kLimit);
    if (!vat) return;
    if (*vat > read.cents.value()) return wrong(at, "more VAT than money");
    read.vat = Cents{*vat};
  }

  static bool line_period(LedgerLine& read, const Json& given) {
    auto days = span(given);
    if (days) read.from = std::move(days->first), read.to = std::move(days->second);
    return days.has_value();
  }

  /// First and last day of [from, to].
  static std::optional<std::pair<std::string, std::string>> span(const Json& v) {
    if (!v.is_array() || v.size() != 2 || !v[0].is_string() || !v[1].is_string()) return {};
    auto from = Date::parse(v[0].get_ref<const std::string&>()), to = Date::parse(v[1].get_ref<const std::string&>());
    if (!from || !to || *to < *from) return {};
    return std::pair{from->str(), to->str()};
  }

  /// VAT per line is all of the VAT.
  void line_vats(const LedgerEntry& entry) {
    if (entry.lines.empty() || !entry.lines[0].vat) return;
    Cents sum;
    for (const auto& l : entry.lines) sum += l.vat.value_or(Cents{});
    if (sum != entry.vat) wrong("/vat_cents", "the VAT of the lines does not add up to it");
  }

  /// The VAT per rate as charged; it must be all of the invoice.
  void rates(LedgerEntry& entry, Cents total) {
    const Json* list = field("vat_rates");
    if (!list) return;
    if (!list->is_array() || list->empty() || list->size() > 5)
      return wrong("/vat_rates", "1 to 5 rates were expected");
    std::int64_t net = 0, vat = 0;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Json& r = (*list)[i];
      std::string at = "/vat_rates/" + std::to_string(i);
      if (!r.is_object() || !r.contains("percent") || !r["percent"].is_string() || !r.contains("net_cents") ||
          !r.contains("vat_cents"))
        return wrong(at, "a rate has percent, net_cents and vat_cents");
      std::string percent, category;
      bool sound = rate(r, percent, category, at);
      auto n = whole(r["net_cents"], at + "/net_cents", Cents::kLimit),
           v = whole(r["vat_cents"], at + "/vat_cents", Cents::kLimit);
      if (!sound || !n || !v) return;
      if (zero_rate(percent) && *v != 0) return wrong(at + "/vat_cents", "a rate of 0 has no VAT");
      for (std::size_t k = 0; k < i; ++k)
        if ((*list)[k]["percent"] == percent && (*list)[k].value("category", "") == category)
          return wrong(at + "/percent", "a rate stands once");
      net += *n, vat += *v;
    }
    if (vat != entry.vat.value() || net + vat != total.value())
      return wrong("/vat_rates", "the rates do not add up to the VAT and the total");
    entry.vat_rates = *list;
  }

  /// Where lines have their rate, the rates are the sums of the lines, whether they are given or not.
  void line_rates(LedgerEntry& entry) {
    if (!findings.empty() || entry.lines.empty() || entry.lines[0].percent.empty()) return;
    Json sums = Json::array();
    auto row_of = [](Json& rows, const std::string& percent, const std::string& category) {
      return std::ranges::find_if(
          rows, [&](const Json& r) { return r["percent"] == percent && r.value("category", "") == category; });
    };
    for (const auto& l : entry.lines) {
      auto it = row_of(sums, l.percent, l.category);
      if (it == sums.end()) {
        sums.push_back({{"percent", l.percent}, {"net_cents", 0}, {"vat_cents", 0}});
        if (!l.category.empty()) sums.back()["category"] = l.category;
        it = sums.end() - 1;
      }
      (*it)["net_cents"] = (*it)["net_cents"].get<std::int64_t>() + (l.cents - *l.vat).value();
      (*it)["vat_cents"] = (*it)["vat_cents"].get<std::int64_t>() + l.vat->value();
    }
    if (entry.vat_rates.empty()) {
      if (sums.size() > 5) return wrong("/lines", "at most 5 VAT rates were expected");
      entry.vat_rates = std::move(sums);
      return;
    }
    for (auto& given : entry.vat_rates) {
      auto it = row_of(sums, given["percent"], given.value("category", ""));
      bool same = it == sums.end()
                      ? given["net_cents"] == 0 && given["vat_cents"] == 0
                      : (*it)["net_cents"] == given["net_cents"] && (*it)["vat_cents"] == given["vat_cents"];
      if (!same) return wrong("/vat_rates", "a rate is not the sum of its lines");
      if (it != sums.end()) sums.erase(it);
    }
    if (!sums.empty()) wrong("/vat_rates", "a line has a rate that is not there");
  }

  void period(LedgerEntry& entry) {
    if (const Json* given = field("service_period")) {
      auto days = span(*given);
      if (!days) return wrong("/service_period", "a period is its first and its last day");
      entry.period_from = days->first, entry.period_to = days->second;
    } else if (const Json* month = field("period")) {
      if (!month->is_string()) return wrong("/period", "a month is written YYYY-MM");
      auto first = Date::parse(month->get_ref<const std::string&>() + "-01");
      if (!first) return wrong("/period", "a month is written YYYY-MM");
      entry.period_from = first->str(), entry.period_to = add_days(add_months(*first, 1), -1).str();
    }
  }
};

}  // namespace

std::string payee_role(std::string_view sender_role) {
  for (std::string_view suffix : {"_billing", "_financien"})
    if (sender_role.ends_with(suffix)) sender_role.remove_suffix(suffix.size());
  return std::string(sender_role);
}

std::string creditor_of(const Message& message) {
  return message.party.empty() ? message.subject + ":" + payee_role(message.sender_role) : message.party;
}

Result<LedgerEntry> read_source(const Message& message) {
  if (!message.payload.is_object()) return fail(ErrorKind::invalid, "INVOICE_INVALID", "the invoice has no fields");
  Reader r{message.payload, {}};
  LedgerEntry entry;
  entry.kind = message.type;
  entry.number = r.number("number");
  entry.creditor = creditor_of(message);
  entry.party = message.party;
  entry.creditor_role = payee_role(message.sender_role);
  entry.message = message.id;
  entry.seq = message.seq;
  entry.lines = r.lines();
  Cents total;
  for (const auto& line : entry.lines) {
    auto next = checked_add(total, line.cents);
    if (!next || next->value() > Cents::kLimit) {
      r.wrong("/lines", "the lines add up to more than 100 billion euro");
      break;
    }
    total = *next;
  }
  if (const Json* vat = r.field("vat_cents"))
    if (auto v = r.whole(*vat, "/vat_cents", Cents::kLimit)) {
      entry.vat = Cents{*v};
      if (entry.vat > total) r.wrong("/vat_cents", "more VAT than money");
    }
  r.line_vats(entry);
  r.rates(entry, total);
  r.line_rates(entry);
  if (entry.is_credit()) {
    entry.credits = r.number("credits");
    if (total <= Cents{}) r.wrong("/lines", "a credit note takes something off");
  } else if (const Json* minutes = r.field("minutes")) {
    entry.minutes = r.whole(*minutes, "/minutes", kMaxMinutes);
  }
  if (entry.kind == "doorbelasting" && r.field("source_invoice")) entry.reinvoices = r.number("source_invoice");
  r.period(entry);
  if (!r.findings.empty())
    return fail(ErrorKind::invalid, "INVOICE_INVALID", "this is not an invoice that can be booked",
                std::move(r.findings));
  // When it is to be paid is no part of what is asked: the same invoice with another date is the same. On which account
  // is: the same invoice with another `payment_account` is other content, as that is how invoices are forged.
  constexpr std::array kApart{"issue_date", "due_date", "payment_id"};
  if (std::ranges::any_of(kApart, [&](const char* name) { return message.payload.contains(name); })) {
    Json asked = message.payload;
    for (const char* name : kApart) asked.erase(name);
    entry.hash = sha256_hex(dump_json(asked));
  } else {
    entry.hash = sha256_hex(dump_json(message.payload));
  }
  return entry;
}

}  // namespace schakel::invoicing
