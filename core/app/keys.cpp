#include "core/app/keys.hpp"

namespace schakel::app {

Result<std::shared_ptr<net::TlsServerContext>> server_tls(const ListenerConfig& c) {
  if (c.certificate.empty()) return std::shared_ptr<net::TlsServerContext>{};
  net::TlsServerOptions o;
  o.certificate_file = c.certificate;
  o.key_file = c.key;
  if (!c.client_ca.empty()) {
    o.client = net::TlsServerOptions::ClientCertificate::required;
    o.client_ca_file = c.client_ca;
    o.crl_file = c.crl;
  }
  return net::TlsServerContext::load(std::move(o));
}

Result<vault::MasterKey> master_key(const Config& c) {
  if (handed_over(c.master_key))
    return vault::MasterKey::from_credential(c.master_key.parent_path().string(), c.master_key.filename().string());
  return vault::MasterKey::from_file(c.master_key.string());
}

}  // namespace schakel::app
