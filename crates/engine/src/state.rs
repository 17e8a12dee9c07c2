//! Everything the engine remembers. Read by anyone, changed only by the application of events (`apply`).
//!
//! Derived data (book links, trigger ladders, order totals) lives beside what it is derived from and changes in the same
//! place. The digest walks all of it in the order in which it is declared here.

use crate::book::Book;
use crate::borrow::Borrowing;
use crate::deadlines::Deadlines;
use crate::fault::fault;
use crate::history::History;
use crate::orders::{Order, Orders};
use crate::params::{AssetParams, Expiry, ExposureLimits, HaircutStep, IndexParams, MarketParams, RiskParams};
use crate::realise::Realising;
use crate::{
    AccountId, AccountReason, AccountStatus, AssetId, GroupId, IndexId, Leg, MarginMode, MarketId, MarketStatus, Name,
    OrderId, OwnerId, PositionId, PositionMode, Reject, Side, Stage, limits,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use rules::{Contract, funding_payment};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use units::{Money, Price, Rate, Size, Time};

/// The whole state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Commands so far.
    pub sequence: u64,
    /// The engine's time: the time of the last command.
    pub now: Time,
    /// Risk parameters of the venue.
    pub risk: RiskParams,
    /// Assets by handle.
    pub assets: Vec<Asset>,
    /// Indices by handle.
    pub indices: Vec<Index>,
    /// Markets by handle.
    pub markets: Vec<Market>,
    /// Subaccounts by handle.
    pub accounts: Vec<Account>,
    /// Open orders.
    pub orders: Orders,
    /// Withdrawals that wait, by number.
    pub withdrawals: BTreeMap<u64, Withdrawal>,
    /// Number of the last withdrawal.
    pub last_withdrawal: u64,
    /// Deposits seen, by asset and reference.
    pub deposits: BTreeSet<(AssetId, u64)>,
    /// Backstop volunteers and the notional they still take, numeraire.
    pub backstops: BTreeMap<AccountId, Money>,
    /// Accounts in liquidation.
    pub liquidating: BTreeSet<AccountId>,
    /// Insurance funds.
    pub funds: Vec<AccountId>,
    /// A price, parameter or funding moved since accounts were last looked at.
    pub risk_due: bool,
    /// Nothing is due by the clock before this.
    pub next_due: Time,
    /// Limits of single subaccounts.
    pub account_limits: BTreeMap<AccountId, ExposureLimits>,
    /// Owners that have limits or belong to a group, with what they hold.
    pub owners: BTreeMap<OwnerId, Watched>,
    /// Groups, with what their owners hold.
    pub groups: BTreeMap<GroupId, Watched>,
    /// Announced ends of markets.
    pub schedules: BTreeMap<MarketId, Expiry>,
    /// Markets whose positions are being closed.
    pub settling: BTreeMap<MarketId, Settling>,
    /// Assets that are no collateral any more, with the steps that are left and whether one is done.
    pub delistings: BTreeMap<AssetId, (Vec<HaircutStep>, bool)>,
    /// What ends by the clock.
    pub deadlines: Deadlines,
    /// Fee tiers of owners; those of tier 0 are not here.
    pub fee_tiers: BTreeMap<OwnerId, u8>,
    /// What a fee in another asset than the settlement asset costs less.
    pub fee_discount: Rate,
    /// How many trading subaccounts each owner has, and may have.
    pub subaccounts: BTreeMap<OwnerId, Subaccounts>,
    /// Assets whose debts bear interest or did, with those who owe them.
    pub borrowing: BTreeMap<AssetId, Borrowing>,
    /// Markets whose results are becoming cash.
    pub realising: BTreeMap<MarketId, Realising>,
    /// Limits of market makers' fills in the options of an underlying.
    pub protections: BTreeMap<(AccountId, crate::IndexId), crate::Protection>,
    /// What funds were worth of which a market watches the drawdown.
    pub worths: BTreeMap<AccountId, crate::Worths>,
    /// Reserves, by the fund that they stand behind.
    pub reserves: BTreeMap<AccountId, crate::Reserved>,
    /// What accounts in liquidation have realised since it began, by market and side.
    pub results: BTreeMap<AccountId, Vec<crate::SideResult>>,
    /// Auctions of accounts in liquidation, those that are over included, in the order in which they began.
    pub auctions: BTreeMap<AccountId, Vec<crate::Auction>>,
    /// Losses that winners share, and how far each has paid.
    pub losses: crate::Losses,
    /// Who has to be looked at at which price. Derived from all above, in no digest.
    #[serde(skip)]
    pub(crate) watch: crate::watch::Watch,
}

