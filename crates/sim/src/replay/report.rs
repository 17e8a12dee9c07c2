//! What a run gives back: every number of the table and of `--json`. Amounts are decimal text, so that none is rounded on
//! its way; `docs/replay.md` explains each field.

use super::config::{Config, FeedbackKnobs};
use super::decimal::decimal_text;
use super::feedback::Displacement;
use super::figures::Figures;
use super::moments::{Distribution, MarketMaps, ShockMap};
use super::opening::Population;
use super::receipts::ReceiptRow;
use super::series::Series;
use super::tally::{Closed, Extremes, MarketTally, Settlement, Tally};
use super::tiers::TierOrigin;
use super::venue::Venue;
use engine::{AccountKind, State, Wallet};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use units::{Money, Price, Rate, Round, Time, limits};

/// The version of the fields below.
pub const SCHEMA: &str = "plimsoll.replay/2";

/// What may not be concluded, and what is ours; part of every output.
pub const STATEMENTS: [&str; 4] = [
    "the index follows published prices, which already contain the cascade that happened: the liquidations of this run move last and premium, not the index",
    "inside a candle the path is ours: open, nearer extreme, other extreme, close, in straight lines at constant speed",
    "population, liquidity and fund are assumptions: amounts say what these rules do to this population, not what happened on the exchange",
    "amounts are in the quote asset, which counts as worth 1 throughout",
];

/// What a run on a path that did not happen says instead of the first two.
const GENERATED: &str = "prices are generated: a path that did not happen; nothing here says how likely it is, and the liquidations of this run move last and premium, not the index";

/// What lies under a feedback on published prices.
const PUBLISHED_BELOW: &str = "it is added to published prices, which already contain the cascade that happened, so part of the fall is counted twice";
/// What lies under a feedback on generated prices.
const GENERATED_BELOW: &str = "the prices below it are generated, a path that did not happen";

/// The statements of a run.
#[must_use]
pub fn statements(generated: bool, feedback: Option<FeedbackKnobs>) -> Vec<String> {
    let first = match (generated, feedback) {
        (_, Some(FeedbackKnobs { impact, half_life_ms })) => {
            let seconds = half_life_ms / 1_000;
            format!(
                "FEEDBACK IS ON, the index is a model: what the ladder and the fund trade through the book moves it by {impact} × net notional ÷ quoted depth, which halves every {seconds} s; {}",
                if generated { GENERATED_BELOW } else { PUBLISHED_BELOW }
            )
        }
        (true, None) => GENERATED.to_owned(),
        (false, None) => STATEMENTS[0].to_owned(),
    };
    let skip = if generated { 2 } else { 1 };
    std::iter::once(first).chain(STATEMENTS.into_iter().skip(skip).map(str::to_owned)).collect()
}

/// The result of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Name of the replay.
    pub name: String,
    /// Where the figures come from.
    pub sources: Vec<String>,
    /// What is ours and what may not be concluded.
    pub statements: Vec<String>,
    /// First price of the window.
    #[serde(serialize_with = "time")]
    pub from: Time,
    /// Last price of the window.
    #[serde(serialize_with = "time")]
    pub to: Time,
    /// Milliseconds of a candle.
    pub candle_ms: i64,
    /// Prices sent.
    pub steps: u64,
    /// Commands sent, the opening included.
    pub commands: u64,
    /// All knobs.
    pub config: Config,
    /// What the population came to.
    pub population: Population,
    /// By market.
    pub markets: Vec<MarketReport>,
    /// In total.
    pub total: Total,
    /// Refusals by who asked and by name.
    pub refusals: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// Hash chain over all events, hexadecimal.
    pub event_digest: String,
    /// Hash over the state at the end, hexadecimal.
    pub state_digest: String,
    /// How far feedback moved each index; left out when it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Vec<Displacement>>,
    /// The run over time.
    pub series: Series,
    /// How far everyone was from the line: before, at the low of the first market by turnover, after.
    pub distributions: Vec<Distribution>,
    /// How much would be closed at which price, by market: before, at its low, after.
    pub liquidation_maps: Vec<MarketMaps>,
    /// How much would be closed were all marks to move at once, at three moments.
    pub shock_maps: Vec<ShockMap>,
    /// The largest receipts of deleveraging, at most [`super::LISTED_MAX`], largest first.
    pub largest_receipts: Vec<ReceiptRow>,
}

/// The result of one market; amounts in the quote asset.
#[derive(Clone, Debug, Serialize)]
pub struct MarketReport {
    /// Name on the exchange.
    pub symbol: String,
    /// One contract is this many base units.
    pub contract_base_units: u64,
    /// Date of the tier table; empty for the generic ladder.
    pub tiers_date: String,
    /// How the tier table was chosen.
    pub tiers_origin: TierOrigin,
    /// Notional of all longs at the first mark.
    pub interest_before: Money,
    /// Notional of all longs at the last mark.
    pub interest_after: Money,
    /// Index per base unit, as the sources quote it.
    pub index: PriceReport,
    /// Mark per base unit.
    pub mark: PriceReport,
    /// Lowest last ÷ index − 1.
    pub premium_low: Rate,
    /// Highest last ÷ index − 1.
    pub premium_high: Rate,
    /// Counts of the ladder.
    #[serde(flatten)]
    pub counts: Counts,
    /// Settlements.
    pub funding: Vec<FundingReport>,
}

