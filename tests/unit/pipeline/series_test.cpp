// Number series: without gaps or repeats, whoever decides at the same time and whatever copy was put back.
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

namespace fs = std::filesystem;

TEST(Series, ACopyCountsOnInAnEpochOfItsOwn) {
  ManualClock clock{parse_instant("2026-10-20T09:00:00Z").value()};
  auto disk = store::SqliteStore::open(":memory:", clock).value();
  EXPECT_FALSE(run_now(pipeline::continue_series(*disk, clock.now())).value());
  ASSERT_TRUE(run_now(pipeline::mark_copy(*disk, true)));
  ASSERT_TRUE(run_now(pipeline::mark_copy(*disk, false)));
  EXPECT_FALSE(run_now(pipeline::continue_series(*disk, clock.now())).value())
      << "the store that was copied goes on as before";
  ASSERT_TRUE(run_now(pipeline::mark_copy(*disk, true)));
  EXPECT_TRUE(run_now(pipeline::continue_series(*disk, clock.now())).value());
  EXPECT_FALSE(run_now(pipeline::continue_series(*disk, clock.now())).value()) << "once";
  auto row = run_now(disk->row("register", "series-epoch")).value();
  ASSERT_TRUE(row);
  EXPECT_EQ(as_text(row->value), "1");
  EXPECT_EQ(run_now(disk->stats()).value().unsequenced, 1) << "the epoch has its leaf";
}

/// Kop van Noord-Holland where the gemeente numbers its own invoices.
const Profiles& with_series() {
  static const Profiles made = [] {
    Profiles all = MoneyRoad::regions();
    Json source = all.at("KNH")->source();
    source["region"]["settings"]["money.number_series"] = {{"value", {{"gemeente", "GA"}}}, {"why", "test"}};
    auto one = Profile::from_source(source);
    if (!one)
      throw std::runtime_error(one.error().findings.empty() ? one.error().code : one.error().findings[0].pointer);
    all["KNH"] = *one;
    return all;
  }();
  return made;
}

struct Numbered : MoneyRoad {
  Numbered() {
    profiles = with_series();
    restart();
  }
  void add(int n) {
    auto opening = message(fmt::format("open{}", n), "zaak_opening", {{"agreed", true}}, "school_ib", "gem");
    opening.subject = fmt::format("Z-{}", n);
    auto invoice = factuur(fmt::format("F{}", n), 30001);
    invoice.subject = opening.subject;
    if (!accept(opening) || !accept(invoice)) throw std::runtime_error("not accepted");
  }
  /// Numbers of the series that were given out.
  std::vector<std::string> numbers() {
    std::vector<std::string> out;
    for (const auto& row : run_now(disk->rows("invoice.out", "", "", 1000)).value()) {
      auto number = Json::parse(row.value.begin(), row.value.end()).value("nummer", "");
      if (number.starts_with("GA")) out.push_back(number);
    }
    std::ranges::sort(out);
    return out;
  }
};

TEST(Series, TwoProcessesOnOneDatabaseGiveOutEveryNumberOnce) {
  Numbered road;
  constexpr int kInvoices = 40;
  for (int n = 1; n <= kInvoices; ++n) road.add(n);
  // Each has its own pipeline and memory; only the database is one. They step at the same time on one executor.
  MoneyRoad::Process a(road), b(road);
  boost::asio::io_context io{1};
  int idle = 0;
  auto work = [](pipeline::Pipeline& pipeline, int& done) -> Task<void> {
    // A commit that another process was before of fails and is decided again: at the end nothing is left for either.
    for (int round = 0; round < 400; ++round) {
      auto step = co_await pipeline.step();
      if (step && *step == 0) break;
    }
    ++done;
  };
  for (auto* p : {&a, &b}) boost::asio::co_spawn(io, work(p->pipeline, idle), boost::asio::detached);
  io.run_for(std::chrono::seconds(60));
  ASSERT_EQ(idle, 2);
  ASSERT_EQ(run_now(road.disk->stats()).value().undecided, 0);
  auto numbers = road.numbers();
  ASSERT_EQ(numbers.size(), static_cast<std::size_t>(kInvoices));
  for (int n = 1; n <= kInvoices; ++n)
    EXPECT_EQ(numbers[static_cast<std::size_t>(n - 1)], fmt::format("GA2026-{:06}", n)) << "no gap and no repeat";
}

