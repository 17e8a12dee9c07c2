//! `plimsoll-pm`, our own default: a grid with expected funding and price confidence inside it, and what a grid does not see charged
//! beside it. Integers only, rounded against the account. Reasons for every number: `docs/portfolio.md`.

use super::{
    Damp, FundingMove, Grid, Held, Instrument, InstrumentKind, Market, PortfolioError, Scan, Scenario, Table,
    VolatilityMove, VolatilityShock,
};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use units::{Money, Price, Rate, Round};

/// An account has at most so many positions in one underlying: sums of their results cannot overflow then.
pub const POSITIONS_MAX: usize = 512;

/// The parameters. Rates are not negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlimsollRules {
    /// Scenarios.
    pub grid: Grid,
    /// How volatilities move.
    pub volatility: VolatilityShock,
    /// Of the scanned loss, to open.
    pub initial_factor: Rate,
    /// Of the scanned loss, to stay open.
    pub maintenance_factor: Rate,
    /// Of delta that one expiry hedges for another …
    pub basis: Rate,
    /// … more per year to the expiry …
    pub basis_per_year: Rate,
    /// … but at most this.
    pub basis_most: Rate,
    /// The scanned loss is at least this share of spot for each option sold that none of its strike and expiry covers.
    pub short_option: Rate,
    /// Of what one expiry's vega gains in another's loss when all volatilities rise.
    pub vega: Rate,
    /// Of the delta, for each time that it exceeds the depth …
    pub concentration: Rate,
    /// … but at most this.
    pub concentration_most: Rate,
    /// Of delta that one quote asset hedges for another.
    pub quotes: Rate,
    /// Below this price of the settlement asset …
    pub peg_threshold: Rate,
    /// … factors grow by (threshold − price) × this.
    pub peg_factor: Rate,
}

/// What one underlying needs, term by term; losses and charges are not negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderlyingTerms {
    /// Results of all scenarios, the worst one and its place.
    pub scan: Scan,
    /// What the worst scenario loses; nothing when all gain.
    pub loss: Money,
    /// The price move of the worst scenario.
    pub worst_move: Rate,
    /// What lifts the loss to the least that short options need.
    pub short_options: Money,
    /// Expiries that hedge each other need not move together.
    pub basis: Money,
    /// Nor need their volatilities.
    pub vega: Money,
    /// The market may not take all of it at once.
    pub concentration: Money,
    /// Quote assets that hedge each other need not keep their price.
    pub quotes: Money,
    /// Table entries are rounded: half a unit a lot.
    pub rounding: Money,
    /// Delta in quote: of all, + long.
    pub delta: Money,
}

impl UnderlyingTerms {
    /// Charged beside the scanned loss.
    #[must_use]
    pub fn charges(&self) -> Money {
        self.basis + self.vega + self.concentration + self.quotes + self.rounding
    }

    /// Scanned, at least the short option minimum.
    #[must_use]
    pub fn scanned(&self) -> Money {
        self.loss + self.short_options
    }
}

/// The scanned losses of two underlyings may offset each other in part, when one is worst as prices rise and the other as they fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Place of the one …
    pub first: usize,
    /// … and of the other.
    pub second: usize,
    /// What of the smaller loss is taken off either.
    pub rate: Rate,
}

/// What an account needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortfolioTerms {
    /// Scanned losses of all underlyings.
    pub scanned: Money,
    /// Taken off again, by the matrix.
    pub offset: Money,
    /// Charged beside, not scaled.
    pub charges: Money,
    /// What the factors grew by because the settlement asset is below its peg.
    pub peg: Rate,
    /// (scanned − offset) × (initial factor + peg) + charges.
    pub initial: Money,
    /// (scanned − offset) × (maintenance factor + peg) + charges.
    pub maintenance: Money,
}

