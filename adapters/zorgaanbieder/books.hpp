// What the undecided declarations of one sender hold, and what look_around and book ask and write many rows at a time.
#pragma once
#include <array>
#include <set>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/formats/ijw.hpp"

namespace schakel::zorgaanbieder {

/// The names of references, debits and credits that one declaration claims, as parts of their hashes: 12 bytes each, so
/// that the claims of 50,000 lines are one row of 1.6 MB and tell nothing about anybody. Two names that are not the
/// same meet once in 10^18 pairs of such declarations.
class Marks {
 public:
  static constexpr std::size_t kBytes = 12;
  void add(std::string_view name) { sorted_.push_back(mark(name)), ready_ = false; }
  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] bool empty() const { return sorted_.empty(); }
  /// As text, and back; nothing where the text is none of ours.
  [[nodiscard]] std::string packed();
  [[nodiscard]] static Marks unpack(std::string_view text);
  /// What is in both.
  [[nodiscard]] static Marks common(Marks& a, Marks& b);
  void join(const Marks& other);

 private:
  using Mark = std::array<std::uint8_t, kBytes>;
  [[nodiscard]] static Mark mark(std::string_view name);
  void sort();
  std::vector<Mark> sorted_;
  bool ready_ = true;
};

/// What undecided declarations hold of what a new one asks for.
struct Claims {
  Marks taken;
  std::set<std::string> open;  ///< keys of those declarations
  [[nodiscard]] bool hold(std::string_view name) const { return !taken.empty() && taken.contains(name); }
};

[[nodiscard]] std::string ref_key(const std::string& agb, const std::string& reference);
/// The one debit that may stand for this (TR389).
[[nodiscard]] std::string debit_key(const std::string& agb, const formats::IjwPrestatie& line);
/// That a line which was granted is taken back (TR390).
[[nodiscard]] std::string credit_mark(const std::string& agb, const std::string& reference);

}  // namespace schakel::zorgaanbieder
