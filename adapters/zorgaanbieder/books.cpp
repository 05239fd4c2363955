// What earlier declarations of a sender say of a new one, and what a decided one leaves behind for later ones. Both ask
// and write a page of rows at a time: a declaration has up to 90,000 lines, and nobody else may wait for it.
#include "books.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json_object.hpp"
#include "desk.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {
namespace {

/// Lines of one page, with two or three rows each: some 20 ms of the store.
constexpr std::size_t kPageLines = 500;

/// Every line with that sign, in order.
std::vector<Line> lines_of(const formats::Jw323& d, bool credits) {
  std::vector<Line> out;
  for (std::size_t c = 0; c < d.clienten.size(); ++c)
    for (std::size_t i = 0; i < d.clienten[c].prestaties.size(); ++i)
      if (d.clienten[c].prestaties[i].credit == credits) out.emplace_back(c, i);
  return out;
}

std::string_view text_of(const std::optional<Json>& row, std::string_view name) {
  const Json* at = row ? member(*row, name) : nullptr;
  return at && at->is_string() ? std::string_view(at->get_ref<const std::string&>()) : std::string_view();
}

/// What look_around finds out of one line.
struct Looking {
  const formats::Jw323& d;
  const std::string& key;
  const Settings& settings;
  const Claims& claims;
  Context& context;
  /// Debits that this declaration itself takes back: credits go first (OP366).
  std::map<std::string, Line, std::less<>> credited_here;

  void reject(Line at, std::string_view code) {
    auto& codes = context.rejected[at];
    if (std::ranges::find(codes, code) == codes.end()) codes.emplace_back(code);
  }
  /// TR314: a reference is used once. True: by an undecided declaration.
  bool reference(Line at, const formats::IjwPrestatie& p, const std::optional<Json>& seen) {
    bool claimed = claims.hold(ref_key(d.afzender, p.referentie));
    if (claimed || (seen && text_of(seen, "key") != key)) reject(at, "8021");
    return claimed;
  }
  void debit(Line at, const formats::IjwPrestatie& p, const std::optional<Json>& seen,
             const std::optional<Json>& stands) {
    bool claimed = reference(at, p, seen);
    if (auto kind = settings.kind_of(p.categorie, p.product); !kind)
      reject(at, kind.error());  // 9340, S329: nobody configured who pays for it
    else
      context.kinds[at] = *kind;
    auto ref = text_of(stands, "ref");
    auto credit = credited_here.find(ref);
    if (!claimed && claims.hold(debit_key(d.afzender, p)))
      reject(at, "9389");
    else if (stands && ref != p.referentie && credit == credited_here.end())
      reject(at, "9389");  // TR389: credit the first one first
    else if (stands && ref != p.referentie)
      context.replaces[at] = credit->second;
  }
  void credit(Line at, const formats::IjwPrestatie& p, const std::optional<Json>& seen,
              const std::optional<Json>& original) {
    (void)reference(at, p, seen);
    auto by = text_of(original, "credited_by");
    // Only what a JW325 granted can be credited (IV085), by a copy of its line (IV091). What is half booked is not
    // answered yet.
    bool granted = original && !text_of(original, "number").empty() &&
                   !claims.open.contains(std::string(text_of(original, "key"))) &&
                   sdk::number_at(*original, "cents") == p.bedrag.value() &&
                   text_of(original, "debet") == debit_key(d.afzender, p);
    if (!granted)
      reject(at, "8017");
    else if ((!by.empty() && by != key) || claims.hold(credit_mark(d.afzender, p.vorige_referentie)))
      reject(at, "9390");  // TR390: one credit per debit
    else
      context.credited[at] = text_of(original, "number");
    // What was granted as one kind is taken back as that kind, whatever the configuration says by now.
    auto kind = settings.kind_of(p.categorie, p.product);
    std::string was(text_of(original, "kind"));
    if (was.empty() && kind) was = *kind;
    if (granted && was.empty()) reject(at, kind.error());
    context.kinds[at] = std::move(was);
    if (granted && !context.rejected.contains(at) && context.cases[at.first]) credited_here[p.vorige_referentie] = at;
  }
};

}  // namespace