impl PlimsollRules {
    /// The default for an underlying whose price moves like BTC's or ETH's; `step` is a quarter of the largest undamped move (4 %).
    ///
    /// # Errors
    /// As [`Grid::new`], for a step that is not above 0 and below 10 %.
    pub fn with_step(step: Rate) -> Result<Self, PortfolioError> {
        let rate = |units| Rate::new(units).unwrap_or(Rate::ZERO);
        Ok(Self {
            grid: Grid::new(default_grid(step))?,
            volatility: VolatilityShock {
                up: rate(500_000_000),
                down: rate(275_000_000),
                short_power: rate(300_000_000),
                long_power: rate(130_000_000),
                floor_ns: 86_400_000_000_000,
                least_up: rate(450_000_000),
            },
            initial_factor: Rate::ONE,
            maintenance_factor: rate(800_000_000),
            basis: rate(10_000_000),
            basis_per_year: rate(40_000_000),
            basis_most: rate(100_000_000),
            short_option: rate(10_000_000),
            vega: rate(300_000_000),
            concentration: rate(20_000_000),
            concentration_most: rate(200_000_000),
            quotes: rate(10_000_000),
            peg_threshold: rate(980_000_000),
            peg_factor: rate(2_000_000_000),
        })
    }

    /// The table of an underlying.
    ///
    /// # Errors
    /// As [`Table::build`]; [`PortfolioError::GridWithoutSteps`] when the grid lacks a cell that deltas and vegas are read from.
    pub fn table(&self, market: &Market, instruments: &[Instrument], unit: Money) -> Result<Table, PortfolioError> {
        self.steps()?;
        self.check_rates()?;
        Table::build(&self.grid, &self.volatility, market, instruments, unit)
    }

    /// One step up, one step down, volatility up.
    fn steps(&self) -> Result<[usize; 3], PortfolioError> {
        let found = (self.grid.step(true), self.grid.step(false), self.grid.volatility_up());
        let (Some(up), Some(down), Some(volatility)) = found else { return Err(PortfolioError::GridWithoutSteps) };
        Ok([up, down, volatility])
    }

    fn check_rates(&self) -> Result<(), PortfolioError> {
        let rates = [
            self.initial_factor,
            self.maintenance_factor,
            self.basis,
            self.basis_per_year,
            self.basis_most,
            self.short_option,
            self.vega,
            self.concentration,
            self.concentration_most,
            self.quotes,
            self.peg_threshold,
            self.peg_factor,
        ];
        if rates.iter().any(|rate| rate.is_negative()) { Err(PortfolioError::RateNegative) } else { Ok(()) }
    }

    /// What the positions of an account in one underlying need. `depth` is the notional that its market takes within a step.
    ///
    /// One perpetual at 60,000 without funding, steps of 4 %: 9,600 scanned at 16 % down, nothing beside.
    ///
    /// # Errors
    /// As [`Table::scan`]; [`PortfolioError::PriceMissing`] for a spot or a depth that is not above zero,
    /// [`PortfolioError::TooManyPositions`].
    pub fn underlying(
        &self,
        table: &Table,
        spot: Price,
        depth: Money,
        held: &[Held],
    ) -> Result<UnderlyingTerms, PortfolioError> {
        if !spot.is_positive() || !depth.is_positive() {
            return Err(PortfolioError::PriceMissing);
        }
        if held.len() > POSITIONS_MAX {
            return Err(PortfolioError::TooManyPositions);
        }
        let scan = table.scan(held)?;
        let loss = (Money::ZERO - scan.worst).max(Money::ZERO);
        let worst_move = table.moves().get(scan.scenario).copied().unwrap_or(Rate::ZERO);
        let least = checked(spot * naked(table, held)?, Money::ZERO)?.mul_rate(self.short_option, Round::Up);
        let measured = self.measured(table, held)?;
        let delta = measured.values().try_fold(Money::ZERO, |sum, one| checked(sum, one.delta))?;
        Ok(UnderlyingTerms {
            short_options: (least - loss).max(Money::ZERO),
            basis: self.basis(&measured)?,
            vega: self.vega(&measured),
            concentration: self.concentration(&measured, delta, depth)?,
            quotes: self.quotes(&measured),
            rounding: scan.rounding,
            loss,
            worst_move,
            delta,
            scan,
        })
    }

