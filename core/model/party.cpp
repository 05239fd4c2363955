#include "core/model/party.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schakel {
namespace {

bool covers(const std::vector<std::string>& list, std::string_view value) {
  return std::ranges::any_of(list, [&](const auto& s) { return s == "*" || s == value; });
}

/// Collects findings while it reads fields of known names.
struct Reader {
  std::vector<Finding> findings;

  void unknown(const Json& j, const std::string& at, std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : j.items())
      if (std::ranges::find(known, key) == known.end())
        findings.push_back({at + "/" + key, "UNKNOWN_FIELD", "this field is not known", ""});
  }
  std::string text(const Json& j, const char* name, const std::string& at, bool required = false) {
    if (!j.contains(name)) {
      if (required) findings.push_back({at + "/" + name, "REQUIRED", "this field is required", ""});
      return {};
    }
    if (!j[name].is_string()) {
      findings.push_back({at + "/" + name, "TYPE", "must be text", ""});
      return {};
    }
    return j[name];
  }
  bool flag(const Json& j, const char* name, const std::string& at) {
    if (!j.contains(name)) return false;
    if (!j[name].is_boolean()) findings.push_back({at + "/" + name, "TYPE", "must be true or false", ""});
    return j[name].is_boolean() && j[name].get<bool>();
  }
  std::vector<std::string> list(const Json& j, const char* name, const std::string& at) {
    std::vector<std::string> out;
    if (!j.contains(name)) return out;
    if (!j[name].is_array())
      findings.push_back({at + "/" + name, "TYPE", "must be a list of texts", ""});
    else
      for (const auto& v : j[name]) {
        if (v.is_string())
          out.push_back(v);
        else
          findings.push_back({at + "/" + name, "TYPE", "must be a list of texts", ""});
      }
    return out;
  }
};

InvoiceIdentity read_invoice(Reader& r, const Json& j, const std::string& at) {
  r.unknown(j, at,
            {"payer_role", "name", "oin", "kvk", "vat_number", "iban", "street", "city", "postcode", "mail",
             "buyer_reference", "vat_category"});
  InvoiceIdentity v;
  v.payer_role = r.text(j, "payer_role", at, true);
  v.name = r.text(j, "name", at, true);
  v.oin = r.text(j, "oin", at);
  v.kvk = r.text(j, "kvk", at);
  v.vat_number = r.text(j, "vat_number", at);
  v.iban = r.text(j, "iban", at);
  v.street = r.text(j, "street", at);
  v.city = r.text(j, "city", at);
  v.postcode = r.text(j, "postcode", at);
  v.mail = r.text(j, "mail", at);
  v.buyer_reference = r.text(j, "buyer_reference", at);
  if (auto c = r.text(j, "vat_category", at); !c.empty())
    v.vat_category = c;
  else if (!v.vat_number.empty())
    // O would take the VAT off every invoice that is passed on in its name (CORE-MONEY-05).
    r.findings.push_back({at + "/vat_category", "REQUIRED",
                          "with a vat_number say what this seller charges: O (outside the scope), E (exempt) or S",
                          "CORE-MONEY-05"});
  if (v.oin.empty() && v.kvk.empty())
    r.findings.push_back({at, "REQUIRED", "oin or kvk is required for e-invoices", "BR-NL-1"});
  return v;
}