/// Trading subaccounts of an owner, children not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subaccounts {
    /// Opened so far; none ever closes.
    pub open: u32,
    /// At most; none: the venue's number.
    pub limit: Option<u32>,
}

/// Limits of an owner or group, and running totals of what they are limits of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The limits.
    pub limits: ExposureLimits,
    /// Of an owner: its group.
    pub group: Option<GroupId>,
    /// Open orders.
    pub orders: u32,
    /// Positions and resting orders that may increase, by market; no row where there is nothing.
    pub held: BTreeMap<MarketId, Held>,
}

/// Contracts in one market, 1e-8, without sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Of long positions.
    pub long: i128,
    /// Of short positions.
    pub short: i128,
    /// Of resting buys that may increase.
    pub buys: i128,
    /// Of resting sells that may increase.
    pub sells: i128,
}

/// How far the settlement of a market has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settling {
    /// Everyone before this account is closed.
    pub next: AccountId,
    /// Σ of what closed positions were worth: at the end, less than nothing by what rounding left.
    pub value: Money,
    /// Σ of contracts that were closed, 1e-8; + long.
    pub size: i128,
}

/// An asset and the balances that belong to nobody's wallet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asset {
    /// Its parameters.
    pub params: AssetParams,
    /// What is in the vault: deposits less confirmed withdrawals.
    pub vault: Money,
    /// Fees taken.
    pub fees: Money,
    /// What rounding left.
    pub rounding: Money,
    /// Withdrawals that wait, in sum.
    pub pending: Money,
    /// Σ of wallets above zero: more than the vault by what the wallets below zero owe. A price must leave room for it.
    pub claims: Money,
}

/// A price from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {
    /// Its parameters.
    pub params: IndexParams,
    /// Last quote of each source.
    pub sources: Vec<Option<SourceQuote>>,
    /// The price; zero before the first.
    pub price: Price,
    /// When the price was set.
    pub set_at: Time,
    /// The last price that a quorum agreed on; zero before the first.
    pub last_usable: Price,
    /// Until when that quorum's quotes are fresh, or when it was lost.
    pub usable_until: Time,
    /// The market statuses were restricted since the last quorum.
    pub restricted: bool,
    /// What the price was over the last minutes in which it was usable.
    pub history: History,
    /// It takes the price of its fallback since its own quorum was lost, which was then.
    pub fallen: Option<Time>,
    /// Its unit changed then: a quote from before is in the old one.
    pub split_at: Option<Time>,
    /// Before its launch: what its market's trades say.
    pub own: Option<crate::PreLaunch>,
}

/// The last quote of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceQuote {
    /// The price.
    pub price: Price,
    /// The source's time.
    pub time: Time,
}

