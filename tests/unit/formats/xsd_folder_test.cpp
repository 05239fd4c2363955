// The second opinion of the publishers' schemas: with a schema of our own, and with the real ones where they are.
#include "core/formats/xsd_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

namespace schakel::formats {
namespace {
namespace fs = std::filesystem;

struct XsdFolderTest : ::testing::Test {
  void put(const std::string& name, const std::string& text) { temp.write(name, text); }
  test::TempFolder temp;
  const fs::path folder = temp.path();
};

constexpr const char* kSmall =
    R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType><xs:sequence>
<xs:element name="n" type="xs:integer" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element></xs:schema>)";

TEST_F(XsdFolderTest, ChecksWhatItHasASchemaForAndNamesEveryFault) {
  put("diep/er/JW323.xsd", kSmall);
  auto schemas = XsdFolder::open(folder.string());
  ASSERT_TRUE(schemas) << schemas.error().code;
  EXPECT_EQ(schemas->size(), 1U);
  EXPECT_TRUE(schemas->check(MessageKind::jw323, "<a><n>1</n></a>").empty());
  auto faults = schemas->check(MessageKind::jw323, "<a><n>x</n>\n<n>1</n>\n<n>Jan de Vries</n></a>");
  ASSERT_GE(faults.size(), 2U);
  for (const auto& f : faults) {
    EXPECT_EQ(f.code, "XML_SCHEMA");
    EXPECT_EQ(f.message.find("Vries"), std::string::npos) << "the value stays out of the finding";
  }
  EXPECT_TRUE(schemas->check(MessageKind::ubl_invoice, "<a><n>x</n></a>").empty()) << "no schema, no opinion";
  EXPECT_EQ(schemas->check(MessageKind::jw323, "<!DOCTYPE a [<!ENTITY x \"1\">]><a><n>&x;</n></a>").at(0).code,
            "XML_DTD");
  EXPECT_EQ(schemas->check(MessageKind::jw323, "<a>").size(), 1U);
}

TEST_F(XsdFolderTest, AnEmptyFolderAndABrokenSchemaAreErrors) {
  EXPECT_EQ(XsdFolder::open(folder.string()).error().code, "XSD_UNAVAILABLE");
  EXPECT_EQ(XsdFolder::open((folder / "niet").string()).error().code, "XSD_UNAVAILABLE");
  put("JW323.xsd", "<xs:schema");
  EXPECT_EQ(XsdFolder::open(folder.string()).error().code, "XSD_INVALID");
}

TEST_F(XsdFolderTest, TheRealSchemasTakeOurSampleAndRefuseABrokenOne) {
  auto real = fs::path(SCHAKEL_SOURCE_DIR) / ".." / "shared" / "standards";
  if (!fs::exists(real / "ubl-2.1")) GTEST_SKIP() << "the published schemas are not on this machine";
  auto schemas = XsdFolder::open(real.string());
  ASSERT_TRUE(schemas) << schemas.error().code;
  EXPECT_EQ(schemas->size(), 3U);
  std::string text = write_ubl(test::invoice()).value();
  EXPECT_TRUE(schemas->check(MessageKind::ubl_invoice, text).empty());
  auto at = text.find("<cbc:IssueDate>");
  ASSERT_NE(at, std::string::npos);
  text.insert(at + 15, "x");
  EXPECT_FALSE(schemas->check(MessageKind::ubl_invoice, text).empty());
}

}  // namespace
}  // namespace schakel::formats
