//! Orders and who comes first: one plain list per market, in the order in which orders came to rest, and a scan.

use super::Referee;
use super::mismatch::{Verdict, holds, same};
use super::model::{Order, Place};
use super::num::{Dir, mul_div};
use engine::{Event, MarketId, OrderId, Reduce, Side, TimeInForce};

impl Referee {
    /// The order that must trade next with one that arrives on `side`: best price, then longest in the list.
    pub(super) fn first_in_line(&self, market: MarketId, side: Side) -> Option<OrderId> {
        let mut best: Option<(OrderId, i128)> = None;
        for id in &self.model.market(market).book {
            let Some(order) = self.model.orders.get(id) else { continue };
            if order.side == side {
                continue;
            }
            let better = match (best, order.side) {
                (None, _) => true,
                (Some((_, price)), Side::Buy) => order.price > price,
                (Some((_, price)), Side::Sell) => order.price < price,
            };
            if better {
                best = Some((*id, order.price));
            }
        }
        best.map(|(id, _)| id)
    }

    /// Contracts that rest on the other side of `side`, at `bound` or better.
    pub(super) fn depth(&self, market: MarketId, side: Side, bound: i128) -> i128 {
        let book = self.model.market(market).book.iter().filter_map(|id| self.model.orders.get(id));
        let near = |o: &&Order| o.side != side && if side == Side::Buy { o.price <= bound } else { o.price >= bound };
        book.filter(near).map(|o| o.remaining).sum()
    }

    /// An order that must be open.
    pub(super) fn open(&self, id: OrderId) -> Result<Order, super::Mismatch> {
        self.model.orders.get(&id).copied().ok_or_else(|| super::Mismatch {
            sequence: 0,
            rule: "orders",
            what: format!("order {id:?}"),
            ours: "not open".into(),
            theirs: "open".into(),
        })
    }

    pub(super) fn accepted(&mut self, event: &Event, rest: &[Event]) -> Verdict {
        let &Event::OrderAccepted {
            order,
            account,
            market,
            side,
            price,
            size,
            client_id,
            force,
            reduce,
            reserved,
            leg,
        } = event
        else {
            return Ok(());
        };
        holds("hedge", self.model.legs_of_holder(account).contains(&leg), || {
            format!("leg {leg:?} of account {account}")
        })?;
        holds("orders", !self.model.orders.contains_key(&order), || format!("order {order:?} is new"))?;
        holds("orders", !self.model.market(market).over(), || format!("market {market} has not ended"))?;
        self.settles_in(account, market)?;
        let units = i128::from(size.units());
        // It comes after the order whose place it takes has ended.
        let replaces = self.deadlines.inherited.is_some();
        let taken = Order {
            account,
            market,
            leg,
            side,
            price: i128::from(price.units()),
            remaining: units,
            reduce_only: reduce != Reduce::Any,
            closes: reduce == Reduce::Close,
            client_id,
            reserved: reserved.units(),
            place: Place::Working,
            self_trade: engine::SelfTrade::default(),
            force,
            trigger: None,
            extreme: None,
            expires: self.expiry_of_new(account),
        };
        let replaced = std::mem::take(&mut self.triggered);
        self.activated = replaced.is_some();
        self.close_taken(&taken, replaced, matches!(rest.first(), Some(Event::OrderParked { .. })))?;
        if self.by_ladder(account) {
            self.ladder_order(&taken)?;
        } else if !matches!(rest.first(), Some(Event::OrderParked { .. })) {
            self.price_allowed(&taken, replaced.is_some())?;
        }
        if !self.by_ladder(account) {
            // An earlier order of the command has done its part; a later one that only reduces need not leave it covered.
            self.risk_covered()?;
            self.adds_risk.clear();
        }
        self.model.orders.insert(order, taken);
        self.model.account_mut(account).orders.entry(market.leg(leg)).or_default().push(order);
        self.touch(account);
        let parked = matches!(rest.first(), Some(Event::OrderParked { .. }));
        let position = self.model.exposure(account, market.leg(leg)).size;
        let first = self.closes_first(&taken, position);
        if !self.by_ladder(account) {
            let adds = if parked || taken.reduce_only { 0 } else { units - first };
            self.order_within_limits(&taken, adds, replaces)?;
            self.not_frozen(account)?;
            if adds > 0 {
                self.active(account)?;
            }
        }
        self.reservation(order, &taken, first, parked)?;
        if !parked && !taken.reduce_only && units > first {
            holds("I-25", self.is_priced(market), || format!("market {market} has a usable price for {order:?}"))?;
            // The margin of an isolated position's order is its parent's; the child is looked at when a fill opens.
            self.adds_risk.insert(self.model.parent(account));
        }
        Ok(())
    }

