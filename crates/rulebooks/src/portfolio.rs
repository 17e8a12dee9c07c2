//! A book under portfolio margin: read from TOML or JSON, every scenario with what the book makes in it, the worst one, greeks by
//! underlying, and what is needed, term by term. The rules are `plimsoll-pm` (docs/portfolio.md).

use crate::{Checked, Source};
use rules::options::{MarkGreeks, OptionModel, Right};
use rules::portfolio::{
    FundingMove, Held, Instrument, InstrumentKind, Market, Offset, PlimsollRules, PortfolioError, PortfolioTerms,
    Scenario, UnderlyingTerms, VolatilityMove,
};
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Size, Time};

/// A book, as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortfolioFile {
    /// Price of the asset that everything is counted in, in its peg; 1 where it is left out.
    #[serde(default = "one")]
    pub settlement: Price,
    /// By underlying.
    pub underlying: Vec<UnderlyingFile>,
    /// Losses of two underlyings that offset each other in part.
    #[serde(default)]
    pub offset: Vec<OffsetFile>,
}

fn one() -> Price {
    Price::ONE
}

fn step() -> Rate {
    Rate::bps(400)
}

fn horizon() -> i64 {
    8
}

fn lot() -> Size {
    Size::new(100_000).unwrap_or(Size::whole(1))
}

/// What is held of one underlying.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnderlyingFile {
    /// Name for people.
    pub name: String,
    /// Index price.
    pub spot: Price,
    /// By how much that may be off, as a share of it.
    #[serde(default)]
    pub confidence: Rate,
    /// Notional that its market takes within a step of the price.
    pub depth: Money,
    /// A quarter of the largest undamped move; 4 % where it is left out.
    #[serde(default = "step")]
    pub step: Rate,
    /// Hours that closing may take.
    #[serde(default = "horizon")]
    pub horizon_hours: i64,
    /// Positions are whole multiples of it; 0.001 where it is left out.
    #[serde(default = "lot")]
    pub lot: Size,
    /// Positions, spot collateral among them.
    pub position: Vec<PositionFile>,
}

/// A position: its kind and what that kind is priced from, nothing else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionFile {
    /// What it is.
    pub kind: PositionKind,
    /// + long.
    pub size: Size,
    /// Which quote asset it settles in, by number.
    #[serde(default)]
    pub quote: u8,
    /// Price of spot, of a perpetual, of a future.
    pub mark: Option<Price>,
    /// Of a perpetual: funding expected over the horizon, a share of the mark.
    pub funding: Option<Rate>,
    /// Of a perpetual: by how much that may come out otherwise.
    pub funding_stress: Option<Rate>,
    /// Of a future or an option: to its expiry.
    pub days: Option<i64>,
    /// Of options.
    pub right: Option<Right>,
    /// Of options.
    pub strike: Option<Price>,
    /// Of options, a year.
    pub volatility: Option<Rate>,
    /// Of an option: of its expiry; the index where it is left out.
    pub forward: Option<Price>,
    /// Of options, a year.
    pub interest: Option<Rate>,
    /// Of a perpetual option: its funding period.
    pub period_days: Option<i64>,
}

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionKind {
    /// The underlying itself.
    Spot,
    /// A perpetual future.
    Perpetual,
    /// A dated future.
    Future,
    /// A dated option.
    Option,
    /// A perpetual option.
    PerpetualOption,
}

/// A stated offset.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetFile {
    /// One underlying …
    pub first: String,
    /// … and another.
    pub second: String,
    /// What of the smaller loss is taken off either.
    pub rate: Rate,
}

/// A book's figures.
#[derive(Clone, Debug, Serialize)]
pub struct PortfolioFigures {
    /// `plimsoll.portfolio/1`.
    pub schema: &'static str,
    /// By underlying.
    pub underlyings: Vec<UnderlyingSum>,
    /// Scanned losses of all underlyings.
    pub scanned: Money,
    /// Taken off by the matrix.
    pub offset: Money,
    /// Charged beside.
    pub charges: Money,
    /// What the factors grew by for the peg.
    pub peg: Rate,
    /// To open.
    pub initial_margin: Money,
    /// To stay.
    pub maintenance_margin: Money,
}

/// One underlying.
#[derive(Clone, Debug, Serialize)]
pub struct UnderlyingSum {
    /// Its name.
    pub name: String,
    /// What the book makes in each scenario.
    pub scenarios: Vec<ScenarioResult>,
    /// Number of the worst one, from 0.
    pub worst: usize,
    /// What that loses.
    pub loss: Money,
    /// What lifts the loss to the least that short options need.
    pub short_options: Money,
    /// Expiries that hedge each other.
    pub basis: Money,
    /// Vegas that do.
    pub vega: Money,
    /// Beyond the depth.
    pub concentration: Money,
    /// Quote assets that hedge each other.
    pub quotes: Money,
    /// Of table entries.
    pub rounding: Money,
    /// Sums over the positions.
    pub greeks: Greeks,
}

