// A zaaksysteem in memory for the bench: checks what Zaken and Documenten require and keeps state.
#pragma once
#include <fmt/format.h>

#include "tests/support/plugin_bench.hpp"

namespace schakel::test {

class FakeZgw {
 public:
  std::string zaken = "https://zaken.example.nl/zaken/api/v1",
              documenten = "https://documenten.example.nl/documenten/api/v1";
  std::int64_t part_size = 4;
  std::vector<Json> cases, roles, statuses, properties, links, objects;
  std::map<std::string, std::string> parts_content;  ///< part uuid -> bytes
  std::vector<std::string> complaints;               ///< calls that a real one would refuse

  Result<HttpReply> operator()(const HttpRequest& r) {
    if (header(r, "Authorization").substr(0, 7) != "Bearer ") return problem(401, "not_authenticated");
    if (header(r, "Accept-Crs") != "EPSG:4326") return problem(400, "crs");
    auto q = r.url.find('?');
    std::string path = r.url.substr(0, q), query = q == std::string::npos ? "" : r.url.substr(q + 1);
    if (path == zaken + "/zaken") return r.method == "GET" ? page(filter(cases, query)) : make_case(r);
    if (path == zaken + "/rollen")
      return r.method == "GET"
                 ? page(filter(roles, query))
                 : make(r, roles, zaken + "/rollen/", {"zaak", "betrokkeneType", "roltype", "roltoelichting"});
    if (path == zaken + "/statussen")
      return r.method == "GET" ? page(filter(statuses, query))
                               : make(r, statuses, zaken + "/statussen/", {"zaak", "statustype", "datumStatusGezet"});
    if (path == zaken + "/zaakinformatieobjecten") {
      if (r.method == "GET") return list(filter(links, query));
      Json body = Json::parse(r.body);
      for (const auto& l : links)
        if (l["informatieobject"] == body["informatieobject"] && l["zaak"] == body["zaak"])
          return problem(400, "unique");
      return make(r, links, zaken + "/zaakinformatieobjecten/", {"zaak", "informatieobject"});
    }
    if (path.starts_with(zaken + "/zaken/") && path.ends_with("/zaakeigenschappen"))
      return r.method == "GET" ? list(properties) : make(r, properties, path + "/", {"zaak", "eigenschap", "waarde"});
    if (path.find("/zaakeigenschappen/") != std::string::npos && r.method == "PATCH") {
      for (auto& p : properties)
        if (p["url"] == path) return p.update(Json::parse(r.body)), HttpReply{200, {}, p.dump()};
      return problem(404, "not_found");
    }
    std::string eio = documenten + "/enkelvoudiginformatieobjecten";
    if (path == eio) return r.method == "GET" ? page(filter(objects, query)) : make_object(r);
    if (path.starts_with(eio + "/")) return object_call(r, path);
    if (path.starts_with(documenten + "/bestandsdelen/") && r.method == "PUT") return put_part(r, path);
    return problem(404, "not_found");
  }

  /// What the gemeente sees, without ids: orphans (locked, not linked) are left out.
  [[nodiscard]] std::string picture() const {
    std::string out = fmt::format("zaken={} rollen={} statussen={} eigenschappen={} links={}", cases.size(),
                                  roles.size(), statuses.size(), properties.size(), links.size());
    std::vector<std::string> documents;
    for (const auto& l : links)
      for (const auto& o : objects)
        if (o["url"] == l["informatieobject"])
          documents.push_back(
              fmt::format(" {}:{}:{}", o.value("titel", ""), o.value("locked", false), o.value("_content", "")));
    std::ranges::sort(documents);
    for (const auto& d : documents) out += d;
    for (const auto& c : complaints) out += " !" + c;
    return out;
  }

