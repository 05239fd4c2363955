#include "core/base/money.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <numeric>
#include <random>

namespace schakel {
namespace {

Cents total(std::span<const Cents> parts) { return std::accumulate(parts.begin(), parts.end(), Cents{}); }

TEST(Money, DecimalTextBecomesTheSameCentsAndBack) {
  EXPECT_EQ(parse_cents("281.17")->value(), 28117);
  EXPECT_EQ(parse_cents("-0.01")->value(), -1);
  EXPECT_EQ(parse_cents("5")->value(), 500);
  EXPECT_EQ(parse_cents("5.1")->value(), 510);
  EXPECT_EQ(parse_cents(".5")->value(), 50);
  EXPECT_EQ(parse_cents("-0")->value(), 0);
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> any(-Cents::kLimit, Cents::kLimit);
  for (int i = 0; i < 20'000; ++i) {
    Cents c{any(random)};
    ASSERT_EQ(parse_cents(format_cents(c)).value(), c);
  }
}

TEST(Money, TextThatIsNotAnAmountIsRefusedWithItsReason) {
  for (auto text : {"", " 1", "1 ", "1,00", "1e3", "--1", "+-1", "0x10", "1.2.3", ".", "-", "NaN", "\xC2\xA0", "1\n"})
    EXPECT_EQ(parse_cents(text).error().code, "AMOUNT_FORMAT") << text;
  EXPECT_EQ(parse_cents("1.000").error().code, "AMOUNT_DECIMALS");
  EXPECT_EQ(parse_cents("0.005").error().code, "AMOUNT_DECIMALS");
  EXPECT_EQ(parse_cents("100000000000.01").error().code, "AMOUNT_RANGE");
  EXPECT_EQ(parse_cents(std::string(5000, '9')).error().code, "AMOUNT_RANGE");
  EXPECT_EQ(parse_cents("-99999999999999999999").error().code, "AMOUNT_RANGE");
}

TEST(Money, OverflowIsAnErrorNotAWrap) {
  Cents big{std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(checked_add(big, Cents{1}).error().code, "AMOUNT_RANGE");
  std::array parts{big, Cents{1}};
  EXPECT_EQ(sum(parts).error().code, "AMOUNT_RANGE");
  EXPECT_DEATH(static_cast<void>(big + Cents{1}), "assertion failed");
  EXPECT_EQ(Cents::from(Cents::kLimit + 1).error().code, "AMOUNT_RANGE");
  EXPECT_EQ(format_cents(Cents{std::numeric_limits<std::int64_t>::min()}), "-92233720368547758.08");
}

TEST(Money, EuroForPeopleIsDutch) {
  EXPECT_EQ(format_euro(Cents{123456789}), "€\u00a01.234.567,89");
  EXPECT_EQ(format_euro(Cents{-1}), "€\u00a0-0,01");
  EXPECT_EQ(format_euro(Cents{99999}), "€\u00a0999,99");
}

TEST(Money, FiftyFiftyKeepsTheOddCentWithTheGemeente) {
  EXPECT_EQ(split_50_50(Cents{10001}), (Halves{Cents{5000}, Cents{5001}}));
  EXPECT_EQ(split_50_50(Cents{1}), (Halves{Cents{0}, Cents{1}}));
  EXPECT_EQ(split_50_50(Cents{10001}, OddCent::swv), (Halves{Cents{5001}, Cents{5000}}));
  EXPECT_EQ(alternate_odd_cent(0), OddCent::gemeente);
  EXPECT_EQ(alternate_odd_cent(1), OddCent::swv);
  EXPECT_EQ(alternate_odd_cent(2), OddCent::gemeente);
  EXPECT_EQ(half_floor(Cents{-1}), Cents{-1});
}

TEST(Money, BasisPointsGiveTheExampleOfTheRules) {
  std::array<std::uint32_t, 2> bp{6000, 4000};
  EXPECT_EQ(split_basis_points(Cents{123457}, bp).value(), (std::vector{Cents{74074}, Cents{49383}}));
}

TEST(Money, TiesGoToTheFirstInTheGivenOrder) {
  std::array<std::uint32_t, 2> half{5000, 5000};
  EXPECT_EQ(split_basis_points(Cents{1}, half).value(), (std::vector{Cents{1}, Cents{0}}));
  std::array<std::uint32_t, 4> quarter{2500, 2500, 2500, 2500};
  EXPECT_EQ(split_basis_points(Cents{2}, quarter).value(), (std::vector{Cents{1}, Cents{1}, Cents{0}, Cents{0}}));
}

TEST(Money, SharesThatAreNotAWholeAreRefused) {
  std::array<std::uint32_t, 2> less{6000, 3999}, wraps{4294967295U, 10001};
  EXPECT_EQ(split_basis_points(Cents{1}, less).error().code, "SHARES_INVALID");
  EXPECT_EQ(split_basis_points(Cents{1}, wraps).error().code, "SHARES_INVALID");
  EXPECT_EQ(split_basis_points(Cents{1}, {}).error().code, "SHARES_INVALID");
  std::array<std::uint32_t, 1> all{10000};
  EXPECT_EQ(split_basis_points(Cents{-1}, all).error().code, "AMOUNT_NEGATIVE");
}

TEST(Money, AnySharesAddUpAndAreWithinACentOfTheExactPart) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint32_t> bp;
    std::uint32_t left = 10'000;
    for (auto n = random() % 4; n > 0 && left > 0; --n) {
      bp.push_back(static_cast<std::uint32_t>(random() % (left + 1)));
      left -= bp.back();
    }
    bp.push_back(left);
    Cents amount{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(Cents::kLimit))};
    auto shares = split_basis_points(amount, bp);
    ASSERT_TRUE(shares);
    ASSERT_EQ(total(*shares), amount);
    for (std::size_t i = 0; i < bp.size(); ++i) {
      auto exact = static_cast<__int128>(amount.value()) * bp[i];
      auto off = static_cast<__int128>((*shares)[i].value()) * 10'000 - exact;
      ASSERT_TRUE(off > -10'000 && off < 10'000);
    }
  }
}

