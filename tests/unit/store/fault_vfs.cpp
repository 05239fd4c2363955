#include "tests/unit/store/fault_vfs.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <optional>

namespace schakel::test {
namespace {

struct File {
  sqlite3_file base;
  FaultVfs* owner;
  std::string* name;
  // The real file follows.
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File* self(sqlite3_file* f) { return reinterpret_cast<File*>(f); }
sqlite3_file* real(sqlite3_file* f) { return self(f)->real(); }
const sqlite3_io_methods* methods(sqlite3_file* f) { return real(f)->pMethods; }
sqlite3_vfs* below(sqlite3_vfs* v) { return static_cast<FaultVfs*>(v->pAppData) ? sqlite3_vfs_find("unix") : nullptr; }
FaultVfs& owner(sqlite3_vfs* v) { return *static_cast<FaultVfs*>(v->pAppData); }

std::string last_part(const char* path) {
  std::string s = path ? path : "temp";
  return s.substr(s.rfind('/') + 1);
}

int x_close(sqlite3_file* f) {
  int rc = methods(f)->xClose(real(f));
  delete self(f)->name;
  return rc;
}
int x_read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  if (self(f)->owner->fails(FaultVfs::Call::read, *self(f)->name)) return SQLITE_IOERR_READ;
  return methods(f)->xRead(real(f), out, n, at);
}
int x_write(sqlite3_file* f, const void* in, int n, sqlite3_int64 at) {
  auto& o = *self(f)->owner;
  if (o.fails(FaultVfs::Call::write, *self(f)->name)) {
    if (o.fault() == FaultVfs::Fault::disk_full) return SQLITE_FULL;
    if (o.fault() == FaultVfs::Fault::short_write) methods(f)->xWrite(real(f), in, n / 2, at);
    return SQLITE_IOERR_WRITE;
  }
  const auto* p = static_cast<const std::uint8_t*>(in);
  o.record({FaultVfs::Event::Kind::write, *self(f)->name, at, Bytes(p, p + n)});
  return methods(f)->xWrite(real(f), in, n, at);
}
int x_truncate(sqlite3_file* f, sqlite3_int64 size) {
  auto& o = *self(f)->owner;
  if (o.fails(FaultVfs::Call::truncate, *self(f)->name)) return SQLITE_IOERR_TRUNCATE;
  o.record({FaultVfs::Event::Kind::truncate, *self(f)->name, size});
  return methods(f)->xTruncate(real(f), size);
}
int x_sync(sqlite3_file* f, int) {
  auto& o = *self(f)->owner;
  // The page cache keeps what was written; the record does not learn of a flush. So the next one would "succeed"
  // (finding F5).
  if (o.fails(FaultVfs::Call::sync, *self(f)->name)) return SQLITE_IOERR_FSYNC;
  o.record({FaultVfs::Event::Kind::sync, *self(f)->name});
  return SQLITE_OK;  // nothing to gain from a real flush here
}
int x_size(sqlite3_file* f, sqlite3_int64* n) { return methods(f)->xFileSize(real(f), n); }
int x_lock(sqlite3_file* f, int l) { return methods(f)->xLock(real(f), l); }
int x_unlock(sqlite3_file* f, int l) { return methods(f)->xUnlock(real(f), l); }
int x_check(sqlite3_file* f, int* out) { return methods(f)->xCheckReservedLock(real(f), out); }
int x_control(sqlite3_file* f, int op, void* arg) { return methods(f)->xFileControl(real(f), op, arg); }
int x_sector(sqlite3_file* f) { return methods(f)->xSectorSize(real(f)); }
int x_device(sqlite3_file* f) { return methods(f)->xDeviceCharacteristics(real(f)); }
int x_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  if (self(f)->owner->fails(FaultVfs::Call::shm, *self(f)->name)) return SQLITE_IOERR_SHMMAP;
  return methods(f)->xShmMap(real(f), page, size, extend, out);
}
int x_shm_lock(sqlite3_file* f, int a, int b, int c) { return methods(f)->xShmLock(real(f), a, b, c); }
void x_shm_barrier(sqlite3_file* f) { methods(f)->xShmBarrier(real(f)); }
int x_shm_unmap(sqlite3_file* f, int d) { return methods(f)->xShmUnmap(real(f), d); }

// Version 2: without memory-mapped reads, which the store does not use.
const sqlite3_io_methods kMethods{2,          x_close,       x_read,      x_write,   x_truncate, x_sync,   x_size,
                                  x_lock,     x_unlock,      x_check,     x_control, x_sector,   x_device, x_shm_map,
                                  x_shm_lock, x_shm_barrier, x_shm_unmap, nullptr,   nullptr};

int v_open(sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out) {
  f->pMethods = nullptr;
  auto short_name = last_part(name);
  if (owner(v).fails(FaultVfs::Call::open, short_name)) return SQLITE_CANTOPEN;
  int rc = below(v)->xOpen(below(v), name, reinterpret_cast<File*>(f)->real(), flags, out);
  if (rc != SQLITE_OK) return rc;
  self(f)->owner = &owner(v);
  self(f)->name = new std::string(short_name);
  f->pMethods = &kMethods;
  return SQLITE_OK;
}
int v_delete(sqlite3_vfs* v, const char* name, int sync) {
  if (owner(v).fails(FaultVfs::Call::remove, last_part(name))) return SQLITE_IOERR_DELETE;
  owner(v).record({FaultVfs::Event::Kind::remove, last_part(name)});
  return below(v)->xDelete(below(v), name, sync);
}
int v_access(sqlite3_vfs* v, const char* n, int f, int* o) { return below(v)->xAccess(below(v), n, f, o); }
int v_full(sqlite3_vfs* v, const char* n, int s, char* o) { return below(v)->xFullPathname(below(v), n, s, o); }
int v_random(sqlite3_vfs* v, int n, char* o) { return below(v)->xRandomness(below(v), n, o); }
int v_sleep(sqlite3_vfs* v, int us) { return below(v)->xSleep(below(v), us); }
int v_time(sqlite3_vfs* v, double* t) { return below(v)->xCurrentTime(below(v), t); }
int v_time64(sqlite3_vfs* v, sqlite3_int64* t) { return below(v)->xCurrentTimeInt64(below(v), t); }
int v_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

FaultVfs::FaultVfs() {
  static std::atomic<int> number{0};
  name_ = "fault" + std::to_string(++number);
  auto* unix_vfs = sqlite3_vfs_find("unix");
  vfs_.iVersion = 2;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + unix_vfs->szOsFile;
  vfs_.mxPathname = unix_vfs->mxPathname;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = v_open;
  vfs_.xDelete = v_delete;
  vfs_.xAccess = v_access;
  vfs_.xFullPathname = v_full;
  vfs_.xRandomness = v_random;
  vfs_.xSleep = v_sleep;
  vfs_.xCurrentTime = v_time;
  vfs_.xCurrentTimeInt64 = v_time64;
  vfs_.xGetLastError = v_error;
  sqlite3_vfs_register(&vfs_, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }

void FaultVfs::arm(Plan plan) {
  std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  calls_ = 0;
  fired_ = false;
  after_ = 0;
}

void FaultVfs::disarm() {
  std::lock_guard lock(mutex_);
  plan_ = {};
}

bool FaultVfs::fired() const {
  std::lock_guard lock(mutex_);
  return fired_;
}

FaultVfs::Call FaultVfs::failed_call() const {
  std::lock_guard lock(mutex_);
  return failed_call_;
}

int FaultVfs::changes_after_failure() const {
  std::lock_guard lock(mutex_);
  return after_;
}

FaultVfs::Fault FaultVfs::fault() const {
  std::lock_guard lock(mutex_);
  return plan_.fault;
}

bool FaultVfs::fails(Call call, const std::string& file) {
  std::lock_guard lock(mutex_);
  bool reads = call == Call::read || call == Call::open || call == Call::shm;
  if (fired_ && !reads) ++after_;
  if (plan_.nth == 0 || reads != plan_.reads || !file.ends_with(plan_.file) || (plan_.only_sync && call != Call::sync))
    return false;
  // A full disk and a short write are things that happen to writes.
  if (plan_.fault != Fault::io_error && call != Call::write) return false;
  ++calls_;
  if (calls_ != plan_.nth && !(plan_.sticky && fired_)) return false;
  if (!fired_) failed_call_ = call;
  fired_ = true;
  return true;
}

void FaultVfs::record(Event event) {
  std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
}

void FaultVfs::mark(std::string text) { record({Event::Kind::mark, "", 0, {}, std::move(text)}); }

std::vector<FaultVfs::Event> FaultVfs::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

std::map<std::string, Bytes> disk_after_cut(const std::vector<FaultVfs::Event>& events, std::size_t cut, int keep,
                                            std::mt19937& chance) {
  using Kind = FaultVfs::Event::Kind;
  std::map<std::string, std::optional<Bytes>> disk;
  std::map<std::string, std::vector<const FaultVfs::Event*>> pending;
  auto put = [](std::optional<Bytes>& file, std::int64_t at, const std::uint8_t* p, std::size_t n) {
    if (!file) file.emplace();
    auto end = static_cast<std::size_t>(at) + n;
    if (file->size() < end) file->resize(end);
    std::memcpy(file->data() + at, p, n);
  };
  auto apply = [&](const FaultVfs::Event& e) {
    auto& file = disk[e.file];
    if (e.kind == Kind::write) put(file, e.offset, e.data.data(), e.data.size());
    if (e.kind == Kind::truncate && file) file->resize(static_cast<std::size_t>(e.offset));
    if (e.kind == Kind::remove) file.reset();
  };
  for (std::size_t i = 0; i < cut && i < events.size(); ++i) {
    const auto& e = events[i];
    if (e.kind == Kind::mark) continue;
    if (e.kind != Kind::sync) {
      pending[e.file].push_back(&e);
      continue;
    }
    const bool fresh = !disk[e.file];
    for (const auto* p : pending[e.file]) apply(*p);
    pending[e.file].clear();
    if (!disk[e.file]) disk[e.file].emplace();
    if (fresh && e.file.ends_with("-wal")) {
      // The first flush of a new journal flushes the folder too, and with it every removal before it.
      for (auto& [name, list] : pending) {
        auto removal = std::ranges::find(list, Kind::remove, &FaultVfs::Event::kind);
        if (removal == list.end()) continue;
        for (auto it = list.begin(); it <= removal; ++it) apply(**it);
        list.erase(list.begin(), removal + 1);
      }
    }
  }
  std::bernoulli_distribution half;
  if (keep > 0)
    for (auto& [name, list] : pending) {
      if (keep == 2) std::ranges::shuffle(list, chance);
      for (const auto* e : list) {
        if (keep == 1) {
          apply(*e);
        } else if (e->kind != Kind::write) {
          if (half(chance)) apply(*e);
        } else {
          for (std::size_t at = 0; at < e->data.size(); at += 512)
            if (half(chance))
              put(disk[name], e->offset + static_cast<std::int64_t>(at), e->data.data() + at,
                  std::min<std::size_t>(512, e->data.size() - at));
        }
      }
    }
  std::map<std::string, Bytes> out;
  for (auto& [name, file] : disk)
    if (file) out[name] = *file;
  return out;
}

}  // namespace schakel::test
