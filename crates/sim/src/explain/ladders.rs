//! Where a maintenance rate comes from, in words: the tier, the steps, what the size adds.

use super::money;
use crate::scenario::percent;
use rules::Ladder;
use units::{Money, Size};

/// Why a position of this size, worth this, has its maintenance rate.
pub fn place(ladder: &Ladder, size: Size, notional: Money) -> String {
    let place = exact(ladder, size, notional);
    if ladder.has_terms(size, notional, Money::ZERO) {
        place
    } else {
        format!("{place}; no rate of a position that is held is above {}", percent(Ladder::RATE_MAX))
    }
}

fn exact(ladder: &Ladder, size: Size, notional: Money) -> String {
    match ladder {
        Ladder::Tiers(table) => {
            let (tiers, tier) = (table.tiers(), table.of(notional));
            let at = tiers.iter().position(|row| row.cap == tier.cap).map_or(0, |at| at + 1);
            format!("tier {at} of {}: above {} up to {}", tiers.len(), money(tier.floor), money(tier.cap))
        }
        Ladder::Steps(l) => format!(
            "{} + {} × {}: steps of {} begun above {}",
            percent(l.maintenance),
            l.started(notional),
            percent(l.rise),
            money(l.step),
            money(l.base)
        ),
        Ladder::PerSize(l) => {
            format!("{} + {} for each of {} contracts, rounded up", percent(l.maintenance), percent(l.rise), size.abs())
        }
        Ladder::PerNotional(l) => {
            let (first, rise) = (percent(l.maintenance), percent(l.rise));
            format!("{first} + {rise} for each of {} of notional, rounded up", money(notional))
        }
        Ladder::SizeRoot(l) => {
            let (first, rise) = (percent(l.maintenance), percent(l.rise));
            format!("the larger of {first} and 80% of it + {rise} × √{}, rounded up", size.abs())
        }
        Ladder::OpenInterest(l) => {
            format!("{} of the initial rate {}, whatever the open interest", percent(l.fraction), percent(l.initial))
        }
        Ladder::RiskFactors(f) => {
            let (side, risk) = if size.is_negative() { ("short", f.short) } else { ("long", f.long) };
            format!("slippage {} + risk of a {side} {}", percent(f.slippage), percent(risk))
        }
    }
}
