#include "core/runtime/scope.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <typeinfo>
#include <vector>

#include "core/base/log.hpp"

namespace schakel::runtime {
namespace asio = boost::asio;

namespace {

struct Member {
  asio::cancellation_signal signal;
  std::string_view name;
};

void report(const std::exception_ptr& failure, std::string_view name) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) return;
    log(LogLevel::error, "runtime.task_failed",
        {{"task", std::string(name)},
         {"error", e.code().category().name()},
         {"value", std::int64_t{e.code().value()}}});
  } catch (const std::exception& e) {
    // what() may quote input, so only the type is told.
    log(LogLevel::error, "runtime.task_failed", {{"task", std::string(name)}, {"error", typeid(e).name()}});
  }
}

}  // namespace

struct Scope::State {
  explicit State(asio::any_io_executor e) : executor(std::move(e)), empty(executor) {}
  asio::any_io_executor executor;
  std::list<std::shared_ptr<Member>> members;
  std::list<asio::steady_timer*> pauses;
  asio::steady_timer empty;  ///< cancelled when the last member ends
  bool stopping = false;

  void cancel_all() {
    const std::vector<std::shared_ptr<Member>> snapshot(members.begin(), members.end());
    for (const auto& member : snapshot) member->signal.emit(asio::cancellation_type::terminal);
  }
  void stop_softly() {
    stopping = true;
    for (auto* timer : pauses) timer->cancel();
  }
};

Scope::Scope(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

Scope::~Scope() {
  state_->stop_softly();
  state_->cancel_all();
}

void Scope::spawn(Task<> task, std::string_view name) {
  if (state_->stopping) return;
  auto member = std::make_shared<Member>();
  member->name = name;
  const auto place = state_->members.insert(state_->members.end(), member);
  asio::co_spawn(
      state_->executor, std::move(task),
      asio::bind_cancellation_slot(member->signal.slot(), [state = state_, place, member](std::exception_ptr failure) {
        if (failure) report(failure, member->name);
        state->members.erase(place);
        if (state->members.empty()) state->empty.cancel();
      }));
}

bool Scope::stopping() const { return state_->stopping; }
std::size_t Scope::size() const { return state_->members.size(); }

Task<bool> Scope::pause(milliseconds time) {
  const auto state = state_;
  if (state->stopping) co_return false;
  asio::steady_timer timer(state->executor, time);
  struct Registered {
    State& state;
    std::list<asio::steady_timer*>::iterator place;
    ~Registered() { state.pauses.erase(place); }
  };
  const Registered registered{*state, state->pauses.insert(state->pauses.end(), &timer)};
  const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return !ec && !state->stopping;
}

Task<bool> Scope::close(milliseconds soft, milliseconds hard) {
  const auto state = state_;
  state->stop_softly();
  if (!state->members.empty()) {
    state->empty.expires_after(soft);
    co_await state->empty.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!state->members.empty()) {
    state->cancel_all();
    state->empty.expires_after(hard);
    co_await state->empty.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return state->members.empty();
}

Task<> sleep_for(milliseconds time) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace schakel::runtime
