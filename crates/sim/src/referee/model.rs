//! What the referee remembers: plain tables of whole numbers, nothing derived but what is cheap to say.
//!
//! Money counts 1e-16, prices and sizes 1e-8, rates 1e-9, funding 1e-25, time nanoseconds, as in the engine, so that
//! numbers can be compared digit by digit. The parameters are read from their published (JSON) form.

use super::forms::Form;
use engine::{AccountId, AssetId, IndexId, Leg, MarketId, OrderId, PositionId, Side};
use num_bigint::BigInt;
use std::collections::{BTreeMap, HashMap};

/// An asset and the balances that are nobody's.
#[derive(Clone, Debug, Default)]
pub struct Asset {
    pub index: Option<IndexId>,
    pub haircut: i128,
    /// Further slices: above which amount, which share.
    pub slices: Vec<(i128, i128)>,
    /// Zero for none.
    pub venue_cap: i128,
    pub discount: i128,
    pub vault: i128,
    pub fees: i128,
    pub rounding: i128,
    /// What a debt costs, and when it is repaid.
    pub borrow: engine::params::BorrowTerms,
    /// Σ of the rates posted; none before the first terms.
    pub interest: Option<i128>,
    /// The next posting.
    pub interest_next: i64,
    /// Who owes it, and up to which sum of rates they paid.
    pub debtors: BTreeMap<AccountId, i128>,
}

/// A price from outside.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub price: i128,
    pub usable_until: i64,
    /// The last price of a quorum.
    pub agreed: i128,
    pub weights: Vec<u32>,
    pub quorum: usize,
    pub deviation: i128,
    pub stale_ns: i64,
    pub speed: i128,
    pub reduce_only_after_ns: i64,
    /// Source that quotes redemptions, and the band round it.
    pub redemption: Option<(usize, i128)>,
    /// When the price last had a quorum or, before the first, nothing.
    pub set_at: i64,
    /// Last quote of each source: price and time.
    pub quotes: Vec<Option<(i128, i64)>>,
    /// By minute since the epoch: Σ price × ns and Σ ns of the time in which it was usable.
    pub minutes: BTreeMap<i64, (i128, i64)>,
    /// Up to when `minutes` counts.
    pub counted_to: i64,
    pub last_resort: engine::params::LastResort,
    /// It stands on its fallback; when its own quorum was lost.
    pub fallen: Option<i64>,
    /// Its unit changed then; 0 for never.
    pub split_at: i64,
    /// It is not launched.
    pub own: Option<super::prelaunch::Own>,
}

impl Asset {
    /// Haircut, slices and cap, from what a command carried.
    pub fn schedule(&mut self, p: &engine::params::AssetParams) {
        self.haircut = i128::from(p.haircut.units());
        let tiers = p.schedule.tiers.iter().filter(|t| !t.above.is_zero());
        self.slices = tiers.map(|t| (t.above.units(), i128::from(t.haircut.units()))).collect();
        self.venue_cap = p.schedule.venue_cap.units();
    }

    /// Where each slice of a positive amount begins and ends, and what it counts.
    pub fn shares(&self) -> Vec<(i128, i128, i128)> {
        let mut from = vec![(0, self.haircut)];
        from.extend(self.slices.iter().map(|(above, share)| (*above, (*share).min(self.haircut))));
        let ends = from.iter().skip(1).map(|s| s.0).chain([i128::MAX]).collect::<Vec<_>>();
        from.into_iter().zip(ends).map(|((start, share), end)| (start, end, share)).collect()
    }
}

impl Index {
    pub fn usable(&self, now: i64) -> bool {
        self.price > 0 && self.usable_until > 0 && now <= self.usable_until
    }
}

