//! From the name of a rulebook and the text of a book to figures.

use plimsoll_rulebooks::{
    Book, BookFile, Figures, PositionFigures, Rulebook, RulebookFile, Shipped, Source, UnitFigures,
};
use std::collections::BTreeSet;
use units::{Money, Price, Round};

/// The shipped rules of a day, with the markets of a case on top: `market` is the text of a `[[version.market]]`, or nothing.
pub fn rules(name: &str, market: &str) -> Rulebook {
    let (venue, day) = name.split_once('@').map_or((name, None), |(venue, day)| (venue, Some(day)));
    let shipped = Shipped::all().find(|shipped| shipped.venue == venue).unwrap_or_else(|| panic!("no {venue}"));
    // The market of the case comes into a copy of the version that holds on the day.
    let text = if market.is_empty() { shipped.text.to_owned() } else { with_market(shipped.text, day, market) };
    let source = Source { file: venue, text: &text };
    let read = RulebookFile::read(&source).unwrap_or_else(|problem| panic!("{problem}"));
    let day = if market.is_empty() { day } else { None };
    read.on(&source, day).unwrap_or_else(|problem| panic!("{problem}"))
}

fn with_market(text: &str, day: Option<&str>, market: &str) -> String {
    let later = |version: &&str| day.is_none_or(|day| version.get(..10).is_some_and(|from| from <= day));
    let mut parts = text.split("\n[[version]]\nfrom = \"");
    let head = parts.next().unwrap_or("").to_owned();
    let kept = parts.collect::<Vec<_>>().into_iter().filter(later).map(|v| format!("\n[[version]]\nfrom = \"{v}"));
    let added = format!("\n[[version]]\nfrom = \"2099-01-01\"\n\n[[version.market]]\n{market}\n");
    head + &kept.collect::<String>() + &added
}

/// The figures of a book under rules.
pub fn figures(rules: &Rulebook, book: &str) -> Figures {
    let source = Source { file: "book.toml", text: book };
    let file = BookFile::read(&source).unwrap_or_else(|problem| panic!("{problem}"));
    let checked = Book::check(&file, &source, rules).unwrap_or_else(|problem| panic!("{problem}"));
    Figures::of(&checked, rules).expect("the check has ruled out figures out of range")
}

/// The figures of the first unit of a book under shipped rules.
pub fn unit(name: &str, market: &str, book: &str) -> UnitFigures {
    figures(&rules(name, market), book).units.into_iter().next().expect("a book has a unit")
}

/// The figures of the first position.
pub fn position(name: &str, market: &str, book: &str) -> PositionFigures {
    unit(name, market, book).positions.into_iter().next().expect("the book has a position")
}

/// An amount as text with some digits, the rest cut.
pub fn cut(amount: Money, decimals: u32) -> String {
    digits(amount, decimals, Round::TowardZero)
}

/// An amount as text with some digits.
pub fn digits(amount: Money, decimals: u32, round: Round) -> String {
    rules::Digits { round, decimals }.apply(amount).to_string()
}

/// A price in steps.
pub fn price(price: Option<Price>, step: &str, round: Round) -> String {
    let step = step.parse().expect("a step");
    price.and_then(|price| price.to_tick(step, round)).map_or("none".to_owned(), |price| price.to_string())
}

/// A price to the nearest step.
pub fn nearest(price: Option<Price>, step: &str) -> String {
    let step: Price = step.parse().expect("a step");
    let raised = price.and_then(|price| Price::new(price.units() + step.units() / 2));
    raised.and_then(|price| price.to_tick(step, Round::Down)).map_or("none".to_owned(), |price| price.to_string())
}

/// The codes of clauses, such as BN-MM-03, that stand in a text.
pub fn codes(text: &str) -> BTreeSet<&str> {
    let is_code = |word: &&str| {
        let parts: Vec<&str> = word.split('-').collect();
        parts.len() == 3
            && parts.iter().all(|part| part.len() == 2 && part.is_ascii())
            && parts[2].parse::<u8>().is_ok()
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
    };
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(is_code).collect()
}
