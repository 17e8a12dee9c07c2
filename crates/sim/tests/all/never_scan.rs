//! Whom the engine finds by its triggers are those whom asking everyone finds, after every command: crowds of traders in
//! random work, with jumps, crashes, funding, interest, lost quorums, new parameters, deposits and trades in between.
//!
//! The same over a replay of 2025-10-10, after each of its prices, and where keys come to the ends of their numbers.
//!
//! What looking costs when prices are unkind is counted.
//!
//! `PLIMSOLL_INDEX_TICKS` says how many accounts with a position the random work asks in all (6,000,000),
//! `PLIMSOLL_INDEX_SEED` begins elsewhere, `PLIMSOLL_INDEX_ACCOUNTS` is the number of accounts of the replay (10,000).

use engine::{Command, Engine, Event, IndexId, Quote};
use plimsoll_sim::brute::missed;
use plimsoll_sim::random::Random;
use plimsoll_sim::replay::{self, Config, Figures, Window, named};
use plimsoll_sim::scenario;
use std::fmt::Write as _;
use units::{Price, Time};

const COMMANDS: u64 = 10_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// (accounts with a position asked, looks, looks at everyone, evaluated, accounts times looks, found)
fn play(seed: u64, traders: u32) -> [u64; 6] {
    let (mut random, mut engine) = (Random::crowd(seed, traders), Engine::new());
    let (mut asked, mut could) = (0, 0);
    for n in 0..random.setup() as u64 + COMMANDS {
        let (at, command) = random.next(&engine);
        let before = engine.work().looks;
        let _ = engine.apply(at, &command); // refused ones are part of the work
        let state = engine.state();
        if let Some(missed) = missed(state, engine.events()) {
            panic!("seed {seed}, {traders} traders, command {n} {command:?}: {missed:?}");
        }
        asked += state.accounts.iter().filter(|a| a.has_position()).count() as u64;
        could += state.accounts.len() as u64 * (engine.work().looks - before);
        engine.end_batch();
    }
    let work = engine.work();
    assert!(work.stored <= 2 * work.triggers + 4_096, "stale triggers are dropped: {work:?}");
    [asked, work.looks, work.everyone, work.evaluated, could, work.below]
}

#[test]
fn nobody_is_missed_in_random_work() {
    let wanted = number("PLIMSOLL_INDEX_TICKS").unwrap_or(6_000_000);
    let first = number("PLIMSOLL_INDEX_SEED").unwrap_or(0);
    let (mut seed, mut sum) = (first, [0; 6]);
    while sum[0] < wanted {
        let traders = [30, 100, 300, 1_000][(seed % 4) as usize];
        sum.iter_mut().zip(play(seed, traders)).for_each(|(sum, part)| *sum += part);
        seed += 1;
    }
    let [asked, looks, everyone, evaluated, could, found] = sum;
    println!(
        "seeds {first} to {}: {asked} accounts with a position asked after commands, nobody missed; {looks} looks, {everyone} of them at \
         everyone, evaluated {evaluated} of {could} accounts and found {found}",
        seed - 1
    );
    assert!(found > 100 && evaluated * 2 < could, "the work was about something, and most were not evaluated");
}

#[test]
fn nobody_is_missed_in_a_replay() {
    let figures = Figures::new(&named("2025-10-10").unwrap(), &Window::default()).unwrap();
    let accounts = number("PLIMSOLL_INDEX_ACCOUNTS").unwrap_or(10_000);
    let config = Config { accounts: u32::try_from(accounts).unwrap(), ..Config::default() };
    let (mut looks, mut asked, mut work) = (0, 0, engine::Work::default());
    let mut watch = |_, _: &Command, _: &_, events: &[Event], engine: &Engine| {
        work = engine.work();
        if work.looks == looks {
            return; // no price moved
        }
        looks = work.looks;
        asked += engine.state().accounts.len() as u64;
        assert_eq!(missed(engine.state(), events), None, "after {:?}", engine.state().now);
    };
    replay::run(&config, &figures, &mut watch, &mut |_| {}).unwrap();
    println!("{accounts} accounts: {asked} asked after prices, nobody missed; {work:?}");
    assert!(work.below > accounts / 100 && work.everyone < 100, "{work:?}");
}

/// Runs a scenario and asks everyone after each command; the answer is how many were found.
fn found_in(text: &str) -> u64 {
    let mut found = 0;
    let mut watch = |step: scenario::Step<'_>| {
        assert_eq!(missed(step.engine.state(), step.engine.events()), None, "after {:?}", step.command);
        found = step.engine.work().below;
    };
    scenario::run_observed(text, &mut watch).unwrap_or_else(|e| panic!("{e:?}"));
    found
}

