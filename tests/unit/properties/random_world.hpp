// Random cases and messages of a region that its rules care about: values are those that the conditions compare with,
// so that rules fire, block and nearly do, instead of all facts being noise.
#pragma once
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/model/profile.hpp"
#include "tests/unit/rules/rules_support.hpp"

namespace schakel::rules_test {

class RandomWorld {
 public:
  RandomWorld(const Profile& profile, std::uint64_t seed) : profile_(profile), random_(seed) {
    std::set<std::string> roles{"school_ib", "ouders", "procesregisseur", "zorgaanbieder", "swv"}, types;
    for (const Rule& r : profile.all_rules()) {
      collect(r.when);
      types.insert(r.on.begin(), r.on.end());
      if (r.then.recipient) roles.insert(r.then.recipient->roles.begin(), r.then.recipient->roles.end());
    }
    for (const std::string& role : roles)
      if (!role.starts_with('$')) roles_.push_back(role);
    types.erase("*");
    for (const char* extra : {"toestemming", "toestemming_intrekking"}) types.insert(extra);
    types_.assign(types.begin(), types.end());
  }

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool often() { return below(4) != 0; }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[below(list.size())];
  }

  /// A day in the school years 2025 to 2028.
  Date day() { return add_days(Date::from(2025, 8, 1).value(), static_cast<std::int64_t>(below(1000))); }
  Instant moment(Date d) { return start_of_day(d) + std::chrono::minutes(static_cast<std::int64_t>(below(24 * 60))); }

  Json given(Instant opened) {
    Json facts = Json::object();
    const Vocabulary& v = profile_.vocabulary();
    for (int i = 0; i < v.size(); ++i)
      if (v.at(i).from == FactDef::From::case_fact && below(3) == 0) facts[v.at(i).field] = value(v.at(i), i);
    facts["custody"] = below(4) == 0 ? Json::array({"ouder_1"}) : Json::array({"ouder_1", "ouder_2"});
    facts["funding_agreed"] = often();
    facts["content_fixed"] = often();
    if (below(2))
      facts["funding"] = Json::array({{{"kind", "zorg"}, {"payer", "gemeente"}},
                                      {{"kind", "grijs"}, {"payer", "50/50"}},
                                      {{"kind", "onderwijs"}, {"payer", "swv"}},
                                      {{"kind", "gecombineerd"}, {"payer_bp", {{"gemeente", 6000}, {"swv", 4000}}}}});
    else
      facts.erase("funding");
    facts.erase("funding_period");
    facts.erase("advice_shares");
    Json consents = Json::array();
    for (const char* giver : {"ouder_1", "ouder_2", "leerling", "voogd"})
      for (const char* purpose : {"documents", "external_invite", "aanmelding_zorg", "request", "onderschrijding",
                                  "cto_attendance", "smw_contact", "gezinsplan_to_school"})
        if (often()) {
          Json c = consent(std::string(giver) + "-" + purpose, giver, purpose,
                           format_instant(opened - std::chrono::hours(24 * static_cast<std::int64_t>(below(60)))));
          if (below(6) == 0)
            c["valid_until"] = format_instant(opened + std::chrono::hours(static_cast<std::int64_t>(below(24 * 90))));
          if (below(8) == 0) c["roles"] = Json::array({one_of(roles_), one_of(roles_)});
          if (below(8) == 0) c["doc_types"] = Json::array({"groeidocument"});
          consents.push_back(std::move(c));
        }
    Json documents = Json::array();
    for (const char* d : {"groeidocument", "opp", "gezinsplan", "ondersteuningsplan", "gezamenlijk_plan"})
      if (often()) documents.push_back({{"doc_type", d}, {"status", below(3) ? "compleet" : "concept"}});
    const char* schools[] = {"PO", "SBO", "SO", "VO", "VSO"};
    const char* kinds[] = {"OT", "MDO", "CTO", "ozo", "overleg", "actietafel"};
    Date born = add_days(local_date(opened), -static_cast<std::int64_t>(below(7000)) - 1500);
    return {
        {"pupil",
         {{"birth_date", born.str()},
          {"school_type", schools[below(5)]},
          {"enrolled", often()},
          {"woongemeente", "Verzonnendam"}}},
        {"case", std::move(facts)},
        {"consents", std::move(consents)},
        {"documents", std::move(documents)},
        {"meeting",
         below(5) ? Json{{"kind", kinds[below(6)]},
                         {"at", format_instant(opened + std::chrono::hours(static_cast<std::int64_t>(below(24 * 60))))}}
                  : Json()},
        {"profile_overrides", below(4) == 0 ? overrides() : Json::object()}};
  }