/// Resolved parameters of a market.
#[derive(Clone, Debug)]
pub struct Params {
    /// Quote per contract of an inverse contract; none for a linear one.
    pub face: Option<i128>,
    pub settlement: AssetId,
    pub index: IndexId,
    pub tick: i128,
    pub lot: i128,
    pub taker_fee: i128,
    pub maker_fee: i128,
    /// Maker and taker fee of tiers 1, 2, …
    pub fee_tiers: Vec<(i128, i128)>,
    pub closing_fee: i128,
    pub form: Form,
    pub mark_band: i128,
    pub order_band: i128,
    pub interval_ns: i64,
    pub interest: i128,
    pub clamp: i128,
    pub cap: i128,
    pub floor: i128,
    pub gap_ns: i64,
    pub liquidation_fee: i128,
    pub band: i128,
    pub depth_share: i128,
    pub fund_limit: i128,
    pub adl_at_mark: bool,
    pub policy: engine::params::LiquidationPolicy,
    pub adl_policy: engine::params::AdlPolicy,
    /// Share and window of the fund's drawdown; zero for none.
    pub drawdown: (i128, i64),
    /// The most of the mark that winners pay of losses in one command; zero for none.
    pub socialise: i128,
    pub fund: AccountId,
    /// Bands of market and triggered orders, and how far behind the mark an order may rest; zero for none.
    pub market_band: i128,
    pub triggered_band: i128,
    pub away_band: i128,
    /// Open interest at a fill, and with the resting orders of a side at a placement; zero for none.
    pub interest_cap: i128,
    pub longs_cap: i128,
    pub shorts_cap: i128,
    /// How near to the mark the last price must be for orders that wait for it; zero for any distance.
    pub trigger_protect: i128,
    pub kind: engine::params::Kind,
    pub option: Option<super::option::Terms>,
    /// Zero for never.
    pub realise_every_ns: i64,
}

impl Params {
    /// Reads what the command carried.
    pub fn read(p: &engine::params::MarketParams) -> Self {
        let json = |v: serde_json::Result<serde_json::Value>| v.unwrap_or(serde_json::Value::Null);
        let contract = json(serde_json::to_value(p.contract));
        let face = contract.pointer("/inverse/face").and_then(serde_json::Value::as_u64).map(i128::from);
        let form = Form::read(&json(serde_json::to_value(&p.ladder)));
        let rate = |r: units::Rate| i128::from(r.units());
        Self {
            face,
            settlement: p.settlement,
            index: p.index,
            tick: i128::from(p.tick.units()),
            lot: i128::from(p.lot.units()),
            taker_fee: rate(p.taker_fee),
            maker_fee: rate(p.maker_fee),
            fee_tiers: p.fee_tiers.iter().map(|t| (rate(t.maker), rate(t.taker))).collect(),
            closing_fee: rate(p.closing_fee),
            form: form.unwrap_or_else(|| panic!("referee: a form of ladder it does not know: {:?}", p.ladder)),
            mark_band: rate(p.mark_band),
            order_band: rate(p.order_band),
            interval_ns: p.funding.interval_ns,
            interest: rate(p.funding.interest),
            clamp: rate(p.funding.clamp),
            cap: rate(p.funding.cap),
            floor: rate(p.funding.floor),
            gap_ns: p.funding_gap_ns,
            liquidation_fee: rate(p.liquidation.fee),
            band: rate(p.liquidation.band),
            depth_share: rate(p.liquidation.depth_share),
            fund_limit: p.liquidation.fund_limit.units(),
            adl_at_mark: p.liquidation.adl_price == engine::params::AdlPrice::Mark,
            policy: p.liquidation.policy,
            adl_policy: p.liquidation.adl_policy,
            drawdown: (rate(p.liquidation.loss.drawdown.share), p.liquidation.loss.drawdown.window_ns),
            socialise: rate(p.liquidation.loss.socialise),
            fund: p.fund,
            market_band: rate(p.guards.market_band),
            triggered_band: rate(p.guards.triggered_band),
            away_band: rate(p.guards.away_band),
            interest_cap: p.guards.open_interest_cap.units(),
            longs_cap: p.guards.longs_cap.units(),
            shorts_cap: p.guards.shorts_cap.units(),
            trigger_protect: rate(p.guards.trigger_protect),
            kind: p.kind,
            option: p.option.as_ref().map(super::option::Terms::read),
            realise_every_ns: p.realise_every_ns,
        }
    }
}

impl Params {
    /// The indices that its mark is made from.
    pub fn read_from(&self) -> Vec<IndexId> {
        [Some(self.index), self.option.as_ref().map(|o| o.volatility)].into_iter().flatten().collect()
    }

    /// The edge of a band round a mark, on the tick toward it: a share of the mark, of an option one of its underlying.
    pub fn edge(&self, mark: i128, band: i128) -> i128 {
        use super::num::{Dir, RATE, div, mul_div};
        let dir = if band < 0 { Dir::Up } else { Dir::Down };
        let on_tick = |price: i128| div(price, self.tick, dir) * self.tick;
        match &self.option {
            Some(option) => on_tick(mark + mul_div(option.spot, RATE + band, RATE, dir) - option.spot).max(self.tick),
            None => on_tick(mul_div(mark, RATE + band, RATE, dir)),
        }
    }
}