/// A scenario.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioResult {
    /// Of the price.
    pub price: Rate,
    /// `up`, `down`, `unchanged`.
    pub volatility: &'static str,
    /// `expected`, `longs_pay`, `shorts_pay`.
    pub funding: &'static str,
    /// What of the result counts, 1e-18.
    pub damp: i64,
    /// What the book makes.
    pub result: Money,
}

/// Greeks of a book in one underlying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Greeks {
    /// Contracts of the underlying.
    pub delta: Size,
    /// What delta changes by when the underlying rises by 1 %.
    pub gamma: Size,
    /// Quote per 100 % of volatility.
    pub vega: Money,
    /// Quote per day that passes; funding of perpetual options among it.
    pub theta: Money,
}

const DAY_NS: i64 = 86_400 * Time::SECOND_NS;

impl PositionFile {
    /// Nothing is given that its kind is not priced from.
    fn check(&self) -> Result<(), String> {
        use PositionKind::{Future, Option as Dated, Perpetual, PerpetualOption, Spot};
        let given = [
            ("mark", self.mark.is_some(), &[Spot, Perpetual, Future][..]),
            ("funding", self.funding.is_some(), &[Perpetual]),
            ("funding_stress", self.funding_stress.is_some(), &[Perpetual]),
            ("days", self.days.is_some(), &[Future, Dated]),
            ("right", self.right.is_some(), &[Dated, PerpetualOption]),
            ("strike", self.strike.is_some(), &[Dated, PerpetualOption]),
            ("volatility", self.volatility.is_some(), &[Dated, PerpetualOption]),
            ("forward", self.forward.is_some(), &[Dated]),
            ("interest", self.interest.is_some(), &[Dated, PerpetualOption]),
            ("period_days", self.period_days.is_some(), &[PerpetualOption]),
        ];
        match given.iter().find(|(_, there, kinds)| *there && !kinds.contains(&self.kind)) {
            Some((name, ..)) => Err(format!("{name} has no part in a position of this kind")),
            None => Ok(()),
        }
    }

    fn instrument(&self, spot: Price, lot: Size) -> Result<Instrument, String> {
        self.check()?;
        let ns = |days: i64| days.checked_mul(DAY_NS).ok_or("days are out of range");
        let mark = || self.mark.ok_or("mark is missing");
        let days = || self.days.ok_or("days are missing");
        let option = || Ok::<_, &str>((self.right.ok_or("right is missing")?, self.strike.ok_or("strike is missing")?));
        let interest = self.interest.unwrap_or(Rate::ZERO);
        let kind = match self.kind {
            PositionKind::Spot => InstrumentKind::Spot { mark: mark()? },
            PositionKind::Perpetual => InstrumentKind::Perpetual {
                mark: mark()?,
                funding: self.funding.unwrap_or(Rate::ZERO),
                funding_stress: self.funding_stress.unwrap_or(Rate::ZERO),
            },
            PositionKind::Future => InstrumentKind::Future { mark: mark()?, left_ns: ns(days()?)? },
            PositionKind::Option => {
                let (right, strike) = option()?;
                InstrumentKind::DatedOption {
                    right,
                    strike,
                    forward: self.forward.unwrap_or(spot),
                    forward_fixed: Price::ZERO,
                    volatility: self.volatility,
                    left_ns: ns(days()?)?,
                    interest,
                }
            }
            PositionKind::PerpetualOption => {
                let (right, strike) = option()?;
                let period_ns = ns(self.period_days.ok_or("period_days is missing")?)?;
                InstrumentKind::PerpetualOption { right, strike, volatility: self.volatility, period_ns, interest }
            }
        };
        Ok(Instrument { kind, lot, quote: self.quote })
    }
}

/// Of one contract; dated options without the discount of their interest.
fn greeks_of(kind: &InstrumentKind, spot: Price) -> MarkGreeks {
    match *kind {
        InstrumentKind::DatedOption { right, strike, forward, volatility, left_ns, .. } => {
            OptionModel::Dated { forward, left_ns }.greeks(right, strike, volatility.unwrap_or(Rate::ZERO))
        }
        InstrumentKind::PerpetualOption { right, strike, volatility, period_ns, interest } => {
            OptionModel::Perpetual { spot, period_ns, interest }.greeks(right, strike, volatility.unwrap_or(Rate::ZERO))
        }
        _ => MarkGreeks { delta: Rate::ONE, ..MarkGreeks::default() },
    }
}

impl Greeks {
    fn add(&mut self, one: &MarkGreeks, size: Size) -> Option<()> {
        let share = |rate: Rate| {
            let (size, one) = (i128::from(size.units()), i128::from(Rate::ONE.units()));
            let units = units::mul_div(size, i128::from(rate.units()), one, Round::TowardZero)?;
            Size::new(i64::try_from(units).ok()?)
        };
        self.delta = self.delta.checked_add(share(one.delta)?)?;
        self.gamma = self.gamma.checked_add(share(one.gamma)?)?;
        self.vega = self.vega.checked_add(one.vega * size)?;
        self.theta = self.theta.checked_add(one.theta * size)?;
        Some(())
    }
}