/// Three payments of half the price shift the longs' price beyond the largest price; who is armed then falls by 3 %.
#[test]
fn a_price_that_funding_shifts_beyond_its_number_hides_nobody() {
    let mut text = "market BTC-PERP funding_cap 50% funding_floor -50%\nmark BTC-PERP 40000000000\n".to_owned();
    for _ in 0..3 {
        text += "funding_rate BTC-PERP -50%\nwait 8h\nmark BTC-PERP 40000000000\n";
    }
    text += "\
deposit ann 1000000
fill ann BTC-PERP +0.001 @ 40000000000
wait 1s
mark BTC-PERP 40000000000
wait 1s
mark BTC-PERP 38800000000
";
    assert_eq!(found_in(&text), 1);
}

/// The funding of a market is first watched when its price is its smallest tick. After a payment that is ten thousand million
/// times that, ann is armed and pays another.
#[test]
fn funding_that_outgrows_the_price_it_was_first_watched_at_hides_nobody() {
    let mut text = "\
index ETH
asset ETH index ETH haircut 90%
market BTC-PERP tick 0.00000001 funding_cap 50% funding_floor -50%
index ETH 100
mark BTC-PERP 0.00000001
deposit eve 10 ETH
fill eve BTC-PERP +1000 @ 0.00000001
wait 1s
mark BTC-PERP 0.00000001
"
    .to_owned();
    for price in ["0.000001", "0.0001", "0.01", "1", "100", "1000"] {
        writeln!(text, "wait 10s\nmark BTC-PERP {price}").unwrap();
    }
    text += "\
funding_rate BTC-PERP 50%
wait 8h
mark BTC-PERP 1000
deposit ann 6 ETH
fill ann BTC-PERP +1 @ 1000
wait 1s
mark BTC-PERP 1000
funding_rate BTC-PERP 50%
wait 8h
mark BTC-PERP 1000
";
    assert_eq!(found_in(&text), 1);
}

/// An engine in which a scenario was played, with the time of its last command.
fn played(text: &str) -> (Engine, Time) {
    let report = scenario::run(text).unwrap_or_else(|e| panic!("{e:?}"));
    let mut engine = Engine::new();
    for (at, command) in &report.commands {
        let _ = engine.apply(*at, command); // as in the scenario, which says what it expects
        engine.end_batch();
    }
    (engine, report.commands.last().unwrap().0)
}

/// Brings a price of the first index.
fn quote(engine: &mut Engine, time: Time, price: Price) {
    let index = engine.state().markets[0].params.index;
    quote_all(engine, time, &[index], price);
}

/// Brings one price of several indices.
fn quote_all(engine: &mut Engine, time: Time, indices: &[IndexId], price: Price) {
    let quotes = indices.iter().map(|index| Quote { index: *index, source: 0, price, time }).collect();
    engine.apply(time, &Command::SetPrices { quotes }).unwrap();
    assert_eq!(missed(engine.state(), engine.events()), None, "at {price}");
    engine.end_batch();
}

#[test]
fn a_price_that_jumps_over_the_same_triggers_leaves_no_garbage() {
    const EACH: u64 = 50;
    const JUMPS: u32 = 10_000;
    let mut text =
        "index ETH\nasset ETH index ETH haircut 90%\nmarket BTC-PERP\nindex ETH 100\nindex BTC 60000\n".to_owned();
    for n in 0..EACH {
        writeln!(text, "deposit one{n} 40.{n:02}\nfill one{n} BTC-PERP +0.01 @ 60000").unwrap();
        writeln!(text, "deposit both{n} 1.{n:02} ETH\nfill both{n} BTC-PERP -0.01 @ 60000").unwrap();
    }
    let (mut engine, mut time) = played(&text);
    // Up and down by 5 %: all whose triggers are one-sided are armed next to it once, those with a window each time.
    let ends = [Price::whole(57_000), Price::whole(60_000)];
    let mut jump = |engine: &mut Engine, n: u32| {
        time = time.plus_ns(Time::SECOND_NS);
        quote(engine, time, ends[usize::from(n % 2 == 1)]);
        let work = engine.work();
        assert!(work.stored <= 2 * work.triggers + 4_096, "{work:?}");
    };
    (0..4).for_each(|n| jump(&mut engine, n));
    let before = engine.work();
    (0..JUMPS).for_each(|n| jump(&mut engine, n));
    let work = engine.work();
    assert_eq!((work.below, work.triggers), (before.below, before.triggers));
    let (evaluated, fired) = (work.evaluated - before.evaluated, work.fired - before.fired);
    println!(
        "{JUMPS} jumps over the triggers of {} accounts: evaluated {evaluated}, fired {fired}; {work:?}",
        2 * EACH
    );
    // A window has six triggers here: price, funding and ETH, both ways.
    assert!(evaluated <= u64::from(JUMPS) * (EACH + 1) && fired <= 7 * evaluated, "{evaluated} {fired}");
}

