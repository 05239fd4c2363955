// Kills a writing process at any moment, again and again, and looks whether what it acknowledged is there, exactly once
// (trust.md DUR-2). Usage: store_kill9 [CYCLES] [SEED]; exit 0 when nothing was lost.
//
// The child accepts messages from sixteen callers and writes an id to the pipe only after commit() returned; a caller
// also sends half of its messages a second time. The parent kills it, opens the store itself and checks. It cannot show
// what only a power cut shows: the page cache outlives a process (see tests/unit/store/fault_test.cpp).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/run_shared.hpp"

namespace {

using namespace schakel;
using namespace schakel::store;

constexpr int kCallers = 16;
constexpr const char* kSource = "urn:nld:oin:00000001800000000000:systeem:kill9";

MessageRow message(std::uint32_t id) {
  MessageRow m;
  m.source = kSource;
  m.id = std::to_string(id);
  m.type = "documentlevering";
  m.lane = "case:" + std::to_string(id % 7);
  m.sealed.assign(200 + id % 3000, static_cast<std::uint8_t>(id));
  m.content_hash = sha256(m.id);
  return m;
}

SqliteOptions options() {
  SqliteOptions o;
  o.checkpoint_frames = 100;  // so that kills also meet checkpoints
  o.disk_use = [] { return Result<DiskUse>(DiskUse{1ULL << 40, 1ULL << 39}); };
  return o;
}

Task<void> caller(Store& store, std::uint32_t first, int pipe) {
  for (std::uint32_t id = first;; id += kCallers) {
    for (int copy = 0; copy < (id % 2 ? 2 : 1); ++copy) {
      Transaction t{{Accept{message(id)}, PutRow{"kill9", std::to_string(id), to_bytes("x"), 0},
                     AppendLeaf{{-1, {}, "kill9", std::to_string(id)}}}};
      auto r = co_await store.commit(std::move(t));
      if (!r) std::_Exit(3);
      if (::write(pipe, &id, sizeof id) != sizeof id) std::_Exit(4);
    }
  }
}

[[noreturn]] void child(const std::string& path, std::uint32_t base, int pipe) {
  SystemClock clock;
  auto store = SqliteStore::open(path, clock, options());
  if (!store) std::_Exit(2);
  boost::asio::io_context context(1);
  for (std::uint32_t i = 0; i < kCallers; ++i)
    boost::asio::co_spawn(context, caller(**store, base + i, pipe), [](std::exception_ptr) { std::_Exit(5); });
  context.run();
  std::_Exit(6);
}

int lost(const char* what, std::uint32_t id, int cycle) {
  std::fprintf(stderr, "FAILED in cycle %d: %s, id %u\n", cycle, what, id);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int cycles = argc > 1 ? std::atoi(argv[1]) : 50;
  const unsigned seed = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 20261122;
  std::mt19937 chance(seed);
  // The random folder keeps two runs apart; the seed makes the kills the same.
  auto folder = std::filesystem::temp_directory_path() / ("schakel-kill9-" + to_hex(random_bytes(8)));
  std::filesystem::create_directory(folder);
  auto path = (folder / "j.db").string();
  SystemClock clock;
  std::uint64_t total = 0, stored = 0;
  std::uint32_t base = 0;
  int result = 0;
  for (int cycle = 1; cycle <= cycles && result == 0; ++cycle) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return 2;
    auto pid = ::fork();
    if (pid < 0) return 2;
    if (pid == 0) {
      ::close(ends[0]);
      child(path, base, ends[1]);
    }
    ::close(ends[1]);
    // Kill after a number of acknowledgements plus a moment: sometimes during opening, mostly in the middle of a batch.
    std::set<std::uint32_t> acknowledged;
    auto quota = cycle % 10 == 0 ? 0 : 1 + chance() % 400;
    auto moment = static_cast<useconds_t>(chance() % 3000);
    std::uint32_t id = 0;
    std::uint64_t got = 0;
    while (got < quota && ::read(ends[0], &id, sizeof id) == sizeof id) {
      acknowledged.insert(id);
      ++got;
    }
    ::usleep(moment);
    ::kill(pid, SIGKILL);
    while (::read(ends[0], &id, sizeof id) == sizeof id) acknowledged.insert(id);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status))
      result = lost("the child ended by itself with status", static_cast<std::uint32_t>(WEXITSTATUS(status)), cycle);

    auto opened = SqliteStore::open(path, clock, options());
    if (!opened) {
      std::fprintf(stderr, "FAILED in cycle %d: the store does not open: %s\n", cycle, opened.error().code.c_str());
      result = 1;
      break;
    }
    auto& store = **opened;
    for (auto a : acknowledged) {
      auto m = test::run_shared(store.find_message(kSource, std::to_string(a)));
      if (!m || !*m || (*m)->sealed != message(a).sealed) result = lost("acknowledged and not there", a, cycle);
      auto row = test::run_shared(store.row("kill9", std::to_string(a)));
      if (!row || !*row || (*row)->version != 1) result = lost("effect without its row, or twice", a, cycle);
    }
    // All or nothing: as many leaves as messages, also for what was never acknowledged.
    auto stats = test::run_shared(store.stats());
    if (!stats || stats->leaves != stats->messages) result = lost("messages and leaves differ in number", 0, cycle);
    if (stats) stored = static_cast<std::uint64_t>(stats->messages);
    if (cycle == cycles || cycle % 100 == 0) {
      auto report = test::run_shared(store.integrity(), std::chrono::seconds(300));
      if (!report || !report->corrupt.empty()) result = lost("the store is damaged", 0, cycle);
    }
    store.close();
    total += acknowledged.size();
    base += 1'000'000;
  }
  std::filesystem::remove_all(folder);
  std::printf("%s: %d kills, %llu acknowledged, %llu stored, seed %u\n", result ? "FAILED" : "ok", cycles,
              static_cast<unsigned long long>(total), static_cast<unsigned long long>(stored), seed);
  return result;
}
