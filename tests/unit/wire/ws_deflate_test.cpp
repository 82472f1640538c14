#include "proxy/wire/ws_deflate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace limpet::wire {
namespace {

// "server, client 12": each offer's parameters, as they were understood.
std::vector<std::string> offers(std::string_view list) {
  std::vector<std::string> found;
  DeflateOffers walk(list);
  for (DeflateOffer offer; walk.next(offer);) {
    std::string line;
    if (offer.server_no_context_takeover) line += "server-forgets ";
    if (offer.client_no_context_takeover) line += "client-forgets ";
    if (offer.server_max_window_bits) line += "server-" + std::to_string(offer.server_max_window_bits) + " ";
    if (offer.client_max_window_bits) line += "client-" + std::to_string(offer.client_max_window_bits) + " ";
    found.push_back(line);
  }
  return found;
}
using Lines = std::vector<std::string>;

TEST(DeflateOffers, NoneIsNone) {
  EXPECT_EQ(offers(""), Lines());
  EXPECT_EQ(offers("x-webkit-deflate-frame, bbf-usp-protocol"), Lines());
  EXPECT_EQ(offers(", ,"), Lines());
}

TEST(DeflateOffers, ParametersMayComeInAnyOrderAndCase) {
  EXPECT_EQ(offers("permessage-deflate"), Lines{""});
  EXPECT_EQ(offers("permessage-deflate; client_max_window_bits"), Lines{"client-15 "});
  EXPECT_EQ(offers("Permessage-Deflate;client_max_window_bits=10 ; "
                   "Server_No_Context_Takeover;\tclient_no_context_takeover"),
            Lines{"server-forgets client-forgets client-10 "});
}

TEST(DeflateOffers, ComeInTheClientsOrder) {
  EXPECT_EQ(offers("permessage-deflate; server_max_window_bits=10, foo; bar=1, permessage-deflate"),
            (Lines{"server-10 ", ""}));
}

TEST(DeflateOffers, ValueMayBeQuoted) {
  EXPECT_EQ(offers("permessage-deflate; server_max_window_bits=\"12\""), Lines{"server-12 "});
}

TEST(DeflateOffers, UnknownParameterDeclines) {
  EXPECT_EQ(offers("permessage-deflate; x=1, permessage-deflate"), Lines{""});
}

TEST(DeflateOffers, ParameterGivenTwiceDeclines) {
  EXPECT_EQ(offers("permessage-deflate; server_no_context_takeover; server_no_context_takeover"), Lines());
  EXPECT_EQ(offers("permessage-deflate; client_no_context_takeover; client_no_context_takeover"), Lines());
  EXPECT_EQ(offers("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"), Lines());
  EXPECT_EQ(offers("permessage-deflate; client_max_window_bits; client_max_window_bits=9"), Lines());
}

TEST(DeflateOffers, BadValueDeclines) {
  for (const char* value : {"", "=", "=7", "=16", "=08", "=1e1", "=+9", "=9x", "=100", "=\"\""}) {
    EXPECT_EQ(offers("permessage-deflate; server_max_window_bits" + std::string(value)), Lines()) << value;
  }
  EXPECT_EQ(offers("permessage-deflate; client_max_window_bits=7"), Lines());
  EXPECT_EQ(offers("permessage-deflate; server_no_context_takeover=1"), Lines());
  EXPECT_EQ(offers("permessage-deflate; client_no_context_takeover=true"), Lines());
}

TEST(DeflateOffers, EverySizeOfWindowIsKnown) {
  for (int bits = 8; bits <= 15; ++bits) {
    EXPECT_EQ(offers("permessage-deflate; server_max_window_bits=" + std::to_string(bits)),
              Lines{"server-" + std::to_string(bits) + " "});
  }
}

}  // namespace
}  // namespace limpet::wire
