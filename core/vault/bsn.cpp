#include "core/vault/bsn.hpp"

#include "core/base/json.hpp"

namespace schakel::vault {
namespace {

/// Nine digits, so that "12345678" and "012345678" are one number. Held in a Secret all the way.
Secret nine(const Secret& bsn) {
  if (bsn.reveal().size() != 8) return bsn.clone();
  Bytes b{'0'};
  b.insert(b.end(), bsn.reveal().begin(), bsn.reveal().end());
  return Secret(std::move(b));
}

}  // namespace

bool is_bsn(std::string_view digits) {
  if (digits.size() != 8 && digits.size() != 9) return false;
  int sum = 0, weight = static_cast<int>(digits.size());
  bool any = false;
  for (char c : digits) {
    if (c < '0' || c > '9') return false;
    any = any || c != '0';
    sum += (c - '0') * (weight == 1 ? -1 : weight);
    --weight;
  }
  return any && sum % 11 == 0;
}

std::string Bsn::index_key(const Secret& bsn) const { return to_hex(vault_.mac("bsn index", bsn.reveal())); }

Task<Result<std::vector<store::Op>>> Bsn::put(std::string case_id, const Secret& bsn) {
  if (auto valid = check_id(case_id); !valid) co_return fail(valid.error());
  if (!is_bsn(bsn.reveal_text())) co_return fail(ErrorKind::invalid, "BSN_INVALID", "not a citizen service number");
  const auto number = nine(bsn);
  const auto index = index_key(number);
  auto holder = co_await store_.row(std::string(kBsnIndex), index);
  if (!holder) co_return fail(holder.error());
  if (*holder && as_text((*holder)->value) != case_id)
    co_return fail(ErrorKind::conflict, "BSN_OTHER_CASE", "this number belongs to another case");
  auto own = co_await store_.row(std::string(kBsn), case_id);
  if (!own) co_return fail(own.error());
  std::vector<store::Op> ops;
  if (*own) {
    auto json = parse_json(as_text((*own)->value));
    if (!json || json->value("index", "") != index)
      co_return fail(ErrorKind::conflict, "BSN_CHANGED", "this case has another number");
    co_return ops;
  }
  auto sealed = co_await vault_.seal({case_id, "bsn", case_id}, Bytes(number.reveal().begin(), number.reveal().end()));
  if (!sealed) co_return fail(sealed.error());
  ops.push_back(store::PutRow{std::string(kBsn), case_id,
                              to_bytes(dump_json(Json{{"index", index}, {"sealed", to_base64(*sealed)}})), 0});
  ops.push_back(store::PutRow{std::string(kBsnIndex), index, to_bytes(case_id), 0});
  co_return ops;
}

Task<Result<std::optional<std::string>>> Bsn::case_of(const Secret& bsn) {
  if (!is_bsn(bsn.reveal_text())) co_return std::optional<std::string>{};
  auto row = co_await store_.row(std::string(kBsnIndex), index_key(nine(bsn)));
  if (!row) co_return fail(row.error());
  if (!*row) co_return std::optional<std::string>{};
  co_return std::optional<std::string>(as_text((*row)->value));
}

Task<Result<std::vector<std::optional<std::string>>>> Bsn::cases_of(std::vector<Secret> bsns) {
  std::vector<std::string> keys;
  keys.reserve(bsns.size());
  // What is no BSN has no row under its own key either: nothing is put there but by put().
  for (const auto& bsn : bsns) keys.push_back(is_bsn(bsn.reveal_text()) ? index_key(nine(bsn)) : std::string());
  auto rows = co_await store_.rows_at(std::string(kBsnIndex), std::move(keys));
  if (!rows) co_return fail(std::move(rows.error()));
  std::vector<std::optional<std::string>> out;
  out.reserve(rows->size());
  for (const auto& row : *rows)
    out.push_back(row ? std::optional(std::string(as_text(row->value))) : std::optional<std::string>{});
  co_return out;
}

Task<Result<Secret>> Bsn::release(std::string case_id, std::string reason, bool allowed) {
  if (!allowed)
    co_return fail(ErrorKind::forbidden, "BSN_NOT_ALLOWED", "the profile of this party has no basis for a BSN");
  const bool plain_reason = reason.size() >= 3 && reason.size() <= 64 &&
                            reason.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == reason.npos;
  if (!plain_reason) co_return fail(ErrorKind::invalid, "BSN_REASON", "a release needs a reason code");
  auto row = co_await store_.row(std::string(kBsn), case_id);
  if (!row) co_return fail(row.error());
  if (!*row) co_return fail(ErrorKind::not_found, "BSN_UNKNOWN", "no BSN is held for this case");
  auto json = parse_json(as_text((*row)->value));
  auto sealed = json && json->contains("sealed") && (*json)["sealed"].is_string()
                    ? from_base64((*json)["sealed"].get<std::string>())
                    : Result<Bytes>(fail(ErrorKind::io, "VAULT_TAMPERED", "a BSN row is damaged"));
  if (!sealed) co_return fail(sealed.error());
  auto plain = co_await vault_.open({case_id, "bsn", case_id}, std::move(*sealed));
  if (!plain) co_return fail(plain.error());
  co_return Secret(std::move(*plain));
}

}  // namespace schakel::vault