/// A market.
#[derive(Clone, Debug)]
pub struct Market {
    pub params: Params,
    pub status: engine::MarketStatus,
    pub mark: i128,
    /// The last mark from an index with quorum.
    pub agreed: i128,
    pub last: i128,
    pub premium_sum: i128,
    pub premium_count: i128,
    pub given: Option<i128>,
    pub funding: i128,
    /// The next settlement.
    pub funding_next: i64,
    pub residue: i128,
    pub clearing: i128,
    pub average: super::margin::Average,
    /// Resting orders in the order in which they came to rest; both sides together.
    pub book: Vec<OrderId>,
    /// Its announced end.
    pub expiry: Option<engine::params::Expiry>,
    /// Σ sizes and Σ values of the positions that its settlement has closed, and how many.
    pub closed: (i128, i128, i128),
    /// The next realisation of results.
    pub realise_next: i64,
    /// What the funding of a perpetual option is accrued from.
    pub carry: super::option::Carry,
}

impl Market {
    /// Its positions are being closed at one price.
    pub fn settling(&self) -> bool {
        self.status == engine::MarketStatus::Settling
    }

    /// The same, or all is closed.
    pub fn over(&self) -> bool {
        self.settling() || self.status == engine::MarketStatus::Settled
    }
}

/// What a subaccount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Trading,
    Fund,
    Child { parent: AccountId, market: MarketId, leg: Leg },
}

/// A subaccount.
#[derive(Clone, Debug)]
pub struct Account {
    pub owner: u32,
    pub kind: Kind,
    pub wallets: BTreeMap<AssetId, i128>,
    /// Long and short legs beside each other.
    pub hedge: bool,
    pub exposures: BTreeMap<PositionId, Exposure>,
    /// Its open orders by position, oldest first.
    pub orders: BTreeMap<PositionId, Vec<OrderId>>,
    /// The ladder works on it; the last stage it did.
    pub liquidating: Option<Ladder>,
    pub call: u8,
    /// What it may do.
    pub status: engine::AccountStatus,
    /// The only asset that is collateral; none for all.
    pub only: Option<AssetId>,
}

/// Where the ladder is with an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ladder {
    pub stage: Option<engine::Stage>,
    pub paused_until: i64,
}

/// A subaccount in one market.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    pub leverage: i128,
    pub isolated: bool,
    pub child: Option<AccountId>,
    pub size: i128,
    pub cost: i128,
    pub checkpoint: i128,
    /// What it must pay of shared losses, exactly: 1e-25 of the settlement asset.
    pub owed: BigInt,
}

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Working,
    Resting,
    Parked,
}

/// An open order.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub account: AccountId,
    pub market: MarketId,
    pub leg: Leg,
    pub side: Side,
    pub price: i128,
    pub remaining: i128,
    pub reduce_only: bool,
    /// It closes the whole position, and has no size before.
    pub closes: bool,
    pub client_id: u64,
    pub reserved: i128,
    pub place: Place,
    /// When it meets an order of its owner.
    pub self_trade: engine::SelfTrade,
    /// What happens to what does not fill at once.
    pub force: engine::TimeInForce,
    /// What a parked one waits for.
    pub trigger: Option<engine::Trigger>,
    /// The best price that an active trailing one has seen.
    pub extreme: Option<i128>,
    /// When it ends by the clock, once it stays.
    pub expires: Option<i64>,
}

impl Order {
    pub fn position(&self) -> PositionId {
        self.market.leg(self.leg)
    }

    /// A trailing order that is not active yet: when its price is reached it waits for another one.
    pub fn waits_again(&self) -> bool {
        self.trigger.is_some_and(|trigger| trigger.trail.is_some() && trigger.price.units() != 0)
    }

    /// +1 for a buy, −1 for a sell.
    pub fn sign(&self) -> i128 {
        match self.side {
            Side::Buy => 1,
            Side::Sell => -1,
        }
    }
}

/// A withdrawal that waits.
#[derive(Clone, Copy, Debug)]
pub struct Withdrawal {
    pub account: AccountId,
    pub asset: AssetId,
    pub amount: i128,
}

