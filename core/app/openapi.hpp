// The description of the REST interface, compiled in.
#pragma once
#include <string>

namespace schakel::app {

[[nodiscard]] std::string openapi_text();

}  // namespace schakel::app
