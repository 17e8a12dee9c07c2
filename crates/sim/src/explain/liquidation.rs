//! Below the line: equity and maintenance margin, headrooms of steps, fees of the ladder, prices of take-overs.

use super::clauses::Rule;
use super::{Memory, Place, Work, adl, money, price};
use crate::scenario::{Names, percent};
use engine::{
    AccountId, AssetId, Basis, CancelReason, CollateralWorking, Event, MarketId, PositionWorking, State, Working,
};
use rulebooks::Step;
use rules::{Contract, LineRule};
use units::{Money, Price, Rate};

/// Before the first event of a step: where the account stood.
pub(super) fn remember(memory: &mut Memory, state: &State, event: &Event) {
    let mut first = |account: AccountId| {
        memory.headrooms.entry(account).or_insert_with(|| state.terms_at(account, Basis::Lenient).headroom());
    };
    match *event {
        Event::Began { .. } => memory.headrooms.clear(),
        // An order of the ladder that found nothing was no step.
        Event::OrderAccepted { account, .. } if state.account(account).liquidation.is_some() => {
            memory.headrooms.remove(&account);
            remember_one(memory, state, account);
        }
        Event::OrderCancelled { order, reason: CancelReason::Liquidation, .. } => {
            if let Some(order) = state.order(order) {
                first(order.account);
                first(state_parent(state, order.account));
            }
        }
        Event::TakenOver { from, .. } => first(from),
        Event::Deleveraged { failing, .. } => first(failing),
        Event::Converted { account, .. } | Event::LegsOffset { account, .. } | Event::AuctionFilled { account, .. } => {
            first(account)
        }
        _ => {}
    }
}

fn remember_one(memory: &mut Memory, state: &State, account: AccountId) {
    memory.headrooms.insert(account, state.terms_at(account, Basis::Lenient).headroom());
}

/// The subaccount that an isolated child belongs to; another account itself.
fn state_parent(state: &State, account: AccountId) -> AccountId {
    match state.account(account).kind {
        engine::AccountKind::Isolated { parent, .. } => parent,
        _ => account,
    }
}

pub(super) fn explain(mut place: Place<'_>, event: &Event, later: &[Event], work: &mut Work) {
    match *event {
        Event::LiquidationStarted { account, equity, maintenance_margin }
        | Event::MarginCalled { account, equity, maintenance_margin, .. } => {
            let working = place.state.working(account, Basis::Lenient);
            work.step(place.headroom("headroom", account, &working));
            work.equal("equity", working.terms.equity, equity, money);
            work.equal("maintenance_margin", working.terms.maintenance, maintenance_margin, money);
            if let Event::LiquidationStarted { .. } = event {
                let line = place.state.risk.line;
                let stands = |below| if below { "below its line" } else { "not below its line" }.to_owned();
                work.equal("account", line.is_below(working.terms.headroom()), true, stands);
            }
        }
        Event::LiquidationStep { account, headroom_before, headroom_after, .. } => {
            let working = place.state.working(account, Basis::Lenient);
            work.step(place.headroom("headroom_after", account, &working));
            if let Some(before) = place.memory.headrooms.get(&account) {
                let gained = headroom_after - headroom_before;
                let how = "headroom_after − headroom_before: what the step did";
                work.step(Step::new("gained", money(gained), how));
                work.equal("headroom_before", *before, headroom_before, money);
            }
            work.equal("headroom_after", working.terms.headroom(), headroom_after, money);
        }
        Event::LiquidationEnded { account, equity, .. } => {
            let working = place.state.working(account, Basis::Lenient);
            work.step(place.equity(account, &working));
            work.equal("equity", working.terms.equity, equity, money);
        }
        Event::LiquidationFee { account, market, fee, .. } => place.fee(account, market, fee, later, work),
        Event::TakenOver { from, to, market, size, value, leg } => {
            adl::handed_over(&mut place, from, market.leg(leg), (size, value), Rule::Liquidation, work);
            let how = format!("{} holds it now", place.names.of_account(to));
            work.step(Step::new("taken over", size, how));
        }
        _ => {}
    }
}

