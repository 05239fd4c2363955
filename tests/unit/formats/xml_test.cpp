#include "core/formats/xml.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace schakel::formats {
namespace {

std::string code_of(std::string_view bytes, const XmlLimits& limits = {}) {
  auto r = read_xml(bytes, limits);
  return r ? "" : r.error().code;
}

TEST(Xml, NamesAreUriAndLocalNameWhateverThePrefix) {
  auto a = read_xml("<x:r xmlns:x='urn:a'><x:c k='v&amp;w'>te&lt;xt&#8364;</x:c></x:r>");
  auto b = read_xml("<r xmlns='urn:a'>\n <c k=\"v&amp;w\">te<![CDATA[<x]]>t\xE2\x82\xAC</c></r>");
  ASSERT_TRUE(a && b);
  for (auto* d : {&*a, &*b}) {
    auto c = d->root().child("c");
    ASSERT_TRUE(c);
    EXPECT_TRUE(c.is("urn:a", "c"));
    EXPECT_EQ(c.text(), "te<xt\xE2\x82\xAC");
    EXPECT_EQ(c.attribute("k"), "v&w");
    EXPECT_FALSE(c.attribute("k", "urn:a"));
    EXPECT_EQ(d->elements(), 2U);
  }
  EXPECT_EQ(b->root().child("c").line(), 2);
}

TEST(Xml, AMissingElementReadsAsEmpty) {
  auto d = read_xml("<r><c/></r>");
  ASSERT_TRUE(d);
  auto nothing = d->root().child("x").child("y");
  EXPECT_FALSE(nothing);
  EXPECT_EQ(nothing.text(), "");
  EXPECT_EQ(nothing.first_child(), XmlElement{});
  int n = 0;
  for (XmlElement e : nothing.children()) n += e ? 1 : 1;
  EXPECT_EQ(n, 0);
}

TEST(Xml, PathNamesTheOccurrenceAndTheLine) {
  auto d = read_xml("<r>\n<a/>\n<b><c/></b>\n<b>\n<c/><c/></b></r>");
  ASSERT_TRUE(d);
  auto second = d->root().child("b").next_sibling();
  EXPECT_EQ(second.first_child().next_sibling().path(), "/r/b[2]/c[2]:5");
  EXPECT_EQ(d->root().path(), "/r:1");
}

TEST(Xml, TextIsJoinedAcrossCommentsSoThatNoneHides) {
  auto d = read_xml("<r>1234<!-- x -->56<?pi y?>789</r>");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->root().text(), "123456789");
}

TEST(Xml, StrayTextBetweenElementsIsKeptAndWhiteSpaceIsNot) {
  auto d = read_xml("<r> <a/> \n </r>"), e = read_xml("<r> <a/> x <a/></r>");
  ASSERT_TRUE(d && e);
  EXPECT_EQ(d->root().text(), "");
  EXPECT_NE(e->root().text().find('x'), std::string_view::npos);
}

TEST(XmlHostile, AnyDeclarationIsRefusedBeforeParsing) {
  EXPECT_EQ(code_of("<!DOCTYPE r><r/>"), "XML_DTD");
  EXPECT_EQ(code_of("<!DOCTYPE r SYSTEM 'http://127.0.0.1:1/x'><r/>"), "XML_DTD");
  EXPECT_EQ(code_of("<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>"), "XML_DTD");
  std::string laughs = "<!DOCTYPE l [<!ENTITY a 'ha'>";
  for (char c = 'b'; c < 'k'; ++c)
    laughs += fmt::format("<!ENTITY {} '&{};&{};&{};&{};'>", c, c - 1, c - 1, c - 1, c - 1);
  EXPECT_EQ(code_of(laughs + "]><r>&j;</r>"), "XML_DTD");
  EXPECT_EQ(code_of("<?xml version='1.0'?>\n<!doctype r><r/>"), "XML_DTD");
  EXPECT_EQ(code_of("<r><!-- <!ENTITY a 'b'> --></r>"), "XML_DTD");
  EXPECT_EQ(code_of("<r>&undeclared;</r>"), "XML_SYNTAX");
  EXPECT_EQ(code_of("<r a='&undeclared;'/>"), "XML_SYNTAX");
}

TEST(XmlHostile, XIncludeIsAnElementLikeAnyOther) {
  auto d = read_xml("<r xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='/etc/passwd' parse='text'/></r>");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->root().first_child().local(), "include");
  EXPECT_EQ(d->root().first_child().text(), "");
}

