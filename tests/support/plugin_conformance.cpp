// The conformance list that every adapter must pass: faults of the partner, crashes at every await, wrong
// configurations.
#include <fmt/format.h>

#include "tests/support/plugin_bench.hpp"

namespace schakel::test {

std::vector<Fault> http_faults() {
  auto reply = [](int status, std::string body = {}) {
    return Result<HttpReply>(HttpReply{status, {{"Content-Type", "application/json"}}, std::move(body)});
  };
  auto error = [](ErrorKind kind, const char* code) { return Result<HttpReply>(fail(kind, code, "scripted")); };
  using enum Verdict;
  return {
      {"400", reply(400, R"({"code":"invalid","title":"t","status":400})"), {rejected}},
      {"401", reply(401), {rejected, retry_later}},
      {"403", reply(403, R"({"code":"not_authorized"})"), {rejected, retry_later}},
      {"404", reply(404), {rejected, retry_later}},
      {"409", reply(409), {rejected}},
      {"410", reply(410), {rejected}},
      {"413", reply(413), {rejected}},
      {"429", reply(429), {retry_later}},
      {"500", reply(500), {retry_later, unknown}},
      {"502", reply(502), {retry_later, unknown}},
      {"503", reply(503), {retry_later}},
      {"504", reply(504), {retry_later, unknown}},
      {"301", reply(301), {rejected}},
      {"refused", error(ErrorKind::unavailable, "HTTP_REFUSED"), {retry_later}},
      {"tls", error(ErrorKind::unavailable, "HTTP_TLS"), {retry_later}},
      {"timeout before", error(ErrorKind::timeout, "HTTP_TIMEOUT_BEFORE_SEND"), {retry_later}},
      {"timeout after", error(ErrorKind::timeout, "HTTP_OUTCOME_UNKNOWN"), {unknown, retry_later}},
      {"malformed", error(ErrorKind::io, "HTTP_MALFORMED"), {unknown, retry_later}},
      {"huge", error(ErrorKind::too_large, "HTTP_TOO_LARGE"), {unknown, retry_later}},
      {"rubbish 200", reply(200, "\x01\xff<<rubbish"), {delivered, unknown, retry_later, rejected}},
      {"empty array 200", reply(200, "[]"), {delivered, unknown, retry_later, rejected}},
      {"wrong types 201",
       reply(201, R"({"url":17,"uuid":null,"results":{},"locked":"x","bestandsdelen":3})"),
       {delivered, unknown, retry_later, rejected}},
  };
}

std::vector<std::string> crash_everywhere(const std::function<std::unique_ptr<PluginBench>()>& fresh,
                                          const Delivery& delivery,
                                          const std::function<std::string(PluginBench&)>& effects) {
  std::vector<std::string> wrong;
  auto clean = fresh();
  clean->crash_at(0, CrashWhen::never);
  auto first = clean->send(delivery);
  if (!first || first->verdict != Verdict::delivered)
    return {"clean attempt is not delivered: " + (first ? first->code : "crashed")};
  int awaits = clean->awaits();
  std::string wanted = effects(*clean);
  // The clean attempt once more: a repeat of what was delivered has no effect either.
  auto repeat = clean->send(delivery);
  if (!repeat || repeat->verdict != Verdict::delivered)
    wrong.push_back("repeat is not delivered: " + (repeat ? repeat->code : "crashed"));
  if (auto got = effects(*clean); got != wanted) wrong.push_back("repeat has an effect: " + got);
  for (int n = 1; n <= awaits; ++n) {
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh();
      bench->crash_at(n, when);
      std::string at = fmt::format("await {} {}: ", n, when == CrashWhen::before ? "before" : "after");
      if (bench->send(delivery)) {
        wrong.push_back(at + "did not crash");
        continue;
      }
      Delivery again = delivery;
      again.attempt = 2;
      bench->clock.advance(milliseconds{61000});
      auto result = bench->send(again);
      if (!result || result->verdict != Verdict::delivered)
        wrong.push_back(at + "not delivered after the crash: " + (result ? result->code : "crashed"));
      if (auto got = effects(*bench); got != wanted) wrong.push_back(at + "effects " + got + " instead of " + wanted);
    }
  }
  return wrong;
}

