//! The liquidation map, which asks the triggers, is the one of asking every account at every step: crowds in random work, and a
//! population over 2025-10-10. And what it says happens when the prices come.

use engine::{AccountId, Command, Engine, Event, IndexId, LiquidationMap, MarketId, Moved, Quote, Shock};
use plimsoll_sim::brute::{falls, falls_of};
use plimsoll_sim::random::Random;
use plimsoll_sim::replay::{self, Config, Figures, Window, named};
use plimsoll_sim::scenario;
use std::collections::BTreeSet;
use units::{Rate, Round, Time};

fn percent(n: i16) -> Rate {
    Rate::bps(100 * n)
}

fn every_map(engine: &Engine, shock: impl Fn(Moved) -> Shock) -> Vec<LiquidationMap> {
    let marks = (0..engine.state().markets.len()).map(|m| Moved::Mark(MarketId::at(m)));
    let all = marks.chain([Moved::All]);
    all.map(|moved| engine.liquidation_map(&shock(moved), &|_| true).unwrap()).collect()
}

/// (found, evaluated, asked by the scan)
fn compare(engine: &Engine, shock: impl Fn(Moved) -> Shock, what: &str) -> [u64; 3] {
    let mut sum = [0; 3];
    for map in every_map(engine, shock) {
        let (want, asked) = falls(engine.state(), &map);
        assert_eq!(falls_of(&map), want, "{what}: {:?}", map.moved);
        let found: usize = map.steps.iter().map(|s| s.accounts.len()).sum();
        sum = [sum[0] + found as u64, sum[1] + map.evaluated, sum[2] + asked];
    }
    sum
}

