//! The deterministic state machine of a perpetual venue: commands in, events out.
//!
//! [`Engine::apply`] takes one command with its time. The clock and the work that is due always happen; the request is
//! accepted or refused. Emitting an event is the only thing that changes the state. No clock, randomness, hash order,
//! float, I/O, thread or environment: the same commands give the same events on any machine. It deliberately knows no
//! rulebook, file, socket or name service.
#![no_std]

extern crate alloc;

mod adl;
mod admin;
mod apply;
mod auction;
mod batch;
mod book;
mod borrow;
mod bounds;
mod caps;
mod codec;
mod collateral;
mod command;
mod deadlines;
mod deficit;
mod delisting;
mod digest;
mod drawdown;
mod engine;
mod event;
mod exit;
mod fault;
mod fees;
mod fill;
mod funding;
mod funds;
mod grounds;
mod hedge;
mod history;
mod ids;
mod income;
mod invariants;
mod isolated;
mod ladder;
pub mod limits;
mod loss;
mod map;
mod margin;
mod matching;
mod offset;
mod option;
mod orders;
mod output;
pub mod params;
mod place;
mod prelaunch;
mod prices;
mod protection;
mod realise;
mod reduce;
mod reject;
mod reserve;
mod resort;
mod risk;
mod settlement;
mod shares;
mod snapshot;
mod split;
mod standing;
mod state;
mod takeover;
mod trails;
mod triggers;
mod view;
mod watch;
mod working;

pub use auction::Auction;
pub use book::{Book, Level};
pub use borrow::Borrowing;
pub use codec::{DecodeError, decode, decode_answer, encode, encode_answer, encode_into};
pub use command::{
    AccountReason, AccountStatus, Answer, BatchItem, Bid, Command, MarginMode, MarketStatus, OrderRef, PlaceOrder,
    PositionMode, Quote, Reduce, Role, SelfTrade, Side, TimeInForce, Trigger, TriggerBy, TriggerWhen,
};
pub use deadlines::Deadlines;
pub use deficit::SideResult;
pub use digest::{Digest, NotADigest, chain};
pub use drawdown::Worths;
pub use engine::{Engine, WhatIf};
pub use event::{AuctionEnd, CancelReason, Cause, Event, MoveReason, Outcome, SettlementSource, Stage, StatusReason};
pub use fees::Charge;
pub use grounds::{AssetGrounds, Disagrees, Figure, Grounds, MarketGrounds, Stated};
pub use history::History;
pub use ids::{AccountId, AssetId, GroupId, IndexId, Leg, LimitScope, MarketId, Name, OrderId, OwnerId, PositionId};
pub use income::{Income, IncomeKind};
pub use invariants::Invariant;
pub use loss::{LossIndex, Losses};
pub use map::{LiquidationMap, MapRow, MapStep, Moved, Shock};
pub use margin::{Basis, Terms};
pub use orders::{Links, Order, Orders, Place};
pub use prelaunch::PreLaunch;
pub use protection::{Protection, ProtectionLimits};
pub use realise::Realising;
pub use reject::{ParamName, Reject};
pub use reserve::Reserved;
pub use rules::Callback;
pub use split::Split;
pub use state::{
    Account, AccountKind, Asset, Average, Carry, Exposure, Held, Index, Liquidation, Market, OrderTotals, Settling,
    SourceQuote, State, Subaccounts, Wallet, Watched, Withdrawal,
};
pub use takeover::{Handover, HandoverTerms};
pub use trails::{Group, Trail};
pub use view::{AccountView, AdlRow, AuctionView, MarketView, OptionView, OrderView, PositionView, WalletView};
pub use watch::Work;
pub use working::{CollateralWorking, PositionWorking, Working};
