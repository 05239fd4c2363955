#include "core/audit/sequencer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "core/audit/log_rows.hpp"

namespace schakel::audit {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

}  // namespace

Sequencer::Sequencer(store::Store& store, const Clock& clock, Signer signer, SequencerOptions options)
    : store_(store), clock_(clock), signer_(std::move(signer)), options_(std::move(options)) {}

std::unexpected<Error> Sequencer::halt(std::string code, std::string message) {
  halted_ = Error{ErrorKind::internal, std::move(code), std::move(message), {}};
  return fail(*halted_);
}

Task<Result<void>> Sequencer::start() {
  if (halted_) co_return fail(*halted_);
  signed_at_ = clock_.now();
  auto latest = co_await store_.row(kSpace, kLatest);
  if (!latest) co_return fail(latest.error());
  auto tree = co_await store_.row(kSpace, kTree);
  if (!tree) co_return fail(tree.error());
  if (*latest) {
    latest_ = as_text((*latest)->value);
    latest_version_ = (*latest)->version;
    auto head = verifier().open(latest_);
    if (!head) co_return halt("AUDIT_HEAD_SIGNATURE", "the stored head is not signed by this key");
    auto stored = Tree::from_text(*tree ? as_text((*tree)->value) : std::string_view{});
    if (!stored || stored->size() != head->size || stored->root() != head->root)
      co_return halt("AUDIT_TREE", "the stored tree is not the one that was signed");
    signed_tree_ = *stored;
    signed_at_ = head->at;
    if (auto rest = head->size % kTile) {
      auto tile = co_await store_.row(kSpace, tile_key(head->size / kTile));
      if (!tile) co_return fail(tile.error());
      if (*tile) open_tile_ = tile_hashes((*tile)->value);
      if (open_tile_.size() != rest) co_return halt("AUDIT_TREE", "the last tile does not fit the tree");
    }
  }
  tree_ = signed_tree_;

  if (!options_.heads_path.empty()) {
    auto outside = parse_heads(read_file(options_.heads_path));
    if (!outside) co_return halt("AUDIT_HEADS_FILE", outside.error().message);
    // The last ones show a restored backup; all of them are held against the log by verify.
    constexpr std::size_t kLast = 100;
    if (outside->size() > kLast) outside->erase(outside->begin(), outside->end() - kLast);
    std::uint64_t last = 0;
    for (const auto& note : *outside) {
      auto head = verifier().open(note);
      if (!head) co_return halt("AUDIT_HEAD_SIGNATURE", "a head outside is not signed by this key");
      if (head->size > signed_tree_.size())
        co_return halt("AUDIT_FORK", "the store is older than a head outside: was a backup restored?");
      auto ours = co_await store_.row(kSpace, head_key(head->size));
      if (!ours) co_return fail(ours.error());
      if (!*ours) co_return halt("AUDIT_FORK", "the store does not know a head outside");
      auto own = verifier().open(as_text((*ours)->value));
      if (!own || own->root != head->root)
        co_return halt("AUDIT_FORK", "the store tells another history than a head outside");
      last = std::max(last, head->size);
    }
    // A crash between the store and the file leaves the file one head behind.
    if (!latest_.empty() && last < signed_tree_.size()) unwritten_.push_back(latest_);
    if (auto ok = append_heads(); !ok) co_return fail(std::move(ok.error()));
  }
  started_ = true;
  co_return Result<void>{};
}

Task<Result<Sequencer::Tick>> Sequencer::tick() { return step(false); }

Task<Result<Sequencer::Tick>> Sequencer::flush() {
  Tick all;
  for (;;) {
    auto one = co_await step(true);
    if (!one) co_return fail(std::move(one.error()));
    all.sequenced += one->sequenced;
    if (one->head) all.head = std::move(one->head);
    if (!one->more) break;
  }
  co_return all;
}

Task<Result<Sequencer::Tick>> Sequencer::step(bool sign_now) {
  if (halted_) co_return fail(*halted_);
  if (!started_) co_return fail(ErrorKind::internal, "AUDIT_NOT_STARTED", "start() comes first");
  Tick tick;
  store::Transaction give_places{{store::SequenceLeaves{options_.batch}}};
  auto placed = co_await store_.commit(std::move(give_places));
  if (!placed) co_return fail(std::move(placed.error()));
  auto read = co_await read_new_leaves(tick);
  if (!read) co_return fail(std::move(read.error()));
  tick.more = placed->sequenced >= options_.batch;

  bool news = tree_.size() > signed_tree_.size();
  bool due = (sign_now && !tick.more) || tree_.size() - signed_tree_.size() >= options_.every_leaves ||
             clock_.now() - signed_at_ >= options_.every;
  if (news && due) {
    auto note = co_await sign();
    if (!note) co_return fail(std::move(note.error()));
    tick.head = std::move(*note);
  }
  if (auto ok = append_heads(); !ok) co_return fail(std::move(ok.error()));
  co_return tick;
}

