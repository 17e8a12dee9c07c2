//! `docs/conformance.md`: what is proved against numbers that others computed, and what is not. Written by this test.

use crate::options::reference;
use crate::portfolio::derive;
use crate::vectors::{Checked, Status, all, root};
use crate::{clauses, manifest};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const HEAD: &str = "\
# Conformance

Which numbers that venues and others computed are met, by venue and clause: generated from `rulebooks/*/vectors` and `rulebooks/manifest.json`.
*Exact* means equal at every digit that the source gives, rounded as its vector says; clauses are explained in `rulebooks/<venue>/SOURCE.md`.
Rewrite it with `UPDATE_GOLDEN=1 cargo test -p plimsoll-rules --test all conformance`; the test compares it.
";

const BESIDE: &str = "\
Beside the given cases, forms that count in units of their own are compared with integer arithmetic in those units over random figures:
`crates/rules/tests/all/integers.rs`.
";

#[test]
fn the_conformance_page_is_what_the_vectors_say() {
    let path = root().join("docs/conformance.md");
    let page = page(&all());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let hint = "UPDATE_GOLDEN=1 cargo test -p plimsoll-rules --test all conformance";
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "docs/conformance.md is stale; hint: {hint}");
}

fn page(vectors: &[Checked]) -> String {
    let mut page = HEAD.to_owned();
    totals(&mut page, vectors);
    by_clause(&mut page, vectors);
    differences(&mut page, vectors);
    options(&mut page);
    portfolio(&mut page);
    omitted(&mut page);
    documents(&mut page, vectors);
    excepted(&mut page);
    page
}

/// A section and the first two lines of its table.
fn head(page: &mut String, title: &str, columns: &[&str]) {
    let rule = vec!["---"; columns.len()].join(" | ");
    write!(page, "\n## {title}\n\n| {} |\n| {rule} |\n", columns.join(" | ")).unwrap();
}

/// Exact, within tolerance, differs, out of range.
fn counts<'a>(vectors: impl Iterator<Item = &'a Checked>) -> [usize; 4] {
    let mut counts = [0; 4];
    for one in vectors {
        counts[one.status as usize] += 1;
    }
    counts
}

fn cells(counts: [usize; 4]) -> String {
    let cells: Vec<String> = counts.iter().map(|n| if *n == 0 { "–".to_owned() } else { n.to_string() }).collect();
    cells.join(" | ")
}

fn excepted_by_venue() -> BTreeMap<String, Vec<(String, String)>> {
    let mut by_venue: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in manifest::read().cases {
        if let Some(why) = row.excepted {
            by_venue.entry(row.venue).or_default().push((row.id, why));
        }
    }
    by_venue
}

fn totals(page: &mut String, vectors: &[Checked]) {
    let mut venues: BTreeMap<&str, Vec<&Checked>> = BTreeMap::new();
    for one in vectors {
        venues.entry(&one.venue).or_default().push(one);
    }
    let excepted = excepted_by_venue();
    for venue in excepted.keys() {
        venues.entry(venue).or_default();
    }
    let rows = venues.iter().map(|(venue, of)| {
        let out = excepted.get(*venue).map_or(0, Vec::len);
        (venue.to_string(), of.iter().copied(), out)
    });
    head(page, "By venue", &["venue", "exact", "within tolerance", "differs", "out of range", "excepted"]);
    for (venue, of, out) in rows {
        let out = if out == 0 { "–".to_owned() } else { out.to_string() };
        writeln!(page, "| {venue} | {} | {out} |", cells(counts(of))).unwrap();
    }
    let all: usize = excepted.values().map(Vec::len).sum();
    writeln!(page, "| all | {} | {all} |", cells(counts(vectors.iter()))).unwrap();
    let own = vectors.iter().filter(|one| one.vector.own).count();
    let (given, carried) = (manifest::read().cases.len(), vectors.len() - own);
    let figures: usize = vectors.iter().map(|one| one.vector.expected.len()).sum();
    let other: usize = vectors.iter().map(|one| one.differences.len()).sum();
    writeln!(page, "\nOf {given} given cases {carried} are carried and {all} excepted; our own vectors: {own}.")
        .unwrap();
    writeln!(page, "Of {figures} figures {} are exact; a case counts as its worst figure.", figures - other).unwrap();
    page.push_str(BESIDE);
}

