//! docs/rulebooks.md says what is true: its made-up venue reads, gives the figures it prints, and its mistakes are told as printed.

use crate::support::{codes, figures};
use plimsoll_rulebooks::{Book, BookFile, Figures, Problem, RulebookFile, Source};
use std::path::Path;

/// A fenced block: what stands behind the fence, and its text.
struct Block {
    kind: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rulebooks.md");
    let page = std::fs::read_to_string(&path).expect("the page is part of the project");
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some(Block { kind: kind.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text = std::mem::take(&mut block.text) + line + "\n",
            (None, None) => {}
        }
    }
    blocks
}

fn named<'a>(blocks: &'a [Block], first_line: &str) -> &'a str {
    let found = blocks.iter().find(|block| block.text.lines().next() == Some(first_line));
    &found.unwrap_or_else(|| panic!("docs/rulebooks.md has no block that begins with {first_line}")).text
}

const RULEBOOK: &str = "# rulebooks/harbour/rulebook.toml";
const BOOK: &str = "# book.toml";

/// The figures of the page's book under the page's rulebook, or what is wrong with either.
fn run(rulebook: &str, book: &str) -> Result<Figures, Box<Problem>> {
    let source = Source { file: "rulebooks/harbour/rulebook.toml", text: rulebook };
    let rules = RulebookFile::read(&source)?.on(&source, None)?;
    let source = Source { file: "book.toml", text: book };
    let file = BookFile::read(&source)?;
    Book::check(&file, &source, &rules)?;
    Ok(figures(&rules, book))
}

fn report(figures: &Figures) -> String {
    let unit = &figures.units[0];
    let row = &unit.positions[0];
    let price = row.liquidation_price_below.map_or("none".to_owned(), |price| price.to_string());
    format!(
        "equity {}\ninitial_margin {}\nmaintenance_margin {}\nheadroom {}\nfree_collateral {}\nliquidation_price {price}\n",
        unit.equity, unit.initial_margin, unit.maintenance_margin, unit.headroom, unit.free_collateral
    )
}

#[test]
fn the_made_up_venue_gives_the_figures_that_the_page_prints() {
    let blocks = blocks();
    let found = run(named(&blocks, RULEBOOK), named(&blocks, BOOK)).unwrap_or_else(|problem| panic!("{problem}"));
    let told = report(&found);
    let printed = blocks.iter().any(|block| block.text == told);
    assert!(printed, "docs/rulebooks.md does not print\n{told}");
}

#[test]
fn every_clause_of_the_made_up_venue_stands_in_its_sources() {
    let blocks = blocks();
    let sources = named(&blocks, "# Sources of `harbour`");
    let clauses = codes(named(&blocks, RULEBOOK));
    assert!(clauses.len() >= 7, "only {clauses:?}");
    for clause in clauses {
        assert!(sources.contains(&format!("| {clause} |")), "{clause}");
    }
}

/// Each `diff` block is a mistake in one of the two files; the block behind it is what is said.
#[test]
fn mistakes_are_told_as_the_page_prints_them() {
    let blocks = blocks();
    let (rulebook, book) = (named(&blocks, RULEBOOK), named(&blocks, BOOK));
    let (mut mistakes, mut wrong) = (0, String::new());
    for pair in blocks.windows(2) {
        let [change, told] = pair else { continue };
        if change.kind != "diff" {
            continue;
        }
        let side =
            |mark| change.text.lines().filter_map(move |line| line.strip_prefix(mark)).collect::<Vec<_>>().join("\n");
        let (old, new) = (side("-"), side("+"));
        assert!(rulebook.contains(&old) || book.contains(&old), "neither file has\n{old}");
        let found = run(&rulebook.replace(&old, &new), &book.replace(&old, &new));
        let problem = found.err().unwrap_or_else(|| panic!("this is no mistake:\n{}", change.text));
        if format!("{problem}\n") != told.text {
            wrong += &format!("```diff\n{}```\n\n```text\n{problem}\n```\n\n", change.text);
        }
        mistakes += 1;
    }
    assert!(wrong.is_empty(), "docs/rulebooks.md prints something else than\n\n{wrong}");
    assert!(mistakes >= 5, "only {mistakes} mistakes are shown");
}