    /// Delta in quote and the result of volatility up, of each expiry and quote asset.
    fn measured(&self, table: &Table, held: &[Held]) -> Result<BTreeMap<(i64, u8), Measured>, PortfolioError> {
        let cells = self.steps()?;
        let [up, down, _] = cells;
        let mut sums: BTreeMap<(i64, u8), [i128; 3]> = BTreeMap::new();
        for one in held {
            let (instrument, row, lots) = table.row_and_lots(one)?;
            let sums = sums.entry((instrument.tenor_ns(), instrument.quote)).or_default();
            for (sum, cell) in sums.iter_mut().zip(cells) {
                let entry = row.get(cell).map_or(0, |entry| i128::from(*entry));
                let next = entry.checked_mul(lots).and_then(|result| sum.checked_add(result));
                *sum = next.ok_or(PortfolioError::ResultOutOfRange)?;
            }
        }
        let moved = |at: usize| table.moves().get(at).map_or(0, |rate| i128::from(rate.units()));
        let apart = moved(up).saturating_sub(moved(down)).max(1);
        let of = |[up, down, volatility]: [i128; 3]| {
            let change = table.money(up.checked_sub(down)?)?;
            let delta = Money::new(units::mul_div(change.abs().units(), 1_000_000_000, apart, Round::Up)?)?;
            let delta = if change.is_negative() { Money::ZERO - delta } else { delta };
            Some(Measured { delta, vega: table.money(volatility)? })
        };
        let measured = sums.into_iter().map(|(key, sums)| Some((key, of(sums)?)));
        measured.collect::<Option<_>>().ok_or(PortfolioError::ResultOutOfRange)
    }

    /// Σ |delta| × its expiry's rate, times the part of all delta that is hedged by another expiry.
    fn basis(&self, measured: &BTreeMap<(i64, u8), Measured>) -> Result<Money, PortfolioError> {
        let by_tenor = by_key(measured, |(tenor, _)| tenor, |one| one.delta);
        let mut charged = Money::ZERO;
        for (tenor, delta) in &by_tenor {
            charged += delta.abs().mul_rate(self.basis_rate(*tenor)?, Round::Up);
        }
        let [gross, net] = gross_and_net(by_tenor.values().copied());
        Ok(part(charged, gross - net, gross))
    }

    fn basis_rate(&self, tenor_ns: i64) -> Result<Rate, PortfolioError> {
        let per_year = i128::from(self.basis_per_year.units());
        let year = i128::from(crate::options::YEAR_NS);
        let grown = units::mul_div(per_year, i128::from(tenor_ns.max(0)), year, Round::Up);
        let rate = grown.and_then(|grown| grown.checked_add(i128::from(self.basis.units())));
        let rate = rate.map(|rate| rate.min(i128::from(self.basis_most.units())));
        let rate = rate.and_then(|rate| i64::try_from(rate).ok()).and_then(Rate::new);
        rate.ok_or(PortfolioError::ResultOutOfRange)
    }

    /// A share of what vegas of different expiries take off each other.
    fn vega(&self, measured: &BTreeMap<(i64, u8), Measured>) -> Money {
        let by_tenor = by_key(measured, |(tenor, _)| tenor, |one| one.vega);
        matched(by_tenor.values().copied()).mul_rate(self.vega, Round::Up)
    }

    /// The larger of all delta and that of one expiry, against what the market takes.
    fn concentration(
        &self,
        measured: &BTreeMap<(i64, u8), Measured>,
        delta: Money,
        depth: Money,
    ) -> Result<Money, PortfolioError> {
        let by_tenor = by_key(measured, |(tenor, _)| tenor, |one| one.delta);
        let largest = by_tenor.values().map(|delta| delta.abs()).max().unwrap_or(Money::ZERO).max(delta.abs());
        if largest <= depth {
            return Ok(Money::ZERO);
        }
        let (slope, over) = (i128::from(self.concentration.units()), (largest - depth).units());
        let rate = units::mul_div(slope, over, depth.units(), Round::Up);
        // Too large for 128 bits is above any cap.
        let rate = rate.unwrap_or(i128::MAX).min(i128::from(self.concentration_most.units()));
        let rate = i64::try_from(rate).ok().and_then(Rate::new).ok_or(PortfolioError::ResultOutOfRange)?;
        Ok(largest.mul_rate(rate, Round::Up))
    }

