#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/app/check_regions.hpp"
#include "core/app/cli.hpp"
#include "core/app/config.hpp"
#include "core/app/openapi.hpp"
#include "core/base/calendar.hpp"
#include "core/base/clock.hpp"
#include "core/formats/sniff.hpp"
#include "core/formats/xsd_folder.hpp"
#include "core/ingress/ingress.hpp"

namespace schakel::app {
namespace fs = std::filesystem;
namespace {

int check(const std::string& file, const RegionCheck& regions, const Common& common) {
  if (is_region(file)) return check_regions(file, regions, common);
  auto config = read_config(file, installed_prefix());
  if (!config) {
    if (!common.json) return report(config.error(), common);
    Json j{{"ok", false}, {"findings", Json::array()}};
    for (const auto& f : config.error().findings)
      j["findings"].push_back({{"pointer", f.pointer}, {"code", f.code}, {"message", f.message}, {"rule", f.rule}});
    print_json(j);
    return kConfig;
  }
  RegionCheck all = regions;
  all.config_dir = config->regions_dir;
  if (!config->own_regions_dir.empty()) all.more.push_back(config->own_regions_dir);
  if (common.json) return check_regions(config->regions_dir, all, common);
  std::cout << fmt::format("{}: in orde. {} partijen, {} adapters, {} regio's.\n", config->file.filename().string(),
                           config->parties->all().size(), config->adapters.size(), config->profiles.size());
  return check_regions(config->regions_dir, all, common);
}

/// Findings of one file; kind in `kind`.
std::vector<Finding> judge(std::string_view bytes, const ingress::TypeCatalogue& types,
                           const std::optional<formats::XsdFolder>& schemas, std::string& kind) {
  auto day = local_date(SystemClock().now());
  auto report = formats::check_message(bytes, formats::parse_date(day.str()));
  kind = formats::kind_name(report.kind);
  if (report.kind != formats::MessageKind::cloud_event && report.kind != formats::MessageKind::cloud_event_batch) {
    if (schemas) std::ranges::move(schemas->check(report.kind, bytes), std::back_inserter(report.findings));
    return report.findings;
  }
  auto media = report.kind == formats::MessageKind::cloud_event ? "application/cloudevents+json"
                                                                : "application/cloudevents-batch+json";
  auto events = ingress::read_events(media, {}, bytes);
  if (!events) {
    if (events.error().findings.empty()) return {{"", events.error().code, events.error().message, ""}};
    return events.error().findings;
  }
  std::vector<Finding> out;
  for (std::size_t i = 0; i < events->size(); ++i) {
    auto prefix = events->size() > 1 ? fmt::format("/{}", i) : std::string();
    auto message = ingress::to_message((*events)[i]);
    auto found = message ? types.check(*message) : message.error().findings;
    for (auto& f : found) {
      f.pointer = prefix + f.pointer;
      out.push_back(std::move(f));
    }
  }
  return out;
}

int check_messages(const std::vector<std::string>& files, const std::string& xsd, const Common& common) {
  std::optional<formats::XsdFolder> schemas;
  if (!xsd.empty()) {
    auto opened = formats::XsdFolder::open(xsd);
    if (!opened) return report(opened.error(), common);
    schemas = std::move(*opened);
  }
  auto types = ingress::TypeCatalogue::load((installed_prefix() / "share/schakel/config/schemas/messages").string());
  if (!types) return report(types.error(), common);
  Json all = Json::array();
  bool good = true;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return report({ErrorKind::not_found, "FILE_MISSING", "a file cannot be read", {}}, common);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    std::string kind;
    auto findings = judge(text, *types, schemas, kind);
    good = good && findings.empty();
    Json j{{"file", file}, {"kind", kind}, {"ok", findings.empty()}, {"findings", Json::array()}};
    for (const auto& f : findings)
      j["findings"].push_back({{"pointer", f.pointer}, {"code", f.code}, {"message", f.message}, {"rule", f.rule}});
    all.push_back(j);
    if (common.json) continue;
    std::cout << file << ": " << kind << ", "
              << (findings.empty() ? "in orde" : fmt::format("{} bevindingen", findings.size())) << "\n";
    for (const auto& f : findings)
      std::cout << "  " << f.pointer << "  " << f.code << ": " << f.message
                << (f.rule.empty() ? "" : "  [" + f.rule + "]") << "\n";
  }
  if (common.json) print_json(all);
  return good ? kOk : kFinding;
}

}  // namespace

void add_check(CLI::App& app, Common& common, int& exit) {
  static std::string file;
  static std::vector<std::string> files;
  static RegionCheck regions;
  auto* c = app.add_subcommand(
      "check", "Check a whole configuration, or the rules of a region: every finding with its JSON pointer");
  c->add_option("file", file, "schakel.json, one region file, or a folder with regions/")->required();
  c->add_option("--rules", regions.config_dir,
                "folder with core.json, facts and message types (default: the installed one)");
  c->add_flag("--notes", regions.notes, "also what is as it should be, and good to know");
  c->add_flag("--strict", regions.strict, "warnings fail too");
  c->callback([&common, &exit] { exit = check(file, regions, common); });
  auto* message = app.add_subcommand("message", "Look at message files");
  message->require_subcommand(1);
  auto* m = message->add_subcommand(
      "check", "Is this CloudEvent, JW323, JW325, UBL or OSO dossier acceptable, and if not, which rule does it break");
  m->add_option("file", files, "files")->required()->check(CLI::ExistingFile);
  static std::string xsd;
  m->add_option("--xsd", xsd,
                "folder with the publishers' schemas (as formats.xsd_dir): JW323 and UBL are held to them too")
      ->check(CLI::ExistingDirectory);
  m->callback([&common, &exit] { exit = check_messages(files, xsd, common); });
  auto* openapi = app.add_subcommand("openapi", "Print the OpenAPI description of the REST interface");
  static bool operators = false;
  openapi->add_flag("--beheer", operators, "of the operator's interface on the UNIX socket");
  openapi->callback([&exit] {
    std::cout << (operators ? openapi_operator_text() : openapi_text());
    exit = kOk;
  });
}

}  // namespace schakel::app
