// schakel report: the registers that the documents of the regions ask for.
#include <iostream>

#include "core/app/cli.hpp"
#include "core/app/show.hpp"
#include "core/pipeline/registers.hpp"

namespace schakel::app {
namespace {

struct ReportOptions {
  std::string kind, from, to, school;
  int year = 0;
  bool csv = false;
};

/// A field of a CSV file; one that a spreadsheet would calculate with is made text.
std::string csv_field(std::string value) {
  if (!value.empty() && std::string_view("=+-@\t\r").find(value[0]) != std::string_view::npos) value.insert(0, "'");
  if (value.find_first_of("\",;\n\r") == std::string::npos) return value;
  std::string out = "\"";
  for (char c : value) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

Result<pipeline::RegisterQuery> register_query(const ReportOptions& o) {
  pipeline::RegisterQuery q;
  q.kind = o.kind;
  q.school = o.school;
  // A year is a school year: 2026 is 1 August 2026 to 31 July 2027.
  std::string from = o.from, to = o.to;
  if (o.year > 0) {
    from = std::to_string(o.year) + "-08-01";
    to = std::to_string(o.year + 1) + "-07-31";
  }
  auto first = Date::parse(from.empty() ? "2000-01-01" : from), last = Date::parse(to.empty() ? "2999-12-31" : to);
  if (!first || !last || *last < *first)
    return fail(ErrorKind::invalid, "PERIOD_INVALID", "dates are written YYYY-MM-DD, the first before the last");
  q.from = *first;
  q.to = *last;
  return q;
}

int report_register(const ReportOptions& o, const Common& common) {
  auto query = register_query(o);
  if (!query) return report(query.error(), common);
  if (auto known = pipeline::register_rows(*query, {}); !known) return report(known.error(), common);
  std::vector<Json> extracts;
  std::int64_t gone = 0;
  for (Json next = 0; !next.is_null();) {
    auto page = call(common, "GET", "/v1/beheer/registers?na=" + next.dump());
    if (!page) return report(page.error(), common);
    for (auto& x : (*page)["zaken"]) extracts.push_back(std::move(x));
    gone += page->value("gewist", 0);
    next = page->value("verder", Json());
  }
  auto rows = pipeline::register_rows(*query, extracts);
  if (!rows) return report(rows.error(), common);
  if (common.json) {
    print_json({{"register", o.kind},
                {"van", query->from.str()},
                {"tot", query->to.str()},
                {"gewisteZaken", gone},
                {"regels", *rows}});
    return kOk;
  }
  static const std::map<std::string, std::vector<const char*>> columns = {
      {"overleggen", {"regio", "school", "schooljaar", "soort", "aantal", "minimum", "tekort"}},
      {"escalaties",
       {"zaak", "regio", "orgaan", "grond", "gestart", "gesloten", "dagen", "uitkomst", "besluit", "aangehouden",
        "verdeeld"}},
      {"stagnatie", {"regio", "soort", "grond", "aantal", "open"}}};
  const auto& names = columns.at(o.kind);
  std::vector<std::vector<std::string>> lines;
  for (const auto& r : *rows) {
    std::vector<std::string> line;
    for (const char* name : names) line.push_back(text(r, name));
    lines.push_back(std::move(line));
  }
  std::vector<std::string> head(names.begin(), names.end());
  if (o.csv) {
    lines.insert(lines.begin(), head);
    for (const auto& line : lines) {
      for (std::size_t i = 0; i < line.size(); ++i) std::cout << (i ? "," : "") << csv_field(line[i]);
      std::cout << "\r\n";
    }
    return kOk;
  }
  for (auto& name : head)
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  table(head, lines);
  if (gone > 0) std::cout << gone << " gewiste zaken tellen niet mee\n";
  return kOk;
}

}  // namespace

void add_report(CLI::App& app, Common& common, int& exit) {
  static ReportOptions o;
  auto* c = app.add_subcommand("report",
                               "Registers: meetings per school, escalated cases, stagnation; without personal data");
  c->add_option("register", o.kind, "overleggen, escalaties or stagnatie")->required();
  auto* year = c->add_option("--year", o.year, "school year that begins in this year")->check(CLI::Range(2000, 2999));
  c->add_option("--from", o.from, "first day, YYYY-MM-DD")->excludes(year);
  c->add_option("--to", o.to, "last day, YYYY-MM-DD")->excludes(year);
  c->add_option("--school", o.school, "only of this school");
  c->add_flag("--csv", o.csv, "comma separated, for a spreadsheet");
  c->callback([&common, &exit] { exit = report_register(o, common); });
}

}  // namespace schakel::app