TEST(Series, ARestoredCopyRepeatsNoNumberOfTheOriginal) {
  auto folder = fs::temp_directory_path() / fmt::format("schakel-series-{}", ::getpid());
  fs::create_directories(folder);
  auto copy = (folder / "copy.db").string();
  Numbered original;
  original.add(1);
  original.add(2);
  original.run();
  ASSERT_TRUE(run_now(pipeline::mark_copy(*original.disk, true)));
  ASSERT_TRUE(run_now(original.disk->backup(copy)));
  ASSERT_TRUE(run_now(pipeline::mark_copy(*original.disk, false)));
  // The original goes on; what it gives out now is not in the copy.
  original.add(3);
  original.add(4);
  original.run();
  EXPECT_EQ(original.numbers(),
            (std::vector<std::string>{"GA2026-000001", "GA2026-000002", "GA2026-000003", "GA2026-000004"}));
  {
    Numbered restored;
    restored.process.reset();
    restored.disk = store::SqliteStore::open(copy, restored.clock).value();
    restored.restart();
    EXPECT_TRUE(run_now(pipeline::continue_series(*restored.disk, restored.clock.now())).value());
    restored.add(3);  // the provider sends it again
    restored.add(5);
    restored.run();
    auto after = restored.numbers();
    EXPECT_EQ(after,
              (std::vector<std::string>{"GA2026-000001", "GA2026-000002", "GA2026R1-000001", "GA2026R1-000002"}));
    auto given = original.numbers();
    for (const auto& number : after)
      EXPECT_EQ(std::ranges::find(given, number) != given.end(), !number.starts_with("GA2026R1")) << number;
    restored.process.reset();
    restored.disk->close();
  }
  fs::remove_all(folder);
}

TEST(Series, ACrashAtAnyCommitLeavesNoGap) {
  int commits = 0;
  {
    Numbered road;
    for (int n = 1; n <= 3; ++n) road.add(n);
    road.run();
    commits = road.process->store.commits;
  }
  for (int n = 7; n <= commits; ++n)
    for (bool after : {false, true}) {
      Numbered road;
      for (int i = 1; i <= 3; ++i) road.add(i);
      road.process->store.die_at = n;
      road.process->store.die_after = after;
      road.run();
      road.restart();
      ASSERT_TRUE(run_now(road.process->dispatcher.recover()));
      road.run();
      EXPECT_EQ(road.numbers(), (std::vector<std::string>{"GA2026-000001", "GA2026-000002", "GA2026-000003"})) << n;
    }
}

/// Two gemeenten in one region, each with a series of its own.
struct TwoTowns : Numbered {
  explicit TwoTowns(bool both = true) { have(both); }
  void have(bool both) {
    Json j = directory();
    j["parties"][0]["serves"] = {{"gemeenten", {"Zandoever"}}};
    if (both) {
      Json other = j["parties"][0];
      other["id"] = other["invoice"]["name"] = "gem-2";
      other["serves"] = {{"gemeenten", {"Elders"}}};
      other["endpoints"][0]["adapter"] = "to_gem-2";
      j["parties"].push_back(other);
    }
    parties = std::make_shared<Parties>(Parties::read(j).value());
    restart();
  }
  void add_in(int n, const char* town) {
    Json payload{{"agreed", true}};
    if (*town) payload["town"] = town;
    auto opening = message(fmt::format("open{}", n), "zaak_opening", payload, "school_ib", "gem");
    opening.subject = fmt::format("Z-{}", n);
    auto invoice = factuur(fmt::format("F{}", n), 30001);
    invoice.subject = opening.subject;
    if (!accept(opening) || !accept(invoice)) throw std::runtime_error("not accepted");
    run();
  }
  /// Of a case: number of the re-invoice, in whose name, and to which adapter the other half went.
  std::string of(int n) {
    std::string number, seller, target, code;
    for (const auto& d : invoices()) {
      if (d.case_id != fmt::format("Z-{}", n)) continue;
      auto body = partners.body(d)["body"]["invoice"];
      if (d.role == "swv_financien") number = body["number"], seller = body.value("seller_party", "nobody");
      if (d.role == "gemeente_financien") target = d.target, code = d.code;
    }
    return number + " " + seller + " " + (target.empty() ? code : target);
  }
};

TEST(Series, EachOfTwoCreditorsInARegionHasItsOwnWithoutGapsAndThePayerIsTheOneOfTheCase) {
  TwoTowns road;
  road.add_in(1, "Zandoever");
  road.add_in(2, "Elders");
  road.add_in(3, "Zandoever");
  EXPECT_EQ(road.of(1), "GA2026-000001 gem to_gem");
  EXPECT_EQ(road.of(2), "GA2026-000001 gem-2 to_gem-2");
  EXPECT_EQ(road.of(3), "GA2026-000002 gem to_gem");
  // The case does not say whose it is: nothing leaves in anybody's name, and no series has a hole for it.
  road.add_in(4, "");
  EXPECT_EQ(road.of(4), "DB-F4 nobody PARTY_AMBIGUOUS");
  for (const auto& d : road.invoices())
    EXPECT_EQ(d.case_id == "Z-4", d.state == store::DeliveryState::parked) << d.code;
  road.add_in(5, "Elders");
  EXPECT_EQ(road.of(5), "GA2026-000002 gem-2 to_gem-2");
  auto m = road.books();
  EXPECT_FALSE(m.closes());
  for (const auto& o : m.open) EXPECT_EQ(o.what + " " + o.code + " " + o.case_id, "ON_ITS_WAY PARTY_AMBIGUOUS Z-4");
  EXPECT_EQ(m.open.size(), 2U);
}

