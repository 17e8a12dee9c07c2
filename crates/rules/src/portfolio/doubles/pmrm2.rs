//! Derive's portfolio margin, PMRM_2: scenarios with a static discount per expiry, a basis contingency, and charges beside them.
//!
//! Only the values of options are doubles; everything else is exact in integers, rounded against the account. Source:
//! derivexyz/v2-core 7736900d, `src/risk-managers/PMRM_2.sol` and `PMRMLib_2.sol`, in words in `docs/portfolio.md`; no code is taken.

use super::{contracts, dated, price_units, ratio, volatility, years};
use crate::options::numeric::{exp, ln_ratio, sqrt};
use crate::options::{DatedTerms, OptionError, Right, to_money};
use crate::portfolio::{Grid, PortfolioError, Scenario, VolatilityMove, VolatilityShock};
use alloc::vec::Vec;
use units::{Money, Price, Rate, Round, Size};

/// What counts of the shocked value of an expiry: `base × exp(∓years × (interest × share + add))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticDiscount {
    /// 0.95 of what is owned, 1.04 of what is owed.
    pub base: Rate,
    /// Of interest.
    pub interest_share: Rate,
    /// Per year.
    pub add: Rate,
}

/// What the forwards of expiries may do apart from spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Basis {
    /// Forward up by this share …
    pub up: Rate,
    /// … and down by this (negative).
    pub down: Rate,
    /// Of the worse result …
    pub share: Rate,
    /// … and so much more per year.
    pub share_per_year: Rate,
}

/// A cap on what a skew does to a volatility: `cap + per_root_year × √years`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkewCap {
    /// At an expiry that is now.
    pub cap: Rate,
    /// Per √year.
    pub per_root_year: Rate,
}

/// How the smile tilts and bends: at |ln K/F| = max(least, width × √years × (level + level_per_root_year × √years)) the cap is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Skew {
    /// Of the tilt.
    pub linear: SkewCap,
    /// Of the bend.
    pub absolute: SkewCap,
    /// The nearest distance at which a cap is reached.
    pub least: Rate,
    /// Standard deviations …
    pub width: Rate,
    /// … of this volatility …
    pub level: Rate,
    /// … which changes by so much per √year.
    pub level_per_root_year: Rate,
}

/// Shares of notional at spot that are charged beside scenarios; initial in addition to maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Charges {
    /// Of the perpetual, to stay open.
    pub perpetual_maintenance: Rate,
    /// Of the perpetual, on top to open.
    pub perpetual_initial: Rate,
    /// Of options sold that no other of the same strike covers, to stay open.
    pub option_maintenance: Rate,
    /// The same, on top to open.
    pub option_initial: Rate,
    /// Below this confidence …
    pub confidence_threshold: Rate,
    /// … (1 − confidence) × this × notional is charged to open.
    pub confidence_share: Rate,
    /// Below this price of the stable asset …
    pub peg_threshold: Rate,
    /// … the initial factor grows by (threshold − price) × this.
    pub peg_factor: Rate,
}

/// The parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pmrm2 {
    /// Scenarios.
    pub grid: Grid,
    /// How volatilities move.
    pub volatility: VolatilityShock,
    /// Of an expiry whose shocked value is owned.
    pub long: StaticDiscount,
    /// Of an expiry whose shocked value is owed.
    pub short: StaticDiscount,
    /// Forwards apart from spot.
    pub basis: Pmrm2Basis,
    /// The smile.
    pub skew: Pmrm2Skew,
    /// Beside scenarios.
    pub charges: Pmrm2Charges,
    /// Of the worst result, to open.
    pub initial_factor: Rate,
    /// Of the worst result, to stay open.
    pub maintenance_factor: Rate,
}

/// The perpetual of the underlying; size zero without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Perpetual {
    /// + long, − short.
    pub size: Size,
    /// Its mark price.
    pub price: Price,
    /// Of its price, 0 to 1.
    pub confidence: Rate,
    /// Unrealised profit.
    pub upnl: Money,
    /// Unsettled funding; + is received.
    pub funding: Money,
}

