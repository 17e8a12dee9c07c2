//! The fast sums against the plain ones, and table entries against prices one at a time.

use super::{HOUR_NS, Random, instruments, market, option, rules, unit};
use crate::number::{m, p, r};
use plimsoll_rules::options::{DatedTerms, PerpetualTerms, Right, payoff};
use plimsoll_rules::portfolio::{
    Book, Damp, Grid, Held, Instrument, InstrumentKind, Market, PortfolioError, Scenario, Table, VolatilityMove, Worst,
};
use units::{Money, Price, Rate, Size};

fn table() -> Table {
    rules().table(&market(), &instruments(), unit()).unwrap()
}

/// An account as lots and as sizes.
type Both = (Vec<(u32, i64)>, Vec<Held>);

fn random_account(random: &mut Random, table: &Table, lots_most: i64) -> Both {
    let count = random.below(12);
    let mut lots: Vec<(u32, i64)> = Vec::new();
    for _ in 0..count {
        let at = u32::try_from(random.place(table.instruments().len())).unwrap();
        lots.push((at, random.below(2 * lots_most + 1) - lots_most));
    }
    let held = lots.iter().map(|(at, lots)| {
        let instrument = *at as usize;
        let lot = table.instruments()[instrument].lot.units();
        Held { instrument, size: Size::new(lots * lot).unwrap() }
    });
    let held = held.collect();
    (lots, held)
}

fn agree(table: &Table, accounts: &[Both]) -> usize {
    let mut book = Book::new();
    accounts.iter().for_each(|(lots, _)| book.push(lots));
    let mut worst = Vec::new();
    let beside = book.worst(table, &mut worst).unwrap();
    assert_eq!(worst.len(), accounts.len());
    for (at, (_, held)) in accounts.iter().enumerate() {
        let scan = table.scan(held).unwrap();
        let (result, scenario) = match beside.iter().find(|one| one.account == at) {
            Some(one) => {
                assert_eq!(worst[at], Worst::ELSEWHERE);
                (one.result, one.scenario)
            }
            None => (i128::from(worst[at].result()), worst[at].scenario()),
        };
        let ours = Money::from_units(result * table.unit().units());
        assert_eq!((ours, scenario), (scan.worst, scan.scenario), "account {at}: {held:?}");
    }
    beside.len()
}

#[test]
fn many_accounts_have_the_same_worst_as_one() {
    let (table, mut random) = (table(), Random(3));
    assert!(table.wide().is_empty());
    let accounts: Vec<_> = (0..5_000).map(|_| random_account(&mut random, &table, 5_000)).collect();
    assert_eq!(agree(&table, &accounts), 0);
}

/// Lots at and beyond what 64 bits are proved for go the long way, and nothing wraps.
#[test]
fn large_accounts_go_the_long_way() {
    let (table, mut random) = (table(), Random(5));
    let accounts: Vec<_> = (0..500).map(|_| random_account(&mut random, &table, 1 << 28)).collect();
    assert!(agree(&table, &accounts) > 300);
    let at_the_bound = |lots: i64| {
        let size = Size::new(lots * table.instruments()[1].lot.units()).unwrap();
        vec![(vec![(1, lots)], vec![Held { instrument: 1, size }])]
    };
    assert_eq!(agree(&table, &at_the_bound((1 << 26) - 1)), 0);
    assert_eq!(agree(&table, &at_the_bound(1 << 26)), 1);
    let mut book = Book::new();
    book.push(&[(1, (1 << 26) - 1), (2, (1 << 26) - 1), (3, 2)]);
    assert_eq!(book.worst(&table, &mut Vec::new()).unwrap().len(), 1, "2^27 lots in all");
}

