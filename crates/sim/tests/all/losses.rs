//! I-22 and I-23: shared losses do not depend on the order of requests that have nothing to do with each other, and who holds nothing
//! pays nothing.

use engine::{AccountId, AssetId, Engine, Event, IncomeKind, Leg, MarketId, Side};
use plimsoll_sim::scenario;
use std::collections::BTreeMap;

const BTC: MarketId = MarketId(0);

/// Two longs of BTC that fail by other markets: ann when ETH falls, ben when SOL does. dan and eve are short, flo and gus flat.
const VENUE: &str = "\
market BTC-PERP liquidate full_close socialise 0.4%
market ETH-PERP liquidate full_close socialise 0.3%
market SOL-PERP liquidate full_close socialise 0.2%
deposit ann 1000
deposit ben 997
deposit bob 100000
deposit dan 9000
deposit eve 9000
deposit flo 500
deposit gus 300
fill ann BTC-PERP +0.1 @ 60000
fill ben BTC-PERP +0.1 @ 60000
fill ann ETH-PERP +2 @ 3000
fill ben SOL-PERP +2 @ 3000
fill dan BTC-PERP -0.307 @ 60000
fill eve BTC-PERP -0.1 @ 60000
fill flo BTC-PERP -0.1 @ 60000
fill flo BTC-PERP +0.1 @ 60000
buy bob BTC-PERP 0.2 @ 54600
buy bob ETH-PERP 2 @ 2765
buy bob SOL-PERP 2 @ 2765
index BTC 54950
";

const ANN_FAILS: &str = "index ETH 2775\nwait 1s\n";
const BEN_FAILS: &str = "index SOL 2775\nwait 1s\n";

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Who got how much of its loss paid, by market and side that pays.
    shared: BTreeMap<(AccountId, MarketId, Side), i128>,
    /// Paid and still owed of each account in BTC.
    borne: BTreeMap<AccountId, i128>,
    /// Settled debts of shared losses: each may round by a unit.
    settlements: i128,
    /// Wallets, and what may leave of them.
    left: Vec<(i128, i128)>,
    refused: usize,
}

fn play(requests: &[&str]) -> Outcome {
    let text = format!("{VENUE}{}", requests.concat());
    let (mut shared, mut borne) = (BTreeMap::new(), BTreeMap::new());
    let (mut settlements, mut refused) = (0, 0);
    let mut last: Option<Engine> = None;
    let mut watch = |step: scenario::Step<'_>| {
        for event in step.engine.events() {
            match *event {
                Event::LossShared { account, market, side, amount, .. } => {
                    *shared.entry((account, market, side)).or_insert(0) += amount.units();
                }
                Event::LossSettled { market: BTC, .. } => settlements += 1,
                _ => {}
            }
            for row in event.income(step.engine.state()) {
                let pays = row.kind == IncomeKind::SharedLoss && row.amount.is_negative() && row.market == Some(BTC);
                *borne.entry(row.account).or_insert(0) -= if pays { row.amount.units() } else { 0 };
            }
        }
        refused += usize::from(step.result.is_err());
        last = Some(step.engine.clone());
    };
    scenario::run_observed(&text, &mut watch).unwrap_or_else(|e| panic!("{}", e.show("losses", &text)));
    let engine = last.unwrap();
    let state = engine.state();
    let mut left = Vec::new();
    for id in (0..state.accounts.len()).map(AccountId::at) {
        for leg in Leg::ALL {
            let owed = state.account(id).exposure(BTC.leg(leg)).map_or(0, |e| state.loss_owed(id, e).units());
            *borne.entry(id).or_insert(0) += owed;
        }
        let view = engine.account_view(id).unwrap();
        let wallet = view.wallets.iter().find(|w| w.asset == AssetId(0));
        left.push(wallet.map_or((0, 0), |w| (w.wallet.units(), w.withdrawable.units())));
    }
    borne.retain(|_, units| *units != 0);
    Outcome { shared, borne, settlements, left, refused }
}

fn id(name: &str) -> AccountId {
    // The built-ins are fund and house; then in the order of the venue's deposits.
    let names = ["fund", "house", "ann", "ben", "bob", "dan", "eve", "flo", "gus"];
    AccountId::at(names.iter().position(|n| *n == name).unwrap())
}

#[test]
fn shared_losses_do_not_depend_on_the_order_of_failures_or_requests() {
    let (flo, eve) = ("withdraw flo 400\n", "withdraw eve 1234.56\n");
    let first = play(&[ANN_FAILS, flo, eve, BEN_FAILS]);
    assert_eq!(first.refused, 0);
    assert_eq!(first.shared.len(), 4, "both deficits, each by two markets: {first:?}");
    let each: i128 = first.shared.iter().filter(|((_, market, _), _)| *market == BTC).map(|(_, units)| units).sum();
    let borne: i128 = first.borne.values().sum();
    assert!((0..=2).contains(&(borne - each)), "two holders round up by a unit at most: {borne} {each}");
    let orders: [[&str; 4]; 6] = [
        [ANN_FAILS, eve, flo, BEN_FAILS],
        [BEN_FAILS, flo, eve, ANN_FAILS],
        [BEN_FAILS, eve, flo, ANN_FAILS],
        [flo, ANN_FAILS, BEN_FAILS, eve],
        [eve, BEN_FAILS, ANN_FAILS, flo],
        [BEN_FAILS, ANN_FAILS, eve, flo],
    ];
    for requests in orders {
        assert_eq!(play(&requests), first, "{requests:?}");
    }
}

#[test]
fn paying_in_between_changes_a_share_by_a_unit_at_most() {
    // A fee-free trade of dan with himself as he was: a contract more and one less, which settles what he owes.
    let touch = "fill dan BTC-PERP -0.001 @ 54950\nfill dan BTC-PERP +0.001 @ 54950\n";
    let plain = play(&[ANN_FAILS, BEN_FAILS, touch]);
    for requests in [[ANN_FAILS, touch, BEN_FAILS], [BEN_FAILS, touch, ANN_FAILS]] {
        let other = play(&requests);
        assert_eq!(other.shared, plain.shared);
        for name in ["dan", "eve"] {
            let more = other.borne[&id(name)] - plain.borne[&id(name)];
            assert!(more.abs() <= other.settlements + plain.settlements, "{name} bears {more} units more");
        }
    }
}

#[test]
fn an_account_without_a_position_bears_nothing() {
    let outcome = play(&[ANN_FAILS, BEN_FAILS]);
    let who: Vec<AccountId> = outcome.borne.keys().copied().collect();
    assert_eq!(who, [id("dan"), id("eve")], "the shorts, and nobody else");
    // flo was short before the losses, gus never; both may take all they have.
    for (name, whole) in [("flo", 500), ("gus", 300)] {
        let units = units::Money::whole(whole).units();
        assert_eq!(outcome.left[id(name).index()], (units, units), "{name}");
    }
    // Who holds most bears most: 0.307 to 0.1, each within a unit.
    let (dan, eve) = (outcome.borne[&id("dan")], outcome.borne[&id("eve")]);
    assert!((dan * 100 - eve * 307).abs() <= 307 + 100, "{dan} {eve}");
}