/// A settlement of funding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FundingReport {
    /// When.
    #[serde(serialize_with = "time")]
    pub at: Time,
    /// Per interval; + means that longs paid.
    pub rate: Rate,
    /// The mark it was computed at, per base unit.
    pub mark: String,
}

impl FundingReport {
    fn of(settlement: &Settlement, power: u32) -> Self {
        Self { at: settlement.at, rate: settlement.rate, mark: per_base_unit(settlement.mark, power) }
    }
}

/// A price over the window, decimal text per base unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceReport {
    /// The first.
    pub first: String,
    /// The lowest.
    pub low: String,
    /// The highest.
    pub high: String,
    /// The last.
    pub last: String,
}

impl PriceReport {
    fn of(prices: &Extremes, power: u32) -> Self {
        let text = |price: Price| per_base_unit(price, power);
        Self { first: text(prices.first), low: text(prices.low), high: text(prices.high), last: text(prices.last) }
    }
}

/// A price per contract of 10^`power` base units as text per base unit: the point moves, no digit changes.
#[must_use]
pub fn per_base_unit(price: Price, power: u32) -> String {
    decimal_text(price.units().into(), limits::PRICE_DECIMALS + power)
}

/// What the ladder did, of one market or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Accounts of the population that fell below the line; in a market, those with a position there.
    pub below_line: u64,
    /// Their orders that the ladder cancelled.
    pub orders_cancelled: u64,
    /// Closed through the book.
    pub reduced: Closed,
    /// Taken over by volunteers.
    pub backstop: Closed,
    /// Taken over by the fund.
    pub taken_over: Closed,
    /// Closed against winners; each is a receipt.
    pub deleveraged: Closed,
    /// Receipts that closed contracts which hedged something else in the winner's account (broken hedges), and these
    /// contracts at the mark.
    pub hedges_broken: Closed,
    /// Unwound by the fund through the book.
    pub unwound: Closed,
    /// Attempts that found nobody left to take the size.
    pub uncovered: Closed,
    /// What closing through the book cost against the mark; + is a cost.
    pub slippage: Money,
    /// The same of the fund's unwinding.
    pub unwind_slippage: Money,
    /// Fees of orders, opening excluded.
    pub trading_fees: Money,
    /// Fees of the ladder.
    pub liquidation_fees: Money,
    /// The minute in which most was closed by force; none when nothing was.
    pub worst_minute: Option<Minute>,
}

/// A minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Its beginning.
    #[serde(serialize_with = "time")]
    pub at: Time,
    /// Closed by force in it.
    pub closed: Money,
}

/// The result in total.
#[derive(Clone, Debug, Serialize)]
pub struct Total {
    /// Sums over the markets; accounts count once.
    #[serde(flatten)]
    pub counts: Counts,
    /// Liquidations of positions begun, a second one of the same account included.
    pub liquidations: u64,
    /// Of makers, hedgers and volunteers.
    pub liquidations_house: u64,
    /// Ended above the line.
    pub restored: u64,
    /// Ended without a position.
    pub closed: u64,
    /// Not ended when the window did.
    pub unfinished: u64,
    /// Conversions of collateral.
    pub conversions: u64,
    /// The fund.
    pub fund: FundReport,
    /// What nobody has paid: of accounts without positions that are worth less than nothing at the last index.
    pub deficits: Money,
    /// Debts of accounts without positions that hold enough other collateral, which nobody has bought.
    pub debts_unconverted: Money,
    /// Accounts that were deleveraged.
    pub adl_accounts: u64,
    /// Receipts of deleveraging.
    pub adl_receipts: u64,
    /// What winners had gained at the mark on the contracts that were closed, losses counted against it.
    pub winners_profit: Money,
    /// What the price of the deleveraging took of it.
    pub winners_profit_taken: Money,
}

/// Equity of the insurance fund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FundReport {
    /// At the first price.
    pub before: Money,
    /// The lowest after any step.
    pub low: Money,
    /// At the last price.
    pub after: Money,
    /// Paid for accounts below zero.
    pub paid: Money,
}

/// A moment as text.
fn time<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

impl Counts {
    fn of(tally: &MarketTally, start: Time) -> Self {
        Self {
            below_line: tally.below,
            orders_cancelled: tally.orders_cancelled,
            reduced: tally.reduced,
            backstop: tally.backstop,
            taken_over: tally.taken_over,
            deleveraged: tally.deleveraged,
            hedges_broken: tally.hedges_broken,
            unwound: tally.unwound,
            uncovered: tally.uncovered,
            slippage: tally.slippage,
            unwind_slippage: tally.unwind_slippage,
            trading_fees: tally.trading_fees,
            liquidation_fees: tally.liquidation_fees,
            worst_minute: worst(&tally.minutes, start),
        }
    }