#[test]
fn accounts_that_hug_the_line_are_evaluated_a_few_times_each() {
    const ACCOUNTS: u64 = 2_000;
    let mut text = "market BTC-PERP\nindex BTC 60000\n".to_owned();
    for n in 0..ACCOUNTS {
        // The smallest size: 60 of notional, initial margin 0.60, maintenance 0.30. Lines from 59,690 down to 59,670.
        writeln!(text, "deposit a{n} 0.61{n:04}\nfill a{n} BTC-PERP +0.001 @ 60000").unwrap();
    }
    let (mut engine, mut time) = played(&text);
    let before = engine.work();
    let mut steps = 0;
    for cents in (5_966_000..=5_970_000).rev().step_by(20) {
        time = time.plus_ns(Time::SECOND_NS);
        quote(&mut engine, time, Price::new(cents * 1_000_000).unwrap());
        steps += 1;
    }
    let work = engine.work();
    let evaluated = work.evaluated - before.evaluated;
    println!("{ACCOUNTS} accounts within 20 of their line, {steps} prices: evaluated {evaluated}; {work:?}");
    assert_eq!(work.below - before.below, ACCOUNTS);
    assert!(evaluated <= 3 * ACCOUNTS, "{evaluated}");
}

#[test]
fn all_accounts_that_fall_on_one_tick_are_found_in_it_and_evaluated_once() {
    const ACCOUNTS: u64 = 3_000;
    let mut text = "market BTC-PERP\nindex BTC 60000\n".to_owned();
    for n in 0..ACCOUNTS {
        // Lines from 59,690 down to 59,390.
        writeln!(text, "deposit a{n} 0.{}\nfill a{n} BTC-PERP +0.001 @ 60000", 6_100 + n).unwrap();
    }
    let (mut engine, mut time) = played(&text);
    let mut bring = |engine: &mut Engine, price| {
        time = time.plus_ns(Time::SECOND_NS);
        quote(engine, time, Price::whole(price));
        engine.work()
    };
    let before = bring(&mut engine, 59_999);
    let work = bring(&mut engine, 59_000);
    let evaluated = work.evaluated - before.evaluated;
    println!("{ACCOUNTS} accounts fall on one tick: evaluated {evaluated}; {work:?}");
    assert_eq!((work.below - before.below, work.looks - before.looks), (ACCOUNTS, 1));
    assert!(evaluated <= ACCOUNTS + 1, "each once, and the house: {evaluated}");
}

#[test]
fn a_subaccount_in_every_market_it_may_be_in_is_asked_when_it_may_have_fallen() {
    const MARKETS: usize = engine::limits::EXPOSURES_MAX;
    let mut text = String::new();
    for n in 0..MARKETS {
        writeln!(text, "market M{n}-PERP\nindex M{n} 100").unwrap();
    }
    // Equity of 1,000 on 12,800 of notional, 64 of it maintenance: all prices may fall by 7.35 %, or one of them by all there is.
    text += "deposit ann 1000\n";
    (0..MARKETS).for_each(|n| writeln!(text, "fill ann M{n}-PERP +1 @ 100").unwrap());
    let (mut engine, mut time) = played(&text);
    let indices: Vec<IndexId> = engine.state().markets.iter().map(|m| m.params.index).collect();
    let mut bring = |engine: &mut Engine, of: &[IndexId], cents: i64| {
        time = time.plus_ns(Time::SECOND_NS);
        quote_all(engine, time, of, Price::new(cents * 1_000_000).unwrap());
        engine.work()
    };
    let before = bring(&mut engine, &indices, 10_000);
    // One after the other they fall by 7 % in seven ticks, and come back.
    for index in &indices {
        (9_300..10_000).rev().step_by(100).for_each(|cents| _ = bring(&mut engine, &[*index], cents));
        bring(&mut engine, &[*index], 10_000);
    }
    let calm = bring(&mut engine, &indices, 10_000);
    let asked = calm.evaluated - before.evaluated;
    let one = bring(&mut engine, &indices[..1], 9_200);
    assert_eq!((one.evaluated - calm.evaluated, one.below), (1, before.below), "8 % of one market: asked, and well");
    bring(&mut engine, &indices, 10_000);
    assert_eq!(bring(&mut engine, &indices, 9_266).below, before.below, "7.34 %");
    let fallen = bring(&mut engine, &indices, 9_260);
    println!("{MARKETS} markets: {} looks, evaluated {asked}, triggers {}", calm.looks - before.looks, calm.triggers);
    assert_eq!((asked, fallen.below - before.below), (0, 1));
}
