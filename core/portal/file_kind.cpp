#include "core/portal/file_kind.hpp"

#include <algorithm>

namespace schakel::portal {

Result<std::string> file_kind(std::string_view extension, ByteView first) {
  const auto text = as_text(first);
  auto refused = [] {
    return fail(ErrorKind::unsupported, "FILE_KIND",
                "this kind of file cannot be shared, or its content is not what its name says");
  };
  auto agrees = [&](bool content, std::string_view type) -> Result<std::string> {
    if (!content) return refused();
    return std::string(type);
  };
  const bool zip = text.starts_with(std::string_view("PK\x03\x04", 4));
  if (extension == "pdf") return agrees(text.starts_with("%PDF-"), "application/pdf");
  if (extension == "png") return agrees(text.starts_with(std::string_view("\x89PNG\r\n\x1a\n", 8)), "image/png");
  if (extension == "jpg" || extension == "jpeg")
    return agrees(text.starts_with(std::string_view("\xff\xd8\xff", 3)), "image/jpeg");
  // The first entry of an OpenDocument file is its type, uncompressed.
  if (extension == "odt")
    return agrees(zip && text.find("mimetypeapplication/vnd.oasis.opendocument.text") == 30,
                  "application/vnd.oasis.opendocument.text");
  if (extension == "docx")
    return agrees(zip &&
                      (text.find("[Content_Types].xml") != text.npos || text.find("word/") != text.npos ||
                       text.find("_rels/") != text.npos) &&
                      text.find("mimetype") != 30,
                  "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
  if (extension == "txt")
    return agrees(
        !text.empty() &&
            std::ranges::none_of(
                text,
                [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t'; }) &&
            !text.starts_with("%PDF-") && text.find('<') == text.npos,
        "text/plain");
  return refused();
}

}  // namespace schakel::portal
