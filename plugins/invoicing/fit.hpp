// Parts of amounts that are given back: rows and columns as asked, near what is wanted. Pure arithmetic on cents.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace schakel::invoicing {

/// What one payer gets back.
struct FitRow {
  std::int64_t sum = 0;              ///< in all; below zero: it is asked for that much
  std::vector<std::int64_t> wanted;  ///< by column; need not add up to `sum`
  std::vector<std::int64_t> left;    ///< by column: what it was issued and did not get back yet
};

/// The parts, by row and column, of which every row adds up to its `sum` and every column to `columns` (the same
/// money), and none has another sign than its row; what a row below zero is asked is in the first `may_ask` columns.
///
/// Of all those it is one
/// - that takes the least beyond what is `left`: the sum of what is below zero in `left` less the parts is as small as
///   it can be. So where nothing of `left` is below zero and rows and columns are all that is left, it is `left`;
/// - and of these, one nearest to `wanted`, by the sum of the differences.
[[nodiscard]] std::vector<std::vector<std::int64_t>> fit(const std::vector<FitRow>& rows,
                                                         std::vector<std::int64_t> columns, std::size_t may_ask);

}  // namespace schakel::invoicing
