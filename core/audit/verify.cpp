#include "core/audit/verify.hpp"

#include <algorithm>

#include "core/audit/log_rows.hpp"
#include "core/base/json.hpp"

namespace schakel::audit {
namespace {

constexpr std::size_t kMaxBreaks = 100;
constexpr int kPage = 1000;
constexpr JsonLimits kLineLimits{1024 * 1024, 8, 1024 * 1024};

bool form_fits(const store::LeafRow& leaf) {
  auto body = parse_json(leaf.body);
  if (!body || !body->is_object() || !body->contains("at") || !body->contains("kind")) return false;
  return (*body)["at"] == format_instant(leaf.at) && (*body)["kind"] == leaf.kind && dump_json(*body) == leaf.body;
}

}  // namespace

LogCheck::LogCheck(const Verifier& key, const std::vector<std::string>& outside) : key_(key) {
  for (const auto& note : outside) add_head(note, true);
}

void LogCheck::add_own_head(std::string_view note) { add_head(note, false); }

void LogCheck::add_head(std::string_view note, bool outside) {
  auto head = key_.open(note);
  if (head)
    heads_.push_back({*head, outside});
  else
    add_break("AUDIT_HEAD_SIGNATURE", heads_.size(), heads_.size());
}

void LogCheck::add_break(std::string code, std::uint64_t from, std::uint64_t to) {
  if (report_.breaks.size() < kMaxBreaks) report_.breaks.push_back({std::move(code), from, to});
}

void LogCheck::compare_heads() {
  if (!sorted_) {
    // Heads from outside first among equals: they are the ones that count.
    std::ranges::sort(heads_, [](const Head& a, const Head& b) {
      return a.head.size != b.head.size ? a.head.size < b.head.size : a.outside && !b.outside;
    });
    std::uint64_t before = 0;  // the size of the head before this one
    for (std::size_t i = 1; i < heads_.size(); ++i) {
      const auto &one = heads_[i - 1].head, &other = heads_[i].head;
      if (one.size < other.size)
        before = one.size;
      else if (one.root != other.root)
        add_break("AUDIT_FORKED_HEADS", before, other.size ? other.size - 1 : 0);
    }
    sorted_ = true;
  }
  if (next_head_ >= heads_.size() || heads_[next_head_].head.size > tree_.size()) return;
  auto root = tree_.root();
  for (; next_head_ < heads_.size() && heads_[next_head_].head.size <= tree_.size(); ++next_head_) {
    const auto& h = heads_[next_head_];
    ++report_.heads_checked;
    if (h.head.size < tree_.size()) continue;
    if (h.head.root == root) {
      good_ = h.head.size;
      if (h.outside && !root_broken_) report_.anchored = std::max(report_.anchored, h.head.size);
    } else if (!root_broken_) {
      // Later heads cover the same damage; the first one that differs says where it lies.
      root_broken_ = true;
      add_break("AUDIT_ROOT", good_, h.head.size - 1);
    }
  }
}

void LogCheck::add_leaf(const store::LeafRow& leaf, const std::optional<Digest>& recorded_hash) {
  compare_heads();  // of size 0
  if (leaf.position > expected_)
    add_break("AUDIT_GAP", static_cast<std::uint64_t>(expected_), static_cast<std::uint64_t>(leaf.position - 1));
  if (leaf.position < expected_)
    add_break("AUDIT_ORDER", static_cast<std::uint64_t>(std::max<std::int64_t>(leaf.position, 0)),
              static_cast<std::uint64_t>(expected_ - 1));
  expected_ = std::max(expected_, leaf.position + 1);
  auto at = static_cast<std::uint64_t>(std::max<std::int64_t>(leaf.position, 0));
  auto hash = leaf_hash(leaf.body);
  if (recorded_hash && *recorded_hash != hash) add_break("AUDIT_LEAF_ALTERED", at, at);
  if (!form_fits(leaf)) add_break("AUDIT_LEAF_FORM", at, at);
  tree_.append(hash);
  ++report_.leaves;
  compare_heads();
}

Report LogCheck::finish() {
  compare_heads();
  if (next_head_ < heads_.size()) {
    auto covered = heads_.back().head.size;
    report_.heads_checked += heads_.size() - next_head_;
    add_break("AUDIT_TRUNCATED", tree_.size(), covered - 1);
  }
  return std::move(report_);
}

namespace {

/// One line of an export after the first. False when it is not one.
bool take_line(LogCheck& check, const std::string& text) {
  auto json = parse_json(text, kLineLimits);
  if (!json || !json->is_object()) return false;
  auto word = [&](const char* name) -> std::optional<std::string> {
    auto at = json->find(name);
    if (at == json->end() || !at->is_string()) return std::nullopt;
    return at->get<std::string>();
  };
  if (auto head = word("head")) {
    check.add_own_head(*head);
    return true;
  }
  auto at = word("at"), kind = word("kind"), body = word("body");
  auto p = json->find("p");
  if (!at || !kind || !body || p == json->end() || !p->is_number_integer() || p->get<std::int64_t>() < 0 ||
      p->get<std::int64_t>() > (std::int64_t{1} << 62))
    return false;
  auto instant = parse_instant(*at);
  if (!instant) return false;
  std::optional<Digest> hash;
  if (auto h = word("h")) {
    auto bytes = from_hex(*h);
    if (!bytes || bytes->size() != 32) return false;
    std::memcpy(hash.emplace().data(), bytes->data(), 32);
  }
  check.add_leaf({p->get<std::int64_t>(), *instant, std::move(*kind), std::move(*body)}, hash);
  return true;
}

}  // namespace

Report verify_export(std::istream& in, const std::vector<std::string>& outside, const Verifier& key) {
  LogCheck check(key, outside);
  std::string line;
  std::uint64_t number = 0;
  while (std::getline(in, line)) {
    ++number;
    bool ok = number == 1 ? line == "{\"schakel-audit-export\":1}" : take_line(check, line);
    if (!ok) check.add_break("AUDIT_EXPORT_FORMAT", number, number);
  }
  if (number == 0) check.add_break("AUDIT_EXPORT_FORMAT", 1, 1);
  return check.finish();
}

Task<Result<Report>> verify_store(store::Store& store, const std::vector<std::string>& outside, const Verifier& key) {
  LogCheck check(key, outside);
  std::string after;
  for (;;) {
    auto page = co_await store.rows(kSpace, "head/", after, kPage);
    if (!page) co_return fail(std::move(page.error()));
    if (page->empty()) break;
    after = page->back().key;
    for (const auto& row : *page) check.add_own_head(as_text(row.value));
  }
  TileReader tiles(store);
  std::int64_t next = 0;
  int size = kPage;
  for (;;) {
    auto page = co_await store.leaves(next, size);
    if (!page && page.error().code == "STORE_CORRUPT_ROW") {
      // One at a time up to the damaged row, which is named; what comes after it cannot be judged.
      if (size > 1) {
        size = 1;
        continue;
      }
      check.add_break("AUDIT_ROW_DAMAGED", static_cast<std::uint64_t>(next), static_cast<std::uint64_t>(next));
      co_return check.finish();
    }
    if (!page) co_return fail(std::move(page.error()));
    if (page->empty()) break;
    for (const auto& leaf : *page) {
      auto hash = co_await tiles.at(static_cast<std::uint64_t>(leaf.position));
      if (!hash) co_return fail(std::move(hash.error()));
      check.add_leaf(leaf, *hash);
      next = leaf.position + 1;
    }
  }
  co_return check.finish();
}

}  // namespace schakel::audit
