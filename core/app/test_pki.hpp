// Certificates for trying Schakel out: a root of our own, a server, and parties with an OIN. Never for production.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace schakel::app {

struct TestCertificate {
  std::string name;  ///< files NAME.pem and NAME.key
  std::string organisation;
  std::string oin;  ///< subject serialNumber; empty for the server
  bool server = false;
};

/// Writes ca.pem and the certificates with their keys (mode 0600) into `folder`; EC P-256, valid for one year. The key
/// of the root is thrown away, so that nobody can make another certificate of this set. FILE_EXISTS when ca.pem is
/// there, IO.
[[nodiscard]] Result<void> make_test_pki(const std::filesystem::path& folder,
                                         const std::vector<TestCertificate>& certificates);

}  // namespace schakel::app
