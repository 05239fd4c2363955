// What stands around journal and pipeline in tests: a sealer without a vault, and a case without people.
#pragma once
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
    auto place = c + "|" + k + "|" + id;
    if (before_open) co_await before_open(k);
    if (erased.contains(place)) co_return fail(ErrorKind::not_found, "VAULT_ERASED", "erased");
    auto head = place + "\n";
    if (!as_text(sealed).starts_with(head)) co_return fail(ErrorKind::io, "VAULT_BROKEN", "moved");
    co_return Bytes(sealed.begin() + static_cast<std::ptrdiff_t>(head.size()), sealed.end());
  }
};

/// Nobody, unless the test names somebody.
class NoPeople final : public pipeline::Directory {
 public:
  std::vector<outbox::Contact> list;
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string) override { co_return list; }
  Task<Result<void>> extend(const Message&, const Draft&, store::Transaction&) override { co_return Result<void>{}; }
};

}  // namespace schakel::test
