#include "core/outbox/policy.hpp"

#include <gtest/gtest.h>

namespace schakel::outbox {
namespace {
using namespace std::chrono_literals;

TEST(RetryPolicy, StepsDoubleUpToTheCapAndJitterStaysInside) {
  RetryPolicy p;
  for (int attempt = 1; attempt < 100; ++attempt)
    for (double random : {0.0, 0.3, 0.999}) {
      auto d = delay_after(p, attempt, random, std::nullopt);
      EXPECT_LE(d, p.cap);
      EXPECT_GE(d, p.first / 2);
    }
  EXPECT_LT(delay_after(p, 1, 0.9, std::nullopt), delay_after(p, 3, 0.0, std::nullopt) + 1ms);
}

TEST(RetryPolicy, RetryAfterOfTheTargetWinsWhenLaterButNotBeyondTheCap) {
  RetryPolicy p;
  EXPECT_EQ(delay_after(p, 1, 0, 120s), milliseconds(120s));
  EXPECT_EQ(delay_after(p, 1, 0, std::chrono::seconds(1000000)), p.cap);
}

TEST(RetryPolicy, ADeadLetterNeedsBothAttemptsAndAge) {
  RetryPolicy p;
  Instant t{};
  EXPECT_FALSE(used_up(p, 100, t, t + 1h));
  EXPECT_FALSE(used_up(p, 7, t, t + 48h));
  EXPECT_TRUE(used_up(p, 8, t, t + 24h));
}

TEST(Breaker, OpensAfterFailuresProbesOnceAndClosesAfterSuccess) {
  Breaker b(3, 30s);
  Instant t{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(b.allow(t));
    b.failed(t);
  }
  EXPECT_FALSE(b.allow(t + 29s));
  EXPECT_TRUE(b.allow(t + 30s));
  EXPECT_FALSE(b.allow(t + 30s)) << "one probe at a time";
  b.failed(t + 31s);
  EXPECT_FALSE(b.allow(t + 60s));
  EXPECT_TRUE(b.allow(t + 61s));
  b.succeeded();
  EXPECT_TRUE(b.allow(t + 61s));
  EXPECT_TRUE(b.allow(t + 61s));
}

}  // namespace
}  // namespace schakel::outbox