Party read_party(Reader& r, const Json& j, const std::string& at) {
  if (!j.is_object()) {
    r.findings.push_back({at, "TYPE", "must be an object", ""});
    return {};
  }
  r.unknown(j, at,
            {"id", "name", "oin", "scope", "domain", "may_supply_bsn", "may_receive_bsn", "certificates", "sources",
             "may_send", "may_override", "endpoints", "invoice", "serves", "rate_per_minute"});
  Party p;
  p.id = r.text(j, "id", at, true);
  p.name = r.text(j, "name", at, true);
  p.oin = r.text(j, "oin", at);
  if (!p.oin.empty() && !valid_oin(p.oin))
    r.findings.push_back({at + "/oin", "OIN_FORMAT", "not a valid OIN", "Digikoppeling OIN"});
  p.domain = r.text(j, "domain", at, true);
  if (p.domain != "care" && p.domain != "education")
    r.findings.push_back({at + "/domain", "VALUE", "must be care or education", ""});
  if (auto scope = r.text(j, "scope", at); !scope.empty()) p.scope = scope;
  if (p.scope != "own" && p.scope != "region")
    r.findings.push_back({at + "/scope", "VALUE", "must be own or region", ""});
  p.may_supply_bsn = r.flag(j, "may_supply_bsn", at);
  p.may_receive_bsn = r.flag(j, "may_receive_bsn", at);
  if (p.may_receive_bsn && p.domain != "care")
    r.findings.push_back(
        {at + "/may_receive_bsn", "BSN_DOMAIN", "a BSN is never released towards the education domain", "Q-46"});
  p.sources = r.list(j, "sources", at);
  p.may_override = r.list(j, "may_override", at);
  if (j.contains("rate_per_minute") && j["rate_per_minute"].is_number_integer())
    p.rate_per_minute = j["rate_per_minute"];
  const Json none = Json::array();
  for (const char* list : {"certificates", "may_send", "endpoints"})
    if (j.contains(list) &&
        (!j[list].is_array() || !std::ranges::all_of(j[list], [](const Json& v) { return v.is_object(); }))) {
      r.findings.push_back({at + "/" + list, "TYPE", "must be a list of objects", ""});
      return p;
    }
  for (const auto& c : j.contains("certificates") && j["certificates"].is_array() ? j["certificates"] : none) {
    r.unknown(c, at + "/certificates", {"oin", "san", "spki_sha256"});
    if (auto v = r.text(c, "oin", at + "/certificates"); !v.empty()) p.certificate_oins.push_back(v);
    if (auto v = r.text(c, "san", at + "/certificates"); !v.empty()) p.certificate_sans.push_back(v);
    if (auto v = r.text(c, "spki_sha256", at + "/certificates"); !v.empty()) p.certificate_spki.push_back(v);
  }
  for (const auto& g : j.contains("may_send") && j["may_send"].is_array() ? j["may_send"] : none) {
    r.unknown(g, at + "/may_send", {"roles", "types", "regions"});
    p.may_send.push_back({r.list(g, "roles", at + "/may_send"), r.list(g, "types", at + "/may_send"),
                          r.list(g, "regions", at + "/may_send")});
  }
  if (j.contains("rate_per_minute") && !j["rate_per_minute"].is_number_integer())
    r.findings.push_back({at + "/rate_per_minute", "TYPE", "must be a whole number", ""});
  for (const auto& e : j.contains("endpoints") ? j["endpoints"] : none) {
    if (e.contains("address") && !e["address"].is_object()) {
      r.findings.push_back({at + "/endpoints/address", "TYPE", "must be an object", ""});
      continue;
    }
    r.unknown(e, at + "/endpoints", {"roles", "regions", "kinds", "adapter", "address"});
    p.endpoints.push_back({r.list(e, "roles", at + "/endpoints"), r.list(e, "regions", at + "/endpoints"),
                           r.list(e, "kinds", at + "/endpoints"), r.text(e, "adapter", at + "/endpoints", true),
                           e.value("address", Json::object())});
  }
  if (j.contains("invoice")) p.invoice = read_invoice(r, j["invoice"], at + "/invoice");
  if (j.contains("serves")) {
    if (j["serves"].is_object()) {
      r.unknown(j["serves"], at + "/serves", {"gemeenten", "schools"});
      p.serves_gemeenten = r.list(j["serves"], "gemeenten", at + "/serves");
      p.serves_schools = r.list(j["serves"], "schools", at + "/serves");
    } else {
      r.findings.push_back({at + "/serves", "TYPE", "must be an object", ""});
    }
  }
  return p;
}

}  // namespace

bool valid_oin(std::string_view t) {
  if (t.size() != 20 || t.substr(17) != "000") return false;
  for (std::size_t i = 0; i < 17; ++i) {
    bool digit = t[i] >= '0' && t[i] <= '9';
    if (!digit && (i < 8 || t[i] < 'A' || t[i] > 'Z')) return false;
  }
  return true;
}