/// A market.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Market {
    /// Its parameters.
    pub params: MarketParams,
    /// Their hash, kept because every liquidation states it.
    pub params_digest: crate::Digest,
    /// What it accepts.
    pub status: MarketStatus,
    /// The mark; zero before the first.
    pub mark: Price,
    /// When the mark last moved: what the speed limit counts from, so the allowance grows while it stands still.
    pub moved_at: Time,
    /// Up to when the average counts the mark.
    pub averaged_to: Time,
    /// The last mark made from an index with quorum; zero before the first.
    pub last_usable: Price,
    /// Price of the last trade; zero before the first.
    pub last: Price,
    /// Five-minute average of the mark.
    pub average: Average,
    /// Recent samples of the basis, newest last.
    pub basis: Vec<(Time, Price)>,
    /// Sum of premium samples of the running interval, 1e-9.
    pub premium_sum: i128,
    /// Number of those samples.
    pub premium_count: u32,
    /// The next sample, one a second.
    pub next_sample: Time,
    /// The rate given for the running interval.
    pub funding_given: Option<Rate>,
    /// Rate of the last settlement.
    pub funding_last: Rate,
    /// The next settlement.
    pub funding_next: Time,
    /// Cumulative funding, 1e-25 of the settlement asset per 1e-8 contract.
    pub funding_index: i128,
    /// Of a perpetual option: at the last sample holders could close at the payoff.
    pub exit_open: bool,
    /// Of a perpetual option: what its funding is accrued from.
    pub carry: Carry,
    /// Rounding of settlements that has not made a whole unit yet, 1e-25.
    pub residue: i128,
    /// The other side of every realised result: −Σ cost + posted but unsettled funding − shared losses not paid yet.
    pub clearing: Money,
    /// Σ of long sizes, 1e-8 contract.
    pub open_interest: i128,
    /// Σ of short sizes without their sign, 1e-8 contract: the same, or the market is halted ([`crate::Invariant`]).
    pub short_interest: i128,
    /// Σ of |cost| of all positions, settlement asset. A price of that asset must leave room for it.
    pub costs: Money,
    /// Σ of open sizes of resting orders, both sides, 1e-8 contract.
    pub resting: i128,
    /// The part of them that buys.
    pub resting_buys: i128,
    /// The next realisation of results.
    pub realise_next: Time,
    /// Resting orders.
    pub book: Book,
}

/// The accrual of a perpetual option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carry {
    /// Mark less payoff at the last sample: what a holder pays per period.
    pub time_value: Price,
    /// That sample; the epoch before the first.
    pub since: Time,
    /// Σ time value × ns, 1e-8 × ns: exact.
    pub sum: i128,
}

/// A time-weighted average over a window of buckets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Average {
    /// (number of the bucket, Σ price × ns, Σ ns), oldest first.
    pub buckets: Vec<(i64, i128, i64)>,
    /// Their average; zero before the first price.
    pub price: Price,
}

/// A subaccount: the unit of margin.
///
/// Fields stand in memory as they do here: what an order looks at first is one line, its money and positions are the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C, align(64))]
pub struct Account {
    /// Who owns it.
    pub owner: OwnerId,
    /// Open orders, waiting ones included.
    pub order_count: u32,
    /// First of its orders: the youngest.
    pub order_head: Option<OrderId>,
    /// Progress on the ladder; of a fund, its pause.
    pub liquidation: Option<Liquidation>,
    /// What it is.
    pub kind: AccountKind,
    /// Margin call level reached, 0 for none.
    pub call: u8,
    /// One-way or hedge.
    pub mode: PositionMode,
    /// It, its owner or its owner's group has limits.
    pub watched: bool,
    /// Withdrawals that wait.
    pub withdrawals: u16,
    /// The owner's fee tier.
    pub fee_tier: u8,
    /// The asset that it pays fees in, where that is not the settlement asset.
    pub pays_in: Option<AssetId>,
    /// Single-asset mode: the only asset that counts as collateral; none: all.
    pub only: Option<AssetId>,
    /// What it may do; a child has its parent's.
    pub status: AccountStatus,
    /// Why.
    pub reason: AccountReason,
    /// Settled collateral, by asset, in the order of first use.
    pub wallets: SmallVec<[Wallet; 1]>,
    /// Positions, order totals and settings by market, in the order of markets.
    pub exposures: SmallVec<[Exposure; 2]>,
    /// Name for people; a child has none.
    pub name: Option<Name>,
}

