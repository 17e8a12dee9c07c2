//! A population from rows: an operator's own accounts, with their collateral and positions, opened exactly.
//!
//! Positions are traded against a house account at their entry prices, under opening parameters (next to no margin, no fees, wide
//! bands); then the real parameters come, and with them whatever they do to accounts that were below their line.

use super::desk::Desk;
use super::figures::Figures;
use super::opening::{Population, digest};
use super::population::MarketSpec;
use super::report::per_base_unit;
use super::rows::{RowError, find_columns, symbol};
use super::venue::{Venue, to_quote};
use super::{FILE_DECIMALS, ReplayError};
use engine::{AccountId, AccountKind, Command, Leg, MarginMode, PlaceOrder, Role, Side, State, TimeInForce};
use rules::{Ladder, TierTable};
use std::collections::BTreeMap;
use units::{Decimal, Money, Price, Rate, Round, Size};

/// The columns, in the order in which they are written.
pub const BOOK_COLUMNS: [&str; 8] =
    ["account", "symbol", "size", "entry_price", "leverage", "margin", "asset", "amount"];
/// Rows that a book may have.
const BOOK_ROWS_MAX: u64 = 20_000_000;

/// Accounts as the rows say.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Where they come from, for messages.
    pub file: String,
    accounts: Vec<Account>,
    /// Takes what longs and shorts leave over.
    balance: Option<String>,
}

#[derive(Clone, Debug)]
struct Account {
    name: String,
    collateral: Vec<(u64, String, Decimal)>,
    positions: Vec<Position>,
}

#[derive(Clone, Debug)]
struct Position {
    row: u64,
    symbol: String,
    size: Decimal,
    entry: Option<Decimal>,
    leverage: Option<u16>,
    margin: Option<Decimal>,
}

/// Reads a book row by row.
#[derive(Clone, Debug)]
pub struct BookReader {
    columns: [usize; 8],
    book: Book,
    places: BTreeMap<String, usize>,
    rows: u64,
}

fn fail(file: &str, row: Option<u64>, what: String, expected: &str, hint: String) -> RowError {
    RowError { file: file.to_owned(), row, what, expected: expected.to_owned(), hint }
}

impl BookReader {
    /// A file with this header.
    ///
    /// # Errors
    /// A column that is missing, unknown or there twice.
    pub fn new(file: &str, header: &[&str]) -> Result<Self, RowError> {
        let columns = find_columns(file, header, BOOK_COLUMNS.each_ref().map(std::slice::from_ref))?;
        let book = Book { file: file.to_owned(), ..Book::default() };
        Ok(Self { columns, book, places: BTreeMap::new(), rows: 0 })
    }

