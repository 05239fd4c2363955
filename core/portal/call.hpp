// Private to core/portal: one request on its way through a route.
#pragma once
#include <chrono>

#include "core/portal/portal.hpp"

namespace schakel::portal {

struct Portal::Call {
  const Route* route = nullptr;
  std::chrono::steady_clock::time_point began{};  ///< when its head was there
  std::string link;                               ///< {link} of the path
  std::string name;                               ///< {name} of the path
  Visitor visitor;
  net::Request* request = nullptr;
  Fields fields;  ///< of a form
  [[nodiscard]] std::string_view field(std::string_view wanted) const {
    for (const auto& [k, v] : fields)
      if (k == wanted) return v;
    return {};
  }
};

struct Portal::Route {
  std::string_view method, pattern;
  // The type of the handler is what the visitor must have proven.
  std::variant<Task<net::Response> (Portal::*)(Call&, const Anonymous&),
               Task<net::Response> (Portal::*)(Call&, const LinkProven&),
               Task<net::Response> (Portal::*)(Call&, const Full&)>
      handler;
  Limit limit;
  enum class Body { none, form, upload } body = Body::none;
  bool workplace = false;
};

}  // namespace schakel::portal
