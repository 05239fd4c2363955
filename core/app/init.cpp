#include <fmt/format.h>

#include <fstream>
#include <iostream>

#include "core/app/cli.hpp"
#include "core/app/test_pki.hpp"
#include "core/base/clock.hpp"
#include "core/base/hash.hpp"
#include "core/vault/master_key.hpp"

namespace schakel::app {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSchoolOin = "00000099000010001000";
constexpr const char* kSwvOin = "00000099000010002000";
constexpr const char* kGemeenteOin = "00000099000010003000";

Json parties() {
  auto grant = [](std::vector<std::string> roles) {
    return Json{{{"roles", roles}, {"types", {"*"}}, {"regions", {"KNH"}}}};
  };
  return {
      {"parties",
       {{{"id", "school-vuurtoren"},
         {"name", "Basisschool De Verzonnen Vuurtoren"},
         {"oin", kSchoolOin},
         {"domain", "education"},
         {"may_supply_bsn", true},
         {"certificates", {{{"oin", kSchoolOin}}}},
         {"may_send",
          grant({"school_ib", "school_directeur", "leerkracht", "ouders", "ouder_1", "ouder_2", "leerling", "voogd"})}},
        {{"id", "swv-zandoever"},
         {"name", "Samenwerkingsverband Zandoever (fictief)"},
         {"oin", kSwvOin},
         {"domain", "education"},
         {"scope", "region"},
         {"certificates", {{{"oin", kSwvOin}}}},
         {"may_send", grant({"swv", "orthopedagoog", "cto", "cto_voorzitter", "escalatiegroep"})}},
        {{"id", "gemeente-zandoever"},
         {"name", "Gemeente Zandoever (fictief)"},
         {"oin", kGemeenteOin},
         {"domain", "care"},
         {"scope", "region"},
         {"may_receive_bsn", true},
         {"certificates", {{{"oin", kGemeenteOin}}}},
         {"may_send", grant({"procesregisseur", "jeugdhulpdeskundige", "gezinsvoogd", "smw", "gemeente_financien"})},
         {"endpoints",
          {{{"roles", {"gemeente_registratie", "gemeente_financien"}},
            {"regions", {"KNH"}},
            {"adapter", "map"},
            {"address", Json::object()}}}}}}}};
}

Json configuration(int port) {
  return {{"data_dir", "data"},
          {"vault", {{"master_key_file", "secrets/master.key"}}},
          {"parties", "parties.json"},
          {"socket", "run/schakel.sock"},
          {"listen",
           {{"api",
             {{"address", "127.0.0.1"},
              {"port", port},
              {"certificate", "certs/server.pem"},
              {"key", "certs/server.key"},
              {"client_ca", "certs/ca.pem"}}},
            {"health", {{"address", "127.0.0.1"}, {"port", port + 2}}}}},
          {"portal",
           {{"address", "127.0.0.1"}, {"port", port + 1}, {"base_url", fmt::format("http://localhost:{}", port + 1)}}},
          {"mail", {{"host", "127.0.0.1"}, {"port", 1025}, {"security", "none"}, {"from", "schakel@schakel.example"}}},
          {"adapters",
           {{"secure_link", {{"plugin", "secure_link"}, {"config", Json::object()}}},
            {"map", {{"plugin", "file_drop"}, {"party", "gemeente-zandoever"}, {"config", {{"out_folder", "OUT"}}}}}}}};
}

Json example(const std::string& id) {
  return {{"specversion", "1.0"},
          {"id", id},
          {"source", fmt::format("urn:nld:oin:{}:systeem:leerlingsysteem", kSchoolOin)},
          {"type", "nl.schakel.zaak_opening.v1"},
          {"time", format_instant(SystemClock{}.now())},
          {"datacontenttype", "application/json"},
          {"data",
           {{"region", "KNH"},
            {"sender", {{"role", "school_ib"}}},
            {"reference", "VT-2026-001"},
            {"pupil",
             {{"birth_date", "2017-03-02"},
              {"school", "Basisschool De Verzonnen Vuurtoren"},
              {"school_type", "PO"},
              {"enrolled", true}}},
            {"case",
             {{"question_kind", "onderwijs_zorg"},
              {"wijkteam_involved", false},
              {"gi_involved", false},
              {"extra_support", true},
              {"custody", {"ouder_1", "ouder_2"}},
              {"dossier_exists", false}}}}}};
}

void save(const fs::path& path, const Json& j) { std::ofstream(path) << j.dump(2) << "\n"; }

struct Places {
  std::string data, socket;
};

int init(const fs::path& given, int port, const Places& places, const Common& common) {
  auto dir = fs::absolute(given).lexically_normal();
  if (fs::exists(dir / "schakel.json"))
    return report({ErrorKind::conflict, "FILE_EXISTS", "there is a schakel.json already; init never overwrites", {}},
                  common);
  std::error_code ec;
  for (const char* sub : {"certs", "secrets", "voorbeeld"}) fs::create_directories(dir / sub, ec);
  fs::permissions(dir / "secrets", fs::perms::owner_all, ec);
  if (places.socket.empty()) {
    fs::create_directories(dir / "run", ec);
    fs::permissions(dir / "run", fs::perms::owner_all, ec);
  }
  // What the file adapter writes lies where the broker may write.
  auto out = (places.data.empty() ? dir : fs::path(places.data)) / "out";
  if (places.data.empty()) fs::create_directories(out, ec);
  auto pki = make_test_pki(dir / "certs", {{"server", "Schakel TEST", "", true},
                                           {"school", "Basisschool De Verzonnen Vuurtoren", kSchoolOin, false},
                                           {"swv", "Samenwerkingsverband Zandoever", kSwvOin, false},
                                           {"gemeente", "Gemeente Zandoever", kGemeenteOin, false}});
  if (!pki) return report(pki.error(), common);
  auto key = vault::MasterKey::create_file((dir / "secrets/master.key").string());
  if (!key) return report(key.error(), common);
  auto config = configuration(port);
  config["adapters"]["secure_link"]["config"] = {{"message_id_domain", "schakel.example"}};
  config["adapters"]["map"]["config"]["out_folder"] = out.string();
  if (!places.data.empty()) config["data_dir"] = places.data;
  if (!places.socket.empty()) config["socket"] = places.socket;
  save(dir / "schakel.json", config);
  save(dir / "parties.json", parties());
  save(dir / "voorbeeld/zaak-opening.json", example(random_uuid()));
  auto curl = fmt::format(
      "curl --cacert {0}/certs/ca.pem --cert {0}/certs/school.pem --key {0}/certs/school.key -H 'Content-Type: "
      "application/cloudevents+json' --data @{0}/voorbeeld/zaak-opening.json https://localhost:{1}/v1/berichten",
      dir.string(), port);
  if (common.json) {
    print_json({{"folder", dir.string()}, {"config", (dir / "schakel.json").string()}, {"curl", curl}});
    return kOk;
  }
  std::cout << "Made " << dir.string()
            << ": schakel.json, parties.json, test certificates (one year, never for production), a master key.\n\n"
            << "Start it:\n  schakel serve --config " << (dir / "schakel.json").string() << "\n\n"
            << "Post a message (202 the first time; again is recognised and changes nothing):\n  " << curl << "\n\n"
            << "See what became of it:\n  schakel --config " << (dir / "schakel.json").string() << " case\n";
  return kOk;
}

}  // namespace

void add_init(CLI::App& app, Common& common, int& exit) {
  static std::string dir;
  static int port = 8443;
  static Places places;
  auto* c = app.add_subcommand("init", "Make a runnable configuration with test certificates in a folder");
  c->add_option("dir", dir, "folder, made when it is not there")->required();
  c->add_option("--port", port, "of the API; the portal and health get the next two")->check(CLI::Range(1, 65533));
  c->add_option("--data-dir", places.data, "where the broker keeps its data (default: data in that folder)");
  c->add_option("--socket", places.socket, "of the operator (default: run/schakel.sock in that folder)");
  c->callback([&common, &exit] { exit = init(dir, port, places, common); });
}

}  // namespace schakel::app
