#include "core/vault/participants.hpp"

#include "core/base/json.hpp"

namespace schakel::vault {
namespace {

bool has_control(std::string_view s) {
  return std::ranges::any_of(s, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool looks_like_mail(std::string_view s) {
  const auto at = s.find('@');
  return s.size() <= 254 && at != s.npos && at > 0 && at + 1 < s.size() && s.find('@', at + 1) == s.npos &&
         s.find_first_of(" ,;<>()\"\\") == s.npos;
}

bool looks_like_factor(std::string_view s) {
  if (s.starts_with("totp:")) return s.size() > 5 && s.size() <= 133 && s.find('/') == s.npos;
  if (!s.starts_with("sms:+")) return false;
  s.remove_prefix(5);
  return s.size() >= 8 && s.size() <= 15 && s.find_first_not_of("0123456789") == s.npos;
}

}  // namespace

Result<void> check_participant(const Participant& p) {
  if (auto r = check_id(p.case_id); !r) return r;
  if (auto r = check_id(p.person); !r) return r;
  if (p.role.empty() || p.role.size() > 100 || has_control(p.role) || has_control(p.person) || has_control(p.party))
    return fail(ErrorKind::invalid, "PARTICIPANT_ROLE", "role, person and party are plain codes");
  if (p.name.size() > 200 || has_control(p.name))
    return fail(ErrorKind::invalid, "PARTICIPANT_NAME", "the name has control characters or is too long");
  if (!p.mail.empty() && (has_control(p.mail) || !looks_like_mail(p.mail)))
    return fail(ErrorKind::invalid, "PARTICIPANT_MAIL", "not one plain mail address");
  if (!p.second_factor.empty() && (has_control(p.second_factor) || !looks_like_factor(p.second_factor)))
    return fail(ErrorKind::invalid, "PARTICIPANT_FACTOR", "a second factor is totp:<name> or sms:+<digits>");
  return {};
}

Task<Result<store::PutRow>> Participants::put(Participant p) {
  if (auto valid = check_participant(p); !valid) co_return fail(valid.error());
  const Json json{
      {"role", p.role}, {"name", p.name}, {"mail", p.mail}, {"second_factor", p.second_factor}, {"party", p.party}};
  auto sealed = co_await vault_.seal({p.case_id, "participant", p.person},
                                     to_bytes(json.dump(-1, ' ', false, Json::error_handler_t::replace)));
  if (!sealed) co_return fail(sealed.error());
  co_return store::PutRow{std::string(kParticipants), p.case_id + "/" + p.person, std::move(*sealed), std::nullopt};
}

Task<Result<Participant>> Participants::read(std::string case_id, std::string person, Bytes sealed) {
  auto plain = co_await vault_.open({case_id, "participant", person}, std::move(sealed));
  if (!plain) co_return fail(plain.error());
  auto json = parse_json(as_text(*plain));
  OPENSSL_cleanse(plain->data(), plain->size());
  if (!json || !json->is_object()) co_return fail(ErrorKind::io, "VAULT_TAMPERED", "a participant record is damaged");
  co_return Participant{case_id,
                        person,
                        json->value("role", ""),
                        json->value("name", ""),
                        json->value("mail", ""),
                        json->value("second_factor", ""),
                        json->value("party", "")};
}

Task<Result<std::vector<Participant>>> Participants::all(std::string case_id) {
  std::vector<Participant> out;
  if (auto valid = check_id(case_id); !valid) co_return fail(valid.error());
  const auto prefix = case_id + "/";
  auto rows = co_await store_.rows(std::string(kParticipants), prefix, "", 1000);
  if (!rows) co_return fail(rows.error());
  for (auto& r : *rows) {
    auto p = co_await read(case_id, r.key.substr(prefix.size()), std::move(r.value));
    if (!p) co_return fail(p.error());
    out.push_back(std::move(*p));
  }
  co_return out;
}

Task<Result<std::optional<Participant>>> Participants::by_person(std::string case_id, std::string person) {
  if (!check_id(case_id) || !check_id(person)) co_return std::optional<Participant>{};
  auto row = co_await store_.row(std::string(kParticipants), case_id + "/" + person);
  if (!row) co_return fail(row.error());
  if (!*row) co_return std::optional<Participant>{};
  auto p = co_await read(case_id, person, std::move((*row)->value));
  if (!p) co_return fail(p.error());
  co_return std::optional<Participant>(std::move(*p));
}

}  // namespace schakel::vault
