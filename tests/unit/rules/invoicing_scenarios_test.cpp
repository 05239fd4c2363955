// The money of every published scenario, with the other deciders played from what the scenario expects of them: so that
// a difference here is a difference of the money rules alone. tests/scenarios plays them whole.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/unit/rules/invoicing_support.hpp"

namespace schakel::invoicing_test {
namespace {

const std::map<std::string, std::pair<std::string, std::shared_ptr<const Profile> (*)()>> kRegions = {
    {"KNH", {"zandoever", [] { return knh(); }}},
    {"MH", {"rivierland", mh}},
    {"FRL", {"terpwoude", frl}},
    {"MVS", {"havenmonde", mvs}},
    {"HR", {"duinrijk", hr}}};

Json of_message(const Json& list, std::int64_t seq, const char* what) {
  for (const auto& row : list)
    if (row.at("message_seq") == seq) return row.at(what);
  return nullptr;
}

Json sorted(std::vector<Json> rows) {
  std::ranges::sort(rows, {}, [](const Json& j) { return j.dump(); });
  return Json(rows);
}

Json row(const InvoiceOut& i, std::int64_t seq) {
  Json j = {{"message_seq", seq}, {"number", i.number}, {"kind", i.kind},
            {"payer", i.payer},   {"payee", i.payee},   {"amount_cents", i.amount_cents},
            {"status", i.status}};
  if (i.vat_cents) j["vat_cents"] = *i.vat_cents;
  if (i.net_cents) j["net_cents"] = *i.net_cents;
  if (i.minutes) j["minutes"] = *i.minutes;
  if (i.released_by) j["released_by_seq"] = i.released_by;
  if (!i.split.is_null()) j["split"] = i.split;
  return j;
}

void play(const Json& s) {
  const Json& given = s.at("given");
  Case c(kRegions.at(s.at("region")).second(), given.at("case"), given.at("pupil").value("school_type", ""));
  c.file.pupil.enrolled = given.at("pupil").value("enrolled", true);
  c.file.overrides = given.at("profile_overrides");
  const Json& expect = s.at("expect");
  std::vector<Json> invoices, wanted(expect.at("invoices").begin(), expect.at("invoices").end());
  for (auto& w : wanted) w.erase("address");
  for (const auto& m : s.at("messages_in")) {
    std::int64_t seq = m.at("seq");
    std::string type = m.at("type"), outcome = of_message(expect.at("outcomes"), seq, "outcome");
    bool invoice = type == "factuur" || type == "declaratie" || type == "creditnota";
    Json codes = of_message(expect.at("blocked_because"), seq, "codes");
    Draft before;
    const Json& payload = m.at("payload");
    if (outcome == "blocked" && (!invoice || s.at("region") == "HR")) before.codes = codes.get<Texts>();
    if (outcome == "recorded") before.outcome = Outcome::recorded;
    if (outcome == "delivered" && type == "financieringsafspraak") {
      Json funding = c.file.facts.value("funding", Json::array());
      for (const auto& l : payload.at("lines")) funding.push_back(l);
      before.effects = {{"fact", "funding_agreed", true}, {"fact", "funding", funding}};
    }
    if (outcome == "delivered" && (type == "oza_vaststelling" || payload.value("content_fixed", false)))
      before.effects.push_back({"fact", "content_fixed", true});
    Draft d = c.play(type, m.at("from"), payload, before, m.value("addressed_to", Texts{}));
    for (const auto& i : d.invoices) invoices.push_back(row(i, seq));
    Json zero = Json::array(), zero_wanted = Json::array();
    for (const auto& x : d.signals) zero.push_back(x.to);
    for (const auto& x : expect.at("signals"))
      if (x.at("message_seq") == seq && x.at("code") == "ZERO_SHARE_NOT_SENT") zero_wanted.push_back(x.at("to"));
    EXPECT_EQ(zero, zero_wanted) << seq;
    if (!invoice) continue;
    bool refused_before = !before.codes.empty();
    if (!refused_before) {
      EXPECT_EQ(to_string(d.outcome), outcome) << seq;
    }
    EXPECT_EQ(Json(d.codes), codes.is_null() ? Json::array() : codes) << seq;
    Json to = of_message(expect.at("recipients"), seq, "to");
    std::vector<Json> got_to, want_to, got_not, want_not;
    for (const auto& r : d.recipients) got_to.push_back(r.role);
    if (to.is_array()) want_to.assign(to.begin(), to.end());
    for (const auto& r : d.suppressed) got_not.push_back({r.role, r.code});
    for (const auto& r : expect.at("not_recipients"))
      if (r.at("message_seq") == seq) want_not.push_back({r.at("role"), r.at("code")});
    EXPECT_EQ(sorted(got_to), sorted(want_to)) << seq;
    EXPECT_EQ(sorted(got_not), sorted(want_not)) << seq;
  }
  EXPECT_EQ(sorted(invoices), sorted(wanted));
}

TEST(PublishedScenarios, HaveTheMoneyThatTheyExpect) {
  std::filesystem::path folder = std::string(SCHAKEL_SOURCE_DIR) + "/../shared/domain/scenarios";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "the published scenarios are not beside the project";
  int played = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path());
    Json s = Json::parse(in);
    SCOPED_TRACE(s.at("id").get<std::string>());
    play(s);
    ++played;
  }
  EXPECT_GT(played, 200);
}

}  // namespace
}  // namespace schakel::invoicing_test
