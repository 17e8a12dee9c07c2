//! What is too large for one command goes on at the next, and nobody is better or worse off for coming later.

use engine::limits::{DEADLINES_PER_COMMAND, REALISATIONS_PER_COMMAND, SETTLEMENTS_PER_COMMAND};
use engine::{CancelReason, Cause, Command, Event};
use plimsoll_sim::referee::Referee;
use plimsoll_sim::scenario;
use std::fmt::Write;

#[test]
fn a_settlement_goes_on_over_several_commands() {
    let many = SETTLEMENTS_PER_COMMAND + 10;
    let mut text =
        String::from("market BTC-PERP\nindex BTC 60000\nsettle BTC-PERP at +2h reduce_only +1h window 30m\n");
    for n in 0..many {
        writeln!(text, "deposit t{n} 1000\nfill t{n} BTC-PERP 0.00{} @ 60000", 1 + n % 9).unwrap();
    }
    text += "index BTC 66000\nat +2h\ntick\nwithdraw t0 1\nwithdraw t260 1\ntick\n";
    let (mut referee, mut verdict, mut seen) = (Referee::full_every(20), Ok(()), Vec::new());
    let mut watch = |step: scenario::Step<'_>| {
        if verdict.is_ok() {
            verdict = referee.observe(step.at, step.command, step.result, step.engine.events(), step.engine);
        }
        let settles = |e: &&Event| matches!(e, Event::PositionSettled { .. });
        let count = step.engine.events().iter().filter(settles).count();
        if count > 0 {
            seen.push((count, matches!(step.command, Command::Tick)));
            verdict = verdict.clone().and_then(|()| referee.compare_all(step.engine));
        }
    };
    let report = scenario::run_observed(&text, &mut watch).unwrap();
    assert_eq!(verdict, Ok(()));
    assert_eq!(seen, [(SETTLEMENTS_PER_COMMAND, true), (11, false)]);
    assert!(report.text.contains("> market_settled  BTC-PERP  rounding 0.00"), "{}", report.text);
}

/// The same for results that become cash: the rest follows at the same price, whatever the mark is by then.
#[test]
fn a_realisation_goes_on_over_several_commands() {
    let many = REALISATIONS_PER_COMMAND + 10;
    let mut text = String::from("market BTC-PERP realise 1h\nindex BTC 60000\ndeposit house 1000000\n");
    for n in 0..many {
        writeln!(text, "deposit t{n} 1000\nfill t{n} BTC-PERP 0.00{} @ 60000", 1 + n % 9).unwrap();
    }
    let last = many - 1;
    writeln!(text, "index BTC 66000\nat +1h\ntick\n> t{last}  wallet 1000.00\nindex BTC 60000").unwrap();
    let paid = 1_000 + 6 * (1 + last % 9);
    writeln!(text, "> t{last}  wallet {paid}.00\n> t{last}  equity 1000.00").unwrap();
    let (mut referee, mut verdict, mut seen) = (Referee::full_every(4_000), Ok(()), Vec::new());
    let mut watch = |step: scenario::Step<'_>| {
        if verdict.is_ok() {
            verdict = referee.observe(step.at, step.command, step.result, step.engine.events(), step.engine);
        }
        let realises = |e: &&Event| matches!(e, Event::PositionChanged { cause: Cause::Realisation, .. });
        let count = step.engine.events().iter().filter(realises).count();
        if count > 0 {
            seen.push((count, matches!(step.command, Command::Tick)));
            verdict = verdict.clone().and_then(|()| referee.compare_all(step.engine));
        }
    };
    let report = scenario::run_observed(&text, &mut watch).unwrap();
    assert_eq!(verdict, Ok(()));
    // `house`, the other side of every fill, is one of them.
    assert_eq!(seen, [(REALISATIONS_PER_COMMAND, true), (11, false)]);
    // The text says nothing of the events, only what the last account has.
    let wrong: Vec<_> = report.mismatches.iter().filter(|m| m.expected.is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Orders that end by the clock: the limit of one command, and then the rest.
#[test]
fn expiries_go_on_over_several_commands() {
    let accounts = DEADLINES_PER_COMMAND / 8 + 1;
    let mut text = String::from("market BTC-PERP\nindex BTC 60000\n");
    for n in 0..accounts {
        writeln!(text, "deposit t{n} 1000").unwrap();
        (0..8).for_each(|_| writeln!(text, "buy t{n} BTC-PERP 0.001 @ 59000 expires +1h").unwrap());
    }
    text += "at +1h\ntick\ntick\n";
    let (mut referee, mut verdict, mut seen) = (Referee::full_every(100), Ok(()), Vec::new());
    let mut watch = |step: scenario::Step<'_>| {
        if verdict.is_ok() {
            verdict = referee.observe(step.at, step.command, step.result, step.engine.events(), step.engine);
        }
        let ends = |e: &&Event| matches!(e, Event::OrderCancelled { reason: CancelReason::Expired, .. });
        let count = step.engine.events().iter().filter(ends).count();
        if count > 0 {
            seen.push(count);
            verdict = verdict.clone().and_then(|()| referee.compare_all(step.engine));
        }
    };
    scenario::run_observed(&text, &mut watch).unwrap();
    assert_eq!(verdict, Ok(()));
    assert_eq!(seen, [DEADLINES_PER_COMMAND, 8]);
}
