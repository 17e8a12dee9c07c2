//! Whom the engine finds by its triggers are those whom asking everyone finds, after every command: crowds of traders in
//! random work, with jumps, crashes, funding, interest, lost quorums, new parameters, deposits and trades in between.
//!
//! The same over a replay of 2025-10-10, after each of its prices.
//!
//! `PLIMSOLL_INDEX_TICKS` says how many accounts with a position the random work asks in all (6,000,000),
//! `PLIMSOLL_INDEX_SEED` begins elsewhere, `PLIMSOLL_INDEX_ACCOUNTS` is the number of accounts of the replay (10,000).

use engine::{Command, Engine, Event};
use plimsoll_sim::brute::missed;
use plimsoll_sim::random::Random;
use plimsoll_sim::replay::{self, Config, Figures, Window, named};

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
