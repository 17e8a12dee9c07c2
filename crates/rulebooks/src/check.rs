//! What is checked of a position, the same in a book and in a row of many accounts. Where a value stands is the business of its
//! reader: a fault names the value, not the place.

use crate::resolve::{Market, Rulebook};
use crate::schema::Chosen;
use crate::values::{Leverage, one_over, too_many_digits};
use rules::MarketRules;
use units::{Money, Price, Rate, Round, Size, limits};

/// Which value of a position is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// The market.
    Market,
    /// The size.
    Size,
    /// The entry price.
    EntryPrice,
    /// The leverage that stands there.
    Leverage,
    /// The leverage that does not.
    NoLeverage,
}

/// What is wrong with a position.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) value: Value,
    /// What is wrong; the value's name goes before it.
    pub(crate) what: String,
    /// What to do.
    pub(crate) hint: &'static str,
}

fn fault<T>(value: Value, what: String, hint: &'static str) -> Result<T, Box<Fault>> {
    Err(Box::new(Fault { value, what, hint }))
}

/// A position as it was given.
pub(crate) struct Given<'a> {
    /// The market's rules, with the open interest of now.
    pub(crate) rules: &'a MarketRules,
    /// What margin is computed from.
    pub(crate) price: Price,
    pub(crate) size: Size,
    pub(crate) entry_price: Price,
    pub(crate) leverage: Option<&'a str>,
    pub(crate) too_high: TooHigh,
}

/// What becomes of a leverage above the greatest of its tier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooHigh {
    Refused,
    Lowered,
}

/// What a position has of leverage.
#[derive(Default)]
pub(crate) struct ChosenLeverage {
    /// 1 ÷ leverage, rounded up; zero where none is chosen.
    pub(crate) rate: Rate,
    /// The greatest of its tier as a text, where it was lowered to that.
    pub(crate) lowered_to: Option<String>,
}

/// Whole lots, not zero.
pub(crate) fn size(size: Size, market: &Market) -> Result<(), Box<Fault>> {
    if !size.is_zero() && size.is_multiple_of(market.lot) {
        return Ok(());
    }
    let what = format!("{size} is no multiple of {} or is zero", market.lot);
    fault(Value::Size, what, "write whole lots; leave out positions of nothing")
}

/// What the position cost, and its leverage. The size is checked already.
pub(crate) fn position(given: &Given<'_>, rulebook: &Rulebook) -> Result<(Money, ChosenLeverage), Box<Fault>> {
    let Given { rules, price, size, entry_price, .. } = *given;
    if !entry_price.is_positive() {
        return fault(Value::EntryPrice, format!("{entry_price} is not above zero"), "write the average price");
    }
    let cost = rules.contract.value(entry_price, size, Round::TowardZero);
    let notional = rules.contract.notional(price, size).filter(|n| n.units() <= limits::NOTIONAL_MAX);
    let Some((cost, notional)) = cost.zip(notional) else {
        return fault(Value::Size, "the notional is out of range".to_owned(), "give fewer contracts");
    };
    if let Some(cap) = rules.ladder.cap().filter(|cap| notional > *cap) {
        let what = format!("a notional of {notional} is beyond the last tier, which ends at {cap}");
        return fault(Value::Size, what, "give fewer contracts, or another --rulebook with higher tiers");
    }
    Ok((cost, leverage(given, notional, rulebook)?))
}

fn leverage(given: &Given<'_>, notional: Money, rulebook: &Rulebook) -> Result<ChosenLeverage, Box<Fault>> {
    let (venue, chosen) = (&rulebook.venue, rulebook.sections.initial.leverage);
    let Some(text) = given.leverage else {
        return match chosen {
            Chosen::Required => {
                fault(Value::NoLeverage, format!("{venue} needs a leverage"), "give the position one, such as 10")
            }
            Chosen::Optional | Chosen::Never => Ok(ChosenLeverage::default()),
        };
    };
    if chosen == Chosen::Never {
        let what = format!("{text} is not asked for: the ladder of {venue} decides");
        return fault(Value::Leverage, what, "leave it out");
    }
    let Some(rate) = one_over(text) else {
        let what = too_many_digits(text, 16).unwrap_or_else(|| format!("{text:?} is no leverage"));
        return fault(Value::Leverage, what, "write a number of at least 1, such as 20");
    };
    let least = given.rules.ladder.at(given.size, notional, given.rules.open_interest);
    let least = least.map_or(Rate::ONE, |terms| terms.initial);
    if rate < least && given.too_high == TooHigh::Lowered {
        return Ok(ChosenLeverage { rate: least, lowered_to: Some(Leverage::shown(least)) });
    }
    if rate < least {
        let what = format!("{text} is above the greatest of its tier, {}", Leverage::shown(least));
        return fault(Value::Leverage, what, "write a lower leverage");
    }
    Ok(ChosenLeverage { rate, lowered_to: None })
}

/// A position beside another of its market: two legs are of two sides, and the venue has both.
pub(crate) fn legs(symbol: &str, size: Size, other: Size, rulebook: &Rulebook) -> Result<(), Box<Fault>> {
    if size.is_positive() == other.is_positive() {
        return fault(Value::Market, format!("{symbol} stands twice on one side"), "add the two up");
    }
    if !rulebook.sections.account.hedge {
        let what = format!("{symbol} stands twice: {} holds a market long or short, not both", rulebook.venue);
        return fault(Value::Market, what, "add the two up");
    }
    Ok(())
}
