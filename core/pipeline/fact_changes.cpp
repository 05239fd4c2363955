#include "core/pipeline/fact_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/calendar.hpp"
#include "core/model/consent_check.hpp"
#include "core/model/invoice_types.hpp"

namespace schakel::replay {
namespace {

using std::string_view_literals::operator""sv;

struct FcInputs {
  std::string_view derived;
  std::vector<std::string_view> from;
};
const std::vector<FcInputs>& fc_inputs() {
  static const std::vector<FcInputs> all = {
      {"derived.age_years", {"pupil.birth_date"}},
      {"derived.meeting_kind", {"message.meeting", "meeting.at"}},
      {"derived.meeting_date", {"meeting.at"}},
      {"derived.today", {"message.time"}},
      {"derived.handelingsdeel_signed", {"case.handelingsdeel_signed", "document.opp.status"}},
      {"derived.responsible_gemeente",
       {"case.gezaghebbende_ouder_gemeente", "case.brp_gemeente", "case.brp_before_stay", "case.verblijf"}},
      {"derived.cto_cents", {"case.education_cents_per_year", "case.grey_swv_half_cents"}},
      {"derived.cto_cents_with_grey", {"case.education_cents_per_year", "case.grey_swv_half_cents"}},
      {"derived.goal_limit", {"case.goal_start"}},
      {"derived.combined_invoice", {"message.lines"}},
      {"derived.link_was_sent", {"envelope.sender"}},
      {"derived.link_expired", {"meeting.at", "message.time"}},
      {"derived.link_first_opening", {"envelope.sender"}}};
  return all;
}

/// What the invoicing decider asks of a case beside the conditions of its rules (plugins/invoicing/gate.cpp).
constexpr std::array kFcMoney = {"case.funding_agreed"sv,
                                 "case.dispute"sv,
                                 "case.content_fixed"sv,
                                 "pupil.enrolled"sv,
                                 "case.education_regie"sv,
                                 "case.ratified_gemeente"sv,
                                 "case.ratified_swv"sv,
                                 "case.order_education"sv,
                                 "case.order_care"sv,
                                 "case.profile_ok"sv,
                                 "case.contract_holder"sv,
                                 "case.order_education_payer"sv,
                                 "case.pgb"sv};
constexpr std::array kFcStages = {Stage::facts,    Stage::gate,    Stage::routing,
                                  Stage::audience, Stage::consent, Stage::invoicing};
constexpr std::array kFcDocumentStates = {"concept"sv, "compleet"sv, "ondertekend"sv, "vastgesteld"sv};

class FcMaker {
 public:
  FcMaker(const Known& known, const Profile& profile, const std::function<bool(std::string_view)>& may)
      : known_(known), profile_(profile), may_(may), view_(known.file, known.message, profile, known.message.time) {}

  std::vector<Candidate> make(const Draft& recorded) {
    for (const Explanation& e : recorded.explanation)
      for (const auto& [name, value] : e.facts.items()) want(name);
    for (Stage stage : kFcStages)
      for (const Rule* r : profile_.rules(stage, known_.message.type)) {
        for (int slot : r->facts) want(profile_.vocabulary().at(slot).name);
        values(r->when);
        if (r->then.consent) consent_rules_.push_back(r);
        if (r->then.recipient && r->then.recipient->mandatory)
          mandatory_.insert(r->then.recipient->roles.begin(), r->then.recipient->roles.end());
      }
    if (is_invoice_type(known_.message.type))
      for (auto name : kFcMoney) want(name);
    // What the consent decider asks of a case (plugins/consent/consent.cpp).
    if (!consent_rules_.empty())
      for (auto name : {"pupil.birth_date", "case.custody", "case.measure", "case.voogdij_end"}) want(name);
    consents();
    for (const std::string& name : wanted_) fact(name);
    addressed();
    registers();
    moments();
    return std::move(out_);
  }

 private:
  void want(std::string_view name) {
    if (std::ranges::find(wanted_, name) != wanted_.end()) return;
    auto inputs = inputs_of(name);
    if (inputs.empty()) {
      wanted_.emplace_back(name);
      return;
    }
    for (auto input : inputs) want(input);
  }

