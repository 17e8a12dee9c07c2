//! Many accounts under one rulebook at one set of prices: markets and prices are looked up once, rows are given as text.
//!
//! It knows no files. What is wrong with a row is said by column, so that a reader of files can say where.

use crate::book::{PriceFile, suggestion};
use crate::problem::{Checked, Problem};
use crate::resolve::{Market, Rulebook, Source};
use crate::schema::{Chosen, Mode};
use crate::values::{Leverage, one_over};
use rules::{Account, Collateral, Haircuts, Holding, MarketRules};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use units::{Money, Price, Rate, Round, Size};

/// The prices of a TOML file; a book has them, too, and the rest of it is left alone.
#[derive(Clone, Debug, Deserialize)]
pub struct PricesFile {
    #[serde(default)]
    prices: BTreeMap<String, Spanned<PriceFile>>,
}

impl PricesFile {
    /// Reads TOML.
    ///
    /// # Errors
    /// What is wrong first, with its place.
    pub fn read(source: &Source<'_>) -> Checked<Self> {
        source.parse()
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// In which column.
    pub column: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl RowFault {
    fn new(column: &'static str, what: String, hint: &str) -> Box<Self> {
        Box::new(Self { column, what, hint: hint.to_owned() })
    }
}

/// A result whose error is boxed, since it is large and rare.
pub type RowChecked<T> = Result<T, Box<RowFault>>;

/// The markets of a rulebook with the prices of now.
pub struct Desk<'a> {
    rulebook: &'a Rulebook,
    markets: Vec<Priced<'a>>,
    prices: &'a PricesFile,
}

struct Priced<'a> {
    market: &'a Market,
    rules: MarketRules,
    /// What margin is computed from, where the file says it.
    price: Option<Price>,
}

impl<'a> Desk<'a> {
    /// Joins rules and prices. A price that is missing is an error only of a row that needs it.
    ///
    /// # Errors
    /// The rulebook has no cross margin.
    pub fn new(rulebook: &'a Rulebook, prices: &'a PricesFile) -> Checked<Self> {
        if !rulebook.sections.account.modes.contains(&Mode::Cross) {
            return Err(Box::new(Problem::new(&rulebook.venue, format!("{} has no cross margin", rulebook.venue))));
        }
        let priced = |market: &'a Market| {
            let file = prices.prices.get(&market.symbol).map(Spanned::as_ref);
            let price = file.and_then(|p| p.of_margin(rulebook.sections.account.margin_price));
            let open_interest = file.and_then(|p| p.open_interest.as_ref()).map_or(Money::ZERO, |money| money.0);
            Priced { market, rules: MarketRules { open_interest, ..market.rules.clone() }, price }
        };
        Ok(Self { rulebook, markets: rulebook.markets.iter().map(priced).collect(), prices })
    }

    fn market(&self, symbol: &str) -> RowChecked<(usize, &Priced<'a>)> {
        self.markets.iter().enumerate().find(|(_, row)| row.market.symbol == symbol).ok_or_else(|| {
            let names: Vec<&str> = self.markets.iter().map(|row| row.market.symbol.as_str()).collect();
            let what = format!("{} has no market {symbol}", self.rulebook.venue);
            RowFault::new("market", what, &suggestion(symbol, &names))
        })
    }

    fn collateral(&self, asset: &str, amount: Money) -> RowChecked<Collateral<'_>> {
        let known = self.rulebook.asset(asset);
        let given = self.prices.prices.get(asset).and_then(|price| price.as_ref().index.as_ref());
        let index_price = match given {
            Some(price) => price.0,
            None if *asset == self.rulebook.sections.account.numeraire => Price::ONE,
            None => {
                let hint = format!("add to [prices]: {asset} = {{ index = \"…\" }}");
                return Err(RowFault::new("market", format!("{asset} needs an index price"), &hint));
            }
        };
        let first = known.map_or(Rate::ONE, |row| row.haircut);
        let tiers = known.map_or(&[][..], |row| &row.slices);
        Ok(Collateral { amount, index_price, haircuts: Haircuts { first, tiers } })
    }
}

