//! How long all figures of one account take: ten positions over ladders of tiers, one collateral, cross.
//!
//! `cargo bench -p plimsoll-rules --bench account`. Wall clock, the best of many short rounds, which another program seldom
//! interrupts, beside the obvious way in the same run: each liquidation price and each common move halved in by valuing the whole
//! account. Answers are compared first.
//!
//! Estimate before measuring: a position is valued with three products and two divisions of 128 bits, 20 ns; both its margins take
//! 25 ns. A liquidation price is a straight line of one tier: two or three valuations on the side that is crossed and none on the
//! other, 60 ns. A common move is met in five valuations of all, 1 µs. In sum about 2 µs for ten.
#![allow(missing_docs, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a bench, with numbers far below

use plimsoll_rules::{
    Account, AccountRules, AccountTerms, Collateral, Contract, Crossing, FeeBasis, Haircuts, Holding, InitialBasis,
    Ladder, LineRule, MarketRules, PriceForm, TierTable,
};
use std::hint::black_box;
use std::time::Instant;
use units::{Money, Price, Rate, Round, Size};

const ACCOUNTS: usize = 1_000;
const POSITIONS: usize = 10;
const ROUNDS: usize = 50;

/// Marks of the ten markets in 1e-8.
const MARKS: [i64; POSITIONS] = [
    11_950_000_000_000,
    430_000_000_000,
    21_500_000_000,
    250_000_000,
    120_000_000_000,
    19_000_000,
    2_200_000_000,
    80_000_000,
    12_000_000,
    3_500_000_000,
];

struct Case<'a> {
    collateral: [Collateral<'a>; 1],
    positions: Vec<Holding<'a>>,
}

impl Case<'_> {
    fn account(&self) -> Account<'_> {
        Account { rules: AccountRules::default(), collateral: &self.collateral, positions: &self.positions }
    }
}

