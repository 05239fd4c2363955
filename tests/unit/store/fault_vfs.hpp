// A SQLite VFS over the operating system's that fails chosen calls and records what would be on disk after a power cut.
//
// The real files always hold what the page cache would hold; the record tells which of it was flushed. So a killed
// process is a closed store on the same files, and a power cut is an image made from the record.
#pragma once
#include <sqlite3.h>

#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"

namespace schakel::test {

class FaultVfs {
 public:
  enum class Call { write, sync, truncate, remove, read, open, shm };
  enum class Fault { io_error, disk_full, short_write };
  struct Event {
    enum class Kind { write, sync, truncate, remove, mark } kind;
    std::string file;  ///< last part of its name
    std::int64_t offset = 0;
    Bytes data{};
    std::string mark{};
  };

  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

  /// The nth call from now on that changes files (`reads` false) or reads, opens or maps (`reads` true) fails; with
  /// `sticky` every later one of them too. With `file` only calls on files whose name ends so, and `only_sync` only
  /// flushes.
  struct Plan {
    int nth = 0;
    Fault fault = Fault::io_error;
    bool sticky = false;
    bool reads = false;
    std::string file{};
    bool only_sync = false;
  };
  void arm(Plan plan);
  void disarm();
  [[nodiscard]] bool fired() const;
  [[nodiscard]] Call failed_call() const;
  /// Calls that changed files after the first failure.
  [[nodiscard]] int changes_after_failure() const;

  /// Notes a moment, such as an acknowledgement, between the calls.
  void mark(std::string text);
  [[nodiscard]] std::vector<Event> events() const;

  /// Internal: whether this call is to fail. Called by the file methods.
  bool fails(Call call, const std::string& file);
  void record(Event event);
  [[nodiscard]] Fault fault() const;

 private:
  mutable std::mutex mutex_;
  std::string name_;
  sqlite3_vfs vfs_{};
  Plan plan_{};
  int calls_ = 0;
  bool fired_ = false;
  Call failed_call_ = Call::read;
  int after_ = 0;
  std::vector<Event> events_;
};

/// What reached the disk of the first `cut` events: all that was flushed, and of the rest `keep` (0 nothing, 1
/// everything in order, 2 any sectors of 512 bytes in any order and any truncation or removal, by chance).
std::map<std::string, Bytes> disk_after_cut(const std::vector<FaultVfs::Event>& events, std::size_t cut, int keep,
                                            std::mt19937& chance);

}  // namespace schakel::test
