//! Exponential, logarithm, root and normal distribution: their errors, and the root's bits.

use super::Random;
use super::double_double::{ONE, PI, wide};
use plimsoll_rules::options::numeric::{
    exp, exp_and_expm1_of_negative, exp_of_negative, inverse_root, ln_ratio, mills, normal, sqrt,
};

/// |ours / exact − 1| in units of 2⁻⁵².
fn steps(ours: f64, exact: super::double_double::Wide) -> f64 {
    ((wide(ours) - exact) / exact).number().abs() / f64::EPSILON
}

fn worst(cases: usize, mut error: impl FnMut(&mut Random) -> f64) -> f64 {
    let mut random = Random(5);
    (0..cases).map(|_| error(&mut random)).fold(0.0, f64::max)
}

#[test]
fn root_has_the_bits_of_ieee() {
    let mut random = Random(1);
    let same = |a: f64| assert_eq!(sqrt(a).to_bits(), a.sqrt().to_bits(), "the root of {a:e}");
    for _ in 0..1_000_000 {
        let any = f64::from_bits(random.bits() & !(1 << 63));
        if any.is_normal() {
            same(any);
        }
        // Squares of doubles and their neighbours, where rounding is closest to a tie.
        let root = 1.0 + random.unit();
        let square = root * root;
        same(square);
        same(square.next_up());
        same(square.next_down());
    }
    for exponent in -1022..1023 {
        let power = f64::from(exponent).exp2();
        same(power);
        same(power.next_up());
        if exponent > -1022 {
            same(power.next_down());
        }
    }
    same(f64::MAX);
    same(0.0);
    same(-0.0);
    assert!([-1.0, f64::NAN, f64::INFINITY, 1e-310].into_iter().all(|a| sqrt(a).is_nan()));
}

#[test]
fn inverse_root_is_within_two_steps() {
    let error = worst(200_000, |random| {
        let a = random.magnitude(1e-300, 1e300);
        steps(inverse_root(a), ONE / wide(a).sqrt())
    });
    assert!(error < 2.0, "{error}");
    println!("inverse root: {error:.2}");
}

#[test]
fn exponential_is_within_two_steps() {
    let error = worst(100_000, |random| {
        let x = match random.bits() % 2 {
            0 => random.unit() * 1300.0 - 650.0,
            _ => (random.unit() - 0.5) * random.magnitude(1e-9, 2.0),
        };
        let exact = wide(x).exp();
        assert!(!(-600.0..=0.0).contains(&x) || exp(x) == exp_of_negative(x));
        steps(exp(x), exact)
    });
    println!("exponential: {error:.2}");
    assert!(error < 2.0, "{error}");
    assert_eq!([exp(0.0), exp(-708.1), exp(-1e300), exp(f64::NEG_INFINITY)], [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(exp(709.1), f64::INFINITY);
    assert!(exp(f64::NAN).is_nan());
    assert!(exp(709.0).is_finite() && exp(-708.0) >= f64::MIN_POSITIVE);
    assert_eq!(exp_of_negative(-601.0), exp_of_negative(f64::NEG_INFINITY));
}

#[test]
fn exponential_less_one_keeps_its_digits_near_zero() {
    let error = worst(100_000, |random| {
        let x = -random.magnitude(1e-12, 40.0);
        let exact = if x > -1e-3 {
            // Taylor, for the difference would cost the reference its digits.
            let x = wide(x);
            let term = |n: f64, rest| x / wide(n) * (ONE + rest);
            term(1.0, term(2.0, term(3.0, term(4.0, term(5.0, term(6.0, term(7.0, term(8.0, wide(0.0)))))))))
        } else {
            wide(x).exp() - ONE
        };
        steps(exp_and_expm1_of_negative(x).1, exact)
    });
    println!("exponential less one: {error:.2}");
    assert!(error < 3.0, "{error}");
}

#[test]
fn logarithm_of_a_ratio_is_within_three_steps_also_near_one() {
    let error = worst(100_000, |random| {
        let b = random.magnitude(1e-20, 1e20);
        let a = match random.bits() % 3 {
            0 => b * (1.0 + (random.unit() - 0.5) * random.magnitude(1e-14, 1e-3)),
            1 => b * (0.5 + 1.5 * random.unit()),
            _ => random.magnitude(1e-20, 1e20),
        };
        if a == b {
            assert_eq!(ln_ratio(a, b), 0.0);
            return 0.0;
        }
        // ln (1 + d) with the exact difference, by the series of atanh when d is small.
        let d = (wide(a) - wide(b)) / (wide(a) + wide(b));
        let exact = if d.high.abs() < 0.05 {
            let z = d * d;
            let series = (0..14).rev().fold(wide(0.0), |sum, n| sum * z + ONE / wide(f64::from(2 * n + 1)));
            d.times(2.0) * series
        } else {
            (wide(a) / wide(b)).ln()
        };
        steps(ln_ratio(a, b), exact)
    });
    println!("logarithm of a ratio: {error:.2}");
    assert!(error < 3.0, "{error}");
}

#[test]
fn normal_distribution_keeps_its_digits_in_the_tail() {
    let error = worst(20_000, |random| {
        let z = random.magnitude(1e-6, 34.0);
        let tail = wide(z).normal_tail();
        // The argument of the density is rounded: its error grows with z².
        let of_tail = steps(normal(-z), tail) / (4.0 + z * z);
        let density = (-(wide(z) * wide(z)).times(0.5)).exp() / PI.times(2.0).sqrt();
        let of_ratio = steps(mills(z), tail / density) / 4.0;
        let of_other_side = steps(normal(z), ONE - tail) / 4.0;
        of_tail.max(of_ratio).max(of_other_side)
    });
    println!("normal distribution: {error:.2}");
    assert!(error < 1.0, "{error}");
    assert!((normal(0.0) - 0.5).abs() <= f64::EPSILON);
}
