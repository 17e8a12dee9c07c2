//! Margin ladders on paper: each form of them as the published parameters say, in whole numbers and with roundings of its own.
//!
//! Shares nothing with `rules` but the form in which the parameters are published.

use super::num::{COIN, Dir, RATE, div, mul_div};
use serde_json::Value;

/// One contract, in the unit of sizes.
const CONTRACT: i128 = 100_000_000;
/// No rate of a position that is held is above this.
const MOST: i128 = 10 * RATE;

/// One size tier.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    pub cap: i128,
    pub initial: i128,
    pub maintenance: i128,
    pub deduction: i128,
}

/// How margin grows with a position.
#[derive(Clone, Debug)]
pub enum Form {
    Tiers(Vec<Tier>),
    Steps { initial: i128, maintenance: i128, base: i128, step: i128, rise: i128 },
    PerContract { initial: i128, maintenance: i128, rise: i128 },
    PerCoin { initial: i128, maintenance: i128, rise: i128 },
    Root { initial: i128, maintenance: i128, rise: i128 },
    Interest { initial: i128, maintenance: i128, lower: i128, upper: i128 },
    Sides { long: i128, short: i128, factor: i128 },
}

/// What a form says of a position: rates in 1e-9, the second never below nothing, and what comes off.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub initial: i128,
    pub maintenance: i128,
    pub deduction: i128,
}

impl Form {
    /// Reads what a command carried, in its published form; deductions are worked out again.
    pub fn read(published: &Value) -> Option<Self> {
        let (name, of) = published.as_object()?.iter().next()?;
        let rate = |field: &str| Some(i128::from(of[field].as_str()?.parse::<units::Rate>().ok()?.units()));
        let amount = |field: &str| Some(of[field].as_str()?.parse::<units::Money>().ok()?.units());
        let rates = || Some((rate("initial")?, rate("maintenance")?, rate("rise")?));
        Some(match name.as_str() {
            "tiers" => Self::Tiers(tiers(of.as_array()?)?),
            "steps" => {
                let (initial, maintenance, rise) = rates()?;
                Self::Steps { initial, maintenance, base: amount("base")?, step: amount("step")?, rise }
            }
            "per_size" => {
                rates().map(|(initial, maintenance, rise)| Self::PerContract { initial, maintenance, rise })?
            }
            "per_notional" => {
                rates().map(|(initial, maintenance, rise)| Self::PerCoin { initial, maintenance, rise })?
            }
            "size_root" => rates().map(|(initial, maintenance, rise)| Self::Root { initial, maintenance, rise })?,
            "open_interest" => {
                let initial = rate("initial")?;
                // Parts per million.
                let maintenance = initial * rate("fraction")? / RATE / 1_000 * 1_000;
                Self::Interest { initial, maintenance, lower: amount("lower")?, upper: amount("upper")? }
            }
            "risk_factors" => {
                let slippage = rate("slippage")?;
                let (long, short) = (slippage + rate("long")?, slippage + rate("short")?);
                Self::Sides { long, short, factor: rate("initial_factor")? }
            }
            _ => return None,
        })
    }

    /// Rates of `size` contracts worth `notional` in a market with `interest` open, settlement asset.
    pub fn of(&self, size: i128, notional: i128, interest: i128) -> Said {
        let (initial, maintenance) = self.exact(size, notional, interest);
        let deduction = self.tier(notional).map_or(0, |t| t.deduction);
        Said { initial: initial.min(MOST), maintenance: maintenance.min(MOST), deduction }
    }

    /// Whether somebody may open this.
    pub fn allows(&self, size: i128, notional: i128, interest: i128) -> bool {
        let (initial, maintenance) = self.exact(size, notional, interest);
        notional <= self.cap() && initial.max(maintenance) <= MOST
    }

    /// The largest notional of one position.
    pub fn cap(&self) -> i128 {
        match self {
            Self::Tiers(tiers) => tiers.last().map_or(0, |t| t.cap),
            _ => 1 << 106,
        }
    }

