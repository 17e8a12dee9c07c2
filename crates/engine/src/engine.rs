//! One command at a time: the clock and what is due, then the request, then everything that its prices and trades
//! caused. This file is the order in which things happen.

use crate::output::{Output, Touched};
use crate::{
    Answer, Command, Digest, Event, Reject, State, admin, batch, borrow, caps, collateral, deadlines, delisting,
    digest, drawdown, fees, funding, funds, invariants, isolated, ladder, place, prices, realise, resort, risk,
    settlement, triggers,
};
use alloc::vec::Vec;
use units::Time;

/// A venue.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    state: State,
    events: Vec<Event>,
    /// The events are those of a batch that has ended.
    ended: bool,
    chain: Digest,
    touched: Touched,
}

/// A copy of a venue after commands that did not happen.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The copy.
    pub engine: Engine,
    /// What each command would have been answered.
    pub answers: Vec<Result<Answer, Reject>>,
}

impl Engine {
    /// An empty venue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one command at a time that is not before the last.
    ///
    /// # Errors
    /// A `Reject` says why the request was refused. The clock and the work that was due have happened all the same, and
    /// nothing else has, but for `TimeBackwards`, where nothing has.
    pub fn apply(&mut self, at: Time, command: &Command) -> Result<Answer, Reject> {
        if self.ended {
            self.ended = false;
            self.events.clear();
        }
        if at < self.state.now {
            return Err(Reject::TimeBackwards { asked: at, now: self.state.now });
        }
        let clock_work = at >= self.state.next_due;
        let mut out = Output::new(&mut self.state, &mut self.events, &mut self.touched);
        out.emit(Event::Began { sequence: out.state().sequence + 1, time: at });
        if clock_work {
            due(&mut out);
        }
        settlement::run(&mut out);
        realise::run(&mut out);
        // Risk is evaluated once for a command that brings prices: after them, or at once when they are refused.
        let prices = matches!(command, Command::SetPrices { .. });
        if !prices {
            settle(&mut out);
        }
        let answer = request(&mut out, command).map_err(Reject::within_bounds);
        match &answer {
            Ok(_) if *command == Command::Tick => {}
            Ok(_) => settle(&mut out),
            Err(reject) => {
                if prices {
                    settle(&mut out);
                }
                out.emit(Event::Refused { code: reject.code() });
            }
        }
        invariants::check(&mut out);
        answer
    }

    /// The engine that goes on from a state.
    pub(crate) fn of(state: State, chain: Digest) -> Self {
        Self { state, chain, ended: true, ..Self::default() }
    }

    /// Everything there is to read.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What looking for those below the line has cost so far.
    #[must_use]
    pub fn work(&self) -> crate::Work {
        self.state.watch.work()
    }

    /// Events since the batch began; of one that has ended, until the next command.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Ends a batch: its events join the hash chain, and leave the arena at the next command. Of one that has ended nothing
    /// is left to join.
    pub fn end_batch(&mut self) -> Digest {
        if !self.ended {
            self.chain = digest::chain(self.chain, &self.events);
            self.ended = true;
        }
        self.chain
    }

    /// Whether no batch is open.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended || self.events.is_empty()
    }

    /// The hash chain over all ended batches.
    #[must_use]
    pub fn event_digest(&self) -> Digest {
        self.chain
    }

    /// A hash over the whole state.
    #[must_use]
    pub fn state_digest(&self) -> Digest {
        self.state.digest()
    }

    /// Applies commands to a copy: orders, prices, deposits, anything. Costs a copy of the state.
    #[must_use]
    pub fn what_if(&self, at: Time, commands: &[Command]) -> WhatIf {
        let mut engine = self.clone();
        let answers = commands.iter().map(|command| engine.apply(at, command)).collect();
        WhatIf { engine, answers }
    }
}

/// The work that the clock makes due: once a second, and when an order or a countdown ends.
fn due(out: &mut Output<'_>) {
    deadlines::end(out);
    crate::prelaunch::due(out);
    prices::sample(out);
    funding::post_due(out);
    prices::restrict_unusable(out);
    resort::due(out);
    settlement::due(out);
    delisting::due(out);
    borrow::due(out);
    realise::due(out);
    drawdown::sample(out);
}

/// Everything that moved prices and trades cause: accounts below the line, steps of the ladder, triggered orders.
pub(crate) fn settle(out: &mut Output<'_>) {
    triggers::fire(out);
    risk::look_at_touched(out);
    let moved = out.state().risk_due;
    if moved {
        risk::look_at_all(out);
    }
    if !out.state().liquidating.is_empty() || !out.state().funds.is_empty() {
        ladder::run(out, moved);
        triggers::fire(out);
        risk::look_at_touched(out);
        if out.state().risk_due {
            risk::look_at_all(out); // a loss was shared
        }
    }
}

