//! lfest on its one hot account: market order, fill at best bid or ask, position, margin check.
//!
//! Takes the sides of the flow; it has no second account, no book and one market, so the rest of the flow has no meaning to it.

mod flow;

use std::num::{NonZeroU16, NonZeroU32};

use const_decimal::Decimal;
use lfest::prelude::*;

const DECIMALS: u8 = 5;
type Venue = Exchange<i64, DECIMALS, BaseCurrency<i64, DECIMALS>, NoUserOrderId>;

fn main() {
    let path = std::env::args().nth(1).expect("usage: lfest FLOW");
    let orders = flow::read(&path);
    let mut venue = venue();
    let size = BaseCurrency::new(1, 0);
    let market_orders: Vec<_> = orders
        .iter()
        .map(|o| MarketOrder::new(if o.buys { Side::Buy } else { Side::Sell }, size).expect("a good order"))
        .collect();
    let count = market_orders.len();
    let (mut fills, mut refused) = (0u64, 0u64);
    let started = flow::cpu_ns();
    for order in market_orders {
        match venue.submit_market_order(order) {
            Ok(_) => fills += 1,
            Err(_) => refused += 1,
        }
    }
    let total = flow::cpu_ns() - started;
    flow::print("lfest-hot", "0.138.4", total, count, &format!("{fills} fills, {refused} refused"));
}

/// Linear contract at 99.99 / 100.01 with the fees and first-tier margins of our venue.
fn venue() -> Venue {
    let bps = |n: i64| Decimal::try_from_scaled(n, 4).expect("a rate");
    let spec = ContractSpecification::new(
        Leverage::new(50).expect("a leverage"),
        Decimal::try_from_scaled(5, 1).expect("half of the initial margin"),
        PriceFilter::default(),
        QuantityFilter::new(None, None, BaseCurrency::new(1, 3)).expect("a lot"),
        Fee::from(bps(2)),
        Fee::from(bps(5)),
    )
    .expect("a contract");
    let limits = OrderRateLimits::new(NonZeroU32::MAX);
    let cash = QuoteCurrency::new(10_000_000, 0);
    let mut venue = Venue::new(Config::new(cash, NonZeroU16::new(200).expect("200"), spec, limits).expect("a config"));
    let quote =
        Bba { bid: QuoteCurrency::new(9_999, 2), ask: QuoteCurrency::new(10_001, 2), timestamp_exchange_ns: 0.into() };
    venue.update_state(&quote).expect("a first quote");
    venue
}