    /// Maintenance and initial rate of the smallest positions: none has less.
    pub fn least(&self) -> Said {
        let (long, short) = (self.of(0, 0, 0), self.of(-1, 0, 0));
        if short.maintenance < long.maintenance && matches!(self, Self::Sides { .. }) { short } else { long }
    }

    /// Notionals that one tier or step ends at, lowest first, up to the one above `notional`.
    pub fn ends(&self, notional: i128) -> Vec<i128> {
        match self {
            Self::Tiers(tiers) => tiers.iter().map(|t| t.cap).collect(),
            Self::Steps { base, step, .. } => {
                let mut ends = vec![*base];
                while ends.last().is_some_and(|end| *end < notional) {
                    ends.push(ends[ends.len() - 1] + step);
                }
                ends
            }
            _ => Vec::new(),
        }
    }

    fn tier(&self, notional: i128) -> Option<&Tier> {
        let Self::Tiers(tiers) = self else { return None };
        tiers.iter().find(|t| notional <= t.cap).or(tiers.last())
    }

    fn exact(&self, size: i128, notional: i128, interest: i128) -> (i128, i128) {
        match *self {
            Self::Tiers(_) => self.tier(notional).map_or((RATE, RATE), |t| (t.initial, t.maintenance)),
            Self::Steps { initial, maintenance, base, step, rise } => {
                let started = if notional > base { (notional - base - 1) / step + 1 } else { 0 };
                let more = mul_div(started, rise, 1, Dir::Up);
                (initial + more, maintenance + more)
            }
            Self::PerContract { initial, maintenance, rise } => {
                let more = mul_div(size.abs(), rise, CONTRACT, Dir::Up);
                (initial + more, maintenance + more)
            }
            Self::PerCoin { initial, maintenance, rise } => {
                let more = mul_div(notional, rise, COIN, Dir::Up);
                (initial + more, maintenance + more)
            }
            Self::Root { initial, maintenance, rise } => {
                // The root of a contract in 1e-8 is the root of size × 1e8.
                let more = mul_div(root_up(size.abs() * CONTRACT), rise, CONTRACT, Dir::Up);
                let with = |rate: i128| rate.max(div(rate * 8, 10, Dir::Up) + more);
                (with(initial), with(maintenance))
            }
            Self::Interest { initial, maintenance, lower, upper } => {
                let rises = upper > 0 && interest > lower;
                let risen = if !rises {
                    initial
                } else if interest >= upper {
                    initial.max(RATE)
                } else {
                    let millionths = (RATE - initial) / 1_000;
                    initial + 1_000 * mul_div(millionths, interest - lower, upper - lower, Dir::Down)
                };
                (risen, maintenance)
            }
            Self::Sides { long, short, factor } => {
                let maintenance = if size < 0 { short } else { long };
                (div(maintenance * factor, RATE, Dir::Up), maintenance)
            }
        }
    }
}

fn tiers(rows: &[Value]) -> Option<Vec<Tier>> {
    let mut tiers: Vec<Tier> = Vec::new();
    for row in rows {
        let rate = |field: &str| Some(i128::from(row[field].as_str()?.parse::<units::Rate>().ok()?.units()));
        let (initial, maintenance) = (rate("initial_rate")?, rate("maintenance_rate")?);
        let cap = row["cap"].as_str()?.parse::<units::Money>().ok()?.units();
        let deduction = tiers.last().map_or(0, |before| {
            before.deduction + mul_div(before.cap, maintenance - before.maintenance, RATE, Dir::Down)
        });
        tiers.push(Tier { cap, initial, maintenance, deduction });
    }
    Some(tiers)
}

/// The square root, rounded up, by halving.
fn root_up(square: i128) -> i128 {
    let (mut low, mut high) = (-1, 1i128 << 62);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle * middle >= square { high = middle } else { low = middle }
    }
    high
}
