#include "core/outbox/reach.hpp"

#include <optional>

#include "core/outbox/invoice_parties.hpp"

namespace schakel::outbox {
namespace {

std::string bare(std::string_view role) { return std::string(role.substr(0, role.find_first_of("@:"))); }

/// The payer whose finance desk this role is; empty for any other role.
std::string payer_of(const std::string& role) {
  if (role == "gemeente_financien") return "gemeente";
  if (role == "swv_financien") return "swv";
  return role == "schoolbestuur" ? role : "";
}

std::optional<Place> endpoint_at(const ReachInput& in, const Party& party) {
  const auto* endpoint = Parties::endpoint_of(party, in.role, in.region, in.kind);
  if (!endpoint) return std::nullopt;
  Place place;
  place.target = endpoint->adapter;
  place.address = endpoint->address;
  place.address["party"] = party.id;
  return place;
}

Reach only(Place place) {
  Reach out;
  out.places.push_back(std::move(place));
  return out;
}

Reach nobody(std::string code) {
  Reach out;
  out.code = std::move(code);
  return out;
}

/// The role of the two parents together reaches each of them.
Reach people(const ReachInput& in) {
  Reach out;
  for (const auto& c : in.contacts) {
    if (c.role != in.role && c.role != bare(in.role)) continue;
    Place place;
    place.target = kSecureLink;
    place.address = {{"mail", c.mail}, {"second_factor", c.second_factor}, {"person", c.person}};
    place.person = c.person;
    out.places.push_back(std::move(place));
  }
  if (out.places.empty()) out.code = "RECIPIENT_UNKNOWN";
  return out;
}

}  // namespace

Reach reach(const ReachInput& in) {
  const Party* party = in.party;
  auto payer = payer_of(bare(in.role));
  if (!party && !payer.empty()) {
    auto choice = in.parties.invoice_party(payer, in.region, hints_of(in.file, payer));
    if (!choice.code.empty()) return nobody(choice.code);
    party = choice.party;
  }
  if (party) {
    // What is of one party, such as a word to who sent a message, is of no other.
    if (auto place = endpoint_at(in, *party)) return only(std::move(*place));
  } else {
    auto desk = in.parties.desk(in.role, in.region, in.kind, hints_of(in.file.pupil), in.members);
    if (!desk.code.empty()) return nobody(desk.code);
    if (desk.party)
      if (auto place = endpoint_at(in, *desk.party)) return only(std::move(*place));
  }
  return people(in);
}

Reach reach_through(const ReachInput& in, std::string_view target) {
  auto meant = reach(in);
  std::erase_if(meant.places, [&](const Place& p) { return p.target != target; });
  if (!meant.places.empty()) return meant;
  if (target == kSecureLink) return people(in);
  Reach out = nobody("RECIPIENT_UNKNOWN");
  for (const auto& party : in.parties.all()) {
    auto place = endpoint_at(in, party);
    if (!place || place->target != target) continue;
    if (!out.places.empty()) return nobody("PARTY_AMBIGUOUS");
    out = only(std::move(*place));
  }
  return out;
}

}  // namespace schakel::outbox
