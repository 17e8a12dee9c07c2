//! Every rulebook that comes with the project reads, on every day of its versions, and each clause stands in its SOURCE.md.

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
fn every_clause_stands_in_the_sources() {
    for shipped in Shipped::all() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../rulebooks/{}/SOURCE.md", shipped.venue));
        let sources = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let stated: BTreeSet<&str> =
            sources.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
        let used = shipped.text.lines().filter_map(|line| line.trim().strip_prefix("clause = \""));
        let used: BTreeSet<&str> = used.filter_map(|rest| rest.split('"').next()).collect();
        assert!(!used.is_empty(), "{} names no clause", shipped.venue);
        let missing: Vec<_> = used.difference(&stated).collect();
        assert!(missing.is_empty(), "{}: {missing:?} do not stand in SOURCE.md", shipped.venue);
    }
}
