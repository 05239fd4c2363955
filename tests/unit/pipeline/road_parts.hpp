// What stands around journal and pipeline in tests: a sealer without a vault, and a case without people.
#pragma once
#include <fmt/format.h>

#include <functional>
#include <set>

#include "core/pipeline/pipeline.hpp"

namespace schakel::test {

/// Bytes as they are, but bound to their place; what was erased cannot be opened, as with the vault.
class OpenSealer final : public journal::Sealer {
 public:
  std::set<std::string> erased;                                    ///< <case>|<kind>|<id>
  std::function<Task<void>(const std::string& kind)> before_open;  ///< holds a reader up
  Task<Result<Bytes>> seal(std::string c, std::string k, std::string id, Bytes plain, store::Transaction&) override {
    auto out = to_bytes(c + "|" + k + "|" + id + "\n");
    out.insert(out.end(), plain.begin(), plain.end());
    co_return out;
  }
  Task<Result<Bytes>> open(std::string c, std::string k, std::string id, Bytes sealed) override {
    if (before_open) co_await before_open(k);
    co_return opened(c, k, id, sealed);
  }
  Task<Result<journal::Opener>> opener(std::string c) override {
    co_return journal::Opener(
        [this, c](std::string_view k, std::string_view id, ByteView sealed) { return opened(c, k, id, sealed); });
  }

 private:
  [[nodiscard]] Result<Bytes> opened(const std::string& c, std::string_view k, std::string_view id,
                                     ByteView sealed) const {
    auto place = fmt::format("{}|{}|{}", c, k, id);
    if (erased.contains(place)) return fail(ErrorKind::not_found, "VAULT_ERASED", "erased");
    auto head = place + "\n";
    if (!as_text(sealed).starts_with(head)) return fail(ErrorKind::io, "VAULT_BROKEN", "moved");
    return Bytes(sealed.begin() + static_cast<std::ptrdiff_t>(head.size()), sealed.end());
  }
};

/// A message of a procesregisseur in a case of KNH.
inline Message road_message(std::string id, Json payload = Json::object(), std::vector<std::string> to = {}) {
  Message m;
  m.id = std::move(id);
  m.source = "s";
  m.type = "intern_overleg";
  m.subject = "Z-1";
  m.region = "KNH";
  m.party = "p";
  m.sender_role = "procesregisseur";
  m.addressed_to = std::move(to);
  m.payload = std::move(payload);
  return m;
}

/// Nobody, unless the test names somebody.
class NoPeople final : public pipeline::Directory {
 public:
  std::vector<outbox::Contact> list;
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string) override { co_return list; }
  Task<Result<void>> extend(const Message&, const Draft&, store::Transaction&) override { co_return Result<void>{}; }
};

}  // namespace schakel::test