std::vector<std::string> fault_everywhere(const std::function<std::unique_ptr<PluginBench>()>& fresh,
                                          const Delivery& delivery,
                                          const std::function<std::string(PluginBench&)>& effects) {
  std::vector<std::string> wrong;
  auto clean = fresh();
  auto first = clean->send(delivery);
  if (!first || first->verdict != Verdict::delivered)
    return {"clean attempt is not delivered: " + (first ? first->code : "crashed")};
  auto calls = clean->world.requests.size();
  std::string wanted = effects(*clean);
  for (std::size_t n = 1; n <= calls; ++n) {
    for (const auto& fault : http_faults()) {
      auto bench = fresh();
      auto real = bench->world.partner;
      std::size_t count = 0;
      bool lost =
          fault.name == "timeout after" || fault.name == "malformed" || fault.name == "huge" || fault.name == "504";
      bench->world.partner = [&, real](const HttpRequest& r) -> Result<HttpReply> {
        if (++count != n) return real(r);
        if (lost) (void)real(r);  // it arrived; only the answer was lost
        return fault.reply;
      };
      std::string at = fmt::format("call {} {}: ", n, fault.name);
      std::optional<AttemptResult> result;
      try {
        result = bench->send(delivery);
      } catch (const std::exception& e) {
        wrong.push_back(at + "threw " + e.what());
        continue;
      }
      if (!result) {
        wrong.push_back(at + "crashed");
        continue;
      }
      bool allowed = std::ranges::find(fault.allowed, result->verdict) != fault.allowed.end();
      // A refused login is a matter of set-up: the message may wait whatever the status.
      if (result->verdict == Verdict::retry_later && clean->world.requests[n - 1].url.ends_with("/oauth/token"))
        allowed = true;
      // An error on a look may also be answered by going on.
      if (!allowed && result->verdict != Verdict::delivered)
        wrong.push_back(at + fmt::format("verdict {} ({})", static_cast<int>(result->verdict), result->code));
      if (result->code.empty()) wrong.push_back(at + "no code");
      if (result->verdict == Verdict::rejected) continue;
      Delivery again = delivery;
      again.attempt = 2;
      auto second = bench->send(again);
      if (!second || second->verdict != Verdict::delivered)
        wrong.push_back(at + "not delivered afterwards: " + (second ? second->code : "crashed"));
      if (auto got = effects(*bench); got != wanted) wrong.push_back(at + "effects " + got + " instead of " + wanted);
    }
  }
  return wrong;
}

std::vector<std::string> bad_configs_refused(const std::string& adapter, const Json& good) {
  std::vector<std::string> wrong;
  auto loaded = bench_registry().load(plugin::Kind::adapter, adapter);
  if (!loaded) return {loaded.error().code};
  std::vector<std::pair<std::string, Json>> bad{
      {"array", Json::array()}, {"null", nullptr}, {"text", "x"}, {"empty", Json::object()}};
  const Json& schema = (*loaded)->schema;
  for (const auto& name : schema.value("required", Json::array())) {
    Json c = good;
    c.erase(name.get<std::string>());
    bad.emplace_back("without " + name.get<std::string>(), c);
  }
  for (const auto& [name, rule] : schema.value("properties", Json::object()).items()) {
    Json c = good;
    c[name] = Json::array({Json::array({nullptr, 3})});
    bad.emplace_back("rubbish in " + name, c);
    if (rule.value("writeOnly", false)) {
      c[name] = "Geheim Wachtwoord!";
      bad.emplace_back("a secret itself in " + name, c);
    }
  }
  Json unknown = good;
  unknown["geen_instelling"] = 1;
  bad.emplace_back("an unknown setting", unknown);
  for (const auto& pointer : (*loaded)->declared.hosts) {
    Json c = good;
    Json::json_pointer at(pointer);
    if (!c.contains(at) || !c[at].is_string()) continue;
    c[at] = "http://partner.example/api";
    bad.emplace_back("http to elsewhere in " + pointer, c);
  }
  for (const auto& [name, config] : bad) {
    auto made = (*loaded)->make_adapter(config);
    if (made)
      wrong.push_back(name + " was accepted");
    else if (made.error().code != "CONFIG_INVALID")
      wrong.push_back(name + ": " + made.error().code);
    else if (made.error().findings.empty())
      wrong.push_back(name + ": no finding");
  }
  return wrong;
}

}  // namespace schakel::test
