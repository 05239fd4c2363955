// Signed heads of the log, in the text form of C2SP tlog-checkpoint and signed-note, so that outsiders can check them
// with tools that are not ours.
//
//   schakel.example/log          origin: which log
//   1234                         number of entries
//   <base64>                     root hash
//   time 2026-11-22T09:00:00.000Z
//                                empty line
//   — <key name> <base64 of 4 bytes key hash and 64 bytes Ed25519 signature>
#pragma once
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/hash.hpp"
#include "core/base/secret.hpp"

namespace schakel::audit {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
  Instant at{};
  bool operator==(const Checkpoint&) const = default;
};

/// Checks signatures of one log. Thread: any, after it was made.
class Verifier {
 public:
  /// Text `<name>+<key hash in hex>+<base64 of 0x01 and the public key>`, as Signer::public_text() gives it.
  /// AUDIT_KEY_FORMAT otherwise.
  [[nodiscard]] static Result<Verifier> from_text(std::string_view text);
  /// The head in a note, when its form is right, its origin is the key's name and the key signed it. AUDIT_HEAD_FORMAT,
  /// AUDIT_HEAD_SIGNATURE. Signature lines of other keys (witnesses) are passed over.
  [[nodiscard]] Result<Checkpoint> open(std::string_view note) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  friend class Signer;
  std::string name_;
  Digest public_key_{};
};

/// Signs heads with Ed25519. Not copyable; the key is wiped when it goes.
class Signer {
 public:
  /// `seed` is the 32-byte private key of RFC 8032; `name` names the log and holds no space, plus sign or control
  /// character. AUDIT_KEY_FORMAT otherwise.
  [[nodiscard]] static Result<Signer> from_seed(std::string name, Secret seed);
  [[nodiscard]] std::string sign(const Checkpoint& head) const;
  [[nodiscard]] const Verifier& verifier() const { return verifier_; }
  /// To give to outsiders once.
  [[nodiscard]] std::string public_text() const;

 private:
  Verifier verifier_;
  Secret seed_;
};

/// The parts of a note without looking at signatures. Pure; for outside bytes. AUDIT_HEAD_FORMAT.
struct Note {
  Checkpoint head;
  std::string signed_text;
  struct Signature {
    std::string name;
    Bytes bytes;  ///< key hash and signature
  };
  std::vector<Signature> signatures;
};
[[nodiscard]] Result<Note> parse_note(std::string_view text);

/// Heads as lines {"head":"<note>"}, the form of the file outside the database. A last line without its end is what a
/// crash leaves and is passed over; anything else that is not such a line is AUDIT_HEADS_FORMAT. Pure.
[[nodiscard]] Result<std::vector<std::string>> parse_heads(std::string_view text);
[[nodiscard]] std::string head_line(std::string_view note);

}  // namespace schakel::audit
