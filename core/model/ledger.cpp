#include "core/model/ledger.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/json_object.hpp"

namespace schakel {
namespace {

constexpr std::array<std::pair<ShareGroup::Method, std::string_view>, 4> kMethods{
    {{ShareGroup::Method::whole, "whole"},
     {ShareGroup::Method::half, "half"},
     {ShareGroup::Method::basis_points, "basis_points"},
     {ShareGroup::Method::minutes, "minutes"}}};

std::string key_of(const LedgerEntry& e) { return e.kind + "/" + e.creditor + "/" + e.number; }

Json shares_json(const std::vector<PayerShare>& shares) {
  Json out = Json::array();
  for (const auto& s : shares) out.push_back({{"role", s.role}, {"bp", s.basis_points}});
  return out;
}

std::vector<PayerShare> shares_of(const Json& j) {
  std::vector<PayerShare> out;
  for (const auto& s : j) out.push_back({s.at("role").get<std::string>(), s.at("bp").get<std::uint32_t>()});
  return out;
}

Json group_json(const ShareGroup& g) {
  auto method = std::ranges::find(kMethods, g.method, &std::pair<ShareGroup::Method, std::string_view>::first)->second;
  Json out{{"method", method},
           {"kinds", g.kinds},
           {"payers", shares_json(g.payers)},
           {"odd", g.odd == OddCent::swv ? "swv" : "gemeente"}};
  if (!g.vat.empty()) out["vat"] = g.vat;
  return out;
}

ShareGroup group_of(const Json& j) {
  ShareGroup g;
  auto name = j.at("method").get<std::string>();
  for (const auto& [method, text] : kMethods)
    if (text == name) g.method = method;
  g.kinds = j.at("kinds").get<std::vector<std::string>>();
  g.payers = shares_of(j.at("payers"));
  g.odd = j.at("odd") == "swv" ? OddCent::swv : OddCent::gemeente;
  g.vat = j.value("vat", "");
  return g;
}

}  // namespace

Cents LedgerEntry::total() const {
  Cents sum;
  for (const auto& line : lines) sum += line.cents;
  return sum;
}

const LedgerEntry* Ledger::find(std::string_view kind, std::string_view creditor, std::string_view number) const {
  for (const auto& e : entries)
    if (e.number == number && e.kind == kind && e.creditor == creditor && !e.refused) return &e;
  return nullptr;
}

const LedgerEntry* Ledger::credited(std::string_view creditor, std::string_view number) const {
  for (const auto& e : entries)
    if (e.number == number && !e.is_credit() && !e.refused && e.creditor == creditor) return &e;
  return nullptr;
}

std::vector<const LedgerEntry*> Ledger::sent_credits(const LedgerEntry& invoice) const {
  std::vector<const LedgerEntry*> out;
  for (const auto& e : entries)
    if (e.is_credit() && !e.held && !e.refused && e.credits == invoice.number && e.creditor == invoice.creditor)
      out.push_back(&e);
  return out;
}

void Ledger::put(LedgerEntry entry) {
  auto same = std::ranges::find_if(entries, [&](const LedgerEntry& e) {
    return e.number == entry.number && e.kind == entry.kind && e.creditor == entry.creditor;
  });
  if (same != entries.end() && same->refused && !entry.refused) entries.erase(same), same = entries.end();
  if (same != entries.end())
    *same = std::move(entry);
  else
    entries.push_back(std::move(entry));
}

void to_json(Json& j, const LedgerEntry& v) {
  Json lines = Json::array(), groups = Json::array(), issued = Json::array();
  lines.get_ref<Json::array_t&>().reserve(v.lines.size());
  for (const auto& l : v.lines) {
    Json line = l.from.empty() ? json_object("cents", l.cents, "kind", l.kind)
                               : json_object("cents", l.cents, "from", l.from, "kind", l.kind, "to", l.to);
    if (l.vat) line["vat"] = *l.vat;
    if (!l.percent.empty()) line["percent"] = l.percent;
    if (l.assignment) line["toewijzing"] = *l.assignment;
    if (!l.product.empty()) line["product"] = l.product;
    if (!l.category.empty()) line["category"] = l.category;
    lines.push_back(std::move(line));
  }
  for (const auto& g : v.groups) groups.push_back(group_json(g));
  for (const auto& i : v.issued)
    issued.push_back(json_object("gross", i.gross, "number", i.number, "rates", i.rates, "role", i.role, "vat", i.vat));
  const char* status = v.held ? "held" : v.refused ? "refused" : "forwarded";
  j = json_object("codes", v.codes, "credits", v.credits, "creditor", v.creditor, "creditor_role", v.creditor_role,
                  "groups", std::move(groups), "hash", v.hash, "holder", v.holder, "issued", std::move(issued), "kind",
                  v.kind, "lines", std::move(lines), "message", v.message, "minutes", v.minutes, "number", v.number,
                  "party", v.party, "period_from", v.period_from, "period_to", v.period_to, "reinvoices", v.reinvoices,
                  "released_by", v.released_by, "seq", v.seq, "status", status, "vat", v.vat, "vat_rates", v.vat_rates,
                  "vat_treatment", v.vat_treatment);
}

void from_json(const Json& j, LedgerEntry& v) {
  v = {};
  j.at("kind").get_to(v.kind);
  j.at("number").get_to(v.number);
  j.at("creditor").get_to(v.creditor);
  j.at("party").get_to(v.party);
  j.at("creditor_role").get_to(v.creditor_role);
  j.at("hash").get_to(v.hash);
  j.at("message").get_to(v.message);
  j.at("seq").get_to(v.seq);
  j.at("reinvoices").get_to(v.reinvoices);
  j.at("credits").get_to(v.credits);
  for (const auto& l : j.at("lines")) {
    LedgerLine line{l.at("kind").get<std::string>(), l.at("cents").get<Cents>()};
    if (l.contains("vat")) line.vat = l.at("vat").get<Cents>();
    line.from = l.value("from", ""), line.to = l.value("to", "");
    line.percent = l.value("percent", ""), line.category = l.value("category", "");
    if (auto it = l.find("toewijzing"); it != l.end()) line.assignment = it->get<std::int64_t>();
    line.product = l.value("product", "");
    v.lines.push_back(std::move(line));
  }
  v.vat = j.at("vat").get<Cents>();
  v.vat_treatment = j.value("vat_treatment", "");
  v.vat_rates = j.value("vat_rates", Json::array());
  if (!j.at("minutes").is_null()) v.minutes = j.at("minutes").get<std::int64_t>();
  j.at("period_from").get_to(v.period_from);
  j.at("period_to").get_to(v.period_to);
  v.held = j.at("status") == "held";
  v.refused = j.at("status") == "refused";
  j.at("codes").get_to(v.codes);
  j.at("released_by").get_to(v.released_by);
  j.at("holder").get_to(v.holder);
  for (const auto& g : j.at("groups")) v.groups.push_back(group_of(g));
  for (const auto& i : j.at("issued"))
    v.issued.push_back({i.at("role").get<std::string>(), i.at("gross").get<Cents>(), i.at("vat").get<Cents>(),
                        i.value("number", ""), i.value("rates", Json::array())});
}

Ledger ledger_of(const Json& invoices) {
  Ledger out;
  if (!invoices.is_object()) return out;
  if (auto it = invoices.find("entries"); it != invoices.end()) {
    out.entries.reserve(it->size());
    for (const auto& e : *it) out.entries.push_back(e.at("value").get<LedgerEntry>());
  }
  if (auto it = invoices.find("advice"); it != invoices.end())
    out.advice = MoneyAdvice{shares_of(it->at("shares")), it->at("ratified").get<std::vector<std::string>>()};
  if (auto it = invoices.find("dispute"); it != invoices.end()) out.dispute = it->get<bool>();
  return out;
}

bool is_invoice_effect(const Effect& effect) {
  return effect.what == "invoice" || effect.what == "invoice_advice" || effect.what == "invoice_dispute" ||
         effect.what == "invoice_status";
}

Effect invoice_effect(const LedgerEntry& entry) { return {"invoice", key_of(entry), Json(entry)}; }

Effect advice_effect(const MoneyAdvice& advice) {
  return {"invoice_advice", "", {{"shares", shares_json(advice.shares)}, {"ratified", advice.ratified}}};
}

Effect dispute_effect(bool open) { return {"invoice_dispute", "", Json(open)}; }

void apply_invoice_effect(Json& invoices, const Effect& effect) {
  if (!is_invoice_effect(effect)) return;
  if (!invoices.is_object()) invoices = Json::object();
  if (effect.what == "invoice_advice") {
    if (effect.value.is_null())
      invoices.erase("advice");  // a new dispute: the advice on the last one says nothing of it
    else
      invoices["advice"] = effect.value;
  } else if (effect.what == "invoice_dispute") {
    invoices["dispute"] = effect.value;
  } else if (effect.what == "invoice_status") {
    // By delivery: what its receiver reported of it (core/pipeline/settlement.hpp).
    invoices["status"][effect.key] = effect.value;
  } else {
    Json& entries = invoices["entries"];
    if (!entries.is_array()) entries = Json::array();
    for (auto it = entries.begin(); it != entries.end(); ++it) {
      if (it->at("key") != effect.key) continue;
      // A number that was refused comes anew: its place in the order is that of now.
      if (it->at("value").at("status") == "refused" && effect.value.at("status") != "refused") {
        entries.erase(it);
        break;
      }
      (*it)["value"] = effect.value;
      return;
    }
    entries.push_back({{"key", effect.key}, {"value", effect.value}});
  }
}

}  // namespace schakel
