//! A settlement that is too large for one command goes on at the next, and nobody is better or worse off for coming later.

use engine::limits::SETTLEMENTS_PER_COMMAND;
use engine::{Command, Event};
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
