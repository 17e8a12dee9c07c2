//! A book: one account's collateral, positions and prices, as a file, and the same checked against a rulebook.

use crate::check::{self, Fault, Given, TooHigh, Value};
use crate::problem::{Checked, Problem};
use crate::resolve::{Rulebook, Source};
use crate::schema::{MarginPrice, MarketClauses, Mode};
use crate::values::{MoneyText, PriceText, SizeText};
use rules::{Account, Collateral, Haircuts, Holding, MarketRules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Spanned;
use units::{Money, Price, Rate, Round, Size};

/// A book of positions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookFile {
    /// Venue, or venue@day; the command line may say another.
    #[schemars(with = "Option<String>")]
    pub rulebook: Option<Spanned<String>>,
    /// How margin is kept.
    #[schemars(with = "AccountFile")]
    pub account: Spanned<AccountFile>,
    /// What is in the wallets.
    #[serde(default)]
    #[schemars(with = "Vec<CollateralFile>")]
    pub collateral: Vec<Spanned<CollateralFile>>,
    /// What is held.
    #[serde(default, rename = "position")]
    #[schemars(with = "Vec<PositionFile>")]
    pub positions: Vec<Spanned<PositionFile>>,
    /// Prices by market, and by asset where its index is not 1.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PriceFile>")]
    pub prices: BTreeMap<String, Spanned<PriceFile>>,
}

/// How margin is kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an account such as { mode = \"cross\" }")]
pub struct AccountFile {
    /// cross or isolated.
    #[schemars(with = "Mode")]
    pub mode: Spanned<String>,
}

/// What is in a wallet.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "collateral: asset, amount")]
pub struct CollateralFile {
    /// The asset.
    pub asset: String,
    /// How much; − is a debt.
    pub amount: MoneyText,
}

/// What is held.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a position: market, size, entry_price")]
pub struct PositionFile {
    /// The market.
    #[schemars(with = "String")]
    pub market: Spanned<String>,
    /// + long, − short.
    #[schemars(with = "SizeText")]
    pub size: Spanned<SizeText>,
    /// Average price at which it was opened.
    pub entry_price: PriceText,
    /// Where the rulebook needs it: `"20"`.
    #[schemars(with = "Option<String>")]
    pub leverage: Option<Spanned<String>>,
    /// Isolated: what stands behind it. Left out: its initial margin at entry.
    #[schemars(with = "Option<MoneyText>")]
    pub margin: Option<Spanned<MoneyText>>,
}

/// Prices of a market or an asset.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "prices such as { mark = \"60500\" }")]
pub struct PriceFile {
    /// Mark of a market.
    pub mark: Option<PriceText>,
    /// Index of a market, where it differs, or of an asset.
    pub index: Option<PriceText>,
    /// Open interest of a market, settlement asset.
    pub open_interest: Option<MoneyText>,
}

impl PriceFile {
    /// What a rulebook computes margin from: the mark, or the index, which is the mark where none is given.
    pub(crate) fn of_margin(&self, rule: MarginPrice) -> Option<Price> {
        let price = match rule {
            MarginPrice::Mark => self.mark.as_ref(),
            MarginPrice::Index => self.index.as_ref().or(self.mark.as_ref()),
        };
        price.map(|price| price.0)
    }
}

impl BookFile {
    /// The rules that the book names; none where it names none.
    ///
    /// # Errors
    /// As [`named`](crate::named), at the place in the book.
    pub fn named_rulebook(&self, source: &Source<'_>) -> Checked<Option<Rulebook>> {
        let Some(name) = &self.rulebook else { return Ok(None) };
        let rulebook = crate::named(name.as_ref()).map_err(|problem| {
            let here = source.at(name.span(), problem.what);
            Box::new(match problem.hint {
                Some(hint) => here.hint(hint),
                None => *here,
            })
        })?;
        Ok(Some(rulebook))
    }

    /// Reads TOML, or JSON where the file begins with a brace.
    ///
    /// # Errors
    /// What is wrong first, with its place.
    pub fn read(source: &Source<'_>) -> Checked<Self> {
        source.read()
    }
}

