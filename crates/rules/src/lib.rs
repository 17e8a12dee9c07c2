//! The formulas of perpetual contracts: numbers in, numbers out.
//!
//! Margin, liquidation price, index, mark, funding, fees and ADL rank. No state, no files, no accounts: a caller brings
//! the numbers and gets a number, or a small struct of the terms that make it up. Whatever an account owes or must hold
//! rounds up, whatever it owns rounds down.
#![no_std]

extern crate alloc;

mod adl;
mod collateral;
mod contract;
mod funding;
mod index;
mod liquidation;
mod loss;
mod margin;
mod mark;
mod own;
mod tiers;
mod trailing;

pub use adl::{AdlInput, adl_growth_score, adl_score};
pub use collateral::{CollateralTerm, HAIRCUT_TIERS_MAX, HaircutTier, Haircuts, collateral_value};
pub use contract::{Contract, Split, split_close};
pub use funding::{FundingRule, Payment, funding_index_step, funding_payment, funding_rate, premium};
pub use index::{IndexPrice, IndexRule, SOURCES_MAX, Source, index_price};
pub use liquidation::{
    Bankruptcy, Line, LineRule, LiquidationPrice, LiquidationPrices, bankruptcy_price, liquidation_prices,
};
pub use loss::{LossPayment, LossShare, loss_payment, share_loss};
pub use margin::{MarginTerms, initial_margin, maintenance_margin};
pub use mark::{MarkRule, band, mark_price, median3, speed_limit};
pub use own::{OwnAverage, OwnRule};
pub use tiers::{Tier, TierError, TierTable};
pub use trailing::Callback;
