#include "core/app/openapi.hpp"

namespace schakel::app {

std::string openapi_text() {
  return
#include "openapi.inc"
      ;
}

}  // namespace schakel::app
