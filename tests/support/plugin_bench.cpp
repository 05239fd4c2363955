#include "tests/support/plugin_bench.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/hash.hpp"
#include "core/base/log.hpp"

namespace schakel::test {

plugin::Registry& bench_registry() {
  static plugin::Registry made(SCHAKEL_PLUGIN_FOLDER);
  return made;
}

class PluginBench::FakeHost final : public Host, HttpAccess, MailAccess, Progress, Documents, Links, Metrics {
 public:
  explicit FakeHost(PluginBench& bench) : b_(bench) {}
  HttpAccess& http() override { return use("http"), *this; }
  MailAccess& mail() override { return use("mail"), *this; }
  Progress& progress() override { return use("progress"), *this; }
  Documents& documents() override { return use("documents"), *this; }
  Links& links() override { return use("links"), *this; }
  Metrics& metrics() override { return *this; }
  const Clock& clock() override { return b_.clock; }

  Task<void> pause(milliseconds time) override {
    b_.clock.advance(time);
    co_await boost::asio::post(boost::asio::use_awaitable);  // what else run() does goes on meanwhile
    if (--b_.pauses_left_ <= 0) throw boost::system::system_error(boost::asio::error::operation_aborted);
  }
  Result<Secret> secret(std::string_view name) override {
    auto it = b_.world.secrets.find(std::string(name));
    if (!b_.grants_.secrets.contains(std::string(name)) || it == b_.world.secrets.end())
      return fail(ErrorKind::not_found, "SECRET_UNKNOWN", "no such secret");
    return Secret(it->second);
  }
  Task<Result<Secret>> bsn(std::string case_id, std::string reason) override {
    use("bsn");
    b_.step(CrashWhen::before);
    b_.world.bsn_asked.emplace_back(case_id, reason);
    auto it = b_.world.bsns.find(case_id);
    b_.step(CrashWhen::after);
    if (it == b_.world.bsns.end()) co_return fail(ErrorKind::not_found, "BSN_UNKNOWN", "no BSN");
    co_return Secret(it->second);
  }
  Task<Result<HttpReply>> request(HttpRequest request) override {
    b_.step(CrashWhen::before);
    auto origin = plugin::origin_of(request.url);
    if (!origin || !b_.grants_.hosts.contains(*origin)) {
      b_.world.undeclared.push_back("host " + (origin ? *origin : request.url));
      co_return fail(ErrorKind::forbidden, "HTTP_HOST_NOT_DECLARED", "host not declared");
    }
    b_.world.requests.push_back(request);
    Result<HttpReply> reply = b_.world.partner ? b_.world.partner(request) : HttpReply{404, {}, {}};
    b_.step(CrashWhen::after);
    if (reply && reply->body.size() > request.max_response_bytes)
      co_return fail(ErrorKind::too_large, "HTTP_TOO_LARGE", "answer too large");
    co_return reply;
  }
  Task<Result<std::string>> send(Mail mail) override {
    b_.step(CrashWhen::before);
    Result<std::string> reply = b_.world.mail_server ? b_.world.mail_server(mail) : Result<std::string>("250 ok");
    if (reply) b_.world.mails.push_back(std::move(mail));
    b_.step(CrashWhen::after);
    co_return reply;
  }
  Task<Result<std::optional<Json>>> get(std::string key) override {
    co_await yield();
    b_.step(CrashWhen::before);
    auto it = b_.world.progress.find(key);
    b_.step(CrashWhen::after);
    co_return it == b_.world.progress.end() ? std::optional<Json>{} : std::optional<Json>{it->second};
  }
  Task<Result<void>> put(std::string key, Json value) override {
    b_.step(CrashWhen::before);
    b_.world.progress[key] = std::move(value);
    b_.step(CrashWhen::after);
    co_return Result<void>{};
  }
  Task<Result<void>> write(std::vector<std::pair<std::string, std::optional<Json>>> changes) override {
    co_await yield();
    b_.step(CrashWhen::before);
    for (auto& [key, value] : changes) {
      if (value)
        b_.world.progress[key] = std::move(*value);
      else
        b_.world.progress.erase(key);
    }
    b_.step(CrashWhen::after);
    co_return Result<void>{};
  }
  Task<Result<std::vector<std::string>>> keys(std::string prefix, std::string after, int limit) override {
    b_.step(CrashWhen::before);
    std::vector<std::string> out;
    for (auto it = b_.world.progress.lower_bound(prefix);
         it != b_.world.progress.end() && it->first.starts_with(prefix) && std::cmp_less(out.size(), limit); ++it)
      if (it->first > after) out.push_back(it->first);
    b_.step(CrashWhen::after);
    co_return out;
  }
  Task<Result<DocumentInfo>> info(std::string id) override {
    auto it = b_.world.infos.find(id);
    if (it == b_.world.infos.end()) co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "no such document");
    co_return it->second;
  }
  Task<Result<Bytes>> read(std::string id, std::int64_t offset, std::size_t length) override {
    b_.step(CrashWhen::before);
    auto it = b_.world.documents.find(id);
    b_.step(CrashWhen::after);
    if (it == b_.world.documents.end()) co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "no such document");
    auto from = std::min<std::size_t>(static_cast<std::size_t>(offset), it->second.size());
    auto to = std::min(from + length, it->second.size());
    co_return Bytes(it->second.begin() + static_cast<std::ptrdiff_t>(from),
                    it->second.begin() + static_cast<std::ptrdiff_t>(to));
  }
  Task<Result<IssuedLink>> issue(LinkOrder order) override {
    b_.step(CrashWhen::before);
    b_.step(CrashWhen::after);
    auto id = order.delivery;
    if (order.generation > 0) id += "-" + std::to_string(order.generation);
    co_return IssuedLink{"link-" + id, "https://portal.example/l/" + id + "#geheim-van-de-koppeling"};
  }
  void count(std::string_view name, std::map<std::string, std::string> labels, double by) override {
    std::string key(name);
    for (const auto& [k, v] : labels) key += ' ' + k + '=' + v;
    b_.world.metrics[key] += by;
  }

 private:
  Task<void> yield() {
    if (b_.others_go_on_) co_await boost::asio::post(boost::asio::use_awaitable);
  }
  void use(const char* what) {
    if (!b_.grants_.access.contains(what)) b_.world.undeclared.emplace_back(what);
  }
  PluginBench& b_;
};