    /// A share of the delta that one quote asset hedges for another.
    fn quotes(&self, measured: &BTreeMap<(i64, u8), Measured>) -> Money {
        let by_quote = by_key(measured, |(_, quote)| i64::from(quote), |one| one.delta);
        matched(by_quote.values().copied()).mul_rate(self.quotes, Round::Up)
    }

    /// What an account needs over all its underlyings, `settlement` being the price of the asset that it is counted in.
    ///
    /// # Errors
    /// [`PortfolioError::PriceMissing`], [`PortfolioError::OffsetOutOfRange`] for one below 0 or above 1 or of no two of the parts,
    /// [`PortfolioError::ResultOutOfRange`].
    pub fn portfolio(
        &self,
        parts: &[UnderlyingTerms],
        offsets: &[Offset],
        settlement: Price,
    ) -> Result<PortfolioTerms, PortfolioError> {
        if !settlement.is_positive() {
            return Err(PortfolioError::PriceMissing);
        }
        let mut sum = (Money::ZERO, Money::ZERO);
        for one in parts {
            sum.0 = checked(sum.0, one.scanned())?;
            sum.1 = checked(sum.1, one.charges())?;
        }
        let (scanned, charges) = sum;
        let offset = offset(parts, offsets)?;
        let peg = self.peg(settlement)?;
        let needed = |factor: Rate| {
            let factor =
                Rate::new(factor.units().saturating_add(peg.units())).ok_or(PortfolioError::ResultOutOfRange)?;
            checked((scanned - offset).mul_rate(factor, Round::Up), charges)
        };
        let (initial, maintenance) = (needed(self.initial_factor)?, needed(self.maintenance_factor)?);
        Ok(PortfolioTerms { scanned, offset, charges, peg, initial, maintenance })
    }

    fn peg(&self, settlement: Price) -> Result<Rate, PortfolioError> {
        // A price counts 1e-8, a rate 1e-9.
        let lost = self.peg_threshold.units().saturating_sub(settlement.units().saturating_mul(10)).max(0);
        let more = units::mul_div(i128::from(lost), i128::from(self.peg_factor.units()), 1_000_000_000, Round::Up);
        more.and_then(|more| i64::try_from(more).ok()).and_then(Rate::new).ok_or(PortfolioError::ResultOutOfRange)
    }
}

/// Of one expiry and quote asset, in quote.
#[derive(Clone, Copy)]
struct Measured {
    delta: Money,
    vega: Money,
}

fn by_key(
    measured: &BTreeMap<(i64, u8), Measured>,
    key: impl Fn((i64, u8)) -> i64,
    value: impl Fn(&Measured) -> Money,
) -> BTreeMap<i64, Money> {
    let mut sums: BTreeMap<i64, Money> = BTreeMap::new();
    for (at, one) in measured {
        let sum = sums.entry(key(*at)).or_insert(Money::ZERO);
        *sum += value(one);
    }
    sums
}

/// Σ |amount| and |Σ amount|.
fn gross_and_net(amounts: impl Iterator<Item = Money>) -> [Money; 2] {
    let (gross, net) = amounts.fold((Money::ZERO, Money::ZERO), |(gross, net), one| (gross + one.abs(), net + one));
    [gross, net.abs()]
}

/// What amounts of opposite sign take off each other, counted once.
fn matched(amounts: impl Iterator<Item = Money>) -> Money {
    let [gross, net] = gross_and_net(amounts);
    (gross - net).share(1, 2, Round::Up)
}

/// `amount × of ÷ whole`, up; nothing of nothing.
fn part(amount: Money, of: Money, whole: Money) -> Money {
    if whole.is_positive() { amount.share(of.units(), whole.units(), Round::Up) } else { Money::ZERO }
}

