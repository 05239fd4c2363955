#include "core/portal/authenticators.hpp"

#include <fmt/format.h>

#include "core/audit/leaf.hpp"
#include "core/portal/totp.hpp"

namespace schakel::portal {
namespace {

/// What every app can read: SHA-1 and six digits (RFC 4226 asks for 160 bits).
constexpr std::size_t kSeedBytes = 20;

Result<void> check_app_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
  if (good) return {};
  return fail(ErrorKind::invalid, "AUTHENTICATOR_NAME", "a name is 1 to 64 of a-z, 0-9, '.', '_' and '-'");
}

store::AppendLeaf app_leaf(Instant at, std::string_view kind, const std::string& name, std::int64_t uid) {
  return audit::leaf(at, kind, {.ids = {{"authenticator", name}}, .counts = {{"uid", uid}}});
}

}  // namespace

Task<Result<std::string>> Authenticators::enrol(std::string name, bool replace, std::int64_t uid) {
  if (auto valid = check_app_name(name); !valid) co_return fail(valid.error());
  const Secret seed(random_bytes(kSeedBytes));
  auto row = co_await vault_.put_secret(std::string(kTotp) + name, seed.clone());
  if (!row) co_return fail(row.error());
  if (!replace) row->expect_version = 0;
  store::Transaction t;
  t.ops.push_back(std::move(*row));
  t.ops.push_back(app_leaf(clock_.now(), replace ? "authenticator.replaced" : "authenticator.enrolled", name, uid));
  auto done = co_await store_.commit(std::move(t));
  if (!done && done.error().kind == ErrorKind::conflict)
    co_return fail(ErrorKind::conflict, "AUTHENTICATOR_EXISTS", "there is an authenticator app of this name");
  if (!done) co_return fail(done.error());
  co_return fmt::format("otpauth://totp/Schakel:{}?secret={}&issuer=Schakel&algorithm=SHA1&digits={}&period=30", name,
                        to_base32(seed.reveal()), totp_profile(seed.reveal()).digits);
}

Task<Result<void>> Authenticators::remove(std::string name, std::int64_t uid) {
  auto there = co_await known(std::string(kTotp) + name);
  if (!there) co_return fail(there.error());
  if (!*there)
    co_return fail(ErrorKind::not_found, "AUTHENTICATOR_UNKNOWN", "there is no authenticator app of this name");
  store::Transaction t;
  t.ops.push_back(store::EraseRow{std::string(vault::kSecrets), std::string(kTotp) + name, std::nullopt});
  t.ops.push_back(app_leaf(clock_.now(), "authenticator.removed", name, uid));
  auto done = co_await store_.commit(std::move(t));
  if (!done) co_return fail(done.error());
  co_return Result<void>{};
}

Task<Result<bool>> Authenticators::known(std::string factor) {
  if (!factor.starts_with(kTotp) || !check_app_name(std::string_view(factor).substr(kTotp.size()))) co_return false;
  auto row = co_await store_.row(std::string(vault::kSecrets), factor);
  if (!row) co_return fail(row.error());
  co_return row->has_value();
}

Task<Result<std::vector<std::string>>> Authenticators::names() {
  std::vector<std::string> out;
  for (std::string after;;) {
    auto rows = co_await store_.rows(std::string(vault::kSecrets), std::string(kTotp), after, 500);
    if (!rows) co_return fail(rows.error());
    for (const auto& r : *rows) out.push_back(r.key.substr(kTotp.size()));
    if (rows->size() < 500) co_return out;
    after = rows->back().key;
  }
}

}  // namespace schakel::portal
