// The three C symbols that every plugin and adapter exports, and the stamp that is compared before any C++ call.
//
// The kind stands behind the stamp ("<stamp>/adapter"), so that a decider is never cast to an adapter.
//
// A plugin's .so is loaded once and never unloaded. Thread: the three symbols are called on the main thread at
// start-up.
#pragma once
#include <string>

#include "schakel/adapter.hpp"
#include "schakel/decider.hpp"

namespace schakel::sdk {

/// Changes with every change of a header under sdk/, core/base or core/model that a plugin sees, the compiler, its
/// standard library and Boost. Computed by the build (core/plugin/stamp.cmake), not by hand.
const char* build_stamp();

}  // namespace schakel::sdk

/// Exports a decider class with a default constructor.
#define SCHAKEL_DECIDER(Class, schema_json)                                                                     \
  extern "C" __attribute__((visibility("default"))) const char* schakel_plugin_stamp() {                        \
    return SCHAKEL_BUILD_STAMP "/decider";                                                                      \
  }                                                                                                             \
  extern "C" __attribute__((visibility("default"))) const char* schakel_plugin_schema() { return schema_json; } \
  extern "C" __attribute__((visibility("default"))) void* schakel_plugin_create(const char*) {                  \
    return static_cast<schakel::Decider*>(new Class());                                                         \
  }

/// Exports an adapter class constructed from its configuration (JSON that passed the schema).
#define SCHAKEL_ADAPTER(Class, schema_json)                                                                     \
  extern "C" __attribute__((visibility("default"))) const char* schakel_plugin_stamp() {                        \
    return SCHAKEL_BUILD_STAMP "/adapter";                                                                      \
  }                                                                                                             \
  extern "C" __attribute__((visibility("default"))) const char* schakel_plugin_schema() { return schema_json; } \
  extern "C" __attribute__((visibility("default"))) void* schakel_plugin_create(const char* config) {           \
    return static_cast<schakel::Adapter*>(new Class(schakel::Json::parse(config)));                             \
  }