fn by_clause(page: &mut String, vectors: &[Checked]) {
    head(page, "By clause", &["clause", "what it says", "exact", "within tolerance", "differs", "out of range"]);
    for (venue, _) in clauses::PREFIXES {
        for (clause, says) in clauses::of(venue) {
            let of = counts(vectors.iter().filter(|one| one.vector.clause == clause));
            if of != [0; 4] {
                writeln!(page, "| {clause} | {says} | {} |", cells(of)).unwrap();
            }
        }
    }
}

fn differences(page: &mut String, vectors: &[Checked]) {
    head(page, "Not exact", &["case", "figure", "theirs", "ours", "why"]);
    for one in vectors {
        assert_eq!(one.status != Status::Exact, !one.differences.is_empty(), "{}", one.vector.id);
        for difference in &one.differences {
            let (id, clause) = (&one.vector.id, &one.vector.clause);
            let (key, theirs, ours, why) = (&difference.key, &difference.theirs, &difference.ours, &difference.why);
            writeln!(page, "| {id} ({clause}) | {key} | {theirs} | {ours} | {why} |").unwrap();
        }
    }
}

const OPTIONS: &str = "
Options are doubles, so that no price is met in every digit: of `rulebooks/plimsoll/vectors/options.json`, with 50 digits, this is the
worst error of ours. Prices and greeks: relative, and where a price is below a millionth of the strike in parts of that millionth
(gamma × spot, vega / strike likewise); deltas: absolute. Made by the script beside the file; the given ones are `option_values.json`.
";

fn options(page: &mut String) {
    head(page, "Options", &["compared", "options", "price", "delta", "gamma, vega, funding"]);
    for cells in reference::table() {
        writeln!(page, "| {} |", cells.join(" | ")).unwrap();
    }
    page.push_str(OPTIONS);
}

const PORTFOLIO: &str = "
Every scenario of every book is a figure; differences are in quote, and relative to the figure where it is above one quote. Deribit's replies,
single books of Derive's own tests and Paradex's worked examples are in the tables above. Formulas: [portfolio.md](portfolio.md).
";

fn portfolio(page: &mut String) {
    let columns = ["compared", "books", "allowed", "largest difference", "largest relative difference"];
    head(page, "Portfolio margin", &columns);
    writeln!(page, "| {} |", derive::row().join(" | ")).unwrap();
    page.push_str(PORTFOLIO);
}

fn omitted(page: &mut String) {
    page.push_str(
        "\n## Figures of carried cases that are not asserted\n\n| case | figure | why |\n| --- | --- | --- |\n",
    );
    for row in manifest::read().cases {
        for (figure, why) in row.omitted {
            writeln!(page, "| {} | {figure} | {why} |", row.id).unwrap();
        }
    }
}

fn documents(page: &mut String, vectors: &[Checked]) {
    page.push_str(
        "\n## Documents that are wrong\n\n| venue | document | prints | what holds |\n| --- | --- | --- | --- |\n",
    );
    for one in vectors {
        let Some(document) = &one.vector.document else { continue };
        for (key, prints) in &document.prints {
            let (venue, source, id, why) = (&one.venue, &one.vector.source, &one.vector.id, &document.why);
            writeln!(page, "| {venue} | {id}: {source} | {key} {prints} | {why} |").unwrap();
        }
    }
    for one in manifest::read().documents {
        writeln!(page, "| {} | {} | {} | {} |", one.venue, one.document, one.prints, one.ours).unwrap();
    }
}

fn excepted(page: &mut String) {
    head(page, "Excepted", &["venue", "case", "why"]);
    for (venue, rows) in excepted_by_venue() {
        for (id, why) in rows {
            writeln!(page, "| {venue} | {id} | {why} |").unwrap();
        }
    }
}
