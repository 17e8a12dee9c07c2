//! What happened. Emitting an event is the only thing that changes the state; an event carries handles and the values
//! after, never names.

use crate::params::AdlPolicy;
use crate::{
    AccountId, AssetId, GroupId, IndexId, Leg, LimitScope, MarginMode, MarketId, MarketStatus, OrderId, PositionMode,
    Reduce, Side, Trigger,
};
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Size, Time};

/// One thing that happened. `Copy` and small; past tense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A command begins: its number and time.
    Began {
        /// Number of the command, from 1.
        sequence: u64,
        /// The engine's time from now on.
        time: Time,
    },
    /// The request was refused.
    Refused {
        /// The stable number of the `Reject`.
        code: u16,
    },
    /// An asset is listed; its parameters are in the command.
    AssetAdded {
        /// Its handle.
        asset: AssetId,
    },
    /// An index is followed.
    IndexAdded {
        /// Its handle.
        index: IndexId,
    },
    /// An index has new parameters.
    IndexParamsSet {
        /// Which.
        index: IndexId,
    },
    /// A market is listed.
    MarketListed {
        /// Its handle.
        market: MarketId,
    },
    /// A market has new parameters.
    MarketParamsSet {
        /// Which.
        market: MarketId,
    },
    /// An asset has new parameters.
    AssetParamsSet {
        /// Which.
        asset: AssetId,
        /// Haircut from now on.
        haircut: Rate,
        /// Conversion discount from now on.
        conversion_discount: Rate,
    },
    /// The venue has new risk parameters.
    RiskParamsSet,
    /// A market has a new status.
    MarketStatusSet {
        /// Which.
        market: MarketId,
        /// The status from now on.
        status: MarketStatus,
        /// Why.
        reason: StatusReason,
    },
    /// The rate of the running interval was given.
    FundingRateSet {
        /// Which.
        market: MarketId,
        /// Per interval.
        rate: Rate,
    },
    /// A trading subaccount or fund was opened.
    AccountOpened {
        /// Its handle.
        account: AccountId,
        /// Its owner.
        owner: crate::OwnerId,
    },
    /// The child of (parent, market) was made.
    IsolatedOpened {
        /// Its handle.
        child: AccountId,
        /// Whose.
        parent: AccountId,
        /// Where.
        market: MarketId,
        /// Which position.
        leg: Leg,
    },
    /// Collateral arrived.
    Deposited {
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Money,
        /// Number of the transfer outside.
        reference: u64,
        /// The wallet after.
        wallet: Money,
    },
    /// Collateral is set aside to leave.
    WithdrawalRequested {
        /// Its number.
        withdrawal: u64,
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Money,
        /// The wallet after.
        wallet: Money,
    },
    /// It has left the vault.
    WithdrawalConfirmed {
        /// Its number.
        withdrawal: u64,
    },
    /// It came back to the wallet.
    WithdrawalReturned {
        /// Its number.
        withdrawal: u64,
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// The wallet after.
        wallet: Money,
        /// How much.
        amount: Money,
    },
    /// Money moved between two subaccounts.
    Moved {
        /// The giver.
        from: AccountId,
        /// The receiver.
        to: AccountId,
        /// What.
        asset: AssetId,
        /// How much; not negative.
        amount: Money,
        /// Why.
        reason: MoveReason,
    },
    /// Leverage of (account, market) was set.
    LeverageSet {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Notional per initial margin.
        leverage: u16,
    },
    /// Mode of (account, market) was set.
    MarginModeSet {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// From now on.
        mode: MarginMode,
    },
    /// A volunteer's limit was set.
    BackstopCommitted {
        /// Whose.
        account: AccountId,
        /// Notional, numeraire.
        limit: Money,
    },
    /// An order is taken in. It works at once, rests (`OrderRested`) or waits for its trigger (`OrderParked`).
    OrderAccepted {
        /// Its id.
        order: OrderId,
        /// The subaccount that trades: the child of an isolated position.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Buy or sell.
        side: Side,
        /// Worst price.
        price: Price,
        /// Contracts, without sign.
        size: Size,
        /// The caller's number.
        client_id: u64,
        /// What happens to what does not fill at once.
        force: crate::TimeInForce,
        /// Whether it may only reduce.
        reduce: Reduce,
        /// Set aside in the parent for an isolated order, settlement asset.
        reserved: Money,
        /// Which position of the account.
        leg: Leg,
    },
    /// The order was cut to what margin allows, or to the position that it may reduce.
    OrderCut {
        /// Which.
        order: OrderId,
        /// Asked for.
        asked: Size,
        /// Allowed.
        allowed: Size,
    },
    /// What is left of the order is in the book.
    OrderRested {
        /// Which.
        order: OrderId,
        /// Open contracts.
        remaining: Size,
    },
    /// The order waits for its trigger.
    OrderParked {
        /// Which.
        order: OrderId,
        /// For what.
        trigger: Trigger,
        /// What happens then.
        force: crate::TimeInForce,
    },
    /// The trigger of a waiting order was reached; what follows is its placement.
    OrderTriggered {
        /// Which; its id ends here, the placed order has a new one.
        order: OrderId,
        /// The price that reached it.
        price: Price,
    },
    /// A fill is about to increase an isolated position: its share of what was set aside moved from parent to child.
    ReservationUsed {
        /// The order.
        order: OrderId,
        /// The giver.
        parent: AccountId,
        /// The receiver.
        child: AccountId,
        /// Settlement asset.
        amount: Money,
    },
    /// The order's open size became smaller; it keeps its place.
    OrderReduced {
        /// Which.
        order: OrderId,
        /// Open contracts.
        remaining: Size,
        /// Still set aside in the parent.
        reserved: Money,
    },
    /// The order ended without being filled whole.
    OrderCancelled {
        /// Which.
        order: OrderId,
        /// Contracts that were open.
        remaining: Size,
        /// Why.
        reason: CancelReason,
    },
    /// Two orders met.
    Filled {
        /// Where.
        market: MarketId,
        /// The resting order.
        maker: OrderId,
        /// The arriving order.
        taker: OrderId,
        /// The maker's price.
        price: Price,
        /// Contracts; + when the taker bought.
        size: Size,
        /// What the taker paid for them (the maker got the same number), settlement asset.
        value: Money,
    },
    /// A position has a new size and cost; the realised profit moved between wallet and clearing account.
    PositionChanged {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts after; + long.
        size: Size,
        /// Cost after.
        cost: Money,
        /// Into the wallet, + is a gain.
        realised: Money,
        /// Which position.
        leg: Leg,
        /// What changed it.
        cause: Cause,
    },
    /// A fee moved from a wallet to the fee account (+) or back (−, a maker's rebate).
    FeeCharged {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// How much, of `asset`.
        fee: Money,
        /// The settlement asset, or the one that the account pays its fees in.
        asset: AssetId,
    },
    /// A position's funding reached its wallet.
    FundingSettled {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Into the wallet; rounded down.
        amount: Money,
        /// What rounding left, 1e-25 of the asset, 0 to 1e9.
        residue: i128,
        /// Which position.
        leg: Leg,
    },
    /// Rounding left at least a unit in the clearing account; it went to the rounding account.
    RoundingSwept {
        /// Where.
        market: MarketId,
        /// How much.
        amount: Money,
    },
    /// A source's quote was taken.
    QuoteTaken {
        /// Which index.
        index: IndexId,
        /// Which source.
        source: u8,
        /// The price.
        price: Price,
        /// The source's time.
        time: Time,
    },
    /// An index has a new price.
    IndexSet {
        /// Which.
        index: IndexId,
        /// The price.
        price: Price,
        /// Until when a quorum's quotes are fresh; before now when there is none.
        usable_until: Time,
    },
    /// A market has a new mark.
    MarkSet {
        /// Which.
        market: MarketId,
        /// The price.
        price: Price,
    },
    /// The premium and the basis of a market were sampled.
    PremiumSampled {
        /// Which.
        market: MarketId,
        /// Impact price against index.
        premium: Rate,
        /// Middle of the book less index.
        basis: Price,
    },
    /// Funding of one interval: the cumulative index moved.
    FundingPosted {
        /// Which.
        market: MarketId,
        /// Per interval; + means that longs pay shorts.
        rate: Rate,
        /// The price it was computed at.
        mark: Price,
        /// Cumulative index after, 1e-25 of the asset per 1e-8 contract.
        cumulative: i128,
        /// The next settlement.
        next: Time,
    },
    /// Funding was missed for longer than the limit; nothing is paid for the gap.
    FundingSkipped {
        /// Which.
        market: MarketId,
        /// The next settlement.
        next: Time,
    },
    /// Maintenance ÷ equity reached a call level, or fell back from it.
    MarginCalled {
        /// Whose.
        account: AccountId,
        /// The highest level reached, from 1; 0: all calls are taken back.
        level: u8,
        /// Equity, numeraire.
        equity: Money,
        /// Maintenance margin, numeraire.
        maintenance_margin: Money,
    },
    /// Every account was looked at after prices, parameters or funding moved.
    RiskEvaluated,
    /// The account is below its line.
    LiquidationStarted {
        /// Whose.
        account: AccountId,
        /// Equity, numeraire.
        equity: Money,
        /// Maintenance margin, numeraire.
        maintenance_margin: Money,
    },
    /// The ladder did a step on the account: what follows until the next event of this kind was part of the next step.
    LiquidationStep {
        /// Whose.
        account: AccountId,
        /// Where; the largest handle for a step that is not about one market.
        market: MarketId,
        /// Which stage.
        stage: Stage,
        /// Contracts closed, with the sign of the trade.
        size: Size,
        /// Equity − maintenance before, numeraire.
        headroom_before: Money,
        /// Equity − maintenance after, numeraire.
        headroom_after: Money,
        /// Which position.
        leg: Leg,
    },
    /// The fee of the ladder moved from the account to the fund.
    LiquidationFee {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// The fund.
        fund: AccountId,
        /// How much, settlement asset.
        fee: Money,
    },
    /// The account waits for its next step.
    LiquidationPaused {
        /// Whose.
        account: AccountId,
        /// The last stage tried.
        stage: Stage,
        /// Until when, at the latest.
        until: Time,
    },
    /// The ladder is done with the account.
    LiquidationEnded {
        /// Whose.
        account: AccountId,
        /// How.
        outcome: Outcome,
        /// Equity, numeraire.
        equity: Money,
    },
    /// Collateral was sold to the fund for an asset that was short.
    Converted {
        /// Whose.
        account: AccountId,
        /// The converter.
        fund: AccountId,
        /// Sold.
        sold: AssetId,
        /// How much of it.
        sold_amount: Money,
        /// Got.
        bought: AssetId,
        /// How much of it.
        bought_amount: Money,
    },
    /// A position moved to a volunteer or to the fund, at the failing account's bankruptcy price.
    TakenOver {
        /// The failing account.
        from: AccountId,
        /// Who holds it now.
        to: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts moved; + when `to` bought.
        size: Size,
        /// What `to` paid.
        value: Money,
        /// Which position of the failing account.
        leg: Leg,
    },
    /// A winner's position was closed against a failing one: the receipt.
    Deleveraged {
        /// The failing account.
        failing: AccountId,
        /// The winner.
        winner: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts the winner traded; + bought.
        size: Size,
        /// What the winner paid.
        value: Money,
        /// The winner's rank in this round, from 1.
        rank: u32,
        /// Its score under the policy, 1e-9.
        score: i128,
        /// Which position of the failing account.
        leg: Leg,
        /// By which policy it was its turn.
        policy: AdlPolicy,
        /// Contracts of these that hedged something else in the winner's account: above zero, a broken hedge.
        hedged: Size,
    },
    /// No one was left to take these contracts; the account stays in liquidation.
    LeftUncovered {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts.
        size: Size,
        /// Which position.
        leg: Leg,
    },
    /// What the fund could not pay: a negative wallet remains.
    DeficitLeft {
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much, below zero.
        wallet: Money,
    },
    /// Both legs of a market close against each other at the mark, in a liquidation.
    LegsOffset {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts of each leg, without sign.
        size: Size,
        /// What the short leg pays and the long leg gets.
        value: Money,
    },
    /// Limits were set; they stand in the command.
    LimitsSet {
        /// Of what.
        scope: LimitScope,
    },
    /// An owner joined or left a group.
    OwnerGrouped {
        /// Who.
        owner: crate::OwnerId,
        /// Which; none: out of any.
        group: Option<GroupId>,
    },
    /// One-way or hedge mode of a subaccount was set; leverage and margin mode of each market hold for its new positions.
    PositionModeSet {
        /// Whose.
        account: AccountId,
        /// From now on.
        mode: PositionMode,
    },
    /// The end of a market is announced.
    SettlementScheduled {
        /// Which.
        market: MarketId,
        /// From here on positions can only be reduced, and no funding accrues.
        reduce_only_at: Time,
        /// Here they are closed.
        settle_at: Time,
        /// Length of the averaging window before it, nanoseconds.
        window_ns: i64,
    },
    /// The announcement was taken back.
    SettlementCancelled {
        /// Which.
        market: MarketId,
    },
    /// A market's settlement price is known: its positions are valued at it until they are closed.
    SettlementPriced {
        /// Which.
        market: MarketId,
        /// The price; zero for a market that never had one, in which nobody holds anything.
        price: Price,
        /// Where it comes from.
        source: SettlementSource,
        /// For how long the index was usable in the averaging window, nanoseconds.
        usable_ns: i64,
    },
    /// A position was closed at the settlement price.
    PositionSettled {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts that were closed; + long.
        size: Size,
        /// What they were worth, rounded down; signed like a cost.
        value: Money,
        /// Which.
        leg: Leg,
    },
    /// The limit of one command was reached: the settlement goes on with this account at the next.
    SettlementContinues {
        /// Where.
        market: MarketId,
        /// With whom.
        account: AccountId,
    },
    /// Everything is closed; what rounding left in the clearing account went to the rounding account.
    MarketSettled {
        /// Which.
        market: MarketId,
        /// What rounding left, settlement asset.
        rounding: Money,
    },
    /// An index had no quorum for too long: from now on it takes the price of another one.
    IndexFellBack {
        /// Which.
        index: IndexId,
        /// The other one.
        fallback: IndexId,
    },
    /// An index has its own quorum again.
    IndexRestored {
        /// Which.
        index: IndexId,
    },
    /// The end of an asset as collateral is announced; its steps are in the command.
    DelistingScheduled {
        /// Which.
        asset: AssetId,
    },
    /// The announcement was taken back.
    DelistingCancelled {
        /// Which.
        asset: AssetId,
    },
    /// A step of the announcement: its haircut from now on.
    HaircutStepped {
        /// Which.
        asset: AssetId,
        /// Share of its index that it counts.
        haircut: Rate,
    },
    /// The resting or waiting order ends by the clock.
    OrderExpires {
        /// Which.
        order: OrderId,
        /// When.
        expires: Time,
    },
    /// The countdown of an account was armed or renewed, or it ended.
    CountdownSet {
        /// Whose.
        account: AccountId,
        /// When all its orders are cancelled; none: not armed.
        until: Option<Time>,
    },
    /// An owner has a new fee tier.
    FeeTierSet {
        /// Whose.
        owner: crate::OwnerId,
        /// The tier from now on.
        tier: u8,
    },
    /// Fees in another asset than the settlement asset have a new discount.
    FeeDiscountSet {
        /// The discount from now on.
        discount: Rate,
    },
    /// An account pays its fees in another asset.
    FeeAssetSet {
        /// Whose.
        account: AccountId,
        /// Which; none: the settlement asset of each market.
        asset: Option<AssetId>,
    },
    /// What an order does when it meets one of its owner; not told where it cancels the resting one.
    SelfTradeSet {
        /// Which.
        order: OrderId,
        /// From now on.
        self_trade: crate::SelfTrade,
    },
    /// An item of a batch was refused.
    ItemRefused {
        /// Its place, from 0.
        item: u16,
        /// The stable number of the `Reject`.
        code: u16,
    },
    /// A subaccount, with its isolated positions, has a new status.
    AccountStatusSet {
        /// Whose.
        account: AccountId,
        /// From now on.
        status: crate::AccountStatus,
        /// Why.
        reason: crate::AccountReason,
    },
    /// An owner may open so many trading subaccounts.
    SubaccountLimitSet {
        /// Who.
        owner: crate::OwnerId,
        /// At most; none: the venue's number.
        limit: Option<u32>,
    },
    /// Interest of one interval, or of several that were missed: the cumulative rate moved.
    InterestPosted {
        /// Of what.
        asset: AssetId,
        /// Per interval.
        rate: Rate,
        /// Σ of all rates posted, 1e-9.
        cumulative: i128,
        /// The next posting.
        next: Time,
    },
    /// Interest that a debt had gathered moved from its wallet to the fee account.
    InterestCharged {
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much, rounded up.
        amount: Money,
    },
    /// Which wallets are collateral was chosen.
    CollateralModeSet {
        /// Whose.
        account: AccountId,
        /// The only asset that counts; none: all.
        only: Option<AssetId>,
    },
    /// The results of all positions of a market become cash at one price.
    RealisationBegan {
        /// Which.
        market: MarketId,
        /// At which price.
        price: Price,
        /// The next one.
        next: Time,
    },
    /// It goes on with the next command.
    RealisationContinues {
        /// Which.
        market: MarketId,
        /// Everyone before this account has it.
        account: AccountId,
    },
    /// It is done.
    RealisationEnded {
        /// Which.
        market: MarketId,
    },
    /// A price is better than the trailing orders of one kind that became active last have seen: all that had not seen a
    /// better one follow it.
    ExtremeMoved {
        /// Where.
        market: MarketId,
        /// The price that they follow.
        by: crate::TriggerBy,
        /// From which side they are reached: a high is followed from below.
        when: crate::TriggerWhen,
        /// The best price from now on.
        extreme: Price,
    },
    /// What a fund is worth whose drawdown a market watches; once a second.
    FundWorth {
        /// Which.
        fund: AccountId,
        /// Equity at the marks, collateral at index without haircuts, numeraire.
        worth: Money,
    },
    /// The fund could take a position over and does not: it has lost too much of its highest worth.
    FundDrawnDown {
        /// Which.
        fund: AccountId,
        /// Of which market's rule.
        market: MarketId,
        /// Its worth now, numeraire.
        worth: Money,
        /// Its highest worth within the window, numeraire.
        peak: Money,
    },
    /// A position in a new unit: what it cost and what it is worth stay.
    PositionSplit {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts from now on; + long.
        size: Size,
        /// Which.
        leg: Leg,
    },
    /// A market in a new unit, after all its positions; averages and samples follow, rounded toward zero.
    MarketSplit {
        /// Which.
        market: MarketId,
        /// How many new contracts stand for the old ones.
        split: crate::Split,
        /// The tick from now on.
        tick: Price,
        /// The lot from now on.
        lot: Size,
        /// The mark, rounded down.
        mark: Price,
        /// The last usable one, rounded down.
        last_usable: Price,
    },
    /// An index in a new unit; its quotes and its history follow, rounded toward zero.
    IndexSplit {
        /// Which.
        index: IndexId,
        /// How many new contracts stand for the old ones.
        split: crate::Split,
        /// The price, rounded down.
        price: Price,
    },
    /// A fund has a reserve, or none any more.
    ReserveSet {
        /// Whose.
        fund: AccountId,
        /// From now on.
        reserve: Option<crate::params::Reserve>,
    },
    /// A reserve paid a fund what that one could not pay of what follows.
    ReserveDrawn {
        /// Who got it.
        fund: AccountId,
        /// Who paid.
        reserve: AccountId,
        /// For whom.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Money,
        /// Paid in this window with it, numeraire.
        used: Money,
        /// When the window began.
        since: Time,
    },
    /// A second of trades moved the averages of an index before its launch.
    OwnTradesAveraged {
        /// Which.
        index: IndexId,
        /// The price, 1e-17.
        price: i128,
        /// The long average, 1e-17.
        anchor: i128,
    },
    /// An index is connected to its sources, and moves to them no faster than its speed.
    LaunchBegan {
        /// Which.
        index: IndexId,
    },
    /// It has arrived: from now on it is an index like any other.
    Launched {
        /// Which.
        index: IndexId,
    },
    /// A position of an account in liquidation is offered to bidders.
    AuctionStarted {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts that are open; + long. No more of them is sold than brings the account back to its target.
        size: Size,
        /// The price now: the mark, to a tick.
        start: Price,
        /// Where it would be at the end, if mark and account stayed as they are.
        worst: Price,
        /// Greatest distance from the mark.
        discount: Rate,
        /// From now.
        since: Time,
        /// Then it is over.
        until: Time,
        /// Which position.
        leg: Leg,
    },
    /// A bidder took contracts of an auctioned position.
    AuctionFilled {
        /// Whose.
        account: AccountId,
        /// Who took them.
        bidder: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts, with the sign of the bidder's trade.
        size: Size,
        /// The price of the moment.
        price: Price,
        /// What the bidder pays for them, signed like a cost.
        value: Money,
        /// Which position of the account.
        leg: Leg,
    },
    /// An auction is over; the ladder goes on with the account at once.
    AuctionEnded {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Why.
        reason: AuctionEnd,
        /// Which position.
        leg: Leg,
    },
    /// What nobody else could pay of a deficit: the holders of a side owe it from now on.
    LossShared {
        /// Whose deficit; its wallet has the amount.
        account: AccountId,
        /// Where it lost.
        market: MarketId,
        /// Who owes: longs (`Buy`) or shorts.
        side: Side,
        /// How much.
        amount: Money,
        /// Cumulative index of the side after it, 1e-25 of the settlement asset per 1e-8 contract.
        cumulative: i128,
        /// What all holders owe more than the amount, 1e-25.
        residue: i128,
    },
    /// What a position owed of shared losses left its wallet.
    LossSettled {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// How much, rounded up.
        amount: Money,
        /// What rounding added, 1e-25.
        residue: i128,
        /// Which position.
        leg: Leg,
    },
    /// What a position counted when its account fell below the line; one for each, after `LiquidationStarted`.
    PositionValued {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Which position.
        leg: Leg,
        /// Contracts; + long.
        size: Size,
        /// Signed sum of what was paid, settlement asset.
        cost: Money,
        /// What it was valued at.
        price: Price,
        /// value − cost, settlement asset, with what an unusable price is moved in the account's favour.
        upnl: Money,
        /// Posted funding on its way to the wallet less shared losses that are owed, settlement asset.
        unsettled: Money,
        /// Needed to stay open, settlement asset.
        maintenance_margin: Money,
    },
    /// What an asset counted when an account fell below the line; one for each that is in the wallet or that a position settles in.
    WalletValued {
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// The wallet.
        wallet: Money,
        /// Interest due on a debt, not charged yet.
        interest: Money,
        /// Price of the asset, numeraire.
        price: Price,
        /// What wallet, interest and the positions that settle in it count together, numeraire.
        value: Money,
    },
    /// The parameters that the values before were made under, as the hash of [`crate::Grounds`].
    GroundsStated {
        /// Whose.
        account: AccountId,
        /// The hash.
        digest: crate::Digest,
    },
    /// A second's funding of a perpetual option: what it cost to hold was this for so long.
    OptionFundingAccrued {
        /// Which.
        market: MarketId,
        /// Mark less payoff at the sample before, per contract; + is paid by longs.
        time_value: Price,
        /// Since that sample, nanoseconds.
        ns: i64,
        /// Σ time value × ns, 1e-8 × ns.
        sum: i128,
        /// Cumulative funding: the sum ÷ the period, 1e-25 of the settlement asset per 1e-8 contract.
        cumulative: i128,
    },
    /// An option's market has come to its end; `settlement_priced` follows with the same price.
    OptionEnded {
        /// Which.
        market: MarketId,
        /// The time-weighted index.
        index: Price,
        /// What a contract pays.
        price: Price,
    },
    /// The holders of a perpetual option may close at its payoff from now on, or no longer.
    ExitRightSet {
        /// Which.
        market: MarketId,
        /// Whether they may.
        open: bool,
    },
    /// A holder has closed at the payoff against a short; both sides book the same number.
    OptionExited {
        /// The holder.
        account: AccountId,
        /// The short.
        counterparty: AccountId,
        /// Where.
        market: MarketId,
        /// Contracts that both close, without sign.
        size: Size,
        /// What the holder gets for them.
        value: Money,
        /// Place of the short among those who would be deleveraged, from 1.
        rank: u32,
    },
    /// An account limits what fills of its resting orders in the options of an underlying come to, or no longer.
    ProtectionSet {
        /// Whose.
        account: AccountId,
        /// The underlying.
        index: IndexId,
        /// The limits; none from now on.
        limits: Option<crate::ProtectionLimits>,
    },
    /// A fill of such an order was counted.
    ProtectionCounted {
        /// Whose.
        account: AccountId,
        /// The underlying.
        index: IndexId,
        /// When the window began.
        since: Time,
        /// Σ contracts in it, 1e-8.
        contracts: i128,
        /// Σ contracts × delta, + bought, 1e-8.
        delta: i128,
        /// Σ contracts × vega, settlement asset per 100 %.
        vega: Money,
    },
    /// A limit was reached: the account's orders there are cancelled next.
    ProtectionReached {
        /// Whose.
        account: AccountId,
        /// The underlying.
        index: IndexId,
        /// No order of it there is taken before then.
        until: Time,
    },
}

