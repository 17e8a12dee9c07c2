//! `rulebooks/<venue>/SOURCE.md`: what a venue's rules say, each under a code that vectors and parameters name.
//!
//! The table is `| clause | what it says | from | evidence |`. A clause is the venue's prefix, a topic and a number: `BN-LP-01`.

use crate::vectors::{all, root, venues};
use std::collections::BTreeMap;
use std::fs;

/// Venue folders and the prefix of their clauses.
pub const PREFIXES: [(&str, &str); 15] = [
    ("binance-coinm", "BC"),
    ("binance-usdm", "BN"),
    ("bitmex", "BM"),
    ("bybit-inverse", "BI"),
    ("bybit-linear", "BY"),
    ("deri", "DE"),
    ("deribit", "DB"),
    ("derive", "DV"),
    ("drift", "DR"),
    ("dydx", "DX"),
    ("hyperliquid", "HL"),
    ("okx", "OK"),
    ("paradex", "PX"),
    ("plimsoll", "PL"),
    ("vega", "VG"),
];

const TOPICS: [&str; 15] = ["MK", "IX", "MM", "IM", "TI", "LP", "BP", "FU", "CO", "LQ", "IF", "AD", "FE", "OD", "AC"];

/// Clauses of a venue with what each says, in order; empty where it has no file.
pub fn of(venue: &str) -> BTreeMap<String, String> {
    let path = root().join("rulebooks").join(venue).join("SOURCE.md");
    let text = fs::read_to_string(path).unwrap_or_default();
    let rows =
        text.lines().filter_map(|line| line.strip_prefix("| ")).map(|line| line.split(" | ").collect::<Vec<_>>());
    let mut clauses = BTreeMap::new();
    for row in rows.filter(|row| row[0].len() == 8 && row[0].as_bytes()[2] == b'-') {
        let [clause, says, from, evidence] = row[..] else { panic!("{venue}: {} has not four columns", row[0]) };
        let tags = evidence.trim_end_matches(" |").split(' ').all(|tag| ["[V]", "[S]", "[T]", "[R]"].contains(&tag));
        assert!(tags && from.len() > 3 && says.len() > 9, "{venue}: {clause} lacks something");
        assert_eq!(clauses.insert(clause.to_owned(), says.to_owned()), None, "{clause} stands twice");
    }
    clauses
}

#[test]
fn every_vector_names_a_clause_of_its_venue() {
    for one in all() {
        let found = of(&one.venue).contains_key(&one.vector.clause);
        assert!(found, "{}: {} does not stand in {}/SOURCE.md", one.vector.id, one.vector.clause, one.venue);
    }
}

#[test]
fn clauses_have_the_prefix_of_their_venue_and_a_known_topic() {
    for (venue, _) in venues() {
        let prefix = PREFIXES.iter().find(|row| row.0 == venue).unwrap_or_else(|| panic!("{venue} has no prefix")).1;
        let clauses = of(&venue);
        assert!(!clauses.is_empty(), "{venue} has vectors and no SOURCE.md");
        for clause in clauses.keys() {
            let parts: Vec<&str> = clause.split('-').collect();
            let good = parts[0] == prefix && TOPICS.contains(&parts[1]) && parts[2].parse::<u8>().is_ok();
            assert!(good, "{venue}: {clause} is no clause of it");
        }
    }
}
