// schakel invoice: what finance looks at, exports and closes a month with.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/app/invoice_overview.hpp"
#include "core/app/show.hpp"
#include "core/base/drop_folder.hpp"
#include "core/formats/values.hpp"
#include "schakel/outcome.hpp"

namespace schakel::app {
namespace {

namespace fs = std::filesystem;

/// All pages of both lists.
Result<Json> every_invoice(const Common& c, const std::string& zaak) {
  const std::string path = "/v1/beheer/facturen" + (zaak.empty() ? "" : "?zaak=" + sdk::url_segment(zaak));
  auto all = call(c, "GET", path);
  auto page = all;
  while (page && page->contains("verder")) {
    auto from = sdk::url_segment((*page)["verder"].get<std::string>());
    page = call(c, "GET", fmt::format("{}{}na={}", path, zaak.empty() ? '?' : '&', from));
    if (!page) return page;
    for (const char* list : {"binnen", "uit"})
      for (auto& row : (*page)[list]) (*all)[list].push_back(std::move(row));
  }
  if (all) all->erase("verder");
  return all;
}

void show_invoices(const Json& j) {
  std::vector<std::vector<std::string>> in, out;
  for (const auto& i : j.value("binnen", Json::array()))
    in.push_back({text(i, "nummer"), text(i, "status"), text(i, "codes"), text(i, "antwoordUiterlijk"), text(i, "zaak"),
                  text(i, "bijgewerkt")});
  for (const auto& i : j.value("uit", Json::array()))
    out.push_back({text(i, "nummer"), text(i, "soort"), text(i, "betaler"), text(i, "ontvanger"),
                   euros(i.value("bedragCent", Json())), text(i, "status"), text(i, "code"), text(i, "aflevering"),
                   text(i, "zaak")});
  std::cout << "Binnengekomen\n";
  table({"NUMMER", "STATUS", "REDEN", "ANTWOORD VOOR", "ZAAK", "BIJGEWERKT"}, in);
  std::cout << "\nDoorgestuurd of gemaakt\n";
  table({"NUMMER", "SOORT", "BETALER", "ONTVANGER", "BEDRAG", "STATUS", "CODE", "AFLEVERING", "ZAAK"}, out);
}

void show_month(const Json& j) {
  std::cout << fmt::format("Aansluiting {}: {} bronfacturen, {} documenten; bron {} verdeeld {}\n\n", text(j, "maand"),
                           j.value("bronfacturen", 0), j.value("documenten", 0), euros(j["bronCent"]),
                           euros(j["verdeeldCent"]));
  std::vector<std::vector<std::string>> rows, open;
  for (const auto& r : j["regels"])
    rows.push_back({text(r, "betaler"), text(r, "betalerPartij"), text(r, "zaak"), text(r, "afspraak"), vat_name(r),
                    euros(r["inNettoCent"]), euros(r["inBtwCent"]), euros(r["uitNettoCent"]), euros(r["uitBtwCent"]),
                    euros(r["verschilCent"])});
  table({"BETALER", "PARTIJ", "ZAAK", "AFSPRAAK", "BTW", "IN NETTO", "IN BTW", "UIT NETTO", "UIT BTW", "VERSCHIL"},
        rows);
  std::cout << "\nOpen\n";
  for (const auto& o : j["open"])
    open.push_back({what_open(text(o, "wat")), text(o, "nummer"), text(o, "betaler"), euros(o["bedragCent"]),
                    text(o, "code"), text(o, "antwoordUiterlijk"), text(o, "aflevering"), text(o, "zaak")});
  table({"WAT", "NUMMER", "BETALER", "BEDRAG", "CODE", "ANTWOORD VOOR", "AFLEVERING", "ZAAK"}, open);
  if (auto refused = j.value("geweigerd", Json::array()); !refused.empty()) {
    open.clear();
    for (const auto& o : refused)
      open.push_back({what_open(text(o, "wat")), text(o, "nummer"), text(o, "code"), text(o, "zaak")});
    std::cout << "\nNiet verdeeld\n";
    table({"WAT", "NUMMER", "CODE", "ZAAK"}, open);
  }
  std::cout << (j.value("sluit", false) ? "\nDe maand sluit: in = uit.\n" : "\nDe maand sluit NIET.\n");
}

/// For spreadsheets in the Netherlands: semicolons, decimal comma; a text that would be taken for a formula gets a
/// quote before it.
std::string cell(std::string s) {
  if (!s.empty() && std::string_view("=+-@\t\r").find(s[0]) != std::string_view::npos) s.insert(0, "'");
  if (s.find_first_of(";\"\n\r") == std::string::npos) return s;
  std::string out = "\"";
  for (char c : s) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}
std::string comma(std::string amount) {
  std::ranges::replace(amount, '.', ',');
  return amount;
}

std::string csv_line(const Json& i) {
  auto amount = i.value("bedragCent", std::int64_t{0});
  auto vat = i.contains("btwCent") && i["btwCent"].is_number_integer() ? i["btwCent"].get<std::int64_t>() : 0;
  // What the document says goes before what was decided of it: VAT that is not on it is nobody's input tax.
  auto stated = i.value("gesteld", Json::object());
  std::string rates;
  if (stated.is_object() && stated.contains("bedragCent")) {
    amount = stated["bedragCent"].get<std::int64_t>(), vat = 0;
    for (const auto& t : stated["btw"]) {
      vat += t["btwCent"].get<std::int64_t>();
      rates += fmt::format("{}{}: {} + {}", rates.empty() ? "" : " | ", vat_name(t, "categorie", "tarief"),
                           comma(euros(t["nettoCent"])), comma(euros(t["btwCent"])));
    }
  }
  std::string out;
  for (const char* name : {"nummer", "soort", "betaler", "ontvanger"}) out += cell(text(i, name)) + ';';
  out += comma(euros(amount)) + ';' + comma(euros(vat)) + ';' + comma(euros(amount - vat)) + ';';
  for (const char* name : {"status", "code", "bron", "crediteert", "zaak", "gemaaktOp", "aflevering"})
    out += cell(text(i, name)) + ';';
  out += cell(rates);
  for (const char* name : {"betalerPartij", "ontvangerPartij", "factuurdatum", "vervaldatum", "verstuurdAls"})
    out += ';' + cell(text(i, name));
  out += '\n';
  return out;
}

Result<void> write_whole(const std::string& folder, const std::string& name, std::string_view content) {
  auto file = FileOut::open(folder, name);
  if (!file) return fail(file.error());
  if (auto ok = file->write(as_bytes(content)); !ok) return ok;
  return file->finish();
}

/// What came in with this number in a case and is in one of these states: a person means it by its number.
Result<Json> incoming(const Common& c, const std::string& zaak, const std::string& number,
                      std::initializer_list<std::string_view> states) {
  auto all = every_invoice(c, zaak);
  if (!all) return fail(std::move(all.error()));
  Json found = Json::array();
  for (auto& i : (*all)["binnen"])
    if (i.value("nummer", "") == number && std::ranges::find(states, i.value("status", "")) != states.end())
      found.push_back(std::move(i));
  return found;
}

int export_month(const Common& c, const std::string& month, const std::string& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  std::string csv =
                  "nummer;soort;betaler;ontvanger;bedrag;btw;netto;status;code;bron;crediteert;zaak;gemaaktOp;"
                  "aflevering;btwregels;betalerPartij;ontvangerPartij;factuurdatum;vervaldatum;verstuurdAls\n",
              after;
  int written = 0, failed = 0;
  for (;;) {
    auto page =
        call(c, "GET",
             "/v1/beheer/facturen/uitvoer?maand=" + month + (after.empty() ? "" : "&na=" + sdk::url_segment(after)));
    if (!page) return report(page.error(), c);
    for (const auto& i : (*page)["facturen"]) {
      csv += csv_line(i);
      if (!i.contains("ubl")) {
        ++failed;
        std::cerr << text(i, "nummer") << ": " << text(i, "ublFout") << "\n";
        continue;
      }
      // Two creditors may use one number: the delivery tells them apart.
      auto done = write_whole(folder, text(i, "bestand") + "." + text(i, "aflevering") + ".xml",
                              i["ubl"].get_ref<const std::string&>());
      if (!done) return report(done.error(), c);
      ++written;
    }
    if ((*page)["volgende"].is_null()) break;
    after = (*page)["volgende"];
  }
  auto done = write_whole(folder, "facturen-" + month + ".csv", csv);
  if (!done) return report(done.error(), c);
  if (c.json)
    print_json({{"map", folder}, {"ubl", written}, {"zonderUbl", failed}});
  else
    std::cout << fmt::format("{}: facturen-{}.csv, {} UBL{}\n", folder, month, written,
                             failed ? fmt::format(", {} zonder UBL", failed) : "");
  return failed ? kFinding : kOk;
}

}  // namespace

void add_invoice(CLI::App& app, Common& c, int& exit) {
  static std::string id, zaak, month, folder, pdf, made, status, code, reason, path, sent_as;
  static bool yes = false;
  auto* invoice =
      app.add_subcommand("invoice", "Invoices: what came in, what is held and why, what went out and became of it");
  invoice->require_subcommand(1);
  auto* list = invoice->add_subcommand("list", "All, or those of one case");
  list->add_option("--case", zaak, "Z-...");
  list->callback([&c, &exit] { exit = shown(c, every_invoice(c, zaak), show_invoices); });

  auto* show = invoice->add_subcommand("show", "One invoice by its number");
  show->add_option("number", id, "number as the creditor gave it, or DB-..., DE-..., FG-..., CN-...")->required();
  show->callback([&c, &exit] {
    auto all = every_invoice(c, "");
    if (!all) {
      exit = report(all.error(), c);
      return;
    }
    Json found{{"binnen", Json::array()}, {"uit", Json::array()}};
    for (const char* side : {"binnen", "uit"})
      for (const auto& i : (*all)[side])
        if (i.value("nummer", "") == id || i.value("bron", "") == id || i.value("verstuurdAls", "") == id)
          found[side].push_back(i);
    if (found["binnen"].empty() && found["uit"].empty())
      exit = report({ErrorKind::not_found, "INVOICE_UNKNOWN", "there is no invoice with this number", {}}, c);
    else
      exit = shown(c, found, show_invoices);
  });

  auto* exported = invoice->add_subcommand(
      "export", "The outgoing invoices of a month: one CSV and a UBL file each, as they were sent");
  exported->add_option("--month", month, "YYYY-MM")->required();
  exported->add_option("--to", folder, "folder; made when it is not there")->required();
  exported->callback([&c, &exit] { exit = export_month(c, month, folder); });

  auto* books = invoice->add_subcommand(
      "reconcile",
      "Prove from the journal that in = out per payer, agreement and VAT rate; exit 1 when anything is open");
  books->add_option("--month", month, "YYYY-MM")->required();
  books->add_option("--pdf", pdf, "write the overview to this file as well");
  books->add_option("--made", made, "YYYY-MM-DD that the overview names as the day on which it was made");
  books->callback([&c, &exit] {
    auto day = made.empty() ? std::nullopt : formats::parse_date(made);
    if (!made.empty() && !day) {
      exit = report({ErrorKind::invalid, "DATE_FORMAT", "--made is a day, YYYY-MM-DD", {}}, c);
      return;
    }
    auto answer = call(c, "GET", "/v1/beheer/facturen/aansluiting?maand=" + month);
    bool closes = answer && answer->value("sluit", false);
    if (answer && !pdf.empty()) {
      auto drawn = month_pdf(*answer, day);
      std::ofstream out(pdf, std::ios::binary);
      if (drawn) out << *drawn;
      out.close();
      if (!drawn || !out) {
        exit = report(drawn ? Error{ErrorKind::io, "FILE_WRITE", "the PDF cannot be written", {}} : drawn.error(), c);
        return;
      }
    }
    exit = shown(c, std::move(answer), show_month);
    if (exit == kOk && !closes) exit = kFinding;
  });

  auto* mark =
      invoice->add_subcommand("status", "Record what the receiver says of an invoice; a refusal is told to finance");
  mark->add_option("id", id, "A-... of the invoice (invoice list)")->required();
  mark->add_option("status", status, "ontvangen, geweigerd or verwerkt")->required();
  mark->add_option("--code", code, "code of the receiver, required with geweigerd; no free text");
  mark->add_option("--sent-as", sent_as, "after a restore: the number under which its receiver has it");
  mark->add_option("--reason", reason, "how it became known; its hash is audited")->required();
  add_yes(mark, yes);
  mark->callback([&c, &exit] {
    exit = kOk;
    if (!go_on(c, yes, fmt::format("record of {} that it is {}", id, status))) return;
    Json body{{"status", status}, {"code", code}, {"reden", reason}};
    if (!sent_as.empty()) body["verstuurdAls"] = sent_as;
    exit = shown(c, call(c, "POST", "/v1/beheer/facturen/" + id + "/status", body),
                 [](const Json& j) { std::cout << text(j, "aflevering") << ": " << text(j, "status") << "\n"; });
  });

  auto* aside = invoice->add_subcommand(
      "dismiss", "A quarantined invoice or refused credit that was dealt with: the books no longer name it as open");
  aside->add_option("number", id, "number as the creditor gave it")->required();
  aside->add_option("--case", zaak, "Z-...")->required();
  aside->add_option("--reason", reason, "what was done; its hash is audited")->required();
  add_yes(aside, yes);
  aside->callback([&c, &exit] {
    auto found = incoming(c, zaak, id, {"quarantined", "refused"});
    if (!found) {
      exit = report(found.error(), c);
      return;
    }
    if (found->empty())
      exit = report({ErrorKind::not_found, "INVOICE_UNKNOWN", "no invoice with this number waits for a person", {}}, c);
    if (!found->empty()) {
      exit = kOk;
      if (!go_on(c, yes, fmt::format("take invoice {} of {} off the open items", id, zaak))) return;
    }
    for (const auto& i : *found) {
      Json body{{"zaak", zaak}, {"bericht", i.value("bericht", "")}, {"reden", reason}};
      exit = shown(c, call(c, "POST", "/v1/beheer/facturen/afgehandeld", body),
                   [](const Json& j) { std::cout << text(j, "bericht") << ": afgehandeld\n"; });
      if (exit != kOk) return;
    }
  });

  auto* refuse = invoice->add_subcommand(
      "refuse", "Refuse an invoice that is held: its sender is answered with the code, its number is free again");
  refuse->add_option("number", id, "number as the creditor gave it")->required();
  refuse->add_option("--case", zaak, "Z-...")->required();
  refuse->add_option("--code", code, "why, as the sender is told (FUNDING_NOT_AGREED); no free text")->required();
  refuse->add_option("--reason", reason, "who decided so; its hash is audited")->required();
  add_yes(refuse, yes);
  refuse->callback([&c, &exit] {
    auto found = incoming(c, zaak, id, {"held"});
    if (!found) {
      exit = report(found.error(), c);
      return;
    }
    if (found->size() != 1) {
      // Two creditors may use one number: then nothing says which is meant.
      Error none{ErrorKind::not_found, "INVOICE_UNKNOWN", "no invoice with this number is held in this case", {}};
      Error several{
          ErrorKind::conflict, "INVOICE_AMBIGUOUS", "several held invoices of this case have this number", {}};
      exit = report(found->empty() ? none : several, c);
      return;
    }
    exit = kOk;
    if (!go_on(c, yes, fmt::format("refuse invoice {} of {} with {}, and tell its sender", id, zaak, code))) return;
    Json body{{"zaak", zaak}, {"bericht", (*found)[0].value("bericht", "")}, {"code", code}, {"reden", reason}};
    exit = shown(c, call(c, "POST", "/v1/beheer/facturen/afgewezen", body), [](const Json& j) {
      std::cout << text(j, "bericht") << ": afgewezen " << text(j, "afgewezen") << "\n";
    });
  });

  auto* series = invoice->add_subcommand(
      "new-series", "After a copy of the store that `backup` did not make was put back: number on in a new epoch");
  add_yes(series, yes);
  series->callback([&c, &exit] {
    exit = kOk;
    if (!go_on(c, yes,
               "begin a new epoch of the invoice numbers, which cannot be undone; from then on invoices wait "
               "(after-restore)"))
      return;
    exit = shown(c, call(c, "POST", "/v1/beheer/factuurreeks", Json::object()),
                 [](const Json& j) { std::cout << "reeks R" << j.value("reeks", 0) << "\n"; });
  });

  auto* restored = invoice->add_subcommand(
      "after-restore", "After a copy was put back and the receivers' mailboxes were looked at: invoices leave again");
  restored->add_option("--reason", reason, "what was looked at; its hash is audited")->required();
  add_yes(restored, yes);
  restored->callback([&c, &exit] {
    exit = kOk;
    if (!go_on(c, yes, "let invoices leave by themselves again")) return;
    exit = shown(c, call(c, "POST", "/v1/beheer/factuurherstel", Json{{"reden", reason}}), [](const Json& j) {
      std::cout << "facturen gaan weer vanzelf weg (wachtten sinds " << text(j, "wachttenSinds") << ")\n";
    });
  });

  auto* bounce = invoice->add_subcommand(
      "bounce", "Take in a mail from the return address (delivery or disposition notification)");
  bounce->add_option("file", path, "the mail as it came; - for standard input")->required();
  bounce->callback([&c, &exit] {
    std::string mail;
    if (path == "-") {
      mail.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
      std::ifstream in(path, std::ios::binary);
      if (!in) {
        exit = report({ErrorKind::invalid, "FILE_READ", "the mail cannot be read", {}}, c);
        return;
      }
      mail.assign(std::istreambuf_iterator<char>(in), {});
    }
    exit = shown(c, call_raw(c, "POST", "/v1/beheer/retourmail", "message/rfc822", std::move(mail)), [](const Json& j) {
      std::cout << text(j, "aflevering") << ": " << text(j, "status") << " " << text(j, "code")
                << (j.value("vastgelegd", false) ? "" : " (niet vastgelegd)") << "\n";
    });
  });
}

}  // namespace schakel::app