  /// Switches of the region set otherwise: another option, turned, or a little more or less.
  Json overrides() {
    Json out = Json::object();
    for (const Json& part : {profile_.source()["base"], profile_.source()["region"]}) {
      if (!part.is_object() || !part.contains("settings")) continue;
      for (const auto& [name, setting] : part["settings"].items()) {
        if (below(4) != 0 || !setting.is_object() || !setting.contains("value")) continue;
        Json now = setting["value"];
        if (setting.contains("options"))
          now = setting["options"][below(setting["options"].size())];
        else if (now.is_boolean())
          now = !now.get<bool>();
        else if (now.is_number_integer())
          now = now.get<std::int64_t>() + static_cast<std::int64_t>(below(5)) - 2;
        else
          continue;
        out[name] = std::move(now);
        // What ingress would refuse is no case that can be.
        if (profile_.override_fault(out)) out.erase(name);
      }
    }
    overridden_ += out.empty() ? 0 : 1;
    return out;
  }
  /// Cases so far with a switch of their own.
  [[nodiscard]] int overridden() const { return overridden_; }

  /// `sent` are the ids of the messages before it; `name` makes the invoice numbers of this case its own.
  Message message(const std::string& name, std::int64_t seq, Instant at, const std::vector<std::string>& sent) {
    Message m;
    m.seq = seq;
    m.id = name + "/" + std::to_string(seq);
    m.subject = name;
    m.region = profile_.region();
    m.time = at;
    m.type = one_of(types_);
    m.sender_role = one_of(roles_);
    if (below(4) == 0)
      for (std::size_t n = 1 + below(4); n > 0; --n) m.addressed_to.push_back(one_of(roles_));
    const Vocabulary& v = profile_.vocabulary();
    Json p = Json::object();
    for (const Statement& s : v.statements(m.type))
      for (const std::string& field : s.fields)
        if (often())
          p[field] = v.at(s.slot).from == FactDef::From::document ? Json(below(3) ? "compleet" : "concept")
                                                                  : value(v.at(s.slot), s.slot);
    for (const auto& [slot, values] : compared_)
      if (v.at(slot).from == FactDef::From::payload && below(3) == 0) p[v.at(slot).field] = value(v.at(slot), slot);
    if (m.type == "documentlevering")
      p["documents"] = below(2) ? Json::array({"groeidocument"}) : Json::array({"groeidocument", "opp"});
    if (m.type == "link_geopend" && !sent.empty()) p["delivery"] = one_of(sent);
    if (m.type == "toestemming" || m.type == "toestemming_intrekking") {
      const char* givers[] = {"ouder_1", "ouder_2", "leerling", "voogd"};
      m.sender_role = givers[below(4)];
      p["purpose"] = below(2) ? "documents" : "external_invite";
      p["consent"] = m.sender_role + (below(2) ? "-documents" : ":documents");
    }
    if (m.type == "factuur" || m.type == "declaratie" || m.type == "creditnota" || m.type == "doorbelasting") {
      if (m.type == "factuur" || m.type == "creditnota")
        m.sender_role = "zorgaanbieder_billing";
      else
        m.sender_role = "schoolbestuur";
      const char* kinds[] = {"zorg", "onderwijs", "grijs", "gecombineerd"};
      p["number"] = name + "-" + std::to_string(below(4));
      p["credits"] = name + "-" + std::to_string(below(4));
      p["lines"] = Json::array({{{"kind", kinds[below(4)]}, {"cents", static_cast<std::int64_t>(below(100'000))}}});
      p["vat_cents"] = 0;
      p["minutes"] = static_cast<std::int64_t>(1 + below(600));
    }
    m.payload = std::move(p);
    return m;
  }

 private:
  void collect(const Condition& c) {
    for (const Condition& child : c.children) collect(child);
    if (c.slot < 0) return;
    auto& values = compared_[c.slot];
    for (const Operand& o : c.operands)
      if (o.setting.empty() && o.slot < 0 && !o.value.is_null())
        values.push_back(o.value);
      else if (!o.setting.empty()) {
        const Json& s = profile_.setting(o.setting, Json::object());
        if (s.is_array())
          values.insert(values.end(), s.begin(), s.end());
        else if (!s.is_null())
          values.push_back(s);
      }
  }
  Json value(const FactDef& d, int slot) {
    auto it = compared_.find(slot);
    const std::vector<Json> none;
    const std::vector<Json>& known = it == compared_.end() ? none : it->second;
    switch (d.type) {
      case FactType::boolean:
        return below(3) != 0;
      case FactType::integer: {
        std::int64_t around =
            !known.empty() && known[0].is_number_integer() ? known[below(known.size())].get<std::int64_t>() : 100;
        return around + static_cast<std::int64_t>(below(5)) - 2;
      }
      case FactType::date:
        return day().str();
      case FactType::text:
        return !known.empty() && often() ? known[below(known.size())] : Json("anders");
      case FactType::list: {
        Json out = Json::array();
        for (const Json& k : known)
          if (k.is_string() && often()) out.push_back(k);
        if (out.empty()) out.push_back("een");
        return out;
      }
      default:
        return Json::object();
    }
  }

  const Profile& profile_;
  std::mt19937_64 random_;
  int overridden_ = 0;
  std::map<int, std::vector<Json>> compared_;
  std::vector<std::string> roles_, types_;
};

}  // namespace schakel::rules_test
