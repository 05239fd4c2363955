#include "core/plugin/registry.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace schakel::plugin {
namespace fs = std::filesystem;
namespace {

/// Only its owner may write: whoever can write here runs code as us.
Result<void> guarded(const fs::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return fail(ErrorKind::not_found, "PLUGIN_NOT_FOUND", "plugin file or folder is not there");
  bool owner = info.st_uid == 0 || info.st_uid == ::geteuid();
  bool others = (info.st_mode & S_IWOTH) != 0 ||
                ((info.st_mode & S_IWGRP) != 0 && info.st_gid != 0 && info.st_gid != ::getegid());
  if (!owner || others)
    return fail(ErrorKind::forbidden, "PLUGIN_WRITABLE", "plugin file or folder can be written by another user");
  return {};
}

bool plain_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  return std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

Result<std::vector<std::string>> texts(const Json& schema, const char* key) {
  std::vector<std::string> out;
  if (!schema.contains(key)) return out;
  auto refuse = fail(ErrorKind::invalid, "PLUGIN_SCHEMA", fmt::format("{} is not a list of texts", key));
  if (!schema[key].is_array()) return refuse;
  for (const auto& item : schema[key]) {
    if (!item.is_string()) return refuse;
    out.push_back(item.get<std::string>());
  }
  return out;
}

}  // namespace

Result<Declared> declared_in(const Json& schema) {
  Declared out;
  auto hosts = texts(schema, "x-hosts");
  auto fields = texts(schema, "x-fields");
  auto access = texts(schema, "x-access");
  auto kinds = texts(schema, "x-kinds");
  for (const auto* list : {&hosts, &fields, &access, &kinds})
    if (!*list) return fail(list->error());
  static const std::set<std::string> known{"http", "mail", "progress", "documents", "links", "bsn", "inbox"};
  for (const auto& name : *access)
    if (!known.contains(name))
      return fail(ErrorKind::invalid, "PLUGIN_SCHEMA", "x-access names something that a host does not have");
  for (const auto* list : {&hosts, &fields})
    for (const auto& pointer : **list)
      if (!pointer.starts_with('/'))
        return fail(ErrorKind::invalid, "PLUGIN_SCHEMA", "x-hosts and x-fields hold JSON pointers");
  out.hosts = std::move(*hosts);
  out.fields = std::move(*fields);
  out.access = {access->begin(), access->end()};
  out.kinds = std::move(*kinds);
  if (out.access.contains("documents")) out.attempt_seconds = kAttemptLimitWithDocuments.count();
  if (auto limit = schema.find("x-attempt-seconds"); limit != schema.end()) {
    // As a double first: a number that a 64-bit integer does not hold is refused, not wrapped around.
    if (!limit->is_number_integer() || limit->get<double>() < kAttemptSecondsLeast ||
        limit->get<double>() > kAttemptSecondsMost)
      return fail(
          ErrorKind::invalid, "PLUGIN_SCHEMA",
          fmt::format("x-attempt-seconds is a whole number from {} to {}", kAttemptSecondsLeast, kAttemptSecondsMost));
    out.attempt_seconds = limit->get<std::int64_t>();
  }
  if (schema.contains("title") && schema["title"].is_string()) out.title = schema["title"];
  return out;
}

std::string_view folder_of(Kind kind) { return kind == Kind::decider ? "plugins" : "adapters"; }

Registry::Registry(fs::path folder, std::string stamp) : folder_(std::move(folder)), stamp_(std::move(stamp)) {}

Result<const Plugin*> Registry::load(Kind kind, std::string_view name) {
  for (const auto& p : plugins_)
    if (p->kind == kind && p->name == name) return p.get();
  if (!plain_name(name))
    return fail(ErrorKind::invalid, "PLUGIN_NAME", "a plugin name is lower-case letters, digits and _");
  std::error_code ec;
  auto folder = fs::canonical(folder_ / folder_of(kind), ec);
  if (ec) return fail(ErrorKind::not_found, "PLUGIN_NOT_FOUND", "the plugin folder is not there");
  auto path = folder / fmt::format("{}.so", name);
  auto real = fs::canonical(path, ec);
  if (ec) return fail(ErrorKind::not_found, "PLUGIN_NOT_FOUND", fmt::format("no {} named {}", folder_of(kind), name));
  if (real != path)
    return fail(ErrorKind::forbidden, "PLUGIN_WRITABLE", "a plugin is a file of its folder, not a link out of it");
  for (const auto& p : {folder, path})
    if (auto ok = guarded(p); !ok) return fail(ok.error());

  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return fail(ErrorKind::unavailable, "PLUGIN_LOAD", fmt::format("cannot load {}: {}", name, ::dlerror()));
  // Never dlclose: Asio's thread-local state and vtables of what it made live on in it.
  auto stamp = reinterpret_cast<const char* (*)()>(::dlsym(handle, "schakel_plugin_stamp"));
  auto schema = reinterpret_cast<const char* (*)()>(::dlsym(handle, "schakel_plugin_schema"));
  auto create = reinterpret_cast<void* (*)(const char*)>(::dlsym(handle, "schakel_plugin_create"));
  if (!stamp || !schema || !create)
    return fail(ErrorKind::invalid, "PLUGIN_SYMBOL", fmt::format("{} lacks one of the three symbols", name));
  std::string wanted = fmt::format("{}/{}", stamp_, kind == Kind::decider ? "decider" : "adapter");
  if (const char* found = stamp(); !found || wanted != found)
    return fail(ErrorKind::conflict, "PLUGIN_STAMP",
                fmt::format("{} was built with other headers, compiler or libraries, or is of the other kind", name));

  const char* text = schema();
  auto parsed = parse_json(text ? text : "", {.bytes = 256 * 1024});
  if (!parsed)
    return fail(ErrorKind::invalid, "PLUGIN_SCHEMA", fmt::format("schema of {}: {}", name, parsed.error().message));
  auto checker = SchemaCheck::compile(*parsed);
  if (!checker)
    return fail(ErrorKind::invalid, "PLUGIN_SCHEMA", fmt::format("schema of {}: {}", name, checker.error().message));
  auto declared = declared_in(*parsed);
  if (!declared) return fail(declared.error());
  plugins_.push_back(std::unique_ptr<Plugin>(new Plugin(std::string(name), kind, path, std::move(*parsed),
                                                        std::move(*declared), std::move(*checker), create)));
  return plugins_.back().get();
}

}  // namespace schakel::plugin
