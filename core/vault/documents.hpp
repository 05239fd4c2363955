// Documents of a case: encrypted blobs and the sealed records that describe them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/runtime/blocking_pool.hpp"
#include "core/vault/blobs.hpp"
#include "core/vault/vault.hpp"

namespace schakel::vault {

/// What is known of a document. `file_name` is what a recipient sees, made by us from the type.
struct DocumentRecord {
  std::string id, case_id;
  std::string doc_type, status, media_type, file_name;
  int version = 1;
  std::int64_t size = 0;
  std::string sha256;  ///< hex, of the plain content
  std::string party;   ///< who brought it
  Instant stored_at{};
};

class Documents;

/// A document on its way in. Thread: one coroutine at a time. Without finish() nothing is left.
class DocumentUpload {
 public:
  /// BLOB_TOO_LARGE, BLOB_IO, POOL_FULL.
  [[nodiscard]] Task<Result<void>> write(Bytes plain);
  /// The file is durable afterwards. `ops` make it known: they go into the caller's transaction; a file whose ops never
  /// arrive is swept after a day.
  struct Finished {
    DocumentRecord record;
    std::vector<store::Op> ops;
  };
  [[nodiscard]] Task<Result<Finished>> finish();

 private:
  friend class Documents;
  DocumentUpload(Documents& owner, DocumentRecord record, BlobWriter writer)
      : owner_(owner), record_(std::move(record)), writer_(std::move(writer)) {}
  Documents& owner_;
  DocumentRecord record_;
  BlobWriter writer_;
};

/// A document on its way out. Thread: one coroutine at a time.
class DocumentContent {
 public:
  [[nodiscard]] const DocumentRecord& record() const { return record_; }
  /// At most `length` bytes from `offset`; empty at the end. VAULT_TAMPERED, BLOB_IO, POOL_FULL.
  [[nodiscard]] Task<Result<Bytes>> read(std::int64_t offset, std::size_t length);

 private:
  friend class Documents;
  DocumentContent(runtime::BlockingPool& pool, DocumentRecord record, BlobReader reader)
      : pool_(pool), record_(std::move(record)), reader_(std::move(reader)) {}
  runtime::BlockingPool& pool_;
  DocumentRecord record_;
  BlobReader reader_;
};

/// Thread: any. Lifetime: outlives its uploads and contents; outlived by what its constructor names.
class Documents {
 public:
  Documents(Vault& vault, store::Store& store, const Clock& clock, runtime::BlockingPool& pool, Blobs blobs)
      : vault_(vault), store_(store), clock_(clock), pool_(pool), blobs_(std::move(blobs)) {}

  /// `record`: case_id, doc_type, status, media_type, file_name, version, party; the rest is filled in. `limit` in
  /// bytes.
  [[nodiscard]] Task<Result<std::unique_ptr<DocumentUpload>>> begin(DocumentRecord record, std::int64_t limit);
  /// begin, write, finish and commit in one.
  [[nodiscard]] Task<Result<DocumentRecord>> store(DocumentRecord record, Bytes content);
  /// DOCUMENT_UNKNOWN (not_found), and the vault's.
  [[nodiscard]] Task<Result<DocumentRecord>> info(std::string id);
  [[nodiscard]] Task<Result<std::unique_ptr<DocumentContent>>> open(std::string id);
  [[nodiscard]] Task<Result<std::vector<DocumentRecord>>> of_case(std::string case_id);
  /// A repeated read at an offset, for who cannot hold a DocumentContent.
  [[nodiscard]] Task<Result<Bytes>> read(std::string id, std::int64_t offset, std::size_t length);
  [[nodiscard]] const Blobs& blobs() const { return blobs_; }
  /// Removes files that no record names and that are older than `age`; call now and then.
  [[nodiscard]] Task<Result<int>> sweep(std::chrono::hours age);

 private:
  friend class DocumentUpload;
  struct Loaded {
    DocumentRecord record;
    std::string file;
    Secret key;
  };
  [[nodiscard]] Task<Result<Loaded>> load(std::string id);
  Vault& vault_;
  store::Store& store_;
  const Clock& clock_;
  runtime::BlockingPool& pool_;
  Blobs blobs_;
};

}  // namespace schakel::vault
