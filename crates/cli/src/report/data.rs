//! What a page reads from a replay's JSON (`plimsoll.replay/2`): a subset, so that fields may be added there. A result
//! of this process and one of another are read alike.

use serde::Deserialize;
use serde_json::Value;
use units::Money;

/// A decimal text as the JSON carries it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Num(pub String);

impl Num {
    /// For drawing only: a pixel needs no more digits than this has.
    pub fn f(&self) -> f64 {
        self.0.parse().unwrap_or(0.0)
    }

    /// For sums; nothing where it is no amount.
    pub fn money(&self) -> Money {
        self.0.parse().unwrap_or(Money::ZERO)
    }

    /// Whole amounts from 100, two digits after the point below, cut toward zero.
    pub fn cut(&self) -> String {
        let (whole, part) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let long = whole.trim_start_matches('-').len() >= 3;
        let part = part.get(..2.min(part.len())).unwrap_or("").trim_end_matches('0');
        let text = if long || part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") };
        if text == "-0" { "0".to_owned() } else { text }
    }

    /// True unless it is nothing.
    pub fn is_some(&self) -> bool {
        self.0.bytes().any(|b| matches!(b, b'1'..=b'9'))
    }
}

/// One run: a replay, or a variant of a comparison.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    /// What a comparison calls it; empty otherwise.
    #[serde(default)]
    pub variant: String,
    pub name: String,
    pub sources: Vec<String>,
    pub statements: Vec<String>,
    pub from: String,
    pub to: String,
    pub steps: u64,
    pub commands: u64,
    pub config: Value,
    pub population: Value,
    pub markets: Vec<Market>,
    pub total: Total,
    pub event_digest: String,
    pub state_digest: String,
    #[serde(default)]
    pub reproduce: String,
    pub series: Series,
    pub distributions: Vec<Distribution>,
    pub liquidation_maps: Vec<MarketMaps>,
    pub shock_maps: Vec<ShockMap>,
    pub largest_receipts: Vec<Receipt>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Market {
    pub symbol: String,
    pub tiers_date: String,
    pub tiers_origin: String,
    pub interest_before: Num,
    pub interest_after: Num,
    pub index: Prices,
    #[serde(flatten)]
    pub counts: Counts,
    pub funding: Vec<Funding>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Prices {
    pub first: Num,
    pub low: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Funding {
    pub at: String,
    pub rate: Num,
    pub mark: Num,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Closed {
    pub steps: u64,
    pub notional: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Counts {
    pub below_line: u64,
    pub orders_cancelled: u64,
    pub reduced: Closed,
    pub backstop: Closed,
    pub taken_over: Closed,
    pub deleveraged: Closed,
    pub hedges_broken: Closed,
    pub unwound: Closed,
    pub uncovered: Closed,
    pub slippage: Num,
    pub unwind_slippage: Num,
    pub trading_fees: Num,
    pub liquidation_fees: Num,
    pub worst_minute: Option<Minute>,
}

impl Counts {
    /// Closed by force: book, volunteers, fund and winners.
    pub fn forced(&self) -> f64 {
        [&self.reduced, &self.backstop, &self.taken_over, &self.deleveraged].iter().map(|c| c.notional.f()).sum()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Minute {
    pub at: String,
    pub closed: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Total {
    #[serde(flatten)]
    pub counts: Counts,
    pub liquidations: u64,
    pub liquidations_house: u64,
    pub restored: u64,
    pub closed: u64,
    pub unfinished: u64,
    pub conversions: u64,
    pub fund: Fund,
    pub deficits: Num,
    pub debts_unconverted: Num,
    pub adl_accounts: u64,
    pub adl_receipts: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Fund {
    pub before: Num,
    pub low: Num,
    pub after: Num,
    pub paid: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Series {
    pub interval_ms: i64,
    pub at: Vec<String>,
    pub below_line: Vec<u64>,
    pub liquidating: Vec<u64>,
    pub fund: Vec<Num>,
    pub fund_low: Vec<Num>,
    pub fund_paid: Vec<Num>,
    pub deficits: Vec<Num>,
    pub receipts: Vec<u64>,
    pub hedges_broken: Vec<u64>,
    pub markets: Vec<MarketSeries>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct MarketSeries {
    pub symbol: String,
    pub index: Vec<Num>,
    pub index_low: Vec<Num>,
    pub mark: Vec<Num>,
    pub last: Vec<Num>,
    pub funding_rate: Vec<Num>,
    pub reduced: Vec<Num>,
    pub backstop: Vec<Num>,
    pub taken_over: Vec<Num>,
    pub deleveraged: Vec<Num>,
    pub unwound: Vec<Num>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Distribution {
    pub when: String,
    pub at: String,
    pub bins: Vec<RatioBin>,
    pub without_position: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RatioBin {
    pub from: Num,
    pub subaccounts: u64,
    pub notional: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct MarketMaps {
    pub symbol: String,
    pub maps: Vec<Map>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Map {
    pub when: String,
    pub at: String,
    pub mark: Num,
    pub steps: Vec<MapStep>,
    pub far_long: Num,
    pub far_short: Num,
    pub below_line: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct MapStep {
    pub from: Num,
    pub price_from: Num,
    pub price_to: Num,
    pub long: Num,
    pub short: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ShockMap {
    pub when: String,
    pub at: String,
    pub steps: Vec<ShockStep>,
    pub accounts: u64,
    pub candidates: u64,
    pub evaluated: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ShockStep {
    pub moved: Num,
    pub subaccounts: u64,
    pub long: Num,
    pub short: Num,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Receipt {
    pub at: String,
    pub symbol: String,
    pub winner: String,
    pub failing: String,
    pub side: String,
    pub notional: Num,
    pub hedged: Num,
    pub mark: Num,
    pub price: Num,
    pub rank: u32,
}

/// Sum of several columns, row by row, to the last digit.
pub fn sums<'a>(columns: impl Iterator<Item = &'a Vec<Num>>, len: usize) -> Vec<Num> {
    let mut out = vec![Money::ZERO; len];
    for column in columns {
        for (sum, value) in out.iter_mut().zip(column) {
            *sum += value.money();
        }
    }
    out.into_iter().map(|sum| Num(sum.to_string())).collect()
}
