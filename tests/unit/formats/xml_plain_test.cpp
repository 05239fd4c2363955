// The quick reader against libxml2: what it accepts is the same tree, and it accepts what we write ourselves.
#include "core/formats/xml_plain.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <random>

#include "core/formats/ijw.hpp"
#include "support.hpp"
#include "ubl_sample.hpp"

namespace schakel::formats {
namespace {

std::optional<XmlDocument> plain(std::string_view bytes, const XmlLimits& limits = {}) {
  if (bytes.size() > limits.bytes || !valid_xml_text(bytes)) return std::nullopt;
  return XmlPlainReader(bytes, limits).run();
}

void same(const XmlElement& a, const XmlElement& b) {
  ASSERT_EQ(a.ns(), b.ns());
  ASSERT_EQ(a.local(), b.local());
  ASSERT_EQ(a.text(), b.text());
  ASSERT_EQ(a.line(), b.line());
  ASSERT_EQ(a.path(), b.path());
  auto x = a.attributes(), y = b.attributes();
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(x[i].ns, y[i].ns);
    ASSERT_EQ(x[i].local, y[i].local);
    ASSERT_EQ(x[i].value, y[i].value);
  }
  auto p = a.first_child(), q = b.first_child();
  for (; p && q; p = p.next_sibling(), q = q.next_sibling()) ASSERT_NO_FATAL_FAILURE(same(p, q));
  ASSERT_EQ(static_cast<bool>(p), static_cast<bool>(q));
}

/// True when the quick reader took it. Whatever it takes, libxml2 takes alike.
bool agrees(std::string_view bytes, const XmlLimits& limits = {}) {
  auto quick = plain(bytes, limits);
  if (!quick) return false;
  auto judged = read_xml_with_libxml(bytes, limits);
  EXPECT_TRUE(judged) << bytes;
  if (judged) same(quick->root(), judged->root());
  EXPECT_FALSE(::testing::Test::HasFatalFailure()) << bytes;
  return true;
}

TEST(XmlPlain, TakesWhatProgramsWrite) {
  for (const char* text :
       {"<r/>", "<r></r>", "<r> </r>", "\n<r>x</r>\n", "<r a='1' b=\"2\"/>", "<r\n a='1'\n>\n<b/>\r\n<c>x\r\ny</c></r>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<r xmlns='urn:a:b'><c>x &amp; y &lt;&gt;&quot;&apos;</c></r >",
        "<p:r xmlns:p='urn:a' xmlns='http://b.c/d_e#'><c p:k='v' k2='>'>]] ></c><p:c xmlns:p='urn:z'/><p:d/></p:r>",
        "<r>\xE2\x82\xAC</r>", "<r><a> </a><b>\r\n</b></r>", "<r xmlns='urn:a'><c xmlns='urn:b'/><c/></r>"})
    EXPECT_TRUE(agrees(text)) << text;
  EXPECT_TRUE(agrees(*render_ubl(test::invoice())));
  EXPECT_TRUE(agrees(*render_ubl(test::credit_note())));
}

TEST(XmlPlain, LeavesTheRestToLibxml) {
  for (const char* text : {"",
                           "<",
                           "<r",
                           "<r>",
                           "<r></s>",
                           "<r/><r/>",
                           "<r/>x",
                           "x<r/>",
                           "<r a='1' a='2'/>",
                           "<r a=1/>",
                           "<r>]]></r>",
                           "<r>&x;</r>",
                           "<r>&#13;</r>",
                           "<r a='&amp;'/>",
                           "<r a='\t'/>",
                           "<r a='1'b='2'/>",
                           "<r><!-- x --></r>",
                           "<r><![CDATA[x]]></r>",
                           "<r><?x y?></r>",
                           "<!DOCTYPE r><r/>",
                           "<r>x<b/></r>",
                           "<r><b/>x</r>",
                           "<r>x\ry</r>",
                           "<x:r/>",
                           "<r x:a='1'/>",
                           "<xml:r/>",
                           "<r xml:lang='nl'/>",
                           "<r xmlns:x=''/>",
                           "<r xmlns:xml='urn:a'/>",
                           "<r xmlns:a='urn:a' xmlns:a='urn:b'/>",
                           "<r xmlns:a='urn:a' xmlns:b='urn:a' a:c='1' b:c='2'/>",
                           "<r xmlns='not a uri'/>",
                           "<r xmlns='relative'/>",
                           "<a:b:c xmlns:a='urn:a'/>",
                           "<:r/>",
                           "<r:/>",
                           "<1/>",
                           "<\xC3\xA9/>",
                           "<r a='<'/>",
                           "<r / >",
                           "< r/>",
                           "<r></ r>",
                           "<?xml version='1.0'?><r/>",
                           "\xEF\xBB\xBF<r/>"})
    EXPECT_FALSE(plain(text)) << text;
  EXPECT_FALSE(plain("<a><b><c/></b></a>", {.depth = 2}));
  EXPECT_TRUE(plain("<a><b/></a>", {.depth = 2}));
  EXPECT_FALSE(plain("<a><b/><b/><b/><b/></a>", {.nodes = 4}));
  EXPECT_FALSE(plain("<a b='1' c='2'/>", {.attributes_per_element = 1}));
}

/// A tag that follows as it did before is taken whole: what looks like it and is not must be read for what it is.
TEST(XmlPlain, WhatLooksLikeTheUsualTag) {
  const std::string usual = "<r><a><b x=\"1\">t</b>\n <c>u</c></a>\n<a><b x=\"1\">t</b>\n <c>u</c></a>\n";
  for (const char* next : {
           "<a><b x=\"2&gt;\">t</b>\n <c>u</c></a>",      // another value
           "<a><b x='1'>t</b>\n <c>u</c></a>",            // other quotes
           "<a><b x=\"1\" y=\"2\">t</b>\n <c>u</c></a>",  // one more attribute
           "<a><b x=\"1\"/>\n <c>u</c></a>",              // no content
           "<a><b x=\"1\" >t</b>\n <c>u</c></a>",         // a blank more
           "<a><b>t</b>\n <c>u</c></a>",                  // no attribute
           "<a><b x=\"1\">t</b >\n <c>u</c ></a>",        // blanks in the end tag
           "<a><b x=\"1\">t</b>\n <cc>u</cc></a>",        // a longer name
           "<a><b x=\"1\">t</b>\n\n <c>u\n</c></a>",      // another line
           "<a><b x=\"1\">\n <c>u</c></b></a>",           // the same markup, into it
           "<a><b x=\"1\">\n </b>\n <c> </c></a>",        // only blanks
           "<a xmlns=\"urn:z\"><b x=\"1\">t</b>\n <c>u</c></a>",
           "<a><b x=\"1\" xmlns=\"urn:z\">t</b>\n <c>u</c></a>",
           "<a><a><a><a><a><b x=\"1\">t</b>\n <c>u</c></a></a></a></a></a>",
       })
    EXPECT_TRUE(agrees(usual + next + "</r>") || std::string_view(next).contains('&')) << next;
  EXPECT_TRUE(agrees("<a a='1'><a a=\"2\">x</a><a a=\"3\">y</a><a>z</a></a>"));  // a name of both kinds
  EXPECT_FALSE(plain("<r a=\"]]>\"/>"));
  // A limit is kept where the tag is the usual one, too.
  const std::string rows = "<r><a>1</a><a>2</a><a>3</a><a>4</a></r>", deep = "<a><a><a><a><a>x</a></a></a></a></a>";
  EXPECT_TRUE(agrees(rows, {.nodes = 5}));
  EXPECT_FALSE(plain(rows, {.nodes = 4}));
  EXPECT_TRUE(agrees(deep, {.depth = 5}));
  EXPECT_FALSE(plain(deep, {.depth = 4}));
}

/// Documents as programs write them, of few names, so that much of them is usual and some of it just is not.
TEST(XmlPlain, AgreesOnRandomDocuments) {
  std::mt19937_64 random(20261122);
  auto below = [&](std::uint64_t n) { return random() % n; };
  auto any = [&](auto... of) { return std::array<std::string_view, sizeof...(of)>{of...}[below(sizeof...(of))]; };
  int taken = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto end_of_line = any("\n", "\n", "\r\n", "");
    std::string out(any("", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    auto element = [&](auto& self, int depth) -> void {
      std::string name(any("a", "b", "p:a", "p:Amount", "Ab", "q:c"));
      out += '<' + name;
      if (depth == 0) out += " xmlns:p=\"urn:p\" xmlns:q=\"urn:q\"";
      if (depth > 0 && below(40) == 0) out += any(" xmlns:p=\"urn:q\"", " xmlns=\"urn:d\"", " xmlns:q='urn:z'");
      if (below(4) == 0) out += any(" x=\"1\"", " x=\"22\"", " x='3'", " p:x=\"\"", " x=\"1\" y=\"2\"");
      if (below(30) == 0) out += any(" ", "\n");
      if (below(20) == 0) {
        out += "/>";
        return;
      }
      out += '>';
      auto indent = [&](int by) {
        out += end_of_line;
        out.append(static_cast<std::size_t>(end_of_line.empty() ? 0 : by), ' ');
      };
      if (depth < 7 && (depth == 0 || below(5) < 2)) {
        for (auto n = 1 + below(6); n-- > 0;) indent(depth * 2 + 2), self(self, depth + 1);
        indent(depth * 2);
      } else {
        out += any("", "x", "1.00", "a longer text of a line", "x &amp; y", "&lt;a&gt;", " ", "two\nlines",
                   "two\r\nlines", "\xC3\xA9\xC3\xA9n", "]]", "&quot;&apos;");
      }
      out += "</" + name + (below(50) == 0 ? " >" : ">");
    };
    element(element, 0);
    taken += agrees(out);
    ASSERT_FALSE(::testing::Test::HasFailure()) << out;
  }
  EXPECT_GT(taken, 2900);
}

TEST(XmlPlain, OneChangedByteNeverMakesTheTwoDiffer) {
  const std::string whole =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<p:r xmlns:p=\"urn:a\" xmlns=\"http://b/c\">\r\n  <c p:k='v' "
      "k2='w'>a "
      "&amp; b]]</c>\n  <p:c/><d>\n</d></p:r>\n";
  ASSERT_TRUE(agrees(whole));
  int taken = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto cut = whole;
    taken += agrees(cut.erase(at, 1)) + agrees(whole.substr(0, at));
    for (char c : std::string_view("<>/&;:='\" \t\r\n]x1-.!?#\x7f")) {
      auto changed = whole, more = whole;
      changed[at] = c;
      more.insert(at, 1, c);
      taken += agrees(changed) + agrees(more);
    }
  }
  EXPECT_GT(taken, 100);
}

TEST(XmlPlain, AgreesOnEveryDocumentOfTheFuzzers) {
  int seen = 0;
  for (const char* name : {"xml_fuzz", "ubl_fuzz", "ijw_fuzz", "ggk_fuzz", "soap_fuzz"})
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(SCHAKEL_SOURCE_DIR "/tests/fuzz/corpus/") + name)) {
      static_cast<void>(agrees(test::slurp(file.path())));
      ++seen;
    }
  EXPECT_GT(seen, 10);
}

}  // namespace
}  // namespace schakel::formats
