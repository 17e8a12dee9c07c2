//! The working of a figure as a tree: the formula in the field's names, inputs and where each came from, rounding, clause.
//!
//! Nothing is computed here a second time: every number is a term that the valuation returned, printed.

mod room;

use crate::book::{Book, Position, Unit, Wallet};
use crate::resolve::{Rulebook, direction};
use crate::schema::{DigitsClauses, Mode};
use rules::{
    Account, AccountTerms, Contract, FeeBasis, InitialBasis, Ladder, LiquidationPrice, PositionTerms, PriceForm, Way,
};
use std::fmt::{self, Write as _};
use units::{Money, Price, Rate, Round};

/// One line of a working and what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The formula, or where an input came from.
    pub how: String,
    /// Clause of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Step>,
}

impl Step {
    /// A line without a clause and parts.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl fmt::Display, how: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.to_string(), how: how.into(), clause: None, parts: Vec::new() }
    }

    /// The same with the clause of its rule.
    #[must_use]
    pub fn by(mut self, clause: impl Into<String>) -> Self {
        self.clause = Some(clause.into());
        self
    }

    /// The same with what it is made of.
    #[must_use]
    pub fn of(mut self, parts: impl IntoIterator<Item = Step>) -> Self {
        self.parts.extend(parts);
        self
    }

    /// Its first line.
    fn line(&self) -> String {
        let mut line = self.name.clone();
        if !self.value.is_empty() {
            _ = write!(line, " = {}", self.value);
        }
        if !self.how.is_empty() {
            _ = write!(line, "   {}", self.how);
        }
        if let Some(clause) = &self.clause {
            _ = write!(line, "   [{clause}]");
        }
        line
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, lead: &str) -> fmt::Result {
        let last = self.parts.len().saturating_sub(1);
        for (at, part) in self.parts.iter().enumerate() {
            let (branch, below) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            writeln!(f, "{lead}{branch}{}", part.line())?;
            part.write(f, &format!("{lead}{below}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.line())?;
        self.write(f, "")
    }
}

/// Figures of an account that can be explained.
pub const ACCOUNT_FIGURES: [&str; 9] = [
    "equity",
    "initial_margin",
    "maintenance_margin",
    "headroom",
    "margin_ratio",
    "free_collateral",
    "liquidation_fall",
    "liquidation_rise",
    "withdrawable",
];

/// Figures of a position that can be explained; write `BTCUSDT.upnl` for one market, `upnl` for all.
pub const POSITION_FIGURES: [&str; 8] = [
    "notional",
    "upnl",
    "position_initial_margin",
    "position_maintenance_margin",
    "liquidation_price",
    "bankruptcy_price",
    "largest_buy",
    "largest_sell",
];

/// The workings of a figure in every unit of a book: one where it is of the account, one per position otherwise.
///
/// # Errors
/// There is no such figure or position; the text says what there is.
pub fn explain(book: &Book, rulebook: &Rulebook, figure: &str) -> Result<Vec<Step>, String> {
    let (market, name) = match figure.rsplit_once('.') {
        Some((market, name)) => (Some(market), name),
        None => (None, figure),
    };
    let known = ACCOUNT_FIGURES.contains(&name) || POSITION_FIGURES.contains(&name);
    if !known {
        let all = [&ACCOUNT_FIGURES[..], &POSITION_FIGURES[..]].concat().join(", ");
        return Err(format!("unknown figure {name:?}: there are {all}"));
    }
    let held = |unit: &Unit, market: &str| unit.positions.iter().any(|held| held.market == market);
    if let Some(market) = market.filter(|market| !book.units.iter().any(|unit| held(unit, market))) {
        return Err(format!("no position in {market:?}"));
    }
    let of_account = ACCOUNT_FIGURES.contains(&name);
    if let Some(market) = market.filter(|_| of_account && book.mode == Mode::Cross) {
        return Err(format!("{name} is a figure of the account, not of {market}\nhint: write --explain {name}"));
    }
    if ["largest_buy", "largest_sell"].contains(&name) && book.mode != Mode::Cross {
        return Err(format!(
            "{name} is a figure of cross mode: more margin may always be put behind an isolated position"
        ));
    }
    let mut steps = Vec::new();
    for unit in book.units.iter().filter(|unit| market.is_none_or(|market| held(unit, market))) {
        let explained = unit.with(rulebook, |account| {
            let terms = account.terms()?;
            let working = Working { unit, rulebook, account, terms: &terms };
            if of_account {
                return Some(working.of_account(name, book.units.len() > 1));
            }
            let wanted = |held: &Position| market.is_none_or(|market| held.market == market);
            let positions = unit.positions.iter().enumerate().filter(|(_, held)| wanted(held));
            Some(positions.filter_map(|(at, held)| working.of_position(name, at, held)).collect())
        });
        steps.extend(explained.unwrap_or_default());
    }
    Ok(steps)
}

struct Working<'a> {
    unit: &'a Unit,
    rulebook: &'a Rulebook,
    account: &'a Account<'a>,
    terms: &'a AccountTerms,
}

/// A rate in percent.
pub(crate) fn percent(rate: Rate) -> String {
    let hundred = Money::from_units(i128::from(rate.units()) * 1_000_000_000);
    format!("{hundred}%")
}

impl Working<'_> {
    fn of_account(&self, name: &str, isolated: bool) -> Vec<Step> {
        let terms = self.terms;
        let account = &self.rulebook.sections.account;
        let market = self.unit.positions.first().filter(|_| isolated).map(|held| &held.market);
        let named = |step: Step| match market {
            Some(market) => Step { name: format!("{market} {}", step.name), ..step },
            None => step,
        };
        let step = match name {
            "equity" => self.equity(),
            "initial_margin" => self.initial(),
            "maintenance_margin" => self.maintenance(),
            "headroom" => {
                Step::new(name, terms.headroom(), "equity − maintenance_margin").of([self.equity(), self.maintenance()])
            }
            "margin_ratio" => {
                let ratio = terms.ratio().map_or("none".into(), shown_ratio);
                let how = "maintenance_margin ÷ equity, rounded up; liquidation at 100%";
                Step::new(name, ratio, how)
                    .by(account.clauses.ratio(&account.clause.0))
                    .of([self.maintenance(), self.equity()])
            }
            "free_collateral" => Step::new(name, terms.free_collateral(), "equity − initial_margin, not below zero")
                .of([self.equity_for_initial(), self.initial()]),
            "withdrawable" => {
                let wallets = self.unit.wallets.iter().enumerate();
                return wallets.filter_map(|(at, wallet)| self.withdrawable(at, wallet)).map(named).collect();
            }
            _ => self.common_move(name),
        };
        vec![named(step)]
    }

    fn of_position(&self, name: &str, at: usize, held: &Position) -> Option<Step> {
        let row = self.terms.positions.get(at)?;
        let step = match name {
            "notional" => self.notional(held, row),
            "upnl" => upnl(held, row),
            "position_initial_margin" => self.position_initial(held, row),
            "position_maintenance_margin" => self.position_maintenance(held, row),
            "liquidation_price" => self.liquidation_price(at, held)?,
            "largest_buy" => self.largest_size(at, held, Way::Buy)?,
            "largest_sell" => self.largest_size(at, held, Way::Sell)?,
            _ => self.bankruptcy_price(at, held)?,
        };
        let name = step.name.strip_prefix("position_").unwrap_or(&step.name).to_owned();
        Some(Step { name: format!("{} {name}", held.market), ..step })
    }

    fn equity(&self) -> Step {
        let parts = self.unit.wallets.iter().enumerate().filter_map(|(at, wallet)| self.wallet(at, wallet));
        Step::new("equity", self.terms.equity, "Σ collateral").of(parts)
    }

    fn equity_for_initial(&self) -> Step {
        if self.terms.equity_for_initial == self.terms.equity {
            return self.equity();
        }
        let how = "Σ collateral with every unrealised gain counted as zero";
        let account = &self.rulebook.sections.account;
        Step::new("equity_for_initial", self.terms.equity_for_initial, how).by(account.clauses.gains(&account.clause.0))
    }

    fn wallet(&self, at: usize, wallet: &Wallet) -> Option<Step> {
        let term = self.terms.collateral.get(at)?;
        let plain = term.haircut == Rate::ONE && term.index_price == Price::ONE;
        let how = if plain {
            "wallet + upnl".to_owned()
        } else {
            format!("(wallet + upnl) × index {} × haircut {}, rounded down", term.index_price, percent(term.haircut))
        };
        let mut step = Step::new(format!("collateral {}", wallet.asset), term.value, how);
        step.clause.clone_from(&wallet.clause);
        step.parts.push(Step::new("wallet", wallet.amount, "from the book"));
        for (held, row) in
            self.unit.positions.iter().zip(&self.terms.positions).filter(|(held, _)| held.settlement == at)
        {
            let part = upnl(held, row);
            step.parts.push(Step { name: format!("{} {}", held.market, part.name), ..part });
        }
        Some(step)
    }

    fn maintenance(&self) -> Step {
        let rows = self.unit.positions.iter().zip(&self.terms.positions);
        let parts = rows.map(|(held, row)| {
            let step = self.position_maintenance(held, row);
            Step { name: format!("{} maintenance_margin", held.market), ..step }
        });
        Step::new("maintenance_margin", self.terms.maintenance, self.sum_how("maintenance margin")).of(parts)
    }

    fn initial(&self) -> Step {
        let parts = self.initial_margins(None);
        Step::new("initial_margin", self.terms.initial, self.sum_how("initial margin")).of(parts)
    }

    /// The initial margins of the positions, or of all but one.
    fn initial_margins(&self, but: Option<usize>) -> Vec<Step> {
        let rows = self.unit.positions.iter().zip(&self.terms.positions).enumerate().filter(|(n, _)| Some(*n) != but);
        rows.map(|(_, (held, row))| {
            let step = self.position_initial(held, row);
            Step { name: format!("{} initial_margin", held.market), ..step }
        })
        .collect()
    }

    /// Where figures put the account.
    fn standing(&self, terms: &AccountTerms) -> String {
        let is_below = self.rulebook.account.line.is_below(terms.headroom());
        format!(
            "equity {} − maintenance_margin {} = headroom {}: {}",
            terms.equity,
            terms.maintenance,
            terms.headroom(),
            if is_below { "below the line" } else { "not below" }
        )
    }

    fn sum_how(&self, what: &str) -> String {
        if self.unit.wallets.iter().all(|wallet| wallet.index_price == Price::ONE) {
            format!("Σ {what}")
        } else {
            format!("Σ {what} × index of its settlement asset, each rounded up")
        }
    }

    /// Fewer digits, and the clause of that, which is another than that of the figure.
    fn digits_how(
        &self,
        digits: Option<rules::Digits>,
        of: for<'a> fn(&'a DigitsClauses, &'a str) -> &'a str,
    ) -> String {
        let (Some(digits), Some(section)) = (digits, &self.rulebook.sections.digits) else { return String::new() };
        let clause = of(&section.clauses, &section.clause.0);
        format!(", {} to {} digits [{clause}]", direction(digits.round), digits.decimals)
    }

    fn notional(&self, held: &Position, row: &PositionTerms) -> Step {
        let how = match held.rules().contract {
            Contract::Linear => format!("|size| {} × price {}", held.size.abs(), held.price),
            Contract::Inverse { face } => {
                format!("|size| {} × {face} ÷ price {}, rounded up", held.size.abs(), held.price)
            }
        };
        let digits = self.digits_how(held.rules().notional_digits, DigitsClauses::notional);
        Step::new("notional", row.notional, how + &digits)
    }

    fn position_maintenance(&self, held: &Position, row: &PositionTerms) -> Step {
        let terms = &row.maintenance;
        let fee = held.rules().closing_fee;
        let mut how = String::from("notional × rate");
        if !terms.deduction.is_zero() {
            how.push_str(" − deduction");
        }
        if fee.is_positive() {
            how.push_str(" + fee to close");
        }
        how.push_str(&self.digits_how(held.rules().maintenance_digits, DigitsClauses::maintenance));
        let mut parts = vec![self.notional(held, row), self.rate(held, row, false)];
        if !terms.deduction.is_zero() {
            parts.push(Step::new("deduction", terms.deduction, "joins the tier to the one below it"));
        }
        parts.extend(self.fee(held, row));
        Step::new("position_maintenance_margin", terms.required, how).of(parts)
    }

    fn position_initial(&self, held: &Position, row: &PositionTerms) -> Step {
        let terms = &row.initial;
        let rules = held.rules();
        let entry = rules.initial_basis == InitialBasis::Entry;
        let mut how = String::from(if entry { "|cost| × rate" } else { "notional × rate" });
        let fee = if rules.fee_in_initial { self.fee(held, row) } else { None };
        if fee.is_some() {
            how.push_str(" + fee to close");
        }
        how.push_str(&self.digits_how(rules.initial_digits, DigitsClauses::initial));
        let section = &self.rulebook.sections.initial;
        let base = if entry { cost(held) } else { self.notional(held, row) };
        Step::new("position_initial_margin", terms.required, how)
            .by(section.clauses.basis(&section.clause.0))
            .of([base, self.rate(held, row, true)])
            .of(fee)
    }

    fn rate(&self, held: &Position, row: &PositionTerms, initial: bool) -> Step {
        let terms = if initial { &row.initial } else { &row.maintenance };
        if initial && held.leverage == terms.rate && held.leverage_text.is_some() {
            let how =
                format!("1 ÷ leverage {}, from the book, rounded up", held.leverage_text.as_deref().unwrap_or(""));
            return Step::new("rate", percent(terms.rate), how);
        }
        let how = ladder_how(held, row.notional, initial);
        let clause = if initial { held.clauses.initial(&held.clause) } else { held.clauses.maintenance(&held.clause) };
        Step::new("rate", percent(terms.rate), how).by(clause)
    }

    fn fee(&self, held: &Position, row: &PositionTerms) -> Option<Step> {
        let rules = held.rules();
        if !rules.closing_fee.is_positive() {
            return None;
        }
        let on = match rules.fee_basis {
            FeeBasis::Notional => Step::new("notional", row.fee_notional, "as above"),
            FeeBasis::Bankruptcy => {
                Step::new("notional at bankruptcy", row.fee_notional, "|cost| × (1 ∓ 1 ÷ leverage), rounded up")
            }
        };
        let section = &self.rulebook.sections.closing_fee;
        let fee = Step::new("taker fee", percent(rules.closing_fee), "of the market");
        Some(
            Step::new("fee to close", row.maintenance.closing_fee, "notional × taker fee, rounded up")
                .by(section.clauses.on(&section.clause.0))
                .of([on, fee.by(held.clauses.taker_fee(&held.clause))]),
        )
    }

    fn liquidation_price(&self, at: usize, held: &Position) -> Option<Step> {
        let prices = self.account.liquidation_prices(self.terms, at)?;
        let section = &self.rulebook.sections.liquidation_price;
        let name = "liquidation_price";
        let of_cross = section.cross.is_some_and(|cross| PriceForm::from(cross) == held.rules().price_form);
        let clause = match of_cross {
            true => section.clauses.cross(&section.clause.0),
            false => section.clauses.form(&section.clause.0),
        };
        let price = match (prices.below, prices.above) {
            (LiquidationPrice::AlreadyBelow, _) => {
                let step = Step::new(name, "none", "the account is below its line at the prices of now").by(clause);
                return Some(step.of([self.equity(), self.maintenance()]));
            }
            (LiquidationPrice::At(price), LiquidationPrice::None)
            | (LiquidationPrice::None, LiquidationPrice::At(price)) => price,
            (LiquidationPrice::At(below), LiquidationPrice::At(above)) => {
                let how = format!("equity = maintenance_margin both when {} falls and when it rises", held.market);
                return Some(Step::new(name, format!("{below} and {above}"), how).by(clause).of(self.checks(at, held)));
            }
            _ => {
                let how = format!("no price of {} alone puts the account below its line", held.market);
                return Some(Step::new(name, "none", how).by(clause).of([self.equity(), self.maintenance()]));
            }
        };
        let shown = self.rulebook.shown_price(price);
        let rounding =
            section.shown.as_ref().map_or((8, Round::TowardZero), |digits| (digits.0.decimals, digits.0.round));
        let rounding_clause = match self.rulebook.account.nearest_price {
            true => section.clauses.nearest(&section.clause.0),
            false => section.clauses.shown(&section.clause.0),
        };
        let step = |how: &str| {
            let way = if self.rulebook.account.nearest_price { "nearest" } else { direction(rounding.1) };
            let how = format!("{how}, {way}, {} digits{}", rounding.0, beside(rounding_clause, clause));
            Step::new(name, shown, how).by(clause)
        };
        Some(match held.rules().price_form {
            PriceForm::Solved => {
                let how = format!("price of {} alone at which equity = maintenance_margin", held.market);
                step(&how).of(self.closed_form(at, held, price)).of(self.checks(at, held))
            }
            PriceForm::Distance => step("price − headroom ÷ size ÷ (1 ∓ maintenance rate)").of(self.stated(at, held)),
            PriceForm::Undivided => step("price − headroom ÷ size").of(self.stated(at, held)),
            PriceForm::UndividedAtEntry => {
                let how = "price − (equity − Σ maintenance margins of the entry prices with their fees) ÷ size, in the numeraire";
                step(how).of(self.stated(at, held))
            }
            PriceForm::EntryMaintenance => {
                step("price at which equity = maintenance margin of the entry price").of(self.stated(at, held))
            }
        })
    }

    /// What a stated form is made of.
    fn stated(&self, at: usize, held: &Position) -> Vec<Step> {
        let mut parts = vec![
            Step::new("price", held.price, "from the book"),
            Step::new("headroom", self.terms.headroom(), "equity − maintenance_margin")
                .of([self.equity(), self.maintenance()]),
            Step::new("size", held.size, "from the book"),
        ];
        if let Some(row) = self.terms.positions.get(at) {
            parts.push(self.rate(held, row, false));
        }
        parts
    }

    /// The linear equation that a linear position in one tier solves, where nothing but its price moves and no haircut bends it.
    fn closed_form(&self, at: usize, held: &Position, price: Price) -> Option<Step> {
        let wallet = self.unit.wallets.get(held.settlement)?;
        let row = self.terms.positions.get(at)?;
        let alone = self.unit.positions.iter().filter(|other| other.market == held.market).count() == 1;
        let rules = held.rules();
        let straight =
            wallet.haircut == Rate::ONE && wallet.index_price == Price::ONE && rules.maintenance_digits.is_none();
        if rules.contract != Contract::Linear || !alone || !straight {
            return None;
        }
        let there = self.unit_at(at, price)?;
        let beside = self.terms.equity - row.upnl;
        let others = self.terms.maintenance - row.maintenance.required;
        let (rate, deduction) = (there.maintenance.rate, there.maintenance.deduction);
        let on_notional =
            rules.fee_basis == FeeBasis::Notional && rules.fee_in_price && rules.closing_fee.is_positive();
        let fixed = if on_notional || !rules.fee_in_price { Money::ZERO } else { row.maintenance.closing_fee };
        let slope = if on_notional { "size − |size| × (rate + fee)" } else { "size − |size| × rate" };
        let mut top = String::from("cost − equity beside it + other maintenance");
        let mut parts = vec![
            cost(held),
            Step::new("equity beside it", beside, "equity − its upnl").of([self.equity()]),
            Step::new("other maintenance", others, "of the other positions").of(self.others(at)),
        ];
        if !deduction.is_zero() {
            top.push_str(" − deduction");
        }
        if fixed.is_positive() {
            top.push_str(" + fee to close");
            parts.extend(self.fee(held, row));
        }
        parts.push(Step::new("size", held.size, "from the book"));
        let how = ladder_how(held, there.notional, false);
        parts.push(
            Step::new("rate", percent(rate), format!("at the price found: notional {}, {how}", there.notional))
                .by(held.clauses.maintenance(&held.clause)),
        );
        if !deduction.is_zero() {
            parts.push(Step::new("deduction", deduction, "of that tier"));
        }
        if on_notional {
            let fee = Step::new("fee", percent(rules.closing_fee), "taker fee of the market");
            parts.push(fee.by(held.clauses.taker_fee(&held.clause)));
        }
        Some(Step::new("solved", "", format!("({top}) ÷ ({slope})")).of(parts))
    }

    fn others(&self, at: usize) -> Vec<Step> {
        let rows = self.unit.positions.iter().zip(&self.terms.positions).enumerate().filter(|(n, _)| *n != at);
        rows.map(|(_, (held, row))| {
            let step = self.position_maintenance(held, row);
            Step { name: format!("{} maintenance_margin", held.market), ..step }
        })
        .collect()
    }

    fn unit_at(&self, at: usize, price: Price) -> Option<PositionTerms> {
        self.account.positions.get(at)?.at(price)
    }

    /// The figures one unit on either side of a crossing: what a reader can check by hand.
    fn checks(&self, at: usize, held: &Position) -> Vec<Step> {
        let Some((below, above)) = self.account.crossings(self.terms, at) else { return Vec::new() };
        let number = self.account.positions.get(at).map(|holding| holding.market);
        let mut steps = Vec::new();
        for price in
            [below, above].into_iter().flatten().flat_map(|crossing| [crossing.last_good, crossing.first_below])
        {
            let moved =
                |holding: &rules::Holding<'_>| Some(if Some(holding.market) == number { price } else { holding.price });
            if let Some(terms) = self.account.terms_at(moved) {
                steps.push(Step::new(format!("check at {} {price}", held.market), "", self.standing(&terms)));
            }
        }
        steps
    }

    fn bankruptcy_price(&self, at: usize, held: &Position) -> Option<Step> {
        let price = match self.account.bankruptcy_price(self.terms, at)? {
            rules::Bankruptcy::At(price) => price.to_string(),
            rules::Bankruptcy::None => "none".into(),
        };
        let how = format!(
            "price of {} alone at which equity without haircuts = 0, rounded in the account's favour",
            held.market
        );
        Some(Step::new("bankruptcy_price", price, how).of([
            cost(held),
            Step::new("size", held.size, "from the book"),
            self.equity(),
        ]))
    }
}