TEST(Series, ACreditIsNumberedInTheNameOfWhoMadeItsInvoiceAlsoAfterTheCaseMoved) {
  TwoTowns road;
  road.add_in(1, "Zandoever");
  road.add_in(2, "Elders");
  auto moved = road.message("moved", "zaak_opening", {{"agreed", true}, {"town", "Elders"}}, "school_ib", "gem");
  auto credit = road.creditnota("C1", "F1", 10000);
  ASSERT_TRUE(road.accept(moved) && road.accept(credit));
  road.run();
  std::set<std::string> credits;
  for (const auto& d : road.invoices()) {
    auto body = road.partners.body(d)["body"]["invoice"];
    if (body["credits"] == "GA2026-000001")
      credits.insert(body["number"].get<std::string>() + " " + body.value("seller_party", "nobody"));
  }
  EXPECT_EQ(credits, std::set<std::string>{"GA2026-000002 gem"});
  // Nobody's series has a gap or a number twice by it.
  road.add_in(3, "Zandoever");
  road.add_in(4, "Elders");
  EXPECT_EQ(road.of(3), "GA2026-000003 gem to_gem");
  EXPECT_EQ(road.of(4), "GA2026-000002 gem-2 to_gem-2");
}

/// What was made of a source: number, in whose name, to whom, cents.
std::string made_of(TwoTowns& road, const std::string& source) {
  for (const auto& d : road.invoices()) {
    auto b = road.partners.body(d)["body"]["invoice"];
    if (d.role != "swv_financien" || b["source_number"] != source) continue;
    return fmt::format("{} {} {} {}", b["number"].get<std::string>(), b.value("seller_party", "nobody"),
                       b.value("buyer_party", "nobody"), b["amount_cents"].get<std::int64_t>());
  }
  return "";
}

TEST(Series, TwoCreditorsWithOneNumberInOneCaseCreditEachItsOwn) {
  TwoTowns road;
  road.add_in(1, "Zandoever");
  ASSERT_TRUE(
      road.accept(road.message("moved", "zaak_opening", {{"agreed", true}, {"town", "Elders"}}, "school_ib", "gem")));
  road.run();
  for (const auto& m :
       {road.factuur("F2", 50001), road.creditnota("C1", "F1", 10000), road.creditnota("C2", "F2", 20000)}) {
    ASSERT_TRUE(road.accept(m));
    road.run();
  }
  EXPECT_EQ(made_of(road, "F1"), "GA2026-000001 gem swv 15000");
  EXPECT_EQ(made_of(road, "F2"), "GA2026-000001 gem-2 swv 25000");
  EXPECT_EQ(made_of(road, "C1"), "GA2026-000002 gem swv -5000");
  EXPECT_EQ(made_of(road, "C2"), "GA2026-000002 gem-2 swv -10000");
  auto m = road.books();
  EXPECT_TRUE(m.closes()) << month_view(m).dump(1);
}

TEST(Series, AHeldCreditOfBeforeTakesNoNumberFromTheInvoicesOfNow) {
  TwoTowns road;
  road.add_in(1, "Zandoever");
  auto state = [&](const char* id, bool agreed) {
    ASSERT_TRUE(
        road.accept(road.message(id, "zaak_opening", {{"agreed", agreed}, {"town", "Elders"}}, "school_ib", "gem")));
    road.run();
  };
  state("moved", false);
  ASSERT_TRUE(road.accept(road.creditnota("C1", "F1", 10000)));
  road.run();
  ASSERT_EQ(made_of(road, "C1"), "") << "held";
  state("agreed", true);
  ASSERT_TRUE(road.accept(road.factuur("F2", 50001)));
  road.run();
  EXPECT_EQ(made_of(road, "F2"), "GA2026-000001 gem-2 swv 25000");
}

TEST(Series, ASecondCreditorLaterUsesNoNumberOfTheFirstAgain) {
  TwoTowns road(false);
  road.add_in(1, "");
  road.add_in(2, "");
  EXPECT_EQ(road.of(2), "GA2026-000002 gem to_gem") << "one party needs no word of the case";
  road.have(true);
  road.add_in(3, "Zandoever");
  road.add_in(4, "Elders");
  EXPECT_EQ(road.of(3), "GA2026-000003 gem to_gem");
  EXPECT_EQ(road.of(4), "GA2026-000003 gem-2 to_gem-2");
  road.have(false);
  road.add_in(5, "");
  EXPECT_EQ(road.of(5), "GA2026-000004 gem to_gem") << "goes on with its own";
}

}  // namespace
}  // namespace schakel::test