/// The texts of a row.
#[derive(Clone, Copy, Debug)]
pub struct PositionRow<'a> {
    /// The market.
    pub market: &'a str,
    /// + long, − short.
    pub size: &'a str,
    /// Average price.
    pub entry_price: &'a str,
    /// Chosen leverage; empty: none.
    pub leverage: &'a str,
}

/// One cross account, filled row by row and emptied for the next.
pub struct Filling<'d> {
    desk: &'d Desk<'d>,
    amount: Money,
    assets: Vec<&'d str>,
    collateral: Vec<Collateral<'d>>,
    positions: Vec<Holding<'d>>,
}

/// The figures of an account, numeraire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFigures {
    /// Collateral and unrealised profit.
    pub equity: Money,
    /// Needed to open.
    pub initial_margin: Money,
    /// Needed to stay open.
    pub maintenance_margin: Money,
    /// Equity − maintenance margin.
    pub headroom: Money,
    /// Maintenance margin ÷ equity; none without equity.
    pub margin_ratio: Option<Rate>,
    /// Whether it is to be liquidated.
    pub is_below_line: bool,
    /// Common move of all prices down and up to the line, where asked for.
    pub moves: Option<(Option<Rate>, Option<Rate>)>,
}

impl<'d> Filling<'d> {
    /// An account with nothing in it.
    #[must_use]
    pub fn new(desk: &'d Desk<'d>) -> Self {
        let (assets, collateral, positions) = (Vec::new(), Vec::new(), Vec::new());
        Self { desk, amount: Money::ZERO, assets, collateral, positions }
    }

    /// Empties it for the next account; the amount is of the asset in which its first position settles.
    ///
    /// # Errors
    /// The text is no amount.
    pub fn begin(&mut self, amount: &str) -> RowChecked<()> {
        self.amount = number("collateral", amount)?;
        self.assets.clear();
        self.collateral.clear();
        self.positions.clear();
        Ok(())
    }

    /// Checks the collateral of a further row.
    ///
    /// # Errors
    /// It is neither empty nor that of the first row.
    pub fn check_collateral(&self, amount: &str) -> RowChecked<()> {
        if amount.is_empty() || number::<Money>("collateral", amount)? == self.amount {
            return Ok(());
        }
        let what = format!("{amount} differs from {} in the first row of the account", self.amount);
        Err(RowFault::new("collateral", what, "leave it empty after the first row of an account"))
    }