Task<Result<void>> Sequencer::read_new_leaves(Tick& tick) {
  for (;;) {
    auto page = co_await store_.leaves(static_cast<std::int64_t>(tree_.size()), options_.batch);
    if (!page) co_return fail(std::move(page.error()));
    for (const auto& leaf : *page) {
      if (leaf.position != static_cast<std::int64_t>(tree_.size()))
        co_return halt("AUDIT_GAP", fmt::format("position {} follows {} leaves", leaf.position, tree_.size()));
      auto hash = leaf_hash(leaf.body);
      tree_.append(hash);
      pending_.push_back(hash);
      ++tick.sequenced;
    }
    if (static_cast<int>(page->size()) < options_.batch) co_return Result<void>{};
  }
}

Task<Result<std::string>> Sequencer::sign() {
  // Read back and hash again what the first reading gave (AUD-2): a bit that flipped in between is seen before it is
  // signed.
  Tree again = signed_tree_;
  const auto first = signed_tree_.size();
  while (again.size() < tree_.size()) {
    auto want = std::min<std::uint64_t>(tree_.size() - again.size(), static_cast<std::uint64_t>(options_.batch));
    auto page = co_await store_.leaves(static_cast<std::int64_t>(again.size()), static_cast<int>(want));
    if (!page) co_return fail(std::move(page.error()));
    if (page->size() != want) co_return halt("AUDIT_REHASH", fmt::format("leaves after {} are gone", again.size()));
    for (const auto& leaf : *page) {
      auto hash = leaf_hash(leaf.body);
      if (leaf.position != static_cast<std::int64_t>(again.size()) || hash != pending_[again.size() - first])
        co_return halt("AUDIT_REHASH", fmt::format("leaf {} is not the one that was read before", again.size()));
      again.append(hash);
    }
  }
  if (again.root() != tree_.root()) co_return halt("AUDIT_REHASH", "two readings give two trees");

  auto note = signer_.sign({verifier().name(), tree_.size(), tree_.root(), clock_.now()});
  store::Transaction t;
  t.ops.push_back(store::PutRow{kSpace, kLatest, to_bytes(note), latest_version_});
  t.ops.push_back(store::PutRow{kSpace, kTree, to_bytes(tree_.to_text()), {}});
  t.ops.push_back(store::PutRow{kSpace, head_key(tree_.size()), to_bytes(note), 0});
  auto tile = open_tile_;
  auto number = first / kTile;
  for (std::size_t i = 0; i <= pending_.size(); ++i) {
    if (tile.size() == kTile || (i == pending_.size() && !tile.empty())) {
      Bytes value;
      for (const auto& hash : tile) value.insert(value.end(), hash.begin(), hash.end());
      t.ops.push_back(store::PutRow{kSpace, tile_key(number), std::move(value), {}});
      if (tile.size() == kTile) {
        tile.clear();
        ++number;
      }
    }
    if (i < pending_.size()) tile.push_back(pending_[i]);
  }
  auto stored = co_await store_.commit(std::move(t));
  if (!stored && stored.error().kind == ErrorKind::conflict)
    co_return halt("AUDIT_CONFLICT", "another sequencer signs this log");
  if (!stored) co_return fail(std::move(stored.error()));

  ++latest_version_;
  latest_ = note;
  signed_tree_ = tree_;
  signed_at_ = clock_.now();
  pending_.clear();
  open_tile_ = std::move(tile);
  unwritten_.push_back(note);
  if (options_.on_head) options_.on_head(note);
  co_return note;
}

Result<void> Sequencer::append_heads() {
  if (options_.heads_path.empty()) unwritten_.clear();
  if (unwritten_.empty()) return {};
  auto failed = [] {
    return fail(ErrorKind::unavailable, "AUDIT_HEADS_FILE", "a head could not be written outside the database");
  };
  int fd = ::open(options_.heads_path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed();
  // A line that a crash cut short is ended, so that the next one stands alone; start() passed it over.
  std::string text;
  auto size = ::lseek(fd, 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n') {
    auto whole = read_file(options_.heads_path);
    auto keep = whole.rfind('\n');
    if (::ftruncate(fd, keep == std::string::npos ? 0 : static_cast<off_t>(keep + 1)) != 0) {
      ::close(fd);
      return failed();
    }
  }
  for (const auto& note : unwritten_) text += head_line(note);
  bool ok = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!ok) return failed();
  unwritten_.clear();
  return {};
}

}  // namespace schakel::audit
