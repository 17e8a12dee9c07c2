//! Margin of options by fixed shares of spot and mark, and by the worst that a book of one expiry can pay. Integers only: marks come
//! in as money. Knows no venue: the shares are parameters, and `docs/options.md` lists whose are which.

use crate::margin::MarginTerms;
use crate::options::Right;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Size};

/// What an option pays when it is exercised: max(spot − strike, 0) of a call, max(strike − spot, 0) of a put; prices not negative.
///
/// What its mark has above it is time value. A put of strike 101,000 at 100,000 pays 1,000.
#[must_use]
pub fn option_payoff(right: Right, spot: Price, strike: Price) -> Price {
    let over = match right {
        Right::Call => spot - strike,
        Right::Put => strike - spot,
    };
    if over.is_positive() { over } else { Price::ZERO }
}

/// What the long of a perpetual option pays the short for a time: time value × size × time ÷ funding period, rounded as said.
///
/// The time value is the mark less the payoff and may be below zero: then the short pays. Five contracts with a time value of 500 and
/// a period of 24 hours cost 104.1666… an hour. `None` when the period is not above zero. Source: Paradex, perpetual options.
#[must_use]
pub fn option_funding(time_value: Price, size: Size, held_ns: i64, period_ns: i64, round: Round) -> Option<Money> {
    if period_ns <= 0 {
        return None;
    }
    Some((time_value * size).share(i128::from(held_ns), i128::from(period_ns), round))
}

/// What an option that was sold needs beside its own value, in shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortOptionRule {
    /// Initial, at the money: this share of spot, less what the option is out of the money by …
    pub initial: Rate,
    /// … but not less than this share of spot.
    pub initial_least: Rate,
    /// Maintenance.
    pub maintenance: OptionMaintenance,
    /// A put needs at most this share of its strike, for it never pays more than the strike; none without.
    pub put_cap: Option<Rate>,
}

/// Maintenance of an option that was sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OptionMaintenance {
    /// A share of spot; of a put, the larger of it and a share of its mark (Deribit, Derive).
    Shares {
        /// Of spot.
        spot: Rate,
        /// Of the mark of a put.
        put_mark: Rate,
        /// Initial of a put, its value included, is at least this multiple of maintenance, its value included.
        put_initial: Rate,
    },
    /// A share of initial (Paradex: half).
    OfInitial(Rate),
}

/// An option that was sold: one right, strike and size. Prices are not negative and values inside the bounds of `units::limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortOption {
    /// Call or put.
    pub right: Right,
    /// Price of the underlying now.
    pub spot: Price,
    /// Strike.
    pub strike: Price,
    /// How much was sold, above zero.
    pub size: Size,
    /// What buying it back costs at the mark, not negative.
    pub mark_value: Money,
}

/// What an option needs beside its own value, in quote, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionCharge {
    /// To open.
    pub initial: Money,
    /// To stay open.
    pub maintenance: Money,
}

impl ShortOptionRule {
    /// max(initial × spot − out of the money, least × spot) and maintenance, both rounded up; times size.
    ///
    /// A call of strike 1,500 at 1,500, shares 15 %, 10 % and 7.5 %: initial 225, maintenance 112.50. Source: Derive's standard
    /// manager (rulebooks/derive/SOURCE.md, DV-IM-02, DV-MM-03), whose form is Deribit's.
    #[must_use]
    pub fn charge(&self, option: &ShortOption) -> OptionCharge {
        let ShortOption { right, spot, strike, size, mark_value } = *option;
        let value = spot * size;
        // Out of the money by what the other right would pay.
        let other = if right == Right::Call { Right::Put } else { Right::Call };
        let outside = option_payoff(other, spot, strike) * size;
        let least = value.mul_rate(self.initial_least, Round::Up);
        let initial = (value.mul_rate(self.initial, Round::Up) - outside).max(least);
        let cap = self.put_cap.filter(|_| right == Right::Put).map(|cap| (strike * size).mul_rate(cap, Round::Up));
        let capped = |charge: Money| cap.map_or(charge, |cap| charge.min(cap));
        let initial = capped(initial);
        match self.maintenance {
            OptionMaintenance::OfInitial(share) => {
                OptionCharge { initial, maintenance: initial.mul_rate(share, Round::Up) }
            }
            OptionMaintenance::Shares { spot, put_mark, put_initial } => {
                let of_spot = value.mul_rate(spot, Round::Up);
                if right == Right::Call {
                    return OptionCharge { initial, maintenance: of_spot };
                }
                let maintenance = capped(of_spot.max(mark_value.mul_rate(put_mark, Round::Up)));
                let scaled = (mark_value + maintenance).mul_rate(put_initial, Round::Up) - mark_value;
                OptionCharge { initial: initial.max(scaled), maintenance }
            }
        }
    }
}

