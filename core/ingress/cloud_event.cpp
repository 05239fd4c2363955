#include "core/ingress/cloud_event.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/bytes.hpp"

namespace schakel::ingress {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  return out;
}

/// Media type without parameters.
std::string essence(std::string_view content_type) {
  auto e = lower(content_type.substr(0, content_type.find(';')));
  while (!e.empty() && (e.back() == ' ' || e.back() == '\t')) e.pop_back();
  while (!e.empty() && (e.front() == ' ' || e.front() == '\t')) e.erase(e.begin());
  return e;
}

bool json_type(std::string_view essence) {
  return essence == "application/json" || essence == "text/json" || essence.ends_with("+json");
}

bool attribute_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

bool printable(std::string_view s) {
  return std::ranges::none_of(s, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

constexpr std::array<std::string_view, 4> kRequired = {"specversion", "id", "source", "type"};

/// Rules of the attributes that hold in every mode (CloudEvents 3.1; NL GOV profile).
void check_attributes(const Event& e, const std::string& at, std::vector<Finding>& out) {
  for (auto name : kRequired) {
    auto it = e.attributes.find(std::string(name));
    if (it == e.attributes.end() || it->second.empty())
      out.push_back({at + "/" + std::string(name), "CE_REQUIRED", "a required attribute is missing or empty",
                     "CloudEvents 3.1.1"});
  }
  auto value = [&](const char* name) {
    auto it = e.attributes.find(name);
    return it == e.attributes.end() ? std::string() : it->second;
  };
  if (auto v = value("specversion"); !v.empty() && v != "1.0")
    out.push_back({at + "/specversion", "CE_SPECVERSION", "specversion must be 1.0", "CloudEvents 3.1.1"});
  if (value("id").size() > 255) out.push_back({at + "/id", "CE_TOO_LONG", "longer than 255 bytes", ""});
  if (value("source").size() > 500) out.push_back({at + "/source", "CE_TOO_LONG", "longer than 500 bytes", ""});
  if (auto v = value("time"); !v.empty() && !parse_instant(v))
    out.push_back({at + "/time", "CE_TIME", "time must be RFC 3339", "CloudEvents 3.1.2"});
  for (const auto& [name, text] : e.attributes) {
    if (!attribute_name(name))
      out.push_back({at, "CE_ATTRIBUTE_NAME", "an attribute name is not a-z and 0-9", "CloudEvents 3"});
    if (!printable(text)) out.push_back({at, "CE_CONTROL", "an attribute holds a control character", "CloudEvents 3"});
  }
}

Event from_json(const Json& j, const std::string& at, std::vector<Finding>& out) {
  Event e;
  if (!j.is_object()) {
    out.push_back({at, "CE_NOT_OBJECT", "an event must be a JSON object", "CloudEvents JSON 3"});
    return e;
  }
  for (const auto& [name, v] : j.items()) {
    if (name == "data") {
      e.data = v;
    } else if (name == "data_base64") {
      out.push_back({at + "/data_base64", "CE_BINARY_DATA", "data must be JSON, documents go by claim check", ""});
    } else if (v.is_null()) {
      continue;
    } else if (v.is_string()) {
      e.attributes[name] = v;
    } else if (v.is_boolean()) {
      e.attributes[name] = v.get<bool>() ? "true" : "false";
    } else if (v.is_number_integer()) {
      e.attributes[name] = std::to_string(v.get<std::int64_t>());
    } else {
      out.push_back({at, "CE_ATTRIBUTE_TYPE", "an attribute is not text, integer or boolean", "CloudEvents JSON 2.2"});
    }
  }
  if (auto it = e.attributes.find("datacontenttype"); it != e.attributes.end() && !json_type(essence(it->second)))
    out.push_back({at + "/datacontenttype", "CE_DATA_TYPE", "data must be JSON", ""});
  if (!e.data.is_object()) out.push_back({at + "/data", "CE_DATA", "data must be a JSON object", ""});
  check_attributes(e, at, out);
  return e;
}

}  // namespace

Result<Mode> mode_of(std::string_view content_type, bool has_ce_headers) {
  auto e = essence(content_type);
  if (e.starts_with("application/cloudevents-batch")) {
    if (e == "application/cloudevents-batch+json") return Mode::batched;
  } else if (e.starts_with("application/cloudevents")) {
    if (e == "application/cloudevents+json" || e == "application/cloudevents") return Mode::structured;
  } else if (has_ce_headers && json_type(e)) {
    return Mode::binary;
  }
  return fail(ErrorKind::unsupported, "CE_MEDIA_TYPE",
              "send application/cloudevents+json, application/cloudevents-batch+json, or JSON with ce- headers");
}

Result<std::string> decode_header(std::string_view v) {
  auto bad = [] { return fail(ErrorKind::invalid, "CE_HEADER", "a ce- header is not a valid value"); };
  std::string unquoted;
  if (v.size() >= 2 && v.front() == '"' && v.back() == '"') {
    for (std::size_t i = 1; i + 1 < v.size(); ++i) {
      if (v[i] == '\\' && i + 2 < v.size()) ++i;
      unquoted += v[i];
    }
  } else {
    unquoted = v;
  }
  std::string out;
  for (std::size_t i = 0; i < unquoted.size(); ++i) {
    if (unquoted[i] != '%') {
      out += unquoted[i];
      continue;
    }
    if (i + 2 >= unquoted.size()) return bad();
    auto byte = from_hex(std::string_view(unquoted).substr(i + 1, 2));
    if (!byte) return bad();
    out += static_cast<char>((*byte)[0]);
    i += 2;
  }
  // The JSON reader knows exactly what valid UTF-8 is.
  if (!printable(out) || !parse_json(Json(out).dump(-1, ' ', false, Json::error_handler_t::ignore), {})) return bad();
  if (Json(out).dump(-1, ' ', false, Json::error_handler_t::replace).find("\xEF\xBF\xBD") != std::string::npos &&
      out.find("\xEF\xBF\xBD") == std::string::npos)
    return bad();
  return out;
}

Result<std::vector<Event>> read_events(std::string_view content_type, const HeaderPairs& headers, std::string_view body,
                                       const EventLimits& limits) {
  bool has_ce = std::ranges::any_of(headers, [](const auto& h) { return lower(h.first).starts_with("ce-"); });
  auto mode = mode_of(content_type, has_ce);
  if (!mode) return fail(mode.error());
  std::vector<Event> events;
  std::vector<Finding> findings;
  auto invalid = [&] { return fail(ErrorKind::invalid, "CE_INVALID", "not a valid CloudEvent", std::move(findings)); };
  auto too_large = [](std::size_t n) {
    return fail(ErrorKind::too_large, "CE_TOO_LARGE", fmt::format("an event is larger than {} bytes", n));
  };

  if (*mode == Mode::batched) {
    if (body.size() > limits.batch_bytes) return too_large(limits.batch_bytes);
    auto json = parse_json(body, {limits.batch_bytes, 33, limits.event_bytes});
    if (!json) return fail(std::move(json.error()));
    if (!json->is_array()) return fail(ErrorKind::invalid, "CE_INVALID", "a batch must be a JSON array");
    if (json->size() > limits.batch_events)
      return fail(ErrorKind::too_large, "CE_BATCH_TOO_LONG",
                  fmt::format("more than {} events in a batch", limits.batch_events));
    for (std::size_t i = 0; i < json->size(); ++i) {
      if (dump_json((*json)[i]).size() > limits.event_bytes) return too_large(limits.event_bytes);
      events.push_back(from_json((*json)[i], fmt::format("/{}", i), findings));
    }
  } else {
    if (body.size() > limits.event_bytes) return too_large(limits.event_bytes);
    auto json = parse_json(body, {limits.event_bytes, 32, limits.event_bytes});
    if (!json) return fail(std::move(json.error()));
    if (*mode == Mode::structured) {
      events.push_back(from_json(*json, "", findings));
    } else {
      Event e;
      for (const auto& [raw, value] : headers) {
        auto name = lower(raw);
        if (!name.starts_with("ce-")) continue;
        name.erase(0, 3);
        auto text = decode_header(value);
        if (!text)
          findings.push_back({"/" + name, text.error().code, text.error().message, "CloudEvents HTTP 3.1.3"});
        else if (!e.attributes.emplace(name, *text).second)
          findings.push_back({"/" + name, "CE_REPEATED", "a ce- header is there twice", ""});
      }
      if (e.attributes.contains("datacontenttype"))
        findings.push_back({"/datacontenttype", "CE_REPEATED", "Content-Type is the datacontenttype in binary mode",
                            "CloudEvents HTTP 3.1.1"});
      e.data = std::move(*json);
      if (!e.data.is_object()) findings.push_back({"/data", "CE_DATA", "data must be a JSON object", ""});
      check_attributes(e, "", findings);
      events.push_back(std::move(e));
    }
  }
  if (!findings.empty()) return invalid();
  return events;
}

namespace {

/// Reads a list of texts out of data and takes it away from the payload.
std::vector<std::string> texts(Json& data, const char* name, std::vector<Finding>& findings) {
  std::vector<std::string> out;
  if (!data.contains(name)) return out;
  bool good = data[name].is_array() && data[name].size() <= 200;
  if (good)
    for (const auto& v : data[name]) {
      good = good && v.is_string() && v.get_ref<const std::string&>().size() <= 200;
      if (v.is_string()) out.push_back(v);
    }
  if (!good)
    findings.push_back({std::string("/data/") + name, "CE_DATA", "must be a list of at most 200 short texts", ""});
  data.erase(name);
  return out;
}

std::string text(Json& data, const char* name, std::vector<Finding>& findings, std::size_t limit = 200) {
  std::string out;
  if (!data.contains(name)) return out;
  if (!data[name].is_string() || data[name].get_ref<const std::string&>().size() > limit)
    findings.push_back({std::string("/data/") + name, "CE_DATA", "must be a short text", ""});
  else
    out = data[name];
  data.erase(name);
  return out;
}

Attachment attachment(const Json& j, const std::string& at, std::vector<Finding>& findings) {
  Attachment a;
  auto bad = [&](const char* name, const char* what) { findings.push_back({at + "/" + name, "CE_DATA", what, ""}); };
  if (!j.is_object()) {
    bad("", "must be an object");
    return a;
  }
  for (const auto& [name, v] : j.items()) {
    if (name == "document" && v.is_string())
      a.document = v;
    else if (name == "doc_type" && v.is_string())
      a.doc_type = v;
    else if (name == "status" && v.is_string())
      a.status = v;
    else if (name == "sha256" && v.is_string())
      a.sha256 = v;
    else if (name == "version" && v.is_number_integer() && v.get<std::int64_t>() > 0 && v.get<std::int64_t>() < 100000)
      a.version = v;
    else
      bad(name.c_str(), "not a known field, or of the wrong type");
  }
  if (a.document.empty()) bad("document", "is required");
  if (a.doc_type.empty()) bad("doc_type", "is required");
  return a;
}

}  // namespace

Result<Message> to_message(const Event& event) {
  std::vector<Finding> findings;
  Message m;
  auto attribute = [&](const char* name) {
    auto it = event.attributes.find(name);
    return it == event.attributes.end() ? std::string() : it->second;
  };
  m.id = attribute("id");
  m.source = attribute("source");
  m.subject = attribute("subject");
  m.causation_id = attribute("causationid");
  if (auto type = short_type(attribute("type")))
    m.type = *type;
  else
    findings.push_back({"/type", "MESSAGE_TYPE_UNKNOWN", "type must be nl.schakel.<message type>.v1", ""});
  Json data = event.data;
  m.region = text(data, "region", findings, 20);
  m.reference = text(data, "reference", findings);
  m.addressed_to = texts(data, "addressed_to", findings);
  m.consent_refs = texts(data, "consent_refs", findings);
  if (data.contains("sender")) {
    auto sender = data["sender"];
    if (!sender.is_object())
      findings.push_back({"/data/sender", "CE_DATA", "must be an object", ""});
    else {
      m.sender_role = text(sender, "role", findings);
      m.sender_person = text(sender, "person", findings);
      if (!sender.empty()) findings.push_back({"/data/sender", "CE_DATA", "has only role and person", ""});
    }
    data.erase("sender");
  }
  if (m.region.empty()) findings.push_back({"/data/region", "CE_REQUIRED", "is required", ""});
  if (m.sender_role.empty()) findings.push_back({"/data/sender/role", "CE_REQUIRED", "is required", ""});
  if (data.contains("attachments")) {
    if (!data["attachments"].is_array() || data["attachments"].size() > 100)
      findings.push_back({"/data/attachments", "CE_DATA", "must be a list of at most 100", ""});
    else
      for (std::size_t i = 0; i < data["attachments"].size(); ++i)
        m.attachments.push_back(attachment(data["attachments"][i], fmt::format("/data/attachments/{}", i), findings));
    data.erase("attachments");
  }
  m.payload = std::move(data);
  if (!findings.empty())
    return fail(ErrorKind::invalid, "CE_DATA", "the event is not a valid case message", std::move(findings));
  return m;
}

}  // namespace schakel::ingress
