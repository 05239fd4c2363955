// Bytes from outside that the audit reads: heads, files of heads, keys, stored trees, exports.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "core/audit/verify.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace schakel;
  using namespace schakel::audit;
  static const Signer signer = std::move(Signer::from_seed("schakel.test/log", Secret(Bytes(32, 7))).value());
  std::string text(reinterpret_cast<const char*>(data), size);
  auto note = parse_note(text);
  if (note && note->signed_text.size() >= text.size()) std::abort();
  (void)signer.verifier().open(text);
  auto heads = parse_heads(text);
  (void)Verifier::from_text(text);
  auto tree = Tree::from_text(text);
  // What is read as a tree is written as the same tree.
  if (tree && Tree::from_text(tree->to_text()).value().root() != tree->root()) std::abort();
  // A proof that was read is written as the same proof; nobody but the key makes one that holds.
  if (auto proof = read_proof(text)) {
    auto again = read_proof(dump_json(proof_json(*proof)));
    if (!again || again->path != proof->path || again->body != proof->body) std::abort();
    (void)check_proof(*proof, signer.verifier());
  }
  std::istringstream in("{\"schakel-audit-export\":1}\n" + text);
  auto report = verify_export(in, heads ? *heads : std::vector<std::string>{}, signer.verifier());
  if (report.anchored > report.leaves) std::abort();
  return 0;
}