impl Place<'_> {
    fn headroom(&mut self, name: &str, account: AccountId, working: &Working) -> Step {
        let headroom = working.terms.headroom();
        let (line, state) = (self.state.risk.line, self.state);
        let rule = if line == LineRule::Below { "below zero" } else { "zero or below" };
        let stands = if line.is_below(headroom) { "below its line" } else { "not below its line" };
        let how = format!("equity − maintenance_margin; the account is {stands} ({rule})");
        let step = Step::new(name, money(headroom), how).of([self.equity(account, working), self.maintenance(working)]);
        self.by(step, Rule::Line, state.account(account).exposures.first().map(|e| e.market), None)
    }

    fn equity(&mut self, account: AccountId, working: &Working) -> Step {
        let rows = working.collateral.iter().filter(|row| !row.amount.is_zero());
        let parts: Vec<Step> = rows.map(|row| self.collateral(account, working, row)).collect();
        Step::new("equity", money(working.terms.equity), "Σ collateral").of(parts)
    }

    /// Everything that settles in an asset, netted, at index after haircuts.
    fn collateral(&mut self, account: AccountId, working: &Working, row: &CollateralWorking) -> Step {
        let (state, asset) = (self.state, row.asset);
        let name = self.names.of_asset(asset);
        let params = &state.asset(asset).params;
        let index = state.asset_price(asset);
        let plain = params.haircut == Rate::ONE && index == Price::ONE;
        let mut how = String::from("wallet + upnl");
        let mut parts = vec![Step::new("wallet", money(state.account(account).wallet(asset)), "before the event")];
        let settles = |p: &&PositionWorking| state.market(p.position.market).params.settlement == asset;
        for held in working.positions.iter().filter(settles).filter(|p| !p.size.is_zero()) {
            parts.push(self.upnl(held));
        }
        let mut more = |name: &str, term: &str, amount: Money| {
            if !amount.is_zero() {
                how.push_str(term);
                parts.push(Step::new(name, money(amount), ""));
            }
        };
        let funding = working.positions.iter().filter(settles).map(|p| p.unsettled_funding).sum::<Money>();
        more("unsettled_funding", " + unsettled funding", funding);
        more("interest_due", " − interest due", state.interest_due(account, asset));
        let held = state.account(account).exposures.iter();
        let held = held.filter(|e| state.market(e.market).params.settlement == asset);
        more("shared_loss", " − shared losses", held.map(|e| state.loss_owed(account, e)).sum());
        let how = match () {
            () if plain => how,
            () if row.amount.is_negative() => format!("({how}) × index {}: a debt counts whole", price(index)),
            () => {
                let tiers = params.haircuts().tiers.iter().filter(|t| t.above.is_positive());
                let sliced: String =
                    tiers.map(|t| format!(", {} above {}", percent(t.haircut), money(t.above))).collect();
                format!("({how}) × index {} × haircut {}{sliced}, rounded down", price(index), percent(params.haircut))
            }
        };
        let step = Step::new(format!("collateral {name}"), money(row.value), how).of(parts);
        let market = working.positions.first().map(|p| p.position.market);
        if plain { step } else { self.by(step, Rule::Collateral, market, Some(asset)) }
    }

    fn upnl(&self, held: &PositionWorking) -> Step {
        let market = self.state.market(held.position.market);
        let (at, cost, size) = (price(held.price), money(held.cost), held.size);
        let mut how = match market.params.contract {
            Contract::Linear => format!("size {size} × mark {at} − cost {cost}"),
            Contract::Inverse { .. } => format!("value of {size} at mark {at} − cost {cost}, rounded down"),
        };
        if !held.favour.is_zero() {
            how += &format!(" + {} in its favour, the price being unusable", money(held.favour));
        }
        Step::new(format!("{} upnl", self.of_position(&self.names, held)), money(held.upnl), how)
    }

    fn of_position(&self, names: &Names<'_>, held: &PositionWorking) -> String {
        let name = names.of_market(held.position.market);
        match held.position.leg {
            engine::Leg::Net => name,
            leg => format!("{name}/{}", crate::scenario::name_of_leg(leg)),
        }
    }

    fn maintenance(&mut self, working: &Working) -> Step {
        let held = working.positions.iter().filter(|p| !p.size.is_zero());
        let parts: Vec<Step> = held.map(|held| self.position_maintenance(held)).collect();
        let state = self.state;
        let converted = working
            .positions
            .iter()
            .any(|p| state.asset_price(state.market(p.position.market).params.settlement) != Price::ONE);
        let how = if converted {
            "Σ maintenance margin × index of its settlement asset, each rounded up"
        } else {
            "Σ maintenance margin"
        };
        Step::new("maintenance_margin", money(working.terms.maintenance), how).of(parts)
    }

    fn position_maintenance(&mut self, held: &PositionWorking) -> Step {
        let id = held.position.market;
        let state = self.state;
        let market = state.market(id);
        let terms = &held.maintenance;
        let name = format!("{} maintenance_margin", self.of_position(&self.names, held));
        if market.is_over() {
            return Step::new(name, money(terms.required), "nothing: the market has its settlement price");
        }
        let mut how = String::from("notional × rate, rounded up");
        let notional = match market.params.contract {
            Contract::Linear => format!("|size| {} × mark {}", held.size.abs(), price(held.price)),
            Contract::Inverse { .. } => {
                format!("value of {} at mark {}, rounded up", held.size.abs(), price(held.price))
            }
        };
        let place = super::ladders::place(&market.params.ladder, held.size, terms.notional);
        let rate = Step::new("rate", percent(terms.rate), place);
        let mut parts = vec![
            Step::new("notional", money(terms.notional), notional),
            self.by(rate, Rule::Market, Some(id), None),
            Step::new("charge", money(terms.charge), "notional × rate, rounded up"),
        ];
        if !terms.deduction.is_zero() {
            how = "charge − deduction".to_owned();
            parts.push(Step::new("deduction", money(terms.deduction), "joins the tier to the one below it"));
        }
        if !terms.closing_fee.is_zero() {
            how = if terms.deduction.is_zero() { "charge".to_owned() } else { how } + " + fee to close";
            let rate = format!("notional × {}, rounded up", percent(market.params.closing_fee));
            let fee = Step::new("fee to close", money(terms.closing_fee), rate);
            parts.push(self.by(fee, Rule::ClosingFee, Some(id), None));
        }
        Step::new(name, money(terms.required), how).of(parts)
    }

    /// The ladder's fee. The contracts stand in the step that follows it.
    fn fee(&mut self, account: AccountId, market: MarketId, fee: Money, later: &[Event], work: &mut Work) {
        let size = later.iter().find_map(|event| match *event {
            Event::LiquidationStep { account: whose, market: there, size, .. }
                if (whose, there) == (account, market) =>
            {
                Some(size)
            }
            _ => None,
        });
        let Some(size) = size else { return };
        let (terms, left) = self.state.liquidation_fee(account, market, size);
        let mark = price(self.state.market(market).mark);
        let charged = Step::new("charge", money(terms.fee), "notional × rate, rounded up").of([
            Step::new("notional", money(terms.notional), format!("|size| {} at mark {mark}", size.abs())),
            Step::new("rate", percent(terms.rate), "of the market's ladder"),
        ]);
        let left_step = Step::new("equity left", money(left), "in the settlement asset, not below zero, rounded down");
        let step = Step::new("fee", money(terms.fee.min(left)), "the smaller of charge and equity left")
            .of([charged, left_step]);
        let step = self.by(step, Rule::Liquidation, Some(market), None);
        work.step(step);
        work.equal("fee", terms.fee.min(left), fee, money);
    }

    /// The step with its clause. Without a market of the account it is that of the first market.
    pub(super) fn by(&mut self, step: Step, rule: Rule, market: Option<MarketId>, asset: Option<AssetId>) -> Step {
        let row = match market {
            Some(market) => Some(self.state.market(market)),
            None => self.state.markets.first(),
        };
        let asset = asset.map(|asset| self.names.of_asset(asset));
        match row.and_then(|row| self.clauses.of(rule, row, asset.as_deref())) {
            Some(clause) => step.by(clause),
            None => step,
        }
    }
}
