#include "core/vault/documents.hpp"

#include <set>

#include "core/base/json.hpp"

namespace schakel::vault {
namespace {

Bytes blob_aad(const DocumentRecord& r) { return place_aad({r.case_id, "document", r.id, r.version}); }

std::unexpected<Error> damaged() { return fail(ErrorKind::io, "VAULT_TAMPERED", "a document record is damaged"); }

}  // namespace

Task<Result<void>> DocumentUpload::write(Bytes plain) {
  auto done = co_await owner_.pool_.run([this, &plain] { return writer_.write(plain); });
  if (!done) co_return fail(done.error());
  co_return std::move(*done);
}

Task<Result<DocumentUpload::Finished>> DocumentUpload::finish() {
  auto ran = co_await owner_.pool_.run([this] { return writer_.finish(); });
  if (!ran) co_return fail(ran.error());
  auto& blob = *ran;
  if (!blob) co_return fail(blob.error());
  record_.size = blob->size;
  record_.sha256 = to_hex(blob->digest);
  record_.stored_at = owner_.clock_.now();
  const Json inner{{"doc_type", record_.doc_type},
                   {"status", record_.status},
                   {"media_type", record_.media_type},
                   {"file_name", record_.file_name},
                   {"version", record_.version},
                   {"size", record_.size},
                   {"sha256", record_.sha256},
                   {"party", record_.party},
                   {"stored_at", format_instant(record_.stored_at)},
                   {"file", blob->file},
                   {"key", to_base64(writer_.key().reveal())}};
  auto sealed = co_await owner_.vault_.seal({record_.case_id, "document", record_.id},
                                            to_bytes(inner.dump(-1, ' ', false, Json::error_handler_t::replace)));
  if (!sealed) {
    owner_.blobs_.remove(blob->file);
    co_return fail(sealed.error());
  }
  Finished out{record_, {}};
  out.ops.push_back(store::PutRow{std::string(kDocuments), record_.id,
                                  to_bytes(dump_json(Json{{"case", record_.case_id}, {"sealed", to_base64(*sealed)}})),
                                  0});
  out.ops.push_back(
      store::PutRow{std::string(kDocumentsOfCase), record_.case_id + "/" + record_.id, to_bytes(blob->file), 0});
  co_return out;
}

Task<Result<Bytes>> DocumentContent::read(std::int64_t offset, std::size_t length) {
  auto ran = co_await pool_.run([this, offset, length] { return reader_.read(offset, length); });
  if (!ran) co_return fail(ran.error());
  co_return std::move(*ran);
}

Task<Result<std::unique_ptr<DocumentUpload>>> Documents::begin(DocumentRecord record, std::int64_t limit) {
  auto ready = co_await vault_.ensure_case_key(record.case_id);
  if (!ready) co_return fail(ready.error());
  if (record.case_id.empty()) co_return fail(ErrorKind::invalid, "VAULT_ID", "a document belongs to a case");
  if (record.id.empty()) record.id = random_uuid();
  auto ran = co_await pool_.run([this, &record, limit] { return blobs_.create(blob_aad(record), limit); });
  if (!ran) co_return fail(ran.error());
  if (!*ran) co_return fail(ran->error());
  co_return std::unique_ptr<DocumentUpload>(new DocumentUpload(*this, std::move(record), std::move(**ran)));
}

Task<Result<DocumentRecord>> Documents::store(DocumentRecord record, Bytes content) {
  auto upload = co_await begin(std::move(record), static_cast<std::int64_t>(content.size()));
  if (!upload) co_return fail(upload.error());
  auto written = co_await (*upload)->write(std::move(content));
  if (!written) co_return fail(written.error());
  auto finished = co_await (*upload)->finish();
  if (!finished) co_return fail(finished.error());
  store::Transaction t;
  t.ops = std::move(finished->ops);
  auto done = co_await store_.commit(std::move(t));
  if (!done) co_return fail(done.error());
  co_return std::move(finished->record);
}

Task<Result<Documents::Loaded>> Documents::load(std::string id) {
  auto row = co_await store_.row(std::string(kDocuments), id);
  if (!row) co_return fail(row.error());
  if (!*row) co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "no such document");
  auto outer = parse_json(as_text((*row)->value));
  if (!outer || !outer->is_object() || !outer->contains("case") || !outer->contains("sealed")) co_return damaged();
  auto sealed = from_base64((*outer)["sealed"].get<std::string>());
  if (!sealed) co_return damaged();
  const auto case_id = (*outer)["case"].get<std::string>();
  auto plain = co_await vault_.open({case_id, "document", id}, std::move(*sealed));
  if (!plain) co_return fail(plain.error());
  auto json = parse_json(as_text(*plain));
  OPENSSL_cleanse(plain->data(), plain->size());
  if (!json || !json->is_object()) co_return damaged();
  Loaded out;
  auto& r = out.record;
  r.id = id;
  r.case_id = case_id;
  r.doc_type = json->value("doc_type", "");
  r.status = json->value("status", "");
  r.media_type = json->value("media_type", "");
  r.file_name = json->value("file_name", "");
  r.version = json->value("version", 1);
  r.size = json->value("size", std::int64_t{0});
  r.sha256 = json->value("sha256", "");
  r.party = json->value("party", "");
  if (auto at = parse_instant(json->value("stored_at", ""))) r.stored_at = *at;
  out.file = json->value("file", "");
  auto key = from_base64(json->value("key", ""));
  if (!key) co_return damaged();
  out.key = Secret(std::move(*key));
  co_return out;
}

