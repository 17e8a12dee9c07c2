//! The simulator: whole venues with everything going wrong, and what they promise all the same.

use plimsoll_sim::simulator::{Judging, Report, run};

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Seeds that failed once.
const CORPUS: &str = include_str!("simulator_corpus.txt");

fn all(seeds: impl IntoIterator<Item = u64>, commands: u64, judging: Judging) -> Report {
    let mut report = Report::default();
    for seed in seeds {
        match run(seed, commands, judging) {
            Ok(one) => report.add(&one),
            Err(failure) => panic!("{failure}"),
        }
    }
    report
}

#[test]
fn nothing_acknowledged_is_lost_whatever_goes_wrong() {
    let seeds = from_env("PLIMSOLL_SIM_SEEDS", 200);
    let commands = from_env("PLIMSOLL_SIM_COMMANDS", 1_800);
    let first = from_env("PLIMSOLL_SIM_FIRST", 1);
    let begin = std::time::Instant::now();
    let report = all(first..first + seeds, commands, Judging::Sample);
    println!("{report}\n{:.1} s", begin.elapsed().as_secs_f64());
    // Some of what clients ask for comes too late to be taken; all that was asked of a venue is in its journal.
    assert!(report.commands >= seeds * commands * 5 / 6, "{report}");
    assert!(report.crashes > seeds && report.kills > seeds / 4 && report.dropped > seeds / 8, "{report}");
    assert!(report.again > seeds && report.rotten > seeds / 4 && report.snapshots > seeds, "{report}");
    assert!(report.no_room > 0 && report.spoiled > seeds && report.judged > 0, "{report}");
}

#[test]
fn seeds_that_failed_once_pass() {
    let lines = CORPUS.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for line in lines {
        let mut words = line.split_whitespace().map(|word| word.parse().expect("a number"));
        let (seed, commands) = (words.next().expect("a seed"), words.next().expect("commands"));
        all([seed], commands, Judging::Always);
    }
}

#[test]
fn the_same_seed_does_the_same() {
    for seed in 3..6 {
        assert_eq!(run(seed, 300, Judging::Never).unwrap(), run(seed, 300, Judging::Never).unwrap());
    }
}