/// An instrument whose entries need more than 32 bits sends those accounts, and only those, the long way.
#[test]
fn a_wide_instrument_is_exact() {
    let mut all = instruments();
    all[2].lot = Size::whole(100);
    all[2].kind = InstrumentKind::Future { mark: p("60100"), left_ns: 30 * 24 * HOUR_NS };
    let table = rules().table(&market(), &all, unit()).unwrap();
    assert_eq!(table.wide(), [2]);
    let mut random = Random(7);
    let accounts: Vec<_> = (0..500).map(|_| random_account(&mut random, &table, 300)).collect();
    let touching = accounts.iter().filter(|(lots, _)| lots.iter().any(|(at, _)| *at == 2)).count();
    assert_eq!(agree(&table, &accounts), touching);
    let mut book = Book::new();
    book.push(&[(99, 1)]);
    assert!(book.worst(&table, &mut Vec::new()).is_err());
}

/// Entries are the prices of single options, to the nearest unit.
#[test]
fn table_entries_are_single_prices() {
    let (table, rules, market) = (table(), rules(), market());
    let spot = 6e12;
    let mut options = 0;
    for (at, instrument) in table.instruments().iter().enumerate() {
        for (column, scenario) in table.grid().scenarios().iter().enumerate() {
            let moved = 1.0 + table.moves()[column].units() as f64 / 1e9;
            let shocked = |volatility: Rate, tenor: i64| {
                let volatility = volatility.units() as f64 / 1e9;
                let (up, down) = rules.volatility.shocked(volatility, rules.volatility.growth(tenor));
                match scenario.volatility {
                    VolatilityMove::Up => up,
                    VolatilityMove::Down => down,
                    _ => volatility,
                }
            };
            let years = |ns: i64| ns as f64 / 31_536_000e9;
            let value = match instrument.kind {
                InstrumentKind::DatedOption { right, strike, forward, volatility, left_ns, .. } => {
                    let of = |forward, volatility| {
                        let strike = strike.units() as f64;
                        let terms = DatedTerms { forward, strike, volatility, years: years(left_ns), discount: 1.0 };
                        terms.check().unwrap().price(right)
                    };
                    let (forward, volatility) = (forward.units() as f64, volatility.unwrap());
                    of(forward * moved, shocked(volatility, left_ns)) - of(forward, volatility.units() as f64 / 1e9)
                }
                InstrumentKind::PerpetualOption { right, strike, volatility, period_ns, interest } => {
                    let (strike, interest) = (strike.units() as f64, interest.units() as f64 / 1e9);
                    let of = |spot, volatility| {
                        let terms = PerpetualTerms { spot, strike, volatility, period: years(period_ns), interest };
                        terms.check().unwrap().price(right)
                    };
                    let volatility = volatility.unwrap();
                    let value = of(spot * moved, shocked(volatility, period_ns));
                    let funding = value - payoff(right, spot * moved, strike);
                    let part = years(market.horizon_ns) / years(period_ns);
                    value - of(spot, volatility.units() as f64 / 1e9) - funding * part
                }
                _ => continue,
            };
            options += 1;
            let damp = scenario.damp.units() as f64 / 1e18;
            let exact = value * damp * instrument.lot.units() as f64 / unit().units() as f64;
            let entry = table.row(at).unwrap()[column] as f64;
            assert!((entry - exact).abs() <= 0.5 + 1e-6, "instrument {at}, scenario {column}: {entry} and {exact}");
        }
    }
    assert_eq!(options, 31 * 10);
}

/// Equal results: the first scenario is named, whichever way it is summed.
#[test]
fn a_tie_names_the_first_scenario() {
    let cell = |price| Scenario::new(r(price), VolatilityMove::Unchanged);
    let up = Scenario::new(Rate::ZERO, VolatilityMove::Up);
    let tail = Scenario::tail(r("-0.2"), Damp::of(r("0.5")));
    let grid = Grid::new(vec![cell("0.1"), cell("0"), up, cell("-0.1"), tail]).unwrap();
    let perpetual = instruments()[1];
    let table = Table::build(&grid, &rules().volatility, &market(), &[perpetual], unit()).unwrap();
    // Down 10 % and half of down 20 % lose the same; flat, all do.
    let long = [Held { instrument: 0, size: Size::whole(1) }];
    let scan = table.scan(&long).unwrap();
    assert_eq!((scan.worst, scan.scenario), (m("-6000"), 3));
    assert_eq!(table.scan(&[]).unwrap().scenario, 0);
    let accounts = vec![
        (vec![(0, 1_000)], long.to_vec()),
        (vec![], vec![]),
        (vec![(0, -1_000)], { vec![Held { instrument: 0, size: Size::whole(-1) }] }),
    ];
    assert_eq!(agree(&table, &accounts), 0);
}

