//! Portfolio margin: venues' cases, our own rules, refusals, and the fast sums against the plain ones.

pub mod derive;
mod others;
mod paradex;
mod plimsoll;
mod refusals;
mod sums;

use crate::number::{m, p, r};
use plimsoll_rules::options::Right;
use plimsoll_rules::portfolio::{Instrument, InstrumentKind, Market, PlimsollRules};
use units::{Money, Price, Rate, Size};

pub const HOUR_NS: i64 = 3_600_000_000_000;

/// 1e-8 quote a lot.
pub fn unit() -> Money {
    m("0.00000001")
}

pub fn rules() -> PlimsollRules {
    PlimsollRules::with_step(r("0.04")).unwrap()
}

pub fn market() -> Market {
    Market { spot: p("60000"), confidence: Rate::ZERO, horizon_ns: 8 * HOUR_NS }
}

fn lot() -> Size {
    Size::new(100_000).unwrap()
}

/// A call of so many days on a forward of 60,100.
pub fn option(strike: Price, days: i64) -> Instrument {
    let kind = InstrumentKind::DatedOption {
        right: Right::Call,
        strike,
        forward: p("60100"),
        forward_fixed: Price::ZERO,
        volatility: Some(r("0.55")),
        left_ns: days * 24 * HOUR_NS,
        interest: Rate::ZERO,
    };
    Instrument { kind, lot: lot(), quote: 0 }
}

fn put(strike: Price, days: i64) -> Instrument {
    let mut instrument = option(strike, days);
    if let InstrumentKind::DatedOption { right, .. } = &mut instrument.kind {
        *right = Right::Put;
    }
    instrument
}

fn perpetual_option(right: Right, strike: Price, interest: Rate) -> Instrument {
    let (volatility, period_ns) = (Some(r("0.6")), 5 * 24 * HOUR_NS);
    let kind = InstrumentKind::PerpetualOption { right, strike, volatility, period_ns, interest };
    Instrument { kind, lot: lot(), quote: 0 }
}

/// Spot, perpetual, a future of 30 days, calls and puts of 7 and 30 days, perpetual options without and with interest.
pub fn instruments() -> Vec<Instrument> {
    let linear = |kind| Instrument { kind, lot: lot(), quote: 0 };
    vec![
        linear(InstrumentKind::Spot { mark: p("60000") }),
        linear(InstrumentKind::Perpetual { mark: p("60000"), funding: Rate::ZERO, funding_stress: Rate::ZERO }),
        linear(InstrumentKind::Future { mark: p("60300"), left_ns: 30 * 24 * HOUR_NS }),
        option(p("60000"), 7),
        option(p("120000"), 7),
        put(p("60000"), 7),
        option(p("60000"), 30),
        put(p("45000"), 30),
        option(p("80000"), 365),
        perpetual_option(Right::Call, p("60000"), Rate::ZERO),
        perpetual_option(Right::Put, p("50000"), Rate::ZERO),
        perpetual_option(Right::Put, p("60000"), r("0.1")),
        put(p("60000"), 30),
    ]
}

/// A small generator, so that a failure repeats.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, most: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % most
    }

    pub fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.below(i64::try_from(count).unwrap())).unwrap()
    }
}
