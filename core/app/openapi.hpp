// The descriptions of the REST interface, compiled in.
#pragma once
#include <string>

namespace schakel::app {

[[nodiscard]] std::string openapi_text();
/// Of /v1/beheer, which the operator has on the UNIX socket.
[[nodiscard]] std::string openapi_operator_text();

}  // namespace schakel::app
