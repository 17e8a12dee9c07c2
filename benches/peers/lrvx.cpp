// lrvx's venue engine (the C++ in its source package) under our order flow: one engine with the O(1) ladder book per
// market, one ledger for all, linear perpetual with isolated margin and fees.
//
// `lrvx FLOW`. It knows nothing of Plimsoll but the flow file (src/flow.rs).
#include "lrvx-venue/event_hash.h"
#include "lrvx-venue/ledger.h"
#include "lrvx-venue/matching_engine.h"
#include "lrvx/book/ladder_book.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

using namespace lrvx;
using namespace lrvx::venue;

namespace {
constexpr uint64_t VENUE = 1'000'000;  // the account that fees and clearing go through
constexpr AssetId USD = 1;
constexpr uint32_t ACCOUNTS = 100'000, MARKETS = 20;

struct FlowOrder {
  uint32_t account;
  uint16_t market;
  uint8_t side, ioc;
  int32_t ticks;
};
static_assert(sizeof(FlowOrder) == 12);

enum class Hash { Off, On };

uint64_t cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

Price cents(int64_t n) { return Price::fromRaw(n * (Price::Scale / 100)); }

struct Venue {
  Ledger ledger;
  uint64_t fills = 0, refused = 0, hash = 1469598103934665603ULL;
  OrderId next = 1;
  std::vector<std::unique_ptr<MatchingEngine<LadderBook>>> markets;

  Venue(uint32_t accounts, uint32_t count, double deposit, int32_t book, Hash hashed) {
    for (uint64_t a = 1; a <= accounts; ++a) ledger.deposit(a, USD, amountOf(Volume::fromDouble(deposit)));
    for (uint32_t m = 0; m < count; ++m) {
      SymbolConfig c;
      c.id = m + 1;
      c.tickSize = cents(1);
      c.lotSize = Quantity::fromDouble(0.001);
      c.minPrice = cents(9'000);
      c.maxPrice = cents(11'000);
      c.quoteAsset = USD;
      c.linearPerp = true;
      c.initialMarginBps = 200;
      c.maintenanceMarginBps = 100;
      EventSink sink = [this](const OutboundEvent& e) {
        if (std::get_if<Trade>(&e)) ++fills;
        if (std::get_if<OrderRejected>(&e)) ++refused;
      };
      EventSink hashing = [this](const OutboundEvent& e) {
        if (std::get_if<Trade>(&e)) ++fills;
        if (std::get_if<OrderRejected>(&e)) ++refused;
        hash = hashEvent(hash, e);
      };
      LadderBook::Config ladder{cents(9'000).raw(), cents(1).raw(), 2'001, book};
      markets.push_back(std::make_unique<MatchingEngine<LadderBook>>(c, hashed == Hash::On ? hashing : sink, LadderBook{ladder}));
      auto& engine = *markets.back();
      engine.setLedger(&ledger, VENUE);
      FeeSchedule fees;
      fees.addTier(0.0, 2.0, 5.0);
      engine.setFeeSchedule(fees);
      engine.setMarkPrice(cents(10'000));
    }
  }

  NewOrder order(uint64_t account, uint32_t market, bool buys, double size, int64_t price, TimeInForce tif) {
    NewOrder o;
    o.id = next++;
    o.symbol = market + 1;
    o.side = buys ? Side::BUY : Side::SELL;
    o.type = OrderType::LIMIT;
    o.price = cents(price);
    o.quantity = Quantity::fromDouble(size);
    o.tif = tif;
    o.stp = STPMode::CancelOldest;
    o.accountId = account;
    return o;
  }

  void place(const NewOrder& o) { markets[o.symbol - 1]->submit(o); }

  void timed(const char* job, const std::vector<NewOrder>& orders) {
    std::vector<InboundCommand> commands(orders.begin(), orders.end());
    fills = refused = 0;
    const uint64_t started = cpu_ns();
    for (size_t n = 0; n < commands.size(); ++n) markets[orders[n].symbol - 1]->submit(commands[n]);
    const uint64_t total = cpu_ns() - started;
    std::printf("%s\t%s\t%.2f\t%llu fills, %llu refused [%llx]\n", job, LRVX_VERSION_TEXT,
                static_cast<double>(total) / static_cast<double>(orders.size()), static_cast<unsigned long long>(fills),
                static_cast<unsigned long long>(refused), static_cast<unsigned long long>(hash & 0xffff));
  }
};

void flow(const char* job, const std::vector<FlowOrder>& orders, Hash hashed) {
  Venue venue(ACCOUNTS, MARKETS, 10'000.0, 1 << 16, hashed);
  for (uint32_t n = 0; n < ACCOUNTS; ++n)
    for (uint32_t k = 0; k < 2; ++k)
      venue.place(venue.order(n + 1, (n / 2 + k * 7) % MARKETS, n % 2 == 0, 1.0, 10'000, TimeInForce::GTC));
  std::vector<NewOrder> news;
  for (const auto& o : orders)
    news.push_back(venue.order(o.account, o.market, o.side == 0, 1.0, 10'000 + o.ticks,
                               o.ioc ? TimeInForce::IOC : TimeInForce::GTC));
  venue.timed(job, news);
}

void hot(const char* job, const std::vector<FlowOrder>& orders) {
  Venue venue(2, 1, 500'000'000.0, 1 << 10, Hash::Off);
  venue.place(venue.order(2, 0, true, 1'000'000.0, 9'999, TimeInForce::GTC));
  venue.place(venue.order(2, 0, false, 1'000'000.0, 10'001, TimeInForce::GTC));
  std::vector<NewOrder> news;
  for (const auto& o : orders)
    news.push_back(venue.order(1, 0, o.side == 0, 1.0, o.side == 0 ? 10'001 : 9'999, TimeInForce::IOC));
  venue.timed(job, news);
}
}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: lrvx FLOW\n"), 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<FlowOrder> orders(bytes.size() / sizeof(FlowOrder));
  std::memcpy(orders.data(), bytes.data(), orders.size() * sizeof(FlowOrder));
  flow("lrvx-flow", orders, Hash::Off);
  flow("lrvx-flow-hash", orders, Hash::On);
  hot("lrvx-hot", orders);
}