class PluginBench::FakeInbox final : public Inbox {
 public:
  explicit FakeInbox(PluginBench& bench) : b_(bench) {}
  Task<Result<bool>> accept(std::string party, Json event) override {
    b_.step(CrashWhen::before);
    for (const char* key : {"id", "source", "type", "specversion"})
      if (!event.contains(key) || !event[key].is_string() || event[key].get<std::string>().empty())
        co_return fail(ErrorKind::invalid, "EVENT_ATTRIBUTE", "an attribute is missing");
    if (party.empty()) co_return fail(ErrorKind::forbidden, "PARTY_UNKNOWN", "no party");
    if (b_.world.inbox) {
      auto verdict = b_.world.inbox(event);
      if (!verdict) co_return verdict;
    }
    bool fresh =
        b_.world.event_keys.insert(event["source"].get<std::string>() + '|' + event["id"].get<std::string>()).second;
    if (fresh) b_.world.events.push_back(event);
    b_.step(CrashWhen::after);
    co_return fresh;
  }
  Task<Result<void>> not_taken(NotTaken what) override {
    b_.step(CrashWhen::before);
    b_.world.not_taken.push_back(fmt::format("{} {} {} {}", what.party, what.case_id, what.number, what.rule));
    b_.step(CrashWhen::after);
    co_return Result<void>{};
  }
  Task<Result<std::string>> store_document(std::string, std::string, DocumentInfo info, Bytes content) override {
    b_.step(CrashWhen::before);
    std::string id = "doc-" + sha256_hex(as_text(content)).substr(0, 16);
    b_.world.stored_documents[id] = std::move(content);
    b_.world.infos[id] = info;
    b_.step(CrashWhen::after);
    co_return id;
  }
  Task<Result<std::optional<std::string>>> case_of(std::string, std::string foreign_id) override {
    b_.step(CrashWhen::before);
    auto it = b_.world.case_by_foreign.find(foreign_id);
    b_.step(CrashWhen::after);
    co_return it == b_.world.case_by_foreign.end() ? std::optional<std::string>{}
                                                   : std::optional<std::string>{it->second};
  }
  Task<Result<std::optional<std::string>>> case_of_bsn(const Secret& bsn) override {
    b_.step(CrashWhen::before);
    auto it = b_.world.case_by_bsn.find(std::string(bsn.reveal_text()));
    b_.step(CrashWhen::after);
    co_return it == b_.world.case_by_bsn.end() ? std::optional<std::string>{} : std::optional<std::string>{it->second};
  }

 private:
  PluginBench& b_;
};

PluginBench::PluginBench(std::string adapter, Json config) : config_(std::move(config)) {
  log_to(folder_ + "/log", LogLevel::debug);
  // "$FOLDER" in a configuration is the bench's own folder.
  std::string text = config_.dump();
  for (std::size_t at; (at = text.find("$FOLDER")) != std::string::npos;) text.replace(at, 7, folder_);
  config_ = Json::parse(text);
  auto loaded = bench_registry().load(plugin::Kind::adapter, adapter);
  if (!loaded) throw std::runtime_error(loaded.error().code + ": " + loaded.error().message);
  plugin_ = *loaded;
  auto grants = plugin_->check(config_);
  if (!grants) {
    std::string all;
    for (const auto& f : grants.error().findings) all += f.pointer + ' ' + f.code + ' ' + f.message + "; ";
    throw std::runtime_error(grants.error().code + ": " + all);
  }
  grants_ = *grants;
  auto start = parse_instant("2026-11-02T09:00:00Z");
  clock.set(*start);
  host_ = std::make_unique<FakeHost>(*this);
  inbox_ = std::make_unique<FakeInbox>(*this);
}

