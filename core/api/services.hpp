// What the interface works with: one of each, owned by core/app.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <string>

#include "core/delivery/attempt.hpp"
#include "core/formats/xsd_folder.hpp"
#include "core/ingress/ingress.hpp"
#include "core/outbox/dispatcher.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/runtime/blocking_pool.hpp"
#include "core/vault/bsn.hpp"
#include "core/vault/documents.hpp"
#include "core/vault/participants.hpp"

namespace schakel::api {

/// Thread: handlers run on any shard; what says "one io_context" of itself is called through `broker`
/// (core/runtime/hop.hpp).
struct Services {
  boost::asio::any_io_executor broker;
  store::Store& store;
  journal::Journal& journal;
  ingress::Ingress& ingress;
  pipeline::Pipeline& pipeline;
  outbox::Dispatcher& dispatcher;
  delivery::Delivering& delivering;
  vault::Vault& vault;
  vault::Documents& documents;
  vault::Participants& participants;
  vault::Bsn& bsn;
  std::shared_ptr<const Parties> parties;
  const Clock& clock;
  std::int64_t document_limit = 0;
  std::string openapi;  ///< the description, ready to send
  std::function<std::string()> metrics;
  std::function<Json()> health;  ///< {"ready": bool, "parts": {...}}
  std::function<Task<Result<Json>>()> audit_verify;
  std::function<Task<Result<Json>>(Json)> links;  ///< operator's work on links: {"do": list|revoke|workplace, ...}
  runtime::BlockingPool* pool =
      nullptr;              ///< for searches over many decisions; without it they run where they are asked
  std::string schemas_dir;  ///< JSON Schemas of the message types
  /// Called with each answer: method and pattern of its route ("" without one), status, time the handler took.
  std::function<void(const std::string& route, int status, milliseconds took)> answered;
  const formats::XsdFolder* xsd = nullptr;  ///< the publishers' schemas for XML that comes in through adapters
  std::string openapi_operator = {};        ///< the description of the operator's interface, ready to send
};

}  // namespace schakel::api