Result<Parties> Parties::read(const Json& config) {
  Parties out;
  Reader r;
  if (!config.is_object() || !config.contains("parties") || !config["parties"].is_array())
    return fail(ErrorKind::invalid, "PARTIES_INVALID", "parties must be a list",
                {{"/parties", "REQUIRED", "this field is required", ""}});
  std::map<std::string, std::string> seen;
  for (std::size_t i = 0; i < config["parties"].size(); ++i) {
    auto at = fmt::format("/parties/{}", i);
    auto p = read_party(r, config["parties"][i], at);
    auto once = [&](const std::string& key, const char* what) {
      if (auto [it, added] = seen.emplace(key, p.id); !added)
        r.findings.push_back({at, "DOUBLE", fmt::format("{} is used twice", what), ""});
    };
    once("id:" + p.id, "this id");
    for (const auto& c : p.certificate_oins) once("oin:" + c, "a certificate OIN");
    for (const auto& c : p.certificate_sans) once("san:" + c, "a certificate SAN");
    for (const auto& c : p.certificate_spki) once("spki:" + c, "a certificate pin");
    out.parties_.push_back(std::move(p));
  }
  if (!r.findings.empty())
    return fail(ErrorKind::invalid, "PARTIES_INVALID", "the parties file has errors", std::move(r.findings));
  std::map<std::string, std::string> reached_at;
  for (const auto& p : out.parties_) {
    if (!p.serves_gemeenten.empty() || !p.serves_schools.empty()) out.members_matter_ = true;
    for (const auto& e : p.endpoints)
      for (const auto& role : e.roles)
        if (reached_at.emplace(role, p.id).first->second != p.id) out.members_matter_ = true;
  }
  return out;
}

std::string Parties::not_its_own(const Party& party, const Json& overrides) {
  if (!overrides.is_object()) return {};
  auto may = [&](const std::string& name) {
    return std::ranges::any_of(
        party.may_override, [&](const std::string& m) { return m == "*" || name == m || name.starts_with(m + "."); });
  };
  // Nested and dotted names are the same: a group is looked into unless it is allowed as it is.
  std::vector<std::pair<std::string, const Json*>> open;
  for (const auto& [name, value] : overrides.items()) open.emplace_back(name, &value);
  for (std::size_t i = 0; i < open.size(); ++i) {
    auto [name, value] = open[i];
    if (may(name)) continue;
    bool group =
        value->is_object() && !value->empty() &&
        std::ranges::any_of(party.may_override, [&](const std::string& m) { return m.starts_with(name + "."); });
    if (!group) return name;
    for (const auto& [key, part] : value->items()) open.emplace_back(name + "." + key, &part);
  }
  return {};
}

const Party* Parties::identify(const CertificateFacts& facts) const {
  auto unique = [&](auto&& matches) -> const Party* {
    const Party* found = nullptr;
    for (const auto& p : parties_) {
      if (!matches(p)) continue;
      if (found) return nullptr;
      found = &p;
    }
    return found;
  };
  // A party with pins is known by its pins only: another certificate with the same OIN is not it.
  if (!facts.spki_sha256.empty())
    if (auto* p = unique([&](const Party& q) {
          return std::ranges::find(q.certificate_spki, facts.spki_sha256) != q.certificate_spki.end();
        }))
      return p;
  return unique([&](const Party& p) {
    if (!p.certificate_spki.empty()) return false;
    if (!facts.oin.empty() && std::ranges::find(p.certificate_oins, facts.oin) != p.certificate_oins.end()) return true;
    return std::ranges::any_of(facts.sans, [&](const auto& s) {
      return std::ranges::find(p.certificate_sans, s) != p.certificate_sans.end();
    });
  });
}

const Party* Parties::find(std::string_view id) const {
  for (const auto& p : parties_)
    if (p.id == id) return &p;
  return nullptr;
}

bool Parties::may_send(const Party& party, std::string_view role, std::string_view type, std::string_view region) {
  return std::ranges::any_of(party.may_send, [&](const Grant& g) {
    return covers(g.roles, role) && covers(g.types, type) && covers(g.regions, region);
  });
}

