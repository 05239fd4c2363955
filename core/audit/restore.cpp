#include "core/audit/restore.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/audit/checkpoint.hpp"
#include "core/audit/leaf.hpp"
#include "core/audit/log_rows.hpp"
#include "core/base/hash.hpp"

namespace schakel::audit {
namespace fs = std::filesystem;

Task<Result<Accepted>> accept_restore(store::Store& store, fs::path heads_file, std::string by, std::string reason,
                                      Instant now) {
  std::ifstream in(heads_file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  auto notes = parse_heads(text);
  if (!notes) co_return fail(std::move(notes.error()));
  Accepted out;
  auto latest = co_await store.row(kSpace, kLatest);
  if (!latest) co_return fail(std::move(latest.error()));
  if (*latest) {
    auto own = parse_note(std::string((*latest)->value.begin(), (*latest)->value.end()));
    if (!own) co_return fail(std::move(own.error()));
    out.here = own->head.size;
  }
  bool fork = false;
  for (const auto& note : *notes) {
    auto head = parse_note(note);
    if (!head) co_return fail(std::move(head.error()));
    out.outside = std::max(out.outside, head->head.size);
    auto ours = co_await store.row(kSpace, head_key(head->head.size));
    if (!ours) co_return fail(std::move(ours.error()));
    if (!*ours) {
      fork = true;
      continue;
    }
    auto known = parse_note(std::string((*ours)->value.begin(), (*ours)->value.end()));
    if (!known || known->head.root != head->head.root) fork = true;
  }
  if (!fork)
    co_return fail(ErrorKind::conflict, "AUDIT_NO_FORK",
                   "the log in the store knows every head outside: there is nothing to accept");
  store::Transaction tx;
  tx.ops.push_back(leaf(now, "store.restored",
                        {.ids = {{"by", std::move(by)}},
                         .hashes = {{"reason", sha256(reason)}, {"last_head", sha256(notes->back())}},
                         .counts = {{"leaves", static_cast<std::int64_t>(out.here)},
                                    {"leaves_outside", static_cast<std::int64_t>(out.outside)}}}));
  auto done = co_await store.commit(std::move(tx));
  if (!done) co_return fail(std::move(done.error()));
  // Digits of the clock without signs that a file name does not take.
  auto moment = format_instant(now);
  std::erase_if(moment, [](char c) { return c == ':' || c == '-' || c == '.'; });
  auto kept = heads_file;
  kept.replace_filename(fmt::format("{}.before-restore-{}.jsonl", heads_file.stem().string(), moment));
  std::error_code ec;
  fs::rename(heads_file, kept, ec);
  if (ec) co_return fail(ErrorKind::io, "AUDIT_HEADS_FILE", "the file of heads cannot be set aside");
  out.kept = kept.string();
  co_return out;
}

}  // namespace schakel::audit
