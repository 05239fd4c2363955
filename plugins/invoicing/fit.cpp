#include "plugins/invoicing/fit.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>

#include "core/base/assert.hpp"

namespace schakel::invoicing {
namespace {

using Amounts = std::vector<std::int64_t>;

/// A cent beyond what is left costs more than all the cents that a cycle of three rows can bring nearer to `wanted`.
constexpr std::int64_t kBeyond = 16;

/// Parts that add up, whatever they cost. A row below zero comes first, and what it adds to its column is shared with
/// the rest.
std::vector<Amounts> any_parts(const std::vector<FitRow>& rows, Amounts columns, std::size_t may_ask) {
  std::vector<Amounts> out(rows.size(), Amounts(columns.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].sum >= 0) continue;
    auto begin = rows[i].wanted.begin();
    auto least = std::min_element(begin, begin + static_cast<std::ptrdiff_t>(may_ask)) - begin;
    out[i][static_cast<std::size_t>(least)] = rows[i].sum;
    columns[static_cast<std::size_t>(least)] -= rows[i].sum;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::int64_t rest = rows[i].sum;
    if (rest <= 0) continue;
    // What it wants first, then wherever there is something left.
    for (bool wanted : {true, false})
      for (std::size_t j = 0; j < columns.size(); ++j) {
        std::int64_t most = wanted ? std::clamp<std::int64_t>(rows[i].wanted[j], 0, columns[j]) : columns[j];
        std::int64_t part = std::min(rest, most);
        out[i][j] += part, columns[j] -= part, rest -= part;
      }
    SCHAKEL_ASSERT(rest == 0);
  }
  return out;
}

/// What a part costs; nothing where it may not be that.
std::optional<std::int64_t> cost_of(const FitRow& row, std::size_t column, std::size_t may_ask, std::int64_t part) {
  if (row.sum == 0 || (row.sum < 0 && column >= may_ask)) {
    if (part != 0) return {};
  } else if ((row.sum > 0 && part < 0) || (row.sum < 0 && part > 0)) {
    return {};  // of another sign than its row
  }
  std::int64_t off = part - row.wanted[column], beyond = part - row.left[column];
  return (off < 0 ? -off : off) + kBeyond * std::max<std::int64_t>(beyond, 0);
}

struct Fitting {
  const std::vector<FitRow>& rows;
  std::size_t may_ask;
  std::vector<Amounts> at;

  /// What `cents` more, or less where they are below zero, cost in a part.
  std::optional<std::int64_t> change(std::size_t row, std::size_t column, std::int64_t cents) const {
    auto now = cost_of(rows[row], column, may_ask, at[row][column]),
         then = cost_of(rows[row], column, may_ask, at[row][column] + cents);
    if (!now || !then) return {};
    return *then - *now;
  }

  /// The column in which cents go cheapest from one row to another.
  struct Move {
    std::size_t column = 0;
    std::int64_t cost = 0;
  };
  std::optional<Move> move(std::size_t from, std::size_t to, std::int64_t cents) const {
    std::optional<Move> best;
    for (std::size_t j = 0; j < at[from].size(); ++j) {
      auto less = change(from, j, -cents), more = change(to, j, cents);
      if (less && more && (!best || *less + *more < best->cost)) best = Move{j, *less + *more};
    }
    return best;
  }

  /// Sends so many cents round through these rows, so that every sum stays, when that costs less than nothing.
  bool improve(std::span<const std::size_t> ring, std::int64_t cents) {
    std::array<Move, 3> moves;
    std::int64_t cost = 0;
    for (std::size_t k = 0; k < ring.size(); ++k) {
      auto m = move(ring[k], ring[(k + 1) % ring.size()], cents);
      if (!m) return false;
      moves[k] = *m, cost += m->cost;
    }
    if (cost >= 0) return false;
    for (std::size_t k = 0; k < ring.size(); ++k) {
      at[ring[k]][moves[k].column] -= cents;
      at[ring[(k + 1) % ring.size()]][moves[k].column] += cents;
    }
    return true;
  }

  /// The largest amount there is.
  std::int64_t largest() const {
    std::int64_t out = 1;
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (const Amounts* all : {&at[i], &rows[i].wanted, &rows[i].left})
        for (std::int64_t x : *all) out = std::max(out, x < 0 ? -x : x);
    return out;
  }
};

}  // namespace

std::vector<std::vector<std::int64_t>> fit(const std::vector<FitRow>& rows, std::vector<std::int64_t> columns,
                                           std::size_t may_ask) {
  SCHAKEL_ASSERT(rows.size() <= 3);
  Fitting parts{rows, may_ask, any_parts(rows, std::move(columns), may_ask)};
  // The cost of a part is convex, so parts cost the least once no ring of rows can better them by a cent; of three rows
  // there are these. Large steps first: then few of each size are needed, however large the amounts are.
  static constexpr std::array<std::array<std::size_t, 2>, 3> kPairs{{{0, 1}, {0, 2}, {1, 2}}};
  static constexpr std::array<std::array<std::size_t, 3>, 2> kRings{{{0, 1, 2}, {0, 2, 1}}};
  for (auto cents = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(parts.largest()))); cents > 0;
       cents /= 2)
    for (bool better = true; better;) {
      better = false;
      for (const auto& pair : kPairs)
        if (pair[1] < rows.size()) better = parts.improve(pair, cents) || better;
      if (rows.size() == 3)
        for (const auto& ring : kRings) better = parts.improve(ring, cents) || better;
    }
  return std::move(parts.at);
}

}  // namespace schakel::invoicing