Task<Result<DocumentRecord>> Documents::info(std::string id) {
  auto loaded = co_await load(std::move(id));
  if (!loaded) co_return fail(loaded.error());
  co_return std::move(loaded->record);
}

Task<Result<std::unique_ptr<DocumentContent>>> Documents::open(std::string id) {
  auto loaded = co_await load(std::move(id));
  if (!loaded) co_return fail(loaded.error());
  auto ran = co_await pool_.run([this, &loaded] {
    return blobs_.read(loaded->file, blob_aad(loaded->record), std::move(loaded->key), loaded->record.size);
  });
  if (!ran) co_return fail(ran.error());
  if (!*ran) co_return fail(ran->error());
  co_return std::unique_ptr<DocumentContent>(new DocumentContent(pool_, std::move(loaded->record), std::move(**ran)));
}

Task<Result<std::vector<DocumentRecord>>> Documents::of_case(std::string case_id) {
  std::vector<DocumentRecord> out;
  if (auto valid = check_id(case_id); !valid) co_return fail(valid.error());
  const auto prefix = case_id + "/";
  auto rows = co_await store_.rows(std::string(kDocumentsOfCase), prefix, "", 1000);
  if (!rows) co_return fail(rows.error());
  for (const auto& r : *rows) {
    auto record = co_await info(r.key.substr(prefix.size()));
    if (!record) co_return fail(record.error());
    out.push_back(std::move(*record));
  }
  std::ranges::sort(out, {}, [](const DocumentRecord& d) { return std::pair(d.stored_at, d.id); });
  co_return out;
}

Task<Result<Bytes>> Documents::read(std::string id, std::int64_t offset, std::size_t length) {
  auto content = co_await open(std::move(id));
  if (!content) co_return fail(content.error());
  auto bytes = co_await (*content)->read(offset, length);
  co_return bytes;
}

Task<Result<int>> Documents::sweep(std::chrono::hours age) {
  std::set<std::string> known;
  std::string after;
  while (true) {
    auto page = co_await store_.rows(std::string(kDocumentsOfCase), "", after, 500);
    if (!page) co_return fail(page.error());
    for (auto& r : *page) known.emplace(as_text(r.value));
    if (page->size() < 500) break;
    after = page->back().key;
  }
  auto ran = co_await pool_.run([this, &known, age] {
    return blobs_.sweep([&](const std::string& name) { return known.contains(name); },
                        std::filesystem::file_time_type::clock::now() - age);
  });
  co_return ran;
}

}  // namespace schakel::vault
