// A case of a real region, played through all deciders; small words to say what happens in it.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "core/pipeline/decide.hpp"
#include "tests/scenarios/deciders.hpp"

namespace schakel::rules_test {

inline const Profiles& profiles() {
  static const Profiles all = [] {
    auto loaded = load_profiles(SCHAKEL_SOURCE_DIR "/config");
    if (!loaded) {
      for (const Finding& f : loaded.error().findings) ADD_FAILURE() << f.pointer << ' ' << f.code << ' ' << f.message;
      return Profiles{};
    }
    return *loaded;
  }();
  return all;
}

inline Instant at(std::string_view text) { return parse_instant(text).value(); }

inline Json consent(std::string id, std::string giver, std::string purpose,
                    std::string from = "2026-01-01T09:00:00+01:00") {
  return {{"id", id},       {"giver", giver},     {"purpose", purpose},     {"doc_types", {"*"}},
          {"roles", {"*"}}, {"valid_from", from}, {"valid_until", nullptr}, {"withdrawn_at", nullptr}};
}

/// Facts of a case with what most tests need; change what the test is about.
inline Json given() {
  return {{"pupil", {{"birth_date", "2018-01-30"}, {"school_type", "PO"}, {"enrolled", true}}},
          {"case", {{"question_kind", "onderwijs_zorg"}, {"custody", {"ouder_1", "ouder_2"}}, {"extra_support", true}}},
          {"consents", {consent("c1", "ouder_1", "documents"), consent("c2", "ouder_2", "documents")}},
          {"documents",
           {{{"doc_type", "groeidocument"}, {"status", "compleet"}}, {{"doc_type", "opp"}, {"status", "compleet"}}}},
          {"meeting", {{"kind", "OT"}, {"at", "2026-12-03T10:00:00+01:00"}}},
          {"profile_overrides", Json::object()}};
}

class Case {
 public:
  explicit Case(const std::string& region, const Json& payload, std::string opened = "2026-10-01T09:00:00+02:00")
      : profile(profiles().at(region)), deciders(in_order(scenario::test_deciders())) {
    play(opened, "zaak_opening", "broker", payload);
  }
  const Draft& play(std::string when, std::string type, std::string from, Json payload = Json::object(),
                    std::vector<std::string> addressed = {}) {
    Message m;
    m.seq = ++seq;
    m.id = "m" + std::to_string(seq);
    m.subject = "case-1";
    m.region = profile->region();
    m.type = std::move(type);
    m.sender_role = std::move(from);
    m.time = at(when);
    m.addressed_to = std::move(addressed);
    m.payload = std::move(payload);
    last = decide(deciders, file, m, *profile, {});
    apply(file, m, last);
    message = m;
    return last;
  }
  [[nodiscard]] std::vector<std::string> roles() const {
    std::vector<std::string> out;
    for (const Recipient& r : last.recipients) out.push_back(r.role);
    std::ranges::sort(out);
    return out;
  }
  [[nodiscard]] std::string due(std::string_view name) const {
    for (const Deadline& d : file.deadlines)
      if (d.name == name && d.state != "cancelled") return d.date;
    return "";
  }
  [[nodiscard]] bool signalled(std::string_view code, std::string_view to, std::string_view role = {}) const {
    return std::ranges::any_of(last.signals,
                               [&](const Signal& s) { return s.code == code && s.to == to && s.role == role; });
  }

  std::shared_ptr<const Profile> profile;
  std::vector<const Decider*> deciders;
  CaseFile file;
  Message message;
  Draft last;
  std::int64_t seq = -1;
};

using Texts = std::vector<std::string>;

}  // namespace schakel::rules_test
