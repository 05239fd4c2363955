#include "core/vault/blobs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace schakel::vault {
namespace {

constexpr std::size_t kHeader = 16, kPrefixAt = 8, kPrefix = 7;
constexpr std::size_t kSealedChunk = kChunk + kTagBytes;

std::unexpected<Error> io() { return fail(ErrorKind::io, "BLOB_IO", "a document file cannot be read or written"); }
/// After a failed write: a full disk is overload, which passes; anything else is a fault.
std::unexpected<Error> not_written() {
  if (errno == ENOSPC || errno == EDQUOT)
    return fail(ErrorKind::unavailable, "STORE_FULL", "there is no room for documents");
  return io();
}
std::unexpected<Error> damaged_file() {
  return fail(ErrorKind::io, "VAULT_TAMPERED", "a document file is damaged or not the one that was stored");
}

Bytes nonce_of(ByteView header, std::uint32_t index, bool last) {
  Bytes n(header.begin() + kPrefixAt, header.begin() + kPrefixAt + kPrefix);
  for (int shift = 24; shift >= 0; shift -= 8) n.push_back(static_cast<std::uint8_t>(index >> shift));
  n.push_back(last ? 1 : 0);
  return n;
}

Bytes aad_of(ByteView header, ByteView place) {
  Bytes a(header.begin(), header.end());
  a.insert(a.end(), place.begin(), place.end());
  return a;
}

bool write_all(int fd, ByteView b) {
  while (!b.empty()) {
    const auto n = ::write(fd, b.data(), b.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    b = b.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

/// A name made by us; anything else never reaches the file system.
bool is_blob_name(const std::string& file) {
  return file.size() == 32 && file.find_first_not_of("0123456789abcdef") == file.npos;
}

std::int64_t chunks_of(std::int64_t size) {
  return size == 0 ? 1 : (size + static_cast<std::int64_t>(kChunk) - 1) / static_cast<std::int64_t>(kChunk);
}

}  // namespace

struct BlobWriter::State {
  std::filesystem::path folder;
  std::string name, temp;
  int fd = -1;
  Secret key;
  Bytes header, aad, pending;
  std::uint32_t index = 0;
  std::int64_t size = 0, limit = 0;
  Sha256 hash;
  bool done = false;
  ~State() {
    if (fd >= 0) ::close(fd);
    if (!done && !temp.empty()) ::unlink(temp.c_str());
    OPENSSL_cleanse(pending.data(), pending.size());
  }
};

BlobWriter::BlobWriter(std::unique_ptr<State> state) : s_(std::move(state)) {}
BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;
BlobWriter::~BlobWriter() = default;
const Secret& BlobWriter::key() const { return s_->key; }

Result<void> BlobWriter::put_chunk(bool last) {
  const auto sealed = gcm_seal(s_->key.reveal(), nonce_of(s_->header, s_->index, last), s_->aad, s_->pending);
  if (!write_all(s_->fd, sealed)) return not_written();
  OPENSSL_cleanse(s_->pending.data(), s_->pending.size());
  s_->pending.clear();
  if (!last && ++s_->index == 0) return fail(ErrorKind::too_large, "BLOB_TOO_LARGE", "the document is too large");
  return {};
}

Result<void> BlobWriter::write(ByteView plain) {
  if (s_->done) return io();
  if (static_cast<std::int64_t>(plain.size()) > s_->limit - s_->size)
    return fail(ErrorKind::too_large, "BLOB_TOO_LARGE", "the document is larger than allowed");
  s_->hash.update(plain);
  s_->size += static_cast<std::int64_t>(plain.size());
  while (!plain.empty()) {
    // A full chunk is held back until more comes, since the last one carries the final flag.
    if (s_->pending.size() == kChunk)
      if (auto r = put_chunk(false); !r) return r;
    const auto n = std::min(plain.size(), kChunk - s_->pending.size());
    s_->pending.insert(s_->pending.end(), plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(n));
    plain = plain.subspan(n);
  }
  return {};
}

Result<BlobInfo> BlobWriter::finish() {
  if (s_->done) return io();
  if (auto r = put_chunk(true); !r) return fail(r.error());
  if (::fsync(s_->fd) != 0) return not_written();
  const auto path = s_->folder / s_->name;
  if (::rename(s_->temp.c_str(), path.c_str()) != 0) return io();
  s_->done = true;
  const int dir = ::open(s_->folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = dir >= 0 && ::fsync(dir) == 0;
  if (dir >= 0) ::close(dir);
  if (!synced) {
    ::unlink(path.c_str());
    return io();
  }
  return BlobInfo{s_->name, s_->size, s_->hash.finish()};
}

struct BlobReader::State {
  int fd = -1;
  Secret key;
  Bytes header, aad, chunk;
  std::int64_t size = 0;
  std::optional<std::uint32_t> loaded;
  ~State() {
    if (fd >= 0) ::close(fd);
    OPENSSL_cleanse(chunk.data(), chunk.size());
  }
};

BlobReader::BlobReader(std::unique_ptr<State> state) : s_(std::move(state)) {}
BlobReader::BlobReader(BlobReader&&) noexcept = default;
BlobReader::~BlobReader() = default;
std::int64_t BlobReader::size() const { return s_->size; }

Result<void> BlobReader::load_chunk(std::uint32_t index) {
  if (s_->loaded == index) return {};
  s_->loaded.reset();
  const bool last = static_cast<std::int64_t>(index) + 1 == chunks_of(s_->size);
  const auto plain =
      last ? static_cast<std::size_t>(s_->size - static_cast<std::int64_t>(index) * static_cast<std::int64_t>(kChunk))
           : kChunk;
  Bytes sealed(plain + kTagBytes);
  std::size_t got = 0;
  while (got < sealed.size()) {
    const auto n = ::pread(s_->fd, sealed.data() + got, sealed.size() - got,
                           static_cast<off_t>(kHeader + std::size_t{index} * kSealedChunk + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io();
    if (n == 0) return damaged_file();
    got += static_cast<std::size_t>(n);
  }
  auto opened = gcm_open(s_->key.reveal(), nonce_of(s_->header, index, last), s_->aad, sealed);
  if (!opened) return damaged_file();
  OPENSSL_cleanse(s_->chunk.data(), s_->chunk.size());
  s_->chunk = std::move(*opened);
  s_->loaded = index;
  return {};
}

Result<Bytes> BlobReader::read(std::int64_t offset, std::size_t length) {
  Bytes out;
  if (offset < 0) return io();
  const auto want = std::min<std::int64_t>(s_->size - std::min(s_->size, offset), static_cast<std::int64_t>(length));
  out.reserve(static_cast<std::size_t>(want));
  while (static_cast<std::int64_t>(out.size()) < want) {
    const auto at = offset + static_cast<std::int64_t>(out.size());
    if (auto r = load_chunk(static_cast<std::uint32_t>(at / static_cast<std::int64_t>(kChunk))); !r)
      return fail(r.error());
    const auto inside = static_cast<std::size_t>(at % static_cast<std::int64_t>(kChunk));
    const auto n = std::min(s_->chunk.size() - inside, static_cast<std::size_t>(want) - out.size());
    out.insert(out.end(), s_->chunk.begin() + static_cast<std::ptrdiff_t>(inside),
               s_->chunk.begin() + static_cast<std::ptrdiff_t>(inside + n));
  }
  return out;
}

Result<Blobs> Blobs::open(std::filesystem::path folder) {
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  if (ec || ::chmod(folder.c_str(), 0700) != 0) return io();
  return Blobs(std::move(folder));
}

Result<BlobWriter> Blobs::create(Bytes aad, std::int64_t limit) const {
  auto s = std::make_unique<BlobWriter::State>();
  s->folder = folder_;
  s->name = to_hex(random_bytes(16));
  s->temp = (folder_ / (s->name + ".part")).string();
  s->key = random_key();
  s->header = {'S', 'K', 'B', '1'};
  for (int shift = 24; shift >= 0; shift -= 8) s->header.push_back(static_cast<std::uint8_t>(kChunk >> shift));
  const auto prefix = random_bytes(kPrefix);
  s->header.insert(s->header.end(), prefix.begin(), prefix.end());
  s->header.push_back(0);
  s->aad = aad_of(s->header, aad);
  s->limit = limit;
  s->pending.reserve(kChunk);
  s->fd = ::open(s->temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (s->fd < 0) {
    s->temp.clear();
    return io();
  }
  if (!write_all(s->fd, s->header)) return not_written();
  return BlobWriter(std::move(s));
}

Result<BlobReader> Blobs::read(const std::string& file, Bytes aad, Secret key, std::int64_t size) const {
  auto missing = [] { return fail(ErrorKind::not_found, "BLOB_MISSING", "the document file is not there"); };
  if (!is_blob_name(file) || size < 0 || key.reveal().size() != kKeyBytes) return missing();
  auto s = std::make_unique<BlobReader::State>();
  s->fd = ::open((folder_ / file).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (s->fd < 0) return errno == ENOENT ? missing() : io();
  struct stat st{};
  if (::fstat(s->fd, &st) != 0) return io();
  const auto expected =
      static_cast<std::int64_t>(kHeader) + size + chunks_of(size) * static_cast<std::int64_t>(kTagBytes);
  if (st.st_size != expected) return damaged_file();
  s->header.resize(kHeader);
  if (::pread(s->fd, s->header.data(), kHeader, 0) != static_cast<ssize_t>(kHeader) ||
      std::memcmp(s->header.data(), "SKB1\0\1\0\0", 8) != 0)
    return damaged_file();
  s->aad = aad_of(s->header, aad);
  s->key = std::move(key);
  s->size = size;
  BlobReader reader(std::move(s));
  // The last chunk carries the end: read it first, so that a cut file gives out nothing at all.
  if (auto r = reader.load_chunk(static_cast<std::uint32_t>(chunks_of(size) - 1)); !r) return fail(r.error());
  return reader;
}

void Blobs::remove(const std::string& file) const {
  if (is_blob_name(file)) ::unlink((folder_ / file).c_str());
}

}  // namespace schakel::vault
