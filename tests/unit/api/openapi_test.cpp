// The description that partners read names exactly the routes that a party has.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/api/routes.hpp"

namespace schakel::api {
namespace {

TEST(OpenApi, DescribesEveryRouteOfAPartyAndNoOther) {
  std::ifstream in(SCHAKEL_SOURCE_DIR "/core/api/openapi.json");
  auto description = Json::parse(in);
  std::set<std::string> described, served;
  // Paths count from the server's address, which ends in the version.
  for (const auto& [path, methods] : description.at("paths").items())
    for (const auto& [method, what] : methods.items()) {
      if (method == "parameters") continue;
      auto upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      described.insert(upper + " /v1" + path);
    }
  for (const auto& route : all_routes())
    if (route.who == Who::party || (route.who == Who::anyone && route.pattern.starts_with("/v1/")))
      served.insert(route.method + " " + route.pattern);
  EXPECT_EQ(described, served);
}

}  // namespace
}  // namespace schakel::api
