#include "schakel/plugin.hpp"

#include "plugins/deadlines/deadlines.hpp"

#ifndef SCHAKEL_BUILD_STAMP
#define SCHAKEL_BUILD_STAMP "dev"
#endif

static const char* const kSchema =
#include "schema.inc"
    ;

SCHAKEL_DECIDER(schakel::deadlines::DeadlinesDecider, kSchema)