/// What an option that was bought needs: its mark, at most a share of spot, rounded up; times size.
///
/// A mark of 500 at a spot of 60,000 and 20 %: 500. Source: Paradex, dated options, cross margin.
#[must_use]
pub fn long_option_margin(spot: Price, size: Size, mark_value: Money, most: Rate) -> Money {
    mark_value.min((spot * size.abs()).mul_rate(most, Round::Up))
}

/// Margin of a position in an option, by fixed shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionMarginRule {
    /// Of what was sold.
    pub short: ShortOptionRule,
    /// Of what was bought: its mark, at most this share of spot. A share of 0 counts its whole value as equity.
    pub long: Rate,
    /// Maintenance of what was bought, as a share of initial: 1 counts nothing of its value as equity.
    pub long_maintenance: Rate,
}

/// An option and what it is worth now. Prices are not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionPosition {
    /// Call or put.
    pub right: Right,
    /// Price of the underlying.
    pub spot: Price,
    /// Strike.
    pub strike: Price,
    /// Mark of the option.
    pub mark: Price,
    /// + long.
    pub size: Size,
}

impl OptionMarginRule {
    /// Initial and maintenance margin of a position whose result is in equity: premium and value move through its cost, so that a
    /// short needs its charge beside the mark that equity has lost, and a long needs what of its mark does not count. Each with
    /// the fee to close, a share of the mark. `None` when a product is out of bounds. Rounds up.
    ///
    /// Short 1 call of strike 1,500 at a spot of 1,500 marked at 80, shares 15 %, 10 % and 7.5 %: initial 225, maintenance 112.50.
    /// Sources: [`ShortOptionRule::charge`], [`long_option_margin`].
    #[must_use]
    pub fn margins(&self, option: &OptionPosition, closing_fee: Rate) -> (MarginTerms, MarginTerms) {
        let OptionPosition { right, spot, strike, mark, size } = *option;
        let notional = mark * size.abs();
        let fee = notional.mul_rate(closing_fee, Round::Up);
        let charge = if size.is_negative() {
            self.short.charge(&ShortOption { right, spot, strike, size: size.abs(), mark_value: notional })
        } else {
            let initial = long_option_margin(spot, size, notional, self.long);
            OptionCharge { initial, maintenance: initial.mul_rate(self.long_maintenance, Round::Up) }
        };
        let terms = |charge: Money| MarginTerms {
            notional,
            rate: Rate::ZERO,
            charge,
            deduction: Money::ZERO,
            closing_fee: fee,
            required: charge + fee,
        };
        // Whoever may open stands above the line.
        (terms(charge.initial.max(charge.maintenance)), terms(charge.maintenance))
    }

    /// By how much maintenance per contract changes at most when the mark changes by 1, and when spot does, the fee aside.
    #[must_use]
    pub fn slopes(&self) -> (Rate, Rate) {
        let of_spot = self.short.initial.max(self.short.initial_least) + Rate::ONE;
        let short = match self.short.maintenance {
            OptionMaintenance::OfInitial(share) => (Rate::ZERO, times(of_spot, share)),
            OptionMaintenance::Shares { spot, put_mark, .. } => (put_mark, spot),
        };
        (short.0.max(self.long_maintenance), short.1.max(times(self.long, self.long_maintenance)))
    }

