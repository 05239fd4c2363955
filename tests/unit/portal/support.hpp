#pragma once
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>

#include "core/portal/links.hpp"
#include "core/portal/rate_limit.hpp"
#include "core/portal/totp.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::test {

/// Keeps what it was told to send.
struct FakeSms : portal::SmsSender {
  std::vector<std::pair<std::string, std::string>> sent;
  bool broken = false;
  Task<Result<void>> send(std::string number, std::string text) override {
    if (broken) co_return fail(ErrorKind::unavailable, "SMS_FAILED", "gateway is down");
    sent.emplace_back(std::move(number), std::move(text));
    co_return Result<void>{};
  }
  [[nodiscard]] std::string code() const {
    if (sent.empty()) return "geen";
    const auto& text = sent.back().second;
    const auto at = text.find_first_of("0123456789");
    return text.substr(at, 8);
  }
};

inline std::string secret_of_url(const std::string& url) { return url.substr(url.find('#') + 1); }

/// A link service on a store in memory.
struct LinkTest : VaultTest {
  FakeSms sms;
  portal::LinkService links{*store, *vault, clock, &sms, {.public_url = "https://portaal.example"}};
  std::vector<portal::LinkEvent> events;
  const std::string seed = "12345678901234567890";

  void SetUp() override {
    links.on_event([this](const portal::LinkEvent& e) { events.push_back(e); });
    commit({*run_now(vault->put_secret("totp:app-1", Secret(std::string_view(seed))))});
  }
  LinkOrder order(std::string delivery = "d1", std::string factor = "sms:+31612345678") {
    LinkOrder o;
    o.delivery = std::move(delivery);
    o.message_id = "m1";
    o.case_id = "case-1";
    o.role = "orthopedagoog";
    o.person = "p2";
    o.documents = {"doc-1", "doc-2"};
    o.expires = clock.now() + std::chrono::hours(24 * 20);
    o.mail = "sam@swv.example";
    o.second_factor = std::move(factor);
    return o;
  }
  IssuedLink issue(LinkOrder o) {
    auto r = run_now(links.issue(std::move(o)));
    EXPECT_TRUE(r) << r.error().code;
    return *r;
  }
  Secret prove(const IssuedLink& link) {
    auto r = run_now(links.prove(link.id, Secret(std::string_view(secret_of_url(link.url)))));
    EXPECT_TRUE(r) << r.error().code;
    return r ? std::move(*r) : Secret();
  }
  portal::Visitor visitor(const std::string& link, const Secret& cookie) {
    auto r = run_now(links.visitor(link, cookie.clone()));
    EXPECT_TRUE(r);
    return *r;
  }
  portal::Session session(const std::string& link, const Secret& cookie) {
    auto v = visitor(link, cookie);
    if (auto* p = std::get_if<portal::LinkProven>(&v)) return p->session;
    if (auto* f = std::get_if<portal::Full>(&v)) return f->session;
    ADD_FAILURE() << "anonymous";
    return {};
  }
  /// Link, code and all: the cookie of a full session.
  Secret enter(const IssuedLink& link) {
    auto s = session(link.id, prove(link));
    EXPECT_TRUE(run_now(links.begin_round(s)));
    auto c = run_now(links.try_code(s, Secret(std::string_view(sms.code()))));
    EXPECT_TRUE(c) << c.error().code;
    return c ? std::move(*c) : Secret();
  }
  [[nodiscard]] int leaves(std::string_view kind) {
    int n = 0;
    store::Transaction t;
    t.ops.push_back(store::SequenceLeaves{});
    EXPECT_TRUE(run_now(store->commit(std::move(t))));
    auto all = run_now(store->leaves(0, 10000));
    for (auto& l : *all) n += l.kind == kind ? 1 : 0;
    return n;
  }
};

template <class T>
std::string code_of(const Result<T>& r) {
  return r ? std::string() : r.error().code;
}

}  // namespace schakel::test
