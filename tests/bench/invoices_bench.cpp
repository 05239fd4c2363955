// The money road without disk: a JW323 of 100 lines read, checked, split per pupil, decided and written as UBL; a JW323
// of 25 MB with its memory; PDFs. One thread: the figures are per core.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include "adapters/zorgaanbieder/splitter.hpp"
#include "core/base/json_object.hpp"
#include "core/formats/invoice_ubl.hpp"
#include "core/formats/pdf.hpp"
#include "core/model/profile.hpp"
#include "plugins/invoicing/decider.hpp"

namespace {

using namespace schakel;

std::string bsn_of(int n) {
  for (int check = 0; check < 10; ++check) {
    auto text = fmt::format("9999{:04}{}", n % 10000, check);
    if (formats::valid_bsn(text)) return text;
  }
  return bsn_of(n + 1);
}

formats::Jw323 declaration(int clients, int lines) {
  formats::Jw323 d;
  d.afzender = "98765432";
  d.ontvanger = "0400";
  d.identificatie = "A1";
  d.declaratienummer = "D1";
  d.dagtekening = d.declaratie_dagtekening = *formats::parse_date("2026-10-05");
  d.periode = {*formats::parse_date("2026-09-01"), *formats::parse_date("2026-09-30")};
  int n = 0;
  for (int c = 0; c < clients; ++c) {
    formats::IjwClient client;
    client.bsn = bsn_of(c);
    for (int l = 0; l < lines; ++l) {
      formats::IjwPrestatie p;
      p.referentie = fmt::format("R{:08}", ++n);
      p.toewijzing = n;
      p.categorie = "45", p.product = "45A03", p.eenheid = "83";
      p.periode = d.periode;
      p.volume = 1000 + n;
      p.bedrag = Cents(p.volume);
      d.totaal += p.bedrag;
      client.prestaties.push_back(p);
    }
    d.clienten.push_back(std::move(client));
  }
  return d;
}

Json party(const char* name, const char* scheme, const char* id) {
  return {{"name", name},           {scheme, id},          {"iban", "NL35TEST0001000004"},
          {"street", "Straat 1"},   {"city", "Zandoever"}, {"postcode", "1001 XX"},
          {"buyer_reference", "R"}, {"vat_category", "O"}};
}

/// As core/outbox/plan writes it; seller and buyer are the finance data of the region, the same for every invoice.
Json body_of(const InvoiceOut& i) {
  static const Json seller = party("Gemeente Zandoever", "oin", "00000099000100001000"),
                    buyer = party("SWV De Kop", "kvk", "90000003");
  return json_object("amount_cents", i.amount_cents, "buyer", buyer, "credits", i.credits, "issued", "2026-10-05",
                     "kind", i.kind, "lines", i.lines, "number", i.number, "payee", i.payee, "payer", i.payer,
                     "period_from", i.period_from, "period_to", i.period_to, "seller", seller, "source_number",
                     i.source_number, "vat_cents", 0);
}

struct Desk {
  zorgaanbieder::Settings settings{Json{{"region", "KNH"},
                                        {"gemeente_code", "0400"},
                                        {"source", "urn:nld:oin:1:systeem:jw323"},
                                        {"producten", {{{"categorie", "45"}, {"kind", "grijs"}}}}}};
  std::shared_ptr<const Profile> profile = load_profiles(std::string(SCHAKEL_SOURCE_DIR) + "/config").value().at("KNH");
  invoicing::InvoicingDecider decider;
  formats::InvoiceSettings writing{Json{{"embed_pdf", false}}};

  [[gnu::noinline]] std::size_t run(std::string_view bytes) const {
    auto read = formats::read_jw323(bytes);
    if (!read.accepted()) throw std::runtime_error("the declaration breaks a rule");
    zorgaanbieder::Context context;
    for (std::size_t c = 0; c < read.message->clienten.size(); ++c) context.cases.push_back(fmt::format("Z-{}", c));
    std::size_t written = 0;
    for (auto& part : zorgaanbieder::split(*read.message, context, settings, "hash")) {
      CaseFile file;
      file.id = part.event["subject"];
      file.region = "KNH";
      file.pupil.school_type = "PO";
      file.facts = {{"funding_agreed", true}};
      Message m;
      m.id = part.id, m.type = "factuur", m.subject = file.id, m.region = "KNH", m.party = "hoeve",
      m.sender_role = "zorgaanbieder_billing", m.seq = 1;
      m.payload = std::move(part.event["data"]);
      m.time = parse_instant("2026-10-05T09:00:00Z").value();
      FactView view(file, m, *profile, m.time);
      auto draft = decider.decide(view, {}, {});
      for (const auto& i : draft.invoices) {
        auto files = formats::invoice_files(body_of(i), "OZA-1", writing, false);
        if (!files) throw std::runtime_error(formats::code_with_rules(files.error()));
        written += files->xml.size();
      }
      if (draft.invoices.size() != 2) throw std::runtime_error("two halves were expected");
    }
    return written;
  }
};

/// A hundred lines of that many pupils: every pupil is a case, with a decision and two UBL documents of its own.
void declaration_to_ubl(benchmark::State& state) {
  Desk desk;
  auto pupils = static_cast<int>(state.range(0));
  auto bytes = formats::write_jw323(declaration(pupils, 100 / pupils)).value();
  for (auto _ : state) benchmark::DoNotOptimize(desk.run(bytes));
  state.counters["messages"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(declaration_to_ubl)->ArgName("pupils")->Arg(10)->Arg(1)->Unit(benchmark::kMillisecond);

void declaration_read_and_checked(benchmark::State& state) {
  auto bytes = formats::write_jw323(declaration(10, 10)).value();
  for (auto _ : state) benchmark::DoNotOptimize(formats::read_jw323(bytes).accepted());
  state.counters["messages"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(declaration_read_and_checked)->Unit(benchmark::kMillisecond);

void declaration_of_25_mb(benchmark::State& state) {
  std::string bytes;
  {
    auto one = formats::write_jw323(declaration(1, 100)).value().size();
    bytes = formats::write_jw323(declaration(static_cast<int>(24'900'000 / one), 100)).value();
  }
  for (auto _ : state) benchmark::DoNotOptimize(formats::read_jw323(bytes).message.has_value());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["MB"] = static_cast<double>(bytes.size()) / 1e6;
  state.counters["peak_rss_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}
BENCHMARK(declaration_of_25_mb)->Unit(benchmark::kMillisecond)->Iterations(2);

void invoice_pdf(benchmark::State& state) {
  Desk desk;
  InvoiceOut i;
  i.number = "DB-1", i.kind = "doorbelasting", i.payer = "swv", i.payee = "gemeente";
  for (int n = 0; n < state.range(0); ++n) {
    i.amount_cents += 14058 + n;
    i.lines.push_back(
        {{"kind", "grijs"},
         {"cents", 28117 + 2 * n},
         {"share_cents", 14058 + n},
         {"description", fmt::format("Grijs gebied, week {} van 2026: aandeel samenwerkingsverband", n)}});
  }
  auto ubl = formats::to_ubl(body_of(i), "OZA-1", desk.writing).value();
  for (auto _ : state) benchmark::DoNotOptimize(formats::render_invoice_pdf(ubl).value().size());
  state.counters["pdf"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(invoice_pdf)->ArgName("lines")->Arg(1)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
