#include "core/vault/blobs.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "core/vault/documents.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel {
namespace {

using test::run_now;

std::string code(const auto& r) { return r ? "" : r.error().code; }

Bytes pattern(std::size_t n) {
  Bytes b(n);
  for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<std::uint8_t>(i * 131 + (i >> 8));
  return b;
}

struct BlobsTest : ::testing::Test {
  test::TempFolder dir;
  vault::Blobs blobs = std::move(*vault::Blobs::open(dir.path() / "blobs"));
  const Bytes aad = to_bytes("plaats");
  Secret key;

  vault::BlobInfo write(const Bytes& content, std::size_t step = 10000) {
    auto w = std::move(*blobs.create(aad, 1 << 30));
    for (std::size_t i = 0; i < content.size(); i += step)
      EXPECT_TRUE(w.write(ByteView(content).subspan(i, std::min(step, content.size() - i))));
    auto info = w.finish();
    EXPECT_TRUE(info);
    key = w.key().clone();
    return *info;
  }
  auto read(const vault::BlobInfo& info) { return blobs.read(info.file, aad, key.clone(), info.size); }
  Bytes raw(const std::string& file) {
    std::ifstream in(dir.path() / "blobs" / file, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }
  void put_raw(const std::string& file, const Bytes& b) {
    std::ofstream(dir.path() / "blobs" / file, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(b.data()), static_cast<std::streamsize>(b.size()));
  }
  /// Reads everything; the code of the first error.
  std::string verdict(const vault::BlobInfo& info, std::int64_t size) {
    auto r = blobs.read(info.file, aad, key.clone(), size);
    if (!r) return r.error().code;
    return code(r->read(0, static_cast<std::size_t>(size)));
  }
};

constexpr std::size_t kSealed = vault::kChunk + vault::kTagBytes;

TEST_F(BlobsTest, ContentOfEveryAwkwardSizeComesBack) {
  for (std::size_t n : {std::size_t{0}, std::size_t{1}, vault::kChunk - 1, vault::kChunk, vault::kChunk + 1,
                        3 * vault::kChunk, 3 * vault::kChunk + 77}) {
    const auto content = pattern(n);
    auto info = write(content);
    EXPECT_EQ(info.size, static_cast<std::int64_t>(n));
    EXPECT_EQ(info.digest, sha256(content));
    auto r = read(info);
    ASSERT_TRUE(r) << n;
    EXPECT_EQ(*r->read(0, n + 100), content);
    EXPECT_TRUE(r->read(static_cast<std::int64_t>(n), 10)->empty());
  }
}

TEST_F(BlobsTest, AnyRangeIsReadOverChunkBorders) {
  const auto content = pattern(2 * vault::kChunk + 500);
  auto r = std::move(*read(write(content)));
  for (std::size_t at : {std::size_t{0}, vault::kChunk - 3, vault::kChunk, 2 * vault::kChunk + 499})
    for (std::size_t n : {std::size_t{1}, std::size_t{7}, vault::kChunk + 9}) {
      auto want = ByteView(content).subspan(at, std::min(n, content.size() - at));
      EXPECT_EQ(*r.read(static_cast<std::int64_t>(at), n), Bytes(want.begin(), want.end()));
    }
}

TEST_F(BlobsTest, ReorderedDroppedDoubledAndAppendedChunksAreRefused) {
  const auto content = pattern(3 * vault::kChunk + 10);
  const auto info = write(content);
  const auto good = raw(info.file);
  auto chunk = [&](std::size_t i) {
    return Bytes(good.begin() + static_cast<std::ptrdiff_t>(16 + i * kSealed),
                 good.begin() + static_cast<std::ptrdiff_t>(std::min(good.size(), 16 + (i + 1) * kSealed)));
  };
  auto build = [&](std::vector<std::size_t> order) {
    Bytes b(good.begin(), good.begin() + 16);
    for (auto i : order) {
      auto c = chunk(i);
      b.insert(b.end(), c.begin(), c.end());
    }
    return b;
  };
  put_raw(info.file, build({1, 0, 2, 3}));
  EXPECT_EQ(verdict(info, info.size), "VAULT_TAMPERED");
  put_raw(info.file, build({0, 1, 2}));  // last dropped, size in the record as stored
  EXPECT_EQ(verdict(info, info.size), "VAULT_TAMPERED");
  EXPECT_EQ(verdict(info, 3 * static_cast<std::int64_t>(vault::kChunk)),
            "VAULT_TAMPERED");  // and with a record that agrees
  put_raw(info.file, build({0, 0, 2, 3}));
  EXPECT_EQ(verdict(info, info.size), "VAULT_TAMPERED");
  auto longer = good;
  longer.push_back(0);
  put_raw(info.file, longer);
  EXPECT_EQ(verdict(info, info.size), "VAULT_TAMPERED");
  EXPECT_EQ(verdict(info, info.size + 1), "VAULT_TAMPERED");
  put_raw(info.file, good);
  EXPECT_EQ(verdict(info, info.size), "");
}

TEST_F(BlobsTest, FlippedBitAnotherKeyAnotherPlaceAndAnotherFileAreRefused) {
  const auto info = write(pattern(1000));
  const auto good = raw(info.file);
  for (std::size_t at :
       {std::size_t{0}, std::size_t{5}, std::size_t{9}, std::size_t{15}, std::size_t{20}, good.size() - 1}) {
    auto bad = good;
    bad[at] ^= 1;
    put_raw(info.file, bad);
    EXPECT_EQ(verdict(info, info.size), "VAULT_TAMPERED") << at;
  }
  put_raw(info.file, good);
  EXPECT_EQ(code(blobs.read(info.file, to_bytes("elders"), key.clone(), info.size)), "VAULT_TAMPERED");
  EXPECT_EQ(code(blobs.read(info.file, aad, vault::random_key(), info.size)), "VAULT_TAMPERED");
  const auto first_key = key.clone();
  const auto other = write(pattern(1000));
  put_raw(info.file, raw(other.file));
  EXPECT_EQ(code(blobs.read(info.file, aad, first_key.clone(), info.size)), "VAULT_TAMPERED");
}

TEST_F(BlobsTest, UnfinishedUploadLeavesNoFileAndALimitIsKept) {
  {
    auto w = std::move(*blobs.create(aad, 100));
    EXPECT_TRUE(w.write(pattern(100)));
    EXPECT_EQ(code(w.write(pattern(1))), "BLOB_TOO_LARGE");
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path() / "blobs"));
}

TEST_F(BlobsTest, NameThatLeadsElsewhereIsNeverOpened) {
  for (std::string name : {"../secret", "", "/etc/passwd", "0123456789abcdef0123456789abcdeg"})
    EXPECT_EQ(code(blobs.read(name, aad, vault::random_key(), 1)), "BLOB_MISSING");
}

TEST_F(BlobsTest, FilesHoldNoPlainText) {
  Bytes content;
  while (content.size() < 200000) {
    auto t = as_bytes("Noor Verzonnen 999990019 ");
    content.insert(content.end(), t.begin(), t.end());
  }
  const auto b = raw(write(content).file);
  EXPECT_EQ(as_text(b).find("Verzonnen"), std::string::npos);
  EXPECT_EQ(as_text(b).find("999990019"), std::string::npos);
}

struct DocumentsTest : test::VaultTest {
  test::TempFolder dir;
  runtime::BlockingPool pool{1, 16};
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(dir.path() / "blobs"))};
  vault::DocumentRecord record(std::string case_id = "case-1") {
    vault::DocumentRecord r;
    r.case_id = std::move(case_id);
    r.doc_type = "opp";
    r.status = "compleet";
    r.media_type = "application/pdf";
    r.file_name = "opp-v1.pdf";
    r.party = "school";
    return r;
  }
};

