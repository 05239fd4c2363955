// The Host of one adapter instance: exactly what its schema declared and its configuration named, nothing else.
#pragma once
#include <functional>
#include <map>
#include <memory>

#include "core/journal/sealer.hpp"
#include "core/net/tls.hpp"
#include "core/plugin/registry.hpp"
#include "core/runtime/blocking_pool.hpp"
#include "core/runtime/metrics.hpp"
#include "core/vault/bsn.hpp"
#include "core/vault/documents.hpp"
#include "schakel/host.hpp"

namespace schakel::delivery {

/// What all hosts share. Lifetime: outlives every host.
struct HostServices {
  store::Store& store;
  journal::Sealer& sealer;
  vault::Documents& documents;
  vault::Bsn& bsn;
  const Clock& clock;
  runtime::MetricsRegistry& metrics;
  MailAccess* mail = nullptr;  ///< null: no mail server configured
  Links* links = nullptr;      ///< null: no portal in this process
  std::shared_ptr<net::TlsClientContext> tls;
  std::function<Result<Secret>(std::string_view name)> secret;
  std::function<bool(std::string_view party)> may_receive_bsn;
  runtime::BlockingPool* pool = nullptr;  ///< for aside(); null: it runs where it is called
};

/// Thread: one io_context, that of the adapter. Lifetime: to the end of the process.
class InstanceHost final : public Host {
 public:
  InstanceHost(HostServices services, std::string instance, std::string party, plugin::Grants grants);
  ~InstanceHost() override;
  HttpAccess& http() override;
  MailAccess& mail() override;
  Progress& progress() override;
  Documents& documents() override;
  Links& links() override;
  Metrics& metrics() override;
  const Clock& clock() override;
  Task<Result<void>> aside(std::function<void()> work) override;
  Result<Secret> secret(std::string_view name) override;
  Task<Result<Secret>> bsn(std::string case_id, std::string reason) override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace schakel::delivery