/// Why an auction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuctionEnd {
    /// The account is above its line again.
    Restored,
    /// Nothing of the position is left.
    Closed,
    /// Its time is over.
    Expired,
    /// Equity fell below the take-over share of maintenance.
    TakeOver,
}

/// Where a settlement price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementSource {
    /// The index was usable for at least half of the window: its average over that time.
    Window,
    /// It was not: the average over the last minutes, as many as the window has, in which it was usable.
    LastValid,
}

/// Why a market's status changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusReason {
    /// By command.
    Command,
    /// Its index has had no quorum for too long.
    IndexUnusable,
    /// Its announced end is near.
    Schedule,
    /// Something did not hold of it: a fault of this program, and of this market alone.
    Broken(crate::Invariant),
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveReason {
    /// By command.
    Transfer,
    /// Margin of an isolated position, by command.
    IsolatedMargin,
    /// What a reduction or close of an isolated position returned.
    IsolatedReturn,
    /// The fund paid a deficit.
    Deficit,
    /// The fund paid a winner the difference between the deleveraging price and bankruptcy.
    AdlPrice,
}

/// Why an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// By command.
    Requested,
    /// Replaced by an amendment.
    Amended,
    /// Immediate-or-cancel: nothing more to take.
    Unfilled,
    /// It met an order of its own owner.
    SelfTrade,
    /// A fill would leave the account below initial margin.
    Thin,
    /// It could only reduce, and there was nothing to reduce.
    NothingToReduce,
    /// The price of the market cannot be used, and it would have increased risk.
    PriceUnusable,
    /// The account is being liquidated.
    Liquidation,
    /// The market takes no orders that increase any more.
    MarketStatus,
    /// A fill would exceed a limit of the account, its owner or group.
    Limit,
    /// A fill would raise open interest above the market's cap.
    OpenInterestCap,
    /// Its trigger was reached and it was refused.
    RefusedAtTrigger {
        /// The stable number of the `Reject`.
        code: u16,
    },
    /// The market is being settled.
    Settlement,
    /// Its time was over.
    Expired,
    /// The countdown of its account ran out.
    CountdownRanOut,
    /// The subaccount is frozen, or may only reduce and a fill would increase.
    AccountStatus,
    /// The market's contracts have another unit from now on.
    Split,
    /// Fills of its owner's orders have reached a limit of the owner.
    Protection,
}

/// Stages of the ladder, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Orders that hold margin are cancelled.
    Cancel,
    /// The legs of hedge mode close against each other.
    Offset,
    /// Positions are reduced through the book.
    Reduce,
    /// Collateral is converted.
    Convert,
    /// Volunteers take over.
    Backstop,
    /// The fund takes over.
    TakeOver,
    /// Winners are deleveraged.
    Deleverage,
}

/// How a liquidation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Back at the target, or above the line by itself.
    Restored,
    /// No position is left.
    Closed,
}

/// What changed a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An own order.
    Trade,
    /// An order of the ladder, or of a fund that unwinds.
    Liquidation,
    /// A handover to a volunteer or to the fund; both sides.
    TakeOver,
    /// A deleveraging; both sides.
    Adl,
    /// A settlement of the market.
    Settlement,
    /// The clock, where results become cash in a rhythm; the position stays.
    Realisation,
    /// A holder of an option who closes at its payoff; both sides.
    Exit,
}