Marks::Mark Marks::mark(std::string_view name) {
  auto whole = sha256(name);
  Mark out;
  std::copy_n(whole.begin(), kBytes, out.begin());
  return out;
}

void Marks::sort() {
  if (ready_) return;
  std::ranges::sort(sorted_);
  ready_ = true;
}

bool Marks::contains(std::string_view name) const { return std::ranges::binary_search(sorted_, mark(name)); }

std::string Marks::packed() {
  sort();
  Bytes bytes;
  bytes.reserve(sorted_.size() * kBytes);
  for (const auto& m : sorted_) bytes.insert(bytes.end(), m.begin(), m.end());
  return to_base64(bytes);
}

Marks Marks::unpack(std::string_view text) {
  Marks out;
  auto bytes = from_base64(text);
  if (!bytes) return out;
  out.sorted_.resize(bytes->size() / kBytes);
  for (std::size_t i = 0; i < out.sorted_.size(); ++i)
    std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(i * kBytes), kBytes, out.sorted_[i].begin());
  out.ready_ = false;
  out.sort();
  return out;
}

Marks Marks::common(Marks& a, Marks& b) {
  a.sort(), b.sort();
  Marks out;
  std::ranges::set_intersection(a.sorted_, b.sorted_, std::back_inserter(out.sorted_));
  return out;
}

void Marks::join(const Marks& other) {
  if (other.empty()) return;
  sorted_.insert(sorted_.end(), other.sorted_.begin(), other.sorted_.end());
  ready_ = false;
  sort();
}

std::string ref_key(const std::string& agb, const std::string& reference) {
  return fmt::format("ref/{}/{}", agb, reference);
}

std::string debit_key(const std::string& agb, const formats::IjwPrestatie& p) {
  return fmt::format("debet/{}/{}/{}/{}/{}/{}", agb, p.toewijzing, p.categorie, p.product,
                     formats::format_date(p.periode.begin), formats::format_date(p.periode.eind));
}

std::string credit_mark(const std::string& agb, const std::string& reference) {
  return fmt::format("credit/{}/{}", agb, reference);
}

static void mark_line(const std::string& agb, const formats::IjwPrestatie& p, Marks& marks) {
  marks.add(ref_key(agb, p.referentie));
  marks.add(p.credit ? credit_mark(agb, p.vorige_referentie) : debit_key(agb, p));
}

void mark_lines(const formats::Jw323& d, const std::vector<Part>& parts, Marks& claims) {
  for (const auto& part : parts)
    for (auto [c, i] : part.lines) mark_line(d.afzender, d.clienten[c].prestaties[i], claims);
}

Task<bool> Desk::claims_on(const formats::Jw323& d, Claims& claims) {
  std::string after;
  Marks asked;
  for (;;) {
    auto open = co_await host_.progress().keys("open/" + d.afzender + '/', after, 100);
    if (!open) co_return false;
    if (open->empty()) co_return true;
    after = open->back();
    if (asked.empty())
      for (const auto& client : d.clienten)
        for (const auto& p : client.prestaties) mark_line(d.afzender, p, asked);
    for (const auto& row : *open) {
      auto id = row.substr(5);
      auto held = co_await host_.progress().get("claim/" + id);
      if (!held) co_return false;
      if (!*held) continue;
      claims.open.insert("jw323/" + id);
      auto marks = Marks::unpack(sdk::text_at(**held, "marks"));
      claims.taken.join(Marks::common(asked, marks));
    }
  }
}

