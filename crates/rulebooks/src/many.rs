//! Many accounts under one rulebook at one set of prices: markets and prices are looked up once, rows are given as text.
//!
//! It knows no files. What is wrong with a row is said by column, so that a reader of files can say where.

use crate::book::{PriceFile, suggestion};
use crate::check::{self, Fault, Given, TooHigh, Value};
use crate::problem::{Checked, Problem};
use crate::resolve::{Market, Rulebook, Source};
use crate::schema::Mode;
use rules::{Account, AccountTerms, Collateral, Haircuts, Holding, MarketRules};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use toml::Spanned;
use units::{Money, Price, Rate, Size};

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

impl From<Box<Fault>> for Box<RowFault> {
    fn from(fault: Box<Fault>) -> Self {
        let column = match fault.value {
            Value::Market => "market",
            Value::Size => "size",
            Value::EntryPrice => "entry_price",
            Value::Leverage | Value::NoLeverage => "leverage",
        };
        RowFault::new(column, fault.what, fault.hint)
    }
}

/// A result whose error is boxed, since it is large and rare.
pub type RowChecked<T> = Result<T, Box<RowFault>>;

/// The markets of a rulebook with the prices of now.
pub struct Desk<'a> {
    rulebook: &'a Rulebook,
    markets: Vec<Priced<'a>>,
    by_symbol: HashMap<&'a str, usize>,
    /// The assets that markets settle in.
    assets: Vec<Valued<'a>>,
}

struct Priced<'a> {
    market: &'a Market,
    rules: MarketRules,
    /// What margin is computed from, where the file says it.
    price: Option<Price>,
    /// Which of the assets it settles in.
    asset: usize,
}

struct Valued<'a> {
    name: &'a str,
    /// Where it has a price.
    index_price: Option<Price>,
    haircuts: Haircuts<'a>,
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
        let mut assets: Vec<Valued<'a>> = Vec::new();
        let mut markets = Vec::new();
        for market in &rulebook.markets {
            let file = prices.prices.get(&market.symbol).map(Spanned::as_ref);
            let price = file.and_then(|p| p.of_margin(rulebook.sections.account.margin_price));
            let open_interest = file.and_then(|p| p.open_interest.as_ref()).map_or(Money::ZERO, |money| money.0);
            let asset = assets.iter().position(|asset| asset.name == market.settlement).unwrap_or_else(|| {
                assets.push(Valued::new(&market.settlement, rulebook, prices));
                assets.len() - 1
            });
            markets.push(Priced { market, rules: MarketRules { open_interest, ..market.rules.clone() }, price, asset });
        }
        let by_symbol = rulebook.markets.iter().enumerate().map(|(at, market)| (market.symbol.as_str(), at)).collect();
        Ok(Self { rulebook, markets, by_symbol, assets })
    }

    fn market(&self, symbol: &str) -> RowChecked<(usize, &Priced<'a>)> {
        let found = self.by_symbol.get(symbol).and_then(|at| Some((*at, self.markets.get(*at)?)));
        found.ok_or_else(|| {
            let names: Vec<&str> = self.markets.iter().map(|row| row.market.symbol.as_str()).collect();
            let what = format!("{} has no market {symbol}", self.rulebook.venue);
            RowFault::new("market", what, &suggestion(symbol, &names))
        })
    }

    fn collateral(&self, asset: usize, amount: Money) -> RowChecked<Collateral<'_>> {
        let Valued { name, index_price, haircuts } = &self.assets[asset];
        let index_price = index_price.ok_or_else(|| {
            let hint = format!("add to [prices]: {name} = {{ index = \"…\" }}");
            RowFault::new("market", format!("{name} needs an index price"), &hint)
        })?;
        Ok(Collateral { amount, index_price, haircuts: *haircuts })
    }
}

impl<'a> Valued<'a> {
    fn new(name: &'a str, rulebook: &'a Rulebook, prices: &PricesFile) -> Self {
        let given = prices.prices.get(name).and_then(|price| price.as_ref().index.as_ref()).map(|price| price.0);
        let numeraire = (name == rulebook.sections.account.numeraire).then_some(Price::ONE);
        let known = rulebook.asset(name);
        let first = known.map_or(Rate::ONE, |row| row.haircut);
        let tiers = known.map_or(&[][..], |row| &row.slices);
        Self { name, index_price: given.or(numeraire), haircuts: Haircuts { first, tiers } }
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
    /// Of the desk, one for each row of collateral.
    assets: Vec<usize>,
    collateral: Vec<Collateral<'d>>,
    positions: Vec<Holding<'d>>,
    terms: AccountTerms,
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
        Self { desk, amount: Money::ZERO, assets, collateral, positions, terms: AccountTerms::default() }
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
        let (market, rules, rulebook) = (priced.market, &priced.rules, desk.rulebook);
        let size: Size = number("size", row.size)?;
        check::size(size, market)?;
        let entry_price: Price = number("entry_price", row.entry_price)?;
        let Some(price) = priced.price else {
            let hint = format!("add to [prices]: {} = {{ mark = \"…\" }}", market.symbol);
            return Err(RowFault::new("market", format!("{} has no price", market.symbol), &hint));
        };
        let leverage = Some(row.leverage).filter(|text| !text.is_empty());
        let given = Given { rules, price, size, entry_price, leverage, too_high: TooHigh::Refused };
        let (cost, leverage) = check::position(&given, rulebook)?;
        for other in self.positions.iter().filter(|other| other.market == number_of) {
            check::legs(&market.symbol, size, other.size, rulebook)?;
        }
        let settlement = self.settlement(priced.asset)?;
        self.positions.push(Holding {
            rules,
            size,
            cost,
            price,
            leverage: leverage.rate,
            settlement,
            market: number_of,
        });
        Ok(())
    }

    fn settlement(&mut self, asset: usize) -> RowChecked<usize> {
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
    pub fn figures(&mut self, with_moves: bool) -> RowChecked<AccountFigures> {
        let rules = self.desk.rulebook.account;
        let account = Account { rules, collateral: &self.collateral, positions: &self.positions };
        let range = || RowFault::new("account", "figures are out of range".to_owned(), "split the account");
        let terms = &mut self.terms;
        account.terms_into(terms).ok_or_else(range)?;
        Ok(AccountFigures {
            equity: terms.equity,
            initial_margin: terms.initial,
            maintenance_margin: terms.maintenance,
            headroom: terms.headroom(),
            margin_ratio: terms.ratio().and_then(|ratio| i64::try_from(ratio).ok()).and_then(Rate::new),
            is_below_line: rules.line.is_below(terms.headroom()),
            moves: with_moves.then(|| account.common_moves(terms)),
        })
    }
}

fn number<T: std::str::FromStr<Err = units::ParseError>>(column: &'static str, text: &str) -> RowChecked<T> {
    text.parse().map_err(|why| RowFault::new(column, format!("{text:?}: {why}"), "write a decimal such as 1250.5"))
}
