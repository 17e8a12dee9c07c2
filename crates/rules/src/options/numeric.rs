//! Exponential, logarithm, square root and normal distribution with the same bits on every machine.
//!
//! Each function is one polynomial after an exact reduction of its argument: plain additions, multiplications and divisions of IEEE 754
//! doubles in the order written, which Rust never contracts into fused operations, and selections instead of branches, so that a
//! loop over them becomes vector code with the same bits. The coefficients come from `coefficients.py` beside this file. Knows no options.
//!
//! Errors are relative, in units of 2⁻⁵² (2.2e-16), as found by the tests over random arguments: `docs/options.md`.

/// 1 / √(2π), the density of the normal distribution at 0.
pub const DENSITY_AT_ZERO: f64 = 0.3989422804014327;

const LOG2_E: f64 = core::f64::consts::LOG2_E;
/// ln 2 to 32 bits: its product with any exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
/// What `LN_2_HIGH` lacks of ln 2.
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1.5 × 2⁵²: adding it rounds to a whole number, which then stands in the low bits.
const WHOLE: f64 = 6_755_399_441_055_744.0;
/// 2²⁷ + 1: splits a double into two halves whose products are exact (Dekker, 1971).
const SPLIT: f64 = 134_217_729.0;
/// Exponents of a double start at this.
const BIAS: u64 = 1023;
const FRACTION_BITS: u64 = 52;
/// Minus half the bits of a double this gives 1/√ to 3.5 %.
const ROOT_GUESS: u64 = 0x5fe6_eb50_c7b5_37a9;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
/// 2⁻⁵², the distance of doubles from 1 to 2.
const STEP: f64 = f64::EPSILON;
/// Below it `exp` is 0: e^-708 is still a normal number, and nothing depends on how a machine treats smaller ones.
const EXP_MIN: f64 = -708.0;
/// Above it `exp` is infinite.
const EXP_MAX: f64 = 709.0;

/// (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2, error 1.7e-17 of e^r: the first two coefficients …
const EXP_FIRST: [f64; 2] = [0.5000000000000001, 0.16666666666666669];
/// … and the rest.
const EXP_REST: [[f64; 4]; 2] = [
    [0.04166666666662374, 0.008333333333330032, 0.0013888888917406447, 0.00019841269863201828],
    [2.4801520996825697e-05, 2.7557268229963227e-06, 2.76202305675069e-07, 2.5100494788905042e-08],
];

/// (2 atanh s − 2 s) / s³ in s², for |s| ≤ 1/5, error 5e-19 of the logarithm.
const LN: [[f64; 4]; 2] = [
    [0.6666666666666666, 0.4000000000000794, 0.28571428567275936, 0.2222222304835159],
    [0.18181737626302938, 0.15388867805613718, 0.13209708242059462, 0.13609030262858499],
];

/// (1 + z) × the Mills ratio in t = (z − 5) / (z + 5), for all z ≥ 0, error 2.8e-17. After Shepherd and Laframboise, 1981.
const MILLS: [[f64; 4]; 6] = [
    [1.1568486282918946, -0.2294875382521129, 0.07778159886873764, 0.02507217930161715],
    [-0.06617760077909461, 0.06150504584074597, -0.03802659218586716, 0.016348231274349995],
    [-0.0042012903289861386, 1.9530682704042314e-05, 0.00045704392266072, -0.00013437445842160464],
    [-2.4805835828998953e-05, 2.2710081536644496e-05, -1.7633721137504215e-07, -3.2780889332747656e-06],
    [3.2054886338682205e-07, 4.92889412763629e-07, -6.589393318333421e-08, -7.821049220473805e-08],
    [9.094218432472913e-09, 1.1281645525139734e-08, -7.077031841982677e-10, -9.99802240829343e-10],
];

/// c₀ + z (c₁ + z (c₂ + …)), four coefficients at a time, so that fewer operations wait for each other.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[[f64; 4]; N], z: f64) -> f64 {
    let square = z * z;
    let fourth = square * square;
    let four = |[c0, c1, c2, c3]: &[f64; 4]| (c0 + c1 * z) + square * (c2 + c3 * z);
    let Some((last, rest)) = coefficients.split_last() else { return 0.0 };
    rest.iter().rev().fold(four(last), |sum, block| sum * fourth + four(block))
}

/// 2^k of which `k + BIAS` is given, from 1 to 2046.
#[inline(always)]
fn power_of_two(biased: u64) -> f64 {
    f64::from_bits(biased << FRACTION_BITS)
}

/// A whole number below 2⁵² as a double, exactly and without a conversion instruction.
#[inline(always)]
fn whole(number: u64) -> f64 {
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    f64::from_bits(TWO_52.to_bits() | number) - TWO_52
}

/// e^x; 0 below −708, infinite above 709. NaN gives NaN.
///
/// Source: reduction by Cody and Waite, 1980.
#[inline(always)]
#[must_use]
pub fn exp(x: f64) -> f64 {
    let small = x < EXP_MIN;
    let large = x > EXP_MAX;
    let inside = if small | large { 0.0 } else { x };
    let (scale, above_one) = scale_and_rest(inside);
    let inside = scale + scale * above_one;
    let at_most = if large { f64::INFINITY } else { inside };
    if small { 0.0 } else { at_most }
}

/// e^x for x ≤ 0, and e^-600 (1e-261) for all below: never 0, and nothing smaller than a normal number comes of it.
#[inline(always)]
#[must_use]
pub fn exp_of_negative(x: f64) -> f64 {
    exp_and_expm1_of_negative(x).0
}

