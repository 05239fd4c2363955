#include "schakel/plugin.hpp"

namespace schakel::sdk {
const char* build_stamp() { return SCHAKEL_BUILD_STAMP; }
}  // namespace schakel::sdk