fn shown_ratio(ratio: i128) -> String {
    i64::try_from(ratio).ok().and_then(Rate::new).map_or_else(|| "above 10000%".into(), percent)
}

/// A second clause within a line whose own is another.
fn beside(clause: &str, own: &str) -> String {
    if clause == own { String::new() } else { format!(" [{clause}]") }
}

fn cost(held: &Position) -> Step {
    let how = match held.rules().contract {
        Contract::Linear => format!("size {} × entry_price {}", held.size, held.entry_price),
        Contract::Inverse { face } => format!("−size {} × {face} ÷ entry_price {}", held.size, held.entry_price),
    };
    Step::new("cost", held.cost, how)
}

fn upnl(held: &Position, row: &PositionTerms) -> Step {
    let how = match held.rules().contract {
        Contract::Linear => format!("size {} × (price {} − entry_price {})", held.size, held.price, held.entry_price),
        Contract::Inverse { face } => {
            format!(
                "size {} × {face} × (1 ÷ entry_price {} − 1 ÷ price {}), rounded down",
                held.size, held.entry_price, held.price
            )
        }
    };
    Step::new("upnl", row.upnl, how)
}

/// How the ladder of a market comes to its rate.
fn ladder_how(held: &Position, notional: Money, initial: bool) -> String {
    match &held.rules().ladder {
        Ladder::Tiers(table) => {
            let tiers = table.tiers();
            let tier = table.of(notional);
            let at = tiers.iter().position(|row| row.cap == tier.cap).unwrap_or(0) + 1;
            format!("tier {at} of {}: above {} up to {}", tiers.len(), tier.floor, tier.cap)
        }
        Ladder::Steps(steps) => format!(
            "{} + {} steps of {} above {} × {}",
            percent(if initial { steps.initial } else { steps.maintenance }),
            steps.started(notional),
            steps.step,
            steps.base,
            percent(steps.rise)
        ),
        Ladder::PerSize(ladder) => format!(
            "{} + |size| × {}",
            percent(if initial { ladder.initial } else { ladder.maintenance }),
            percent(ladder.rise)
        ),
        Ladder::PerNotional(ladder) => format!(
            "{} + notional × {}",
            percent(if initial { ladder.initial } else { ladder.maintenance }),
            percent(ladder.rise)
        ),
        Ladder::SizeRoot(ladder) => {
            let base = percent(if initial { ladder.initial } else { ladder.maintenance });
            format!("the larger of {base} and 80% of it + √|size| × {}", percent(ladder.rise))
        }
        Ladder::OpenInterest(ladder) if initial => format!(
            "{} up to an open interest of {}, 100% from {}; it is {}",
            percent(ladder.initial),
            ladder.lower,
            ladder.upper,
            held.rules().open_interest
        ),
        Ladder::OpenInterest(ladder) => {
            format!("{} × {}, down to parts per million", percent(ladder.initial), percent(ladder.fraction))
        }
        Ladder::RiskFactors(factors) => {
            let side = if held.size.is_negative() { factors.short } else { factors.long };
            let sum = format!("slippage {} + risk factor {}", percent(factors.slippage), percent(side));
            if initial { format!("({sum}) × {}", percent(factors.initial_factor)) } else { sum }
        }
    }
}