fn main() {
    println!("{}, load {}", processor(), std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let (markets, mut random) = (markets(), Random(7));
    let cases: Vec<Case<'_>> = (0..ACCOUNTS).map(|_| case(&markets, &mut random)).collect();
    let crossed = compare(&cases);
    println!(
        "{ACCOUNTS} accounts of {POSITIONS} positions: {crossed} liquidation prices and all common moves equal the obvious ones"
    );
    let margins = time("equity and margins, all positions", &cases, |account| {
        black_box(account.terms());
    });
    let prices = time("and the liquidation price of each position", &cases, |account| {
        let terms = account.terms().expect("in range");
        for at in 0..POSITIONS {
            black_box(account.liquidation_prices(&terms, at));
        }
        black_box(&terms);
    });
    let all = time("and the bankruptcy prices and the moves of all prices together", &cases, |account| {
        let terms = account.terms().expect("in range");
        for at in 0..POSITIONS {
            black_box(account.liquidation_prices(&terms, at));
            black_box(account.bankruptcy_price(&terms, at));
        }
        black_box(account.common_moves(&terms));
        black_box(&terms);
    });
    let naive = time("baseline, the same by halving and valuing the account", &cases[..20], |account| {
        let terms = account.terms().expect("in range");
        for at in 0..POSITIONS {
            black_box(halved_crossings(account, at));
            black_box(account.bankruptcy_price(&terms, at));
        }
        black_box(halved_moves(account, &terms));
    });
    println!(
        "ratios: the baseline is {:.0} times all figures; all figures are {:.1} times the margins, with liquidation prices {:.1}",
        naive / all,
        all / margins,
        prices / margins
    );
}

/// Every answer against the obvious one; how many prices there were.
fn compare(cases: &[Case<'_>]) -> usize {
    let mut crossed = 0;
    for case in cases.iter().take(100) {
        let account = case.account();
        let terms = account.terms().expect("in range");
        for at in 0..POSITIONS {
            let (below, above) = account.crossings(&terms, at).expect("in range");
            assert_eq!((below, above), halved_crossings(&account, at));
            crossed += usize::from(below.is_some()) + usize::from(above.is_some());
        }
        compare_moves(&account, account.common_moves(&terms), halved_moves(&account, &terms));
    }
    crossed
}

/// Both reach the line by the same move. A price has eight digits, so that headroom wavers between two moves where a market is
/// cheap: there each must be a move that reaches it from one that does not.
fn compare_moves(account: &Account<'_>, ours: (Option<Rate>, Option<Rate>), halved: (Option<Rate>, Option<Rate>)) {
    let is_good = |units: i64| !LineRule::Below.is_below(moved(account, units).headroom());
    for (ours, halved) in [(ours.0, halved.0), (ours.1, halved.1)] {
        let (Some(ours), Some(halved)) = (ours, halved) else {
            assert_eq!(ours, halved);
            continue;
        };
        assert!(ours.units().abs_diff(halved.units()) < 1_000, "{ours} {halved}");
        for units in [ours.units(), halved.units()] {
            assert!(!is_good(units) && is_good(units - units.signum()), "{units}");
        }
    }
}

/// The account with all prices moved by so many 1e-9.
fn moved(account: &Account<'_>, units: i64) -> AccountTerms {
    let rate = Rate::new(units).expect("a rate");
    account.terms_at(|held| held.price.scale(rate, Round::Down)).expect("in range")
}

/// Nanoseconds an account: of each twenty the best round.
fn time(what: &str, cases: &[Case<'_>], figures: impl Fn(&Account<'_>)) -> f64 {
    let round = |cases: &[Case<'_>]| {
        let started = Instant::now();
        for case in cases {
            figures(black_box(&case.account()));
        }
        started.elapsed().as_nanos()
    };
    let best = |cases| (0..ROUNDS).map(|_| round(cases)).min().unwrap_or(0);
    let mean = cases.chunks(20).map(best).sum::<u128>() as f64 / cases.len() as f64;
    println!("{mean:>10.0} ns an account: {what}");
    mean
}

/// The crossings of a position's price on both sides, by halving.
fn halved_crossings(account: &Account<'_>, at: usize) -> (Option<Crossing>, Option<Crossing>) {
    let (market, mark) = (account.positions[at].market, account.positions[at].price.units());
    let is_good = |units: i64| {
        let price = Price::new(units).expect("a price");
        let terms = account.terms_at(|held| Some(if held.market == market { price } else { held.price }));
        !LineRule::Below.is_below(terms.expect("in range").headroom())
    };
    let side = |end: i64| {
        if is_good(end) {
            return None;
        }
        let (good, bad) = halve(mark, end, is_good);
        Some(Crossing { first_below: Price::new(bad)?, last_good: Price::new(good)? })
    };
    (side(1), side(mark.saturating_mul(1_000_000)))
}

/// The moves of all prices together to the line, by halving.
fn halved_moves(account: &Account<'_>, terms: &AccountTerms) -> (Option<Rate>, Option<Rate>) {
    assert!(!LineRule::Below.is_below(terms.headroom()));
    let is_good = |units: i64| !LineRule::Below.is_below(moved(account, units).headroom());
    let side = |end: i64| if is_good(end) { None } else { Rate::new(halve(0, end, is_good).1) };
    (side(1 - Rate::ONE.units()), side(9 * Rate::ONE.units()))
}

fn halve(mut good: i64, mut bad: i64, is_good: impl Fn(i64) -> bool) -> (i64, i64) {
    while good.abs_diff(bad) > 1 {
        let middle = good.midpoint(bad);
        if is_good(middle) { good = middle } else { bad = middle }
    }
    (good, bad)
}

/// Ladders of ten tiers, as Binance has them.
fn markets() -> Vec<MarketRules> {
    let tiers = [
        (50_000, 8, 4),
        (300_000, 10, 5),
        (800_000, 13, 7),
        (3_000_000, 20, 10),
        (12_000_000, 40, 20),
        (70_000_000, 50, 25),
        (100_000_000, 100, 50),
        (230_000_000, 200, 100),
        (480_000_000, 250, 125),
        (600_000_000, 500, 250),
    ];
    let rate = |thousandths: i64| Rate::new(thousandths * 1_000_000).expect("a rate");
    let market = |n: i64| {
        let steps: Vec<_> = tiers.map(|(cap, i, m)| (Money::whole(cap / (n + 1)), rate(i), rate(m))).into();
        MarketRules {
            contract: Contract::Linear,
            ladder: Ladder::Tiers(TierTable::derive(&steps).expect("a ladder")),
            open_interest: Money::ZERO,
            closing_fee: Rate::ZERO,
            fee_basis: FeeBasis::Notional,
            fee_in_initial: false,
            fee_in_price: true,
            initial_basis: InitialBasis::Price,
            notional_digits: None,
            initial_digits: None,
            maintenance_digits: None,
            price_form: PriceForm::Solved,
        }
    };
    (0..POSITIONS as i64).map(market).collect()
}

/// An account with something left: notionals of 1,000 to 1,000,000, either side, bought within 5 % of the mark.
fn case<'a>(markets: &'a [MarketRules], random: &mut Random) -> Case<'a> {
    let mut gross = Money::ZERO;
    let held = |(at, rules): (usize, &'a MarketRules)| {
        let mark = MARKS[at];
        let worth = [1_000, 10_000, 100_000, 1_000_000][random.below(4) as usize] / (1 + random.below(9));
        // Lots of a thousandth.
        let lots = (i128::from(worth) * 100_000_000_000 / i128::from(mark)).max(1) as i64;
        let side = if random.below(3) == 0 { -1 } else { 1 };
        let size = Size::new(side * lots * 100_000).expect("a size");
        let entry = Price::new(mark / 100 * (95 + random.below(11))).expect("a price");
        let (price, cost) = (Price::new(mark).expect("a price"), entry * size);
        gross += (price * size).abs();
        Holding { rules, size, cost, price, leverage: Rate::bps(500), settlement: 0, market: at }
    };
    let positions: Vec<Holding<'a>> = markets.iter().enumerate().map(held).collect();
    let amount = gross.share(i128::from(8 + random.below(60)), 100, Round::Down) + Money::whole(100);
    let haircuts = Haircuts::flat(Rate::ONE);
    Case { collateral: [Collateral { amount, index_price: Price::ONE, haircuts }], positions }
}

/// SplitMix64: a bench's inputs, the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % n).expect("small")
    }
}

/// The processor's name.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    name.trim_start_matches(['\t', ' ', ':']).to_owned()
}
