//! The formulas of perpetual contracts and options: numbers in, numbers out.
//!
//! Margin, liquidation price, index, mark, funding, fees and ADL rank. No state, no files, no accounts: a caller brings
//! the numbers and gets a number, or a small struct of the terms that make it up. Whatever an account owes or must hold
//! rounds up, whatever it owns rounds down.
#![no_std]

extern crate alloc;

mod account;
mod accrual;
mod adl;
mod auction;
mod closeout;
mod collateral;
mod contract;
mod funding;
mod grain;
mod index;
mod isolated;
mod ladder;
mod levels;
mod liquidation;
mod loss;
mod margin;
mod mark;
mod option_margin;
pub mod options;
mod own;
mod pace;
pub mod portfolio;
mod risk;
mod room;
mod search;
mod shortage;
mod solve;
mod tiers;
mod trailing;
mod weights;

pub use account::{
    Account, AccountRules, AccountTerms, Collateral, Digits, FeeBasis, Gains, Holding, InitialBasis, MarketRules,
    PositionTerms, PriceForm,
};
pub use accrual::{
    AverageFunding, AveragePayment, SpreadRule, average_by_time, funding_cap, funding_index_over, impact_notional,
};
pub use adl::{AdlInput, AdlTerms, adl_growth_score, adl_score};
pub use auction::{auction_distance, auction_price};
pub use closeout::{AccountMargin, LimitPath, PairLeg, PartClose, deleverage_pair, insurance_delta, part_bankruptcy};
pub use collateral::{CollateralTerm, HAIRCUT_TIERS_MAX, HaircutTier, Haircuts, collateral_value};
pub use contract::{Contract, TradeSplit, split_close};
pub use funding::{FundingRule, Payment, funding_index_step, funding_payment, funding_rate, premium};
pub use grain::{to_decimals, value_at_decimals};
pub use index::{IndexPrice, IndexRule, SOURCES_MAX, Source, index_price};
pub use isolated::{IsolatedPosition, IsolatedTransfer, Lot, isolated_margin, isolated_order_margin};
pub use ladder::{Ladder, LadderError, LadderTerms, OpenInterestLadder, RiskFactors, SizeLadder, StepLadder};
pub use levels::{FractionMargin, SlippageRule, WithOrders, fraction_margin, level_above, line_price};
pub use liquidation::{
    Bankruptcy, Line, LineRule, LiquidationPrice, LiquidationPrices, bankruptcy_price, liquidation_prices,
};
pub use loss::{LossPayment, LossShare, loss_payment, share_loss};
pub use margin::{FeeTerms, MarginTerms, initial_margin, maintenance_margin, trading_fee};
pub use mark::{MarkRule, band, mark_price, median3, speed_limit};
pub use option_margin::{
    OPTION_LEGS_MAX, OptionCharge, OptionLeg, OptionMaintenance, OptionMarginRule, OptionPosition, ShortOption,
    ShortOptionRule, WorstPayoff, long_option_margin, option_funding, option_payoff, worst_payoff,
};
pub use own::{OwnAverage, OwnRule};
pub use pace::{FundFeeRule, GrowingFee, Ramp, loss_per_contract, loss_per_deposit};
pub use risk::{
    DEPTH_LEVELS_MAX, DepthLevel, Estimate, OpenNow, Pressure, RiskRule, RiskRuleError, RiskTerms, next_variance, sigma,
};
pub use room::{Grown, GrowthTerms, OutflowTerms, Way};
pub use shortage::{ClosingTerms, ExchangeTerms, size_to_cover};
pub use solve::Crossing;
pub use tiers::{Tier, TierError, TierTable};
pub use trailing::Callback;
pub use weights::{RootWeight, SpotFill, SpotOrders, auto_exchange, confidence_charge, scaled_weight, strict_price};