/// As [`exp_of_negative`], and e^x − 1 without cancellation.
#[inline(always)]
#[must_use]
pub fn exp_and_expm1_of_negative(x: f64) -> (f64, f64) {
    const LEAST: f64 = -600.0;
    let inside = if x > LEAST { x } else { LEAST };
    let (scale, above_one) = scale_and_rest(inside);
    (scale + scale * above_one, (scale - 1.0) + scale * above_one)
}

/// 2^k and e^r − 1 of x = k ln 2 + r, |r| ≤ ln 2 / 2.
#[inline(always)]
fn scale_and_rest(x: f64) -> (f64, f64) {
    let shifted = x * LOG2_E + WHOLE;
    let k = shifted - WHOLE;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let square = r * r;
    let [c0, c1] = EXP_FIRST;
    let above_one = r + (square * (c0 + c1 * r) + square * square * polynomial(&EXP_REST, r));
    (power_of_two(shifted.to_bits().wrapping_add(BIAS)), above_one)
}

/// 1 / √a of a positive, normal double, to two steps: one step of fourth order after two of Newton's.
#[inline(always)]
#[must_use]
pub fn inverse_root(a: f64) -> f64 {
    let half = 0.5 * a;
    let first = f64::from_bits(ROOT_GUESS.wrapping_sub(a.to_bits() >> 1));
    let second = first * (1.5 - half * (first * first));
    let third = second * (1.5 - half * (second * second));
    let rest = 1.0 - a * (third * third);
    third + third * (rest * (0.5 + rest * (0.375 + rest * 0.3125)))
}

/// ln (a / b) of two positive, normal doubles less than 2^1000 apart, also when they are close: its relative error stays small.
///
/// With 2^k nearest to the ratio by exponent and fraction, a' = a / 2^k is within 2/3 and 3/2 of b, so that a' − b is exact
/// (Sterbenz, 1974) and s = (a' − b) / (a' + b) at most 1/5; ln (a / b) = k ln 2 + 2 atanh s. ln (3 / 2) is 2 atanh (1/5).
#[inline(always)]
#[must_use]
pub fn ln_ratio(a: f64, b: f64) -> f64 {
    // Bits of positive doubles grow as their logarithms do; half a step more rounds to the nearest exponent.
    const OFFSET: u64 = (BIAS << FRACTION_BITS) + (1 << (FRACTION_BITS - 1));
    let biased = (a.to_bits().wrapping_sub(b.to_bits()).wrapping_add(OFFSET) >> FRACTION_BITS) & (2 * BIAS + 1);
    let k = whole(biased) - 1023.0;
    let near = a * power_of_two((2 * BIAS).wrapping_sub(biased));
    let s = (near - b) / (near + b);
    let z = s * s;
    k * LN_2_HIGH + (k * LN_2_LOW + (s * z * polynomial(&LN, z) + 2.0 * s))
}

/// `a − b²` without error, when `b` is the root of `a` to half its digits or better (Dekker's product).
#[inline(always)]
fn rest_of_square(a: f64, b: f64) -> f64 {
    let product = b * b;
    let shifted = b * SPLIT;
    let high = shifted - (shifted - b);
    let low = b - high;
    let lost = ((high * high - product) + 2.0 * (high * low)) + low * low;
    (a - product) - lost
}

/// The square root of a positive, normal double, rounded to nearest as IEEE 754 has it; 0 of 0, NaN of all others.
///
/// `core` offers none. Three steps of Newton for 1/√m, m in [1, 4), and one on the root with its exact rest leave less than a
/// step of error; then the exact rest says whether a neighbour is nearer: √m > s + step/2 exactly when m − s² > s × step, because
/// both sides are multiples of step². √2 is 1.4142135623730951.
#[inline(always)]
#[must_use]
pub fn sqrt(a: f64) -> f64 {
    let bits = a.to_bits();
    let exponent = bits >> FRACTION_BITS;
    let odd = exponent.wrapping_add(1) & 1;
    let m = f64::from_bits((bits & FRACTION) | (BIAS.wrapping_add(odd) << FRACTION_BITS));
    let mut inverse = f64::from_bits(ROOT_GUESS.wrapping_sub(m.to_bits() >> 1));
    let half = 0.5 * m;
    inverse = inverse * (1.5 - half * (inverse * inverse));
    inverse = inverse * (1.5 - half * (inverse * inverse));
    inverse = inverse * (1.5 - half * (inverse * inverse));
    let near = m * inverse;
    let close = near + rest_of_square(m, near) * (0.5 * inverse);
    let rest = rest_of_square(m, close);
    let bound = close * STEP;
    let up = if rest > bound { STEP } else { 0.0 };
    let down = if rest <= -bound { STEP } else { 0.0 };
    let root = (close + up) - down;
    let scaled = root * power_of_two(exponent.wrapping_add(BIAS).wrapping_sub(odd) >> 1);
    let normal = (f64::MIN_POSITIVE..f64::INFINITY).contains(&a);
    let other = if a == 0.0 { a } else { f64::NAN };
    if normal { scaled } else { other }
}

/// The Mills ratio N(−z) / φ(z) of the normal distribution for z ≥ 0: 1.2533 at 0, near 1 / z far out.
#[inline(always)]
#[must_use]
pub fn mills(z: f64) -> f64 {
    polynomial(&MILLS, (z - 5.0) / (z + 5.0)) / (1.0 + z)
}

/// φ(z), the density of the normal distribution; 4e-262 beyond 34.6, as [`exp_of_negative`].
#[inline(always)]
#[must_use]
pub fn density(z: f64) -> f64 {
    DENSITY_AT_ZERO * exp_of_negative(-0.5 * (z * z))
}

/// N(d), the normal distribution; its relative error stays small far below 0.
#[inline(always)]
#[must_use]
pub fn normal(d: f64) -> f64 {
    let z = d.abs();
    let tail = density(z) * mills(z);
    if d > 0.0 { 1.0 - tail } else { tail }
}
