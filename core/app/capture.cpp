// schakel capture: a real case as a scenario with fictional names.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/app/show.hpp"

namespace schakel::app {

void add_capture(CLI::App& app, Common& common, int& exit) {
  static std::string id, file;
  auto* c = app.add_subcommand("capture",
                               "Write a case as a scenario (oza-scenario/1) with fictional names, numbers and texts; "
                               "it was played and decides as the case did");
  c->add_option("case", id, "Z-...")->required();
  c->add_option("--as-scenario", file, "file to write; must not exist")->required();
  c->callback([&common, &exit] {
    if (std::filesystem::exists(file)) {
      exit = report({ErrorKind::conflict, "FILE_EXISTS", "this file is there already", {}}, common);
      return;
    }
    auto answer = call(common, "GET", "/v1/beheer/zaken/" + id + "/scenario");
    if (answer) {
      std::ofstream out(file, std::ios::binary);
      out << (*answer)["scenario"].dump(2) << "\n";
      if (!out.flush()) {
        exit = report({ErrorKind::io, "FILE_WRITE", "the file cannot be written", {}}, common);
        return;
      }
      answer->erase("scenario");
      (*answer)["bestand"] = file;
    }
    exit = shown(common, std::move(answer), [](const Json& j) {
      std::cout << fmt::format("{}: {} words replaced, {} messages of the broker left out, rules {}\n",
                               text(j, "bestand"), j.value("vervangen", 0), j.value("weggelaten", 0),
                               text(j, "regelversie"));
      if (j.value("geboortedatumBehouden", false))
        std::cout << "the date of birth is the real one: every other one gives other decisions\n";
    });
  });
}

}  // namespace schakel::app
