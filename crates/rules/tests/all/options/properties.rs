//! What must hold for every option: parity, order, curvature, funding, limits, and that implied volatility undoes the price.

use super::{dated, perpetual};
use plimsoll_rules::options::{Dated, Perpetual, Right, payoff};
use proptest::prelude::*;

const STRIKE: f64 = 100.0;
/// What rounding may do to a price, in parts of spot or strike, whichever is larger.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

#[derive(Clone, Copy, Debug)]
struct Case {
    spot: f64,
    volatility: f64,
    years: f64,
    interest: f64,
}

impl Case {
    fn perpetual(self) -> Perpetual {
        perpetual(self.spot, STRIKE, self.volatility, self.years, self.interest)
    }
    fn dated(self) -> Dated {
        dated(self.spot, STRIKE, self.volatility, self.years, (-self.interest * self.years).exp())
    }
    fn rounding(self) -> f64 {
        ROUNDING * self.spot.max(STRIKE)
    }
}

/// Near the strike as often as anywhere, without interest as often as with.
fn cases() -> impl Strategy<Value = Case> {
    let spot = prop_oneof![-6.9..6.9f64, -0.2..0.2f64, -0.01..0.01f64];
    let interest = prop_oneof![Just(0.0), -0.5..0.9f64];
    let logs = (spot, 0.01f64.ln()..5f64.ln(), (1.0f64 / 8760.0).ln()..0.0);
    (logs, interest).prop_map(|((spot, volatility, years), interest)| Case {
        spot: STRIKE * spot.exp(),
        volatility: volatility.exp(),
        years: years.exp(),
        interest,
    })
}

