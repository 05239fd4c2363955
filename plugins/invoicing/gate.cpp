#include "plugins/invoicing/gate.hpp"

#include <algorithm>

#include "plugins/invoicing/shares.hpp"

namespace schakel::invoicing {

std::string register_key(const LedgerEntry& entry) {
  return "invoice/" + entry.creditor + "/" + entry.kind + "/" + entry.number;
}

Compared compare(const LedgerEntry& incoming, const Ledger& ledger, const Json& elsewhere) {
  auto same_key = [&](const std::string& hash, const char* where) {
    return Compared{hash == incoming.hash ? Seen::duplicate : Seen::conflict,
                    "CORE-MONEY-06",
                    {{"number", incoming.number},
                     {"kind", incoming.kind},
                     {"seen_in", where},
                     {"same_content", hash == incoming.hash}}};
  };
  if (const auto* known = ledger.find(incoming.kind, incoming.creditor, incoming.number))
    return same_key(known->hash, "this_case");
  if (elsewhere.is_object() && elsewhere.contains("hash") && elsewhere["hash"].is_string())
    return same_key(elsewhere["hash"].get_ref<const std::string&>(), "another_case");
  if (incoming.kind == "doorbelasting")
    // What the broker asks or will ask of the SWV is not asked for twice.
    for (const auto& e : ledger.entries) {
      bool asked =
          e.held || std::ranges::any_of(e.issued, [](const Issued& i) { return i.role == "swv" && i.gross > Cents{}; });
      if (asked && !e.is_credit() &&
          ((!incoming.reinvoices.empty() && e.number == incoming.reinvoices) || "DB-" + e.number == incoming.number))
        return {Seen::conflict, "CORE-MONEY-06", {{"number", incoming.number}, {"reinvoiced_by_the_broker", e.number}}};
    }
  if (!incoming.is_credit()) return {};

  const auto* invoice = ledger.credited(incoming.creditor, incoming.credits);
  if (!invoice)
    return {Seen::conflict,
            "CORE-MONEY-04",
            {{"number", incoming.number}, {"credits", incoming.credits}, {"invoice_known", false}}};
  if (auto over = exceeds(incoming, *invoice, ledger))
    return {Seen::conflict,
            "CORE-MONEY-04",
            {{"number", incoming.number}, {"kind", over->kind}, {"left_cents", over->cents}}};
  return {};
}

std::optional<LedgerLine> exceeds(const LedgerEntry& credit, const LedgerEntry& invoice, const Ledger& ledger) {
  auto rated = [](const std::vector<LedgerLine>& lines) {
    return std::ranges::none_of(lines, [](const LedgerLine& l) { return l.percent.empty(); });
  };
  auto sent = ledger.sent_credits(invoice);
  bool by_rate = rated(credit.lines) && rated(invoice.lines) &&
                 std::ranges::all_of(sent, [&](const LedgerEntry* c) { return rated(c->lines); });
  auto left = lines_left(invoice, sent, by_rate);
  auto same_rate = [](const LedgerLine& a, const LedgerLine& b) {
    return a.percent == b.percent && a.category == b.category;
  };
  // A rate has its VAT, and how its cents lie over the kinds is not for the creditor to know: each line that was
  // rounded may be a cent off. Of the rate there is no such cent: credits whose VAT was rounded up line by line may ask
  // for more than was charged, and the last is refused then. To take what is left of it would send on another document
  // than its creditor made, and to take all would give back VAT that nobody charged.
  std::vector<Cents> slack(left.size());
  auto count = [&](const LedgerEntry& e) {
    for (const auto& line : e.lines)
      for (std::size_t i = 0; i < left.size(); ++i)
        if (same_rate(line, left[i])) slack[i] += Cents{1};
  };
  if (by_rate) {
    count(invoice), count(credit);
    for (const auto* c : sent) count(*c);
  }
  for (const auto& line : credit.lines) {
    auto it = std::ranges::find_if(
        left, [&](const LedgerLine& l) { return l.kind == line.kind && (!by_rate || same_rate(l, line)); });
    if (it == left.end()) return LedgerLine{line.kind, {}};
    bool within = line.cents <= it->cents;
    if (by_rate) {
      Cents of_rate;
      for (const auto& l : left)
        if (same_rate(l, line)) of_rate += *l.vat;
      within = line.cents - *line.vat <= it->cents - *it->vat && *line.vat <= of_rate &&
               *line.vat <= *it->vat + slack[static_cast<std::size_t>(it - left.begin())];
      it->vat = *it->vat - *line.vat;
    }
    if (!within) return LedgerLine{line.kind, it->cents};
    it->cents -= line.cents;
  }
  return {};
}

bool blocks(std::string_view code) {
  return code == "NOT_ENROLLED_NO_EDU_FUNDING" || code == "EDU_REGIE_MISSING" || code == "CONTENT_NOT_FIXED" ||
         code == "AUDIENCE_NOT_INVOLVED";
}

std::vector<std::string> money_codes(const LedgerEntry& entry, const MoneyState& state, const Switches& switches,
                                     bool shares_with_swv) {
  std::vector<std::string> codes;
  auto has = [&](auto... kinds) {
    return std::ranges::any_of(entry.lines, [&](const LedgerLine& l) { return ((l.kind == kinds) || ...); });
  };
  // Care that the parents pay from their PGB: nobody here is invoiced for it (HR-MONEY-03).
  if (switches.pgb_pays_care && state.pgb && has("zorg")) codes.emplace_back("AUDIENCE_NOT_INVOLVED");
  bool unanswered = !state.agreed;
  std::vector<std::string_view> outside;
  if (state.any_line) {
    std::vector<std::string_view> seen;
    for (const auto& line : entry.lines) {
      if (std::ranges::find(seen, line.kind) != seen.end()) continue;
      seen.push_back(line.kind);
      auto answer = answer_for(state, switches, entry, line.kind);
      unanswered = unanswered || !answer.any;
      if (answer.any && !answer.covers) outside.push_back(answer.code);
    }
  }
  if (is_of_another_provider(entry, state)) outside.emplace_back("PROVIDER_IS_ANOTHER");
  if (unanswered) codes.emplace_back("FUNDING_NOT_AGREED");
  for (auto code : {"OUTSIDE_FUNDING_PERIOD", "PROVIDER_IS_ANOTHER", "ASSIGNMENT_IS_ANOTHER", "PRODUCT_IS_ANOTHER",
                    "FUNDING_MAX_EXCEEDED"})
    if (std::ranges::find(outside, code) != outside.end()) codes.emplace_back(code);
  if (state.dispute && (!switches.hold_grey_only || has("grijs", "gecombineerd")))
    codes.emplace_back("DISPUTE_PENDING");
  if (switches.education_needs_enrolment && !state.enrolled && has("onderwijs"))
    codes.emplace_back("NOT_ENROLLED_NO_EDU_FUNDING");
  // SWV money is at stake where a line is (partly) education or the SWV has a share in it (MH-MONEY-01).
  if (switches.education_needs_regie && !state.education_regie &&
      (shares_with_swv || has("onderwijs", "grijs", "gecombineerd")))
    codes.emplace_back("EDU_REGIE_MISSING");
  if (!switches.ratified_by.empty() && state.advice && !state.advice_ratified)
    codes.emplace_back("BEKRACHTIGING_MISSING");
  return codes;
}

}  // namespace schakel::invoicing