impl Source<'_> {
    /// TOML, or JSON where the text begins with a brace.
    pub(crate) fn read<T: serde::de::DeserializeOwned>(&self) -> Checked<T> {
        if !self.text.trim_start().starts_with('{') {
            return self.parse();
        }
        if let Err(error) = serde_json::from_str::<serde_json::Value>(self.text) {
            let before: usize =
                self.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let at = before + error.column().saturating_sub(1);
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or(&message);
            return Err(self.at(at..at + 1, format!("no JSON: {what}")));
        }
        self.parse_as(&toml_in_place(self.text))
    }
}

/// JSON, known to be good, as TOML in which every value begins at the same byte, so that places are those of the JSON.
fn toml_in_place(json: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let same = |c: char| {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            return c;
        }
        quoted = c == '"';
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, depth) {
            // The root has no braces, and a line for each of its keys.
            ('{', 1) | ('}', 0) | ('\n' | '\r', _) => ' ',
            (',', 1) => '\n',
            (':', _) => '=',
            _ => c,
        }
    };
    json.chars().map(same).collect()
}

/// A wallet of a unit.
#[derive(Clone, Debug)]
pub struct Wallet {
    /// The asset.
    pub asset: String,
    /// How much.
    pub amount: Money,
    /// Price in the numeraire.
    pub index_price: Price,
    /// What the first slice counts.
    pub haircut: Rate,
    /// Clause of that.
    pub clause: Option<String>,
    slices: Vec<rules::HaircutTier>,
}

/// A position of a unit.
#[derive(Clone, Debug)]
pub struct Position {
    /// Its market.
    pub market: String,
    /// + long, − short.
    pub size: Size,
    /// Average price.
    pub entry_price: Price,
    /// Exact signed cost.
    pub cost: Money,
    /// What margin is computed from.
    pub price: Price,
    /// 1 ÷ leverage, rounded up; zero where none is chosen.
    pub leverage: Rate,
    /// Leverage as written; none where none is chosen or it was lowered.
    pub leverage_text: Option<String>,
    /// What [`Book::check_lowering`] did to it.
    pub lowered: Option<LoweredLeverage>,
    /// Step of sizes.
    pub lot: Size,
    /// Which wallet it settles in.
    pub settlement: usize,
    /// Clause of the market's figures.
    pub clause: String,
    /// Of those that have another.
    pub clauses: MarketClauses,
    number: usize,
    rules: MarketRules,
}

/// A leverage above the greatest of its tier, and what was taken instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoweredLeverage {
    /// As the book has it.
    pub from: String,
    /// The greatest that the venue gives a position of this size, to two digits; margin has 1 ÷ it exactly.
    pub to: String,
}

/// What is margined together: the whole account in cross mode, one position in isolated mode.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Wallets.
    pub wallets: Vec<Wallet>,
    /// Positions.
    pub positions: Vec<Position>,
}

/// A book checked against a rulebook.
#[derive(Clone, Debug)]
pub struct Book {
    /// cross or isolated.
    pub mode: Mode,
    /// One in cross mode, one per position in isolated mode.
    pub units: Vec<Unit>,
    /// Isolated: what stands behind no position.
    pub free: Vec<Wallet>,
}