    /// Whether each share is in its range: none negative, all at most 1 but for the multiple of a put's maintenance, at most 3, and
    /// initial at least its own least.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let share = |rate: Rate| !rate.is_negative() && rate <= Rate::ONE;
        let s = &self.short;
        let maintenance = match s.maintenance {
            OptionMaintenance::OfInitial(of) => share(of) && of.is_positive(),
            OptionMaintenance::Shares { spot, put_mark, put_initial } => {
                let multiple = put_initial == Rate::ZERO || (Rate::ONE..=Rate::bps(30_000)).contains(&put_initial);
                share(spot) && spot.is_positive() && share(put_mark) && multiple
            }
        };
        let short = share(s.initial) && s.initial_least.is_positive() && s.initial_least <= s.initial;
        let cap = s.put_cap.is_none_or(|cap| share(cap) && cap.is_positive());
        short && maintenance && cap && share(self.long) && share(self.long_maintenance)
    }
}

/// The product of two shares, rounded up.
fn times(a: Rate, b: Rate) -> Rate {
    let units = units::mul_div(a.units().into(), b.units().into(), Rate::ONE.units().into(), Round::Up);
    units.and_then(|u| i64::try_from(u).ok()).and_then(Rate::new).unwrap_or(a)
}

/// Options of one expiry that are held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionLeg {
    /// Call or put.
    pub right: Right,
    /// Strike.
    pub strike: Price,
    /// Above zero when bought, below when sold.
    pub size: Size,
}

/// A book of one expiry has at most this many legs.
pub const OPTION_LEGS_MAX: usize = 128;

/// The least that a book pays at its expiry, and what of it has no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorstPayoff {
    /// The least payoff over all prices from 0 to the highest strike; below zero is a loss.
    pub payoff: Money,
    /// Calls sold beyond those bought: above the highest strike each loses what the price rises. Not negative.
    pub unpaired_calls: Size,
}

/// Payoffs are straight between strikes, so that the least is at 0 or at a strike. `None` above [`OPTION_LEGS_MAX`] legs, or when
/// the calls do not add up to a size.
///
/// Short a 1,100 call and long a 1,300 call: −200 at 1,300, none unpaired. Source: Derive's standard manager (DV-MM-04).
#[must_use]
pub fn worst_payoff(legs: &[OptionLeg]) -> Option<WorstPayoff> {
    if legs.len() > OPTION_LEGS_MAX {
        return None;
    }
    let at = |price: Price| -> Option<Money> {
        legs.iter()
            .try_fold(Money::ZERO, |sum, leg| sum.checked_add(option_payoff(leg.right, price, leg.strike) * leg.size))
    };
    let payoff = legs.iter().try_fold(at(Price::ZERO)?, |least, leg| Some(least.min(at(leg.strike)?)))?;
    let calls =
        legs.iter().filter(|leg| leg.right == Right::Call).map(|leg| i128::from(leg.size.units())).sum::<i128>();
    let unpaired_calls = Size::new(i64::try_from(calls.saturating_neg().max(0)).ok()?)?;
    Some(WorstPayoff { payoff, unpaired_calls })
}

impl WorstPayoff {
    /// What the book needs for the worst: the loss, and for calls without a bound `share` (above 1) of the forward each, rounded up.
    ///
    /// A loss of 200 and 0.1 calls without a bound at a forward of 1,500 and 110 %: 365.
    #[must_use]
    pub fn margin(&self, forward: Price, share: Rate) -> Money {
        let loss = (Money::ZERO - self.payoff).max(Money::ZERO);
        loss + (forward * self.unpaired_calls).mul_rate(share, Round::Up)
    }
}
