#include <fmt/format.h>

#include <iostream>

#include "core/app/show.hpp"

namespace schakel::app {
namespace {

const CLI::Validator kPlain = plain_word();

void show_decisions(const Json& list) {
  for (const auto& d : list) {
    std::cout << fmt::format("#{} {} van {}: {}{}\n", d.value("volgnummer", 0), text(d, "type"), text(d, "van"),
                             text(d, "uitkomst"), text(d, "codes").empty() ? "" : " (" + text(d, "codes") + ")");
    for (const auto& r : d.value("ontvangers", Json::array()))
      std::cout << "   naar     " << text(r, "rol") << "  [" << text(r, "inhoud") << "]  via " << text(r, "kanaal")
                << "  " << text(r, "regels") << "\n";
    for (const auto& r : d.value("nietNaar", Json::array()))
      std::cout << "   niet     " << text(r, "rol") << "  " << text(r, "code") << "  " << text(r, "regel") << "\n";
    for (const auto& s : d.value("signalen", Json::array()))
      std::cout << "   signaal  " << text(s, "code") << " aan " << text(s, "aan") << " " << text(s, "over") << "\n";
    for (const auto& e : d.value("uitleg", Json::array())) {
      std::cout << fmt::format("   {:<10} {} {} {}\n", text(e, "resultaat"), text(e, "regel"), text(e, "stap"),
                               text(e, "code"));
      if (!text(e, "citaat").empty())
        std::cout << "              \"" << text(e, "citaat") << "\"\n              bron: " << text(e, "bron") << "\n";
      if (e.contains("feiten") && !e["feiten"].empty())
        std::cout << "              feiten: " << e["feiten"].dump() << "\n";
    }
  }
}

/// All pages of a list that says `verder` while there is more.
Result<Json> every_page(const Common& c, std::string path, const char* list) {
  auto all = call(c, "GET", path);
  auto page = all;
  while (page && page->contains("verder")) {
    auto from = (*page)["verder"];
    page = call(c, "GET",
                fmt::format("{}{}na={}", path, path.find('?') == path.npos ? '?' : '&',
                            from.is_string() ? from.get<std::string>() : from.dump()));
    if (!page) return page;
    for (auto& row : (*page)[list]) (*all)[list].push_back(std::move(row));
  }
  if (all) all->erase("verder");
  return all;
}

void show_deliveries(const Json& j) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& d : j.value("afleveringen", Json::array()))
    rows.push_back({text(d, "id"), text(d, "status"), text(d, "soort"), text(d, "rol"), text(d, "doel"),
                    text(d, "pogingen"), text(d, "code"), text(d, "zaak")});
  table({"AFLEVERING", "STATUS", "SOORT", "ROL", "DOEL", "POGINGEN", "CODE", "ZAAK"}, rows);
}

}  // namespace