impl PortfolioFile {
    /// Reads a book.
    ///
    /// # Errors
    /// With the place of what is wrong.
    pub fn read(source: &Source<'_>) -> Checked<Self> {
        source.read()
    }

    /// What the book needs under `plimsoll-pm`.
    ///
    /// # Errors
    /// Which underlying, and what is wrong with it.
    pub fn figures(&self) -> Result<PortfolioFigures, String> {
        let mut parts: Vec<(String, UnderlyingTerms)> = Vec::new();
        let mut underlyings = Vec::new();
        for one in &self.underlying {
            let (terms, sum) = one.figures().map_err(|why| format!("underlying {}: {why}", one.name))?;
            parts.push((one.name.clone(), terms));
            underlyings.push(sum);
        }
        let place = |name: &String| {
            let found = parts.iter().position(|(of, _)| of == name);
            found.ok_or_else(|| format!("offset of {name}: no such underlying in the book"))
        };
        let offsets = self.offset.iter().map(|offset| {
            Ok(Offset { first: place(&offset.first)?, second: place(&offset.second)?, rate: offset.rate })
        });
        let offsets = offsets.collect::<Result<Vec<Offset>, String>>()?;
        let rules = PlimsollRules::with_step(step()).map_err(|why| why.to_string())?;
        let terms: Vec<UnderlyingTerms> = parts.into_iter().map(|(_, terms)| terms).collect();
        let all = rules.portfolio(&terms, &offsets, self.settlement).map_err(|why| why.to_string())?;
        let PortfolioTerms { scanned, offset, charges, peg, initial, maintenance } = all;
        Ok(PortfolioFigures {
            schema: "plimsoll.portfolio/1",
            underlyings,
            scanned,
            offset,
            charges,
            peg,
            initial_margin: initial,
            maintenance_margin: maintenance,
        })
    }
}

impl UnderlyingFile {
    fn figures(&self) -> Result<(UnderlyingTerms, UnderlyingSum), String> {
        let text = |why: PortfolioError| why.to_string();
        let rules = PlimsollRules::with_step(self.step).map_err(text)?;
        let horizon_ns = self.horizon_hours.checked_mul(3_600 * Time::SECOND_NS).filter(|ns| *ns >= 0);
        let horizon_ns = horizon_ns.ok_or("horizon_hours is out of range")?;
        let market = Market { spot: self.spot, confidence: self.confidence, horizon_ns };
        let instruments = self
            .position
            .iter()
            .zip(1..)
            .map(|(one, n)| one.instrument(self.spot, self.lot).map_err(|why| format!("position {n}: {why}")));
        let instruments = instruments.collect::<Result<Vec<Instrument>, String>>()?;
        let unit = Money::from_units(100_000_000); // 1e-8 quote
        let table = rules.table(&market, &instruments, unit).map_err(text)?;
        let held = self.position.iter().enumerate().map(|(instrument, one)| Held { instrument, size: one.size });
        let held: Vec<Held> = held.collect();
        let terms = rules.underlying(&table, self.spot, self.depth, &held).map_err(text)?;
        let mut greeks = Greeks::default();
        for (one, instrument) in self.position.iter().zip(&instruments) {
            greeks.add(&greeks_of(&instrument.kind, self.spot), one.size).ok_or("greeks are out of range")?;
        }
        let scenarios =
            rules.grid.scenarios().iter().zip(&terms.scan.results).map(|(scenario, result)| of(scenario, *result));
        let sum = UnderlyingSum {
            name: self.name.clone(),
            scenarios: scenarios.collect(),
            worst: terms.scan.scenario,
            loss: terms.loss,
            short_options: terms.short_options,
            basis: terms.basis,
            vega: terms.vega,
            concentration: terms.concentration,
            quotes: terms.quotes,
            rounding: terms.rounding,
            greeks,
        };
        Ok((terms, sum))
    }
}

fn of(scenario: &Scenario, result: Money) -> ScenarioResult {
    let volatility = match scenario.volatility {
        VolatilityMove::Unchanged => "unchanged",
        VolatilityMove::Up => "up",
        VolatilityMove::Down => "down",
        VolatilityMove::SkewLinear => "skew_linear",
        VolatilityMove::SkewAbsolute => "skew_absolute",
    };
    let funding = match scenario.funding {
        FundingMove::Expected => "expected",
        FundingMove::LongsPay => "longs_pay",
        FundingMove::ShortsPay => "shorts_pay",
    };
    ScenarioResult { price: scenario.price, volatility, funding, damp: scenario.damp.units(), result }
}