/// Options sold that none of the same strike and expiry covers, whichever its right.
fn naked(table: &Table, held: &[Held]) -> Result<units::Size, PortfolioError> {
    let mut by_strike: BTreeMap<(bool, i64, i64), i128> = BTreeMap::new();
    for one in held {
        let unknown = PortfolioError::InstrumentUnknown(one.instrument);
        let instrument = table.instruments().get(one.instrument).ok_or(unknown)?;
        let key = match instrument.kind {
            InstrumentKind::DatedOption { strike, left_ns, .. } => (false, left_ns, strike.units()),
            InstrumentKind::PerpetualOption { strike, period_ns, .. } => (true, period_ns, strike.units()),
            _ => continue,
        };
        let sum = by_strike.entry(key).or_insert(0);
        *sum = sum.saturating_add(i128::from(one.size.units()));
    }
    let naked = by_strike.values().filter(|sum| **sum < 0).fold(0_i128, |all, sum| all.saturating_sub(*sum));
    i64::try_from(naked).ok().and_then(units::Size::new).ok_or(PortfolioError::ResultOutOfRange)
}

/// In the order of the matrix: each pair that is worst on opposite sides takes its rate of the smaller loss that is left off both.
fn offset(parts: &[UnderlyingTerms], offsets: &[Offset]) -> Result<Money, PortfolioError> {
    let mut left: Vec<Money> = parts.iter().map(|one| one.loss).collect();
    let mut taken = Money::ZERO;
    for one in offsets {
        if one.rate.is_negative() || one.rate > Rate::ONE || one.first == one.second {
            return Err(PortfolioError::OffsetOutOfRange);
        }
        let (Some(first), Some(second)) = (parts.get(one.first), parts.get(one.second)) else {
            return Err(PortfolioError::OffsetOutOfRange);
        };
        let opposite = first.worst_move.units().signum() * second.worst_move.units().signum() < 0;
        let (Some(a), Some(b)) = (left.get(one.first).copied(), left.get(one.second).copied()) else { continue };
        if !opposite {
            continue;
        }
        let smaller = a.min(b);
        for place in [one.first, one.second] {
            if let Some(left) = left.get_mut(place) {
                *left -= smaller;
            }
        }
        taken += (smaller + smaller).mul_rate(one.rate, Round::Down);
    }
    Ok(taken)
}

fn checked(a: Money, b: Money) -> Result<Money, PortfolioError> {
    a.checked_add(b).filter(|sum| sum.in_bounds()).ok_or(PortfolioError::ResultOutOfRange)
}

/// Four steps down to four up with volatility up, unchanged and down, the ends with volatility up only; funding that comes out otherwise;
/// tails whose damp keeps their loss for a linear position at most that of the ends.
fn default_grid(step: Rate) -> Vec<Scenario> {
    const TAILS: [(i64, i64); 6] = [
        (-660_000_000, 180_000_000),
        (-330_000_000, 360_000_000),
        (500_000_000, 240_000_000),
        (1_000_000_000, 120_000_000),
        (2_000_000_000, 60_000_000),
        (5_000_000_000, 24_000_000),
    ];
    let rate = |units: i64| Rate::new(units).unwrap_or(Rate::ZERO);
    let steps = |n: i64| rate(step.units().saturating_mul(n));
    let mut grid = Vec::new();
    for n in -4..=4 {
        if i64::abs(n) < 4 {
            grid.push(Scenario::new(steps(n), VolatilityMove::Down));
            grid.push(Scenario::new(steps(n), VolatilityMove::Unchanged));
        }
        grid.push(Scenario::new(steps(n), VolatilityMove::Up));
        if n == 0 {
            for funding in [FundingMove::LongsPay, FundingMove::ShortsPay] {
                grid.push(Scenario { funding, ..Scenario::new(Rate::ZERO, VolatilityMove::Unchanged) });
            }
        }
    }
    // Written for steps of 4 %: with others the tails keep their relation to the ends.
    let scaled = |damp: i64| rate(damp.saturating_mul(step.units()) / 40_000_000);
    grid.extend(TAILS.iter().map(|(price, damp)| Scenario::tail(rate(*price), Damp::of(scaled(*damp)))));
    grid
}