void add_daily(CLI::App& app, Common& c, int& exit) {
  auto* status = app.add_subcommand("status", "How the broker is doing: queues, targets, audit");
  status->callback([&c, &exit] {
    exit = shown(c, call(c, "GET", "/v1/beheer/status"), [](const Json& j) {
      std::cout << fmt::format("berichten {}  onbeslist {}  wachtend {}  mislukt {}  geparkeerd {}\n",
                               j.value("berichten", 0), j.value("onbeslist", 0), j.value("wachtend", 0),
                               j.value("mislukt", 0), j.value("geparkeerd", 0));
      if (auto since = text(j, "facturenWachtenSinds"); !since.empty())
        std::cout << fmt::format(
            "Hersteld van een kopie: sinds {} gaat geen factuur vanzelf weg (schakel invoice after-restore)\n", since);
      for (const auto& d : j.value("doelen", Json::array()))
        if (int unsent = d.value("antwoordenOnverzonden", 0); unsent > 0)
          std::cout << fmt::format("{}: {} antwoorden konden nog niet weg\n", text(d, "naam"), unsent);
      std::vector<std::vector<std::string>> rows;
      for (const auto& d : j.value("doelen", Json::array()))
        rows.push_back({text(d, "naam"), text(d, "adapter"), d.value("werkt", false) ? "ja" : "nee",
                        text(d, "zekering"), std::to_string(d.value("wachtOpInname", 0)), text(d, "reden")});
      table({"DOEL", "ADAPTER", "WERKT", "ZEKERING", "WACHT OP INNAME", "REDEN"}, rows);
    });
  });

  static std::string id, zaak, reason, target, status_filter, path, role, person;
  static bool yes = false, once_more = false;
  auto* one_case =
      app.add_subcommand("case", "A case: its messages, deliveries and deadlines; without an id, all cases");
  one_case->add_option("id", id, "Z-...")->check(kPlain);
  one_case->callback([&c, &exit] {
    if (id.empty())
      exit = shown(c, every_page(c, "/v1/beheer/zaken", "zaken"), [](const Json& j) {
        std::vector<std::vector<std::string>> rows;
        for (const auto& z : j.value("zaken", Json::array()))
          rows.push_back({text(z, "id"), text(z, "regio"), text(z, "party"), text(z, "geopendOp")});
        table({"ZAAK", "REGIO", "GEOPEND DOOR", "GEOPEND OP"}, rows);
      });
    else
      exit = shown(c, call(c, "GET", "/v1/beheer/zaken/" + id), [](const Json& j) {
        show_decisions(j.value("berichten", Json::array()));
        std::cout << "\n";
        show_deliveries(j);
        std::cout << "\n";
        std::vector<std::vector<std::string>> rows;
        for (const auto& t : j.value("termijnen", Json::array()))
          rows.push_back({text(t, "naam"), text(t, "datum"), text(t, "zwaarte"), text(t, "status"), text(t, "regel")});
        table({"TERMIJN", "DATUM", "ZWAARTE", "STATUS", "REGEL"}, rows);
      });
  });

  auto* dlq = app.add_subcommand("dlq", "Dead letters and parked deliveries");
  dlq->require_subcommand(1);
  auto* dlq_list = dlq->add_subcommand("list", "What did not arrive");
  dlq_list
      ->add_option("--status", status_filter,
                   "mislukt, geparkeerd, wacht, onderweg, afgeleverd, ingetrokken; without it the first two")
      ->check(kPlain);
  dlq_list->callback([&c, &exit] {
    if (!status_filter.empty()) {
      exit =
          shown(c, every_page(c, "/v1/beheer/afleveringen?status=" + status_filter, "afleveringen"), show_deliveries);
      return;
    }
    auto dead = every_page(c, "/v1/beheer/afleveringen?status=mislukt", "afleveringen");
    auto parked = every_page(c, "/v1/beheer/afleveringen?status=geparkeerd", "afleveringen");
    if (dead && !parked)
      dead = std::move(parked);
    else if (dead)
      for (auto& d : (*parked)["afleveringen"]) (*dead)["afleveringen"].push_back(d);
    exit = shown(c, std::move(dead), show_deliveries);
  });
  auto* dlq_show = dlq->add_subcommand("show", "One delivery with its attempts");
  dlq_show->add_option("id", id, "A-...")->required()->check(kPlain);
  dlq_show->callback([&c, &exit] {
    exit = shown(c, call(c, "GET", "/v1/beheer/afleveringen/" + id),
                 [](const Json& j) { std::cout << j.dump(2) << "\n"; });
  });
  for (auto [name, action, what] : {std::tuple{"resend", "opnieuw", "Send it once more, to whom is known by now"},
                                    std::tuple{"cancel", "annuleer", "Give it up"}}) {
    auto* change = dlq->add_subcommand(name, what);
    change->add_option("id", id, "A-...")->required()->check(kPlain);
    change->add_option("--reason", reason, "why; its hash is audited")->required();
    if (name == std::string_view("resend")) {
      change->add_option("--target", target, "another adapter instance");
      change->add_flag("--again", once_more, "also an invoice that has arrived");
    }
    add_yes(change, yes);
    change->callback([&c, &exit, act = std::string(action)] {
      if (!yes) {
        auto j = call(c, "GET", "/v1/beheer/afleveringen/" + id);
        exit = j ? kOk : report(j.error(), c);
        if (j)
          (void)go_on(c, false,
                      fmt::format("do '{}' on {} ({} to {} via {}, now {})", act, id, text(*j, "soort"),
                                  text(*j, "rol"), text(*j, "doel"), text(*j, "status")));
        return;
      }
      Json body{{"actie", act}, {"reden", reason}};
      if (!target.empty()) body["doel"] = target;
      if (once_more) body["nogmaals"] = true;
      exit = shown(c, call(c, "POST", "/v1/beheer/afleveringen/" + id, body),
                   [&](const Json&) { std::cout << id << ": " << act << "\n"; });
    });
  }

  auto* targets = app.add_subcommand("target", "Stop or resume all attempts towards a target");
  targets->require_subcommand(1);
  for (auto [name, paused] : {std::pair{"pause", true}, std::pair{"resume", false}}) {
    auto* t =
        targets->add_subcommand(name, paused ? "No attempts from now on, also after a restart" : "Attempts go on");
    t->add_option("name", target, "adapter instance")->required()->check(kPlain);
    add_yes(t, yes);
    t->callback([&c, &exit, p = paused] {
      exit = kOk;
      if (!go_on(c, yes, fmt::format("{} all attempts towards {}", p ? "stop" : "resume", target))) return;
      exit = shown(c, call(c, "POST", "/v1/beheer/doelen/" + target, {{"gepauzeerd", p}}),
                   [&](const Json& j) { std::cout << j.dump() << "\n"; });
    });
  }

  auto* link =
      app.add_subcommand("link", "Secure links: list, revoke, authenticator apps, and the workplace of a school");
  link->require_subcommand(1);
  auto* link_list = link->add_subcommand("list", "Links of a case");
  link_list->add_option("--case", zaak, "Z-...")->required();
  link_list->callback([&c, &exit] {
    exit = shown(c, call(c, "POST", "/v1/beheer/links", {{"do", "list"}, {"zaak", zaak}}),
                 [](const Json& j) { std::cout << j.dump(2) << "\n"; });
  });
  auto* revoke = link->add_subcommand("revoke", "End a link at once, also a download that is running");
  revoke->add_option("id", id, "id of the link")->required();
  revoke->add_option("--reason", reason, "why; its hash is audited")->required();
  add_yes(revoke, yes);
  revoke->callback([&c, &exit] {
    exit = kOk;
    if (!go_on(c, yes, fmt::format("end link {}; who has it can open it no more", id))) return;
    exit = shown(c, call(c, "POST", "/v1/beheer/links", {{"do", "revoke"}, {"id", id}, {"reden", reason}}),
                 [](const Json& j) { std::cout << j.dump() << "\n"; });
  });
  auto* apps =
      link->add_subcommand("authenticator", "Authenticator apps, for codes without SMS (tweedeFactor totp:NAME)");
  apps->require_subcommand(1);
  auto* app_add = apps->add_subcommand("add", "Enrol an app; shows its otpauth address once, for the person alone");
  app_add->add_option("name", id, "a-z, 0-9, '.', '_' and '-'; no personal data")->required()->check(kPlain);
  static bool replace = false;
  app_add->add_flag("--replace", replace, "a new seed for a name that exists: the old app ends");
  add_yes(app_add, yes);
  app_add->callback([&c, &exit] {
    exit = kOk;
    if (!go_on(c, yes,
               fmt::format("enrol the authenticator app {}{} and show its seed once", id,
                           replace ? ", end the one of that name" : "")))
      return;
    exit = shown(c, call(c, "POST", "/v1/beheer/links", {{"do", "authenticator"}, {"naam", id}, {"vervang", replace}}),
                 [](const Json& j) {
                   std::cout << text(j, "otpauth") << "\n"
                             << "Enter this in the person's app now; it is not shown again. Then name the person with "
                                "tweedeFactor \""
                             << text(j, "tweedeFactor") << "\".\n";
                 });
  });
  auto* app_remove = apps->add_subcommand("remove", "End an app: links of who has it open no more");
  app_remove->add_option("name", id, "name of the app")->required()->check(kPlain);
  add_yes(app_remove, yes);
  app_remove->callback([&c, &exit] {
    exit = kOk;
    if (!go_on(c, yes, fmt::format("end the authenticator app {}", id))) return;
    exit = shown(c, call(c, "POST", "/v1/beheer/links", {{"do", "authenticator_weg"}, {"naam", id}}),
                 [](const Json& j) { std::cout << text(j, "naam") << ": verwijderd\n"; });
  });
  auto* app_list = apps->add_subcommand("list", "Names of the apps that are enrolled");
  app_list->callback([&c, &exit] {
    exit = shown(c, call(c, "POST", "/v1/beheer/links", {{"do", "authenticators"}}), [](const Json& j) {
      for (const auto& name : j.value("authenticators", Json::array())) std::cout << name.get<std::string>() << "\n";
    });
  });
  auto* workplace =
      link->add_subcommand("workplace", "Mail a deelnemer of the school a link to the workplace of a case");
  workplace->add_option("--case", zaak, "Z-...")->required();
  workplace->add_option("--person", person, "id of the deelnemer")->required();
  add_yes(workplace, yes);
  workplace->callback([&c, &exit] {
    exit = kOk;
    if (!go_on(c, yes, fmt::format("mail {} a link to the workplace of {}", person, zaak))) return;
    exit = shown(c, call(c, "POST", "/v1/beheer/links", {{"do", "workplace"}, {"zaak", zaak}, {"persoon", person}}),
                 [](const Json& j) { std::cout << j.dump() << "\n"; });
  });

  auto* backup = app.add_subcommand("backup", "A consistent copy of the store while it runs");
  backup->add_option("file", path, "where to; must not exist")->required();
  backup->callback([&c, &exit] {
    exit = shown(c, call(c, "POST", "/v1/beheer/reservekopie", {{"pad", std::filesystem::absolute(path).string()}}),
                 [](const Json& j) {
                   std::cout << "reservekopie: " << text(j, "pad")
                             << "\nDocumenten (data/blobs) en de hoofdsleutel staan er niet in: kopieer de eerste "
                                "apart en bewaar de tweede elders.\n";
                 });
  });
}

}  // namespace schakel::app