/// What a subaccount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// For trading.
    Trading,
    /// An insurance fund.
    Fund,
    /// The isolated position of a parent in one market.
    Isolated {
        /// Whose.
        parent: AccountId,
        /// Where.
        market: MarketId,
        /// Which, in hedge mode.
        leg: Leg,
    },
}

/// Settled collateral in one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// What.
    pub asset: AssetId,
    /// How much; below zero is a debt.
    pub amount: Money,
}

/// What a subaccount has in one market.
///
/// Fields stand in memory as they do here: what a tick looks at is the first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C)]
pub struct Exposure {
    /// Where.
    pub market: MarketId,
    /// Which position.
    pub leg: Leg,
    /// Cross or isolated.
    pub mode: MarginMode,
    /// Notional per initial margin that the owner chose; zero: the market's greatest.
    pub leverage: u16,
    /// Contracts; + long.
    pub size: Size,
    /// Signed sum of what was paid.
    pub cost: Money,
    /// The market's cumulative funding up to which this position is settled.
    pub funding: i128,
    /// Set aside for the child's orders, settlement asset (in the parent).
    pub reserved: Money,
    /// Resting buy orders that may increase.
    pub buys: OrderTotals,
    /// Resting sell orders that may increase.
    pub sells: OrderTotals,
    /// The child that holds the isolated position.
    pub child: Option<AccountId>,
}

/// Resting orders of one account, market and side, in sum; reduce-only ones are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTotals {
    /// Open contracts, without sign.
    pub size: Size,
    /// Σ notional at the order's own price, each rounded up.
    pub notional: Money,
    /// Number of orders.
    pub count: u32,
    /// No order of the side is at a worse price than this since the side was last empty.
    pub worst: Price,
}

/// Progress on the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liquidation {
    /// The last stage done.
    pub stage: Stage,
    /// The next step is not before this, unless equity falls below the take-over share.
    pub next: Time,
}

/// A withdrawal that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Whose.
    pub account: AccountId,
    /// What.
    pub asset: AssetId,
    /// How much.
    pub amount: Money,
}

macro_rules! table {
    ($get:ident, $get_mut:ident, $find:ident, $table:ident, $id:ty, $row:ty, $reject:ident { $field:ident }) => {
        impl State {
            #[doc = concat!("The row of a handle that state itself holds. Fault if it points nowhere. See `", stringify!($find), "`.")]
            #[must_use]
            #[allow(clippy::should_implement_trait)] // `index` is the field's own word for a price from outside
            pub fn $get(&self, id: $id) -> &$row {
                match self.$table.get(id.index()) {
                    Some(row) => row,
                    None => fault("a handle in state points at nothing"),
                }
            }

            pub(crate) fn $get_mut(&mut self, id: $id) -> &mut $row {
                match self.$table.get_mut(id.index()) {
                    Some(row) => row,
                    None => fault("a handle in state points at nothing"),
                }
            }

            /// The row of a handle from outside.
            ///
            /// # Errors
            /// When it points at nothing.
            pub fn $find(&self, id: $id) -> Result<&$row, Reject> {
                self.$table.get(id.index()).ok_or(Reject::$reject { $field: id })
            }
        }
    };
}

table!(asset, asset_mut, find_asset, assets, AssetId, Asset, UnknownAsset { asset });
table!(index, index_mut, find_index, indices, IndexId, Index, UnknownIndex { index });
table!(market, market_mut, find_market, markets, MarketId, Market, UnknownMarket { market });
table!(account, account_row_mut, find_account, accounts, AccountId, Account, UnknownAccount { account });