TEST(Money, LinesAddUpToTheSplitOfTheTotal) {
  std::array lines{Cents{28117}, Cents{1}};
  EXPECT_EQ(swv_half_of_lines(lines), (std::vector{Cents{14058}, Cents{1}}));
  EXPECT_EQ(gemeente_half_of_lines(lines), (std::vector{Cents{14059}, Cents{0}}));
  std::mt19937_64 random(17);
  for (int round = 0; round < 5'000; ++round) {
    std::vector<Cents> any(random() % 20);
    for (auto& line : any) line = Cents{static_cast<std::int64_t>(random() % 100'000)};
    auto odd = random() % 2 ? OddCent::swv : OddCent::gemeente;
    auto swv = swv_half_of_lines(any, odd), gemeente = gemeente_half_of_lines(any, odd);
    auto whole = split_50_50(total(any), odd);
    ASSERT_EQ(total(swv), whole.swv);
    ASSERT_EQ(total(gemeente), whole.gemeente);
    for (std::size_t i = 0; i < any.size(); ++i) ASSERT_EQ(swv[i] + gemeente[i], any[i]);
  }
}

TEST(Money, ProportionDoesNotOverflowOnTheWay) {
  EXPECT_EQ(proportion_floor(Cents{Cents::kLimit}, Cents::kLimit - 1, Cents::kLimit)->value(), Cents::kLimit - 1);
  EXPECT_EQ(proportion_floor(Cents{100}, 1, 3)->value(), 33);
  EXPECT_EQ(proportion_floor(Cents{100}, 1, 0).error().code, "AMOUNT_RATIO");
  EXPECT_EQ(proportion_floor(Cents{100}, 4, 3).error().code, "AMOUNT_RATIO");
  EXPECT_EQ(proportion_floor(Cents{-1}, 1, 3).error().code, "AMOUNT_RATIO");
}

TEST(Money, MinutesAreHalvedWithTheRestForTheGemeente) { EXPECT_EQ(split_minutes(241), (MinuteHalves{120, 121})); }

TEST(Money, JsonHoldsIntegerCentsOnly) {
  EXPECT_EQ(nlohmann::json(Cents{28117}).dump(), "28117");
  EXPECT_EQ(nlohmann::json(28117).get<Cents>(), Cents{28117});
  EXPECT_THROW(static_cast<void>(nlohmann::json(281.17).get<Cents>()), nlohmann::json::type_error);
  EXPECT_THROW(static_cast<void>(nlohmann::json("1").get<Cents>()), nlohmann::json::type_error);
}

}  // namespace
}  // namespace schakel
