#include "core/pipeline/rule_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base/hash.hpp"
#include "core/store/row_json.hpp"

namespace schakel::pipeline {
namespace {

/// Sorts as the instants do.
std::string rs_key(Instant at) { return fmt::format("{:020}", at.time_since_epoch().count()); }

Result<InForce> rs_in_force(const store::Row& row) {
  auto corrupt = [] { return fail(ErrorKind::internal, "STORE_CORRUPT_ROW", "a row says no rules of an instant"); };
  auto j = store::object_in(row);
  if (!j) return fail(std::move(j.error()));
  std::int64_t since = 0;
  auto [end, ec] = std::from_chars(row.key.data(), row.key.data() + row.key.size(), since);
  auto regions = j->find("regions"), parties = j->find("parties");
  if (ec != std::errc() || end != row.key.data() + row.key.size() || regions == j->end() || !regions->is_object() ||
      parties == j->end() || !parties->is_string())
    return corrupt();
  InForce out{Instant{milliseconds{since}}, {}, parties->get<std::string>()};
  for (const auto& [code, version] : regions->items()) {
    if (!version.is_string()) return corrupt();
    out.regions.emplace(code, version.get<std::string>());
  }
  return out;
}

}  // namespace

Task<Result<std::vector<store::Op>>> RuleStore::keep(std::shared_ptr<const Profile> profile) {
  std::vector<store::Op> ops;
  if (kept_.contains(profile->version())) co_return ops;
  auto row = co_await store_.row(std::string(kRuleSpace), profile->version());
  if (!row) co_return fail(std::move(row.error()));
  if (*row) {
    kept_.insert(profile->version());
    co_return ops;
  }
  // Two lanes may write it at once: it is the same content, and content is what the version names.
  ops.push_back(
      store::PutRow{std::string(kRuleSpace), profile->version(), to_bytes(dump_json(profile->source())), std::nullopt});
  co_return ops;
}

Task<Result<std::shared_ptr<const Profile>>> RuleStore::version(std::string version) {
  auto it = std::ranges::find(cache_, version, [](const auto& p) { return p->version(); });
  if (it != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, it);
    co_return cache_.front();
  }
  auto row = co_await store_.row(std::string(kRuleSpace), version);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return fail(ErrorKind::not_found, "RULES_UNKNOWN", "the rule data of this version was not kept");
  auto source = store::object_in(**row);
  if (!source) co_return fail(std::move(source.error()));
  auto profile = Profile::from_source(*source);
  if (!profile) co_return fail(std::move(profile.error()));
  // Rule data that no longer read as the version they are kept under are not the rules of that decision.
  if ((*profile)->version() != version)
    co_return fail(ErrorKind::not_found, "RULES_CHANGED", "the kept rule data do not read as this version any more");
  cache_.push_front(std::move(*profile));
  if (cache_.size() > kCached) cache_.pop_back();
  co_return cache_.front();
}

Task<Result<void>> RuleStore::in_force_now(const Profiles& profiles, const Json& parties, Instant now) {
  store::Transaction tx;
  Json entry{{"regions", Json::object()}, {"parties", ""}};
  for (const auto& [code, profile] : profiles) {
    entry["regions"][code] = profile->version();
    auto ops = co_await keep(profile);
    if (!ops) co_return fail(std::move(ops.error()));
    tx.ops.insert(tx.ops.end(), ops->begin(), ops->end());
  }
  if (!parties.is_null()) {
    auto text = dump_json(parties);
    auto hash = sha256_hex(text);
    entry["parties"] = hash;
    auto known = co_await store_.row(std::string(kPartySpace), hash);
    if (!known) co_return fail(std::move(known.error()));
    if (!*known) tx.ops.push_back(store::PutRow{std::string(kPartySpace), hash, to_bytes(text), std::nullopt});
  }
  auto last = co_await in_force_at(now);
  if (!last) co_return fail(std::move(last.error()));
  auto same = *last && entry["regions"] == Json((*last)->regions) && entry["parties"] == Json((*last)->parties);
  if (!same)
    tx.ops.push_back(store::PutRow{std::string(kInForceSpace), rs_key(now), to_bytes(dump_json(entry)), std::nullopt});
  if (tx.ops.empty()) co_return Result<void>{};
  auto done = co_await store_.commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  for (const auto& [code, profile] : profiles) kept_.insert(profile->version());
  co_return Result<void>{};
}

Task<Result<std::optional<InForce>>> RuleStore::in_force_at(Instant at) {
  std::optional<InForce> found;
  std::string after;
  for (;;) {
    auto rows = co_await store_.rows(std::string(kInForceSpace), "", after, 500);
    if (!rows) co_return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      if (row.key > rs_key(at)) co_return found;
      auto read = rs_in_force(row);
      if (!read) co_return fail(std::move(read.error()));
      found = std::move(*read);
    }
    if (rows->size() < 500) co_return found;
    after = rows->back().key;
  }
}

Task<Result<std::optional<Json>>> RuleStore::parties(std::string hash) {
  auto row = co_await store_.row(std::string(kPartySpace), std::move(hash));
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return std::optional<Json>{};
  auto known = store::object_in(**row);
  if (!known) co_return fail(std::move(known.error()));
  co_return std::optional<Json>(std::move(*known));
}

}  // namespace schakel::pipeline
