#include "core/audit/checkpoint.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>
#include <cstring>
#include <memory>

#include "core/base/assert.hpp"
#include "core/base/json.hpp"

namespace schakel::audit {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a space, as the signed-note form asks

struct KeyFree {
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using Context = std::unique_ptr<EVP_MD_CTX, KeyFree>;

bool name_ok(std::string_view name) {
  return !name.empty() && name.size() <= 200 &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != '+'; });
}

/// First four bytes of SHA-256(name, newline, algorithm 1, public key).
Bytes key_hash(std::string_view name, const Digest& key) {
  Bytes in = to_bytes(name);
  in.push_back('\n');
  in.push_back(1);
  in.insert(in.end(), key.begin(), key.end());
  auto hash = sha256(in);
  return {hash.begin(), hash.begin() + 4};
}

std::unexpected<Error> key_format() { return fail(ErrorKind::invalid, "AUDIT_KEY_FORMAT", "not a key of a log"); }
std::unexpected<Error> head_format() { return fail(ErrorKind::invalid, "AUDIT_HEAD_FORMAT", "not a signed head"); }

/// Takes one line off; false when there is no complete one.
bool take_line(std::string_view& rest, std::string_view& line) {
  auto end = rest.find('\n');
  if (end == std::string_view::npos) return false;
  line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

}  // namespace

Result<Note> parse_note(std::string_view text) {
  if (text.size() > 64 * 1024) return head_format();
  Note note;
  auto rest = text;
  std::string_view origin, size, root, time, empty;
  if (!take_line(rest, origin) || !name_ok(origin) || !take_line(rest, size) || !take_line(rest, root) ||
      !take_line(rest, time) || !take_line(rest, empty) || !empty.empty())
    return head_format();
  note.head.origin = origin;
  auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), note.head.size);
  if (error != std::errc() || end != size.data() + size.size() || size.empty() || (size.size() > 1 && size[0] == '0') ||
      note.head.size > (1ULL << 62))
    return head_format();
  auto hash = from_base64(root);
  if (!hash || hash->size() != 32) return head_format();
  std::memcpy(note.head.root.data(), hash->data(), 32);
  if (!time.starts_with("time ")) return head_format();
  auto at = parse_instant(time.substr(5));
  if (!at || format_instant(*at) != time.substr(5)) return head_format();
  note.head.at = *at;
  // Everything before the empty line is signed, its last newline included.
  note.signed_text = text.substr(0, text.size() - rest.size() - 1);
  std::string_view line;
  while (take_line(rest, line)) {
    if (!line.starts_with(kDash) || note.signatures.size() >= 16) return head_format();
    line.remove_prefix(kDash.size());
    auto space = line.find(' ');
    if (space == std::string_view::npos || !name_ok(line.substr(0, space))) return head_format();
    auto bytes = from_base64(line.substr(space + 1));
    if (!bytes || bytes->size() < 5) return head_format();
    note.signatures.push_back({std::string(line.substr(0, space)), std::move(*bytes)});
  }
  if (!rest.empty() || note.signatures.empty()) return head_format();
  return note;
}

Result<Verifier> Verifier::from_text(std::string_view text) {
  auto first = text.find('+'), second = text.find('+', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return key_format();
  Verifier v;
  v.name_ = text.substr(0, first);
  auto bytes = from_base64(text.substr(second + 1));
  if (!name_ok(v.name_) || !bytes || bytes->size() != 33 || (*bytes)[0] != 1) return key_format();
  std::memcpy(v.public_key_.data(), bytes->data() + 1, 32);
  if (to_hex(key_hash(v.name_, v.public_key_)) != text.substr(first + 1, second - first - 1)) return key_format();
  return v;
}

Result<Checkpoint> Verifier::open(std::string_view text) const {
  auto note = parse_note(text);
  if (!note) return fail(std::move(note.error()));
  auto wanted = key_hash(name_, public_key_);
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key_.data(), public_key_.size()));
  for (const auto& s : note->signatures) {
    if (s.name != name_ || s.bytes.size() != 68 || !std::equal(wanted.begin(), wanted.end(), s.bytes.begin())) continue;
    Context context(EVP_MD_CTX_new());
    if (key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
        EVP_DigestVerify(context.get(), s.bytes.data() + 4, 64, as_bytes(note->signed_text).data(),
                         note->signed_text.size()) == 1 &&
        note->head.origin == name_)
      return note->head;
  }
  return fail(ErrorKind::invalid, "AUDIT_HEAD_SIGNATURE", "the head is not signed by the key of this log");
}

Result<Signer> Signer::from_seed(std::string name, Secret seed) {
  if (!name_ok(name) || seed.reveal().size() != 32) return key_format();
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.reveal().data(), 32));
  Signer s;
  std::size_t n = s.verifier_.public_key_.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), s.verifier_.public_key_.data(), &n) != 1 || n != 32)
    return key_format();
  s.verifier_.name_ = std::move(name);
  s.seed_ = std::move(seed);
  return s;
}

std::string Signer::sign(const Checkpoint& head) const {
  auto text =
      fmt::format("{}\n{}\n{}\ntime {}\n", head.origin, head.size, to_base64(head.root), format_instant(head.at));
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.reveal().data(), 32));
  Context context(EVP_MD_CTX_new());
  Bytes out = key_hash(verifier_.name_, verifier_.public_key_);
  out.resize(68);
  std::size_t n = 64;
  SCHAKEL_ASSERT(key && context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                 EVP_DigestSign(context.get(), out.data() + 4, &n, as_bytes(text).data(), text.size()) == 1 && n == 64);
  return fmt::format("{}\n{}{} {}\n", text, kDash, verifier_.name_, to_base64(out));
}

std::string Signer::public_text() const {
  Bytes key{1};
  key.insert(key.end(), verifier_.public_key_.begin(), verifier_.public_key_.end());
  return fmt::format("{}+{}+{}", verifier_.name_, to_hex(key_hash(verifier_.name_, verifier_.public_key_)),
                     to_base64(key));
}

Result<std::vector<std::string>> parse_heads(std::string_view text) {
  std::vector<std::string> out;
  std::string_view line;
  while (take_line(text, line)) {
    auto json = parse_json(line);
    if (!json || !json->is_object() || json->size() != 1 || !json->contains("head") || !(*json)["head"].is_string())
      return fail(ErrorKind::invalid, "AUDIT_HEADS_FORMAT", fmt::format("line {} is not a head", out.size() + 1));
    out.push_back((*json)["head"].get<std::string>());
  }
  return out;
}

std::string head_line(std::string_view note) {
  Json line = Json::object();
  line["head"] = std::string(note);
  return dump_json(line) + "\n";
}

}  // namespace schakel::audit
