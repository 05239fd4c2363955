// What is handed to outsiders: the whole log, and the proof that one entry is in it.
#include "core/audit/log_rows.hpp"
#include "core/audit/verify.hpp"

namespace schakel::audit {
namespace {

constexpr int kExportPage = 1000;
/// A path has one hash for each binary digit of the size of the log.
constexpr std::size_t kLongestPath = 64;

}  // namespace

Task<Result<ExportPage>> export_page(store::Store& store, std::uint64_t from) {
  ExportPage out;
  if (from == 0) {
    out.lines = "{\"schakel-audit-export\":1}\n";
    std::string after;
    for (;;) {
      auto page = co_await store.rows(kSpace, "head/", after, kExportPage);
      if (!page) co_return fail(std::move(page.error()));
      if (page->empty()) break;
      after = page->back().key;
      for (const auto& row : *page) out.lines += head_line(as_text(row.value));
    }
  }
  auto page = co_await store.leaves(static_cast<std::int64_t>(from), kExportPage);
  if (!page) co_return fail(std::move(page.error()));
  TileReader tiles(store);
  for (const auto& leaf : *page) {
    auto hash = co_await tiles.at(static_cast<std::uint64_t>(leaf.position));
    if (!hash) co_return fail(std::move(hash.error()));
    Json line{{"p", leaf.position}, {"at", format_instant(leaf.at)}, {"kind", leaf.kind}, {"body", leaf.body}};
    if (*hash) line["h"] = to_hex(**hash);
    out.lines += dump_json(line) + '\n';
  }
  if (std::ssize(*page) == kExportPage) out.next = static_cast<std::uint64_t>(page->back().position) + 1;
  co_return out;
}

Task<Result<Proof>> prove(store::Store& store, std::uint64_t position) {
  auto latest = co_await store.row(kSpace, kLatest);
  if (!latest) co_return fail(std::move(latest.error()));
  auto missing = [] { return fail(ErrorKind::not_found, "NOT_FOUND", "the entry is not under a signed head yet"); };
  if (!*latest) co_return missing();
  Proof proof;
  proof.head = as_text((*latest)->value);
  auto note = parse_note(proof.head);
  if (!note || position >= note->head.size) co_return missing();
  auto leaf = co_await store.leaves(static_cast<std::int64_t>(position), 1);
  if (!leaf) co_return fail(std::move(leaf.error()));
  if (leaf->empty()) co_return missing();
  std::vector<Digest> hashes;
  std::string after;
  for (;;) {
    auto page = co_await store.rows(kSpace, "tile/", after, 256);
    if (!page) co_return fail(std::move(page.error()));
    if (page->empty()) break;
    after = page->back().key;
    for (const auto& row : *page) {
      auto tile = tile_hashes(row.value);
      hashes.insert(hashes.end(), tile.begin(), tile.end());
    }
  }
  if (hashes.size() < note->head.size) co_return fail(ErrorKind::internal, "AUDIT_TREE", "tiles are missing");
  // A head that was signed while the tiles were read only adds behind.
  hashes.resize(note->head.size);
  proof.position = position;
  proof.body = std::move(leaf->front().body);
  proof.path = inclusion_proof(hashes, position);
  co_return proof;
}

Json proof_json(const Proof& proof) {
  Json path = Json::array();
  for (const auto& hash : proof.path) path.push_back(to_hex(hash));
  return {{"plaats", proof.position}, {"blad", proof.body}, {"pad", std::move(path)}, {"hoofd", proof.head}};
}

Result<Proof> read_proof(std::string_view text) {
  auto refused = [] { return fail(ErrorKind::invalid, "AUDIT_PROOF_FORMAT", "this is no proof of an entry"); };
  auto json = parse_json(text, {1024 * 1024, 8, 1024 * 1024});
  if (!json || !json->is_object()) return refused();
  auto place = json->find("plaats"), body = json->find("blad"), path = json->find("pad"), head = json->find("hoofd");
  if (place == json->end() || !place->is_number_integer() || place->get<std::int64_t>() < 0 || body == json->end() ||
      !body->is_string() || path == json->end() || !path->is_array() || path->size() > kLongestPath ||
      head == json->end() || !head->is_string())
    return refused();
  Proof out{head->get<std::string>(), place->get<std::uint64_t>(), body->get<std::string>(), {}};
  for (const auto& one : *path) {
    auto bytes = one.is_string() ? from_hex(one.get<std::string>()) : Result<Bytes>(refused());
    if (!bytes || bytes->size() != 32) return refused();
    std::memcpy(out.path.emplace_back().data(), bytes->data(), 32);
  }
  return out;
}

Result<Checkpoint> check_proof(const Proof& proof, const Verifier& key) {
  auto head = key.open(proof.head);
  if (!head) return fail(std::move(head.error()));
  if (!verify_inclusion(proof.position, head->size, leaf_hash(proof.body), proof.path, head->root))
    return fail(ErrorKind::invalid, "AUDIT_PROOF", "this entry is not proven to be under this head");
  return *head;
}

}  // namespace schakel::audit