/// The venue's risk parameters.
#[derive(Clone, Debug)]
pub struct Risk {
    /// Equity equal to maintenance is below the line, too.
    pub at_line: bool,
    pub target: i128,
    pub takeover: i128,
    pub pause_ns: i64,
    pub calls: Vec<i128>,
    pub hysteresis: i128,
    pub outflow_share: i128,
    pub stale_favour: i128,
    pub stale_favour_cap: i128,
    /// Of one owner; zero for any number.
    pub subaccounts: u32,
}

impl Risk {
    pub fn read(p: &engine::params::RiskParams) -> Self {
        let line = serde_json::to_value(p.line).unwrap_or(serde_json::Value::Null);
        let rate = |r: units::Rate| i128::from(r.units());
        Self {
            at_line: line.as_str() == Some("at"),
            target: rate(p.target),
            takeover: rate(p.takeover),
            pause_ns: p.pause_ns,
            calls: p.calls.iter().map(|c| rate(*c)).filter(|c| *c > 0).collect(),
            hysteresis: rate(p.call_hysteresis),
            outflow_share: rate(p.outflow_share),
            stale_favour: rate(p.stale_favour),
            stale_favour_cap: p.stale_favour_cap.units(),
            subaccounts: p.subaccounts,
        }
    }

    /// True when an account with this headroom is to be liquidated.
    pub fn below(&self, headroom: i128) -> bool {
        headroom < 0 || (self.at_line && headroom == 0)
    }
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Model {
    pub sequence: u64,
    pub now: i64,
    pub risk: Risk,
    pub assets: Vec<Asset>,
    pub indices: Vec<Index>,
    pub markets: Vec<Market>,
    pub accounts: Vec<Account>,
    /// Open orders; never walked, only looked up.
    pub orders: HashMap<OrderId, Order>,
    pub withdrawals: BTreeMap<u64, Withdrawal>,
    pub deposits: std::collections::BTreeSet<(AssetId, u64)>,
    pub backstops: BTreeMap<AccountId, i128>,
    /// Steps of haircuts that are left: when and what; whether one is done.
    pub delistings: BTreeMap<AssetId, (Vec<(i64, i128)>, bool)>,
    /// Limits, in the order of subaccounts, owners, groups; none is no row.
    pub limits: BTreeMap<engine::LimitScope, Limits>,
    /// Groups of owners.
    pub groups: BTreeMap<u32, engine::GroupId>,
    /// When all orders of an account are cancelled.
    pub countdowns: BTreeMap<AccountId, i64>,
    /// Fee tiers by owner.
    pub fee_tiers: BTreeMap<u32, usize>,
    pub fee_discount: i128,
    /// Accounts that pay fees in another asset.
    pub pays_in: BTreeMap<AccountId, AssetId>,
    /// Trading subaccounts that an owner may open, instead of the venue's number.
    pub subaccount_limits: BTreeMap<u32, u32>,
    /// Interest that was taken because a wallet changed: the engine must tell it.
    pub interest_taken: Vec<engine::Event>,
    /// Markets whose results are becoming cash, and at which price.
    pub realising: BTreeMap<MarketId, i128>,
    /// All that watched funds were worth: highest of each minute, operators' payments counted as if there from the start.
    pub worths: BTreeMap<AccountId, BTreeMap<i64, i128>>,
    /// Reserves by fund: which, its limit, its window; since when and how much it has paid.
    pub reserves: BTreeMap<AccountId, Reserve>,
    /// What accounts in liquidation have realised since it began, by market and whether longs closed.
    pub results: BTreeMap<AccountId, BTreeMap<(MarketId, bool), i128>>,
    /// Auctions of accounts in liquidation, as they began.
    pub auctions: BTreeMap<AccountId, Vec<Auction>>,
    /// Σ of what sharings asked of a side of a market, 1e-25 per 1e-8 contract.
    pub losses: BTreeMap<(MarketId, Side), i128>,
    /// Limits of market makers, what they have counted since when, and until when their orders are refused.
    pub protections: BTreeMap<(AccountId, IndexId), engine::Protection>,
}

/// The reserve of a fund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    pub fund: AccountId,
    pub limit: i128,
    pub window_ns: i64,
    pub since: i64,
    pub used: i128,
}

/// The auction of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auction {
    pub position: PositionId,
    pub since: i64,
    pub until: i64,
    pub discount: i128,
    pub over: bool,
}

