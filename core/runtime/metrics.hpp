// Metrics behind a facade over prometheus-cpp.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace schakel::runtime {

/// Thread: any. Names are schakel_<what>_<unit>; labels hold codes, types and instance names, never ids or people.
class MetricsRegistry {
 public:
  MetricsRegistry();
  ~MetricsRegistry();
  void count(std::string_view name, std::map<std::string, std::string> labels = {}, double by = 1);
  /// A counter that is kept elsewhere: brings it up to `value`; a lower one changes nothing.
  void total(std::string_view name, std::map<std::string, std::string> labels, double value);
  void set(std::string_view name, std::map<std::string, std::string> labels, double value);
  /// Seconds, into buckets from 1 ms to 60 s.
  void observe(std::string_view name, std::map<std::string, std::string> labels, double seconds);
  /// Prometheus text format 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace schakel::runtime
