#include "core/outbox/invoice_parties.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace schakel::outbox {
namespace {

/// Has it a category that needs the seller's VAT number: any but O (BR-O-02, BR-S-02, BR-E-02, BR-Z-02).
bool names_vat(const Json& invoice) {
  auto rates = invoice.find("vat_rates");
  return rates != invoice.end() && rates->is_array() &&
         std::ranges::any_of(*rates, [](const Json& r) { return r.value("category", "S") != "O"; });
}

/// Is the id ("0190:..." or "0106:...") certainly another's than this party's? A party of which no number of that
/// scheme is known is another's only where the number is known to be somebody else's here.
bool is_another(const std::string& id, const Party& party, const std::string& region, const Parties& parties) {
  auto known = [&](const Party& p) {
    if (!id.starts_with("0190:")) return p.invoice ? p.invoice->kvk : std::string();
    return p.invoice && !p.invoice->oin.empty() ? p.invoice->oin : p.oin;
  };
  auto number = id.substr(5);
  if (auto own = known(party); !own.empty()) return own != number;
  for (const char* role : {"gemeente", "swv", "schoolbestuur"})
    for (const Party* p : parties.invoice_parties(role, region))
      if (p->id != party.id && known(*p) == number) return true;
  return false;
}

/// Was the source made out to another than who the case has it go to? `party` is that one: the payer of what is passed
/// on, the seller of what is made of it.
bool source_is_for_another(const Json& invoice, const Party& party, const CaseFile& file, const std::string& region,
                           const Parties& parties) {
  auto buyer = invoice.value("source_buyer", "");
  if (buyer.size() < 6 || !is_another(buyer, party, region, parties)) return false;
  if (invoice.value("payee_party", "").empty() || invoice.value("number", "") == invoice.value("source_number", ""))
    return true;
  // Of an order that is halved one of the two who pay is named; of a credit on it one of the two who did.
  if (auto then = invoice.find("credited_buyers"); then != invoice.end() && then->is_array())
    return std::ranges::none_of(*then, [&](const Json& id) {
      const Party* one = id.is_string() ? parties.find(id.get<std::string>()) : nullptr;
      return one && !is_another(buyer, *one, region, parties);
    });
  return std::ranges::none_of(std::array{"gemeente", "swv", "schoolbestuur"}, [&](const char* role) {
    auto choice = parties.invoice_party(role, region, hints_of(file, role));
    return choice.party && !is_another(buyer, *choice.party, region, parties);
  });
}

enum class Side { seller, buyer };

PartyChoice who(Side side, const Json& invoice, const CaseFile& file, const std::string& region,
                const Parties& parties) {
  // Who sent the source is who it is owed to, whatever the region has besides, also where it is no party any more.
  if (auto creditor = invoice.value("payee_party", ""); side == Side::seller && !creditor.empty()) {
    const Party* found = parties.find(creditor);
    return {found, found ? "" : "PARTY_MISNAMED"};
  }
  if (auto then = invoice.value(side == Side::seller ? "credited_seller" : "credited_buyer", ""); !then.empty()) {
    const Party* found = parties.find(then);
    return {found, found ? "" : "PARTY_MISNAMED"};
  }
  auto role = invoice.value(side == Side::seller ? "payee" : "payer", "");
  if (role == "zorgaanbieder") return {};
  return parties.invoice_party(role, region, hints_of(file, role));
}

/// The number under which the seller charges VAT. One that says the VAT of its source has the number of who charged it.
struct VatNumber {
  std::string number, code{};
};
VatNumber vat_number(const Json& invoice, const InvoiceIdentity& seller) {
  VatNumber out{seller.vat_number};
  if (!invoice.value("vat_of_source", false)) return out;
  if (auto of_source = invoice.value("source_vat_number", ""); out.number.empty())
    out.number = of_source;
  else if (!of_source.empty() && of_source != out.number)
    out.code = "VAT_NUMBER_IS_ANOTHER";
  if (out.number.empty() && names_vat(invoice)) out.code = "VAT_NUMBER_MISSING";
  return out;
}

Json on_paper(const InvoiceIdentity& v, const std::string& vat_number) {
  return {{"name", v.name},
          {"oin", v.oin},
          {"kvk", v.kvk},
          {"vat_number", vat_number},
          {"iban", v.iban},
          {"street", v.street},
          {"city", v.city},
          {"postcode", v.postcode},
          {"mail", v.mail},
          {"buyer_reference", v.buyer_reference},
          {"vat_category", v.vat_category}};
}

/// Fills one side; why it stays null, or empty.
std::string name_side(Side side, Json& invoice, const CaseFile& file, const std::string& region,
                      const Parties& parties) {
  const std::string name = side == Side::seller ? "seller" : "buyer";
  invoice[name] = nullptr;
  invoice.erase(name + "_party");
  auto choice = who(side, invoice, file, region, parties);
  if (!choice.party || !choice.party->invoice) return choice.code;
  const auto& identity = *choice.party->invoice;
  // What is passed on goes to whom its source is made out to; what is made of it is from that one.
  const bool passed_on = !invoice.value("payee_party", "").empty();
  if (side == (passed_on ? Side::buyer : Side::seller) &&
      source_is_for_another(invoice, *choice.party, file, region, parties))
    return "BUYER_IS_ANOTHER";
  // Whose it is is certain, also where its VAT number is not: only its own desk is told of it.
  invoice[name + "_party"] = choice.party->id;
  VatNumber vat{identity.vat_number};
  if (side == Side::seller) vat = vat_number(invoice, identity);
  if (!vat.code.empty()) return vat.code;
  invoice[name] = on_paper(identity, vat.number);
  return {};
}

}  // namespace

CaseHints hints_of(const Pupil& pupil) { return {"", pupil.woongemeente, pupil.school}; }

CaseHints hints_of(const CaseFile& file, std::string_view role) {
  CaseHints out;
  auto key = "party_" + std::string(role);
  if (file.facts.is_object())
    if (auto it = file.facts.find(key); it != file.facts.end() && it->is_string()) out.named = *it;
  if (role == "gemeente") out.woongemeente = file.pupil.woongemeente;
  if (role == "schoolbestuur") out.school = file.pupil.school;
  return out;
}

std::string name_parties(Json& invoice, const CaseFile& file, const std::string& region, const Parties& parties) {
  // Both are named where they can be: the code is that of the first which is not.
  auto seller = name_side(Side::seller, invoice, file, region, parties);
  auto buyer = name_side(Side::buyer, invoice, file, region, parties);
  return seller.empty() ? buyer : seller;
}

void put_credited(Json& invoice, const Between& credited) {
  invoice["credited_seller"] = credited.seller;
  invoice["credited_buyer"] = credited.buyer;
  invoice["credited_buyers"] = credited.buyers;
}

bool says_vat_of_source(const InvoiceOut& i) {
  if (i.payee_party.empty() || i.vat_rates.empty()) return false;
  // Its own number, whole or in the halves of an order (domain.md 9.2); what is made of it is called otherwise.
  return i.number == i.source_number || i.number == i.source_number + "-O" || i.number == i.source_number + "-J";
}

}  // namespace schakel::outbox