  /// The values that a condition can tell apart.
  void values(const Condition& c) {
    for (const Condition& child : c.children) values(child);
    if (c.slot < 0) return;
    const FactDef& d = profile_.vocabulary().at(c.slot);
    auto& list = values_[d.name];
    for (const Operand& o : c.operands) {
      Json v = o.get(view_).to_json();
      if (v.is_null()) continue;
      list.insert(v);
      if (v.is_number_integer() &&
          (c.op == Condition::Op::at_least || c.op == Condition::Op::more_than || c.op == Condition::Op::less_than)) {
        list.insert(v.get<std::int64_t>() - 1);
        list.insert(v.get<std::int64_t>() + 1);
        if (c.op == Condition::Op::less_than || c.op == Condition::Op::at_least)
          for (auto input : inputs_of(d.name))
            values_[std::string(input)].insert({v, Json(v.get<std::int64_t>() - 1), Json(v.get<std::int64_t>() + 1)});
      }
      if (c.op == Condition::Op::count_less_than || c.op == Condition::Op::count_not)
        counts_[d.name] = v.is_number_integer() ? v.get<std::size_t>() : 0;
      if (o.slot >= 0) {
        // The other side may move as well.
        const FactDef& other = profile_.vocabulary().at(o.slot);
        want(other.name);
        if (Json mine = view_.get(c.slot).to_json(); !mine.is_null()) values_[other.name].insert(mine);
      }
    }
  }

  bool may(std::string_view name) const { return !may_ || may_(name); }
  void add(std::string fact, Json was, Json would_be, std::function<void(Known&)> apply) {
    if (was == would_be || !may(fact)) return;
    out_.push_back({{std::move(fact), std::move(was), std::move(would_be)}, std::move(apply)});
  }

  void fact(const std::string& name) {
    if (name == "message.time" || name == "meeting.at") return;  // moments()
    if (name == "pupil.birth_date") return birth_dates();
    int slot = profile_.vocabulary().slot(name);
    if (slot < 0) return;
    const FactDef& d = profile_.vocabulary().at(slot);
    Json was = view_.get(slot).to_json();
    switch (d.from) {
      case FactDef::From::document:
        return document(d);
      case FactDef::From::past:
        return past(d, was);
      case FactDef::From::deadline:
        return deadline(d, was);
      case FactDef::From::function:
        return;
      case FactDef::From::envelope:
        if (d.field != "sender") return;
        for (const Json& v : values_[name])
          if (v.is_string()) add(name, was, v, [v](Known& k) { k.message.sender_role = v.get<std::string>(); });
        return;
      default:
        break;
    }
    for (Json& v : choices(name, d, was)) add(name, was, v, [this, slot, v](Known& k) { set(k, slot, v); });
  }

  std::vector<Json> choices(const std::string& name, const FactDef& d, const Json& was) {
    std::vector<Json> list;
    if (d.type == FactType::boolean) return {!(was.is_boolean() && was.get<bool>())};
    if (d.type == FactType::list) {
      Json empty = Json::array();
      Json now = was.is_array() ? was : empty;
      for (const Json& v : values_[name]) {
        Json more = now, fewer = empty;
        more.push_back(v);
        for (const Json& e : now)
          if (e != v) fewer.push_back(e);
        list.push_back(std::ranges::find(now, v) == now.end() ? more : fewer);
      }
      if (name == "case.custody")
        for (const Json& e : now) {
          Json fewer = empty;
          for (const Json& other : now)
            if (other != e) fewer.push_back(other);
          list.push_back(std::move(fewer));
        }
      if (auto it = counts_.find(name); it != counts_.end()) {
        // Elements that are not there have no name; they are numbered.
        Json enough = now;
        for (std::size_t n = 1; enough.size() < it->second; ++n) enough.push_back(fmt::format("#{}", n));
        list.push_back(enough);
      }
      list.push_back(nullptr);
      return list;
    }
    for (const Json& v : values_[name]) {
      list.push_back(v);
      if (d.type == FactType::date && v.is_string())
        if (auto date = Date::parse(v.get<std::string>()))
          for (int n : {-1, 1}) list.push_back(add_days(*date, n).str());
    }
    if (d.type == FactType::date) list.push_back(std::string(view_.today()));
    list.push_back(nullptr);
    return list;
  }

