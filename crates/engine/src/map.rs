//! The liquidation map: how much would come below its line at each price, were one mark to move or all of them at once.
//!
//! The triggers of [`crate::watch`] say in which order accounts have to be asked: who has none between here and there is not
//! looked at. Whoever has one is evaluated there, with the formula that decides, and armed there, which says where to ask
//! again. It changes nothing, and knows nothing of what closing would do to a price.

use crate::watch::Scratch;
use crate::{
    Account, AccountId, AssetId, Average, Book, Engine, Market, MarketId, Reject, Side, State, Wallet, bounds, limits,
};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::Serialize;
use units::{Money, Price, Rate, Round, Size};

/// Which prices move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// One mark; every other price stays, that of collateral on the same index included.
    Mark(MarketId),
    /// All marks by the same share, and the price of each asset whose index is that of a market; prices of other assets stay.
    All,
}

/// Prices that move out from those of now, in steps of equal width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shock {
    moved: Moved,
    step: Rate,
    down: u16,
    up: u16,
}

impl Shock {
    /// `down` steps below the prices of now and `up` above, each of a share `step` of the price of now. `None` when there are more
    /// than [`limits::MAP_STEPS_MAX`] on a side, `step` is not positive, or the last price would not be between zero and eleven
    /// times that of now.
    #[must_use]
    pub fn new(moved: Moved, step: Rate, down: u16, up: u16) -> Option<Self> {
        let share = |steps: u16| step.units().checked_mul(i64::from(steps));
        let good = step.is_positive()
            && down.max(up) <= limits::MAP_STEPS_MAX
            && share(down)? < Rate::ONE.units()
            && share(up)? <= 10 * Rate::ONE.units();
        good.then_some(Self { moved, step, down, up })
    }

    fn moves(&self, market: MarketId) -> bool {
        matches!(self.moved, Moved::All) || self.moved == Moved::Mark(market)
    }
}

/// What would come below its line at each step: of subaccounts that hold something in a market whose mark moves, each at the
/// first step on each side at which it is. Whether its positions could be closed then is not asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiquidationMap {
    /// Which prices move.
    pub moved: Moved,
    /// Width of a step, share of the price of now.
    pub step: Rate,
    /// Steps below; fewer than were asked for where numbers would not fit.
    pub down: u16,
    /// Steps above.
    pub up: u16,
    /// Steps at which someone comes below the line, the lowest price first.
    pub steps: Vec<MapStep>,
    /// Subaccounts there are.
    pub accounts: u64,
    /// Those that have a trigger on the way, changed since the last look, or are looked at each time.
    pub candidates: u64,
    /// How often the terms of one were computed.
    pub evaluated: u64,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MapStep {
    /// Its number: − below, + above; 0: below the line as prices are.
    pub number: i32,
    /// How far prices have moved then, share of those of now.
    pub moved: Rate,
    /// Who, in the order of handles.
    pub accounts: Vec<AccountId>,
    /// What they hold in markets that move, by market and side.
    pub rows: Vec<MapRow>,
}

/// Positions of one market and side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MapRow {
    /// Where.
    pub market: MarketId,
    /// `Buy` for longs, `Sell` for shorts.
    pub side: Side,
    /// Contracts, 1e-8, without sign.
    pub contracts: i128,
    /// What they are worth at the mark of now, numeraire; each position rounded up.
    pub notional: Money,
}

impl Engine {
    /// The map of a shock for the subaccounts that `of` names.
    ///
    /// # Errors
    /// When the market does not exist.
    pub fn liquidation_map(&self, shock: &Shock, of: &dyn Fn(AccountId) -> bool) -> Result<LiquidationMap, Reject> {
        let state = self.state();
        if let Moved::Mark(market) = shock.moved {
            state.find_market(market)?;
        }
        Ok(Draft::default().drawn(state, shock, of))
    }
}

/// The prices of a shock to one side: step 0 is now.
pub(crate) struct Path {
    markets: BTreeMap<MarketId, Vec<Price>>,
    assets: BTreeMap<AssetId, Vec<Price>>,
    /// The indices of options.
    underlyings: BTreeMap<MarketId, Vec<Price>>,
    last: usize,
}

impl Path {
    fn new(state: &State, shock: &Shock, steps: u16, sign: i64) -> Self {
        let ids = (0..state.markets.len()).map(MarketId::at);
        let markets = ids.filter(|id| shock.moves(*id) && !state.market(*id).is_over());
        let mut path = Self {
            markets: markets.map(|id| (id, Vec::new())).collect(),
            assets: BTreeMap::new(),
            underlyings: BTreeMap::new(),
            last: usize::from(steps),
        };
        if shock.moved == Moved::All {
            let options = path.markets.keys().filter(|id| state.market(**id).params.option.is_some());
            path.underlyings = options.map(|id| (*id, Vec::new())).collect();
            let of_market = |index| path.markets.keys().any(|id| state.market(*id).params.index == index);
            let assets = (0..state.assets.len()).map(AssetId::at);
            let moving = assets.filter(|id| state.asset(*id).params.index.is_some_and(of_market));
            path.assets = moving.map(|id| (id, Vec::new())).collect();
        }
        for step in 0..=i64::from(steps) {
            if path.push(state, sign * step * shock.step.units()).is_none() {
                path.last = usize::try_from(step - 1).unwrap_or(0);
                break;
            }
        }
        path
    }