impl State {
    /// The row of a handle that state itself holds, to be changed: its margin is looked at again at the next price.
    pub(crate) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        self.watch.touch(id);
        self.account_row_mut(id)
    }

    /// An open order; `None` when the id is stale.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(id)
    }

    /// A trading subaccount from outside: neither a fund nor a child.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_trading(&self, id: AccountId) -> Result<&Account, Reject> {
        let account = self.find_account(id)?;
        match account.kind {
            AccountKind::Trading => Ok(account),
            AccountKind::Fund | AccountKind::Isolated { .. } => Err(Reject::UnknownAccount { account: id }),
        }
    }

    /// The subaccount whose margin an order of (account, position) uses: itself, or the child.
    #[must_use]
    pub fn margin_account(&self, id: AccountId, position: PositionId) -> Option<AccountId> {
        match self.account(id).exposure(position) {
            Some(e) if e.mode == MarginMode::Isolated => e.child,
            _ => Some(id),
        }
    }

    /// The owner's side of a child: its parent; otherwise itself.
    #[must_use]
    pub fn parent_of(&self, id: AccountId) -> AccountId {
        match self.account(id).kind {
            AccountKind::Isolated { parent, .. } => parent,
            AccountKind::Trading | AccountKind::Fund => id,
        }
    }

    /// Price of an asset in the numeraire: 1, or its index, which is the last usable one while fewer than a quorum speak;
    /// zero before its first.
    #[must_use]
    pub fn asset_price(&self, asset: AssetId) -> Price {
        let Some(index) = self.asset(asset).params.index else { return Price::ONE };
        let row = self.index(index);
        if row.is_usable(self.now) { row.price } else { row.last_usable }
    }

    /// The price that a market's positions and orders are valued at: the mark, or the last usable one while fewer than a
    /// quorum speak; zero before the first.
    #[must_use]
    pub fn valuation(&self, market: &Market) -> Price {
        if self.index(market.params.index).is_usable(self.now) { market.mark } else { market.last_usable }
    }
}

impl Index {
    /// Agreed by a quorum whose quotes are fresh now.
    #[must_use]
    pub fn is_usable(&self, now: Time) -> bool {
        self.price.is_positive() && now <= self.usable_until && self.usable_until > Time::EPOCH
    }
}

impl Market {
    /// Initial margin per notional that a leverage of the owner means; the tier may want more.
    #[must_use]
    pub fn leverage_rate(&self, leverage: u16) -> Rate {
        let leverage = i64::from(leverage);
        let rounded_up = (units::limits::RATE_ONE + leverage - 1).checked_div(leverage);
        rounded_up.and_then(Rate::new).unwrap_or(Rate::ZERO)
    }

    /// The greatest leverage that a small position may have.
    #[must_use]
    pub fn leverage_max(&self) -> u16 {
        let rate = self.params.ladder.least().initial.units();
        let most = units::limits::RATE_ONE.checked_div(rate).unwrap_or(1);
        u16::try_from(most).unwrap_or(limits::LEVERAGE_MAX).min(limits::LEVERAGE_MAX)
    }

    /// The largest notional of one position: where the ladder ends, or the bound of numbers.
    #[must_use]
    pub fn position_cap(&self) -> Money {
        self.params.ladder.cap().unwrap_or(Money::from_units(units::limits::NOTIONAL_MAX))
    }

    /// Whether a position may be opened or grow to this: it is within the end of the ladder, and that has rates for it.
    pub(crate) fn check_position(&self, size: Size, notional: Money, interest: Money) -> Result<(), Reject> {
        let cap = self.position_cap();
        if notional > cap {
            return Err(Reject::PositionTooLarge { notional, cap });
        }
        if !self.params.ladder.has_terms(size, notional, interest) {
            return Err(Reject::BeyondLadder { size, notional });
        }
        Ok(())
    }

    /// Its end has come: positions are closed at one price, or are closed already.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status, MarketStatus::Settling | MarketStatus::Settled)
    }

    /// Linear or inverse.
    #[must_use]
    pub fn contract(&self) -> Contract {
        self.params.contract
    }
}