    /// Takes the next row: collateral (`asset` and `amount`) or a position (`symbol`, `size`, and what else is known).
    ///
    /// # Errors
    /// Whatever is wrong with the row.
    pub fn push(&mut self, row: u64, cells: &[&str]) -> Result<(), RowError> {
        let file = self.book.file.clone();
        let error =
            |what: String, expected: &str, hint: &str| Err(fail(&file, Some(row), what, expected, hint.to_owned()));
        self.rows += 1;
        if self.rows > BOOK_ROWS_MAX {
            return error("too many rows".into(), "at most 20,000,000", "cut the file");
        }
        let Ok(cells) = <[&str; 8]>::try_from(cells) else {
            let hint = "one row is account,symbol,size,entry_price,leverage,margin,asset,amount; leave empty what does not apply";
            return error(format!("{} cells", cells.len()), "8 cells", hint);
        };
        let [account, name, size, entry, leverage, margin, asset, amount] =
            self.columns.map(|column| cells[column].trim());
        if account.is_empty() || account.len() > 64 {
            return error(format!("account is `{account}`"), "1 to 64 characters", "every row names its account");
        }
        let number = |column: &str, text: &str| {
            Decimal::parse(text).ok_or_else(|| {
                fail(&file, Some(row), format!("{column} is `{text}`"), "a decimal number", "for example 0.25".into())
            })
        };
        let optional = |column: &str, text: &str| {
            if text.is_empty() { Ok(None) } else { number(column, text).map(Some) }
        };
        let at = *self.places.entry(account.to_owned()).or_insert_with(|| {
            self.book.accounts.push(Account {
                name: account.to_owned(),
                collateral: Vec::new(),
                positions: Vec::new(),
            });
            self.book.accounts.len() - 1
        });
        let place = &mut self.book.accounts[at];
        match (name.is_empty(), asset.is_empty()) {
            (true, false) => {
                if [size, entry, leverage, margin].iter().any(|cell| !cell.is_empty()) {
                    return error(
                        "collateral with cells of a position".into(),
                        "asset and amount only",
                        "give the position a row of its own",
                    );
                }
                place.collateral.push((row, asset.to_owned(), number("amount", amount)?));
                Ok(())
            }
            (false, true) => {
                let Some(symbol) = symbol(name) else {
                    return error(
                        "symbol cannot be used".into(),
                        "1 to 20 of A-Z a-z 0-9 . _ -",
                        "for example BTCUSDT",
                    );
                };
                if !amount.is_empty() {
                    return error(
                        "position with an amount".into(),
                        "symbol, size and what is known of it",
                        "collateral has a row of its own",
                    );
                }
                if place.positions.iter().any(|p| p.symbol == symbol) {
                    return error(
                        format!("a second position of {account} in {symbol}"),
                        "one position a market",
                        "add them up",
                    );
                }
                let leverage = match leverage {
                    "" => None,
                    text => match text.parse::<u16>() {
                        Ok(n) if (1..=1_000).contains(&n) => Some(n),
                        _ => {
                            return error(
                                format!("leverage is `{text}`"),
                                "a whole number from 1 to 1000",
                                "leave it empty for the greatest",
                            );
                        }
                    },
                };
                let (size, entry) = (number("size", size)?, optional("entry_price", entry)?);
                let margin = optional("margin", margin)?;
                place.positions.push(Position { row, symbol: symbol.to_owned(), size, entry, leverage, margin });
                Ok(())
            }
            _ => error(
                "neither collateral nor a position".into(),
                "either asset and amount, or symbol and size",
                "leave empty what does not apply",
            ),
        }
    }

    /// All rows are in. `balance`: the account that takes what longs and shorts leave over.
    ///
    /// # Errors
    /// No rows.
    pub fn finish(mut self, balance: Option<&str>) -> Result<Book, RowError> {
        if self.book.accounts.is_empty() {
            return Err(fail(
                &self.book.file,
                None,
                "no accounts".into(),
                "at least one row",
                "see docs/replay.md".into(),
            ));
        }
        self.book.balance = balance.map(str::to_owned);
        Ok(self.book)
    }
}

/// A position whose market is known: contracts, price per contract on the tick, and what the tick made of the entry, quote.
struct Plan {
    account: usize,
    row: u64,
    market: usize,
    size: Size,
    price: Price,
    beside: Money,
    leverage: Option<u16>,
    margin: Option<Money>,
}

