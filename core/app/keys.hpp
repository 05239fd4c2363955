// Keys of the configuration in use: TLS of the listeners, the master key.
#pragma once
#include "core/app/config.hpp"
#include "core/net/tls.hpp"
#include "core/vault/master_key.hpp"

namespace schakel::app {

/// nullptr where the listener has no certificate (loopback only, which read_config() watches). Errors: TLS_CONFIG.
[[nodiscard]] Result<std::shared_ptr<net::TlsServerContext>> server_tls(const ListenerConfig& listener);

/// Errors: as vault::MasterKey.
[[nodiscard]] Result<vault::MasterKey> master_key(const Config& config);

}  // namespace schakel::app
