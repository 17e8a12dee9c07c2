//! Every figure that `explain` prints is the one in the event, in every scenario of the tree.

use super::scenarios;
use engine::Event;
use plimsoll_sim::explain::{Explained, Explainer, Kind, Missing, Selection};
use plimsoll_sim::scenario;
use std::collections::BTreeMap;
use std::path::Path;
use units::Money;

fn explained(text: &str, selection: Selection) -> (Vec<Explained>, Result<(), Missing>) {
    let (mut explainer, mut rows) = (Explainer::new(selection), Vec::new());
    let mut observer = |step: scenario::Step<'_>| rows.extend(explainer.take(step.command, step.engine.events()));
    let report = scenario::run_observed(text, &mut observer).unwrap();
    (rows, explainer.finish(report.state_digest))
}

#[test]
fn every_figure_of_every_scenario_comes_out_again() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let (mut wrong, mut counts) = (String::new(), BTreeMap::new());
    for path in scenarios::files(&root) {
        let text = std::fs::read_to_string(&path).unwrap();
        let (rows, found) = explained(&text, Selection::default());
        assert!(matches!(found, Ok(()) | Err(Missing::Nothing)), "{}: {found:?}", path.display());
        for row in rows {
            let (events, checks) = counts.entry(row.kind).or_insert((0, 0));
            (*events, *checks) = (*events + 1, *checks + row.checks.len());
            if !row.holds() || row.checks.is_empty() || row.working.is_empty() {
                wrong += &format!("{}\n{row}\n", path.display());
            }
        }
    }
    println!("events and checks by kind: {counts:?}");
    assert!(wrong.is_empty(), "\n{wrong}");
    // Of each kind there is enough to mean something.
    assert_eq!(counts.len(), Kind::ALL.len());
    assert!(counts.values().all(|(events, checks)| *events >= 20 && *checks > *events), "{counts:?}");
}

/// What a liquidation states follows from its grounds, and these are the ones that it states.
#[test]
fn grounds_have_the_hash_that_is_stated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let (mut seen, mut unusable, mut settling, mut legs) = (0, 0, 0, 0);
    for path in scenarios::files(&root) {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut state = engine::State::default();
        let mut observer = |step: scenario::Step<'_>| {
            let events = step.engine.events();
            for (at, event) in events.iter().enumerate() {
                state.follow(step.command, event);
                let Event::LiquidationStarted { account, equity, maintenance_margin } = *event else { continue };
                let grounds = state.grounds(account);
                let stated = grounds.check(&events[at..]).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
                assert_eq!((stated.equity, stated.maintenance_margin), (equity, maintenance_margin));
                // They are text in a proof.
                let json = serde_json::to_string(&grounds).unwrap();
                assert_eq!(serde_json::from_str::<engine::Grounds<'_>>(&json).unwrap(), grounds);
                seen += 1;
                unusable += grounds.markets.iter().filter(|row| !row.usable).count();
                unusable += grounds.assets.iter().filter(|row| !row.usable).count();
                settling += grounds.markets.iter().filter(|row| row.settling).count();
                legs += usize::from(stated.positions > grounds.markets.len());
            }
        };
        scenario::run_observed(&text, &mut observer).unwrap();
        assert!(state.markets.iter().all(|row| row.params_digest == row.params.digest()), "{}", path.display());
    }
    println!("{seen} liquidations; unusable prices {unusable}, settling markets {settling}, both legs {legs}");
    assert!(seen >= 100 && unusable > 0 && legs > 0, "{seen} {unusable} {legs}");
}

/// A venue that charged a unit more than its rule says: the figure does not come out again, and the state neither.
#[test]
fn a_figure_that_is_a_unit_off_is_found() {
    let text = "market BTC-PERP taker 0.05%  maker 0.02%\nmark BTC-PERP 60000\ndeposit ann 1000\ndeposit bob 1000\n\
                sell bob BTC-PERP 0.1 @ 60000\nbuy ann BTC-PERP 0.1 @ 60000\n";
    let broken = |more: Money| {
        let (mut explainer, mut rows) = (Explainer::new(Selection::default()), Vec::new());
        let mut observer = |step: scenario::Step<'_>| {
            let off = |event: &Event| match *event {
                Event::FeeCharged { account, market, fee, asset } => {
                    Event::FeeCharged { account, market, fee: fee + more, asset }
                }
                event => event,
            };
            let events: Vec<Event> = step.engine.events().iter().map(off).collect();
            rows.extend(explainer.take(step.command, &events));
        };
        let report = scenario::run_observed(text, &mut observer).unwrap();
        (rows.iter().filter(|row| !row.holds()).count(), explainer.finish(report.state_digest))
    };
    assert_eq!(broken(Money::ZERO), (0, Ok(())));
    assert_eq!(broken(Money::UNIT), (2, Err(Missing::State)));
}

#[test]
fn what_is_not_there_is_said() {
    let text = "market BTC-PERP\ndeposit ann 1000\n";
    let ask = |selection| explained(text, selection).1.map_err(|missing| missing.to_string());
    let all = ask(Selection { event: Some(1000), ..Selection::default() }).unwrap_err();
    assert!(all.starts_with("there is no event 1000: the run has events 1 to "), "{all}");
    let kind = ask(Selection { event: Some(1), ..Selection::default() }).unwrap_err();
    assert!(kind.starts_with("event 1 is began, which is of no kind"), "{kind}");
    let nobody = ask(Selection { account: Some("nobody".to_owned()), ..Selection::default() }).unwrap_err();
    assert_eq!(nobody, "no account is called \"nobody\"");
    assert_eq!(explained(text, Selection::default()).1, Err(Missing::Nothing));
}
