// Shared by the format tests: files, temp folders, the independent checkers of ../shared where they are present.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/support/temp_folder.hpp"

namespace schakel::formats::test {

inline std::filesystem::path shared() { return std::filesystem::path(SCHAKEL_SOURCE_DIR) / ".." / "shared"; }

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Every place of `from` replaced by `to`; fails the test when there is none, so that no mutation is silently void.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  bool found = false;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    found = true;
  }
  EXPECT_TRUE(found) << "nothing to replace: " << from;
  return text;
}
/// Only the first place.
inline std::string with_first(std::string text, std::string_view from, std::string_view to) {
  auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "nothing to replace: " << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

struct Ran {
  int status;
  std::string output;
};
inline Ran run(const std::string& command) {
  std::string output;
  auto* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return {-1, ""};
  char buffer[4096];
  while (auto n = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

}  // namespace schakel::formats::test

#define SCHAKEL_NEED(path)                                                             \
  do {                                                                                 \
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "not on this machine: " #path; \
  } while (false)
