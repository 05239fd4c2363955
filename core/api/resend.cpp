#include "core/api/resend.hpp"

#include "core/journal/members.hpp"
#include "core/outbox/delivery_row.hpp"
#include "core/outbox/reach.hpp"

namespace schakel::api {
namespace {

std::unexpected<Error> nobody_yet(std::string code) {
  const char* why = code == "PARTY_AMBIGUOUS"
                        ? "several parties have this role and the case does not say which: name the target (doel)"
                        : "nobody is known for this role: add the deelnemer or endpoint, or name the target (doel)";
  return fail(ErrorKind::conflict, std::move(code), why);
}

/// What the choice of a recipient looks at.
struct KnownToday {
  CaseFile file;
  std::vector<outbox::Contact> contacts;
  std::vector<std::string> members;
};

Task<Result<KnownToday>> known_today(Services& s, std::string case_id) {
  KnownToday out;
  auto file = co_await s.journal.load(case_id);
  if (!file) co_return fail(std::move(file.error()));
  out.file = std::move(*file);
  if (case_id.empty()) co_return out;
  auto people = co_await s.participants.all(case_id);
  if (!people) co_return fail(std::move(people.error()));
  for (const auto& p : *people) out.contacts.push_back({p.person, p.role, p.mail, p.second_factor});
  auto members = co_await journal::members(s.store, *s.parties, std::move(case_id));
  if (!members) co_return fail(std::move(members.error()));
  out.members = std::move(*members);
  co_return out;
}

/// The id of the delivery to one more person of the same role: the same however often it is asked.
std::string id_for(const std::string& delivery, const std::string& person) {
  auto h = sha256(delivery + "\n" + person);
  return "A-" + to_letters(ByteView(h).first(16));
}

}  // namespace

Task<Result<void>> readdress(Services& s, store::DeliveryRow row, std::string wanted, store::ChangeDelivery& change,
                             store::Transaction& with) {
  const auto through = wanted.empty() ? row.target : wanted;
  // Whom an invoice is for is settled with its document, at the attempt (core/delivery/attempt.hpp).
  if (row.kind == "invoice" && !through.empty()) co_return Result<void>{};
  auto plain = co_await s.journal.sealer().open(row.case_id, "delivery", row.id, std::move(row.sealed));
  if (!plain) co_return fail(std::move(plain.error()));
  auto record = Json::parse(plain->begin(), plain->end(), nullptr, false);
  if (!record.is_object())
    co_return fail(ErrorKind::internal, "STORE_CORRUPT_ROW", "what a delivery holds is no object");
  auto planned = outbox::Planned::from_json(record);
  const auto person = planned.address.value("person", "");
  if (row.kind == "invoice" && planned.desk.empty())
    co_return nobody_yet(planned.code.empty() ? "RECIPIENT_UNKNOWN" : planned.code);
  // An endpoint stays what it was, and so does what a person sends elsewhere.
  if (planned.address.contains("party") || (!person.empty() && through != row.target)) co_return Result<void>{};

  auto known = co_await known_today(s, row.case_id);
  if (!known) co_return fail(std::move(known.error()));
  const auto region = record.value("region", "");
  const auto* desk = planned.desk.empty() ? nullptr : s.parties->find(planned.desk);
  const outbox::ReachInput in{planned.role, planned.kind,    region,         known->file,
                              *s.parties,   known->contacts, known->members, desk};
  outbox::Reach found;
  if (!planned.desk.empty() && !desk)
    found.code = "RECIPIENT_UNKNOWN";  // it was of one party, which is no party any more
  else
    found = through.empty() ? outbox::reach(in) : outbox::reach_through(in, through);
  if (!person.empty()) std::erase_if(found.places, [&](const outbox::Place& p) { return p.person != person; });
  if (found.places.empty()) {
    if (through.empty()) co_return nobody_yet(found.code);
    co_return Result<void>{};
  }

  const auto& first = found.places.front();
  change.target = first.target;
  if (first.address != planned.address || first.target != planned.target) {
    record["target"] = first.target;
    record["address"] = first.address;
    auto sealed = co_await s.journal.sealer().seal(row.case_id, "delivery", row.id, to_bytes(dump_json(record)), with);
    if (!sealed) co_return fail(std::move(sealed.error()));
    change.sealed = std::move(*sealed);
  }
  if (auto party = first.address.value("party", ""); !party.empty() && !row.case_id.empty())
    with.ops.push_back(journal::member(row.case_id, party));
  const outbox::Origin from{row.message, record.value("message_id", ""), row.case_id, region,
                            row.lane.substr(0, row.lane.find('|'))};
  for (std::size_t i = 1; i < found.places.size(); ++i) {
    auto other = planned;
    other.id = id_for(row.id, found.places[i].person);
    other.target = found.places[i].target;
    other.address = found.places[i].address;
    auto queued = co_await outbox::enqueue(s.journal.sealer(), other, from, s.clock.now(), with);
    if (!queued) co_return fail(std::move(queued.error()));
  }
  co_return Result<void>{};
}

}  // namespace schakel::api
