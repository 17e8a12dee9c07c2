//! A market of which something does not hold is halted by the next event, and everything else goes on.
//!
//! There is no command that leads there: the state is spoiled in the bytes of a snapshot.

use engine::{
    AccountId, Answer, Command, Engine, Event, Invariant, MarketId, MarketStatus, PlaceOrder, Reject, Side,
    StatusReason,
};
use plimsoll_sim::scenario;
use units::{Price, Size, Time};

const BTC: MarketId = MarketId(0);
const ETH: MarketId = MarketId(1);

/// Two markets with a position in each and orders on both sides; 0.123 BTC and 3 ETH are open.
fn venue() -> Engine {
    let text = "market BTC-PERP\nmarket ETH-PERP\nmark BTC-PERP 60000\nmark ETH-PERP 3000\n\
                deposit ann 100000\ndeposit bob 100000\n\
                sell bob BTC-PERP 0.123 @ 60000\nbuy ann BTC-PERP 0.123 @ 60000\n\
                sell bob ETH-PERP 3 @ 3000\nbuy ann ETH-PERP 3 @ 3000\n\
                buy ann BTC-PERP 0.5 @ 59000\nsell bob BTC-PERP 0.25 @ 61000\n";
    let mut engine = Engine::new();
    scenario::run_observed(text, &mut |step| engine = step.engine.clone()).unwrap();
    engine.end_batch();
    engine
}

/// The engine with the second of two equal numbers, one after the other in its snapshot, raised by one.
fn spoiled(engine: &Engine, number: i128) -> Engine {
    let mut bytes = engine.snapshot().unwrap();
    let twice = [number.to_le_bytes(), number.to_le_bytes()].concat();
    let places: Vec<usize> = (0..bytes.len() - 31).filter(|at| bytes[*at..at + 32] == twice).collect();
    let &[at] = places.as_slice() else { panic!("{number} stands twice in a row {} times", places.len()) };
    bytes[at + 16..at + 32].copy_from_slice(&(number + 1).to_le_bytes());
    Engine::restore(&bytes).unwrap()
}

fn order(account: AccountId, market: MarketId, side: Side, size: &str, price: i32) -> Command {
    Command::PlaceOrder(PlaceOrder::limit(account, market, side, size.parse::<Size>().unwrap(), Price::whole(price)))
}

fn named(engine: &Engine, name: &str) -> AccountId {
    let at = engine.state().accounts.iter().position(|row| row.name.is_some_and(|n| n.as_str() == name));
    AccountId::at(at.unwrap())
}

fn halts(engine: &Engine) -> Vec<(MarketId, StatusReason)> {
    let halted = |event: &Event| match *event {
        Event::MarketStatusSet { market, status: MarketStatus::Halted, reason } => Some((market, reason)),
        _ => None,
    };
    engine.events().iter().filter_map(halted).collect()
}

#[test]
fn a_market_whose_open_interest_does_not_balance_is_halted_and_the_rest_goes_on() {
    let whole = venue();
    let (ann, bob) = (named(&whole, "ann"), named(&whole, "bob"));
    let mut engine = spoiled(&whole, 12_300_000);
    assert_eq!(engine.state().broken(BTC), Some(Invariant::OpenInterest));
    assert_eq!(engine.state().broken(ETH), None);
    let mut at = engine.state().now;
    let mut next = |engine: &mut Engine, command: &Command| {
        at = at.plus_ns(Time::SECOND_NS / 10);
        engine.end_batch();
        engine.apply(at, command)
    };
    // Nothing of the market changes: nothing is looked at.
    next(&mut engine, &order(ann, ETH, Side::Buy, "1", 2_990)).unwrap();
    assert_eq!((halts(&engine), engine.state().market(BTC).status), (vec![], MarketStatus::Open));
    // The command that touches it stands; the event after it halts.
    let before = engine.state().terms(ann);
    let answer = next(&mut engine, &order(bob, BTC, Side::Sell, "0.1", 60_500)).unwrap();
    assert!(matches!(answer, Answer::Order { .. }), "{answer:?}");
    assert_eq!(halts(&engine), [(BTC, StatusReason::Broken(Invariant::OpenInterest))]);
    assert_eq!(engine.state().terms(ann), before, "positions stay valued");
    let refused = next(&mut engine, &order(bob, BTC, Side::Sell, "0.1", 60_500));
    assert!(matches!(refused, Err(Reject::MarketStatusForbids { status: MarketStatus::Halted })), "{refused:?}");
    // It cannot be resumed, and is not halted twice.
    for status in [MarketStatus::CancelOnly, MarketStatus::ReduceOnly] {
        let refused = next(&mut engine, &Command::SetMarketStatus { market: BTC, status });
        assert_eq!(refused, Err(Reject::MarketStatusForbids { status: MarketStatus::Halted }));
    }
    assert_eq!(halts(&engine), []);
    // The other market trades.
    next(&mut engine, &order(bob, ETH, Side::Sell, "1", 2_990)).unwrap();
    assert_eq!(engine.state().account(ann).position(ETH.leg(engine::Leg::Net)), Size::whole(4));
    assert_eq!(halts(&engine), []);
}

/// Orders that do not add up, and a market that is whole: the check says neither too much nor too little.
#[test]
fn a_market_whose_resting_orders_do_not_add_up_is_halted() {
    let whole = venue();
    assert_eq!((whole.state().broken(BTC), whole.state().broken(ETH)), (None, None));
    let bytes = whole.snapshot().unwrap();
    // 0.75 BTC rest, of them 0.5 buys.
    let pair = [75_000_000_i128.to_le_bytes(), 50_000_000_i128.to_le_bytes()].concat();
    let places: Vec<usize> = (0..bytes.len() - 31).filter(|at| bytes[*at..at + 32] == pair).collect();
    assert_eq!(places.len(), 1);
    let mut bytes = bytes;
    bytes[places[0] + 16..places[0] + 32].copy_from_slice(&75_000_000_i128.to_le_bytes());
    let mut engine = Engine::restore(&bytes).unwrap();
    let bob = named(&engine, "bob");
    let at = engine.state().now.plus_ns(1);
    engine.apply(at, &order(bob, BTC, Side::Buy, "0.01", 50_000)).unwrap();
    assert_eq!(halts(&engine), [(BTC, StatusReason::Broken(Invariant::RestingOrders))]);
}