impl Book {
    /// Accounts, without the one that balances.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// True without accounts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    fn plans(&self, figures: &Figures, specs: &[MarketSpec]) -> Result<Vec<Plan>, RowError> {
        let mut plans = Vec::new();
        for (account, row) in self.accounts.iter().enumerate() {
            for position in &row.positions {
                plans.push(self.plan(account, position, figures, specs)?);
            }
        }
        Ok(plans)
    }

    fn plan(&self, account: usize, p: &Position, figures: &Figures, specs: &[MarketSpec]) -> Result<Plan, RowError> {
        let error =
            |what: String, expected: &str, hint: String| Err(fail(&self.file, Some(p.row), what, expected, hint));
        let Some(market) = figures.markets.iter().position(|m| m.symbol == p.symbol) else {
            let known: Vec<&str> = figures.markets.iter().map(|m| m.symbol.as_str()).collect();
            return error(
                format!("unknown symbol {}", p.symbol),
                &known.join(", "),
                "write it as the prices do, or leave it out".into(),
            );
        };
        let (spec, power) = (&specs[market], figures.markets[market].power);
        let contracts = p.size.to_units(8);
        let lot = i128::from(spec.lot.units()) * 10i128.pow(power);
        let size = contracts.filter(|units| units % lot == 0 && *units != 0).map(|units| units / 10i128.pow(power));
        let Some(size) = size.and_then(|units| i64::try_from(units).ok()).and_then(Size::new) else {
            let lot = Size::new(i64::try_from(lot).unwrap_or(i64::MAX)).map_or_else(String::new, |lot| lot.to_string());
            return error(
                format!("size of {} is off the lot, zero or too large", p.symbol),
                &format!("a multiple of {lot} base units"),
                "round it".into(),
            );
        };
        let price_of = |d: Decimal| {
            d.to_units(FILE_DECIMALS)?.checked_mul(10i128.pow(power)).map(|units| units / 10i128.pow(FILE_DECIMALS - 8))
        };
        let asked = p.entry.map_or(Some(i128::from(spec.open.units())), price_of);
        let entry = asked.and_then(|u| i64::try_from(u).ok()).and_then(Price::new).filter(|p| p.is_positive());
        let near = entry.filter(|e| {
            i128::from(e.units()) < i128::from(spec.open.units()) * 19 / 10
                && i128::from(e.units()) * 10 > i128::from(spec.open.units())
        });
        // Away from the account, so that what the tick costs is never below zero and can be paid in.
        let away = if size.is_positive() { Round::Up } else { Round::Down };
        let Some(price) = near.and_then(|e| e.to_tick(spec.tick, away)).filter(|p| p.is_positive()) else {
            let first = per_base_unit(spec.open, power);
            return error(
                format!("entry_price of {} cannot be opened at", p.symbol),
                &format!("a tenth to 1.9 times the first price, {first}"),
                "give a nearer one and move the difference into the collateral".into(),
            );
        };
        // What the tick puts on the entry is put beside it, so that equity is exact.
        let base = i128::from(size.units()) * 10i128.pow(power);
        let exact = p.entry.and_then(|entry| entry.to_units(FILE_DECIMALS));
        // 1e-18 of the quote times 1e-8 of the base is 1e-26; money counts 1e-16.
        let cost = exact.and_then(|entry| units::mul_div(entry, base, 10i128.pow(FILE_DECIMALS - 8), Round::Up));
        let beside = cost.and_then(Money::new).map_or(Money::ZERO, |cost| price * size - cost);
        let margin = match p.margin.map(|m| m.to_units(16).and_then(Money::new)) {
            None => None,
            Some(Some(margin)) if margin.is_positive() => Some(margin),
            Some(_) => {
                return error(
                    "margin cannot be used".into(),
                    "an amount above zero",
                    "leave it empty for cross margin".into(),
                );
            }
        };
        Ok(Plan { account, row: p.row, market, size, price, beside, leverage: p.leverage, margin })
    }

    /// What all positions of a market are beyond each other, contracts of 1e-8.
    fn left_over(plans: &[Plan], markets: usize) -> Vec<i128> {
        let mut sums = vec![0i128; markets];
        for plan in plans {
            sums[plan.market] += i128::from(plan.size.units());
        }
        sums
    }

    /// Planned notional of the larger side of each market at the first price.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn interest(&self, figures: &Figures, specs: &[MarketSpec]) -> Result<Vec<Money>, ReplayError> {
        let plans = self.plans(figures, specs)?;
        let side = |at: usize, sign: i64| -> Money {
            let own = plans.iter().filter(|p| p.market == at && p.size.signum() == sign.signum());
            own.map(|p| specs[at].open * p.size.abs()).sum()
        };
        Ok((0..specs.len()).map(|at| side(at, 1).max(side(at, -1))).collect())
    }

    /// Opens all of it; the population it came to.
    ///
    /// # Errors
    /// Symbols, sizes and prices that cannot be used, with their row; positions that do not balance; what the engine refuses.
    pub(super) fn open(
        &self,
        desk: &mut Desk<'_, '_>,
        venue: &Venue,
        figures: &Figures,
    ) -> Result<Population, ReplayError> {
        let specs: Vec<MarketSpec> = venue.markets.iter().map(|l| l.spec.clone()).collect();
        let mut plans = self.plans(figures, &specs)?;
        let over = Self::left_over(&plans, venue.markets.len());
        let mut names: Vec<String> = self.accounts.iter().map(|a| a.name.clone()).collect();
        if over.iter().any(|sum| *sum != 0) {
            let Some(name) = &self.balance else { return Err(self.unbalanced(&over, figures).into()) };
            names.push(name.clone());
            for (market, sum) in over.iter().enumerate().filter(|(_, sum)| **sum != 0) {
                let too_large =
                    || fail(&self.file, None, "what is left over is too large".into(), "less", "cut the file".into());
                let size = i64::try_from(-sum).ok().and_then(Size::new).ok_or_else(too_large)?;
                let price = venue.markets[market].spec.open;
                let account = names.len() - 1;
                plans.push(Plan {
                    account,
                    row: 0,
                    market,
                    size,
                    price,
                    beside: Money::ZERO,
                    leverage: None,
                    margin: None,
                });
            }
        }
        let kept: Vec<_> = venue.markets.iter().map(|l| desk.engine.state().market(l.market).params.clone()).collect();
        for (listed, params) in venue.markets.iter().zip(&kept) {
            let mut easy = params.clone();
            let all = Money::whole(100_000_000_000);
            let plain = TierTable::derive(&[(all, Rate::bps(10), Rate::bps(0))]);
            easy.ladder = plain.map_or_else(|_| params.ladder.clone(), Ladder::Tiers);
            (easy.order_band, easy.taker_fee, easy.maker_fee) = (Rate::bps(9_500), Rate::ZERO, Rate::ZERO);
            desk.must(&Command::SetMarketParams { market: listed.market, params: Box::new(easy) })?;
        }
        let house = desk.open("book", 3_999_999_999, Role::Trading)?;
        let turned: Money = plans.iter().map(|p| p.price * p.size.abs()).sum();
        desk.deposit(house, venue.quote, to_quote(turned + turned))?;
        let mut accounts: Vec<AccountId> = Vec::new();
        for (owner, name) in (1u32..).zip(&names) {
            let own = engine::Name::new(name).map_or_else(|| format!("a{owner}"), |_| name.clone());
            accounts.push(desk.open(&own, owner, Role::Trading)?);
        }
        desk.tally.population_from = accounts.first().copied().unwrap_or_default();
        self.pay_in(desk, venue, &accounts, &plans)?;
        for plan in &plans {
            self.trade(desk, venue, house, accounts[plan.account], plan)?;
        }
        for (listed, params) in venue.markets.iter().zip(kept) {
            desk.must(&Command::SetMarketParams { market: listed.market, params: Box::new(params) })?;
        }
        for plan in plans.iter().filter(|p| p.leverage.is_some()) {
            let (account, market) = (accounts[plan.account], venue.markets[plan.market].market);
            // An account that is below what this leverage needs keeps the greatest; the report counts the refusal.
            let leverage = plan.leverage.unwrap_or(1).min(desk.engine.state().market(market).leverage_max());
            let _ = desk.send("population", &Command::SetLeverage { account, market, leverage });
        }
        desk.end_batch();
        Ok(self.summary(desk, &plans))
    }

    fn unbalanced(&self, over: &[i128], figures: &Figures) -> RowError {
        let rows = over.iter().zip(&figures.markets).filter(|(sum, _)| **sum != 0).map(|(sum, market)| {
            let base = Money::from_units(*sum * 10i128.pow(market.power) * 100_000_000);
            format!("{} {base}", market.symbol)
        });
        let what = format!("longs and shorts do not balance: {}", rows.collect::<Vec<_>>().join(", "));
        fail(
            &self.file,
            None,
            what,
            "in every market as many base units long as short",
            "--balance house puts the rest on an account of that name".into(),
        )
    }

    fn pay_in(
        &self,
        desk: &mut Desk<'_, '_>,
        venue: &Venue,
        accounts: &[AccountId],
        plans: &[Plan],
    ) -> Result<(), ReplayError> {
        let mut beside = vec![Money::ZERO; accounts.len()];
        for plan in plans {
            beside[plan.account] += plan.beside;
        }
        for (at, row) in self.accounts.iter().enumerate() {
            for (number, name, amount) in &row.collateral {
                let error = |what: String, expected: &str| {
                    fail(&self.file, Some(*number), what, expected, "for example USDT,250.5".into())
                };
                let state = desk.engine.state();
                let asset = state.assets.iter().position(|a| a.params.name.as_str() == name).map(engine::AssetId::at);
                let Some(asset) = asset else {
                    let known: Vec<&str> = state.assets.iter().map(|a| a.params.name.as_str()).collect();
                    return Err(error(format!("unknown asset {name}"), &known.join(", ")).into());
                };
                let decimals = state.asset(asset).params.decimals;
                let fine = amount.to_units(u32::from(decimals)).and(amount.to_units(16)).and_then(Money::new);
                let Some(mut money) = fine.filter(|m| m.is_positive()) else {
                    return Err(error(
                        format!("amount of {name} is not above zero, or has too many digits"),
                        &format!("at most {decimals} digits after the point"),
                    )
                    .into());
                };
                if asset == venue.quote {
                    money += std::mem::take(&mut beside[at]);
                }
                let refused =
                    |reject: ReplayError| error(format!("collateral was refused: {reject}"), "an amount above zero");
                desk.deposit(accounts[at], asset, money).map_err(refused)?;
            }
            let left = std::mem::take(&mut beside[at]);
            if left.is_positive() {
                desk.deposit(accounts[at], venue.quote, left)?;
            }
        }
        // The account that balances has all that it holds as collateral.
        if let Some(account) = accounts.get(self.accounts.len()) {
            let own = plans.iter().filter(|p| p.account == self.accounts.len());
            let notional: Money = own.map(|p| p.price * p.size.abs()).sum();
            desk.deposit(*account, venue.quote, to_quote(notional))?;
        }
        Ok(())
    }

    fn trade(
        &self,
        desk: &mut Desk<'_, '_>,
        venue: &Venue,
        house: AccountId,
        account: AccountId,
        plan: &Plan,
    ) -> Result<(), ReplayError> {
        let market = venue.markets[plan.market].market;
        let refused = |what: &str, reject: engine::Reject| {
            let what = format!("{what} was refused: {reject}");
            ReplayError::Rows(fail(
                &self.file,
                Some(plan.row),
                what,
                "an account that is above zero at the first prices",
                "pay in more, or leave it out".into(),
            ))
        };
        if plan.margin.is_some() {
            desk.must(&Command::SetMarginMode { account, market, mode: MarginMode::Isolated })?;
        }
        let side = Side::of(plan.size);
        let order = |account, side, force| PlaceOrder {
            force,
            ..PlaceOrder::limit(account, market, side, plan.size.abs(), plan.price)
        };
        desk.send("setup", &Command::PlaceOrder(order(house, side.opposite(), TimeInForce::Gtc)))
            .map_err(|reject| refused("the position", reject))?;
        desk.send("population", &Command::PlaceOrder(order(account, side, TimeInForce::Fok)))
            .map_err(|reject| refused("the position", reject))?;
        if let Some(margin) = plan.margin {
            let state = desk.engine.state();
            let child = state.account(account).exposure(market.net()).and_then(|e| e.child);
            let held = child.map_or(Money::ZERO, |id| state.account(id).wallet(venue.quote));
            let amount = margin + plan.beside - held;
            if !amount.is_zero() {
                let adjust = Command::AdjustIsolatedMargin { account, market, amount, leg: Leg::Net };
                desk.send("population", &adjust).map_err(|reject| refused("the margin", reject))?;
            }
        }
        if desk.commands.is_multiple_of(4_096) {
            desk.end_batch();
        }
        Ok(())
    }

    fn summary(&self, desk: &Desk<'_, '_>, plans: &[Plan]) -> Population {
        let count = |n: usize| u64::try_from(n).unwrap_or(0);
        let state = desk.engine.state();
        let from = desk.tally.population_from.index();
        let isolated: std::collections::BTreeSet<usize> =
            plans.iter().filter(|p| p.margin.is_some()).map(|p| p.account).collect();
        let coins = |a: &&Account| a.collateral.iter().any(|(_, asset, _)| asset != "USDT");
        let own = (from..state.accounts.len()).map(AccountId::at);
        Population {
            accounts: count(self.accounts.len()),
            isolated: count(isolated.len()),
            coin_collateral: count(self.accounts.iter().filter(coins).count()),
            positions: count(plans.len()),
            orders: 0,
            equity: own.map(|id| state.terms(id).equity).sum(),
            digest: digest(desk),
        }
    }
}

