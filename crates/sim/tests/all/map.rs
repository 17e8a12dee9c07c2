//! The liquidation map, which asks the triggers, is the one of asking every account at every step: crowds in random work, and a
//! population over 2025-10-10. And what it says happens when the prices come.

use engine::{Engine, LiquidationMap, MarketId, Moved, Shock};
use plimsoll_sim::brute::{falls, falls_of};
use plimsoll_sim::random::Random;
use plimsoll_sim::replay::{self, Config, Figures, Window, named};
use units::Rate;

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
        let (mut random, mut engine) = (Random::crowd(seed, [20, 60, 200][seed as usize % 3]), Engine::new());
        for n in 0..random.setup() as u64 + 4_000 {
            let (at, command) = random.next(&engine);
            let _ = engine.apply(at, &command); // refused ones are part of the work
            engine.end_batch();
            if n % 397 == 0 {
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
