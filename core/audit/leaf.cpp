#include "core/audit/leaf.hpp"

#include "core/base/json.hpp"

namespace schakel::audit {
namespace {

bool alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The eleven test of a burgerservicenummer: 9a+8b+7c+6d+5e+4f+3g+2h-i divisible by 11.
bool bsn(std::string_view word) {
  if (word.size() != 9 || word == "000000000") return false;
  int sum = 0;
  for (int i = 0; i < 9; ++i) {
    char c = word[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return false;
    sum += (i == 8 ? -1 : 9 - i) * (c - '0');
  }
  return sum % 11 == 0;
}

std::string allowed(const std::string& text) { return leaf_text_allowed(text) ? text : std::string("withheld"); }

}  // namespace

bool leaf_text_allowed(std::string_view text) {
  if (text.size() > 200) return false;
  std::size_t word = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && alphanumeric(text[i])) continue;
    if (bsn(text.substr(word, i - word))) return false;
    if (i < text.size() && std::string_view("._:/|+-").find(text[i]) == std::string_view::npos) return false;
    word = i + 1;
  }
  return true;
}

store::AppendLeaf leaf(Instant at, std::string_view kind, const LeafFields& fields) {
  Json body{{"v", 1}, {"at", format_instant(at)}, {"kind", allowed(std::string(kind))}};
  for (const auto& [name, value] : fields.ids) body["ids"][std::string(name)] = allowed(value);
  for (const auto& code : fields.codes) body["codes"].push_back(allowed(code));
  for (const auto& [name, hash] : fields.hashes) body["hashes"][std::string(name)] = to_hex(hash);
  for (const auto& [name, count] : fields.counts) body["counts"][std::string(name)] = count;
  return {{-1, at, body["kind"].get<std::string>(), dump_json(body)}};
}

}  // namespace schakel::audit
