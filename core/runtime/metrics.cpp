#include "core/runtime/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace schakel::runtime {

struct MetricsRegistry::State {
  prometheus::Registry registry;
};

MetricsRegistry::MetricsRegistry() : state_(std::make_unique<State>()) {}
MetricsRegistry::~MetricsRegistry() = default;

void MetricsRegistry::count(std::string_view name, std::map<std::string, std::string> labels, double by) {
  prometheus::BuildCounter().Name(std::string(name)).Register(state_->registry).Add(labels).Increment(by);
}

void MetricsRegistry::total(std::string_view name, std::map<std::string, std::string> labels, double value) {
  auto& counter = prometheus::BuildCounter().Name(std::string(name)).Register(state_->registry).Add(labels);
  if (auto now = counter.Value(); value > now) counter.Increment(value - now);
}

void MetricsRegistry::set(std::string_view name, std::map<std::string, std::string> labels, double value) {
  prometheus::BuildGauge().Name(std::string(name)).Register(state_->registry).Add(labels).Set(value);
}

void MetricsRegistry::observe(std::string_view name, std::map<std::string, std::string> labels, double seconds) {
  prometheus::BuildHistogram()
      .Name(std::string(name))
      .Register(state_->registry)
      .Add(labels, prometheus::Histogram::BucketBoundaries{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60})
      .Observe(seconds);
}

std::string MetricsRegistry::text() const { return prometheus::TextSerializer().Serialize(state_->registry.Collect()); }

}  // namespace schakel::runtime
