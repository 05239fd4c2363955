#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/hash.hpp"
#include "tests/support/plugin_bench.hpp"

namespace schakel::test {
namespace fs = std::filesystem;
namespace {

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream s;
  s << in.rdbuf();
  return s.str();
}

std::unique_ptr<PluginBench> fresh() {
  // $FOLDER is the bench's own; out/ and in/ must be there before start().
  auto bench = std::make_unique<PluginBench>(
      "file_drop",
      Json{{"out_folder", "$FOLDER/out"}, {"in_folder", "$FOLDER/in"}, {"party", "partner"}, {"poll_seconds", 5}});
  fs::create_directories(bench->folder() + "/out");
  fs::create_directories(bench->folder() + "/in");
  bench->world.documents["d1"] = to_bytes("inhoud van het opp");
  return bench;
}

Delivery delivery() {
  Delivery d;
  d.id = "afl-9";
  d.kind = "documents";
  d.type = "documentlevering";
  d.message_id = "m-9";
  d.pseudonym = "ps-9";
  d.body = {{"payload", {{"soort", "onderwijs_zorg"}}}};
  d.documents = {{"d1", "opp", "application/pdf", "Pluk Testerman OPP.pdf", sha256_hex("inhoud van het opp"), 1, 18}};
  d.first_attempt = *parse_instant("2026-11-02T09:00:00Z");
  return d;
}

std::string picture(PluginBench& bench) {
  std::vector<std::string> out;
  for (const auto& e : fs::directory_iterator(bench.folder() + "/out"))
    out.push_back(e.path().filename().string() + '=' + text_of(e.path()));
  std::ranges::sort(out);
  return ::testing::PrintToString(out);
}

std::string event(const std::string& id) {
  return Json{{"specversion", "1.0"},
              {"id", id},
              {"source", "urn:nld:oin:1:systeem:x"},
              {"type", "nl.schakel.overleg.v1"},
              {"data", Json::object()}}
      .dump();
}

void put(PluginBench& bench, const std::string& name, const std::string& content) {
  std::ofstream(bench.folder() + "/in/" + name) << content;
}

TEST(FileDrop, WritesDocumentsThenTheMessageUnderNamesWithoutPersonalData) {
  auto bench = fresh();
  auto result = bench->send(delivery());
  ASSERT_EQ(result->verdict, Verdict::delivered) << result->code;
  auto all = picture(*bench);
  EXPECT_NE(all.find(".pdf=inhoud van het opp"), std::string::npos);
  EXPECT_EQ(all.find("Testerman"), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(bench->folder() + "/out"), fs::directory_iterator{}), 2);
}

TEST(FileDrop, CrashAtAnyAwaitLeavesTheSameFiles) {
  for (const auto& w : crash_everywhere(fresh, delivery(), picture)) ADD_FAILURE() << w;
}

TEST(FileDrop, DocumentThatIsNotWhatItSaysIsRefused) {
  auto bench = fresh();
  bench->world.documents["d1"] = to_bytes("inhoud van iets an");
  auto result = bench->send(delivery());
  EXPECT_EQ(result->verdict, Verdict::rejected);
  EXPECT_EQ(result->code, "DOCUMENT_HASH");
  EXPECT_TRUE(fs::is_empty(bench->folder() + "/out"));
}

TEST(FileDrop, FullOrMissingFolderIsRetried) {
  auto bench = fresh();
  ASSERT_TRUE(bench->restart());
  fs::remove_all(bench->folder() + "/out");
  EXPECT_EQ(bench->send(delivery())->verdict, Verdict::retry_later);
}

TEST(FileDrop, AcceptedFilesMoveToDoneRefusedOnesToErrorWithTheirCode) {
  auto bench = fresh();
  put(*bench, "1.json", event("e1"));
  put(*bench, "2.json", event("e1"));
  put(*bench, "3.json", "{\"id\":");
  put(*bench, "4.json", "[1]");
  put(*bench, "5.json", event("e5") + std::string(70'000, ' '));
  put(*bench, "6.json", R"({"id":"x"})");
  put(*bench, ".half.json", event("e7"));
  put(*bench, "lees.txt", "geen bericht");
  fs::create_symlink("/etc/passwd", bench->folder() + "/in/8.json");
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 1U);
  auto in = bench->folder() + "/in/";
  EXPECT_TRUE(fs::exists(in + "done/1.json"));
  EXPECT_TRUE(fs::exists(in + "done/2.json"));
  for (const char* name : {"3", "4", "5", "6"}) EXPECT_TRUE(fs::exists(in + "error/" + name + ".json")) << name;
  EXPECT_EQ(text_of(in + "error/3.json.reason"), "JSON_SYNTAX\n");
  EXPECT_EQ(text_of(in + "error/5.json.reason"), "FILE_TOO_LARGE\n");
  EXPECT_EQ(text_of(in + "error/6.json.reason"), "EVENT_ATTRIBUTE\n");
  EXPECT_TRUE(fs::exists(in + ".half.json"));
  EXPECT_TRUE(fs::is_symlink(in + "8.json"));
}

TEST(FileDrop, WhenTheBrokerCannotTakeItTheFileStays) {
  auto bench = fresh();
  put(*bench, "1.json", event("e1"));
  bench->world.inbox = [](const Json&) -> Result<bool> { return fail(ErrorKind::unavailable, "STORE_BUSY", "later"); };
  ASSERT_TRUE(bench->poll());
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/1.json"));
  bench->world.inbox = nullptr;
  ASSERT_TRUE(bench->poll());
  EXPECT_EQ(bench->world.events.size(), 1U);
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/done/1.json"));
}

TEST(FileDrop, CrashWhileReadingLosesNothingAndDoublesNothing) {
  for (int n = 1; n <= 3; ++n)
    for (CrashWhen when : {CrashWhen::before, CrashWhen::after}) {
      auto bench = fresh();
      for (int i = 1; i <= 3; ++i) put(*bench, std::to_string(i) + ".json", event("e" + std::to_string(i)));
      bench->crash_at(n, when);
      EXPECT_FALSE(bench->poll());
      EXPECT_TRUE(bench->poll());
      EXPECT_EQ(bench->world.events.size(), 3U) << n;
    }
}

TEST(FileDrop, SameNameTwiceKeepsBoth) {
  auto bench = fresh();
  put(*bench, "1.json", event("e1"));
  ASSERT_TRUE(bench->poll());
  put(*bench, "1.json", event("e2"));
  ASSERT_TRUE(bench->poll());
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/done/1.json"));
  EXPECT_TRUE(fs::exists(bench->folder() + "/in/done/1.json.1"));
}

TEST(FileDrop, BadConfigurationIsRefused) {
  for (const auto& w :
       bad_configs_refused("file_drop", {{"out_folder", "/tmp/x"}, {"in_folder", "/tmp/y"}, {"party", "p"}}))
    ADD_FAILURE() << w;
  PluginBench bench("file_drop", {{"out_folder", "$FOLDER/nergens"}});
  EXPECT_EQ(bench.restart().error().code, "FOLDER_MISSING");
}

}  // namespace
}  // namespace schakel::test