/// Limits of a subaccount, owner or group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub orders: Option<i128>,
    pub position: Option<i128>,
    pub open: Option<i128>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            sequence: 0,
            now: 0,
            risk: Risk::read(&engine::params::RiskParams::default()),
            assets: Vec::new(),
            indices: Vec::new(),
            markets: Vec::new(),
            accounts: Vec::new(),
            orders: HashMap::new(),
            withdrawals: BTreeMap::new(),
            deposits: std::collections::BTreeSet::new(),
            backstops: BTreeMap::new(),
            delistings: BTreeMap::new(),
            limits: BTreeMap::new(),
            groups: BTreeMap::new(),
            countdowns: BTreeMap::new(),
            fee_tiers: BTreeMap::new(),
            fee_discount: 0,
            pays_in: BTreeMap::new(),
            subaccount_limits: BTreeMap::new(),
            interest_taken: Vec::new(),
            realising: BTreeMap::new(),
            worths: BTreeMap::new(),
            reserves: BTreeMap::new(),
            results: BTreeMap::new(),
            auctions: BTreeMap::new(),
            losses: BTreeMap::new(),
            protections: BTreeMap::new(),
        }
    }
}

impl Model {
    pub fn asset(&mut self, id: AssetId) -> &mut Asset {
        &mut self.assets[id.index()]
    }

    pub fn market(&self, id: MarketId) -> &Market {
        &self.markets[id.index()]
    }

    pub fn market_mut(&mut self, id: MarketId) -> &mut Market {
        &mut self.markets[id.index()]
    }

    pub fn account(&self, id: AccountId) -> &Account {
        &self.accounts[id.index()]
    }

    pub fn account_mut(&mut self, id: AccountId) -> &mut Account {
        &mut self.accounts[id.index()]
    }

    pub fn wallet(&self, id: AccountId, asset: AssetId) -> i128 {
        self.account(id).wallets.get(&asset).copied().unwrap_or(0)
    }

    /// Adds to a wallet; negative takes from it.
    pub fn credit(&mut self, id: AccountId, asset: AssetId, amount: i128) {
        if amount != 0 {
            self.take_interest(id, asset);
        }
        *self.account_mut(id).wallets.entry(asset).or_insert(0) += amount;
        self.book_debt(id, asset);
    }

    pub fn exposure(&self, id: AccountId, position: PositionId) -> Exposure {
        self.account(id).exposures.get(&position).cloned().unwrap_or_default()
    }

    pub fn exposure_mut(&mut self, id: AccountId, position: PositionId) -> &mut Exposure {
        self.account_mut(id).exposures.entry(position).or_default()
    }

    /// The price of an asset in the numeraire: the last usable one while its index is not; zero before its first.
    pub fn asset_price(&self, asset: AssetId) -> i128 {
        let Some(index) = self.assets[asset.index()].index else { return super::num::PRICE };
        let row = &self.indices[index.index()];
        if row.usable(self.now) { row.price } else { row.agreed }
    }

    /// The price that positions of a market are valued at: the mark, or the last usable one while its index is not.
    pub fn valuation(&self, market: &Market) -> i128 {
        if self.indices[market.params.index.index()].usable(self.now) { market.mark } else { market.agreed }
    }

    /// The parent of a child, or the account itself.
    pub fn parent(&self, id: AccountId) -> AccountId {
        match self.account(id).kind {
            Kind::Child { parent, .. } => parent,
            Kind::Trading | Kind::Fund => id,
        }
    }

    /// The legs that an account's mode has.
    pub fn legs(&self, id: AccountId) -> &'static [Leg] {
        if self.account(id).hedge { &[Leg::Long, Leg::Short] } else { &[Leg::Net] }
    }

    /// The legs that orders of an account or child may have.
    pub fn legs_of_holder(&self, id: AccountId) -> Vec<Leg> {
        match self.account(id).kind {
            Kind::Child { leg, .. } => vec![leg],
            Kind::Trading | Kind::Fund => self.legs(id).to_vec(),
        }
    }

    /// Where an account holds contracts of a sign in a market.
    pub fn held(&self, id: AccountId, market: MarketId, sign: i128) -> PositionId {
        let row = self.account(id);
        market.leg(match (row.kind, row.hedge) {
            (Kind::Child { leg, .. }, _) => leg,
            (_, false) => Leg::Net,
            (_, true) if sign > 0 => Leg::Long,
            (_, true) => Leg::Short,
        })
    }

    /// The child of each position of an account in a market.
    pub fn children(&self, id: AccountId, market: MarketId) -> Vec<AccountId> {
        self.account(id).exposures.iter().filter(|(p, _)| p.market == market).filter_map(|(_, e)| e.child).collect()
    }
}