impl Average {
    /// The average; `None` before the first price.
    #[must_use]
    pub fn price(&self) -> Option<Price> {
        Some(self.price).filter(|p| p.is_positive())
    }

    pub(crate) fn computed(&self) -> Price {
        let (sum, ns) = self.buckets.iter().fold((0i128, 0i128), |(s, n), b| (s + b.1, n + i128::from(b.2)));
        let units = sum.checked_div(ns).and_then(|units| i64::try_from(units).ok());
        units.and_then(Price::new).unwrap_or(Price::ZERO)
    }
}

impl Account {
    /// Settled collateral in an asset; zero where there is none.
    #[must_use]
    pub fn wallet(&self, asset: AssetId) -> Money {
        self.wallets.iter().find(|w| w.asset == asset).map_or(Money::ZERO, |w| w.amount)
    }

    /// A number from each part of its memory, good for nothing but having been read.
    pub(crate) fn warm(&self) -> i64 {
        let parts = self.exposures.iter().map(|e| e.size.units() ^ e.sells.size.units());
        parts.fold(i64::from(self.order_count), |sum, part| sum ^ part)
    }

    /// What it has in a position.
    #[must_use]
    pub fn exposure(&self, position: PositionId) -> Option<&Exposure> {
        match self.exposures.binary_search_by_key(&position, Exposure::position) {
            Ok(at) => self.exposures.get(at),
            Err(_) => None,
        }
    }

    /// Size of a position; zero where there is none.
    #[must_use]
    pub fn position(&self, position: PositionId) -> Size {
        self.exposure(position).map_or(Size::ZERO, |e| e.size)
    }

    /// Everything it has in a market: one row, or one a leg.
    pub fn exposures_in(&self, market: MarketId) -> impl Iterator<Item = &Exposure> {
        self.exposures.iter().filter(move |e| e.market == market)
    }

    /// Which of its positions holds the contracts of a side: the only one, or the long or the short leg.
    #[must_use]
    pub fn leg_of(&self, side: Side) -> Leg {
        match (self.kind, self.mode, side) {
            (AccountKind::Isolated { leg, .. }, ..) => leg,
            (_, PositionMode::OneWay, _) => Leg::Net,
            (_, PositionMode::Hedge, Side::Buy) => Leg::Long,
            (_, PositionMode::Hedge, Side::Sell) => Leg::Short,
        }
    }

    /// The legs that its mode has.
    #[must_use]
    pub fn legs(&self) -> &'static [Leg] {
        match self.mode {
            PositionMode::OneWay => &[Leg::Net],
            PositionMode::Hedge => &[Leg::Long, Leg::Short],
        }
    }

    /// True with a position in any market.
    #[must_use]
    pub fn has_position(&self) -> bool {
        self.exposures.iter().any(|e| !e.size.is_zero())
    }
}

impl Exposure {
    /// Which position it is.
    #[must_use]
    pub fn position(&self) -> PositionId {
        self.market.leg(self.leg)
    }

    /// Nothing in a position yet.
    #[must_use]
    pub fn new(position: PositionId) -> Self {
        Self {
            market: position.market,
            leg: position.leg,
            leverage: 0,
            mode: MarginMode::Cross,
            child: None,
            size: Size::ZERO,
            cost: Money::ZERO,
            funding: 0,
            buys: OrderTotals::default(),
            sells: OrderTotals::default(),
            reserved: Money::ZERO,
        }
    }

    /// Posted funding that has not reached the wallet: + is owed to the account. Rounded down.
    #[must_use]
    pub fn unsettled(&self, market: &Market) -> Money {
        let delta = market.funding_index - self.funding;
        if delta == 0 || self.size.is_zero() {
            return Money::ZERO;
        }
        match funding_payment(self.size, delta) {
            Some(payment) => payment.amount,
            None => fault("funding of a position does not fit"),
        }
    }
}
