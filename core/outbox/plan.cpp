#include "core/outbox/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/calendar.hpp"
#include "core/base/hash.hpp"
#include "core/base/json_object.hpp"
#include "core/model/code_words.hpp"
#include "core/model/invoice_types.hpp"
#include "core/outbox/invoice_parties.hpp"
#include "core/outbox/reach.hpp"

namespace schakel::outbox {
namespace {

std::string delivery_id(const Message& m, std::string_view kind, std::string_view detail) {
  auto h = sha256(fmt::format("{}\n{}\n{}\n{}", m.source, m.id, kind, detail));
  return "A-" + to_letters(ByteView(h).first(16));
}

/// What each part of a decision sends, in the order in which it is planned.
struct Maker {
  const PlanInput& in;
  const Message& m = in.message;
  std::vector<Planned> out{};

  void messages();
  void filings();
  void invoices();
  void signals();
  void conflict();
  void answers();
  void revocations();
  void refusals();

  /// The meeting that this message is about: another than the last that was stated, where it was sent for that.
  [[nodiscard]] const std::optional<Meeting>& meeting() const {
    if (!in.file.messages.empty() && in.file.messages.back().id == m.id)
      if (const auto& own = in.file.messages.back().meeting; own && in.file.meeting && own->at != in.file.meeting->at)
        return own;
    return in.file.meeting;
  }

  Json common() const {
    Json body{
        {"type", m.type}, {"sender_role", m.sender_role}, {"payload", m.payload}, {"time", format_instant(m.time)}};
    add_meeting(body, meeting());
    return body;
  }

  static void add_meeting(Json& body, const std::optional<Meeting>& about) {
    if (about) body["meeting"] = {{"kind", about->kind}, {"at", format_instant(about->at)}};
  }

  /// One delivery for each place that core/outbox/reach.hpp finds; without one it waits for a person, with the reason.
  void reach(Planned p, const Party* party = nullptr) {
    if (party) p.desk = party->id;
    auto found =
        outbox::reach({p.role, p.kind, m.region, in.file, in.parties, in.contacts, std::span(in.members), party});
    for (auto& place : found.places) {
      auto one = p;
      if (!place.person.empty()) one.id = delivery_id(m, p.kind, p.id + "\n" + place.person);
      one.target = std::move(place.target);
      one.address = std::move(place.address);
      out.push_back(std::move(one));
    }
    if (!found.places.empty()) return;
    p.code = found.code;
    out.push_back(std::move(p));
  }

