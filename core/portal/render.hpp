// Pages from templates. Values are escaped by the template engine; templates come from our own share folder, never from
// input.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace schakel::portal {

/// A file that pages refer to: style sheet, script, icon.
struct Asset {
  std::string media_type, content;
};

/// Thread: any, once loaded.
class Renderer {
 public:
  /// Reads `share`/templates/*.mustache and `share`/assets/*. PORTAL_SHARE (io) when one is missing.
  [[nodiscard]] static Result<Renderer> load(const std::filesystem::path& share);
  /// `page` inside the layout. `data`: objects, arrays, texts, booleans; `title` is required.
  [[nodiscard]] std::string page(const std::string& name, const Json& data) const;
  /// nullptr when there is none.
  [[nodiscard]] const Asset* asset(const std::string& name) const;

 private:
  std::map<std::string, std::string> templates_;
  std::map<std::string, Asset> assets_;
};

}  // namespace schakel::portal
