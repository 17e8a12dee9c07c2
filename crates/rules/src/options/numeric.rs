//! exp, ln, square root and the normal distribution in binary floating point, the same bits on every machine: additions,
//! multiplications and divisions in a fixed order, each rounded to nearest as IEEE 754 says; no fused operation, no mathematics of the
//! system. Nothing branches, so that a loop over many is the same work side by side and gives the same bits.
//!
//! Relative errors (crates/rules/tests/all/options.rs measures them): `exp` and `ln_ratio` 1e-15, `sqrt` and `mills` 5e-16.

/// Adding it leaves a whole number in the low bits: the nearest, of magnitudes below 2^51.
const WHOLE: f64 = 6_755_399_441_055_744.0; // 1.5 × 2^52

/// 1 ÷ n!.
const EXP: [f64; 14] = [
    1.0,
    1.0,
    0.5,
    0.16666666666666666,
    0.041666666666666664,
    0.008333333333333333,
    0.001388888888888889,
    0.0001984126984126984,
    2.48015873015873e-05,
    2.7557319223985893e-06,
    2.755731922398589e-07,
    2.505210838544172e-08,
    2.08767569878681e-09,
    1.6059043836821613e-10,
];

/// 1 ÷ (2n + 1).
const ATANH: [f64; 12] = [
    1.0,
    0.3333333333333333,
    0.2,
    0.14285714285714285,
    0.1111111111111111,
    0.09090909090909091,
    0.07692307692307693,
    0.06666666666666667,
    0.058823529411764705,
    0.05263157894736842,
    0.047619047619047616,
    0.043478260869565216,
];

/// (1 + 2a) × Mills ratio of a, in Chebyshev polynomials of (a − 5.6) ÷ (a + 5.6); made by `coefficients.py`.
/// What is left out is below 8.0e-19.
const MILLS: [f64; 27] = [
    1.9317466026726622,
    0.21108789496619412,
    -0.23815507823694446,
    0.1397940286517084,
    -0.06074670494294419,
    0.021083579885021048,
    -0.005952606546759608,
    0.0013512177692727731,
    -0.00023471401570162643,
    2.6700459545123904e-05,
    -5.171895726453445e-07,
    -4.902481103777439e-07,
    8.91542923648528e-08,
    -3.9222417945899837e-10,
    -2.276838376088565e-09,
    2.616636970371779e-10,
    3.9995083242628064e-11,
    -1.1195828384381113e-11,
    -4.3389183364540886e-13,
    3.8780461563175837e-13,
    -5.173161967640912e-15,
    -1.315882785528223e-14,
    5.936493135380912e-16,
    4.680605622261431e-16,
    -2.8548283238678096e-17,
    -1.7901434247278402e-17,
    1.074047736734658e-18,
];

/// ln 2 in two parts, the first with 21 zeros at its end.
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const SQRT_2_PI: f64 = 2.5066282746310007;

/// 2 to a power, given as [`WHOLE`] plus the power.
#[inline(always)]
fn power_of_two(whole: f64) -> f64 {
    let power = whole.to_bits().wrapping_sub(WHOLE.to_bits());
    f64::from_bits(power.wrapping_add(1023) << 52)
}

/// c[0] + x (c[1] + x (c[2] + …)).
#[inline(always)]
fn horner<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// e to the x, of x from −708 up to 708; 0 below, and what 708 gives above.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let inside = x.clamp(-708.0, 708.0);
    let whole = inside * core::f64::consts::LOG2_E + WHOLE;
    let k = whole - WHOLE;
    let r = (inside - k * LN2_HIGH) - k * LN2_LOW;
    let value = horner(r, &EXP) * power_of_two(whole);
    if x < -708.0 { 0.0 } else { value }
}

/// ln(a ÷ b) of two positive, normal numbers whose ratio is normal, too. Near 1 it has as many digits as elsewhere.
#[inline(always)]
pub(crate) fn ln_ratio(a: f64, b: f64) -> f64 {
    // The power of two that brings b within a factor of √2 of a.
    let exponent = (a / b * core::f64::consts::SQRT_2).to_bits() >> 52;
    let whole = f64::from_bits(WHOLE.to_bits().wrapping_add(exponent).wrapping_sub(1023));
    let k = whole - WHOLE;
    let near = b * power_of_two(whole);
    let z = (a - near) / (a + near);
    let series = 2.0 * z * horner(z * z, &ATANH);
    k * LN2_HIGH + (k * LN2_LOW + series)
}

/// The square root of a number that is not negative.
#[inline(always)]
pub(crate) fn sqrt(x: f64) -> f64 {
    let mut y = f64::from_bits(0x5fe6_eb50_c7b5_37a9_u64.wrapping_sub(x.to_bits() >> 1));
    let half = 0.5 * x;
    for _ in 0..4 {
        y = y * (1.5 - half * y * y);
    }
    let root = x * y;
    root + 0.5 * y * (x - root * root)
}

/// Φ(−a) ÷ φ(a) of a that is not negative: the tail of the normal distribution in units of its density.
#[inline(always)]
pub(crate) fn mills(a: f64) -> f64 {
    let u = (a - 5.6) / (a + 5.6);
    let (mut one, mut two) = (0.0, 0.0);
    let (first, rest) = MILLS.split_first().map_or((0.0, MILLS.as_slice()), |(first, rest)| (*first, rest));
    for c in rest.iter().rev() {
        (one, two) = (2.0 * u * one - two + c, one);
    }
    (u * one - two + first) / (1.0 + 2.0 * a)
}

/// The density of the normal distribution.
#[inline(always)]
pub(crate) fn density(z: f64) -> f64 {
    exp(-0.5 * z * z) / SQRT_2_PI
}

/// The normal distribution: below z.
#[inline(always)]
pub(crate) fn distribution(z: f64) -> f64 {
    let tail = density(z) * mills(z.abs());
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// Φ(z) ÷ φ(z) of z up to 37.
#[inline(always)]
pub(crate) fn distribution_by_density(z: f64) -> f64 {
    let tail = mills(z.abs());
    if z < 0.0 { tail } else { SQRT_2_PI * exp(0.5 * z * z) - tail }
}