const RIGHTS: [Right; 2] = [Right::Call, Right::Put];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// C − P = S − K / (1 + rT) and D (F − K).
    #[test]
    fn call_less_put_is_spot_less_strike(case in cases()) {
        let (option, dated) = (case.perpetual(), case.dated());
        let strike = STRIKE / (1.0 + case.interest * case.years);
        let left = option.price(Right::Call) - option.price(Right::Put);
        prop_assert!((left - (case.spot - strike)).abs() <= 2.0 * case.rounding(), "{left}");
        let discount = dated.terms().discount;
        let left = dated.price(Right::Call) - dated.price(Right::Put);
        prop_assert!((left - discount * (case.spot - STRIKE)).abs() <= 2.0 * discount * case.rounding(), "{left}");
        let deltas = |delta: &dyn Fn(Right) -> f64| delta(Right::Call) - delta(Right::Put);
        prop_assert!((deltas(&|right| option.greeks(right).delta) - 1.0).abs() < 1e-13);
        prop_assert!((deltas(&|right| dated.greeks(right).delta) - discount).abs() < 1e-13 * discount);
    }

    /// An option is worth at least its payoff without interest, at most what it is on (a put: its strike).
    #[test]
    fn prices_stay_within_their_bounds(case in cases()) {
        let free = Case { interest: 0.0, ..case };
        for right in RIGHTS {
            let most = if right == Right::Call { case.spot } else { STRIKE };
            for price in [free.perpetual().price(right), free.dated().price(right)] {
                prop_assert!(price >= payoff(right, case.spot, STRIKE) && price <= most + case.rounding(), "{price}");
            }
            prop_assert!(case.perpetual().price(right) >= -case.rounding() && case.dated().price(right) >= 0.0);
        }
    }

    /// Calls rise and puts fall with the spot, by at most its move, and the middle is below the mean of the ends.
    #[test]
    fn prices_are_monotone_and_convex_in_the_spot(case in cases(), move_by in 0.0001..0.5f64) {
        let at = |factor: f64| Case { spot: case.spot * factor, ..case };
        let spots = [at(1.0 - move_by), case, at(1.0 + move_by)];
        let step = case.spot * move_by;
        for right in RIGHTS {
            let sign = if right == Right::Call { 1.0 } else { -1.0 };
            let discount = case.dated().terms().discount;
            for (prices, scale) in
                [(spots.map(|case| case.perpetual().price(right)), 1.0), (spots.map(|case| case.dated().price(right)), discount)]
            {
                let slack = 2.0 * scale * spots[2].rounding();
                for pair in prices.windows(2) {
                    let rise = sign * (pair[1] - pair[0]);
                    prop_assert!(rise >= -slack && rise <= scale * step + slack, "{right:?} {rise} of {step}");
                }
                prop_assert!(prices[0] + prices[2] - 2.0 * prices[1] >= -2.0 * slack, "{right:?} {prices:?}");
            }
        }
        for greeks in [case.perpetual().greeks(Right::Put).gamma, case.dated().greeks(Right::Put).gamma] {
            prop_assert!(greeks >= 0.0);
        }
    }

    #[test]
    fn prices_rise_with_volatility(case in cases(), more in 1.0001..2.0f64) {
        let louder = Case { volatility: case.volatility * more, ..case };
        for right in RIGHTS {
            let (one, other) = (case.perpetual().price(right), louder.perpetual().price(right));
            prop_assert!(other >= one - case.rounding(), "perpetual {right:?} {one} {other}");
            let (one, other) = (case.dated().price(right), louder.dated().price(right));
            prop_assert!(other >= one * (1.0 - ROUNDING), "dated {right:?} {one} {other}");
            prop_assert!(case.perpetual().greeks(right).vega >= 0.0 && case.dated().greeks(right).vega >= 0.0);
        }
    }

    /// The long pays (V − payoff) / T = ½σ²S²Γ + rSΔ − rV; without interest ½σ²S²Γ, which is above zero.
    #[test]
    fn funding_is_what_gamma_earns(case in cases()) {
        let option = case.perpetual();
        for right in RIGHTS {
            let greeks = option.greeks(right);
            let price = option.price(right);
            let earned = 0.5 * case.volatility.powi(2) * case.spot.powi(2) * greeks.gamma;
            let carried = case.interest * (case.spot * greeks.delta - price);
            let slack = 1e-12 * (earned + greeks.funding.abs() + carried.abs()) + 1e-14 * case.interest.abs() * case.spot.max(STRIKE);
            prop_assert!((greeks.funding - (earned + carried)).abs() <= slack, "{right:?} {greeks:?} {earned} {carried}");
            let paid = greeks.funding * case.years;
            prop_assert!((paid - (price - payoff(right, case.spot, STRIKE))).abs() <= 2.0 * case.rounding(), "{paid}");
            if case.interest == 0.0 {
                prop_assert!(greeks.funding >= 0.0, "the long pays the short");
            }
        }
    }

    /// ∂V/∂t of Black's equation: Θ = rV − ½σ²F²Γ, and ρ = −tV.
    #[test]
    fn theta_and_rho_follow_from_price_and_gamma(case in cases()) {
        let option = case.dated();
        for right in RIGHTS {
            let (greeks, price) = (option.greeks(right), option.price(right));
            let decay = 0.5 * case.volatility.powi(2) * case.spot.powi(2) * greeks.gamma;
            // The discount factor holds the interest to 1e-16 / years only.
            let slack = 1e-12 * (decay + (case.interest * price).abs()) + price * 4.0 * f64::EPSILON / case.years;
            prop_assert!((greeks.theta - (case.interest * price - decay)).abs() <= slack, "{greeks:?} {decay}");
            prop_assert!((greeks.rho + case.years * price).abs() <= 1e-15 * price);
        }
    }

    /// Where the price tells one: its error is error of price / vega.
    #[test]
    fn implied_volatility_undoes_the_price(case in cases()) {
        let (option, dated) = (case.perpetual(), case.dated());
        for right in RIGHTS {
            let of_perpetual = Perpetual::implied_volatility(*option.terms(), right, option.price(right));
            let of_dated = Dated::implied_volatility(*dated.terms(), right, dated.price(right));
            let slack = case.rounding() * dated.terms().discount.max(1.0);
            for (found, vega) in [(of_perpetual, option.greeks(right).vega), (of_dated, dated.greeks(right).vega)] {
                // Vega where a price is told from its neighbours by a step of rounding or more.
                let uncertain = 4.0 * slack / vega + 1e-13 * case.volatility;
                if uncertain < 1e-3 * case.volatility {
                    let found = found.unwrap();
                    prop_assert!((found - case.volatility).abs() <= 2.0 * uncertain, "{right:?} {found} {uncertain}");
                } else if let Ok(found) = found {
                    prop_assert!((0.001..=20.0).contains(&found));
                }
            }
        }
    }
}