  /// In the case, and in the message where that states it: what the payload says goes first.
  void set(Known& k, int slot, const Json& v) const {
    const FactDef& d = profile_.vocabulary().at(slot);
    if (d.from == FactDef::From::payload) {
      if (v.is_null())
        k.message.payload.erase(d.field);
      else
        k.message.payload[d.field] = v;
      return;
    }
    if (d.from == FactDef::From::pupil) {
      if (d.field == "enrolled") k.file.pupil.enrolled = v.is_boolean() && v.get<bool>();
      std::string text = v.is_string() ? v.get<std::string>() : "";
      if (d.field == "school_type") k.file.pupil.school_type = text;
      if (d.field == "woongemeente") k.file.pupil.woongemeente = text;
      if (d.field == "school") k.file.pupil.school = text;
      return;
    }
    if (v.is_null())
      k.file.facts.erase(d.field);
    else
      k.file.facts[d.field] = v;
    stated(k, slot, v);
  }
  void stated(Known& k, int slot, const Json& v) const {
    for (const Statement& s : profile_.vocabulary().statements(k.message.type)) {
      if (s.slot != slot ||
          std::ranges::none_of(s.fields, [&](const std::string& f) { return k.message.payload.contains(f); }))
        continue;
      for (std::size_t i = 0; i < s.fields.size(); ++i) {
        if (i == 0 && !v.is_null())
          k.message.payload[s.fields[i]] = v;
        else
          k.message.payload.erase(s.fields[i]);
      }
    }
  }

  void birth_dates() {
    std::set<std::int64_t> ages;
    for (const Json& v : values_["derived.age_years"])
      if (v.is_number_integer()) ages.insert(v.get<std::int64_t>());
    if (!consent_rules_.empty()) ages.insert(profile_.setting_int("child_consent_age", known_.file.overrides, 12));
    Date today = local_date(known_.message.time);
    for (std::int64_t age : ages)
      if (age > 0 && age < 30)
        for (int n : {0, 1}) {  // that old today, and one day short of it
          std::string born = add_days(add_years(today, -age), n).str();
          add("pupil.birth_date", known_.file.pupil.birth_date, born,
              [born](Known& k) { k.file.pupil.birth_date = born; });
        }
  }

  void document(const FactDef& d) {
    if (!documents_.insert(d.field).second) return;
    std::string name = "document." + d.field + ".status";
    std::string_view status = view_.document_status(d.field);
    Json was = status.empty() ? Json() : Json(status);
    int slot = profile_.vocabulary().slot(name);
    std::vector<Json> list{nullptr};
    for (auto state : kFcDocumentStates) list.emplace_back(state);
    for (const Json& v : list)
      add(name, was, v, [this, doc = d.field, slot, v](Known& k) {
        std::erase_if(k.file.documents, [&](const DocumentState& s) { return s.doc_type == doc; });
        if (v.is_string())
          k.file.documents.push_back({doc, v.get<std::string>(), 1});
        else if (auto it = k.message.payload.find("documents"); it != k.message.payload.end() && it->is_array())
          std::erase_if(*it->get_ptr<Json::array_t*>(), [&](const Json& e) { return e == Json(doc); });
        if (slot >= 0) stated(k, slot, v);
      });
  }

  void past(const FactDef& d, const Json& was) {
    bool there = was.is_boolean() && was.get<bool>();
    add(d.name, there, !there, [type = d.field, there](Known& k) {
      if (there) {
        std::erase_if(k.file.messages, [&](const PastMessage& m) { return m.type == type; });
        return;
      }
      PastMessage m;
      m.id = "would-have-been";
      m.type = type;
      m.outcome = Outcome::delivered;
      m.at = k.message.time;
      k.file.messages.push_back(std::move(m));
    });
  }

  void deadline(const FactDef& d, const Json& was) {
    for (int n : {-1, 1}) {
      std::string date = add_days(local_date(known_.message.time), n).str();
      add(d.name, was, date, [name = d.field, date](Known& k) {
        auto it = std::ranges::find(k.file.deadlines, name, &Deadline::name);
        if (it == k.file.deadlines.end())
          it = k.file.deadlines.insert(it, Deadline{name, date, "", "", "target", "", "set"});
        it->date = date;
      });
    }
  }