PluginBench::~PluginBench() = default;

void PluginBench::crash_at(int n, CrashWhen when) {
  awaits_ = 0;
  crash_n_ = n;
  crash_when_ = when;
}

void PluginBench::step(CrashWhen when) {
  if (when == CrashWhen::before) ++awaits_;
  if (crash_when_ == when && awaits_ == crash_n_) throw Crash{};
}

template <class T>
std::optional<T> PluginBench::drive(Task<T> task) {
  boost::asio::io_context io;
  std::optional<T> out;
  std::exception_ptr thrown;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
    thrown = e;
    if (!e) out.emplace(std::move(value));
  });
  io.run();
  if (thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Crash&) {
      crash_when_ = CrashWhen::never;
      adapter_.reset();
      return std::nullopt;
    }
  }
  return out;
}

Result<void> PluginBench::restart() {
  adapter_.reset();
  auto made = plugin_->make_adapter(config_);
  if (!made) return fail(made.error());
  adapter_ = std::move(*made);
  auto started = drive(adapter_->start(*host_));
  if (!started) return fail(ErrorKind::internal, "CRASHED", "crashed in start");
  return *started;
}

std::optional<AttemptResult> PluginBench::send(Delivery delivery) {
  if (!adapter_) {
    auto ok = restart();
    if (!ok && ok.error().code == "CRASHED") return std::nullopt;
    if (!ok) throw std::runtime_error("start: " + ok.error().code + ' ' + ok.error().message);
  }
  Delivery seen = plugin::restrict(std::move(delivery), grants_.fields);
  return drive(adapter_->send(seen));
}

bool PluginBench::poll(int pauses) {
  if (!adapter_) {
    auto ok = restart();
    if (!ok && ok.error().code == "CRASHED") return false;
    if (!ok) throw std::runtime_error("start: " + ok.error().code);
  }
  pauses_left_ = pauses;
  boost::asio::io_context io;
  std::exception_ptr thrown;
  boost::asio::co_spawn(io, adapter_->run(*inbox_), [&](std::exception_ptr e) { thrown = e; });
  io.run();
  if (!thrown) return true;
  try {
    std::rethrow_exception(thrown);
  } catch (const Crash&) {
    crash_when_ = CrashWhen::never;
    adapter_.reset();
    return false;
  } catch (const boost::system::system_error& e) {
    if (e.code() != boost::asio::error::operation_aborted) throw;
    return true;
  }
}

std::optional<Result<HttpReply>> PluginBench::request(HttpRequest request, std::string party) {
  if (!adapter_) {
    auto ok = restart();
    if (!ok) throw std::runtime_error("start: " + ok.error().code);
  }
  return drive(adapter_->on_request(request, std::move(party), *inbox_));
}

std::vector<Result<HttpReply>> PluginBench::together(std::vector<HttpRequest> requests, const std::string& party) {
  if (!adapter_)
    if (auto ok = restart(); !ok) throw std::runtime_error("start: " + ok.error().code);
  std::vector<Result<HttpReply>> out(requests.size(), Result<HttpReply>(HttpReply{}));
  boost::asio::io_context io;
  others_go_on_ = true;
  for (std::size_t i = 0; i < requests.size(); ++i)
    boost::asio::co_spawn(io, adapter_->on_request(requests[i], party, *inbox_),
                          [&out, i](std::exception_ptr e, Result<HttpReply> reply) {
                            out[i] = e ? Result<HttpReply>(fail(ErrorKind::internal, "THROWN", "an exception left"))
                                       : std::move(reply);
                          });
  io.run();
  others_go_on_ = false;
  return out;
}

std::string PluginBench::log_text() const {
  std::ifstream in(folder_ + "/log");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> PluginBench::leaks(std::vector<std::string> words) const {
  for (const auto& [name, value] : world.secrets) words.push_back(value);
  for (const auto& [id, value] : world.bsns) words.push_back(value);
  for (const auto& [bsn, id] : world.case_by_bsn) words.push_back(bsn);
  std::vector<std::string> out;
  auto look = [&](const std::string& where, const std::string& text) {
    for (const auto& word : words)
      if (!word.empty() && text.find(word) != std::string::npos) out.push_back(where);
  };
  look("log", log_text());
  for (const auto& r : world.requests) look("url", r.url);
  for (const auto& [key, n] : world.metrics) look("metrics", key);
  for (const auto& m : world.mails) {
    look("mail subject", m.subject);
    look("mail text", m.text);
    look("mail id", m.message_id);
    for (const auto& a : m.attachments) look("attachment name", a.name);
  }
  for (const auto& e : world.events)
    for (const auto& [key, value] : e.items())
      if (key != "data") look("event attribute " + key, value.dump());
  return out;
}

}  // namespace schakel::test