TEST(XmlHostile, OnlyUtf8IsRead) {
  EXPECT_EQ(code_of("<?xml version='1.0' encoding='ISO-8859-1'?><r/>"), "XML_ENCODING");
  EXPECT_EQ(code_of("<?xml version='1.0' encoding='UTF-7'?><r>+ADw-x+AD4-</r>"), "XML_ENCODING");
  EXPECT_EQ(code_of("<?xml version='1.0' encoding='utf-8'?><r/>"), "");
  EXPECT_EQ(code_of("<?xml version='1.1'?><r/>"), "XML_VERSION");
  EXPECT_EQ(code_of(std::string_view("\xFF\xFE<\0r\0/\0>\0", 10)), "XML_ENCODING");
  EXPECT_EQ(code_of(std::string_view("<\0r\0/\0>\0", 8)), "XML_ENCODING");
  EXPECT_EQ(code_of(std::string_view("\0<\0r\0/\0>", 8)), "XML_ENCODING");
  EXPECT_EQ(code_of(std::string_view("<r\0/>", 5)), "XML_UTF8");
  for (auto bad : {"\xC0\xBC", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE9", "\xEF\xBF\xBF", "\x01", "\xE2\x82"})
    EXPECT_EQ(code_of(fmt::format("<r>{}</r>", bad)), "XML_UTF8");
  EXPECT_EQ(code_of("<r>&#0;</r>"), "XML_SYNTAX");
  EXPECT_EQ(code_of("<r>&#xD800;</r>"), "XML_SYNTAX");
  EXPECT_EQ(code_of("\xEF\xBB\xBF<r/>"), "");
  EXPECT_EQ(code_of("\xEF\xBB\xBF<r/>", {.refuse_bom = true}), "XML_BOM");
}

TEST(XmlHostile, DepthSizeCountsAndAttributesAreBounded) {
  auto nested = [](int n) {
    std::string s;
    for (int i = 0; i < n; ++i) s += "<a>";
    for (int i = 0; i < n; ++i) s += "</a>";
    return s;
  };
  EXPECT_EQ(code_of(nested(64)), "");
  EXPECT_EQ(code_of(nested(65)), "XML_DEPTH");
  EXPECT_EQ(code_of(nested(200'000)), "XML_DEPTH");
  EXPECT_EQ(code_of("<r>xxxxxxxxxx</r>", {.bytes = 10}), "XML_TOO_LARGE");
  std::string wide = "<r>";
  for (int i = 0; i < 100; ++i) wide += "<a/>";
  EXPECT_EQ(code_of(wide + "</r>", {.nodes = 50}), "XML_NODES");
  std::string many = "<r";
  for (int i = 0; i < 300'000; ++i) many += fmt::format(" a{}=''", i);
  auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(many + "/>"), "XML_ATTRIBUTES");
  EXPECT_EQ(code_of("<!-- '<' --><r a='>' b=\"'\"/>", {.attributes_per_element = 2}), "");
  // A quadratic parser would need minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(XmlHostile, WhatIsNotOneWellFormedDocumentIsRefused) {
  for (auto bad : {"", " ", "<", "<r", "<r>", "</r>", "<r></s>", "<r/><r/>", "<r/>x", "x<r/>", "<r a='1' a='2'/>",
                   "<r a=1/>", "<r><![CDATA[x</r>", "<r><!-- x</r>", "<1/>", "<r>]]></r>", "<?xml version='1.0'", "\0"})
    EXPECT_NE(code_of(bad), "") << bad;
  EXPECT_EQ(code_of("<x:r/>"), "XML_NAMESPACE");
  EXPECT_EQ(code_of("<r x:a='1'/>"), "XML_NAMESPACE");
  EXPECT_EQ(code_of("<r xmlns:x='u' xmlns:y='u' x:a='1' y:a='2'/>"), "XML_NAMESPACE");
}

TEST(XmlHostile, ErrorsCarryThePlaceAndNoContent) {
  auto r = read_xml("<r>\n<geheim123>\n</r>");
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().message.find("line 3"), std::string::npos) << r.error().message;
  EXPECT_EQ(r.error().message.find("geheim"), std::string::npos);
}

TEST(XmlWriter, WhatIsWrittenReadsBackTheSame) {
  XmlWriter w;
  w.open("r")
      .attribute("a", "\"<&>\n\t'")
      .open("b")
      .text("a<b & c>d\r\n\"é€")
      .close()
      .element("c", "x")
      .optional("d", "")
      .open("e")
      .close()
      .close();
  auto text = std::move(w).finish();
  ASSERT_TRUE(text);
  auto d = read_xml(*text);
  ASSERT_TRUE(d) << *text;
  EXPECT_EQ(d->root().attribute("a"), "\"<&>\n\t'");
  EXPECT_EQ(d->root().child("b").text(), "a<b & c>d\r\n\"é€");
  EXPECT_FALSE(d->root().child("d"));
  EXPECT_TRUE(d->root().child("e"));
}

TEST(XmlWriter, IjwStyleEndsLinesWithCrLf) {
  XmlWriter w({.newline = "\r\n"});
  w.open("r").element("a", "1").close();
  EXPECT_EQ(*std::move(w).finish(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<r>\r\n  <a>1</a>\r\n</r>\r\n");
}

TEST(XmlWriter, ACharacterThatXmlCannotCarryIsRefusedNotDropped) {
  for (auto bad : {"\x01", "\xFF", "a\xED\xA0\x80"}) {
    XmlWriter w;
    w.element("r", bad);
    EXPECT_EQ(std::move(w).finish().error().code, "XML_CHARACTER");
  }
}

}  // namespace
}  // namespace schakel::formats
