// An answer that cannot be sent is neither lost nor unseen, and a declaration of thousands of pupils is not read again
// at each of their decisions.
#include "tests/unit/adapters/declaration_desk.hpp"

namespace schakel::test {
namespace {

std::unique_ptr<PluginBench> desk_that_posts() {
  auto config = declaration_config();
  config.erase("answer_folder");
  config["answer_url"] = "https://aanbieder.example/jw325";
  auto bench = std::make_unique<PluginBench>("zorgaanbieder", config);
  fs::create_directories(bench->folder() + "/in");
  bench->world.case_by_bsn = {{"999990019", "zaak-1"}, {"999990020", "zaak-2"}};
  return bench;
}

int rows(PluginBench& bench, const std::string& prefix) {
  return static_cast<int>(
      std::ranges::count_if(bench.world.progress, [&](const auto& row) { return row.first.starts_with(prefix); }));
}

TEST(UnsentAnswer, StaysUntilItIsSentHoweverLongThatTakes) {
  auto bench = desk_that_posts();
  int status = 503;
  bench->world.partner = [&](const HttpRequest&) { return HttpReply{status, {}, {}}; };
  auto reply = declare(*bench, "A1", "D1", {{"999990019", {line("P1", 100)}}});
  ASSERT_EQ(reply.status, 202);
  std::string id = Json::parse(reply.body)["antwoord"];
  EXPECT_EQ(bench->send(decision(bench->world.events.at(0)["id"], "delivered"))->verdict, Verdict::retry_later);
  EXPECT_EQ(rows(*bench, "unsent/"), 1);
  // Far beyond keep_answer_days, and refused for good in between.
  for (int day = 0; day < 70; ++day) {
    status = day == 10 ? 400 : 503;
    bench->clock.advance(std::chrono::hours(24));
    ASSERT_TRUE(bench->poll());
  }
  EXPECT_EQ(rows(*bench, "unsent/"), 1);
  EXPECT_EQ(rows(*bench, "jw325/"), 1);
  EXPECT_NE(bench->log_text().find("zorgaanbieder.answers_unsent"), std::string::npos);

  status = 200;
  bench->clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(rows(*bench, "unsent/"), 0);
  auto posts = bench->world.requests.size();
  bench->clock.advance(std::chrono::hours(2));
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.requests.size(), posts) << "once";
  EXPECT_EQ(rows(*bench, "jw325/"), 0) << "its time was over, and it is sent";
  EXPECT_EQ(rows(*bench, "drop/"), 0);
}

TEST(LargeDeclaration, DecisionsDoNotReadItAgainAndEveryLineIsAnswered) {
  auto bench = fresh_desk();
  std::vector<IjwClient> pupils;
  std::map<std::string, std::string> cases;
  for (int n = 0; n < 300; ++n) {
    std::string bsn;
    for (int check = 0; check < 10 && bsn.empty(); ++check)
      if (auto b = fmt::format("9999{:04}{}", n, check); formats::valid_bsn(b)) bsn = b;
    if (bsn.empty()) continue;
    IjwClient c;
    c.bsn = bsn;
    auto l = line(fmt::format("P{}", n).c_str(), 100 + n);
    l.toewijzing = 20000 + n;
    c.prestaties.push_back(l);
    pupils.push_back(c);
    if (n % 3 != 0) cases[bsn] = fmt::format("zaak-{}", n);
  }
  bench->world.case_by_bsn = cases;
  ASSERT_EQ(declare(*bench, "A1", "D1", pupils).status, 202);
  ASSERT_TRUE(bench->poll());  // so many are handed over after the 202
  ASSERT_EQ(bench->world.events.size(), cases.size());
  EXPECT_EQ(rows(*bench, "event/"), 0) << "what was handed over is not kept a second time";
  // In order, as they were handed over, with a refusal here and there.
  std::int64_t granted = 0;
  int before = 0;
  for (std::size_t i = 0; i < bench->world.events.size(); ++i) {
    const Json e = bench->world.events[i];
    bool refused = i % 7 == 0;
    if (!refused)
      for (const auto& l : e["data"]["lines"]) granted += l["cents"].get<std::int64_t>();
    before = bench->awaits();
    ASSERT_EQ(bench->send(decision(e["id"], refused ? "blocked" : "delivered", {"FUNDING_NOT_AGREED"}))->verdict,
              Verdict::delivered);
    // Its own state twice, and that of the one that is waited for.
    if (i > 0 && i + 1 < bench->world.events.size()) EXPECT_LE(bench->awaits() - before, 6) << i;
  }
  auto answer = only_answer(*bench);
  EXPECT_EQ(answer.antwoord->toegekend, Cents(granted));
  EXPECT_EQ(answer.antwoord->clienten.size(), pupils.size() - cases.size() + (cases.size() + 6) / 7);
  EXPECT_EQ(rows(*bench, "body/"), 0);
}

}  // namespace
}  // namespace schakel::test