#[test]
fn maps_of_random_venues_are_those_of_a_scan() {
    let mut sum = [0; 3];
    for seed in 0..24 {
        let (mut random, mut engine) = (Random::crowd(seed, [20, 60, 200][(seed % 3) as usize]), Engine::new());
        for n in 0..random.setup() as u64 + 4_000 {
            let (at, command) = random.next(&engine);
            let _ = engine.apply(at, &command); // refused ones are part of the work
            engine.end_batch();
            if n % 53 == 0 {
                let part = compare(
                    &engine,
                    |m| Shock::new(m, percent(3), 32, 40).unwrap(),
                    &format!("seed {seed}, command {n}"),
                );
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
        }
    }
    let [found, evaluated, asked] = sum;
    println!("found {found}, evaluated {evaluated}, a scan {asked}");
    assert!(found > 1_000 && evaluated * 3 < asked, "{sum:?}");
}

#[test]
fn maps_of_a_replay_are_those_of_a_scan() {
    let figures = Figures::new(&named("2025-10-10").unwrap(), &Window::default()).unwrap();
    let config = Config { accounts: 3_000, step_ms: 60_000, ..Config::default() };
    let (mut looks, mut sum) = (0, [0; 3]);
    let mut watch = |_, _: &_, _: &_, _: &_, engine: &Engine| {
        let before = std::mem::replace(&mut looks, engine.work().looks);
        // Every 50th price: at the start, in the crash, and long after it.
        if looks > 1 && looks != before && looks % 50 == 2 {
            let at = format!("{:?}", engine.state().now);
            let part = compare(engine, |m| Shock::new(m, percent(5), 10, 20).unwrap(), &at);
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    };
    replay::run(&config, &figures, &mut watch, &mut |_| {}).unwrap();
    let [found, evaluated, asked] = sum;
    println!("found {found}, evaluated {evaluated}, a scan {asked}");
    assert!(found > 10_000 && evaluated * 5 < asked, "{sum:?}");
}

const TWO_MARKETS: &str = include_str!("../../../../scenarios/map/two_markets.txt");

fn played(text: &str) -> Engine {
    let report = scenario::run(text).unwrap_or_else(|e| panic!("{e:?}"));
    let mut engine = Engine::new();
    for (at, command) in &report.commands {
        let _ = engine.apply(*at, command); // as in the scenario
        engine.end_batch();
    }
    engine
}

/// Whose liquidation begins when both indices move to a step of a map.
fn begun(engine: &Engine, number: i32, width: Rate, indices: &[IndexId]) -> BTreeSet<AccountId> {
    let mut engine = engine.clone();
    let time = engine.state().now.plus_ns(Time::SECOND_NS);
    let rate = Rate::new(i64::from(number) * width.units()).unwrap();
    let quote = |index: &IndexId| {
        let price = engine.state().index(*index).price.scale(rate, Round::Down).unwrap();
        Quote { index: *index, source: 0, price, time }
    };
    let quotes = indices.iter().map(quote).collect();
    engine.apply(time, &Command::SetPrices { quotes }).unwrap();
    let begun = engine.events().iter().filter_map(|event| match event {
        Event::LiquidationStarted { account, .. } => Some(*account),
        _ => None,
    });
    begun.collect()
}

/// In this venue marks are indices, and whoever is below its line at a price is below it at every price beyond.
#[test]
fn what_a_map_says_happens_when_the_prices_come() {
    let engine = played(TWO_MARKETS);
    let width = percent(1);
    // ETH moves alone: nothing is collateral on its index.
    for (moved, indices, most) in
        [(Moved::All, &[IndexId(0), IndexId(1)][..], 4), (Moved::Mark(MarketId(1)), &[IndexId(1)][..], 3)]
    {
        let map = engine.liquidation_map(&Shock::new(moved, width, 60, 60).unwrap(), &|_| true).unwrap();
        let mut names = BTreeSet::new();
        for number in -60..=60 {
            let passed = |n: i32| if number < 0 { (number..0).contains(&n) } else { (1..=number).contains(&n) };
            let said = map.steps.iter().filter(|s| passed(s.number)).flat_map(|s| s.accounts.clone());
            let said: BTreeSet<AccountId> = said.collect();
            assert_eq!(said, begun(&engine, number, width, indices), "{moved:?} by {number} steps");
            names.extend(said);
        }
        assert_eq!(names.len(), most);
    }
}

/// 7 accounts are asked where 151 prices of everyone would be 1,057 questions.
#[test]
fn a_map_asks_only_who_has_a_trigger_on_the_way() {
    let engine = played(TWO_MARKETS);
    let near = engine.liquidation_map(&Shock::new(Moved::All, percent(1), 5, 5).unwrap(), &|_| true).unwrap();
    assert_eq!((near.steps.len(), near.candidates, near.evaluated), (0, 0, 0), "nobody's line is within 5 %");
    let far = engine.liquidation_map(&Shock::new(Moved::All, percent(1), 50, 100).unwrap(), &|_| true).unwrap();
    assert!(far.candidates == 5 && far.evaluated < 60, "{far:?}");
}

#[test]
fn a_shock_has_limits() {
    let of = |step, down, up| Shock::new(Moved::All, step, down, up).is_some();
    assert!(of(percent(1), 99, 1_000) && of(Rate::bps(1), 1_000, 1_000) && of(percent(50), 1, 20));
    assert!(!of(percent(1), 100, 0) && !of(percent(1), 0, 1_001) && !of(percent(50), 2, 0) && !of(percent(50), 1, 21));
    assert!(!of(Rate::ZERO, 1, 1) && !of(-percent(1), 1, 1));
    let no_market = Shock::new(Moved::Mark(MarketId(9)), percent(1), 1, 1).unwrap();
    assert!(played(TWO_MARKETS).liquidation_map(&no_market, &|_| true).is_err());
}

/// Of a venue after each command of every scenario, and of the engine that goes on from its snapshot, which nobody has looked at.
#[test]
fn maps_of_every_scenario_are_those_of_a_scan() {
    let shock = |moved| Shock::new(moved, percent(7), 10, 14).unwrap();
    let (mut sum, mut restored) = ([0; 3], 0);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    for path in crate::scenarios::files(&folder) {
        let (name, text) = (path.display(), std::fs::read_to_string(&path).unwrap());
        let mut last = None;
        let mut watch = |step: scenario::Step<'_>| {
            let part = compare(step.engine, shock, &format!("{name} after {:?}", step.command));
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            last = Some(step.engine.clone());
        };
        scenario::run_observed(&text, &mut watch).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let mut engine: Engine = last.unwrap();
        engine.end_batch();
        let resumed = Engine::restore(&engine.snapshot().unwrap()).unwrap();
        restored += compare(&resumed, shock, &format!("{name} from its snapshot"))[0];
    }
    println!("{sum:?}, {restored} restored");
    assert!(sum[0] > 1_000 && restored > 50, "{sum:?} {restored}");
}
