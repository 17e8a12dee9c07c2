//! Every figure that `explain` prints is the one in the event, in every scenario of the tree.

use super::scenarios;
use plimsoll_sim::explain::{Explained, Explainer, Kind, Missing, Selection};
use plimsoll_sim::scenario;
use std::collections::BTreeMap;
use std::path::Path;

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
    assert!(counts.values().all(|(events, checks)| *events > 20 && *checks > *events), "{counts:?}");
}
