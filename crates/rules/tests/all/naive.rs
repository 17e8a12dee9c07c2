//! What a naive trigger misses: for each assumption of docs/never-scan.md an account that the naive rule leaves above its line
//! while it is below.
//!
//! The naive rule: a position loses size × the move of its price, a long when it falls, a short when it rises (by 1 + its
//! maintenance rate, as maintenance grows with it); one trigger for each, where that makes up the headroom. Nothing else moves.
//! The page lists the numbers of these tests.

use plimsoll_rules::{
    Contract, Haircuts, Ladder, OpenInterestLadder, SizeLadder, StepLadder, collateral_value, funding_payment,
    to_decimals,
};
use units::{Money, Price, Rate, Round, Size, mul_div};

fn m(text: &str) -> Money {
    text.parse().unwrap()
}
fn p(text: &str) -> Price {
    text.parse().unwrap()
}
fn r(text: &str) -> Rate {
    text.parse().unwrap()
}

const SHORT: Size = Size::whole(-10);
const LONG: Size = Size::whole(10);

/// value × slack ÷ cost, rounded down: how far a number may move that is one of those that cost so much when all move by their
/// whole value.
fn reach(value: Price, slack: Money, cost: Money) -> Price {
    let units = mul_div(i128::from(value.units()), slack.units(), cost.units(), Round::Down).unwrap();
    Price::new(i64::try_from(units).unwrap()).unwrap()
}

/// notional × maintenance rate at a price.
fn maintenance(ladder: &Ladder, contract: Contract, price: Price, size: Size) -> Money {
    let notional = contract.notional(price, size).unwrap();
    notional.mul_rate(ladder.at(size, notional, Money::ZERO).unwrap().maintenance, Round::Up)
}

/// Result of a position bought at `entry`.
fn result(contract: Contract, entry: Price, price: Price, size: Size) -> Money {
    contract.upnl(price, size, contract.value(entry, size, Round::Up).unwrap()).unwrap()
}

fn in_dollars(coins: Money, price: Price) -> Money {
    collateral_value(coins, price, &Haircuts::flat(Rate::ONE)).unwrap().value
}

/// 500 USD, long 100 at 10 COIN each, settled in COIN at 1 USD, maintenance 10 %. The contract falls by 39 % while COIN rises by
/// 30 %.
#[test]
fn a_loss_times_the_price_of_the_asset_it_is_in() {
    let (size, entry, wallet) = (Size::whole(100), p("10"), m("500"));
    let headroom = |price, coin| {
        let margin = Contract::Linear.notional(price, size).unwrap().mul_rate(r("0.1"), Round::Up);
        wallet + in_dollars(result(Contract::Linear, entry, price, size), coin) - in_dollars(margin, coin)
    };
    let slack = headroom(entry, Price::ONE);
    assert_eq!(slack, m("400"));
    let naive = entry - reach(entry, slack, m("1000"));
    assert_eq!(naive, p("6"));
    let (price, coin) = (p("6.1"), p("1.3"));
    assert!(price > naive && headroom(price, coin) == m("-86.3"));
    // Windows: 4 × notional × 1.1, no coins held, and maintenance.
    let cost = m("4400") + m("100");
    let windows = (entry - reach(entry, slack, cost), Price::ONE + reach(Price::ONE, slack, cost));
    assert_eq!(windows, (p("9.11111112"), p("1.08888888")));
    assert!(price < windows.0 && coin > windows.1);
}