fn request(out: &mut Output<'_>, command: &Command) -> Result<Answer, Reject> {
    match command {
        Command::Tick => Ok(Answer::Done),
        Command::AddAsset(params) => admin::add_asset(out, params),
        Command::AddIndex(params) => admin::add_index(out, params),
        Command::ListMarket(params) => admin::list_market(out, params),
        Command::SetMarketParams { market, params } => admin::set_market_params(out, *market, params),
        Command::SetAssetParams { asset, params } => admin::set_asset_params(out, *asset, params),
        Command::SetRiskParams(params) => admin::set_risk_params(out, params),
        Command::SetMarketStatus { market, status } => admin::set_market_status(out, *market, *status),
        Command::SetFundingRate { market, rate } => admin::set_funding_rate(out, *market, *rate),
        Command::OpenAccount { owner, role, name } => admin::open_account(out, *owner, *role, *name),
        Command::Deposit { account, asset, amount, reference } => {
            funds::deposit(out, *account, *asset, *amount, *reference)
        }
        Command::RequestWithdrawal { account, asset, amount } => {
            funds::request_withdrawal(out, *account, *asset, *amount)
        }
        Command::ConfirmWithdrawal { withdrawal } => funds::confirm_withdrawal(out, *withdrawal),
        Command::ReturnWithdrawal { withdrawal } => funds::return_withdrawal(out, *withdrawal),
        Command::Transfer { from, to, asset, amount } => funds::transfer(out, *from, *to, *asset, *amount),
        Command::PlaceOrder(order) => place::place_order(out, order),
        Command::AmendOrder { account, order, price, size } => place::amend_order(out, *account, *order, *price, *size),
        Command::CancelOrder { account, order } => place::cancel_order(out, *account, *order),
        Command::CancelAll { account, market } => place::cancel_all(out, *account, *market),
        Command::SetLeverage { account, market, leverage } => isolated::set_leverage(out, *account, *market, *leverage),
        Command::SetMarginMode { account, market, mode } => isolated::set_margin_mode(out, *account, *market, *mode),
        Command::AdjustIsolatedMargin { account, market, amount, leg } => {
            isolated::adjust_margin(out, *account, market.leg(*leg), *amount)
        }
        Command::CancelAllAfter { account, timeout_ns } => deadlines::cancel_all_after(out, *account, *timeout_ns),
        Command::SetLimits { scope, limits } => caps::set_limits(out, *scope, limits),
        Command::SetOwnerGroup { owner, group } => caps::set_owner_group(out, *owner, *group),
        Command::SetAccountStatus { account, status, reason } => {
            crate::standing::set_account_status(out, *account, *status, *reason)
        }
        Command::SetSubaccountLimit { owner, limit } => crate::standing::set_subaccount_limit(out, *owner, *limit),
        Command::SetPositionMode { account, mode } => isolated::set_position_mode(out, *account, *mode),
        Command::SetReserve { fund, reserve } => crate::reserve::set(out, *fund, reserve.as_ref()),
        Command::CommitBackstop { account, limit } => funds::commit_backstop(out, *account, *limit),
        Command::SetIndexParams { index, params } => admin::set_index_params(out, *index, params),
        Command::SetPrices { quotes } => prices::set_prices(out, quotes),
        Command::ScheduleSettlement { market, expiry } => settlement::schedule(out, *market, expiry),
        Command::ScheduleDelisting { asset, steps } => delisting::schedule(out, *asset, steps),
        Command::CancelDelisting { asset } => delisting::cancel(out, *asset),
        Command::CancelSettlement { market } => settlement::cancel(out, *market),
        Command::Batch { items } => batch::run(out, items),
        Command::BidAuction(bid) => crate::auction::bid(out, bid),
        Command::ExitOption { account, market, size } => crate::exit::exit(out, *account, *market, *size),
        Command::SetProtection { account, index, limits } => {
            crate::protection::set(out, *account, *index, limits.as_ref())
        }
        Command::LaunchIndex { index } => crate::prelaunch::launch(out, *index),
        Command::SplitIndex { index, split } => crate::split::split_index(out, *index, *split),
        Command::SetFeeTier { owner, tier } => fees::set_fee_tier(out, *owner, *tier),
        Command::SetFeeDiscount { discount } => fees::set_fee_discount(out, *discount),
        Command::SetFeeAsset { account, asset } => fees::set_fee_asset(out, *account, *asset),
        Command::SetCollateralMode { account, only } => collateral::set_mode(out, *account, *only),
    }
}
