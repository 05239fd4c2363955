#include "core/runtime/stop_signal.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>

namespace schakel::runtime {
namespace asio = boost::asio;

struct StopSignal::Impl {
  asio::io_context io{1};
  asio::signal_set signals{io, SIGINT, SIGTERM};
  asio::signal_set hangups{io, SIGHUP};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::optional<int> seen;
  std::function<void()> hung_up;

  void await_hangup() {
    hangups.async_wait([this](const boost::system::error_code& ec, int) {
      if (ec) return;
      if (hung_up) hung_up();
      await_hangup();
    });
  }
};

StopSignal::StopSignal() : impl_(std::make_unique<Impl>()) {
  impl_->signals.async_wait([impl = impl_.get()](const boost::system::error_code& ec, int number) {
    if (!ec && !impl->seen) impl->seen = number;
  });
  impl_->await_hangup();
}

void StopSignal::on_hangup(std::function<void()> call) { impl_->hung_up = std::move(call); }

StopSignal::~StopSignal() = default;

int StopSignal::wait() {
  while (!impl_->seen) impl_->io.run_one();
  return *impl_->seen;
}

void StopSignal::request() {
  asio::post(impl_->io, [impl = impl_.get()] {
    if (!impl->seen) impl->seen = 0;
  });
}

}  // namespace schakel::runtime
