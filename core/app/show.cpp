#include "core/app/show.hpp"

#include <fmt/format.h>

#include <iostream>

namespace schakel::app {

void table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) {
    std::cout << "(niets)\n";
    return;
  }
  std::vector<std::size_t> width(head.size());
  for (std::size_t i = 0; i < head.size(); ++i) width[i] = head[i].size();
  for (const auto& r : rows)
    for (std::size_t i = 0; i < r.size(); ++i) width[i] = std::max(width[i], r[i].size());
  auto line = [&](const std::vector<std::string>& r) {
    for (std::size_t i = 0; i < r.size(); ++i)
      std::cout << r[i] << std::string(i + 1 < r.size() ? width[i] - r[i].size() + 2 : 0, ' ');
    std::cout << "\n";
  };
  line(head);
  for (const auto& r : rows) line(r);
}

std::string text(const Json& j, const char* name) {
  if (!j.contains(name) || j[name].is_null()) return "";
  if (j[name].is_string()) return j[name];
  if (j[name].is_array()) {
    std::string out;
    for (const auto& v : j[name]) out += (out.empty() ? "" : ", ") + (v.is_string() ? v.get<std::string>() : v.dump());
    return out;
  }
  return j[name].dump();
}

std::string euros(const Json& cents) {
  if (!cents.is_number_integer()) return "";
  auto c = cents.get<std::int64_t>();
  return fmt::format("{}{}.{:02}", c < 0 ? "-" : "", std::abs(c) / 100, std::abs(c) % 100);
}

CLI::Validator plain_word() {
  return {[](std::string& s) {
            bool good = !s.empty() && std::ranges::all_of(s, [](unsigned char ch) {
              return std::isalnum(ch) || ch == '_' || ch == '-' || ch == '.';
            });
            return good ? std::string() : std::string("letters, digits, _, - and . only");
          },
          "NAME"};
}

void add_yes(CLI::App* command, bool& yes) {
  command->add_flag("--yes", yes, "do it; without this the command only says what it would do");
}

bool go_on(const Common& common, bool yes, std::string_view what) {
  if (yes) return true;
  if (common.json)
    std::cout << Json{{"gedaan", false}, {"zou", what}}.dump() << "\n";
  else
    std::cout << "would " << what << ". Add --yes to do it.\n";
  return false;
}

int shown(const Common& common, Result<Json> answer, const std::function<void(const Json&)>& show) {
  if (!answer) return report(answer.error(), common);
  if (common.json)
    print_json(*answer);
  else
    show(*answer);
  return kOk;
}

}  // namespace schakel::app