Task<bool> Desk::look_around(const formats::Jw323& d, const std::string& key, Context& context, Inbox& inbox) {
  Claims claims;
  bool known = co_await claims_on(d, claims);
  if (!known) co_return false;
  for (std::size_t from = 0; from < d.clienten.size(); from += kPageLines) {
    std::vector<Secret> bsns;
    for (std::size_t c = from; c < std::min(from + kPageLines, d.clienten.size()); ++c)
      bsns.emplace_back(std::string_view(d.clienten[c].bsn));
    auto found = co_await inbox.cases_of_bsn(std::move(bsns));
    if (!found) co_return false;
    for (auto& one : *found) context.cases.push_back(std::move(one));
  }
  Looking looking{d, key, settings_, claims, context, {}};
  for (bool credits : {true, false}) {
    auto lines = lines_of(d, credits);
    for (std::size_t from = 0; from < lines.size(); from += kPageLines) {
      auto to = std::min(from + kPageLines, lines.size());
      std::vector<std::string> keys;
      keys.reserve((to - from) * 2);
      for (std::size_t n = from; n < to; ++n) {
        const auto& p = d.clienten[lines[n].first].prestaties[lines[n].second];
        keys.push_back(ref_key(d.afzender, p.referentie));
        keys.push_back(credits ? ref_key(d.afzender, p.vorige_referentie) : debit_key(d.afzender, p));
      }
      auto rows = co_await host_.progress().get_all(std::move(keys));
      if (!rows) co_return false;
      for (std::size_t n = from; n < to; ++n) {
        const auto& p = d.clienten[lines[n].first].prestaties[lines[n].second];
        const auto &seen = (*rows)[(n - from) * 2], &other = (*rows)[(n - from) * 2 + 1];
        credits ? looking.credit(lines[n], p, seen, other) : looking.debit(lines[n], p, seen, other);
      }
    }
  }
  co_return true;
}

Task<bool> Desk::book(const formats::Jw323& d, const std::string& key, std::vector<Granted> granted) {
  // Credits first: a debit that replaces the one which is taken back then has the last word. Everything is the same
  // when it is done again after a crash, and until the declaration is answered its claims keep others away.
  std::ranges::partition(granted,
                         [&](const Granted& g) { return d.clienten[g.line.first].prestaties[g.line.second].credit; });
  for (std::size_t from = 0; from < granted.size(); from += kPageLines) {
    auto to = std::min(from + kPageLines, granted.size());
    std::vector<std::string> keys;
    for (std::size_t n = from; n < to; ++n) {
      const auto& p = d.clienten[granted[n].line.first].prestaties[granted[n].line.second];
      if (!p.credit) continue;
      keys.push_back(ref_key(d.afzender, p.vorige_referentie));
      keys.push_back(debit_key(d.afzender, p));
    }
    std::vector<std::optional<Json>> rows;
    if (!keys.empty()) {
      auto read = co_await host_.progress().get_all(std::move(keys));
      if (!read) co_return false;
      rows = std::move(*read);
    }
    Changes changes;
    changes.reserve((to - from) * 3);
    std::size_t at = 0;
    for (std::size_t n = from; n < to; ++n) {
      const auto& [line, number, kind] = granted[n];
      const auto& p = d.clienten[line.first].prestaties[line.second];
      auto debit = debit_key(d.afzender, p);
      Json row = json_object("cents", p.bedrag.value(), "debet", debit, "key", key, "number", *number);
      if (kind && !kind->empty()) row["kind"] = *kind;
      changes.emplace_back(ref_key(d.afzender, p.referentie), std::move(row));
      if (!p.credit) {
        changes.emplace_back(std::move(debit), json_object("key", key, "ref", p.referentie));
        continue;
      }
      auto &original = rows[at], &stands = rows[at + 1];
      at += 2;
      if (original) {
        (*original)["credited_by"] = key;
        changes.emplace_back(ref_key(d.afzender, p.vorige_referentie), std::move(*original));
      }
      // The debit is taken back: another may come. One of this declaration may stand there already.
      if (text_of(stands, "ref") == p.vorige_referentie) changes.emplace_back(std::move(debit), std::nullopt);
    }
    auto kept = co_await host_.progress().write(std::move(changes));
    if (!kept) co_return false;
  }
  co_return true;
}

}  // namespace schakel::zorgaanbieder
