#include "plugins/invoicing/fit.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>

#include "core/base/assert.hpp"

namespace schakel::invoicing {
namespace {

using Amounts = std::vector<std::int64_t>;

/// A cent beyond what is left costs more than all the cents that a cycle of three rows can bring nearer to `wanted`.
constexpr std::int64_t kBeyond = 16;
constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

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

/// What one cent more or less in a part costs, and for how many cents that holds.
struct Slope {
  std::int64_t cost = 0, cents = 0;  ///< no cents: it may not move this way
};

struct Fitting {
  const std::vector<FitRow>& rows;
  std::size_t may_ask;
  std::vector<Amounts> at;

  Slope slope(std::size_t i, std::size_t j, bool more) const {
    const FitRow& row = rows[i];
    std::int64_t x = at[i][j], wanted = row.wanted[j], left = row.left[j], room = kNoEnd;
    if (row.sum == 0 || (row.sum < 0 && j >= may_ask)) return {};
    // No part has another sign than its row.
    if (row.sum > 0 && !more) room = x;
    if (row.sum < 0 && more) room = -x;
    if (room == 0) return {};
    std::int64_t cost = 0;
    auto bend = [&](std::int64_t point, std::int64_t before, std::int64_t after) {
      bool beyond = more ? x >= point : x > point;
      cost += (more ? 1 : -1) * (beyond ? after : before);
      std::int64_t gap = more ? point - x : x - point;
      if (gap > 0) room = std::min(room, gap);
    };
    bend(wanted, -1, 1);
    bend(left, 0, kBeyond);
    return {cost, room};
  }

  /// The column in which a cent goes cheapest from one row to another.
  struct Move {
    std::size_t column = 0;
    Slope slope;
  };
  std::optional<Move> move(std::size_t from, std::size_t to) const {
    std::optional<Move> best;
    for (std::size_t j = 0; j < at[from].size(); ++j) {
      Slope less = slope(from, j, false), more = slope(to, j, true);
      if (less.cents == 0 || more.cents == 0) continue;
      Slope both{less.cost + more.cost, std::min(less.cents, more.cents)};
      if (!best || both.cost < best->slope.cost) best = Move{j, both};
    }
    return best;
  }

  /// Sends cents round through these rows, so that every sum stays, when that costs less than nothing.
  bool improve(std::span<const std::size_t> ring) {
    std::array<Move, 3> moves;
    std::int64_t cost = 0, cents = kNoEnd;
    for (std::size_t k = 0; k < ring.size(); ++k) {
      auto m = move(ring[k], ring[(k + 1) % ring.size()]);
      if (!m) return false;
      moves[k] = *m;
      cost += m->slope.cost, cents = std::min(cents, m->slope.cents);
    }
    if (cost >= 0) return false;
    for (std::size_t k = 0; k < ring.size(); ++k) {
      at[ring[k]][moves[k].column] -= cents;
      at[ring[(k + 1) % ring.size()]][moves[k].column] += cents;
    }
    return true;
  }
};

}  // namespace

std::vector<std::vector<std::int64_t>> fit(const std::vector<FitRow>& rows, std::vector<std::int64_t> columns,
                                           std::size_t may_ask) {
  SCHAKEL_ASSERT(rows.size() <= 3);
  Fitting parts{rows, may_ask, any_parts(rows, std::move(columns), may_ask)};
  // The cost of a part is convex, so parts cost the least once no ring of rows can better them; of three rows there are
  // these.
  static constexpr std::array<std::array<std::size_t, 2>, 3> kPairs{{{0, 1}, {0, 2}, {1, 2}}};
  static constexpr std::array<std::array<std::size_t, 3>, 2> kRings{{{0, 1, 2}, {0, 2, 1}}};
  for (bool better = true; better;) {
    better = false;
    for (const auto& pair : kPairs)
      if (pair[1] < rows.size()) better = parts.improve(pair) || better;
    if (rows.size() == 3)
      for (const auto& ring : kRings) better = parts.improve(ring) || better;
  }
  return std::move(parts.at);
}

}  // namespace schakel::invoicing
