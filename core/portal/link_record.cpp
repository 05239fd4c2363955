#include "core/portal/link_record.hpp"

namespace schakel::portal {
namespace {

Json at_or_null(const std::optional<Instant>& t) { return t ? Json(format_instant(*t)) : Json(); }

std::optional<Instant> read_at(const Json& j, const char* name) {
  auto it = j.find(name);
  if (it == j.end() || !it->is_string()) return std::nullopt;
  auto t = parse_instant(it->get<std::string>());
  return t ? std::optional(*t) : std::nullopt;
}

}  // namespace

Json LinkService::Record::to_json() const {
  return {{"hash", hash},
          {"delivery", delivery},
          {"message", message_id},
          {"case", case_id},
          {"role", role},
          {"workplace", workplace},
          {"sms", sms},
          {"generation", generation},
          {"sealed", sealed},
          {"created", format_instant(created)},
          {"tries", tries},
          {"code", code_mac},
          {"salt", code_salt},
          {"code_until", format_instant(code_until)},
          {"step", totp_step},
          {"rounds", rounds},
          {"day", day},
          {"expires", format_instant(expires)},
          {"session", session},
          {"locked", at_or_null(locked_until)},
          {"opened", at_or_null(opened)},
          {"downloads", downloads}};
}

Result<LinkService::Record> LinkService::Record::parse(const store::Row& row) {
  auto damaged = [] { return fail(ErrorKind::io, "LINK_DAMAGED", "a link row is damaged"); };
  auto j = parse_json(as_text(row.value));
  if (!j || !j->is_object()) return damaged();
  try {
    Record r;
    r.id = row.key;
    r.version = row.version;
    r.hash = j->value("hash", "");
    r.delivery = j->value("delivery", "");
    r.message_id = j->value("message", "");
    r.case_id = j->value("case", "");
    r.role = j->value("role", "");
    r.workplace = j->value("workplace", false);
    r.sms = j->value("sms", false);
    r.generation = j->value("generation", 0);
    r.sealed = j->value("sealed", "");
    r.tries = j->value("tries", 0);
    r.code_mac = j->value("code", "");
    r.code_salt = j->value("salt", "");
    r.totp_step = j->value("step", std::int64_t{0});
    r.rounds = j->value("rounds", 0);
    r.day = j->value("day", "");
    r.session = j->value("session", "");
    r.downloads = j->value("downloads", std::map<std::string, int>{});
    r.created = read_at(*j, "created").value_or(Instant{});
    r.expires = read_at(*j, "expires").value_or(Instant{});
    r.code_until = read_at(*j, "code_until").value_or(Instant{});
    r.locked_until = read_at(*j, "locked");
    r.opened = read_at(*j, "opened");
    if (r.hash.size() != 64) return damaged();
    return r;
  } catch (const Json::exception&) {
    return damaged();
  }
}

}  // namespace schakel::portal