    fn add(&mut self, other: &Self) {
        self.orders_cancelled += other.orders_cancelled;
        let pairs = [
            (&mut self.reduced, &other.reduced),
            (&mut self.backstop, &other.backstop),
            (&mut self.taken_over, &other.taken_over),
            (&mut self.deleveraged, &other.deleveraged),
            (&mut self.hedges_broken, &other.hedges_broken),
            (&mut self.unwound, &other.unwound),
            (&mut self.uncovered, &other.uncovered),
        ];
        for (sum, more) in pairs {
            sum.steps += more.steps;
            sum.notional += more.notional;
        }
        self.slippage += other.slippage;
        self.unwind_slippage += other.unwind_slippage;
        self.trading_fees += other.trading_fees;
        self.liquidation_fees += other.liquidation_fees;
    }

    /// Closed by force: through the book, by volunteers, by the fund and against winners.
    #[must_use]
    pub fn forced(&self) -> Money {
        self.reduced.notional + self.backstop.notional + self.taken_over.notional + self.deleveraged.notional
    }
}

/// The first of the minutes in which most was closed.
fn worst(minutes: &BTreeMap<i64, Money>, start: Time) -> Option<Minute> {
    let (minute, closed) = minutes.iter().max_by_key(|(minute, closed)| (**closed, -**minute))?;
    Some(Minute { at: start.plus_ns(minute * 60_000_000_000), closed: *closed })
}

/// The reports of all markets.
#[must_use]
pub fn markets(
    figures: &Figures,
    venue: &Venue,
    tally: &Tally,
    state: &State,
    before: &[Money],
    start: Time,
) -> Vec<MarketReport> {
    let rows = figures.markets.iter().zip(&venue.markets).zip(&tally.markets).zip(before);
    let report = |(((figures, listed), tally), before): (
        ((&super::figures::MarketFigures, &super::venue::Listed), &MarketTally),
        &Money,
    )| {
        MarketReport {
            symbol: figures.symbol.clone(),
            contract_base_units: 10u64.pow(figures.power),
            tiers_date: figures.tiers.date.clone(),
            tiers_origin: figures.tiers.origin,
            interest_before: *before,
            interest_after: interest(state, listed.market),
            index: PriceReport::of(&tally.index, figures.power),
            mark: PriceReport::of(&tally.mark, figures.power),
            premium_low: tally.premium.0,
            premium_high: tally.premium.1,
            counts: Counts::of(tally, start),
            funding: tally.funding.iter().map(|s| FundingReport::of(s, figures.power)).collect(),
        }
    };
    rows.map(report).collect()
}

/// Notional of all longs at the mark.
#[must_use]
pub fn interest(state: &State, market: engine::MarketId) -> Money {
    let market = state.market(market);
    let units = market.open_interest.saturating_mul(i128::from(market.mark.units()));
    Money::from_units(units)
}

/// What nobody has paid by now, at index without haircuts: of accounts that are worth less than nothing, and debts
/// of accounts that hold enough other collateral which nobody has bought. Accounts with positions are left out.
pub fn owed(state: &State) -> (Money, Money) {
    let (mut deficits, mut unconverted) = (Money::ZERO, Money::ZERO);
    for account in state.accounts.iter().filter(|a| a.kind != AccountKind::Fund && !a.has_position()) {
        let price = |asset| state.asset_price(asset);
        let worth = |w: &Wallet| w.amount.at_index(price(w.asset), Rate::ONE, Round::Down).unwrap_or(Money::ZERO);
        let net: Money = account.wallets.iter().map(worth).sum();
        let debts: Money = account.wallets.iter().map(worth).filter(|m| m.is_negative()).sum();
        deficits += (-net).max(Money::ZERO);
        unconverted += (-debts) - (-net).max(Money::ZERO);
    }
    (deficits, unconverted)
}

/// The sums over all markets.
#[must_use]
pub fn total(tally: &Tally, markets: &[MarketReport], state: &State, fund: FundReport, start: Time) -> Total {
    let mut counts = Counts::default();
    let mut minutes: BTreeMap<i64, Money> = BTreeMap::new();
    for (report, tally) in markets.iter().zip(&tally.markets) {
        counts.add(&report.counts);
        for (minute, closed) in &tally.minutes {
            *minutes.entry(*minute).or_default() += *closed;
        }
    }
    let (deficits, debts_unconverted) = owed(state);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    counts.below_line = count(tally.below.len());
    counts.worst_minute = worst(&minutes, start);
    Total {
        counts,
        liquidations: tally.begun,
        liquidations_house: tally.house,
        restored: tally.restored,
        closed: tally.closed,
        unfinished: count(tally.open.len()),
        conversions: tally.conversions,
        fund: FundReport { paid: tally.paid_by_fund, ..fund },
        deficits,
        debts_unconverted,
        adl_accounts: count(tally.winners.len()),
        adl_receipts: tally.receipts,
        winners_profit: tally.profit_closed,
        winners_profit_taken: tally.profit_taken,
    }
}
