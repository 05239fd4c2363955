// A case in which invoices are played through the invoicing decider alone, with its ledger folded after each message.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/model/ledger.hpp"
#include "core/model/profile.hpp"
#include "plugins/invoicing/decider.hpp"

namespace schakel::invoicing_test {

inline std::shared_ptr<const Profile> profile(const std::string& region,
                                              const std::vector<std::pair<std::string, Json>>& settings) {
  Json all = {{"invoice_addresses",
               {{"gemeente", "facturen@gemeente.example"},
                {"swv", "facturen@swv.example"},
                {"schoolbestuur", "administratie@schoolbestuur.example"}}}};
  for (const auto& [name, value] : settings) all[name] = value;
  Json file = {{"region", region},
               {"name", region},
               {"sources", {{"test", "Test"}}},
               {"settings", Json::object()},
               {"rules", Json::array()}};
  for (const auto& [name, value] : all.items()) file["settings"][name] = {{"value", value}, {"why", "test"}};
  auto vocabulary = Vocabulary::parse({{"facts", Json::array()}});
  EXPECT_TRUE(vocabulary);
  auto made = Profile::parse(file, *vocabulary);
  if (!made)
    for (const auto& f : made.error().findings) ADD_FAILURE() << f.pointer << ' ' << f.code;
  return made ? *made : nullptr;
}

inline std::shared_ptr<const Profile> knh(std::vector<std::pair<std::string, Json>> more = {}) {
  std::vector<std::pair<std::string, Json>> s = {
      {"grey_split.enabled", true},
      {"swv_invoice_address", "oza@swvkopvannoordholland.nl"},
      {"grey_contract_holder", {{"PO", "gemeente"}, {"SBO", "schoolbestuur"}, {"SO", "schoolbestuur"}}},
      {"escalation", {{"binding", true}}}};
  s.insert(s.end(), more.begin(), more.end());
  return profile("KNH", s);
}
inline std::shared_ptr<const Profile> mh() {
  return profile("MH", {{"escalation", {{"needs_ratification", {"gemeente", "swv"}}}},
                        {"money.education_needs_enrolment", true},
                        {"money.education_needs_regie", true}});
}
inline std::shared_ptr<const Profile> frl() { return profile("FRL", {{"funding_lines_need_period", true}}); }
inline std::shared_ptr<const Profile> mvs() {
  return profile("MVS", {{"money.flow", "offering_party"}, {"money.content_first", true}});
}
inline std::shared_ptr<const Profile> hr() {
  return profile("HR", {{"money.flow", "ordering_parties"}, {"escalation", {{"binding", false}}}});
}

/// A braced list of one Json would be a copy of it, not a list.
using Lines = std::vector<Json>;

class Case {
 public:
  explicit Case(std::shared_ptr<const Profile> p, Json facts = {{"funding_agreed", true}},
                std::string school_type = "PO")
      : profile_(std::move(p)) {
    file.id = "case-1";
    file.region = profile_->region();
    file.facts = std::move(facts);
    file.pupil.school_type = std::move(school_type);
  }