/// Whether a collateral moves with the underlying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CollateralRole {
    /// It is the underlying, and its loss or gain counts in scenarios.
    Hedge,
    /// It counts at its price only.
    ValueOnly,
}

/// Collateral beside cash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Collateral {
    /// Not negative.
    pub size: Size,
    /// In the unit that the stable asset is priced in.
    pub price: Price,
    /// Of its price, 0 to 1.
    pub confidence: Rate,
    /// Whether it moves with the underlying.
    pub role: CollateralRole,
    /// Taken off to stay open.
    pub maintenance_haircut: Rate,
    /// Taken off in addition to open.
    pub initial_haircut: Rate,
}

/// An option; its expiry is that of the list it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Option {
    /// Call or put.
    pub right: Right,
    /// Strike.
    pub strike: Price,
    /// + bought, − sold.
    pub size: Size,
    /// At this strike, per √year.
    pub volatility: Rate,
}

/// All options of one expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Expiry<'a> {
    /// Nanoseconds to the expiry, not negative.
    pub left_ns: i64,
    /// Per year; below zero counts as zero.
    pub interest: Rate,
    /// The part of the forward that still moves …
    pub forward: Price,
    /// … and that which the average at settlement has fixed.
    pub forward_fixed: Price,
    /// The least of forward, interest and volatilities, 0 to 1.
    pub confidence: Rate,
    /// The options.
    pub options: &'a [Pmrm2Option],
}

/// What an account holds. Prices are in quote, money in cash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pmrm2Account<'a> {
    /// Settled; may be owed.
    pub cash: Money,
    /// Of the underlying.
    pub spot: Price,
    /// Of spot, 0 to 1.
    pub spot_confidence: Rate,
    /// Price of the stable asset that cash is.
    pub stable: Price,
    /// The perpetual.
    pub perpetual: Pmrm2Perpetual,
    /// Collateral beside cash.
    pub collaterals: &'a [Pmrm2Collateral],
    /// Options by expiry.
    pub expiries: &'a [Pmrm2Expiry<'a>],
}

/// What makes up the margin. Values of the account round down, charges up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pmrm2Terms {
    /// Everything at its price now.
    pub mark_to_market: Money,
    /// Result of each scenario against that, damped.
    pub scenarios: Vec<Money>,
    /// Result when forwards move apart from spot.
    pub basis: Money,
    /// The least of all of them, or zero results.
    pub worst: Money,
    /// Which one: the first of those that are equal when rounded to 1e-8; the number of scenarios stands for the basis.
    pub worst_scenario: usize,
    /// Charged to stay open.
    pub maintenance_charges: Money,
    /// Charged on top to open.
    pub initial_charges: Money,
    /// What `worst` is multiplied with to open: more when the stable asset has lost its peg.
    pub initial_factor: Rate,
    /// Over what is needed to open: negative fails.
    pub initial_excess: Money,
    /// Over what is needed to stay open: negative fails.
    pub maintenance_excess: Money,
}

impl Pmrm2 {
    /// The margin of an account, term by term.
    ///
    /// One perpetual bought at 60,010, 20,000 in cash, spot 60,000, down 18 %: 20,000 − 10,801.80 − 300 − 900 = 7,998.20 to open.
    ///
    /// # Errors
    /// [`PortfolioError::PriceMissing`], [`PortfolioError::CollateralNegative`], [`PortfolioError::NotPriced`] with the place of the
    /// expiry, [`PortfolioError::ResultOutOfRange`].
    pub fn margin(&self, account: &Pmrm2Account<'_>) -> Result<Pmrm2Terms, PortfolioError> {
        let values = self.collateral_values(account)?;
        let now = account.expiries.iter().enumerate().map(|(at, expiry)| Now::new(at, expiry));
        let now: Vec<Now<'_>> = now.collect::<Result<_, _>>()?;
        let options = now.iter().map(|expiry| round(expiry.at, expiry.value));
        let options = options.collect::<Result<Vec<_>, _>>()?;
        let Pmrm2Perpetual { upnl, funding, .. } = account.perpetual;
        let mark_to_market =
            sum(options.into_iter().chain(values.iter().copied()).chain([account.cash, upnl, funding]))?;
        let scenarios = self.grid.scenarios().iter().map(|scenario| self.scenario(scenario, account, &values, &now));
        let scenarios: Vec<Money> = scenarios.collect::<Result<_, _>>()?;
        let basis = self.basis_result(&now)?;
        let (worst, worst_scenario) = worst(scenarios.iter().copied().chain([basis]));
        let [maintenance_charges, initial_charges] = self.charged(account, &values)?;
        let initial_factor = self.initial_factor(account.stable)?;
        let kept = mark_to_market - maintenance_charges;
        Ok(Pmrm2Terms {
            initial_excess: worst.mul_rate(initial_factor, Round::Down) + kept - initial_charges,
            maintenance_excess: worst.mul_rate(self.maintenance_factor, Round::Down) + kept,
            mark_to_market,
            scenarios,
            basis,
            worst,
            worst_scenario,
            maintenance_charges,
            initial_charges,
            initial_factor,
        })
    }