 private:
  static std::string header(const HttpRequest& r, std::string_view name) {
    return HttpReply{0, r.headers, {}}.header(name);
  }
  static HttpReply problem(int status, const std::string& code) {
    return {status,
            {{"Content-Type", "application/problem+json"}},
            Json{{"code", code}, {"title", "x"}, {"status", status}, {"detail", "Jansen 999990019"}}.dump()};
  }
  static HttpReply page(const std::vector<Json>& items) {
    return {
        200, {}, Json{{"count", items.size()}, {"next", nullptr}, {"previous", nullptr}, {"results", items}}.dump()};
  }
  static HttpReply list(const std::vector<Json>& items) { return {200, {}, Json(items).dump()}; }
  static std::vector<Json> filter(const std::vector<Json>& from, const std::string& query) {
    std::vector<Json> out;
    for (const auto& item : from) {
      bool fits = true;
      for (const char* key : {"identificatie", "bronorganisatie", "zaak", "roltype", "informatieobject"}) {
        auto at = query.find(std::string(key) + "=");
        if (at == std::string::npos || (at > 0 && query[at - 1] != '&')) continue;
        auto value = query.substr(at + std::string_view(key).size() + 1);
        value = value.substr(0, value.find('&'));
        fits = fits && sdk_encode(item.value(key, "")) == value;
      }
      if (fits) out.push_back(item);
    }
    return out;
  }
  static std::string sdk_encode(const std::string& text) {
    std::string out;
    for (unsigned char c : text)
      out += std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' ? std::string(1, static_cast<char>(c))
                                                                             : fmt::format("%{:02X}", c);
    return out;
  }
  std::string uuid() { return fmt::format("095be615-a8ad-4c33-8e9c-{:012x}", ++next_); }
  HttpReply make(const HttpRequest& r, std::vector<Json>& into, const std::string& base,
                 std::initializer_list<const char*> required) {
    Json body = Json::parse(r.body, nullptr, false);
    for (const char* key : required)
      if (!body.contains(key) || body[key].is_null()) return problem(400, "required");
    body["url"] = base + uuid();
    into.push_back(body);
    return {201, {{"Location", body["url"]}}, body.dump()};
  }
  HttpReply make_case(const HttpRequest& r) {
    Json body = Json::parse(r.body);
    for (const auto& c : cases)
      if (c["identificatie"] == body["identificatie"]) {
        return {
            400,
            {},
            Json{{"code", "invalid"},
                 {"invalidParams",
                  Json::array({{{"name", "identificatie"}, {"code", "identificatie-niet-uniek"}, {"reason", "x"}}})}}
                .dump()};
      }
    return make(r, cases, zaken + "/zaken/",
                {"bronorganisatie", "verantwoordelijkeOrganisatie", "zaaktype", "startdatum", "identificatie"});
  }
  HttpReply make_object(const HttpRequest& r) {
    Json body = Json::parse(r.body);
    for (const char* key :
         {"bronorganisatie", "creatiedatum", "titel", "auteur", "taal", "informatieobjecttype", "identificatie"})
      if (!body.contains(key)) return problem(400, "required");
    for (const auto& o : objects)
      if (o["identificatie"] == body["identificatie"]) return problem(400, "identificatie-niet-uniek");
    body["url"] = documenten + "/enkelvoudiginformatieobjecten/" + uuid();
    body["locked"] = false;
    body["bestandsdelen"] = Json::array();
    if (body["inhoud"].is_null()) {
      body["locked"] = true;
      std::int64_t left = body["bestandsomvang"], n = 0;
      while (left > 0) {
        auto size = std::min(left, part_size);
        body["bestandsdelen"].push_back({{"url", documenten + "/bestandsdelen/" + uuid()},
                                         {"volgnummer", ++n},
                                         {"omvang", size},
                                         {"voltooid", false}});
        left -= size;
      }
      body["_lock"] = "slot-" + uuid();
      Json reply = body;
      reply["lock"] = body["_lock"];
      reply.erase("_lock");
      objects.push_back(body);
      return {201, {}, reply.dump()};
    }
    auto content = from_base64(body["inhoud"].get<std::string>());
    if (!content || static_cast<std::int64_t>(content->size()) != body["bestandsomvang"].get<std::int64_t>())
      return problem(400, "file-size");
    body["_content"] = std::string(as_text(*content));
    body["inhoud"] = body["url"].get<std::string>() + "/download";
    objects.push_back(body);
    return {201, {}, body.dump()};
  }
  HttpReply object_call(const HttpRequest& r, const std::string& path) {
    for (auto& o : objects) {
      std::string url = o["url"];
      if (path == url && r.method == "GET") {
        Json reply = o;
        reply.erase("_lock");
        return {200, {}, reply.dump()};
      }
      if (path == url + "/unlock" && r.method == "POST") {
        if (Json::parse(r.body).value("lock", "") != o.value("_lock", "?")) return problem(400, "incorrect-lock-id");
        std::string content;
        for (const auto& p : o["bestandsdelen"]) {
          if (!p["voltooid"].get<bool>()) return problem(400, "incomplete-upload");
          content += parts_content[p["url"]];
        }
        o["_content"] = content;
        o["locked"] = false;
        o["bestandsdelen"] = Json::array();
        return {204, {}, ""};
      }
    }
    return problem(404, "not_found");
  }
  HttpReply put_part(const HttpRequest& r, const std::string& path) {
    for (auto& o : objects)
      for (auto& p : o["bestandsdelen"]) {
        if (p["url"] != path) continue;
        if (r.body.find("name=\"lock\"\r\n\r\n" + o.value("_lock", "?") + "\r\n") == std::string::npos)
          return problem(400, "incorrect-lock-id");
        auto from = r.body.find("application/octet-stream\r\n\r\n");
        auto to = r.body.rfind("\r\n--schakel-");
        if (from == std::string::npos || to == std::string::npos) return problem(400, "required");
        std::string content = r.body.substr(from + 28, to - from - 28);
        if (static_cast<std::int64_t>(content.size()) != p["omvang"].get<std::int64_t>())
          return problem(400, "file-size");
        if (p["voltooid"].get<bool>()) complaints.push_back("part twice");
        parts_content[path] = content;
        p["voltooid"] = true;
        return {200, {}, p.dump()};
      }
    return problem(404, "not_found");
  }
  int next_ = 0;
};

}  // namespace schakel::test
