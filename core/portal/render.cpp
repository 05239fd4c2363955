#include "core/portal/render.hpp"

#include <fstream>
#include <kainjow/mustache.hpp>

namespace schakel::portal {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

data to_data(const Json& j) {
  if (j.is_object()) {
    data out{data::type::object};
    for (const auto& [k, v] : j.items()) out.set(k, to_data(v));
    return out;
  }
  if (j.is_array()) {
    data out{data::type::list};
    for (const auto& v : j) out << to_data(v);
    return out;
  }
  if (j.is_string()) {
    const auto& s = j.get_ref<const std::string&>();
    // An empty text is no value in a section: {{#code}} shows nothing then.
    return s.empty() ? data{data::type::bool_false} : data{s};
  }
  if (j.is_boolean()) return data{j.get<bool>() ? data::type::bool_true : data::type::bool_false};
  if (j.is_null()) return data{data::type::bool_false};
  return data{j.dump()};
}

Result<std::string> read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorKind::io, "PORTAL_SHARE", "a file of the portal is missing: " + path.filename().string());
  return std::string(std::istreambuf_iterator<char>(in), {});
}

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {{".css", "text/css; charset=utf-8"},
                                                                    {".js", "text/javascript; charset=utf-8"},
                                                                    {".svg", "image/svg+xml"},
                                                                    {".woff2", "font/woff2"},
                                                                    {".txt", "text/plain; charset=utf-8"}};

}  // namespace

Result<Renderer> Renderer::load(const std::filesystem::path& share) {
  Renderer out;
  std::error_code ec;
  for (const auto& e : std::filesystem::directory_iterator(share / "templates", ec)) {
    if (e.path().extension() != ".mustache") continue;
    auto text = read(e.path());
    if (!text) return fail(text.error());
    if (mustache check(*text); !check.is_valid())
      return fail(ErrorKind::io, "PORTAL_SHARE", "a template does not parse: " + e.path().filename().string());
    out.templates_[e.path().stem().string()] = std::move(*text);
  }
  for (const auto& e : std::filesystem::directory_iterator(share / "assets", ec)) {
    for (const auto& [ext, type] : kTypes) {
      if (e.path().extension() != ext) continue;
      auto text = read(e.path());
      if (!text) return fail(text.error());
      out.assets_[e.path().filename().string()] = {std::string(type), std::move(*text)};
    }
  }
  for (auto name : {"layout", "start", "code", "content", "refused", "message", "work", "send", "preview", "unsent",
                    "accessibility"})
    if (!out.templates_.contains(name))
      return fail(ErrorKind::io, "PORTAL_SHARE", std::string("the template is missing: ") + name);
  for (auto name : {"portal.css", "link.js"})
    if (!out.assets_.contains(name))
      return fail(ErrorKind::io, "PORTAL_SHARE", std::string("the file is missing: ") + name);
  return out;
}

std::string Renderer::page(const std::string& name, const Json& values) const {
  auto data = to_data(values);
  mustache body(templates_.at(name));
  data.set("body", body.render(data));
  mustache layout(templates_.at("layout"));
  return layout.render(data);
}

const Asset* Renderer::asset(const std::string& name) const {
  auto it = assets_.find(name);
  return it == assets_.end() ? nullptr : &it->second;
}

}  // namespace schakel::portal