    /// In cash, each.
    fn collateral_values(&self, account: &Pmrm2Account<'_>) -> Result<Vec<Money>, PortfolioError> {
        let prices = account.collaterals.iter().map(|one| one.price).chain([account.spot, account.stable]);
        let unpriced = prices.chain([account.perpetual.price]).any(|price| !price.is_positive());
        if unpriced {
            return Err(PortfolioError::PriceMissing);
        }
        let one = i128::from(Price::whole(1).units());
        let value = |(at, held): (usize, &Pmrm2Collateral)| match held.size.is_negative() {
            true => Err(PortfolioError::CollateralNegative(at)),
            false => {
                let value = (held.price * held.size).units();
                let value = units::mul_div(value, one, i128::from(account.stable.units()), Round::Down);
                value.and_then(Money::new).ok_or(PortfolioError::ResultOutOfRange)
            }
        };
        account.collaterals.iter().enumerate().map(value).collect()
    }

    /// The result of one scenario against now.
    fn scenario(
        &self,
        scenario: &Scenario,
        account: &Pmrm2Account<'_>,
        values: &[Money],
        now: &[Now<'_>],
    ) -> Result<Money, PortfolioError> {
        let perpetual = sum([account.perpetual.price * account.perpetual.size])?.mul_rate(scenario.price, Round::Down);
        let held = account.collaterals.iter().zip(values).filter(|(one, _)| one.role == CollateralRole::Hedge);
        let held = held.map(|(_, value)| value.mul_rate(scenario.price, Round::Down));
        let options = now.iter().map(|expiry| {
            let shocked = self.discounted(expiry, expiry.shocked(self, scenario.price, scenario.volatility)?);
            let result = shocked - expiry.value;
            let skew = matches!(scenario.volatility, VolatilityMove::SkewLinear | VolatilityMove::SkewAbsolute);
            round(expiry.at, if skew { -result.abs() } else { result })
        });
        let options: Vec<Money> = options.collect::<Result<_, _>>()?;
        let result = sum(options.into_iter().chain(held).chain([perpetual]))?;
        scenario.damp.of_money(result).ok_or(PortfolioError::ResultOutOfRange)
    }

    /// What counts of a shocked value: less of what is owned, more of what is owed, but that never more than undiscounted.
    fn discounted(&self, expiry: &Now<'_>, shocked: f64) -> f64 {
        let grown =
            |rule: &StaticDiscount| expiry.years * (expiry.interest * ratio(rule.interest_share) + ratio(rule.add));
        if shocked >= 0.0 {
            return shocked * (ratio(self.long.base) * exp(-grown(&self.long)));
        }
        let owed = ratio(self.short.base) * exp(grown(&self.short));
        shocked * owed.min(1.0 / expiry.discount)
    }

    /// Each expiry's worse result of its forward moving alone, in part; no discount.
    fn basis_result(&self, now: &[Now<'_>]) -> Result<Money, PortfolioError> {
        let of = |expiry: &Now<'_>| {
            let up = expiry.shocked(self, self.basis.up, VolatilityMove::Unchanged)? - expiry.value;
            let down = expiry.shocked(self, self.basis.down, VolatilityMove::Unchanged)? - expiry.value;
            let share = ratio(self.basis.share) + ratio(self.basis.share_per_year) * expiry.years;
            round(expiry.at, up.min(down).min(0.0) * share)
        };
        sum(now.iter().map(of).collect::<Result<Vec<_>, _>>()?)
    }

    /// To stay open, and on top of it to open.
    fn charged(&self, account: &Pmrm2Account<'_>, values: &[Money]) -> Result<[Money; 2], PortfolioError> {
        let rules = &self.charges;
        let (mut to_stay, mut to_open) = (Money::ZERO, Money::ZERO);
        let mut fits = true;
        // A value within bounds × a rate is far from 128 bits, and each sum is held to the bounds again.
        let mut add = |value: Money, maintenance: Rate, initial: Rate| {
            for (sum, rate) in [(&mut to_stay, maintenance), (&mut to_open, initial)] {
                let next = Money::new(value.units()).map(|value| *sum + value.mul_rate(rate, Round::Up));
                match next.filter(|next| next.in_bounds()) {
                    Some(next) => *sum = next,
                    None => fits = false,
                }
            }
        };
        let doubt = |confidence: Rate| {
            let confidence = confidence.min(account.spot_confidence);
            let missing = Rate::ONE - confidence;
            if confidence < rules.confidence_threshold { missing } else { Rate::ZERO }
        };
        let doubted = |value: Money| {
            let inside = Money::new(value.units());
            inside.map_or(Money::from_units(i128::MAX), |value| value.mul_rate(rules.confidence_share, Round::Up))
        };
        let perpetual = account.spot * account.perpetual.size.abs();
        add(perpetual, rules.perpetual_maintenance, rules.perpetual_initial);
        add(doubted(perpetual), Rate::ZERO, doubt(account.perpetual.confidence));
        for (held, value) in account.collaterals.iter().zip(values) {
            add(*value, held.maintenance_haircut, held.initial_haircut);
            add(doubted(*value), Rate::ZERO, doubt(held.confidence));
        }
        for expiry in account.expiries {
            let naked = account.spot * naked_shorts(expiry.options).ok_or(PortfolioError::ResultOutOfRange)?;
            add(naked, rules.option_maintenance, rules.option_initial);
            let gross = expiry.options.iter().try_fold(Size::ZERO, |sum, one| sum.checked_add(one.size.abs()));
            let gross = account.spot * gross.ok_or(PortfolioError::ResultOutOfRange)?;
            add(doubted(gross), Rate::ZERO, doubt(expiry.confidence));
        }
        if fits { Ok([to_stay, to_open]) } else { Err(PortfolioError::ResultOutOfRange) }
    }

    fn initial_factor(&self, stable: Price) -> Result<Rate, PortfolioError> {
        // Both in parts of one: a price counts 1e-8, a rate 1e-9.
        let lost = self.charges.peg_threshold.units().saturating_sub(stable.units().saturating_mul(10)).max(0);
        let more =
            units::mul_div(i128::from(lost), i128::from(self.charges.peg_factor.units()), 1_000_000_000, Round::Up);
        let factor = more.and_then(|more| more.checked_add(i128::from(self.initial_factor.units())));
        let factor = factor.and_then(|factor| i64::try_from(factor).ok()).and_then(Rate::new);
        factor.ok_or(PortfolioError::ResultOutOfRange)
    }
}

/// An expiry as it is now.
struct Now<'a> {
    at: usize,
    expiry: &'a Pmrm2Expiry<'a>,
    years: f64,
    interest: f64,
    discount: f64,
    /// In 1e-8 cash.
    value: f64,
}

