// Raw requests that another parser on the way could read differently: each is refused and ends the connection (OVL-7).
#include "core/net/http_chunk.hpp"
#include "tests/unit/net/net_fixture.hpp"

namespace schakel::net {
namespace {
using namespace testing_;
using namespace std::string_literals;

struct Case {
  const char* name;
  std::string bytes;
};

std::string fields(int n) {
  std::string out = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < n; ++i) out += "X" + std::to_string(i) + ": 1\r\n";
  return out + "\r\n";
}

std::string post(std::string_view headers, std::string_view body = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

std::vector<Case> hostile() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"te and cl", post("Content-Length: 4\r\n" + chunked, "0\r\n\r\n")},
      {"cl and te", post(chunked + "Content-Length: 4\r\n", "0\r\n\r\n")},
      {"te xchunked with cl", post("Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n", "abcd")},
      {"te xchunked", post("Transfer-Encoding: xchunked\r\n")},
      {"te chunked identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"te identity chunked", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n")},
      {"te gzip chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"te chunked chunked", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"te twice", post(chunked + chunked, "0\r\n\r\n")},
      {"te empty", post("Transfer-Encoding:\r\n")},
      {"te quoted", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
      {"te with parameter", post("Transfer-Encoding: chunked;x=y\r\n", "0\r\n\r\n")},
      {"te with vertical tab", post("Transfer-Encoding: \x0b"
                                    "chunked\r\n",
                                    "0\r\n\r\n")},
      {"te folded", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")},
      {"te name with blank", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
      {"te with underscore", post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"te on http 1.0", "POST /echo HTTP/1.0\r\nHost: a\r\n" + chunked + "\r\n0\r\n\r\n"},
      {"cl twice same", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a")},
      {"cl twice different", post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab")},
      {"cl list", post("Content-Length: 1, 1\r\n", "a")},
      {"cl plus", post("Content-Length: +1\r\n", "a")},
      {"cl minus", post("Content-Length: -1\r\n", "a")},
      {"cl hex", post("Content-Length: 0x1\r\n", "a")},
      {"cl empty", post("Content-Length:\r\n", "a")},
      {"cl with blank inside", post("Content-Length: 1 1\r\n", "a")},
      {"cl overflow", post("Content-Length: 18446744073709551617\r\n", "a")},
      {"cl with underscore", post("Content_Length: 1\r\n", "a")},
      {"cl fraction", post("Content-Length: 1.0\r\n", "a")},
      {"no host", "GET / HTTP/1.1\r\n\r\n"},
      {"no host 1.0", "GET / HTTP/1.0\r\n\r\n"},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"host with user", "GET / HTTP/1.1\r\nHost: b@a\r\n\r\n"},
      {"host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
      {"host with bad port", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n"},
      {"bare lf", "GET / HTTP/1.1\nHost: a\n\n"},
      {"bare lf in one field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
      {"bare cr in value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"},
      {"bare cr at line end", "GET / HTTP/1.1\rHost: a\r\r"},
      {"obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"},
      {"obs-fold tab", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n"},
      {"obs-fold first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"nul in value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"s},
      {"nul in name", "GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n"s},
      {"empty field name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
      {"field without colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"},
      {"field name with blank", "GET / HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n"},
      {"field name with bracket", "GET / HTTP/1.1\r\nHost: a\r\nA(B): c\r\n\r\n"},
      {"field name not ascii", "GET / HTTP/1.1\r\nHost: a\r\n\xc3\xa9: c\r\n\r\n"},
      {"leading crlf", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"leading blank", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"tab as separator", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"},
      {"blank in target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"no version", "GET /\r\nHost: a\r\n\r\n"},
      {"http 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
      {"http 2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"http 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"lower case version", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"lower case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"odd method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"absolute form", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"target without slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"star with get", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"dot segments", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"encoded dot segments", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"encoded slash", "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"encoded backslash", "GET /a%5Cb HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"encoded nul", "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"broken escape", "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"target not ascii", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"long target", "GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"endless target", "GET /" + std::string(9000, 'a')},
      {"65 fields", fields(64)},
      {"large header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(8300, 'b') + "\r\n\r\n"},
      {"connection names framing", post("Connection: close, Content-Length\r\nContent-Length: 1\r\n", "a")},
      {"two content types", post("Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 1\r\n", "a")},
      {"two authorizations", "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"},
      {"unknown expectation", post("Expect: miracle\r\nContent-Length: 1\r\n", "a")},
      {"tls hello on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s},
      {"binary", "\x00\xff\x00\xff"s},
      {"chunk size not hex", post(chunked, "zz\r\nhello\r\n0\r\n\r\n")},
      {"chunk size empty", post(chunked, "\r\nhello\r\n0\r\n\r\n")},
      {"chunk size signed", post(chunked, "+5\r\nhello\r\n0\r\n\r\n")},
      {"chunk size 0x", post(chunked, "0x5\r\nhello\r\n0\r\n\r\n")},
      {"chunk size overflow", post(chunked, "FFFFFFFFFFFFFFFFF\r\nhello")},
      {"chunk size with blank", post(chunked, "5 \r\nhello\r\n0\r\n\r\n")},
      {"chunk bare lf", post(chunked, "5\nhello\r\n0\r\n\r\n")},
      {"chunk extension", post(chunked, "5;a=b\r\nhello\r\n0\r\n\r\n")},
      {"chunk extension with lf", post(chunked, "5;a\nb\r\nhello\r\n0\r\n\r\n")},
      {"chunk longer than said", post(chunked, "3\r\nhello\r\n0\r\n\r\n")},
      {"chunk without line end", post(chunked, "5\r\nhello0\r\n\r\n")},
      {"trailer", post(chunked, "0\r\nHost: b\r\n\r\n")},
      {"last chunk bare lf", post(chunked, "0\n\n")},
      {"body on a route without one", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"},
      {"get with a chunked body", "GET / HTTP/1.1\r\nHost: a\r\n" + chunked + "\r\n5\r\nhello\r\n0\r\n\r\n"},
  };
}

TEST(HostileRequests, EachIsRefusedAndEndsItsConnectionAndTheServerGoesOn) {
  Running running;
  ASSERT_TRUE(running.started) << running.started.error().message;
  const auto cases = hostile();
  EXPECT_GE(cases.size(), 60U);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    RawClient client(running.port());
    client.send(c.bytes);
    const auto answer = client.read();
    EXPECT_TRUE(client.closed());
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 505")) << answer.substr(0, 80);
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "one answer only";
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    const auto good = running.get("/");
    ASSERT_TRUE(good) << good.error().code;
    EXPECT_EQ(good->body, "hello");
  }
  EXPECT_EQ(running.handler.requests.load(), static_cast<int>(cases.size()))
      << "no hostile request reached the handler";
}

TEST(HostileRequests, SmuggledSecondRequestIsNeverAnswered) {
  Running running;
  RawClient client(running.port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /whoami "
      "HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answer = client.read();
  EXPECT_EQ(answer.find("\"kind\""), std::string::npos);
  EXPECT_EQ(running.handler.heads, 0);
}

TEST(HostileRequests, GarbageAfterAGoodRequestIsRefusedAfterTheGoodAnswer) {
  Running running;
  RawClient client(running.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n\x01\x02garbage");
  const auto answer = client.read();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
  EXPECT_NE(answer.find("HTTP/1.1 400"), std::string::npos);
  EXPECT_TRUE(client.closed());
}

TEST(HostileRequests, PipelinedGoodRequestsAreAnsweredInOrder) {
  Running running;
  RawClient client(running.port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\noneGET / HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n5\r\nthree\r\n0\r\n\r\n");
  const auto answer = client.read();
  const auto one = answer.find("one");
  const auto two = answer.find("hello");
  const auto three = answer.find("three");
  EXPECT_NE(three, std::string::npos);
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
}

TEST(Gate, GoodHeadsOfManyShapesAreLetIn) {
  const HeadLimits limits;
  for (const std::string head :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /v1/berichten?na=2026-11-22T09%3A00Z&x= HTTP/1.1\r\nHost: schakel.example:8443\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "POST /a HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: Chunked\r\nX-Name: caf\xc3\xa9\r\nX-Empty:\r\n\r\n",
        "GET /%C3%A9/.well-known/x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\r\n"}) {
    const auto read = read_request_head(head, limits);
    const auto* refusal = std::get_if<Refusal>(&read);
    EXPECT_EQ(refusal, nullptr) << head << (refusal != nullptr ? refusal->code : "");
  }
  const auto read =
      std::get<RequestHead>(read_request_head("GET /p?q=1?2 HTTP/1.0\r\nHost: a\r\nA: 1\r\na: 2\r\n\r\n", limits));
  EXPECT_EQ(read.path, "/p");
  EXPECT_EQ(read.query, "q=1?2");
  EXPECT_TRUE(read.http10);
  EXPECT_FALSE(read.keep_alive);
  EXPECT_EQ(read.headers.count("A"), 2U);
}

TEST(Gate, ExactlyTheLimitIsLetInAndOneMoreIsNot) {
  const HeadLimits limits;
  const auto with = [](std::size_t total) {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    return start + std::string(total - start.size() - 4, 'x') + "\r\n\r\n";
  };
  EXPECT_TRUE(std::holds_alternative<RequestHead>(read_request_head(with(8192), limits)));
  EXPECT_EQ(std::get<Refusal>(read_request_head(with(8193), limits)).status, 431);
  EXPECT_TRUE(std::holds_alternative<RequestHead>(read_request_head(fields(63), limits)));
  EXPECT_EQ(std::get<Refusal>(read_request_head(fields(64), limits)).status, 431);
  EXPECT_TRUE(std::holds_alternative<RequestHead>(
      read_request_head("GET /" + std::string(2047, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits)));
  EXPECT_EQ(
      std::get<Refusal>(read_request_head("GET /" + std::string(2048, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits))
          .status,
      414);
}

TEST(ChunkDecoder, DataIsTheSameHoweverItIsCut) {
  const std::string input = "5\r\nhello\r\n1\r\n \r\n0A\r\n0123456789\r\n0\r\n\r\nnext";
  for (std::size_t piece = 1; piece <= input.size(); ++piece) {
    ChunkDecoder decoder;
    std::string data;
    std::size_t used = 0;
    ChunkDecoder::Step step;
    while (used < input.size()) {
      step = decoder.step(std::string_view(input).substr(used, piece));
      used += step.consumed;
      data += step.data;
      if (step.status == ChunkDecoder::Status::done || step.status == ChunkDecoder::Status::bad) break;
    }
    EXPECT_EQ(step.status, ChunkDecoder::Status::done);
    EXPECT_EQ(data, "hello 0123456789");
    EXPECT_EQ(input.substr(used), "next");
  }
}

TEST(Url, DecodingRefusesWhatIsNotText) {
  EXPECT_EQ(percent_decode("a%20b+c").value(), "a b+c");
  EXPECT_EQ(percent_decode("a+b", true).value(), "a b");
  EXPECT_EQ(percent_decode("%C3%87elik").value(), "Çelik");
  for (const auto* bad : {"%", "%2", "%zz", "%00", "%1b", "%ff", "%c0%af", "%ed%a0%80", "%f5%80%80%80", "a\nb"})
    EXPECT_FALSE(percent_decode(bad)) << bad;
  const auto pairs = parse_query("a=1&b=&c&&d=x%26y&a=2");
  ASSERT_TRUE(pairs);
  EXPECT_EQ(*pairs, (std::vector<std::pair<std::string, std::string>>{
                        {"a", "1"}, {"b", ""}, {"c", ""}, {"d", "x&y"}, {"a", "2"}}));
  std::string many;
  for (int i = 0; i < 101; ++i) many += "a=1&";
  EXPECT_EQ(parse_query(many).error().code, "QUERY_TOO_MANY");
}

}  // namespace
}  // namespace schakel::net
