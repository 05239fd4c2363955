// Assertions for programming errors; always on, never for input.
#pragma once
#include <cstdio>
#include <cstdlib>

#define SCHAKEL_ASSERT(condition)                                                                  \
  do {                                                                                             \
    if (!(condition)) [[unlikely]] {                                                               \
      (void)std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                                \
    }                                                                                              \
  } while (false)
