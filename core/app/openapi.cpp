#include "core/app/openapi.hpp"

namespace schakel::app {

std::string openapi_text() {
  return
#include "openapi.inc"
      ;
}

std::string openapi_operator_text() {
  return
#include "openapi_beheer.inc"
      ;
}

}  // namespace schakel::app
