//! The clause of a rule: of the rulebook that a market's parameters were resolved from, where it carries one, else of the project's own.

use engine::Market;
use rulebooks::{Rulebook, Shipped, Source, named};
use std::collections::BTreeMap;

/// Rulebooks by the hash that markets carry.
#[derive(Default)]
pub struct Clauses {
    found: BTreeMap<[u8; 16], Option<Rulebook>>,
}

/// Which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// When an account is below its line.
    Line,
    /// Tiers and fees of a market.
    Market,
    /// The fee to close.
    ClosingFee,
    /// Funding.
    Funding,
    /// The ladder.
    Liquidation,
    /// Auto-deleveraging.
    Adl,
    /// What collateral counts.
    Collateral,
}

impl Clauses {
    /// The clause of a rule; a market or asset that the rulebook does not have is ruled as its first one is.
    pub fn of(&mut self, rule: Rule, market: &Market, asset: Option<&str>) -> Option<String> {
        let book = self.book(market.params.rulebook)?;
        let sections = &book.sections;
        Some(match rule {
            Rule::Line => sections.account.clause.0.clone(),
            Rule::Market => book.market(market.params.name.as_str()).or(book.markets.first())?.clause.clone(),
            Rule::ClosingFee => sections.closing_fee.clause.0.clone(),
            Rule::Funding => sections.funding.as_ref()?.clause.0.clone(),
            Rule::Liquidation => sections.liquidation.as_ref()?.clause.0.clone(),
            Rule::Adl => sections.adl.as_ref()?.clause.0.clone(),
            Rule::Collateral => asset.and_then(|name| book.asset(name)).or(book.assets.first())?.clause.clone(),
        })
    }

    fn book(&mut self, hash: [u8; 16]) -> Option<&Rulebook> {
        let found = self.found.entry(hash).or_insert_with(|| by_hash(hash).or_else(|| named("plimsoll").ok()));
        found.as_ref()
    }
}

/// The version of a shipped rulebook that has this hash.
fn by_hash(hash: [u8; 16]) -> Option<Rulebook> {
    if hash == [0; 16] {
        return None;
    }
    Shipped::all().find_map(|shipped| {
        let (file, text) = (shipped.file(), shipped.text);
        let read = shipped.read().ok()?;
        let days: Vec<&str> = read.days().collect();
        let on = |day: &&str| read.on(&Source { file: &file, text }, Some(day)).ok();
        days.iter().filter_map(on).find(|book| book.hash == hash)
    })
}
