// What must hold of every decision, over random cases of every region: the same facts give the same decision, cases do
// not disturb each other, less consent never reaches more, and a withdrawal wins at its instant.
#include <fmt/format.h>

#include "tests/unit/properties/random_world.hpp"

namespace schakel::rules_test {
namespace {

struct Opened {
  CaseFile file;
  std::vector<Message> messages;
};

/// A case with its messages, not yet played.
Opened random_case(RandomWorld& world, const std::string& name, const Profile& profile, int count) {
  Opened out;
  Instant at = world.moment(world.day());
  Message m;
  m.id = name + "/0";
  m.subject = name;
  m.region = profile.region();
  m.type = "zaak_opening";
  m.sender_role = "broker";
  m.time = at;
  m.payload = world.given(at);
  out.messages.push_back(m);
  std::vector<std::string> sent;
  for (int i = 1; i <= count; ++i) {
    at += std::chrono::minutes(1 + static_cast<std::int64_t>(world.below(60L * 24 * 20)));
    out.messages.push_back(world.message(name, i, at, sent));
    sent.push_back(out.messages.back().id);
  }
  // Some things are said twice.
  if (count > 1 && world.below(8) == 0) {
    Message again = out.messages[1 + world.below(static_cast<std::size_t>(count) - 1)];
    again.seq = out.messages.back().seq;
    again.id = out.messages.back().id;
    again.time = out.messages.back().time;
    out.messages.back() = std::move(again);
  }
  return out;
}

Draft step(std::span<const Decider* const> deciders, CaseFile& file, const Message& m, const Profile& profile,
           Facts& registers) {
  Facts read;
  for (const std::string& key : registers_read(deciders, file, m, profile))
    if (auto it = registers.find(key); it != registers.end()) read.insert(*it);
  Draft d = decide(deciders, file, m, profile, read);
  apply(file, m, d);
  for (const RegisterWrite& w : d.registers) registers[w.key] = w.value;
  return d;
}

/// The recorded facts are the case file before a message, as it is stored, and the registers that were read.
TEST(RandomCases, RecordedFactsGiveTheSameDecisionInTenThousandCases) {
  auto deciders = in_order(scenario::test_deciders());
  std::map<Outcome, int> outcomes;
  std::set<std::string> cited, deciding;
  int decisions = 0, cases = 0;
  for (const auto& [region, profile] : profiles()) {
    for (const Rule& r : profile->all_rules()) deciding.insert(r.id);
    RandomWorld world(*profile, 20261122);
    for (int i = 0; i < 2000; ++i, ++cases) {
      auto c = random_case(world, fmt::format("{}-{}", region, i), *profile, 3);
      Facts registers;
      for (const Message& m : c.messages) {
        Json before = to_json(c.file);
        Facts read;
        for (const std::string& key : registers_read(deciders, c.file, m, *profile))
          if (auto it = registers.find(key); it != registers.end()) read.insert(*it);
        Draft first = step(deciders, c.file, m, *profile, registers);
        auto again = case_file_from(Json::parse(before.dump()));
        ASSERT_TRUE(again) << m.id;
        Draft second = decide(deciders, *again, m, *profile, read);
        ASSERT_TRUE(first == second) << m.id << ' ' << m.type;
        apply(*again, m, second);
        ASSERT_EQ(to_json(*again), to_json(c.file)) << m.id << ' ' << m.type;
        ++outcomes[first.outcome];
        ++decisions;
        for (const Explanation& e : first.explanation) cited.insert(e.rule.str());
      }
    }
    EXPECT_GT(world.overridden(), 100) << region;
  }
  EXPECT_EQ(cases, 10'000);
  // The generator is worth something only where decisions differ and nearly every rule is reached.
  EXPECT_GT(outcomes[Outcome::delivered], decisions / 5);
  EXPECT_GT(outcomes[Outcome::blocked], decisions / 10);
  for (Outcome o : {Outcome::held, Outcome::quarantined, Outcome::dropped_duplicate, Outcome::recorded})
    EXPECT_GT(outcomes[o], 0) << to_string(o);
  std::erase_if(deciding, [&](const std::string& id) { return cited.contains(id); });
  EXPECT_LT(deciding.size(), 20u) << fmt::format("rules that no random case reached: {}", fmt::join(deciding, ", "));
}

/// Two cases whose messages arrive mixed decide as they do one after the other; they share the registers of invoices.
TEST(RandomCases, DecisionsDoNotDependOnMessagesOfOtherCases) {
  auto deciders = in_order(scenario::test_deciders());
  for (const auto& [region, profile] : profiles()) {
    RandomWorld world(*profile, 7);
    for (int i = 0; i < 60; ++i) {
      std::vector<Opened> cases;
      for (const char* name : {"a", "b", "c"})
        cases.push_back(random_case(world, fmt::format("{}-{}-{}", region, i, name), *profile, 8));
      std::map<std::string, Json> alone;
      Facts registers;
      for (Opened c : cases)
        for (const Message& m : c.messages) alone[m.id] = Json(step(deciders, c.file, m, *profile, registers));
      Facts mixed;
      std::vector<std::size_t> next(cases.size(), 0);
      for (std::size_t left = cases.size() * 9; left > 0;) {
        std::size_t k = world.below(cases.size());
        if (next[k] == cases[k].messages.size()) continue;
        const Message& m = cases[k].messages[next[k]++];
        ASSERT_EQ(Json(step(deciders, cases[k].file, m, *profile, mixed)), alone.at(m.id)) << m.id << ' ' << m.type;
        --left;
      }
    }
  }
}

/// Taking a consent away, ending it, or making it cover less never adds a recipient, and never opens a link.
TEST(RandomCases, LessConsentNeverReachesMore) {
  auto deciders = in_order(scenario::test_deciders());
  int reached_less = 0;
  for (const auto& [region, profile] : profiles()) {
    RandomWorld world(*profile, 99);
    for (int i = 0; i < 300; ++i) {
      auto c = random_case(world, fmt::format("{}-{}", region, i), *profile, 6);
      Facts registers;
      for (const Message& m : c.messages) {
        if (m.type != "zaak_opening" && !c.file.consents.empty()) {
          Draft with = decide(deciders, c.file, m, *profile, {});
          CaseFile less = c.file;
          for (auto at = less.consents.begin(); at != less.consents.end();) {
            switch (world.below(8)) {
              case 0:
                at = less.consents.erase(at);
                continue;
              case 1:
                at->withdrawn_at = m.time;
                break;
              case 2:
                at->valid_until = m.time;
                break;
              case 3:
                at->roles.clear();
                break;
              case 4:
                at->doc_types = {"niets"};
                break;
              default:
                break;
            }
            ++at;
          }
          Draft without = decide(deciders, less, m, *profile, {});
          for (const Recipient& r : without.recipients)
            ASSERT_TRUE(std::ranges::any_of(with.recipients, [&](const Recipient& x) { return x.role == r.role; }))
                << m.id << ' ' << m.type << ' ' << r.role;
          if (m.type == "link_geopend" && without.outcome == Outcome::delivered) {
            ASSERT_EQ(with.outcome, Outcome::delivered) << m.id;
          }
          if (without.recipients.size() < with.recipients.size()) ++reached_less;
        }
        step(deciders, c.file, m, *profile, registers);
      }
    }
  }
  EXPECT_GT(reached_less, 50) << "the property was hardly tried";
}

/// One millisecond before a withdrawal the documents still go; at its instant they do not. Also around changes of the
/// clock.
TEST(RandomCases, WithdrawalWinsAtItsInstant) {
  auto profile = profiles().at("KNH");
  std::mt19937_64 random(3);
  std::vector<Instant> instants = {at("2026-10-25T02:30:00+02:00"), at("2026-10-25T02:30:00+01:00"),
                                   at("2027-03-28T03:00:00+02:00"), at("2026-12-31T23:59:59+01:00")};
  for (int i = 0; i < 500; ++i)
    instants.push_back(at("2026-09-01T00:00:00+02:00") +
                       std::chrono::milliseconds(static_cast<std::int64_t>(random() % (86'400'000ULL * 365))));
  for (Instant w : instants) {
    Json payload = given();
    payload["consents"] = Json::array({consent("c1", "ouder_1", "documents"), consent("c2", "ouder_2", "documents")});
    payload["consents"][random() % 2]["withdrawn_at"] = format_instant(w);
    // What is stored has the precision of its text.
    Instant stored = parse_instant(format_instant(w)).value();
    for (auto [when, goes] : {std::pair{stored - std::chrono::milliseconds(1), true},
                              {stored, false},
                              {stored + std::chrono::milliseconds(1), false}}) {
      Case c("KNH", payload, "2026-01-10T09:00:00+01:00");
      Message m;
      m.seq = 1;
      m.id = "m1";
      m.subject = "case-1";
      m.region = "KNH";
      m.type = "documentlevering";
      m.sender_role = "school_ib";
      m.time = when;
      m.payload = {{"documents", {"groeidocument"}}, {"meeting", "OT"}};
      Draft d = decide(c.deciders, c.file, m, *profile, {});
      ASSERT_EQ(d.outcome == Outcome::delivered, goes) << format_instant(w);
      if (!goes) ASSERT_EQ(d.codes, Texts{"CONSENT_WITHDRAWN"});
    }
  }
}

}  // namespace
}  // namespace schakel::rules_test
