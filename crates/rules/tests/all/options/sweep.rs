//! Random options over the whole promised range, against the same quantities with twice the digits and other formulas.

use super::double_double::{ONE, Wide, wide};
use super::{Random, dated, error_of_price, perpetual};
use plimsoll_rules::options::Right;

fn see(worst: &mut (f64, String), error: f64, case: impl FnOnce() -> String) {
    if error.is_nan() || error > worst.0 {
        *worst = (error, case());
    }
}

/// ln (a / b), also when they are close.
fn log(a: f64, b: f64) -> Wide {
    let d = (wide(a) - wide(b)) / (wide(a) + wide(b));
    if d.high.abs() > 0.05 {
        return (wide(a) / wide(b)).ln();
    }
    let z = d * d;
    d.times(2.0) * (0..14).rev().fold(wide(0.0), |sum, n| sum * z + ONE / wide(f64::from(2 * n + 1)))
}

/// Call and put, each as it stands in the textbook: the loss of digits is what the second double is for.
fn textbook_black(forward: f64, strike: f64, volatility: f64, years: f64) -> [Wide; 2] {
    let s = wide(years).sqrt().times(volatility);
    let d1 = log(forward, strike) / s + s.times(0.5);
    let d2 = d1 - s;
    let normal = |d: Wide| if d.high < 0.0 { (-d).normal_tail() } else { ONE - d.normal_tail() };
    let of = |d1: Wide, d2: Wide| normal(d1).times(forward) - normal(d2).times(strike);
    [of(d1, d2), -of(-d1, -d2)]
}

type Draw = fn(&mut Random) -> (f64, f64, f64, f64);

#[test]
fn dated_options_are_right_everywhere() {
    dated_options(Random::terms, 0.05);
    dated_options(Random::accepted, 0.05);
}

fn dated_options(draw: Draw, part: f64) {
    let (mut random, mut worst, mut large) = (Random(21), (0.0, String::new()), 0);
    for _ in 0..20_000 {
        let (forward, strike, volatility, years) = draw(&mut random);
        let exact = textbook_black(forward, strike, volatility, years);
        let option = dated(forward, strike, volatility, years, 1.0);
        for (right, exact) in [Right::Call, Right::Put].into_iter().zip(exact) {
            // The textbook's own error is 1e-31 of the larger term.
            let (ours, exact) = (option.price(right), exact.number());
            large += usize::from(exact >= 1e-6 * strike);
            see(&mut worst, error_of_price(ours, exact, strike), || format!("{option:?} {right:?} {ours:e} {exact:e}"));
        }
    }
    println!("dated: {:.4} of what is allowed at {}; {large} of a millionth of the strike or more", worst.0, worst.1);
    assert!(worst.0 <= part, "{worst:?}");
    assert!(large > 20_000, "{large}");
}

/// The time value of either right, by powers of S/K from logarithms: K/u (S/K)^((1 ∓ u)/2).
fn time_value(spot: f64, strike: f64, volatility: f64, period: f64) -> Wide {
    let variance = wide(volatility) * wide(volatility) * wide(period);
    let u = (ONE + wide(8.0) / variance).sqrt();
    let exponent = if spot >= strike { (ONE - u).times(0.5) } else { (ONE + u).times(0.5) };
    (exponent * log(spot, strike)).exp().times(strike) / u
}

#[test]
fn perpetual_options_are_right_everywhere() {
    perpetual_options(Random::terms, 0.05);
    perpetual_options(Random::accepted, 0.05);
}

fn perpetual_options(draw: Draw, part: f64) {
    let (mut random, mut worst, mut large) = (Random(22), (0.0, String::new()), 0);
    for _ in 0..50_000 {
        let (spot, strike, volatility, period) = draw(&mut random);
        let option = perpetual(spot, strike, volatility, period, 0.0);
        let value = time_value(spot, strike, volatility, period);
        let intrinsic = wide(spot) - wide(strike);
        let (call, put) = if spot < strike { (value, value - intrinsic) } else { (value + intrinsic, value) };
        for (right, exact) in [(Right::Call, call), (Right::Put, put)] {
            let (ours, exact) = (option.price(right), exact.number());
            large += usize::from(exact >= 1e-6 * strike);
            see(&mut worst, error_of_price(ours, exact, strike), || format!("{option:?} {right:?} {ours:e} {exact:e}"));
        }
    }
    println!(
        "perpetual: {:.4} of what is allowed at {}; {large} of a millionth of the strike or more",
        worst.0, worst.1
    );
    assert!(worst.0 <= part, "{worst:?}");
    assert!(large > 50_000, "{large}");
}

/// Call and put with interest from the form that Paradex and Deri publish: C = A m^(…) … with the q = 1 − 2r/σ² that it divides by
/// left out. The constants join value and slope at the strike.
fn with_interest(spot: f64, strike: f64, volatility: f64, period: f64, interest: f64) -> [Wide; 2] {
    let variance = wide(volatility) * wide(volatility);
    let half = variance.times(0.5);
    let drift = wide(interest) - half;
    let both = wide(interest) + ONE / wide(period);
    let root = (drift * drift + (half * both).times(4.0)).sqrt();
    let (p, q) = ((root - drift) / variance, (-root - drift) / variance);
    let less = wide(strike) / (ONE + wide(interest) * wide(period));
    // a = K − K' + b and a p = K + b q.
    let b = (wide(strike) - (wide(strike) - less) * p) / (p - q);
    let a = wide(strike) - less + b;
    let l = log(spot, strike);
    let call = if spot < strike { a * (p * l).exp() } else { wide(spot) - less + b * (q * l).exp() };
    [call, call - wide(spot) + less]
}

#[test]
fn perpetual_options_with_interest_are_right_everywhere() {
    perpetual_options_with_interest(Random::terms);
    perpetual_options_with_interest(Random::accepted);
}

fn perpetual_options_with_interest(draw: Draw) {
    let (mut random, mut worst, mut large) = (Random(23), (0.0, String::new()), 0);
    for _ in 0..100_000 {
        let (spot, strike, volatility, period) = draw(&mut random);
        let interest = match random.bits() % 3 {
            0 => random.unit() - 0.5,
            1 => 0.0002 * random.unit(),
            _ => volatility * volatility * 0.5, // where the published form divides by zero
        };
        if interest.abs() > 1.0 || interest * period < -0.9 {
            continue;
        }
        let option = perpetual(spot, strike, volatility, period, interest);
        let exact = with_interest(spot, strike, volatility, period, interest);
        for (right, exact) in [Right::Call, Right::Put].into_iter().zip(exact) {
            let (ours, exact) = (option.price(right), exact.number());
            large += usize::from(exact >= 1e-6 * strike);
            see(&mut worst, error_of_price(ours, exact, strike), || format!("{option:?} {right:?} {ours:e} {exact:e}"));
        }
    }
    println!("with interest: {:.4} of what is allowed at {}; {large} large", worst.0, worst.1);
    assert!(worst.0 <= 1.0, "{worst:?}");
    assert!(large > 40_000, "{large}");
}
