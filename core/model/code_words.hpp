// What reason and signal codes say to people, Dutch and English. Codes of a region of one's own get theirs in its file
// (`words`).
#pragma once
#include <string>
#include <string_view>

namespace schakel {

class Profile;

struct CodeWords {
  std::string_view code, nl, en;
};
/// nullptr for a code that Schakel does not know.
[[nodiscard]] const CodeWords* code_words(std::string_view code);
/// The words of the region before those of Schakel; empty where there are none. `profile` may be null.
[[nodiscard]] std::string code_words(std::string_view code, bool dutch, const Profile* profile);

}  // namespace schakel