/// Short 10 at 95, 5 % of maintenance, 5 % more of all of it for each started 1,000 above 1,000.
#[test]
fn a_step_of_the_whole_position() {
    let rise = r("0.05");
    let steps = StepLadder { initial: r("0.1"), maintenance: r("0.05"), base: m("1000"), step: m("1000"), rise };
    let ladder = Ladder::Steps(steps);
    let (entry, wallet) = (p("95"), m("147.5"));
    let headroom = |price| {
        wallet + result(Contract::Linear, entry, price, SHORT) - maintenance(&ladder, Contract::Linear, price, SHORT)
    };
    let slack = headroom(entry);
    assert_eq!(slack, m("100"));
    let naive = entry + reach(entry, slack, m("997.5"));
    assert_eq!(naive, p("104.52380952"));
    let price = p("101");
    assert!(price < naive && headroom(price) == m("-13.5"));
    // The next jump is a key: a notional of 1,000.
    let key = Contract::Linear.price_of(-ladder.jump(0).unwrap(), SHORT, Round::Down).unwrap();
    assert_eq!(key, p("100"));
    assert!(price > key && headroom(key).is_positive() && headroom(key + p("0.00000001")) < Money::ZERO);
}

/// Long 10 at 100, maintenance 10 % + 0.05 % for each whole unit of notional: 60 % here, with a slope of 110 %. It falls below
/// its line when the price rises.
#[test]
fn a_slope_above_one() {
    let ladder = Ladder::PerNotional(SizeLadder { initial: r("0.1"), maintenance: r("0.1"), rise: r("0.0005") });
    let (entry, wallet) = (p("100"), m("610"));
    let margin = |price| maintenance(&ladder, Contract::Linear, price, LONG);
    let headroom = |price| wallet + result(Contract::Linear, entry, price, LONG) - margin(price);
    let slack = headroom(entry);
    assert_eq!((margin(entry), slack), (m("600"), m("10")));
    let naive = entry - reach(entry, slack, m("1000"));
    assert_eq!(naive, p("99"));
    let price = p("120");
    assert!(price > naive && headroom(price) == m("-30"));
    // The steepest slope up to a quarter above is 10 % + 2 × 0.05 % × 1,250; a window has two ends.
    let cost = m("4000") + m("4000").mul_rate(r("1.35"), Round::Up) + margin(entry);
    let window = entry + reach(entry, slack, cost);
    assert_eq!(window, p("100.1"));
    assert!(price > window && headroom(window).is_positive());
}

/// Long 10,000 contracts of 1 USD at 10,000, 0.5 coins, maintenance 1 %. Each dollar that the price falls costs more coins than
/// the one before.
#[test]
fn an_inverse_long_loses_more_the_deeper_it_falls() {
    let contract = Contract::Inverse { face: 1 };
    let (size, entry, wallet) = (Size::whole(10_000), p("10000"), m("0.5"));
    let margin = |price: Price| contract.notional(price, size).unwrap().mul_rate(r("0.01"), Round::Up);
    let headroom = |price| wallet + result(contract, entry, price, size) - margin(price);
    let slack = headroom(entry);
    assert_eq!(slack, m("0.49"));
    let naive = entry - reach(entry, slack, m("1"));
    assert_eq!(naive, p("5100"));
    let price = p("6250");
    assert!(price > naive && headroom(price) == m("-0.116"));
    let cost = m("4.04") + m("0.01");
    let window = entry - reach(entry, slack, cost);
    assert_eq!(window, p("8790.1234568"));
    assert!(price < window && headroom(window).is_positive());
}

/// Short 5,000 contracts of 1 USD at 10,000 beside 1 coin and a debt of 8,000 USD, maintenance 1 %. It wins coins when the price
/// falls, and all its coins fall.
#[test]
fn an_inverse_short_loses_when_the_price_falls() {
    let contract = Contract::Inverse { face: 1 };
    let (size, entry) = (Size::whole(-5_000), p("10000"));
    let headroom = |price| {
        let coins = m("1") + result(contract, entry, price, size);
        let margin = contract.notional(price, size).unwrap().mul_rate(r("0.01"), Round::Up);
        in_dollars(coins, price) - in_dollars(margin, price) - m("8000")
    };
    let slack = headroom(entry);
    assert_eq!(slack, m("1950"));
    let naive = entry + reach(entry, slack, m("5050"));
    assert_eq!(naive, p("13861.38613861"));
    let price = p("6000");
    assert!(price < naive && headroom(price) < Money::ZERO);
    assert!(headroom(p("20000")).is_positive() && headroom(p("6200")).is_positive());
    // 4 × 5,000 × 1.01, the coins, and maintenance.
    let cost = m("20200") + m("10000") + m("50");
    let window = entry - reach(entry, slack, cost);
    assert_eq!(window, p("9355.37190083"));
    assert!(price < window && headroom(window).is_positive());
}