/// The population of a venue as rows of [`BOOK_COLUMNS`]: collateral as it stands in the wallets, isolated margin with its
/// position.
#[must_use]
pub fn book_rows(state: &State, from: AccountId, symbols: &[(String, u32)]) -> Vec<[String; 8]> {
    let mut rows = Vec::new();
    for (at, account) in state.accounts.iter().enumerate().skip(from.index()) {
        if account.kind != AccountKind::Trading {
            continue;
        }
        let name = account.name.map_or_else(|| format!("a{at}"), |n| n.to_string());
        let empty = || [const { String::new() }; 8];
        let children = account.exposures.iter().filter_map(|e| e.child).map(|id| state.account(id));
        // Isolated margin was paid in by the account and moved from there.
        let margins: Money = children.clone().flat_map(|c| &c.wallets).map(|w| w.amount).sum();
        for wallet in &account.wallets {
            let params = &state.asset(wallet.asset).params;
            let amount = wallet.amount + if params.index.is_none() { margins } else { Money::ZERO };
            if amount.is_positive() {
                let mut row = empty();
                (row[0], row[6], row[7]) = (name.clone(), params.name.to_string(), amount.to_string());
                rows.push(row);
            }
        }
        let own = account.exposures.iter().map(|e| (e, None));
        let isolated = children.flat_map(|c| c.exposures.iter().map(move |e| (e, c.wallets.first().map(|w| w.amount))));
        for (e, margin) in own.chain(isolated).filter(|(e, _)| !e.size.is_zero()) {
            let Some((symbol, power)) = symbols.get(e.market.index()) else { continue };
            let contract = state.market(e.market).contract();
            let entry = contract.price_of(e.cost, e.size, Round::Down).unwrap_or(Price::ZERO);
            let base = Money::from_units(i128::from(e.size.units()) * 10i128.pow(*power) * 100_000_000);
            let mut row = empty();
            (row[0], row[1], row[2]) = (name.clone(), symbol.clone(), base.to_string());
            row[3] = per_base_unit(entry, *power);
            row[4] = if e.leverage == 0 { String::new() } else { e.leverage.to_string() };
            row[5] = margin.map_or_else(String::new, |m| m.to_string());
            rows.push(row);
        }
    }
    rows
}