    /// One step more, by a share of 1e-9; `None` where numbers of accounts might not fit.
    fn push(&mut self, state: &State, share: i64) -> Option<()> {
        let rate = Rate::new(share)?;
        for (id, prices) in &mut self.assets {
            let price = state.asset_price(*id).scale(rate, Round::Down)?;
            prices.push(Some(price).filter(|p| share == 0 || state.asset_fits(*id, *p))?);
        }
        for (id, prices) in &mut self.markets {
            let market = state.market(*id);
            let price = match self.underlyings.get_mut(id) {
                // An option's mark is what the model makes of the moved index.
                Some(underlyings) => {
                    let spot = state.underlying(market).scale(rate, Round::Down)?;
                    underlyings.push(spot);
                    state.option_mark_at(market, spot).unwrap_or(state.valuation(market))
                }
                None => state.valuation(market).scale(rate, Round::Down)?,
            };
            prices.push(price);
        }
        // What settles in an asset whose price moves is worth another amount of the numeraire, too.
        let fits = |(id, market): (MarketId, &Market)| {
            let settlement = market.params.settlement;
            let price = self.markets.get(&id).and_then(|prices| prices.last().copied());
            let index = self.assets.get(&settlement).and_then(|prices| prices.last().copied());
            let price = price.unwrap_or(state.valuation(market));
            let fits = |index| bounds::market_total_fits(market, Size::ZERO, price, index);
            market.open_interest == 0 || (price.is_positive() && fits(index.unwrap_or(state.asset_price(settlement))))
        };
        let ids = (0..state.markets.len()).map(MarketId::at);
        (share == 0 || ids.zip(&state.markets).all(fits)).then_some(())
    }

    /// The number of the last step.
    pub fn last(&self) -> usize {
        self.last
    }

    /// The price of a market at a step.
    pub fn market(&self, state: &State, id: MarketId, step: usize) -> Price {
        let moved = self.markets.get(&id).and_then(|prices| prices.get(step));
        moved.copied().unwrap_or_else(|| state.valuation(state.market(id)))
    }

    /// The price of an option's underlying at a step.
    pub fn underlying(&self, state: &State, id: MarketId, step: usize) -> Price {
        let moved = self.underlyings.get(&id).and_then(|prices| prices.get(step));
        moved.copied().unwrap_or_else(|| state.underlying(state.market(id)))
    }

    /// The price of an asset at a step.
    pub fn asset(&self, state: &State, id: AssetId, step: usize) -> Price {
        let moved = self.assets.get(&id).and_then(|prices| prices.get(step));
        moved.copied().unwrap_or_else(|| state.asset_price(id))
    }
}

/// The venue at a step of a path, with one subaccount.
struct Stage<'a> {
    state: &'a State,
    venue: State,
}

impl<'a> Stage<'a> {
    const ONE: AccountId = AccountId(0);

    /// Call levels are nobody's business here.
    fn new(state: &'a State) -> Self {
        let venue = State {
            now: state.now,
            risk: crate::params::RiskParams { calls: [Rate::ZERO; limits::CALL_LEVELS_MAX], ..state.risk },
            assets: state.assets.clone(),
            indices: state.indices.clone(),
            markets: state.markets.iter().map(without_orders).collect(),
            ..State::default()
        };
        Self { state, venue }
    }

    fn go_to(&mut self, path: &Path, step: usize) {
        for id in path.markets.keys() {
            let price = path.market(self.state, *id, step);
            let row = self.venue.market_mut(*id);
            (row.mark, row.last_usable) = (price, price);
        }
        for id in path.assets.keys() {
            let price = path.asset(self.state, *id, step);
            let Some(index) = self.state.asset(*id).params.index else { continue };
            let usable = self.state.index(index).is_usable(self.state.now);
            let row = self.venue.index_mut(index);
            // The price that counts, so that whether there is a quorum stays as it is.
            *(if usable { &mut row.price } else { &mut row.last_usable }) = price;
        }
        for id in path.underlyings.keys() {
            let price = path.underlying(self.state, *id, step);
            let index = self.state.market(*id).params.index;
            let usable = self.state.index(index).is_usable(self.state.now);
            let row = self.venue.index_mut(index);
            *(if usable { &mut row.price } else { &mut row.last_usable }) = price;
        }
    }

