//! Margin ladders for random markets: in most of them tiers, in the others each of the forms that venues have, so flat or so steep that
//! positions stay on one step, cross several with one price, or come to rates without end.

use super::dice::Dice;
use super::venue::rate;
use rules::{Ladder, OpenInterestLadder, RiskFactors, SizeLadder, StepLadder, TierTable};
use units::{Money, Rate};

/// Tiers of (cap, initial rate, maintenance rate).
pub fn tiers(steps: &[(i64, &str, &str)]) -> Ladder {
    let steps: Vec<(Money, Rate, Rate)> =
        steps.iter().map(|(cap, i, m)| (Money::whole(*cap), rate(i), rate(m))).collect();
    Ladder::Tiers(TierTable::derive(&steps).unwrap_or_else(|error| panic!("{error}")))
}

/// A form for a market whose plain ladder is given. `usual` is the notional of a usual position, settlement asset, and `contracts`
/// how many contracts that is about.
pub fn draw(dice: &mut Dice, plain: Ladder, usual: Money, contracts: i64) -> Ladder {
    let least = plain.least();
    let (initial, maintenance) = (least.initial, least.maintenance);
    let times = |money: Money, n: i128, of: i128| Money::from_units(money.units() * n / of);
    // What a usual position adds to the rates.
    let added = [rate("0.0005"), rate("0.01"), rate("1")][dice.pick(&[2, 3, 1])];
    let each = |count: i128| Rate::new(added.units() / i64::try_from(count.max(1)).unwrap_or(1)).unwrap_or(added);
    let sized = |rise: Rate| SizeLadder { initial, maintenance, rise };
    match dice.pick(&[8, 2, 1, 1, 1, 1, 1]) {
        0 => plain,
        1 => Ladder::Steps(StepLadder {
            initial,
            maintenance,
            base: times(usual, [0, 1, 3][dice.pick(&[1, 1, 1])], 4),
            step: times(usual, 1, [1, 10, 1_000][dice.pick(&[2, 3, 1])]),
            rise: [rate("0.001"), rate("0.01")][dice.pick(&[1, 2])],
        }),
        2 => Ladder::PerSize(sized(each(i128::from(contracts)))),
        3 => Ladder::SizeRoot(sized(each(i128::from(contracts.max(1).isqrt())))),
        4 => Ladder::PerNotional(sized(each(usual.units() / Money::whole(1).units()))),
        5 => Ladder::OpenInterest(OpenInterestLadder {
            initial,
            fraction: rate("0.5"),
            lower: times(usual, [0, 1, 5][dice.pick(&[1, 2, 1])], 1),
            upper: times(usual, [0, 10, 50][dice.pick(&[1, 3, 3])], 1),
        }),
        _ => Ladder::RiskFactors(RiskFactors {
            slippage: rate("0.01"),
            long: rate(["0", "0.02", "0.4"][dice.pick(&[1, 2, 1])]),
            short: rate(["0", "0.03", "0.9"][dice.pick(&[1, 2, 1])]),
            initial_factor: rate(["1", "1.5", "10"][dice.pick(&[1, 3, 1])]),
        }),
    }
}