impl Unit {
    /// Lets a function see the unit as an account of the rules.
    pub fn with<R>(&self, rulebook: &Rulebook, f: impl FnOnce(&Account<'_>) -> R) -> R {
        let collateral: Vec<Collateral<'_>> = self
            .wallets
            .iter()
            .map(|wallet| Collateral {
                amount: wallet.amount,
                index_price: wallet.index_price,
                haircuts: Haircuts { first: wallet.haircut, tiers: &wallet.slices },
            })
            .collect();
        let positions: Vec<Holding<'_>> = self
            .positions
            .iter()
            .map(|position| Holding {
                rules: &position.rules,
                size: position.size,
                cost: position.cost,
                price: position.price,
                leverage: position.leverage,
                settlement: position.settlement,
                market: position.number,
            })
            .collect();
        f(&Account { rules: rulebook.account, collateral: &collateral, positions: &positions })
    }
}

impl Position {
    /// What margin needs of its market.
    #[must_use]
    pub fn rules(&self) -> &MarketRules {
        &self.rules
    }
}

impl Book {
    /// Checks a book against the rules of a day.
    ///
    /// # Errors
    /// An unknown market, asset or mode; a missing price or leverage; a size or leverage beyond the ladder; figures out of range.
    pub fn check(file: &BookFile, source: &Source<'_>, rulebook: &Rulebook) -> Checked<Self> {
        Checker { file, source, rulebook, too_high: TooHigh::Refused }.book()
    }

    /// As [`Book::check`], but a leverage above the greatest of its tier is lowered to that, and [`Position::lowered`] says so: for
    /// a book that was written for another venue.
    ///
    /// # Errors
    /// As [`Book::check`] but for that.
    pub fn check_lowering(file: &BookFile, source: &Source<'_>, rulebook: &Rulebook) -> Checked<Self> {
        Checker { file, source, rulebook, too_high: TooHigh::Lowered }.book()
    }
}

struct Checker<'a> {
    file: &'a BookFile,
    source: &'a Source<'a>,
    rulebook: &'a Rulebook,
    too_high: TooHigh,
}