    /// Adds a position.
    ///
    /// # Errors
    /// An unknown market, a price that is missing, a text that is no number, a size off the lot, a size or leverage beyond the
    /// ladder, a market that stands there twice.
    pub fn push(&mut self, row: &PositionRow<'_>) -> RowChecked<()> {
        let desk = self.desk;
        let (number_of, priced) = desk.market(row.market)?;
        let (market, rules, venue) = (priced.market, &priced.rules, &desk.rulebook.venue);
        let size: Size = number("size", row.size)?;
        if size.is_zero() || !size.is_multiple_of(market.lot) {
            let what = format!("{size} is no multiple of {} or is zero", market.lot);
            return Err(RowFault::new("size", what, "write whole lots; leave out positions of nothing"));
        }
        let entry: Price = number("entry_price", row.entry_price)?;
        if !entry.is_positive() {
            return Err(RowFault::new("entry_price", format!("{entry} is not above zero"), "write the average price"));
        }
        let Some(price) = priced.price else {
            let hint = format!("add to [prices]: {} = {{ mark = \"…\" }}", market.symbol);
            return Err(RowFault::new("market", format!("{} has no price", market.symbol), &hint));
        };
        let range = || RowFault::new("size", "the notional is out of range".to_owned(), "split the position");
        let cost = rules.contract.value(entry, size, Round::TowardZero).ok_or_else(range)?;
        let notional = rules.contract.notional(price, size).filter(|n| n.units() <= units::limits::NOTIONAL_MAX);
        let notional = notional.ok_or_else(range)?;
        if let Some(cap) = rules.ladder.cap().filter(|cap| notional > *cap) {
            let what = format!("a notional of {notional} is beyond the last tier, which ends at {cap}");
            return Err(RowFault::new("size", what, "split the position"));
        }
        let least = rules.ladder.at(size, notional, rules.open_interest).map_or(Rate::ONE, |terms| terms.initial);
        let leverage = leverage(row.leverage, desk.rulebook.sections.initial.leverage, least, venue)?;
        for other in self.positions.iter().filter(|other| other.market == number_of) {
            let same = other.size.is_positive() == size.is_positive();
            if same || !desk.rulebook.sections.account.hedge {
                let what = format!("{} stands twice in the account", market.symbol);
                return Err(RowFault::new("market", what, "add the two rows up"));
            }
        }
        let settlement = self.settlement(&market.settlement)?;
        self.positions.push(Holding { rules, size, cost, price, leverage, settlement, market: number_of });
        Ok(())
    }

    fn settlement(&mut self, asset: &'d str) -> RowChecked<usize> {
        if let Some(at) = self.assets.iter().position(|known| *known == asset) {
            return Ok(at);
        }
        let amount = if self.assets.is_empty() { self.amount } else { Money::ZERO };
        self.collateral.push(self.desk.collateral(asset, amount)?);
        self.assets.push(asset);
        Ok(self.assets.len() - 1)
    }

    /// Its figures; with the common moves to the line where asked for.
    ///
    /// # Errors
    /// A figure is out of range.
    pub fn figures(&self, with_moves: bool) -> RowChecked<AccountFigures> {
        let rules = self.desk.rulebook.account;
        let account = Account { rules, collateral: &self.collateral, positions: &self.positions };
        let range = || RowFault::new("account", "figures are out of range".to_owned(), "split the account");
        let terms = account.terms().ok_or_else(range)?;
        Ok(AccountFigures {
            equity: terms.equity,
            initial_margin: terms.initial,
            maintenance_margin: terms.maintenance,
            headroom: terms.headroom(),
            margin_ratio: terms.ratio().and_then(|ratio| i64::try_from(ratio).ok()).and_then(Rate::new),
            is_below_line: rules.line.is_below(terms.headroom()),
            moves: with_moves.then(|| account.common_moves(&terms)),
        })
    }
}

fn number<T: std::str::FromStr<Err = units::ParseError>>(column: &'static str, text: &str) -> RowChecked<T> {
    text.parse().map_err(|why| RowFault::new(column, format!("{text:?}: {why}"), "write a decimal such as 1250.5"))
}

/// 1 ÷ leverage, rounded up; zero where none is chosen.
fn leverage(text: &str, chosen: Chosen, least: Rate, venue: &str) -> RowChecked<Rate> {
    let fault = |what: String, hint: &str| Err(RowFault::new("leverage", what, hint));
    if text.is_empty() {
        return match chosen {
            Chosen::Required => fault(format!("{venue} needs a leverage"), "add a column leverage"),
            Chosen::Optional | Chosen::Never => Ok(Rate::ZERO),
        };
    }
    if chosen == Chosen::Never {
        return fault(format!("{venue} has no leverage to choose, its ladder decides"), "leave it empty");
    }
    match one_over(text) {
        None => fault(format!("{text:?} is no leverage"), "write a number of at least 1, such as 20"),
        Some(rate) if rate < least => {
            let what = format!("{text} is above the greatest of its tier, {}", Leverage::shown(least));
            fault(what, "write a lower leverage")
        }
        Some(rate) => Ok(rate),
    }
}