TEST_F(DocumentsTest, StoredDocumentIsListedAndReadByRange) {
  const auto content = pattern(150000);
  auto stored = run_now(documents.store(record(), content));
  ASSERT_TRUE(stored) << stored.error().code;
  EXPECT_EQ(stored->sha256, to_hex(sha256(content)));
  auto list = run_now(documents.of_case("case-1"));
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->at(0).file_name, "opp-v1.pdf");
  EXPECT_EQ(run_now(documents.info(stored->id))->size, 150000);
  EXPECT_EQ(*run_now(documents.read(stored->id, 100000, 50)),
            Bytes(content.begin() + 100000, content.begin() + 100050));
  EXPECT_EQ(code(run_now(documents.info("nope"))), "DOCUMENT_UNKNOWN");
}

TEST_F(DocumentsTest, ErasedCaseLeavesNoRecordAndAnUnreadableFile) {
  auto stored = *run_now(documents.store(record(), pattern(1000)));
  auto keep = *run_now(documents.store(record("case-2"), pattern(1000)));
  auto erasure = *run_now(vault->erase_case("case-1"));
  ASSERT_EQ(erasure.files.size(), 1u);
  commit(erasure.ops);
  vault->forget("case-1");
  EXPECT_EQ(code(run_now(documents.open(stored.id))), "DOCUMENT_UNKNOWN");
  for (auto& f : erasure.files) documents.blobs().remove(f);
  EXPECT_TRUE(run_now(documents.open(keep.id)));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path() / "blobs"), {}), 1);
}

TEST_F(DocumentsTest, RecordRestoredFromABackupAfterErasureStaysUnreadable) {
  auto stored = *run_now(documents.store(record(), pattern(1000)));
  auto saved = *run_now(store->row("document", stored.id));
  commit(run_now(vault->erase_case("case-1"))->ops);
  vault->forget("case-1");
  commit({store::PutRow{"document", stored.id, saved->value, std::nullopt}});
  EXPECT_EQ(code(run_now(documents.open(stored.id))), "VAULT_ERASED");
}

TEST_F(DocumentsTest, FileWhoseRecordNeverCameIsSwept) {
  auto stored = *run_now(documents.store(record(), pattern(1000)));
  auto upload = std::move(*run_now(documents.begin(record(), 1000)));
  ASSERT_TRUE(run_now(upload->write(pattern(10))));
  ASSERT_TRUE(run_now(upload->finish()));  // killed before the ops were committed
  EXPECT_EQ(*run_now(documents.sweep(std::chrono::hours(24))), 0);
  EXPECT_EQ(*run_now(documents.sweep(std::chrono::hours(-1))), 1);
  EXPECT_TRUE(run_now(documents.open(stored.id)));
}

}  // namespace
}  // namespace schakel