    /// The price is on the tick and inside the band round the last usable mark.
    fn price_allowed(&self, order: &Order, triggered: bool) -> Verdict {
        let row = self.model.market(order.market);
        let (p, sign) = (&row.params, order.sign());
        let edge_of = |band: i128, sign: i128| p.edge(row.agreed, sign * band);
        let usual = |band: i128| if band == 0 { p.order_band } else { band };
        let edge = edge_of(if triggered { usual(p.triggered_band) } else { p.order_band }, sign);
        // A market order stands at the edge of its own band.
        let at_edge = order.force == TimeInForce::Ioc && order.price == edge_of(usual(p.market_band), sign);
        let inside = at_edge || (order.price - edge) * sign <= 0;
        let far = p.away_band > 0 && (order.price - edge_of(p.away_band, -sign)) * sign < 0;
        holds("order band", !far || at_edge, || format!("price {} is not too far behind the mark", order.price))?;
        holds("order band", order.price > 0 && order.price % p.tick == 0 && inside, || {
            format!("price {} within {edge}", order.price)
        })
    }

    /// Contracts that a new order may close before it opens: one that rests comes after those that rest already.
    fn closes_first(&self, order: &Order, position: i128) -> i128 {
        let rests = matches!(order.force, TimeInForce::Gtc | TimeInForce::PostOnly);
        let before: i128 = self.resting(order.account, order.position(), order.side).iter().map(|o| o.remaining).sum();
        (super::isolated::closable(position, order) - if rests { before } else { 0 }).max(0)
    }

    /// The order was cut to what margin or the position allows: what was accepted is less than what was asked.
    pub(super) fn cut(&mut self, id: OrderId, asked: i128, allowed: i128) -> Verdict {
        let order = self.open(id)?;
        same("orders", || format!("size of cut {id:?}"), order.remaining, allowed)?;
        holds("orders", allowed < asked, || format!("{id:?} was cut from {asked} to {allowed}"))
    }

    pub(super) fn rested(&mut self, id: OrderId, remaining: i128) -> Verdict {
        let order = self.open(id)?;
        same("orders", || format!("open size of {id:?}"), order.remaining, remaining)?;
        if let Some(o) = self.model.orders.get_mut(&id) {
            o.place = Place::Resting;
        }
        let other = self.first_in_line(order.market, order.side).and_then(|o| self.model.orders.get(&o));
        let crosses = other.is_some_and(|o| (order.price - o.price) * order.sign() >= 0);
        holds("book", !crosses, || format!("order {id:?} rests without crossing"))?;
        self.model.market_mut(order.market).book.push(id);
        if !order.reduce_only {
            self.model.exposure_mut(order.account, order.position());
        }
        self.touched.insert(order.account);
        Ok(())
    }

    pub(super) fn parked(&mut self, id: OrderId, force: TimeInForce, trigger: engine::Trigger) -> Verdict {
        let activated = std::mem::take(&mut self.activated);
        self.open(id)?;
        if let Some(o) = self.model.orders.get_mut(&id) {
            (o.place, o.force, o.trigger) = (Place::Parked, force, Some(trigger));
        }
        self.trail_begins(id, activated)
    }

    /// A trigger was reached: the price must be on its side, and the order ends.
    pub(super) fn triggered(&mut self, id: OrderId) -> Verdict {
        let order = self.open(id)?;
        same("orders", || format!("place of triggered {id:?}"), Place::Parked, order.place)?;
        self.trigger_reached(&order)?;
        self.triggered = Some(order);
        self.expiry_goes_on(&order);
        self.end(id);
        Ok(())
    }

    /// The open size became smaller; the place in the queue stays.
    pub(super) fn reduced(&mut self, id: OrderId, remaining: i128, reserved: i128) -> Verdict {
        let order = self.open(id)?;
        holds("orders", remaining > 0 && remaining < order.remaining, || format!("{id:?} became smaller"))?;
        let kept = mul_div(order.reserved, remaining, order.remaining, Dir::Up);
        same("I-09", || format!("still set aside for {id:?}"), kept, reserved)?;
        if let Some(o) = self.model.orders.get_mut(&id) {
            o.remaining = remaining;
            o.reserved = reserved;
        }
        self.touch(order.account);
        Ok(())
    }

    pub(super) fn cancelled(&mut self, id: OrderId, remaining: i128) -> Verdict {
        let order = self.open(id)?;
        same("orders", || format!("open size of cancelled {id:?}"), order.remaining, remaining)?;
        self.end(id);
        Ok(())
    }

    /// Takes the order out of every list.
    pub(super) fn end(&mut self, id: OrderId) {
        if let Some(order) = self.model.orders.remove(&id) {
            self.model.market_mut(order.market).book.retain(|o| *o != id);
            let own = &mut self.model.account_mut(order.account).orders;
            own.entry(order.position()).or_default().retain(|o| *o != id);
            self.touched.insert(order.account);
            self.touched.insert(self.model.parent(order.account));
        }
    }
}
