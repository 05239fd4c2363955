// An invoice through a drop folder and through a webhook: the same UBL as by mail, once, whatever happens in between.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/hash.hpp"
#include "core/formats/invoice_ubl.hpp"
#include "tests/support/plugin_bench.hpp"
#include "tests/unit/adapters/invoice_delivery.hpp"

namespace schakel::test {
namespace fs = std::filesystem;
namespace {

formats::InvoiceFiles expected(const Delivery& d, const Json& config = Json::object()) {
  return formats::invoice_files(d.body["invoice"], d.pseudonym, formats::InvoiceSettings(config)).value();
}

/// Content by name of everything in the out folder, hidden files too.
std::map<std::string, std::string> files_in(const PluginBench& bench) {
  std::map<std::string, std::string> out;
  for (const auto& e : fs::directory_iterator(bench.folder() + "/out")) {
    std::ifstream in(e.path(), std::ios::binary);
    std::stringstream s;
    s << in.rdbuf();
    out[e.path().filename().string()] = s.str();
  }
  return out;
}

std::unique_ptr<PluginBench> drop(const Json& more = Json::object()) {
  Json config{{"out_folder", "$FOLDER/out"}};
  config.update(more);
  auto bench = std::make_unique<PluginBench>("file_drop", config);
  fs::create_directories(bench->folder() + "/out");
  return bench;
}

TEST(InvoiceByDrop, UblAndPdfStandBesideTheMessageThatNamesThem) {
  auto bench = drop({{"profile", "peppol"}});
  auto d = with_document(invoice_delivery(), {{"profile", "peppol"}});
  auto result = bench->send(d);
  ASSERT_EQ(result->verdict, Verdict::delivered) << result->code;
  auto files = files_in(*bench);
  ASSERT_EQ(files.size(), 3U);
  auto wanted = expected(d, {{"profile", "peppol"}});
  Json message;
  for (const auto& [name, content] : files) {
    EXPECT_EQ(name.find("Testerman"), std::string::npos);
    EXPECT_EQ(name.find("zaak-1"), std::string::npos);
    EXPECT_FALSE(name.starts_with('.')) << "no part is left behind";
    if (name.ends_with(".json")) message = Json::parse(content);
  }
  ASSERT_EQ(message["documents"].size(), 2U);
  for (const auto& doc : message["documents"]) {
    const auto& content = files.at(doc["file"]);
    EXPECT_EQ(doc["sha256"], sha256_hex(content)) << "whole, by its hash";
    EXPECT_EQ(doc["size"], content.size());
  }
  EXPECT_TRUE(std::ranges::any_of(files, [&](const auto& f) { return f.second == wanted.xml; })) << "the UBL as it is";
  EXPECT_TRUE(std::ranges::any_of(files, [&](const auto& f) { return f.second == wanted.pdf; }));
  auto read = formats::read_ubl(wanted.xml);
  EXPECT_TRUE(read.accepted()) << "Peppol's own rules hold";
}

TEST(InvoiceByDrop, ARepeatWritesTheSameFilesAndNoOthers) {
  auto bench = drop();
  ASSERT_EQ(bench->send(invoice_delivery())->verdict, Verdict::delivered);
  auto first = files_in(*bench);
  ASSERT_TRUE(bench->restart());
  ASSERT_EQ(bench->send(invoice_delivery())->verdict, Verdict::delivered);
  EXPECT_EQ(files_in(*bench), first);
  auto other = invoice_delivery();
  other.id = "afl-db-2";
  ASSERT_EQ(bench->send(other)->verdict, Verdict::delivered);
  EXPECT_EQ(files_in(*bench).size(), 6U) << "another delivery with the same number does not overwrite it";
}

TEST(InvoiceByDrop, CrashAtAnyAwaitLeavesTheSameFiles) {
  for (const auto& w : crash_everywhere([] { return drop(); }, invoice_delivery(),
                                        [](PluginBench& b) { return ::testing::PrintToString(files_in(b)); }))
    ADD_FAILURE() << w;
}

TEST(InvoiceByDrop, AReaderNeverSeesTheMessageWithoutItsFiles) {
  // The names of the UBL are taken by a folder: nothing can be renamed to it. What was under way is taken away again,
  // and the message that would name it is not there.
  auto bench = drop();
  auto d = invoice_delivery();
  ASSERT_EQ(bench->send(d)->verdict, Verdict::delivered);
  std::string ubl;
  for (const auto& [name, content] : files_in(*bench))
    if (name.ends_with(".xml")) ubl = name;
  ASSERT_FALSE(ubl.empty());
  auto blocked = drop();
  fs::create_directories(blocked->folder() + "/out/" + ubl + "/x");
  auto result = blocked->send(d);
  EXPECT_EQ(result->verdict, Verdict::retry_later);
  EXPECT_EQ(result->code, "FILE_RENAME");
  for (const auto& e : fs::directory_iterator(blocked->folder() + "/out")) {
    EXPECT_NE(e.path().extension(), ".json");
    EXPECT_NE(e.path().extension(), ".part");
  }
  fs::remove_all(blocked->folder() + "/out/" + ubl);
  EXPECT_EQ(blocked->send(d)->verdict, Verdict::delivered) << "and goes when the way is free";
  EXPECT_EQ(files_in(*blocked).size(), 3U);
}

TEST(InvoiceByDrop, WithoutADocumentNothingIsWritten) {
  auto bench = drop();
  auto d = invoice_delivery();
  d.invoice.reset();
  EXPECT_EQ(bench->send(d)->code, "INVOICE_NO_DOCUMENT");
  EXPECT_TRUE(files_in(*bench).empty());
}

TEST(InvoiceByDrop, WhatAPersonSendsAgainStandsBesideTheFirstWithTheSameContent) {
  auto bench = drop();
  auto d = invoice_delivery();
  ASSERT_EQ(bench->send(d)->verdict, Verdict::delivered);
  d.generation = 1;
  for (int attempt = 0; attempt < 2; ++attempt) ASSERT_EQ(bench->send(d)->verdict, Verdict::delivered);
  auto files = files_in(*bench);
  EXPECT_EQ(files.size(), 6U);
  std::multiset<std::string> ubl;
  int resent = 0;
  for (const auto& [name, content] : files) {
    if (name.ends_with(".xml")) ubl.insert(content);
    if (name.ends_with(".json")) resent += Json::parse(content).value("resent", 0);
  }
  EXPECT_EQ(ubl.count(d.invoice->xml), 2U);
  EXPECT_EQ(resent, 1);
}

/// A subscriber that books what it gets, once per key.
struct Bookkeeper {
  std::map<std::string, std::string> booked;  ///< Idempotency-Key to body
  std::vector<HttpRequest> posts;
  std::function<std::optional<Result<HttpReply>>(bool before)> trouble = [](bool) { return std::nullopt; };
  Result<HttpReply> operator()(const HttpRequest& r) {
    if (r.method == "OPTIONS") return HttpReply{200, {{"WebHook-Allowed-Origin", "*"}}, {}};
    if (auto no = trouble(true)) return *no;
    posts.push_back(r);
    auto [at, fresh] = booked.emplace(HttpReply{0, r.headers, {}}.header("Idempotency-Key"), r.body);
    if (!fresh) EXPECT_EQ(at->second, r.body) << "one key, other content";
    if (auto lost = trouble(false)) return *lost;
    return HttpReply{202, {}, {}};
  }
};

struct Hook {
  std::unique_ptr<PluginBench> bench =
      std::make_unique<PluginBench>("webhook", Json{{"url", "https://boekhouding.example/in"},
                                                    {"source", "urn:nld:oin:00000099000100001000:systeem:schakel"},
                                                    {"signature_secret", "haak-hmac"}});
  std::shared_ptr<Bookkeeper> books = std::make_shared<Bookkeeper>();
  Hook() {
    bench->world.secrets = {{"haak-hmac", "hmac-geheim-2"}};
    bench->world.partner = [b = books](const HttpRequest& r) { return (*b)(r); };
  }
};

TEST(InvoiceByWebhook, TheBodyIsTheUblAndTheHeadersSayWhichDeliveryItIs) {
  Hook hook;
  auto d = invoice_delivery();
  auto result = hook.bench->send(d);
  ASSERT_EQ(result->verdict, Verdict::delivered) << result->code;
  const auto& r = hook.books->posts.at(0);
  auto wanted = expected(d);
  EXPECT_EQ(r.body, wanted.xml);
  EXPECT_NE(r.body.find("EmbeddedDocumentBinaryObject"), std::string::npos) << "the PDF is in it";
  auto read = formats::read_ubl(r.body);
  ASSERT_TRUE(read.accepted());
  EXPECT_EQ(read.document->payable, Cents(36666));
  HttpReply h{0, r.headers, {}};
  EXPECT_TRUE(h.header("Content-Type").starts_with("application/xml"));
  EXPECT_EQ(h.header("Content-Disposition"), "attachment; filename=\"DB-ZB-2026-0917.xml\"");
  EXPECT_EQ(h.header("Idempotency-Key"), "afl-db-1");
  EXPECT_EQ(h.header("ce-id"), "afl-db-1");
  EXPECT_EQ(h.header("ce-specversion"), "1.0");
  EXPECT_EQ(h.header("ce-type"), "nl.schakel.doorbelasting.v1");
  EXPECT_EQ(h.header("ce-subject"), "ps-4711");
  auto mac = hmac_sha256(as_bytes("hmac-geheim-2"), as_bytes(h.header("X-Timestamp") + "." + r.body));
  EXPECT_EQ(h.header("X-Signature"), "sha256=" + to_hex(mac));
  for (const auto& [name, value] : r.headers)
    for (const char* secret : {"Testerman", "zaak-1", "oza@"}) EXPECT_EQ(value.find(secret), std::string::npos) << name;
  EXPECT_EQ(r.body.find("Testerman"), std::string::npos);
  EXPECT_TRUE(hook.bench->leaks().empty());
}

TEST(InvoiceByWebhook, DownLostAndBusyTargetsGetItOnceUnderOneKey) {
  Hook hook;
  ASSERT_TRUE(hook.bench->restart());
  auto d = invoice_delivery();
  hook.books->trouble = [](bool) -> std::optional<Result<HttpReply>> {
    return Result<HttpReply>(fail(ErrorKind::unavailable, "HTTP_REFUSED", "down"));
  };
  EXPECT_EQ(hook.bench->send(d)->verdict, Verdict::retry_later) << "down";
  EXPECT_TRUE(hook.books->posts.empty());
  // It books, and the connection ends before the answer: whoever sends again uses the same key.
  hook.books->trouble = [](bool before) -> std::optional<Result<HttpReply>> {
    if (before) return std::nullopt;
    return Result<HttpReply>(fail(ErrorKind::io, "HTTP_OUTCOME_UNKNOWN", "gone"));
  };
  EXPECT_EQ(hook.bench->send(d)->verdict, Verdict::unknown);
  ASSERT_TRUE(hook.bench->restart());
  hook.bench->clock.advance(std::chrono::minutes(5));
  hook.books->trouble = [](bool) { return std::nullopt; };
  EXPECT_EQ(hook.bench->send(d)->verdict, Verdict::delivered);
  EXPECT_EQ(hook.books->posts.size(), 2U);
  EXPECT_EQ(hook.books->booked.size(), 1U) << "booked once";
}

TEST(InvoiceByWebhook, CrashAtAnyAwaitSendsTheSameBytesUnderOneKey) {
  auto hooks = std::make_shared<std::map<PluginBench*, std::shared_ptr<Bookkeeper>>>();
  auto fresh = [hooks] {
    Hook hook;
    (*hooks)[hook.bench.get()] = hook.books;
    return std::move(hook.bench);
  };
  for (const auto& w : crash_everywhere(fresh, invoice_delivery(), [hooks](PluginBench& b) {
         return ::testing::PrintToString((*hooks)[&b]->booked);
       }))
    ADD_FAILURE() << w;
}

TEST(InvoiceByWebhook, SentAgainByAPersonItIsTheSameUnderTheSameKeyAndSaysSo) {
  Hook hook;
  auto d = invoice_delivery();
  ASSERT_EQ(hook.bench->send(d)->verdict, Verdict::delivered);
  d.generation = 2;
  ASSERT_EQ(hook.bench->send(d)->verdict, Verdict::delivered);
  ASSERT_EQ(hook.books->posts.size(), 2U);
  EXPECT_EQ(hook.books->booked.size(), 1U) << "who has booked it does not book it twice";
  auto said = [&](std::size_t n) { return HttpReply{0, hook.books->posts[n].headers, {}}.header("ce-resent"); };
  EXPECT_EQ(said(0), "");
  EXPECT_EQ(said(1), "2");
}

TEST(InvoiceByWebhook, WithoutADocumentNothingLeaves) {
  Hook hook;
  auto d = invoice_delivery();
  d.invoice.reset();
  EXPECT_EQ(hook.bench->send(d)->code, "INVOICE_NO_DOCUMENT");
  EXPECT_TRUE(hook.books->posts.empty());
}

}  // namespace
}  // namespace schakel::test
