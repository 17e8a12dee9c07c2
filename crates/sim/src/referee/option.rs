//! Options on paper: margins in whole numbers, the model's price by other mathematics than the engine's (the standard library's
//! powers and logarithms, a normal distribution of its own), the accrual of what a holder pays.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use super::model::Place;
use super::num::{Dir, RATE, at_rate, mul_div};
use engine::params::Kind;
use engine::{AccountId, Cause, Command, Event, IndexId, MarketId, MarketStatus, OrderId, Protection, Side};

/// What an option pays and needs.
#[derive(Clone, Debug)]
pub struct Terms {
    call: bool,
    strike: i128,
    pub volatility: IndexId,
    exit: Option<i128>,
    period_ns: i64,
    interest: i128,
    /// The last price of its index that a quorum agreed on.
    pub spot: i128,
    initial: i128,
    least: i128,
    put_cap: Option<i128>,
    maintenance: Maintenance,
    long: i128,
    long_maintenance: i128,
}

/// What a short needs to stay.
#[derive(Clone, Copy, Debug)]
enum Maintenance {
    /// A share of initial.
    Share(i128),
    /// A share of the index; of a put also of its mark, and the multiple of that which initial has at least.
    Spot { spot: i128, put_mark: i128, put_initial: i128 },
}

/// The accrual of a perpetual option, and the end of any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carry {
    time_value: i128,
    since: i64,
    sum: i128,
    exit_open: bool,
    /// The index at its end, and what a contract pays.
    pub ended: Option<(i128, i128)>,
}

impl Terms {
    /// Reads what a command carried, in its published form.
    pub fn read(p: &engine::params::OptionTerms) -> Self {
        let published = serde_json::to_value(p).unwrap_or_default();
        let rate = |at: &str| {
            let text = published.pointer(at).and_then(serde_json::Value::as_str);
            text.and_then(|text| text.parse::<units::Rate>().ok()).map(|rate| i128::from(rate.units()))
        };
        let known = |at: &str| rate(at).unwrap_or_else(|| panic!("referee: an option has {at}: {published}"));
        let short = |field: &str| format!("/margin/short/{field}");
        let maintenance = match rate(&short("maintenance/of_initial")) {
            Some(share) => Maintenance::Share(share),
            None => Maintenance::Spot {
                spot: known(&short("maintenance/shares/spot")),
                put_mark: known(&short("maintenance/shares/put_mark")),
                put_initial: known(&short("maintenance/shares/put_initial")),
            },
        };
        Self {
            call: published["right"] == "call",
            strike: i128::from(p.strike.units()),
            volatility: p.volatility,
            exit: rate("/exit"),
            period_ns: p.period_ns,
            interest: known("/interest"),
            spot: 0,
            initial: known(&short("initial")),
            least: known(&short("initial_least")),
            put_cap: rate(&short("put_cap")),
            maintenance,
            long: known("/margin/long"),
            long_maintenance: known("/margin/long_maintenance"),
        }
    }

    pub fn payoff(&self, index: i128) -> i128 {
        if self.call { (index - self.strike).max(0) } else { (self.strike - index).max(0) }
    }

    /// Initial and maintenance margin of a position marked at `mark`.
    pub fn margins(&self, mark: i128, size: i128, closing_fee: i128) -> (i128, i128) {
        let contracts = size.abs();
        let (worth, of_spot) = (mark * contracts, self.spot * contracts);
        let share = |rate: i128| at_rate(of_spot, rate, Dir::Up);
        let (initial, maintenance) = if size > 0 {
            let initial = worth.min(share(self.long));
            (initial, at_rate(initial, self.long_maintenance, Dir::Up))
        } else {
            let away = if self.call { self.strike - self.spot } else { self.spot - self.strike }.max(0) * contracts;
            let most = match self.put_cap {
                Some(cap) if !self.call => at_rate(self.strike * contracts, cap, Dir::Up),
                _ => i128::MAX,
            };
            let initial = (share(self.initial) - away).max(share(self.least)).min(most);
            match self.maintenance {
                Maintenance::Share(of) => (initial, at_rate(initial, of, Dir::Up)),
                Maintenance::Spot { spot, .. } if self.call => (initial, share(spot)),
                Maintenance::Spot { spot, put_mark, put_initial } => {
                    let stays = share(spot).max(at_rate(worth, put_mark, Dir::Up)).min(most);
                    (initial.max(at_rate(worth + stays, put_initial, Dir::Up) - worth), stays)
                }
            }
        };
        let fee = at_rate(worth, closing_fee, Dir::Up);
        (initial.max(maintenance) + fee, maintenance + fee)
    }
}

