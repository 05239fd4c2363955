#include "core/app/openapi.hpp"

// One literal is longer than the standard asks compilers to take.
#pragma clang diagnostic ignored "-Woverlength-strings"

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