/// The damp is in the entry: half of down 20 % is down 10 %.
#[test]
fn tails_are_damped() {
    let table = table();
    let row = table.row(1).unwrap();
    let damped = |price: &str| {
        let at = table.grid().scenarios().iter().position(|one| one.price == r(price)).unwrap();
        Money::from_units(i128::from(row[at]) * unit().units() * 1_000)
    };
    assert_eq!(damped("-0.66"), m("-7128"), "18 % of 39,600");
    assert_eq!(damped("5"), m("7200"), "2.4 % of 300,000");
    assert_eq!(damped("-0.16"), m("-9600"));
}

#[test]
fn a_call_and_a_put_of_one_strike_share_their_prices() {
    let call = option(Price::whole(62_000), 14);
    let mut put = call;
    if let InstrumentKind::DatedOption { right, .. } = &mut put.kind {
        *right = Right::Put;
    }
    let build = |all: &[Instrument]| rules().table(&market(), all, unit()).unwrap();
    let (both, alone) = (build(&[call, put]), build(&[put]));
    assert_eq!(both.row(1), alone.row(0));
}

/// A table that is rebuilt is the one that is built; one that could not be has nothing old in it.
#[test]
fn a_rebuilt_table_is_a_new_one() {
    let (mut table, moved) = (table(), Market { spot: p("59000"), ..market() });
    let held = [Held { instrument: 9, size: Size::whole(1) }];
    let before = table.scan(&held).unwrap();
    table.rebuild(&rules().volatility, &moved, &instruments()).unwrap();
    let new = rules().table(&moved, &instruments(), unit()).unwrap();
    assert_eq!(table.scan(&held), new.scan(&held));
    assert_ne!(table.scan(&held).unwrap(), before);
    let refused = table.rebuild(&rules().volatility, &Market { spot: Price::ZERO, ..moved }, &instruments());
    assert_eq!(refused, Err(PortfolioError::PriceMissing));
    assert_eq!(table.scan(&held), Err(PortfolioError::InstrumentUnknown(9)));
    let mut book = Book::new();
    book.push(&[(9, 1)]);
    assert_eq!(book.worst(&table, &mut Vec::new()), Err(PortfolioError::InstrumentUnknown(9)));
}

/// Entries do not depend on processor, flags or profile: a digest of two thousand rows, met by every build.
#[test]
fn tables_have_the_same_integers_everywhere() {
    let mut all = instruments();
    for days in [1, 2, 7, 30, 90, 365] {
        for strike in (20_000..180_000).step_by(1_000) {
            all.push(option(Price::whole(strike), days));
            let (strike, period_ns) = (Price::whole(strike), days * 24 * HOUR_NS);
            let interest = if strike.units() % 200_000_000_000 == 0 { Rate::ZERO } else { r("0.05") };
            let kind = InstrumentKind::PerpetualOption {
                right: Right::Put,
                strike,
                volatility: Some(r("0.7")),
                period_ns,
                interest,
            };
            all.push(Instrument { kind, ..all[0] });
        }
    }
    let table = rules().table(&market(), &all, unit()).unwrap();
    let bytes: Vec<u8> =
        (0..all.len()).flat_map(|at| table.row(at).unwrap().to_vec()).flat_map(i64::to_le_bytes).collect();
    assert_eq!(bytes.len(), (13 + 2 * 6 * 160) * 31 * 8);
    assert_eq!(&blake3::hash(&bytes).to_hex()[..32], "ebd4d61c9f708497eca9d09d4541455d");
}