impl Checker<'_> {
    fn book(&self) -> Checked<Book> {
        let mode = self.mode()?;
        let wallets = self.wallets()?;
        let mut cross = Unit { wallets, positions: Vec::new() };
        let mut units = Vec::new();
        for (number, position) in self.file.positions.iter().enumerate() {
            let row = self.position(position)?;
            self.check_legs(number, position)?;
            match mode {
                Mode::Cross => {
                    if let Some(margin) = &position.as_ref().margin {
                        let problem = self.source.at(margin.span(), "margin is of isolated mode, the account is cross");
                        return Err(Box::new(problem.hint("take it away, or write mode = \"isolated\"")));
                    }
                    let mut row = row;
                    if let Some(form) = self.rulebook.sections.liquidation_price.cross {
                        row.0.rules.price_form = form.into();
                    }
                    let settlement = self.settlement(&mut cross.wallets, &row.0, position)?;
                    cross.positions.push(Position { settlement, ..row.0 });
                }
                Mode::Isolated => units.push(self.isolated(position, row)?),
            }
        }
        let checked = match mode {
            Mode::Cross => Book { mode, units: vec![cross], free: Vec::new() },
            Mode::Isolated => Book { mode, units, free: cross.wallets },
        };
        for unit in &checked.units {
            if unit.with(self.rulebook, |account| account.terms()).is_none() {
                return Err(Box::new(Problem::new(
                    self.source.file,
                    "figures are out of range: a notional is above 8.1e15 of its quote",
                )));
            }
        }
        Ok(checked)
    }

    fn mode(&self) -> Checked<Mode> {
        let given = &self.file.account.as_ref().mode;
        let mode = match given.as_ref().as_str() {
            "cross" => Mode::Cross,
            "isolated" => Mode::Isolated,
            "portfolio" => {
                let problem = self.source.at(given.span(), "portfolio margin is not built yet");
                return Err(Box::new(problem.hint("write \"cross\" or \"isolated\"")));
            }
            other => {
                let problem = self.source.at(given.span(), format!("unknown mode {other:?}"));
                return Err(Box::new(problem.hint("write \"cross\" or \"isolated\"")));
            }
        };
        if !self.rulebook.sections.account.modes.contains(&mode) {
            let what = format!("{} has no {} margin", self.rulebook.venue, given.as_ref());
            return Err(self.source.at(given.span(), what));
        }
        Ok(mode)
    }

    fn wallets(&self) -> Checked<Vec<Wallet>> {
        let mut wallets: Vec<Wallet> = Vec::new();
        for row in &self.file.collateral {
            let asset = &row.as_ref().asset;
            if wallets.iter().any(|wallet| wallet.asset == *asset) {
                return Err(self.source.at(row.span(), format!("{asset} stands here twice")));
            }
            wallets.push(self.wallet(asset, row.as_ref().amount.0, row.span())?);
        }
        Ok(wallets)
    }

    fn wallet(&self, asset: &str, amount: Money, span: std::ops::Range<usize>) -> Checked<Wallet> {
        let known = self.rulebook.asset(asset);
        let numeraire = &self.rulebook.sections.account.numeraire;
        if known.is_none() && asset != numeraire {
            let names: Vec<&str> = self.rulebook.assets.iter().map(|row| row.symbol.as_str()).collect();
            let problem = self.source.at(span, format!("{asset} is no collateral of {}", self.rulebook.venue));
            return Err(Box::new(problem.hint(suggestion(asset, &names))));
        }
        let given = self.file.prices.get(asset).and_then(|price| price.as_ref().index.as_ref());
        let index_price = match given {
            Some(price) => price.0,
            None if asset == numeraire => Price::ONE,
            None => {
                let problem = self.source.at(span, format!("{asset} needs an index price in {numeraire}"));
                return Err(Box::new(problem.hint(format!("add to [prices]: {asset} = {{ index = \"…\" }}"))));
            }
        };
        Ok(Wallet {
            asset: asset.to_owned(),
            amount,
            index_price,
            haircut: known.map_or(Rate::ONE, |row| row.haircut),
            clause: known.map(|row| row.clause.clone()),
            slices: known.map(|row| row.slices.clone()).unwrap_or_default(),
        })
    }

    fn position(&self, position: &Spanned<PositionFile>) -> Checked<(Position, String)> {
        let file = position.as_ref();
        let symbol = file.market.as_ref();
        let Some((number, market)) = self.rulebook.markets.iter().enumerate().find(|(_, m)| m.symbol == *symbol) else {
            let names: Vec<&str> = self.rulebook.markets.iter().map(|market| market.symbol.as_str()).collect();
            let what = format!("{} has no market {symbol}", self.rulebook.venue);
            return Err(Box::new(self.source.at(file.market.span(), what).hint(suggestion(symbol, &names))));
        };
        let size = file.size.as_ref().0;
        check::size(size, market).map_err(|fault| self.fault(&fault, position))?;
        let (price, open_interest) = self.prices(position, symbol)?;
        let rules = MarketRules { open_interest, ..market.rules.clone() };
        let (entry_price, leverage_text) = (file.entry_price.0, file.leverage.as_ref().map(Spanned::as_ref));
        let leverage = leverage_text.map(String::as_str);
        let given = Given { rules: &rules, price, size, entry_price, leverage, too_high: self.too_high };
        let checked = check::position(&given, self.rulebook);
        let (cost, leverage) = checked.map_err(|fault| self.fault(&fault, position))?;
        let lowered = leverage_text.zip(leverage.lowered_to);
        let lowered = lowered.map(|(from, to)| LoweredLeverage { from: from.clone(), to });
        let row = Position {
            market: symbol.clone(),
            size,
            entry_price,
            cost,
            price,
            leverage: leverage.rate,
            leverage_text: leverage_text.filter(|_| lowered.is_none()).cloned(),
            lowered,
            lot: market.lot,
            settlement: 0,
            clause: market.clause.clone(),
            clauses: market.clauses.clone(),
            number,
            rules,
        };
        Ok((row, market.settlement.clone()))
    }

    /// A fault with the place of the value in the file.
    fn fault(&self, fault: &Fault, position: &Spanned<PositionFile>) -> Box<Problem> {
        let file = position.as_ref();
        let (symbol, what) = (file.market.as_ref(), &fault.what);
        let (span, what) = match fault.value {
            Value::Market => (position.span(), what.clone()),
            Value::Size => (file.size.span(), format!("{symbol}: {what}")),
            Value::EntryPrice => (position.span(), format!("{symbol}: entry_price {what}")),
            Value::NoLeverage => (position.span(), format!("{symbol}: {what}")),
            Value::Leverage => {
                let span = file.leverage.as_ref().map_or(position.span(), Spanned::span);
                (span, format!("{symbol}: leverage {what}"))
            }
        };
        Box::new(self.source.at(span, what).hint(fault.hint))
    }

    fn prices(&self, position: &Spanned<PositionFile>, symbol: &str) -> Checked<(Price, Money)> {
        let margin_price = self.rulebook.sections.account.margin_price;
        let prices = self.file.prices.get(symbol).map(Spanned::as_ref);
        let Some(price) = prices.and_then(|p| p.of_margin(margin_price)) else {
            let name = match margin_price {
                MarginPrice::Mark => "mark",
                MarginPrice::Index => "index",
            };
            let what = format!("{symbol} needs a {name} price: {} computes margin from it", self.rulebook.venue);
            let problem = self.source.at(position.as_ref().market.span(), what);
            return Err(Box::new(problem.hint(format!("add to [prices]: {symbol} = {{ {name} = \"…\" }}"))));
        };
        let open_interest = prices.and_then(|p| p.open_interest.as_ref()).map_or(Money::ZERO, |money| money.0);
        Ok((price, open_interest))
    }

    fn check_legs(&self, number: usize, position: &Spanned<PositionFile>) -> Checked<()> {
        let row = position.as_ref();
        let symbol = row.market.as_ref();
        let before = self.file.positions.iter().take(number).map(Spanned::as_ref);
        for other in before.filter(|other| other.market.as_ref() == symbol) {
            let checked = check::legs(symbol, row.size.as_ref().0, other.size.as_ref().0, self.rulebook);
            checked.map_err(|fault| self.fault(&fault, position))?;
        }
        Ok(())
    }

    fn settlement(
        &self,
        wallets: &mut Vec<Wallet>,
        row: &Position,
        position: &Spanned<PositionFile>,
    ) -> Checked<usize> {
        let settlement = self.rulebook.market(&row.market).map_or("", |market| market.settlement.as_str());
        if let Some(at) = wallets.iter().position(|wallet| wallet.asset == settlement) {
            return Ok(at);
        }
        wallets.push(self.wallet(settlement, Money::ZERO, position.span())?);
        Ok(wallets.len() - 1)
    }

    fn isolated(&self, position: &Spanned<PositionFile>, (row, settlement): (Position, String)) -> Checked<Unit> {
        let margin = match &position.as_ref().margin {
            Some(margin) => margin.as_ref().0,
            None => {
                let least = row.rules.ladder.at(row.size, row.cost.abs(), row.rules.open_interest);
                let rate = row.leverage.max(least.map_or(Rate::ONE, |terms| terms.initial));
                // |cost| ÷ leverage, exact where the leverage is whole.
                match row.leverage_text.as_ref().and_then(|text| text.parse::<Money>().ok()) {
                    Some(leverage) if row.leverage >= rate => {
                        row.cost.abs().share(Money::whole(1).units(), leverage.units(), Round::Up)
                    }
                    _ => row.cost.abs().mul_rate(rate, Round::Up),
                }
            }
        };
        let wallet = self.wallet(&settlement, margin, position.span())?;
        Ok(Unit { wallets: vec![wallet], positions: vec![row] })
    }
}

/// More names than this are not listed.
const LISTED_MAX: usize = 20;

/// What was meant, or what there is.
pub(crate) fn suggestion(given: &str, names: &[&str]) -> String {
    let lower = given.to_lowercase();
    let close =
        names.iter().find(|name| name.to_lowercase().starts_with(&lower) || lower.starts_with(&name.to_lowercase()));
    match close.filter(|_| !given.is_empty()) {
        Some(name) => format!("did you mean {name}?"),
        None if names.len() > LISTED_MAX => {
            format!("it has {} and {} more", names[..LISTED_MAX].join(", "), names.len() - LISTED_MAX)
        }
        None => format!("it has {}", names.join(", ")),
    }
}