  /// The payload of the message whose invoice this is made of; nullptr where it is not at hand.
  [[nodiscard]] const Json* source_of(const InvoiceOut& i) const;
  [[nodiscard]] Json invoice(const InvoiceOut& i) const;
  void answer(const std::string& id, const std::string& role, const std::string& party, std::string_view outcome);
  [[nodiscard]] std::string reason_of(const std::vector<std::string>& codes, const Json& number) const;
  void refuse(const std::string& id, const std::string& type, const std::string& role, const std::string& party,
              const std::vector<std::string>& codes, std::string_view outcome, const std::string& detail,
              const Json& number);
};

void Maker::messages() {
  // An invoice reaches its payers as documents, not as a second copy of the case message.
  if (in.draft.outcome != Outcome::delivered || m.type == "link_geopend" || is_invoice_type(m.type)) return;
  for (const auto& r : in.draft.recipients) {
    Planned p;
    p.role = r.role;
    p.type = m.type;
    bool notice = r.content == std::vector<std::string>{"notice"};
    bool documents = r.channel == "secure_link";
    p.kind = notice ? "notice" : documents ? "documents" : "message";
    p.id = delivery_id(m, p.kind, r.role);
    p.body = common();
    p.body["content"] = r.content;
    p.body["channel"] = r.channel;
    for (const auto& section : r.without) p.body["payload"].erase(section);
    if (notice) p.body["payload"] = Json::object();
    if (documents) {
      for (const auto& a : m.attachments)
        if (std::ranges::find(r.content, a.doc_type) != r.content.end()) p.documents.push_back(a.document);
      if (const auto& about = meeting()) p.valid_until = end_of_day(local_date(about->at));
    }
    reach(std::move(p));
  }
}

void Maker::filings() {
  for (const auto& f : in.draft.filings) {
    Planned p;
    p.role = f.system;
    p.type = f.operation;
    p.kind = "filing";
    p.id = delivery_id(m, p.kind, f.operation + "\n" + f.by);
    p.body = common();
    p.body["payload"] = Json::object();
    p.body["filing"] = {{"operation", f.operation}, {"by", f.by}};
    p.body["filed_from"] = f.delivery_message;
    if (f.operation == "dossier.append")
      if (auto it = in.earlier_attachments.find(f.delivery_message); it != in.earlier_attachments.end())
        for (const auto& a : it->second) p.documents.push_back(a.document);
    reach(std::move(p));
  }
}

/// The payload of the message that the invoice is made of; nullptr where it is not at hand.
const Json* Maker::source_of(const InvoiceOut& i) const {
  const Json* source = i.source_message == m.id ? &m.payload : nullptr;
  if (!source && in.released_payloads)
    if (auto it = in.released_payloads->find(i.source_message); it != in.released_payloads->end()) source = &it->second;
  return source && source->is_object() ? source : nullptr;
}

Json Maker::invoice(const InvoiceOut& i) const {
  // An invoice may have thousands of lines: they are copied once.
  Json inv = json_object("address", i.address, "amount_cents", i.amount_cents, "credits", i.credits, "kind", i.kind,
                         "lines", i.lines, "number", i.number, "payee", i.payee, "payer", i.payer, "period_from",
                         i.period_from, "period_to", i.period_to, "source_number", i.source_number, "split", i.split);
  inv["vat_cents"] = i.vat_cents.value_or(0);
  inv["net_cents"] = i.net_cents.value_or(i.amount_cents - i.vat_cents.value_or(0));
  if (i.minutes) inv["minutes"] = *i.minutes;
  if (!i.vat_treatment.empty()) inv["vat_treatment"] = i.vat_treatment;
  if (!i.vat_rates.empty()) inv["vat_rates"] = i.vat_rates;
  inv["issued"] = local_date(m.time).str();
  const Json* source = source_of(i);
  auto text = [source](const char* field) -> const Json* {
    if (!source) return nullptr;
    auto it = source->find(field);
    return it != source->end() && it->is_string() ? &*it : nullptr;
  };
  // In the name of who made the source: with the VAT that it charged, whatever was agreed on what others make of it.
  if (says_vat_of_source(i)) {
    inv["vat_of_source"] = true;
    if (const Json* number = text("seller_vat_number")) inv["source_vat_number"] = *number;
  }
  // The invoice of the provider itself, passed on as it came: with its own dates and payment reference.
  if (i.number == i.source_number && !i.payee_party.empty())
    for (const char* field : {"issue_date", "due_date", "payment_id"})
      if (const Json* own = text(field); own && *own != "") inv[field] = *own;
  // A credit is between whom its invoice was, whatever the case says by now (CORE-MONEY-04).
  if (in.credited)
    if (auto it = in.credited->find(invoice_delivery_id(m, i)); it != in.credited->end()) put_credited(inv, it->second);
  // A released invoice was sent by another party than the message that releases it.
  inv["payee_party"] = !i.payee_party.empty() ? i.payee_party : i.payee == "zorgaanbieder" ? m.party : "";
  // Whom the source names as its buyer has to be who gets it, and who asks a share of it of others.
  bool of_who_got_it = inv["payee_party"] != "" || std::ranges::any_of(in.draft.invoices, [&](const InvoiceOut& o) {
                         return o.source_message == i.source_message && !o.payee_party.empty() && o.payer == i.payee;
                       });
  if (const Json* buyer = text("buyer_id"); buyer && of_who_got_it) inv["source_buyer"] = *buyer;
  return inv;
}

void Maker::invoices() {
  std::map<std::string, std::string> uncertain;  ///< source messages: the seller itself comes first of its documents
  for (const auto& i : in.draft.invoices) {
    Planned p;
    p.role = i.payer == "gemeente" ? "gemeente_financien" : i.payer == "swv" ? "swv_financien" : i.payer;
    p.type = i.kind;
    p.kind = "invoice";
    p.id = invoice_delivery_id(m, i);
    auto& inv = p.body["invoice"] = invoice(i);
    p.code = name_parties(inv, in.file, m.region, in.parties);
    // Nothing is asked of anybody on an invoice of which the seller's VAT number or the buyer is not certain.
    if (p.code.starts_with("VAT_NUMBER") || p.code == "BUYER_IS_ANOTHER") uncertain[i.source_message] = p.code;
    if (auto it = uncertain.find(i.source_message); it != uncertain.end() && p.code.empty()) p.code = it->second;
    const Party* buyer = in.parties.find(inv.value("buyer_party", ""));
    if (p.code.empty())
      reach(std::move(p), buyer);
    else
      out.push_back(std::move(p));  // waits for a person, with the reason
    if (auto& last = out.back(); last.kind == "invoice" && !last.address.contains("mail"))
      last.address["mail"] = i.address;
  }
}

void Maker::signals() {
  for (const auto& s : in.draft.signals) {
    Planned p;
    p.role = s.to;
    p.type = "signaal";
    p.kind = "signal";
    p.code = s.code;
    p.id = delivery_id(m, p.kind, s.code + "\n" + s.to + "\n" + s.role + "\n" + s.timer);
    p.body = {{"signal", {{"code", s.code}, {"role", s.role}, {"timer", s.timer}, {"rule", s.rule}}},
              {"type", m.type},
              {"time", format_instant(m.time)}};
    if (m.type == "factuur_status")
      // Which invoice, in numbers and codes: whoever gets this has sent it.
      for (auto [to, from] : {std::pair{"number", "number"}, {"payer", "payer"}, {"reason", "code"}})
        p.body["signal"][to] = m.payload.value(from, "");
    if (s.code == "INVOICE_NOT_TAKEN") p.body["signal"]["creditor"] = m.payload.value("payee_party", "");
    const Party* desk = s.to == m.sender_role ? in.parties.find(m.party) : nullptr;
    if (m.type == "factuur_status" && s.to == "zorgaanbieder_billing")
      desk = in.parties.find(m.payload.value("payee_party", ""));
    add_meeting(p.body, in.file.meeting);
    reach(std::move(p), desk);
  }
}

/// Two documents under one number: a mistake of the seller, or somebody else's hand. Whoever pays hears of it.
void Maker::conflict() {
  if (!is_invoice_type(m.type) || in.draft.outcome != Outcome::quarantined || !m.payload.is_object() ||
      std::ranges::find(in.draft.codes, "INVOICE_CONFLICT") == in.draft.codes.end())
    return;
  auto why = std::ranges::find(in.draft.explanation, "INVOICE_CONFLICT", &Explanation::code);
  auto number = m.payload.find("number");
  Planned p;
  p.role = "gemeente_financien";
  p.type = "signaal";
  p.kind = "signal";
  p.code = "INVOICE_CONFLICT";
  p.id = delivery_id(m, p.kind, p.code + "\n" + p.role);
  p.body = {{"signal",
             {{"code", p.code},
              {"rule", why == in.draft.explanation.end() ? std::string("CORE-MONEY-06") : why->rule.str()},
              {"number", number != m.payload.end() && number->is_string() ? *number : Json("")},
              {"creditor", m.party}}},
            {"type", m.type},
            {"time", format_instant(m.time)}};
  reach(std::move(p));
}

void Maker::answer(const std::string& id, const std::string& role, const std::string& party, std::string_view outcome) {
  const Party* sender = in.parties.find(party);
  if (!sender || !Parties::endpoint_of(*sender, role, m.region, "signal")) return;
  Planned p;
  p.role = role;
  p.type = "besluit";
  p.kind = "signal";
  p.id = delivery_id(m, "besluit", id);
  p.body = {{"message", id},
            {"type", m.type},
            {"time", format_instant(m.time)},
            {"signal", {{"code", "BESLUIT"}, {"codes", Json::array()}, {"outcome", outcome}}}};
  reach(std::move(p), sender);
}

/// A billing system is told what became of its invoice, so that it can be answered (JW325): at once, or when a held
/// one is released. People are not: they see the invoice.
void Maker::answers() {
  if (is_invoice_type(m.type) &&
      (in.draft.outcome == Outcome::delivered || in.draft.outcome == Outcome::dropped_duplicate))
    answer(m.id, m.sender_role, m.party, to_string(in.draft.outcome));
  std::set<std::string> released;
  for (const auto& i : in.draft.invoices)
    if (i.released_by != 0 && i.source_message != m.id && released.insert(i.source_message).second)
      for (const auto& past : in.file.messages)
        if (past.id == i.source_message) answer(past.id, past.sender_role, i.payee_party, "delivered");
  // One of nothing makes no document, and is answered all the same.
  for (const auto& e : in.draft.effects)
    if (auto id = released_without_document(e, m); !id.empty() && released.insert(id).second)
      for (const auto& past : in.file.messages)
        if (past.id == id) answer(past.id, past.sender_role, e.value.value("party", ""), "delivered");
}

void Maker::revocations() {
  for (const auto& link : in.draft.revoked_links) {
    // Who held a link is told that it ended; what it was about stays out of it.
    Planned p;
    p.role = link.substr(link.rfind('/') + 1);
    p.type = "intrekking";
    p.kind = "revocation";
    p.code = "CONSENT_WITHDRAWN";
    p.id = delivery_id(m, p.kind, link);
    p.body = {{"type", "intrekking"}, {"time", format_instant(m.time)}};
    add_meeting(p.body, in.file.meeting);
    reach(std::move(p));
  }
}

/// Which reason of a code it was, where it has several (core/model/code_words.hpp): CODE:fact. Of invoices only.
std::string Maker::reason_of(const std::vector<std::string>& codes, const Json& number) const {
  for (const auto& e : in.draft.explanation) {
    if (codes.empty() || e.code != codes.front() || !number.is_string() ||
        e.facts[std::string_view("number")] != number)
      continue;
    for (const auto& [fact, value] : e.facts.items())
      if (auto reason = e.code + ":" + fact; code_words(reason)) return reason;
  }
  return {};
}

void Maker::refuse(const std::string& id, const std::string& type, const std::string& role, const std::string& party,
                   const std::vector<std::string>& codes, std::string_view outcome, const std::string& detail,
                   const Json& number) {
  Planned p;
  p.role = role;
  p.type = "blokkade";
  p.kind = "signal";
  p.code = codes.empty() ? "" : codes.front();
  p.id = delivery_id(m, "blokkade", detail);
  p.body = {{"signal", {{"code", "BLOKKADE"}, {"codes", codes}, {"outcome", outcome}}},
            {"type", type},
            {"message", id},
            {"time", format_instant(m.time)}};
  if (auto reason = reason_of(codes, number); !reason.empty()) p.body["signal"]["detail"] = std::move(reason);
  reach(std::move(p), in.parties.find(party));
}

/// The sender learns the codes and nothing else (message type 55, blokkade); of an invoice also the reason.
void Maker::refusals() {
  bool refused = in.draft.outcome == Outcome::blocked || in.draft.outcome == Outcome::held ||
                 in.draft.outcome == Outcome::quarantined;
  // The one who opens a link is told by the page.
  if (refused && m.type != "link_geopend")
    refuse(m.id, m.type, m.sender_role, m.party, in.draft.codes, to_string(in.draft.outcome), m.sender_role,
           is_invoice_type(m.type) && m.payload.is_object() ? m.payload.value("number", Json()) : Json());
  // A held credit whose turn came and that is larger than what was left by then (CORE-MONEY-04).
  for (const auto& e : in.draft.effects) {
    if (e.what != "invoice" || !e.value.is_object() || e.value.value("status", "") != "refused") continue;
    auto id = e.value.value("message", "");
    for (const auto& past : in.file.messages)
      if (past.id == id && id != m.id)
        refuse(id, past.type, past.sender_role, e.value.value("party", ""),
               e.value.value("codes", std::vector<std::string>{}), to_string(Outcome::blocked), id,
               e.value.value("number", Json()));
  }
}

}  // namespace

Json Planned::to_json() const {
  Json j{{"id", id},     {"kind", kind},       {"target", target}, {"role", role},          {"type", type},
         {"code", code}, {"address", address}, {"body", body},     {"documents", documents}};
  if (!desk.empty()) j["desk"] = desk;
  if (valid_until) j["valid_until"] = format_instant(*valid_until);
  return j;
}

Planned Planned::from_json(const Json& j) {
  Planned p;
  p.id = j.at("id");
  p.kind = j.at("kind");
  p.target = j.value("target", "");
  p.role = j.value("role", "");
  p.type = j.value("type", "");
  p.code = j.value("code", "");
  p.desk = j.value("desk", "");
  p.address = j.value("address", Json::object());
  p.body = j.value("body", Json::object());
  p.documents = j.value("documents", std::vector<std::string>{});
  if (j.contains("valid_until")) p.valid_until = parse_instant(j["valid_until"].get<std::string>()).value();
  return p;
}

std::string released_without_document(const Effect& effect, const Message& m) {
  if (effect.what != "invoice" || !effect.value.is_object() || effect.value.value("status", "") != "forwarded")
    return {};
  auto by = effect.value.value("released_by", std::int64_t{0});
  auto id = effect.value.value("message", "");
  return by != 0 && by == m.seq && id != m.id ? id : std::string();
}

std::string invoice_delivery_id(const Message& message, const InvoiceOut& invoice) {
  return delivery_id(message, "invoice", invoice.kind + "\n" + invoice.number + "\n" + invoice.payer);
}

std::vector<Planned> plan(const PlanInput& in) {
  Maker make{in};
  make.messages();
  make.filings();
  make.invoices();
  make.signals();
  make.conflict();
  make.answers();
  make.revocations();
  make.refusals();
  return std::move(make.out);
}

}  // namespace schakel::outbox