/// ½ erfc(−x ÷ √2): a series near nothing, a continued fraction far away.
fn normal(x: f64) -> f64 {
    let tail = |x: f64| {
        // Lentz would do as well; from the end is enough here.
        let fraction = (1..=200).rev().fold(0.0, |rest, n| f64::from(n) / (x + rest));
        (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() / (x + fraction)
    };
    if x > 3.0 {
        1.0 - tail(x)
    } else if x < -3.0 {
        tail(-x)
    } else {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= x * x / f64::from(2 * n + 1);
            sum += term;
        }
        0.5 + (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * sum
    }
}

/// Black's price without interest.
fn dated(call: bool, forward: f64, strike: f64, volatility: f64, years: f64) -> f64 {
    let spread = volatility * years.sqrt();
    let near = (forward / strike).ln() / spread;
    let (first, second) = (near + spread / 2.0, near - spread / 2.0);
    if call {
        forward * normal(first) - strike * normal(second)
    } else {
        strike * normal(-second) - forward * normal(-first)
    }
}

/// The everlasting option with interest, by the roots of its equation.
fn perpetual(call: bool, spot: f64, strike: f64, volatility: f64, period: f64, interest: f64) -> f64 {
    let (x, y) = (2.0 * interest / volatility.powi(2), 8.0 / (volatility.powi(2) * period));
    let root = ((1.0 + x).powi(2) + y).sqrt();
    let (up, down) = (((1.0 - x) + root) / 2.0, ((1.0 - x) - root) / 2.0);
    let later = strike / (1.0 + interest * period);
    let b = (strike - (strike - later) * up) / (up - down);
    let a = strike - later + b;
    let price =
        if spot < strike { a * (spot / strike).powf(up) } else { spot - later + b * (spot / strike).powf(down) };
    if call { price } else { price - spot + later }
}

#[expect(clippy::cast_precision_loss, reason = "a check within a tolerance")]
fn float(n: i128) -> f64 {
    n as f64
}

const YEAR_NS: f64 = 31_536_000e9;

impl Referee {
    /// Options are margined by their underlying.
    pub(super) fn underlying_moved(&mut self) {
        let agreed: Vec<i128> = self.model.indices.iter().map(|index| index.agreed).collect();
        for market in &mut self.model.markets {
            let spot = agreed.get(market.params.index.index()).copied().unwrap_or(0);
            if let Some(option) = &mut market.params.option {
                option.spot = spot;
            }
        }
    }

    /// Whether index and volatility have a quorum: what may increase, realise and trigger.
    pub(super) fn is_priced(&self, market: MarketId) -> bool {
        let option = &self.model.market(market).params.option;
        let volatility =
            option.as_ref().is_none_or(|o| self.model.indices[o.volatility.index()].usable(self.model.now));
        volatility && self.usable(market)
    }

    /// The model's price of an option with its index at `spot`, 1e-8.
    fn modelled(&self, market: MarketId, spot: i128) -> Option<f64> {
        let now = self.model.now;
        let row = self.model.market(market);
        let option = row.params.option.as_ref()?;
        let index = &self.model.indices[option.volatility.index()];
        let volatility = float(if index.usable(now) { index.price } else { index.agreed }) / 1e8;
        let (strike, forward) = (float(option.strike), float(spot));
        let Kind::Dated(expiry) = row.params.kind else {
            let (period, interest) = (float(option.period_ns.into()) / YEAR_NS, float(option.interest) / 1e9);
            return Some(perpetual(option.call, forward, strike, volatility, period, interest));
        };
        let (left, window) = ((expiry.settle_at.ns() - now).max(0), expiry.window_ns);
        let minute = 60e9;
        if left >= window {
            let years = float((left - window + window / 3).into()).max(minute) / YEAR_NS;
            return Some(dated(option.call, forward, strike, volatility, years));
        }
        let mut index = self.model.indices[row.params.index.index()].clone();
        index.count(now);
        let first = (expiry.settle_at.ns() - window) / 60_000_000_000;
        let (sum, ns) = index.minutes.range(first..).fold((0, 0), |(sum, ns), (_, row)| (sum + row.0, ns + row.1));
        let moving = spot * i128::from(left);
        let forward = float((sum + moving) / i128::from(ns + left));
        let volatility = (volatility * float(moving) / float(sum + moving)).max(0.001);
        let years = float((left / 3).into()).max(minute) / YEAR_NS;
        Some(dated(option.call, forward, strike, volatility, years))
    }

    /// A mark is the model's price, but for the last digits: the larger of 3e-8 and 1e-12 of index or strike.
    pub(super) fn option_mark(&mut self, market: MarketId, price: i128) -> Verdict {
        let spot = self.model.indices[self.model.market(market).params.index.index()].price;
        self.near(market, spot, price)
    }

    fn near(&self, market: MarketId, spot: i128, price: i128) -> Verdict {
        let Some(ours) = self.modelled(market, spot) else {
            return holds("option", false, || format!("market {market} is an option"));
        };
        let strike = self.model.market(market).params.option.as_ref().map_or(0, |o| o.strike);
        let tolerance = 3.0 + float(spot.max(strike)) * 1e-12;
        let off = (float(price) - ours.max(1.0)).abs();
        holds("option", price > 0 && off <= tolerance, || format!("mark {price} of market {market}: model {ours}"))
    }

    /// From a sample on a holder pays the mark of now less the payoff.
    pub(super) fn carry_on(&mut self, market: MarketId) {
        let now = self.model.now;
        let row = self.model.market(market);
        let Some(option) = row.params.option.as_ref().filter(|o| o.period_ns > 0 && row.mark > 0) else { return };
        let index = self.model.indices[row.params.index.index()].price;
        let time_value = row.mark - option.payoff(index);
        let carry = &mut self.model.market_mut(market).carry;
        (carry.time_value, carry.since) = (time_value, now);
    }

    pub(super) fn option_accrued(&mut self, event: &Event) -> Verdict {
        let Event::OptionFundingAccrued { market, time_value, ns, sum, cumulative } = *event else { return Ok(()) };
        self.everyone = true;
        let now = self.model.now;
        holds("I-25", self.is_priced(market), || format!("market {market} accrues at usable prices"))?;
        let row = self.model.market(market);
        let Carry { time_value: held, since, sum: before, .. } = row.carry;
        let open = row.status != MarketStatus::Halted && !row.over() && since > 0;
        holds("funding", open && now - since <= row.params.gap_ns, || format!("market {market} accrues from {since}"))?;
        let ours = (held, now - since, before + held * i128::from(now - since));
        let theirs = (i128::from(time_value.units()), ns, sum);
        same("funding", || format!("time value, time and sum of market {market}"), ours, theirs)?;
        let period = row.params.option.as_ref().map_or(1, |o| i128::from(o.period_ns));
        let whole = mul_div(ours.2, RATE, period, Dir::Down);
        same("funding", || format!("cumulative funding of market {market}"), whole, cumulative)?;
        let row = self.model.market_mut(market);
        row.average.accrue(row.mark, now);
        (row.carry.sum, row.funding) = (ours.2, whole);
        self.carry_on(market);
        Ok(())
    }

    pub(super) fn option_skipped(&mut self, market: MarketId, next: i64) -> Verdict {
        let now = self.model.now;
        let row = self.model.market(market);
        let gap = now - row.carry.since > row.params.gap_ns || row.status == MarketStatus::Halted;
        holds("funding", gap && row.carry.since > 0, || format!("market {market} pays nothing for this time"))?;
        same("funding", || format!("from when market {market} accrues"), now, next)?;
        self.model.market_mut(market).funding_next = next;
        self.clear_samples(market);
        self.carry_on(market);
        Ok(())
    }

    pub(super) fn option_ended(&mut self, market: MarketId, index: i128, price: i128) -> Verdict {
        let row = self.model.market(market);
        let perpetual = row.params.option.as_ref().is_some_and(|o| o.period_ns > 0);
        let payoff = row.params.option.as_ref().map(|o| o.payoff(index));
        if perpetual {
            self.near(market, index, price)?;
        } else {
            same("settlement", || format!("what the option of market {market} pays"), payoff, Some(price))?;
        }
        self.model.market_mut(market).carry.ended = Some((index, price));
        Ok(())
    }

    /// The price at which holders may leave now; none while they may not.
    fn exit_price(&self, market: MarketId) -> Option<i128> {
        let row = self.model.market(market);
        let option = row.params.option.as_ref()?;
        let share = option.exit?;
        let live = !row.over() && row.status != MarketStatus::Halted && row.mark > 0;
        if !live || !self.is_priced(market) {
            return None;
        }
        let spot = self.model.indices[row.params.index.index()].price;
        let bids = row.book.iter().filter_map(|id| self.model.orders.get(id)).filter(|o| o.side == Side::Buy);
        let bid = bids.map(|o| o.price).max().unwrap_or(0);
        let payoff = option.payoff(spot);
        let enough = bid + mul_div(spot, RATE + share, RATE, Dir::Up) - spot;
        (enough < payoff).then_some(payoff.min(row.mark)).filter(|price| *price > 0)
    }

    pub(super) fn exit_right(&mut self, market: MarketId, open: bool) -> Verdict {
        same("exit", || format!("right to leave market {market}"), self.exit_price(market).is_some(), open)?;
        let carry = &mut self.model.market_mut(market).carry;
        holds("exit", carry.exit_open != open, || format!("the right of market {market} changes"))?;
        carry.exit_open = open;
        Ok(())
    }

    pub(super) fn option_exited(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let Event::OptionExited { account, counterparty, market, size, value, rank } = *event else { return Ok(()) };
        let asked = match turn.command {
            Command::ExitOption { account: a, market: m, size } if (*a, *m) == (account, market) => {
                i128::from(size.units())
            }
            _ => 0,
        };
        let part = i128::from(size.units());
        let what = |text: &str| format!("exit of account {account} from market {market}: {text}");
        let first = self.exits.is_none();
        if first {
            let price = self.exit_price(market);
            holds("exit", self.model.market(market).carry.exit_open && price.is_some(), || what("the right is open"))?;
            let rows = self.ranking_now(market, Side::Sell);
            let held = |id: AccountId| self.model.exposure(id, self.model.held(id, market, -1)).size.abs();
            let rows = rows.iter().zip(1u32..).map(|((id, _), rank)| (*id, rank, held(*id)));
            self.exits = Some(rows.filter(|row| row.0 != account).collect());
        }
        let row = self.model.market(market);
        let spot = self.model.indices[row.params.index.index()].price;
        let price = row.params.option.as_ref().map_or(0, |o| o.payoff(spot)).min(row.mark);
        same("exit", || what("value"), price * part, value.units())?;
        let rows = self.exits.get_or_insert_default();
        let next = if rows.is_empty() { None } else { Some(rows.remove(0)) };
        let ours = next;
        holds(
            "exit",
            ours.is_some_and(|(id, place, held)| (id, place) == (counterparty, rank) && part <= held),
            || what(&format!("{counterparty} is next, rank {rank}: {ours:?}")),
        )?;
        holds("exit", part > 0 && part <= asked, || what(&format!("{part} of {asked}")))?;
        let (long, short) = (self.model.held(account, market, 1), self.model.held(counterparty, market, -1));
        holds("I-08", self.model.exposure(account, long).size >= part, || what("it closes"))?;
        self.handed(account, long, -part, -value.units(), Cause::Exit);
        self.handed(counterparty, short, part, value.units(), Cause::Exit);
        Ok(())
    }

    pub(super) fn protection(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let now = self.model.now;
        match *event {
            Event::ProtectionSet { account, index, limits } => {
                let theirs = Command::SetProtection { account, index, limits };
                holds("facts", *turn.command == theirs, || format!("protection of {account} is in the command"))?;
                match limits {
                    Some(limits) => {
                        let row = Protection { limits, ..Protection::default() };
                        self.model.protections.insert((account, index), row);
                    }
                    None => {
                        self.model.protections.remove(&(account, index));
                    }
                }
                Ok(())
            }
            Event::ProtectionCounted { account, index, since, contracts, delta, vega } => {
                let Some(row) = self.model.protections.get_mut(&(account, index)) else {
                    return holds("protection", false, || format!("account {account} has limits"));
                };
                let over = row.since.ns() == 0 || now - row.since.ns() >= row.limits.window_ns;
                if over {
                    *row = Protection { limits: row.limits, since: units::Time::from_ns(now), ..Protection::default() };
                }
                same("protection", || format!("window of {account}"), row.since, since)?;
                let filled = contracts - row.contracts;
                // A delta is at most 1 of the contracts, a vega at least nothing of them.
                let moved = (delta - row.delta).abs() <= filled && filled > 0;
                holds("protection", moved, || format!("{filled} contracts of {account} move its delta to {delta}"))?;
                *row = Protection { contracts, delta, vega, ..*row };
                Ok(())
            }
            Event::ProtectionReached { account, index, until } => {
                let Some(row) = self.model.protections.get_mut(&(account, index)) else {
                    return holds("protection", false, || format!("account {account} has limits"));
                };
                let l = row.limits;
                let size =
                    |limit: units::Size, sum: i128| limit.is_positive() && sum.abs() >= i128::from(limit.units());
                let vega = l.vega.is_positive() && row.vega.abs() >= l.vega;
                let reached = size(l.contracts, row.contracts) || size(l.delta, row.delta) || vega;
                holds("protection", reached, || format!("fills of {account} have reached a limit: {row:?}"))?;
                let ours = if l.freeze_ns == 0 { i64::MAX } else { now + l.freeze_ns };
                same("protection", || format!("until when {account} waits"), ours, until.ns())?;
                *row = Protection { limits: l, until: Some(until), ..Protection::default() };
                let of_index = |market: MarketId| {
                    let row = self.model.market(market);
                    row.params.option.is_some() && row.params.index == index && row.status != MarketStatus::Halted
                };
                let orders = self
                    .model
                    .orders
                    .iter()
                    .filter(|(_, o)| o.account == account && o.place != Place::Working && of_index(o.market));
                self.protected = orders.map(|(id, _)| *id).collect();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An order ends for its owner's protection exactly when it is due; a fill comes only when none is.
    pub(super) fn protected(&mut self, order: Option<OrderId>) -> Verdict {
        match order {
            Some(order) => {
                let due = self.protected.iter().position(|id| *id == order);
                holds("protection", due.is_some(), || format!("{order:?} is one of those that go"))?;
                due.map(|at| self.protected.swap_remove(at));
                Ok(())
            }
            None => holds("protection", self.protected.is_empty(), || format!("{:?} are cancelled", self.protected)),
        }
    }

    /// Nothing new of an account rests in the options of an underlying while it is protected.
    pub(super) fn not_protected(&self, account: AccountId, market: MarketId) -> Verdict {
        let params = &self.model.market(market).params;
        let row = self.model.protections.get(&(account, params.index)).filter(|_| params.option.is_some());
        let waits = row.and_then(|row| row.until).is_some_and(|until| self.model.now < until.ns());
        holds("protection", !waits, || format!("account {account} opens in market {market} while it waits"))
    }
}