impl<'a> Now<'a> {
    fn new(at: usize, expiry: &'a Pmrm2Expiry<'a>) -> Result<Self, PortfolioError> {
        let not_priced = |error| PortfolioError::NotPriced(at, error);
        if expiry.left_ns < 0 {
            return Err(not_priced(OptionError::ExpiryPast));
        }
        let (years, interest) = (years(expiry.left_ns), ratio(expiry.interest).max(0.0));
        let discount = exp(-(interest * years));
        let mut now = Self { at, expiry, years, interest, discount, value: 0.0 };
        now.value = now.priced(Rate::ZERO, |_, volatility| volatility).map_err(not_priced)?;
        Ok(now)
    }

    /// The sum of its options when the moving part of the forward moves and volatilities are changed.
    fn priced(&self, price: Rate, change: impl Fn(&Pmrm2Option, f64) -> f64) -> Result<f64, OptionError> {
        let (years, discount) = (self.years, self.discount);
        let forward = self.forward(price);
        self.expiry.options.iter().try_fold(0.0, |sum, option| {
            let volatility = change(option, volatility(option.volatility)?);
            let terms = DatedTerms { forward, strike: price_units(option.strike), volatility, years, discount };
            Ok(sum + contracts(option.size) * dated(option.right, terms)?)
        })
    }