    /// Brings one subaccount on. What it owes whatever the prices are is taken from its wallets at once.
    fn bring(&mut self, id: AccountId) {
        let state = self.state;
        let mut account = state.account(id).clone();
        account.call = 0;
        for wallet in account.wallets.iter_mut().filter(|w| w.amount.is_negative()) {
            wallet.amount -= state.interest_due(id, wallet.asset);
        }
        let owed = state.account(id).exposures.iter().map(|e| (e, state.loss_owed(id, e)));
        for (e, owed) in owed.filter(|(_, owed)| !owed.is_zero()) {
            pay(&mut account, state.market(e.market).params.settlement, owed);
        }
        self.venue.accounts.clear();
        self.venue.accounts.push(account);
    }
}

fn pay(account: &mut Account, asset: AssetId, amount: Money) {
    match account.wallets.iter_mut().find(|w| w.asset == asset) {
        Some(wallet) => wallet.amount -= amount,
        None => account.wallets.push(Wallet { asset, amount: -amount }),
    }
}

/// All that equity and maintenance are made of.
fn without_orders(market: &Market) -> Market {
    Market {
        params: market.params.clone(),
        average: Average::default(),
        basis: Vec::new(),
        book: Book::default(),
        ..*market
    }
}

/// A map while it is drawn.
#[derive(Default)]
struct Draft {
    steps: BTreeMap<i32, Vec<AccountId>>,
    candidates: Vec<AccountId>,
    evaluated: u64,
}

impl Draft {
    fn drawn(mut self, state: &State, shock: &Shock, of: &dyn Fn(AccountId) -> bool) -> LiquidationMap {
        let mut stage = Stage::new(state);
        let mut scratch = Scratch::new(&stage.venue);
        let down = self.side(&mut stage, &mut scratch, shock, -1, of);
        let up = self.side(&mut stage, &mut scratch, shock, 1, of);
        self.candidates.sort_unstable();
        self.candidates.dedup();
        let step = |(number, accounts)| step(state, shock, number, accounts);
        LiquidationMap {
            moved: shock.moved,
            step: shock.step,
            down,
            up,
            steps: self.steps.into_iter().map(step).collect(),
            accounts: count(state.accounts.len()),
            candidates: count(self.candidates.len()),
            evaluated: self.evaluated,
        }
    }

    /// Goes out to one side; the number of steps that fit.
    fn side(
        &mut self,
        stage: &mut Stage<'_>,
        scratch: &mut Scratch,
        shock: &Shock,
        sign: i32,
        of: &dyn Fn(AccountId) -> bool,
    ) -> u16 {
        let (state, steps) = (stage.state, if sign < 0 { shock.down } else { shock.up });
        let path = Path::new(state, shock, steps, i64::from(sign));
        let mut due: Vec<Vec<AccountId>> = alloc::vec![Vec::new(); path.last() + 1];
        let starts = state.watch.starts(state, &path).into_iter();
        let holds =
            |id: AccountId| state.account(id).exposures.iter().any(|e| shock.moves(e.market) && !e.size.is_zero());
        for (id, first) in starts.filter(|(id, _)| of(*id) && holds(*id)) {
            self.candidates.push(id);
            due.get_mut(first).into_iter().for_each(|list| list.push(id));
        }
        for step in 0..=path.last() {
            stage.go_to(&path, step);
            for id in due.get_mut(step).map(core::mem::take).unwrap_or_default() {
                stage.bring(id);
                self.evaluated += 1;
                let terms = stage.venue.lenient(Stage::ONE);
                if state.risk.line.is_below(terms.headroom()) {
                    let number = sign * i32::try_from(step).unwrap_or(i32::MAX);
                    self.steps.entry(number).or_default().push(id);
                } else if let Some(next) = scratch.next(&stage.venue, &terms, &path, step) {
                    due.get_mut(next).into_iter().for_each(|list| list.push(id));
                }
            }
        }
        u16::try_from(path.last()).unwrap_or(u16::MAX)
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

fn step(state: &State, shock: &Shock, number: i32, mut accounts: Vec<AccountId>) -> MapStep {
    accounts.sort_unstable();
    accounts.dedup();
    let mut rows: BTreeMap<(MarketId, bool), (i128, Money)> = BTreeMap::new();
    for id in &accounts {
        let held = state.account(*id).exposures.iter().filter(|e| !e.size.is_zero() && shock.moves(e.market));
        for e in held {
            let market = state.market(e.market);
            let notional = market.contract().notional(state.valuation(market), e.size).unwrap_or(Money::ZERO);
            let row = rows.entry((e.market, e.size.is_negative())).or_default();
            row.0 += i128::from(e.size.abs().units());
            row.1 += state.debt(market.params.settlement, notional);
        }
    }
    let row = |((market, short), (contracts, notional))| {
        let side = if short { Side::Sell } else { Side::Buy };
        MapRow { market, side, contracts, notional }
    };
    let rows = rows.into_iter().map(row).collect();
    let moved = Rate::new(i64::from(number) * shock.step.units()).unwrap_or(Rate::ZERO);
    MapStep { number, moved, accounts, rows }
}
