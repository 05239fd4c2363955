// Encrypted files: chunked AES-256-GCM in the STREAM construction, written so that a file is there whole or not at all.
//
// File: "SKB1" | chunk size (4, big endian) | nonce prefix (7) | 0x00 | chunks. Chunk i: nonce = prefix | i (4, big
// endian) | 1 for the last one, else 0; associated data = the 16 byte header and the place. So a chunk that was moved,
// dropped, added or taken from another file does not open (KEY-2). Every file has its own key.
//
// Everything here blocks: call it from a BlockingPool (Documents does).
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/hash.hpp"
#include "core/base/secret.hpp"
#include "core/vault/aead.hpp"

namespace schakel::vault {

inline constexpr std::size_t kChunk = 64 * 1024;

struct BlobInfo {
  std::string file;  ///< random name below the folder
  std::int64_t size = 0;
  Digest digest{};  ///< SHA-256 of the plain content
};

/// Writes one blob. Thread: one at a time. When it goes without finish(), nothing is left on disk.
class BlobWriter {
 public:
  ~BlobWriter();
  BlobWriter(BlobWriter&&) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;

  /// BLOB_TOO_LARGE (too_large) beyond the limit given at create(); BLOB_IO (io).
  [[nodiscard]] Result<void> write(ByteView plain);
  /// Afterwards the file is under its name and survives a power cut.
  [[nodiscard]] Result<BlobInfo> finish();
  [[nodiscard]] const Secret& key() const;

 private:
  friend class Blobs;
  struct State;
  explicit BlobWriter(std::unique_ptr<State> state);
  [[nodiscard]] Result<void> put_chunk(bool last);
  std::unique_ptr<State> s_;
};

/// Reads one blob at any offset; every chunk is authenticated before a byte of it is given out. Thread: one at a time.
class BlobReader {
 public:
  ~BlobReader();
  BlobReader(BlobReader&&) noexcept;
  BlobReader& operator=(BlobReader&&) = delete;

  [[nodiscard]] std::int64_t size() const;
  /// At most `length` bytes from `offset`; empty at or beyond the end. VAULT_TAMPERED, BLOB_IO.
  [[nodiscard]] Result<Bytes> read(std::int64_t offset, std::size_t length);

 private:
  friend class Blobs;
  struct State;
  explicit BlobReader(std::unique_ptr<State> state);
  [[nodiscard]] Result<void> load_chunk(std::uint32_t index);
  std::unique_ptr<State> s_;
};

/// A folder of blobs. Thread: any.
class Blobs {
 public:
  /// Makes the folder with mode 0700. BLOB_IO.
  [[nodiscard]] static Result<Blobs> open(std::filesystem::path folder);

  /// `aad` says where the content belongs (place_aad).
  [[nodiscard]] Result<BlobWriter> create(Bytes aad, std::int64_t limit) const;
  /// BLOB_MISSING (not_found); VAULT_TAMPERED when the last chunk is not the last one of `size` bytes.
  [[nodiscard]] Result<BlobReader> read(const std::string& file, Bytes aad, Secret key, std::int64_t size) const;
  /// Not there is no error.
  void remove(const std::string& file) const;
  /// Files that `known` does not hold and that are older than a day, among them leftovers of a kill. Number removed.
  template <class Known>
  int sweep(Known known, std::filesystem::file_time_type older_than) const {
    int n = 0;
    std::error_code ec;
    for (const auto& e : std::filesystem::directory_iterator(folder_, ec))
      if (e.is_regular_file(ec) && e.last_write_time(ec) < older_than && !known(e.path().filename().string()))
        n += std::filesystem::remove(e.path(), ec) ? 1 : 0;
    return n;
  }

 private:
  explicit Blobs(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace schakel::vault