    fn forward(&self, price: Rate) -> f64 {
        price_units(self.expiry.forward) * (1.0 + ratio(price)) + price_units(self.expiry.forward_fixed)
    }

    fn shocked(&self, rules: &Pmrm2, price: Rate, how: VolatilityMove) -> Result<f64, PortfolioError> {
        let growth = rules.volatility.growth(self.expiry.left_ns);
        let forward = self.forward(Rate::ZERO);
        let skewed = |option: &Pmrm2Option, volatility: f64, cap: &SkewCap, absolute: bool| {
            let k = ln_ratio(price_units(option.strike), forward);
            volatility * (1.0 + self.skew(&rules.skew, cap, if absolute { k.abs() } else { k }))
        };
        let change = |option: &Pmrm2Option, volatility: f64| match how {
            VolatilityMove::Unchanged => volatility,
            VolatilityMove::Up => rules.volatility.shocked(volatility, growth).0,
            VolatilityMove::Down => rules.volatility.shocked(volatility, growth).1,
            VolatilityMove::SkewLinear => skewed(option, volatility, &rules.skew.linear, false),
            VolatilityMove::SkewAbsolute => skewed(option, volatility, &rules.skew.absolute, true),
        };
        self.priced(price, change).map_err(|error| PortfolioError::NotPriced(self.at, error))
    }

    /// k × cap / k*, within ±cap.
    fn skew(&self, skew: &Pmrm2Skew, cap: &SkewCap, k: f64) -> f64 {
        let root = sqrt(self.years);
        let cap = ratio(cap.cap) + ratio(cap.per_root_year) * root;
        let spread = ratio(skew.width) * root * (ratio(skew.level) + ratio(skew.level_per_root_year) * root);
        (k * cap / spread.max(ratio(skew.least))).min(cap.abs()).max(-cap.abs())
    }
}

/// Sold and not covered by an option of the same strike that was bought, whichever its right.
fn naked_shorts(options: &[Pmrm2Option]) -> Option<Size> {
    let mut naked = Size::ZERO;
    for (at, option) in options.iter().enumerate() {
        let same = |other: &&Pmrm2Option| other.strike == option.strike;
        if options.iter().take(at).any(|other| same(&other)) {
            continue;
        }
        let net = options.iter().filter(same).try_fold(Size::ZERO, |sum, one| sum.checked_add(one.size))?;
        if net.is_negative() {
            naked = naked.checked_add(net.abs())?;
        }
    }
    Some(naked)
}

/// The least, and the first of those that equal it when rounded to 1e-8.
fn worst(results: impl Iterator<Item = Money> + Clone) -> (Money, usize) {
    let step = |result: Money| {
        let half = result.units().saturating_add(50_000_000);
        half.div_euclid(100_000_000)
    };
    let at = results.clone().enumerate().min_by_key(|(at, result)| (step(*result), *at)).map_or(0, |(at, _)| at);
    (results.min().unwrap_or(Money::ZERO), at)
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> Result<Money, PortfolioError> {
    let sum = amounts.into_iter().try_fold(Money::ZERO, Money::checked_add);
    sum.filter(|sum| sum.in_bounds()).ok_or(PortfolioError::ResultOutOfRange)
}

/// A result in 1e-8 cash, rounded down to 1e-16.
fn round(at: usize, value: f64) -> Result<Money, PortfolioError> {
    to_money(value, Round::Down).map_err(|error| PortfolioError::NotPriced(at, error))
}