/// A perpetual option is worth what dated ones are on average over expiries that are exponential with mean T: ∫ e^-x B(xT) dx, by
/// Simpson's rule in y² = x. Ties the two closed forms to each other.
#[test]
fn perpetual_is_the_mean_of_dated_ones() {
    for (spot, volatility, years, interest) in [
        (100.0, 0.6, 7.0 / 365.0, 0.0),
        (80.0, 0.8, 30.0 / 365.0, 0.0),
        (130.0, 1.2, 0.25, 0.0),
        (100.0, 0.6, 7.0 / 365.0, 0.1095),
        (90.0, 0.5, 0.25, 0.125),
        (120.0, 0.9, 0.2, -0.2),
    ] {
        for right in RIGHTS {
            let at = |y: f64| {
                let time = y * y * years;
                if time < 1e-5 {
                    return 2.0 * y * payoff(right, spot, STRIKE);
                }
                let (forward, discount) = (spot * (interest * time).exp(), (-interest * time).exp());
                2.0 * y * (-y * y).exp() * dated(forward, STRIKE, volatility, time, discount).price(right)
            };
            let (steps, end) = (20_000, 6.0);
            let weight = |n: i32| if n == 0 || n == steps { 1.0 } else { f64::from(2 + 2 * (n % 2)) };
            let sum: f64 = (0..=steps).map(|n| weight(n) * at(end * f64::from(n) / f64::from(steps))).sum();
            let mean = sum * end / f64::from(steps) / 3.0;
            let ours = perpetual(spot, STRIKE, volatility, years, interest).price(right);
            assert!((mean - ours).abs() < 2e-5 * ours.max(1.0), "{right:?} at {spot}: {mean} and {ours}");
        }
    }
}

#[test]
fn limits_of_the_perpetual_option_are_met() {
    // At the money and for a short period: Kσ√(T/8), 0.886 of a dated option that expires after T.
    let (volatility, period) = (0.5, 1.0 / 8760.0);
    let price = perpetual(STRIKE, STRIKE, volatility, period, 0.0).price(Right::Put);
    let short = STRIKE * volatility * (period / 8.0).sqrt();
    assert!((price / short - 1.0).abs() < 1e-5, "{price} {short}");
    let of_dated = dated(STRIKE, STRIKE, volatility, period, 1.0).price(Right::Put);
    assert!((price / of_dated - (std::f64::consts::PI / 4.0).sqrt()).abs() < 1e-5, "{}", price / of_dated);
    // Endless and wild: a call is worth its underlying, a put its strike.
    let endless = perpetual(70.0, STRIKE, 20.0, 10.0, 0.0);
    assert!(
        (endless.price(Right::Call) / 70.0 - 1.0).abs() < 2e-3
            && (endless.price(Right::Put) / STRIKE - 1.0).abs() < 2e-3
    );
    // Quiet: the payoff, or with interest what drift makes of it.
    let quiet = perpetual(70.0, STRIKE, 0.001, 1.0 / 8760.0, 0.0);
    assert_eq!(quiet.price(Right::Put), 30.0);
    assert!(quiet.price(Right::Call) < 1e-200);
    // With interest near 0 it is the one without.
    for spot in [60.0, 100.0, 140.0] {
        for right in RIGHTS {
            let (with, without) = (perpetual(spot, STRIKE, 0.7, 0.1, 1e-12), perpetual(spot, STRIKE, 0.7, 0.1, 0.0));
            assert!((with.price(right) - without.price(right)).abs() < 1e-10);
        }
    }
    // Both sides meet at the strike in value and slope, and there a call's delta is ½ + 1/(2u).
    let at = perpetual(STRIKE, STRIKE, 0.6, 7.0 / 365.0, 0.0).greeks(Right::Call).delta;
    let below = perpetual(STRIKE.next_down(), STRIKE, 0.6, 7.0 / 365.0, 0.0).greeks(Right::Call).delta;
    assert!((at - below).abs() < 1e-13 && (at - (0.5 + 0.5 / 34.054_811_095_205_9)).abs() < 1e-14, "{at} {below}");
}

/// With interest a deep put is worth less than its payoff: then the short pays.
#[test]
fn funding_turns_round_when_waiting_costs_more_than_gamma_earns() {
    let put = perpetual(40.0, STRIKE, 0.3, 0.5, 0.3).greeks(Right::Put);
    assert!(put.funding < 0.0, "{put:?}");
    let call = perpetual(40.0, STRIKE, 0.3, 0.5, 0.3).greeks(Right::Call);
    assert!(call.funding > 0.0, "{call:?}");
}
