#include "core/audit/merkle.hpp"

#include <gtest/gtest.h>

namespace schakel::audit {
namespace {

std::vector<Digest> leaves(std::size_t n) {
  std::vector<Digest> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(leaf_hash("entry " + std::to_string(i)));
  return out;
}

/// The definition of RFC 6962 section 2.1, word for word, to hold the growing tree against.
Digest by_definition(std::span<const Digest> d) {
  if (d.empty()) return sha256(ByteView{});
  if (d.size() == 1) return d[0];
  std::size_t k = 1;
  while (k * 2 < d.size()) k *= 2;
  return node_hash(by_definition(d.first(k)), by_definition(d.subspan(k)));
}

TEST(Merkle, KnownAnswersOfCertificateTransparency) {
  // The test vectors every implementation of RFC 6962 carries: inputs "", 00, 10, 2021, 3031, 40414243, ...
  std::vector<std::string> inputs{"",
                                  std::string(1, '\0'),
                                  "\x10",
                                  "\x20\x21",
                                  "\x30\x31",
                                  "\x40\x41\x42\x43",
                                  "\x50\x51\x52\x53\x54\x55\x56\x57",
                                  "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  std::vector<std::string> roots{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                 "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                 "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                 "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                 "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                 "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree;
  EXPECT_EQ(to_hex(tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    tree.append(leaf_hash(inputs[i]));
    EXPECT_EQ(to_hex(tree.root()), roots[i]) << i;
  }
}

TEST(Merkle, GrowingTreeIsTheDefinitionAtEverySize) {
  auto all = leaves(130);
  Tree tree;
  for (std::size_t n = 0; n <= all.size(); ++n) {
    EXPECT_EQ(tree.root(), by_definition(std::span(all).first(n)));
    auto back = Tree::from_text(tree.to_text());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->root(), tree.root());
    if (n < all.size()) tree.append(all[n]);
  }
}

TEST(Merkle, StoredTreeThatIsNotOneIsRefused) {
  for (auto text : {"", "{}", "[]", R"({"size":1,"peaks":[]})", R"({"size":-1,"peaks":[]})",
                    R"({"size":1,"peaks":["00"]})", R"({"size":1,"peaks":[1]})", R"({"size":"1","peaks":[]})"})
    EXPECT_FALSE(Tree::from_text(text).has_value()) << text;
}

TEST(Merkle, EveryInclusionProofHoldsAndNoOtherLeafPassesWithIt) {
  for (std::size_t n = 1; n <= 33; ++n) {
    auto all = leaves(n);
    auto root = root_of(all);
    for (std::size_t i = 0; i < n; ++i) {
      auto proof = inclusion_proof(all, i);
      EXPECT_TRUE(verify_inclusion(i, n, all[i], proof, root));
      EXPECT_FALSE(verify_inclusion(i, n, leaf_hash("other"), proof, root));
      EXPECT_FALSE(verify_inclusion(n, n, all[i], proof, root));
      if (n > 1) EXPECT_FALSE(verify_inclusion((i + 1) % n, n, all[i], proof, root));
      auto longer = proof;
      longer.push_back(root);
      EXPECT_FALSE(verify_inclusion(i, n, all[i], longer, root));
      if (!proof.empty()) {
        proof.back()[0] ^= 1;
        EXPECT_FALSE(verify_inclusion(i, n, all[i], proof, root));
        proof.pop_back();
        EXPECT_FALSE(verify_inclusion(i, n, all[i], proof, root));
      }
    }
  }
}

}  // namespace
}  // namespace schakel::audit
