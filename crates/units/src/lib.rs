//! Exact numbers: [`Price`], [`Size`], [`Money`], [`Rate`] and [`Time`].
//!
//! The unit of `Price` (1e-8) times the unit of `Size` (1e-8) is the unit of `Money` (1e-16), so a linear trade, its
//! cost and its unrealised profit carry no rounding. Whatever can round takes a [`Round`]. This crate knows nothing of
//! accounts, markets or formulas.
#![no_std]

extern crate alloc;

mod decimal;
mod exponent;
pub mod limits;
mod money;
mod price;
mod rate;
mod size;
mod text;
mod time;
mod wide;

pub use decimal::{ParseError, ParseErrorKind};
pub use exponent::Decimal;
pub use money::Money;
pub use price::{Price, PriceFactor};
pub use rate::Rate;
pub use size::Size;
pub use time::Time;
pub use wide::{div_round, mul_div, mul_div2, mul_sub};

/// Which way a result that does not divide evenly goes.
///
/// What an account owes or must hold rounds `Up`, what it owns rounds `Down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// Toward plus infinity.
    Up,
    /// Toward minus infinity.
    Down,
    /// Toward zero: the rule of a partial close.
    TowardZero,
}
