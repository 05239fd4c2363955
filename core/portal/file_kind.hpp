// What kind of file something is, by its name's ending and its first bytes together (LNK-11). Pure.
#pragma once
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/error.hpp"

namespace schakel::portal {

/// Bytes that file_kind() wants to see.
inline constexpr std::size_t kKindBytes = 512;

/// The media type when ending and content agree and the kind is one that may be shared: pdf, odt, docx, png, jpeg,
/// plain text. FILE_KIND (unsupported) otherwise.
[[nodiscard]] Result<std::string> file_kind(std::string_view extension, ByteView first);

}  // namespace schakel::portal
