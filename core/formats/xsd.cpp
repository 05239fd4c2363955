#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <filesystem>
#include <memory>
#include <mutex>

#include "core/formats/table.hpp"

namespace schakel::formats {
namespace {

void silent(void*, const char*, ...) {}

void note(void* self, xmlErrorPtr e) {
  auto& findings = *static_cast<std::vector<Finding>*>(self);
  if (e->level < XML_ERR_ERROR || findings.size() >= 200) return;
  // libxml2's text quotes the value, which may be personal data.
  findings.push_back({fmt::format(":{}", e->line), "XML_SCHEMA",
                      fmt::format("not valid against the schema (libxml2 {})", e->code), ""});
}

}  // namespace

Result<XsdSchema> XsdSchema::load(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    return fail(ErrorKind::not_found, "XSD_UNAVAILABLE", "the schema file is not there");
  static std::once_flag once;
  std::call_once(once, [] {
    xmlInitParser();
    // Process-wide: from here on libxml2 opens files only.
    xmlSetExternalEntityLoader(xmlNoNetExternalEntityLoader);
  });
  std::unique_ptr<xmlSchemaParserCtxt, decltype(&xmlSchemaFreeParserCtxt)> parser(xmlSchemaNewParserCtxt(path.c_str()),
                                                                                  &xmlSchemaFreeParserCtxt);
  if (!parser) return fail(ErrorKind::io, "XSD_UNAVAILABLE", "the schema file cannot be read");
  xmlSchemaSetParserErrors(parser.get(), &silent, &silent, nullptr);
  auto* schema = xmlSchemaParse(parser.get());
  if (!schema) return fail(ErrorKind::invalid, "XSD_INVALID", "the schema cannot be compiled");
  return XsdSchema(schema);
}

Result<std::vector<Finding>> XsdSchema::check(std::string_view bytes, const XmlLimits& limits) const {
  if (auto ok = screen_xml(bytes, limits); !ok) return fail(ok.error());
  std::vector<Finding> findings;
  std::unique_ptr<xmlSchemaValidCtxt, decltype(&xmlSchemaFreeValidCtxt)> validator(
      xmlSchemaNewValidCtxt(static_cast<xmlSchemaPtr>(schema_)), &xmlSchemaFreeValidCtxt);
  if (!validator) return fail(ErrorKind::internal, "XSD_INVALID", "the schema cannot be used");
  xmlSchemaSetValidStructuredErrors(validator.get(), &note, &findings);
  std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(xmlNewParserCtxt(), &xmlFreeParserCtxt);
  if (!parser) return fail(ErrorKind::internal, "XSD_INVALID", "out of memory");
  std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      xmlCtxtReadMemory(parser.get(), bytes.data(), static_cast<int>(bytes.size()), nullptr, nullptr,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
      &xmlFreeDoc);
  if (!document) return fail(ErrorKind::invalid, "XML_SYNTAX", "not a well-formed document");
  int result = xmlSchemaValidateDoc(validator.get(), document.get());
  if (result < 0) return fail(ErrorKind::internal, "XSD_INVALID", "the schema check stopped");
  if (result > 0 && findings.empty()) findings.push_back({"", "XML_SCHEMA", "not valid against the schema", ""});
  return findings;
}

XsdSchema::XsdSchema(XsdSchema&& o) noexcept : schema_(std::exchange(o.schema_, nullptr)) {}
XsdSchema::~XsdSchema() {
  if (schema_) xmlSchemaFree(static_cast<xmlSchemaPtr>(schema_));
}

}  // namespace schakel::formats