  void consents() {
    std::set<std::string> purposes, givers{"leerling"};
    for (const Rule* r : consent_rules_) {
      if (r->then.consent->purpose != consent::kOfDelivery) {
        purposes.insert(r->then.consent->purpose);
        continue;
      }
      for (const PastMessage& m : known_.file.messages)
        if (known_.message.payload.value("delivery", Json()) == m.id)
          for (auto p : consent::purposes_of_delivery(profile_, m.type, known_.message.sender_role))
            purposes.emplace(p);
    }
    if (view_.text("case.measure") == "voogdij") givers.insert("voogd");
    if (FactValue v = view_.get("case.custody"); v.kind == FactValue::Kind::list)
      for (const Json& g : *v.json)
        if (g.is_string()) givers.insert(g.get<std::string>());
    Instant at = known_.message.time;
    for (const auto& purpose : purposes)
      for (const auto& giver : givers) {
        std::string name = "consent:" + giver + ":" + purpose;
        const Consent* mine = nullptr;
        for (const Consent& c : known_.file.consents)
          if (c.giver == giver && c.purpose == purpose) mine = &c;
        bool valid = mine && at >= mine->valid_from && (!mine->valid_until || at < *mine->valid_until) &&
                     (!mine->withdrawn_at || at < *mine->withdrawn_at);
        std::string was = !mine                                             ? "none"
                          : valid                                           ? "given"
                          : mine->withdrawn_at && at >= *mine->withdrawn_at ? "withdrawn"
                                                                            : "not_valid";
        // A consent for every document and role: what is narrower than the message shows as a change too.
        add(name, valid ? "given" : was, valid ? "given_for_all" : "given", [giver, purpose, at](Known& k) {
          std::erase_if(k.file.consents, [&](const Consent& c) { return c.giver == giver && c.purpose == purpose; });
          k.file.consents.push_back({"would-have-been", giver, purpose, {"*"}, {"*"}, at, std::nullopt, std::nullopt});
        });
        if (valid)
          add(name, "given", "withdrawn", [giver, purpose, at](Known& k) {
            for (Consent& c : k.file.consents)
              if (c.giver == giver && c.purpose == purpose) c.withdrawn_at = at;
          });
      }
  }

  void addressed() {
    const auto& list = known_.message.addressed_to;
    if (list.empty()) return;
    for (const auto& role : mandatory_)
      if (std::ranges::find(list, role) == list.end()) {
        auto more = list;
        more.push_back(role);
        add("envelope.addressed_to", list, more, [more](Known& k) { k.message.addressed_to = more; });
      }
    add("envelope.addressed_to", list, nullptr, [](Known& k) { k.message.addressed_to.clear(); });
  }

  void registers() {
    for (const auto& [key, value] : known_.registers) {
      // The key may name a party: only what kind of register it is.
      std::string name = "register:" + key.substr(0, key.find('/'));
      add(name, true, false, [key](Known& k) { k.registers.erase(key); });
    }
  }

  /// Later or earlier by whole days, nearest first. Not before what the case knew by then.
  void moments() {
    const Instant now = known_.message.time;
    const bool facts_of_before = !known_.file.messages.empty();
    for (int d : {1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28, 42}) {
      auto days = std::chrono::hours(24) * d;
      if (!facts_of_before || now - days >= known_.file.messages.back().at)
        add("message.time", format_instant(now), format_instant(now - days),
            [days](Known& k) { k.message.time -= days; });
      add("message.time", format_instant(now), format_instant(now + days),
          [days](Known& k) { k.message.time += days; });
      if (!known_.file.meeting) continue;
      Instant meeting = known_.file.meeting->at;
      add("meeting.at", format_instant(meeting), format_instant(meeting + days),
          [days](Known& k) { k.file.meeting->at += days; });
      add("meeting.at", format_instant(meeting), format_instant(meeting - days),
          [days](Known& k) { k.file.meeting->at -= days; });
    }
  }

  const Known& known_;
  const Profile& profile_;
  std::function<bool(std::string_view)> may_;
  FactView view_;
  std::vector<std::string> wanted_;
  std::map<std::string, std::set<Json>, std::less<>> values_;
  std::map<std::string, std::size_t, std::less<>> counts_;
  std::vector<const Rule*> consent_rules_;
  std::set<std::string> mandatory_, documents_;
  std::vector<Candidate> out_;
};

}  // namespace

std::span<const std::string_view> inputs_of(std::string_view derived) {
  for (const auto& i : fc_inputs())
    if (i.derived == derived) return i.from;
  return {};
}

std::vector<Candidate> candidates(const Known& known, const Profile& profile, const Draft& recorded,
                                  const std::function<bool(std::string_view)>& may_vary) {
  auto maker = std::make_shared<FcMaker>(known, profile, may_vary);
  auto list = maker->make(recorded);
  // The changes refer to the maker.
  for (Candidate& c : list) c.apply = [maker, apply = std::move(c.apply)](Known& k) { apply(k); };
  return list;
}

}  // namespace schakel::replay