/// Long 10 at 100, maintenance a half of an initial rate that grows from 10 % to 100 % while open interest goes from one million
/// to two. No price moves.
#[test]
fn maintenance_that_is_scaled() {
    let (lower, upper) = (m("1000000"), m("2000000"));
    let ladder = Ladder::OpenInterest(OpenInterestLadder { initial: r("0.1"), fraction: r("0.5"), lower, upper });
    let (price, wallet) = (p("100"), m("150"));
    let notional = Contract::Linear.notional(price, LONG).unwrap();
    let headroom = |interest| {
        let scaled = ladder.at(LONG, notional, interest).unwrap().initial;
        wallet - notional.mul_rate(scaled, Round::Up).mul_rate(r("0.5"), Round::Up)
    };
    let slack = headroom(lower);
    assert_eq!(slack, m("100"));
    let naive = price - reach(price, slack, m("1000"));
    assert_eq!(naive, p("90"));
    let interest = m("1400000");
    assert!(price > naive && headroom(interest) == m("-80"));
    // The scale is one more number with a window: 4 × notional × 1.5, and what maintenance moves by per whole open interest.
    let cost = m("6000") + notional.mul_rate(r("0.45"), Round::Up);
    let window = lower + Money::from_units(mul_div(lower.units(), slack.units(), cost.units(), Round::Down).unwrap());
    assert_eq!(window, m("1015503.8759689922480620"));
    assert!(interest > window && headroom(window).is_positive());
}

/// Short 10 at 99.9, maintenance 10 %, at a venue that counts in whole dollars: equity down, maintenance up.
#[test]
fn figures_that_are_rounded_coarsely() {
    let (entry, wallet) = (p("99.9"), m("110"));
    let headroom = |price| {
        let equity = wallet + result(Contract::Linear, entry, price, SHORT);
        let margin = Contract::Linear.notional(price, SHORT).unwrap().mul_rate(r("0.1"), Round::Up);
        to_decimals(equity, 0, Round::Down).unwrap() - to_decimals(margin, 0, Round::Up).unwrap()
    };
    let slack = headroom(entry);
    assert_eq!(slack, m("10"));
    let naive = entry + reach(entry, slack, m("1098.9"));
    assert_eq!(naive, p("100.8090909"));
    let price = p("100.805");
    assert!(price < naive && headroom(price) == m("-1"));
    // Two figures, rounded at both ends of the way.
    let key = entry + reach(entry, slack - m("4"), m("1098.9"));
    assert_eq!(key, p("100.44545454"));
    assert!(price > key && !headroom(key).is_negative());
}

/// Long 10 at 100 with 150, maintenance 10 %: funding of 6 % is paid, and the price falls by half a unit.
#[test]
fn funding_that_is_not_settled() {
    let (entry, wallet) = (p("100"), m("150"));
    let headroom = |price: Price, paid: Price| {
        let funding = funding_payment(LONG, i128::from(paid.units()) * 1_000_000_000).unwrap().amount;
        let margin = Contract::Linear.notional(price, LONG).unwrap().mul_rate(r("0.1"), Round::Up);
        wallet + result(Contract::Linear, entry, price, LONG) + funding - margin
    };
    let slack = headroom(entry, Price::ZERO);
    assert_eq!(slack, m("50"));
    let naive = entry - reach(entry, slack, m("1000"));
    assert_eq!(naive, p("95"));
    let (price, paid) = (p("99.5"), p("6"));
    assert!(price > naive && headroom(price, paid) == m("-14.5"));
    // The price that the trigger is on is less by what was paid ÷ (1 − 10 %).
    let shift =
        Price::new(i64::try_from(mul_div(i128::from(paid.units()), 10, 9, Round::Up).unwrap()).unwrap()).unwrap();
    assert!(price - shift < naive);
}
