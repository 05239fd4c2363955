#include "core/portal/multipart.hpp"

#include <gmock/gmock.h>

namespace schakel::portal {
namespace {

using Kind = PartEvent::Kind;

/// Everything the parser said, data of a part joined; the code of its error at the end.
std::string said(std::string_view input, std::size_t step, MultipartLimits limits = {}) {
  MultipartParser p("b", limits);
  std::string out;
  for (std::size_t i = 0; i < input.size(); i += step) {
    auto events = p.feed(as_bytes(input.substr(i, step)));
    if (!events) return out + "!" + events.error().code;
    for (auto& e : *events) {
      if (e.kind == Kind::head) out += "[" + e.head.name + (e.head.is_file ? ":" + e.head.extension : "") + "]";
      if (e.kind == Kind::data) out += as_text(e.data);
      if (e.kind == Kind::end) out += "|";
    }
  }
  if (auto r = p.finish(); !r) out += "!" + r.error().code;
  return out;
}

const std::string kGood =
    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nwaarde\r\n"
    "--b\r\ncontent-disposition: form-data; filename=\"Naam Van Kind.PDF\"; name=f\r\nContent-Type: "
    "application/pdf\r\n\r\n\r\n--\r\n--x\r\n"
    "--b\r\nContent-Disposition: form-data; name=\"leeg\"\r\n\r\n\r\n--b--\r\nepiloog";

TEST(Multipart, SameEventsHoweverTheBytesAreCut) {
  const std::string expected = "[a]waarde|[f:pdf]\r\n--\r\n--x|[leeg]|";
  for (std::size_t step = 1; step <= kGood.size(); ++step) EXPECT_EQ(said(kGood, step), expected) << step;
}

TEST(Multipart, EveryCutIsNoticed) {
  const auto end = kGood.find("--b--") + 5;
  for (std::size_t n = 0; n < end; ++n) EXPECT_THAT(said(kGood.substr(0, n), 7), ::testing::HasSubstr("!")) << n;
}

TEST(Multipart, MalformedFormsAreRefused) {
  for (auto bad :
       {"x", "--c\r\n", "--bb\r\n", "--b\r\n\r\nx\r\n--b--",
        "--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--",
        "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\nx\r\n--b--",
        "--b\r\nno colon\r\n\r\nx\r\n--b--", "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--b--",
        "--b  \r\n"})
    EXPECT_THAT(said(bad, 5), ::testing::HasSubstr("!MULTIPART_FORMAT")) << bad;
}

TEST(Multipart, LimitsAreKept) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
  EXPECT_THAT(said(many + "--b--", 100), ::testing::HasSubstr("!MULTIPART_LIMIT"));
  EXPECT_THAT(said("--b\r\nX: " + std::string(5000, 'x'), 100), ::testing::HasSubstr("!MULTIPART_LIMIT"));
  EXPECT_THAT(said("--b\r\nContent-Disposition: form-data; name=" + std::string(100, 'n') + "\r\n\r\nx\r\n--b--", 100),
              ::testing::HasSubstr("!MULTIPART_LIMIT"));
}

TEST(Multipart, OnlyTheEndingOfAFileNameIsKept) {
  auto ext = [](std::string name) {
    return said("--b\r\nContent-Disposition: form-data; name=f; filename=\"" + name + "\"\r\n\r\nx\r\n--b--", 1000);
  };
  EXPECT_EQ(ext("../../etc/passwd.pdf"), "[f:pdf]x|");
  EXPECT_EQ(ext("zonder"), "[f:]x|");
  EXPECT_EQ(ext("a.p/f"), "[f:]x|");
  EXPECT_EQ(ext("a.veeltelanglang"), "[f:]x|");
  EXPECT_EQ(ext("a.pdf\\\""), "[f:]x|");
}

TEST(Multipart, BoundaryIsTakenFromTheHeaderOnlyWhenItIsSound) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc").value_or("-"), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a-b:c\"").value_or("-"), "a-b:c");
  for (auto bad : {"", "multipart/form-data", "multipart/mixed; boundary=a",
                   "multipart/form-data; boundary=", "multipart/form-data; boundary=a; boundary=b",
                   "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=a b", "text/plain; boundary=a"})
    EXPECT_FALSE(multipart_boundary(bad)) << bad;
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'a')));
}

TEST(Multipart, AfterAnErrorNothingIsTakenAnyMore) {
  MultipartParser p("b");
  EXPECT_FALSE(p.feed(as_bytes("rubbish")));
  EXPECT_FALSE(p.feed(as_bytes(kGood)));
}

}  // namespace
}  // namespace schakel::portal