  /// Plays one message; what earlier deciders did is in `before`.
  Draft play(std::string type, std::string from, Json payload, Draft before = {},
             std::vector<std::string> addressed_to = {}) {
    Message m;
    m.seq = ++seq_;
    m.id = "m" + std::to_string(seq_);
    m.type = std::move(type);
    m.subject = file.id;
    m.region = file.region;
    m.sender_role = std::move(from);
    m.party = party;
    m.addressed_to = std::move(addressed_to);
    m.payload = std::move(payload);
    m.time = Instant{std::chrono::seconds{1'790'000'000 + seq_ * 60}};
    Facts facts;
    for (const auto& key : decider_.reads(file, m, *profile_))
      if (auto it = registers.find(key); it != registers.end()) facts[key] = it->second;
    FactView view(file, m, *profile_, m.time);
    view.adopt(before.effects);
    if (before.codes.empty()) rules_of_the_region(m);
    Draft draft = decider_.decide(view, facts, std::move(before));
    for (const auto& r : draft.registers) registers[r.key] = r.value;
    apply(file, m, draft);
    return draft;
  }

  Draft invoice(const std::string& number, const Lines& lines, std::int64_t vat = 0, Json more = Json::object()) {
    Json payload = {{"number", number}, {"lines", Json(lines)}, {"vat_cents", vat}};
    payload.update(more);
    return play("factuur", "zorgaanbieder_billing", payload);
  }
  Draft declaratie(const std::string& number, std::int64_t grey, std::int64_t vat = 0) {
    return play("declaratie", "schoolbestuur", {{"number", number}, {"grey_total_cents", grey}, {"vat_cents", vat}});
  }
  Draft credit(const std::string& number, const std::string& on, const Lines& lines, std::int64_t vat = 0,
               const std::string& from = "zorgaanbieder_billing") {
    return play("creditnota", from, {{"number", number}, {"credits", on}, {"lines", Json(lines)}, {"vat_cents", vat}});
  }
  /// A financieringsafspraak as the earlier deciders leave it: facts of the case change.
  Draft agree(const Lines& lines = {}) {
    Draft before;
    Json funding = file.facts.value("funding", Json::array());
    for (const auto& line : lines) funding.push_back(line);
    before.effects.push_back({"fact", "funding_agreed", true});
    if (!funding.empty()) before.effects.push_back({"fact", "funding", funding});
    return play("financieringsafspraak", "swv", {{"lines", Json(lines)}}, before);
  }

  CaseFile file;
  std::map<std::string, Json> registers;
  std::string party;

 private:
  /// What the facts rules of MH (MH-ESC-04, MH-ESC-05) and HR (HR-GATE-01) make of a message, which are not played
  /// here.
  void rules_of_the_region(const Message& m) {
    if (m.type == "bindend_advies") file.facts["ratified_gemeente"] = file.facts["ratified_swv"] = false;
    if (m.type == "bekrachtiging") file.facts["ratified_" + m.sender_role.substr(0, m.sender_role.find('_'))] = true;
    if (m.type == "opdracht" && (m.sender_role == "swv" || m.sender_role.starts_with("school")))
      file.facts["order_education_payer"] = m.sender_role == "swv" ? "swv" : "schoolbestuur";
  }

  std::shared_ptr<const Profile> profile_;
  invoicing::InvoicingDecider decider_;
  std::int64_t seq_ = 0;
};

inline Json line(const std::string& kind, std::int64_t cents) { return {{"kind", kind}, {"cents", cents}}; }

/// number -> amount of everything that left.
inline std::map<std::string, std::int64_t> amounts(const Draft& d) {
  std::map<std::string, std::int64_t> out;
  for (const auto& i : d.invoices) out[i.number] = i.amount_cents;
  return out;
}
inline const InvoiceOut& find(const Draft& d, const std::string& number) {
  for (const auto& i : d.invoices)
    if (i.number == number) return i;
  ADD_FAILURE() << "no invoice " << number;
  static const InvoiceOut none;
  return none;
}
inline std::vector<std::string> roles(const Draft& d) {
  std::vector<std::string> out;
  for (const auto& r : d.recipients) out.push_back(r.role);
  return out;
}
inline std::vector<std::string> signals(const Draft& d) {
  std::vector<std::string> out;
  for (const auto& s : d.signals) out.push_back(s.code + ">" + s.to);
  return out;
}
using Amounts = std::map<std::string, std::int64_t>;
using Texts = std::vector<std::string>;

/// Care to the gemeente, grey half and half (the odd cent is the gemeente's), education to the swv.
inline Case shared_case() {
  return Case(knh(), {{"funding_agreed", true},
                      {"funding",
                       {{{"kind", "zorg"}, {"payer", "gemeente"}, {"vat", "S"}},
                        {{"kind", "grijs"}, {"payer", "50/50"}, {"vat", "S"}},
                        {{"kind", "onderwijs"}, {"payer", "swv"}, {"vat", "S"}}}}});
}

}  // namespace schakel::invoicing_test