bool Parties::may_send_type(const Party& party, std::string_view type) {
  return std::ranges::any_of(party.may_send, [&](const Grant& g) { return covers(g.types, type); });
}

namespace {
bool says(const std::vector<std::string>& list, const std::string& what) {
  return !what.empty() && std::ranges::find(list, what) != list.end();
}
bool serves(const Party& p, const CaseHints& hints) {
  return says(p.serves_gemeenten, hints.woongemeente) || says(p.serves_schools, hints.school);
}
/// It says whom it serves, and this case is none of theirs.
bool serves_others(const Party& p, const CaseHints& hints) {
  bool comparable = (!p.serves_gemeenten.empty() && !hints.woongemeente.empty()) ||
                    (!p.serves_schools.empty() && !hints.school.empty());
  return comparable && !serves(p, hints);
}
}  // namespace

Desk Parties::desk(std::string_view role, std::string_view region, std::string_view kind, const CaseHints& hints,
                   std::span<const std::string> members) const {
  auto member = [&](const Desk& d) { return std::ranges::find(members, d.party->id) != members.end(); };
  auto candidates = [&](auto&& names) {
    std::vector<Desk> out;
    for (const auto& p : parties_)
      for (const auto& e : p.endpoints)
        if (names(e) && covers(e.regions, region) && (e.kinds.empty() || covers(e.kinds, kind))) {
          out.push_back({&p, &e});
          break;
        }
    return out;
  };
  auto named = [](std::string_view wanted) {
    return [wanted](const Endpoint& e) { return std::ranges::find(e.roles, wanted) != e.roles.end(); };
  };
  auto any = candidates(named(role));
  if (any.empty()) any = candidates(named(role.substr(0, role.find_first_of("@:"))));
  if (any.empty()) any = candidates(named("*"));
  std::erase_if(any, [&](const Desk& d) { return serves_others(*d.party, hints) && !member(d); });
  // A narrower choice counts where it leaves somebody.
  auto narrow = [&](auto&& keep) {
    auto kept = any;
    std::erase_if(kept, [&](const Desk& d) { return !keep(d); });
    if (!kept.empty()) any = std::move(kept);
  };
  if (any.size() > 1) narrow([&](const Desk& d) { return serves(*d.party, hints); });
  if (any.size() > 1) narrow(member);
  if (any.empty()) return {};
  if (any.size() > 1) return {nullptr, nullptr, "PARTY_AMBIGUOUS"};
  return any.front();
}

const Endpoint* Parties::endpoint_of(const Party& party, std::string_view role, std::string_view region,
                                     std::string_view kind) {
  for (auto wanted : {role, role.substr(0, role.find_first_of("@:"))})
    for (const auto& e : party.endpoints)
      if (covers(e.roles, wanted) && covers(e.regions, region) && (e.kinds.empty() || covers(e.kinds, kind))) return &e;
  return nullptr;
}

std::vector<const Party*> Parties::invoice_parties(std::string_view payer_role, std::string_view region) const {
  std::vector<const Party*> out;
  for (const auto& p : parties_)
    if (p.invoice && p.invoice->payer_role == payer_role &&
        (std::ranges::any_of(p.may_send, [&](const Grant& g) { return covers(g.regions, region); }) ||
         std::ranges::any_of(p.endpoints, [&](const Endpoint& e) { return covers(e.regions, region); })))
      out.push_back(&p);
  return out;
}

PartyChoice Parties::invoice_party(std::string_view payer_role, std::string_view region, const CaseHints& hints) const {
  auto all = invoice_parties(payer_role, region);
  if (!hints.named.empty()) {
    auto it = std::ranges::find(all, hints.named, &Party::id);
    if (it != all.end()) return {*it, ""};
    return {nullptr, "PARTY_MISNAMED"};
  }
  if (all.empty()) return {nullptr, ""};
  // The only one is meant, unless it says that it serves others than this case's.
  if (all.size() == 1 && !serves_others(*all.front(), hints)) return {all.front(), ""};
  std::erase_if(all, [&](const Party* p) { return !serves(*p, hints); });
  if (all.size() == 1) return {all.front(), ""};
  return {nullptr, "PARTY_AMBIGUOUS"};
}

}  // namespace schakel
