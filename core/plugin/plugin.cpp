#include <fmt/format.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "core/plugin/registry.hpp"

namespace schakel::plugin {
namespace {

bool secret_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

/// Walks schema and value together and collects the names under writeOnly properties.
void collect_secrets(const Json& schema, const Json& value, const std::string& pointer, std::set<std::string>& names,
                     std::vector<Finding>& findings) {
  if (!schema.is_object()) return;
  if (schema.value("writeOnly", false)) {
    if (value.is_string() && secret_name(value.get_ref<const std::string&>()))
      names.insert(value.get<std::string>());
    else
      findings.push_back({pointer, "SECRET_NAME", "names a secret ([a-z0-9_.-], at most 64), and never holds one", ""});
    return;
  }
  if (value.is_object() && schema.contains("properties")) {
    for (const auto& [key, sub] : schema["properties"].items())
      if (value.contains(key)) collect_secrets(sub, value[key], pointer + '/' + key, names, findings);
  }
  if (value.is_object() && schema.contains("additionalProperties")) {
    for (const auto& [key, item] : value.items())
      if (!schema.contains("properties") || !schema["properties"].contains(key))
        collect_secrets(schema["additionalProperties"], item, pointer + '/' + key, names, findings);
  }
  if (value.is_array() && schema.contains("items"))
    for (std::size_t i = 0; i < value.size(); ++i)
      collect_secrets(schema["items"], value[i], fmt::format("{}/{}", pointer, i), names, findings);
}

void collect_hosts(const std::vector<std::string>& pointers, const Json& config, std::set<std::string>& hosts,
                   std::vector<Finding>& findings) {
  for (const auto& text : pointers) {
    Json::json_pointer pointer(text);
    if (!config.contains(pointer)) continue;  // an optional setting
    const Json& at = config[pointer];
    std::vector<const Json*> urls;
    if (at.is_structured())
      for (const auto& item : at) urls.push_back(&item);
    else
      urls.push_back(&at);
    for (const Json* url : urls) {
      auto origin =
          url->is_string()
              ? safe_origin_of(url->get_ref<const std::string&>())
              : Result<std::string>(fail(ErrorKind::invalid, "URL_FORMAT", "is not an absolute http or https URL"));
      if (!origin) {
        findings.push_back({text, origin.error().code, origin.error().message, ""});
      } else {
        hosts.insert(*origin);
      }
    }
  }
}

/// Keeps what `pointer` names of `from` in `to`, below the same path.
void keep(const Json& from, Json& to, const std::string& text) {
  try {
    Json::json_pointer pointer(text);
    if (from.contains(pointer)) to[pointer] = from[pointer];
  } catch (const Json::exception&) {
    // a pointer that does not fit this body names nothing in it
  }
}

}  // namespace

Result<std::string> origin_of(std::string_view url) {
  auto refuse = fail(ErrorKind::invalid, "URL_FORMAT", "is not an absolute http or https URL");
  auto parsed = boost::urls::parse_uri({url.data(), url.size()});
  if (!parsed || parsed->encoded_host().empty() || parsed->has_userinfo()) return refuse;
  std::string scheme(parsed->scheme());
  std::ranges::transform(scheme, scheme.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (scheme != "https" && scheme != "http") return refuse;
  std::string host(std::string_view(parsed->encoded_host().data(), parsed->encoded_host().size()));
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  unsigned port = scheme == "https" ? 443 : 80;
  if (parsed->has_port()) {
    std::string_view digits(parsed->port().data(), parsed->port().size());
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || port == 0 || port > 65535) return refuse;
  }
  return fmt::format("{}://{}:{}", scheme, host, port);
}

Result<std::string> safe_origin_of(std::string_view url) {
  auto origin = origin_of(url);
  if (!origin || origin->starts_with("https://")) return origin;
  auto host = std::string_view(*origin).substr(std::string_view("http://").size());
  if (host.starts_with("127.0.0.1:") || host.starts_with("localhost:") || host.starts_with("[::1]:")) return origin;
  return fail(ErrorKind::invalid, "URL_NOT_TLS", "http is for loopback addresses only");
}

Delivery restrict(Delivery delivery, const std::vector<std::string>& fields) {
  Json from{{"endpoint", delivery.endpoint}, {"body", delivery.body}};
  Json to{{"endpoint", Json::object()}, {"body", Json::object()}};
  auto declares = [&](std::string_view name) { return std::ranges::find(fields, name) != fields.end(); };
  for (const auto& field : fields)
    if (field.starts_with("/endpoint") || field.starts_with("/body")) keep(from, to, field);
  delivery.endpoint = std::move(to["endpoint"]);
  delivery.body = std::move(to["body"]);
  if (!declares("/case_id")) delivery.case_id.clear();
  if (!declares("/pseudonym")) delivery.pseudonym.clear();
  if (!declares("/documents")) delivery.documents.clear();
  if (!declares("/body") && !declares("/body/invoice")) delivery.invoice.reset();
  return delivery;
}

Plugin::Plugin(std::string name_, Kind kind_, std::filesystem::path path_, Json schema_, Declared declared_,
               SchemaCheck checker, Create create)
    : name(std::move(name_)),
      kind(kind_),
      path(std::move(path_)),
      schema(std::move(schema_)),
      declared(std::move(declared_)),
      checker_(std::move(checker)),
      create_(create) {}

Result<Grants> Plugin::check(const Json& config) const {
  auto findings = checker_.findings(config);
  Grants grants{.hosts = {}, .secrets = {}, .fields = declared.fields, .access = declared.access};
  collect_secrets(schema, config, "", grants.secrets, findings);
  collect_hosts(declared.hosts, config, grants.hosts, findings);
  if (!findings.empty())
    return fail(ErrorKind::invalid, "CONFIG_INVALID",
                fmt::format("configuration of {} has {} findings", name, findings.size()), std::move(findings));
  return grants;
}

Result<void*> Plugin::create(const Json& config) const {
  if (auto ok = check(config); !ok) return fail(ok.error());
  try {
    void* made = create_(dump_json(config).c_str());
    if (made) return made;
  } catch (const std::exception& e) {
    return fail(ErrorKind::invalid, "PLUGIN_CREATE", fmt::format("{} refused its configuration: {}", name, e.what()));
  }
  return fail(ErrorKind::internal, "PLUGIN_CREATE", fmt::format("{} made nothing", name));
}

Result<std::unique_ptr<Adapter>> Plugin::make_adapter(const Json& config) const {
  if (kind != Kind::adapter) return fail(ErrorKind::invalid, "PLUGIN_KIND", fmt::format("{} is not an adapter", name));
  auto made = create(config);
  if (!made) return fail(made.error());
  return std::unique_ptr<Adapter>(static_cast<Adapter*>(*made));
}

Result<std::unique_ptr<Decider>> Plugin::make_decider(const Json& config) const {
  if (kind != Kind::decider) return fail(ErrorKind::invalid, "PLUGIN_KIND", fmt::format("{} is not a decider", name));
  auto made = create(config);
  if (!made) return fail(made.error());
  std::unique_ptr<Decider> decider(static_cast<Decider*>(*made));
  static const std::set<std::string_view> stages{"routing", "consent", "invoicing", "deadlines"};
  if (!stages.contains(decider->stage()))
    return fail(ErrorKind::invalid, "PLUGIN_STAGE", fmt::format("{} has an unknown stage", name));
  return decider;
}

}  // namespace schakel::plugin
