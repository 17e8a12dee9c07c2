//! Every rulebook that comes with the project reads, on every day of its versions, and each clause stands in its SOURCE.md.

use crate::support::codes;
use plimsoll_rulebooks::{Shipped, Source};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_version_of_every_rulebook_is_good() {
    let mut versions = 0;
    for shipped in Shipped::all() {
        let read = shipped.read().unwrap_or_else(|problem| panic!("{problem}"));
        let file = shipped.file();
        let source = Source { file: &file, text: shipped.text };
        for version in &read.versions {
            let day = version.as_ref().from.as_ref().0.as_str();
            let resolved = read.on(&source, Some(day)).unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(resolved.from, day);
            assert!(!resolved.markets.is_empty(), "{} has no market on {day}", shipped.venue);
            versions += 1;
        }
    }
    assert!(versions >= 6, "only {versions} versions were found");
}

#[test]
fn every_clause_stands_in_the_sources_with_its_grade_and_none_in_vain() {
    const BACKGROUND: &str = "Background, behind no value of the rulebook and no case: ";
    let (mut own, mut graded) = (0, 0);
    for shipped in Shipped::all() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebooks").join(shipped.venue);
        let path = folder.join("SOURCE.md");
        let sources = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let mut stated = BTreeSet::new();
        for line in sources.lines().filter(|line| line.get(2..10).is_some_and(|code| codes(code).contains(code))) {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [clause, says, from, evidence] = cells[..] else { panic!("{}: {line}", path.display()) };
            assert!(
                !says.is_empty() && !from.is_empty() && codes(clause).contains(clause),
                "{}: {line}",
                path.display()
            );
            let grades: Vec<&str> = evidence.split(' ').collect();
            assert!(
                grades.iter().all(|grade| ["[V]", "[S]", "[T]", "[R]"].contains(grade)),
                "{}: {line}",
                path.display()
            );
            assert!(stated.insert(clause), "{}: {clause} stands twice", path.display());
            graded += 1;
        }
        let used = codes(shipped.text);
        assert!(!used.is_empty(), "{} names no clause", shipped.venue);
        let missing: Vec<_> = used.difference(&stated).collect();
        assert!(missing.is_empty(), "{}: {missing:?} do not stand in SOURCE.md", shipped.venue);
        let mut vectors = String::new();
        for entry in std::fs::read_dir(folder.join("vectors")).into_iter().flatten() {
            vectors += &std::fs::read_to_string(entry.expect("a file").path()).expect("text");
        }
        let idle: BTreeSet<_> =
            stated.iter().filter(|c| !used.contains(*c) && !codes(&vectors).contains(*c)).copied().collect();
        let background = sources.lines().find_map(|line| line.strip_prefix(BACKGROUND)).unwrap_or_default();
        assert_eq!(
            codes(background),
            idle,
            "{}: what stands in SOURCE.md and is not used is background",
            shipped.venue
        );
        own += shipped.text.lines().filter(|line| line.starts_with("clauses = {")).count();
    }
    assert!(graded >= 150 && own >= 30, "{graded} clauses, {own} sections with clauses of single values");
}
