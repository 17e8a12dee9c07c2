//! Auctions of positions: when one begins and ends, what a bid pays, how much it gets, and who may bid. The price is searched
//! for: the farthest one at which the position still brings what a take-over would pay.

use super::Referee;
use super::facts::Turn;
use super::ladder::Before;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::model::{Auction, Kind};
use super::num::{COIN, Dir, at_rate, div, mul_div};
use super::value;
use engine::params::LiquidationPolicy;
use engine::{AccountId, AuctionEnd, Bid, Cause, Command, Event, MarketStatus, PositionId, Reject, Side, State};
use num_bigint::BigInt;

impl Referee {
    pub(super) fn auction(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match *event {
            Event::AuctionStarted { account, market, size, start, worst, discount, since, until, leg } => {
                let theirs = (i128::from(start.units()), i128::from(worst.units()));
                let row = Auction {
                    position: market.leg(leg),
                    since: since.ns(),
                    until: until.ns(),
                    discount: i128::from(discount.units()),
                    over: false,
                };
                self.auction_started(account, row, i128::from(size.units()), theirs)
            }
            Event::AuctionFilled { .. } => self.auction_filled(turn, event),
            Event::AuctionEnded { account, market, reason, leg } => {
                self.auction_ended(account, market.leg(leg), reason)
            }
            _ => Ok(()),
        }
    }

    /// The auction of an account that is not over.
    pub(super) fn open_auction(&self, account: AccountId) -> Option<Auction> {
        self.model.auctions.get(&account).into_iter().flatten().find(|row| !row.over).copied()
    }

    fn auction_of(&self, account: AccountId, position: PositionId) -> Option<Auction> {
        self.model.auctions.get(&account).into_iter().flatten().find(|row| row.position == position).copied()
    }

    fn is_auctioned(&self, position: PositionId) -> Option<(i64, i128)> {
        match self.model.market(position.market).params.policy {
            LiquidationPolicy::DutchAuction { duration_ns, discount } => {
                Some((duration_ns, i128::from(discount.units())))
            }
            _ => None,
        }
    }

    /// Whether stage two has nothing more to do with a position: its auction is over, or the book is empty.
    pub(super) fn was_tried(&self, account: AccountId, position: PositionId) -> bool {
        if !self.can_close(position.market) {
            return true;
        }
        let Some((duration, discount)) = self.is_auctioned(position) else {
            return self.offer(account, position).is_none();
        };
        let now = self.model.now;
        let fresh = Auction { position, since: now, until: now.saturating_add(duration), discount, over: false };
        let priced = |row: &Auction| {
            self.auction_price(account, row, row.since).is_some()
                && self.auction_price(account, row, row.until).is_some()
        };
        self.auction_of(account, position).map_or_else(|| !priced(&fresh), |row| row.over)
    }

    /// The price of an auction at a moment: the mark moved by the elapsed share of the farthest way that it may go.
    fn auction_price(&self, account: AccountId, row: &Auction, at: i64) -> Option<i128> {
        let market = self.model.market(row.position.market);
        let (p, mark) = (&market.params, market.mark);
        let (size, paid) = self.handover_now(account, row.position);
        if size == 0 || mark <= 0 {
            return None;
        }
        let worse = -size.signum();
        // What all contracts bring at a price is at least what a take-over pays, compared without a division.
        let brings = |price: i128| match p.face {
            None => price * size >= paid,
            Some(face) => BigInt::from(-size * face) * COIN >= BigInt::from(paid) * price,
        };
        let (mut near, mut far) = (0, at_rate(mark, row.discount.min(p.band), Dir::Down) + 1);
        if paid >= value::value(p, mark, size, Dir::Down) {
            far = 1;
        }
        while far - near > 1 {
            let middle = (near + far) / 2;
            if brings(mark + worse * middle) { near = middle } else { far = middle }
        }
        let (elapsed, duration) = (at.min(row.until) - row.since, row.until - row.since);
        let price = mark + worse * mul_div(near, i128::from(elapsed), i128::from(duration), Dir::Down);
        let toward = if size > 0 { Dir::Up } else { Dir::Down };
        let price = div(price, p.tick, toward) * p.tick;
        (price > 0 && price <= i128::from(i64::MAX)).then_some(price)
    }

    fn auction_started(&mut self, account: AccountId, row: Auction, size: i128, theirs: (i128, i128)) -> Verdict {
        let position = row.position;
        let what = |text: &str| format!("auction of account {account} in {position:?}: {text}");
        let figures = self.figures(account, Lens::Lenient);
        let book = !self.takes_over(&figures) && self.can_close(position.market);
        holds("auction", book && self.model.account(account).liquidating.is_some(), || what("stage two is due"))?;
        let Some((duration, discount)) = self.is_auctioned(position) else {
            return holds("auction", false, || what("it is the market's policy"));
        };
        let now = self.model.now;
        let ours = (now, now.saturating_add(duration), discount);
        same("auction", || what("terms"), ours, (row.since, row.until, row.discount))?;
        let first = self.open_auction(account).is_none() && self.auction_of(account, position).is_none();
        holds("auction", first, || what("once in a liquidation, one at a time"))?;
        let held = self.model.exposure(account, position).size;
        same("auction", || what("size"), held, size)?;
        holds("auction", held != 0, || what("a position is open"))?;
        let price = |at| self.auction_price(account, &row, at);
        same("auction", || what("first price"), price(row.since), Some(theirs.0))?;
        same("auction", || what("last price"), price(row.until), Some(theirs.1))?;
        self.largest_first(account, position)?;
        self.model.auctions.entry(account).or_default().push(row);
        Ok(())
    }

    /// Positions with more maintenance margin had their turn; ties by position.
    fn largest_first(&self, account: AccountId, position: PositionId) -> Verdict {
        let need = |p: PositionId| {
            let m = self.model.market(p.market);
            let size = self.model.exposure(account, p).size;
            self.debt(m.params.settlement, value::maintenance(&m.params, self.model.valuation(m), size))
        };
        let own = need(position);
        let open = self.model.account(account).exposures.iter().filter(|(_, e)| e.size != 0).map(|(p, _)| *p);
        for other in open.filter(|p| *p != position) {
            let before = need(other) > own || (need(other) == own && other < position);
            holds("auction", !before || self.was_tried(account, other), || {
                format!("{other:?} of account {account} has its turn before {position:?}")
            })?;
        }
        Ok(())
    }

    fn auction_filled(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let &Event::AuctionFilled { account, bidder, market, size, price, value: paid, leg } = event else {
            return Ok(());
        };
        let &Command::BidAuction(bid) = turn.command else {
            return holds("auction", false, || format!("{event:?} was bid for"));
        };
        same(
            "auction",
            || "what was bid for".into(),
            (bid.bidder, bid.account, bid.market, bid.leg),
            (bidder, account, market, leg),
        )?;
        let (part, price, paid) = (i128::from(size.units()), i128::from(price.units()), paid.units());
        self.takes_bids(account, &bid)?;
        self.bid_price(&bid, price, part)?;
        let row = self.model.market(market);
        same("auction", || "value of a bid".into(), value::value(&row.params, price, part, Dir::Zero), paid)?;
        self.bid_size(&bid, part, paid)?;
        self.may_bid(&bid, part)?;
        self.ladder.forget_rankings();
        let sizes = self.model.account(account).exposures.iter().map(|(p, e)| (*p, e.size)).collect();
        let headroom = self.figures(account, Lens::Lenient).headroom();
        self.ladder.open.insert(account, Before { headroom, sizes, ..Before::default() });
        self.ladder.bid = Some(account);
        let into = self.model.held(bidder, market, part);
        let (before, equity) = (self.model.exposure(bidder, into).size, self.figures(bidder, Lens::Lenient).equity);
        self.handed(bidder, into, part, paid, Cause::Trade);
        self.handed(account, market.leg(leg), -part, -paid, Cause::Liquidation);
        let closes = before.signum() * part.signum() < 0 && part.abs() <= before.abs();
        if !closes {
            self.adds_risk.insert(bidder);
            let figures = self.figures(bidder, Lens::Worse);
            return holds("auction", figures.equity >= figures.initial, || {
                format!("bidder {bidder} with {} covers initial margin {}", figures.equity, figures.initial)
            });
        }
        self.covered_by(bidder, equity, true, false)
    }

    /// The auction is open, and the account is still to be closed by it.
    fn takes_bids(&self, account: AccountId, bid: &Bid) -> Verdict {
        let position = bid.market.leg(bid.leg);
        let row = self.auction_of(account, position);
        let open = row.is_some_and(|row| !row.over && self.model.now < row.until);
        let figures = self.figures(account, Lens::Lenient);
        let due = self.model.risk.below(figures.headroom()) && !self.takes_over(&figures);
        holds("auction", open && due && self.can_close(bid.market), || {
            format!("account {account} is auctioned in {position:?}, headroom {}", figures.headroom())
        })
    }

    fn bid_price(&self, bid: &Bid, price: i128, part: i128) -> Verdict {
        let row = self.auction_of(bid.account, bid.market.leg(bid.leg));
        let ours = row.and_then(|row| self.auction_price(bid.account, &row, self.model.now));
        same("auction", || format!("price of {bid:?}"), ours, Some(price))?;
        let limit = i128::from(bid.limit.units());
        holds("auction", (limit - price) * part.signum() >= 0, || format!("price {price} is within {limit}"))
    }

    /// As much as was asked, or as the target needs at this price.
    fn bid_size(&self, bid: &Bid, part: i128, paid: i128) -> Verdict {
        let position = bid.market.leg(bid.leg);
        let held = self.model.exposure(bid.account, position).size;
        let (asked, lot) = (i128::from(bid.size.units()), self.model.market(bid.market).params.lot);
        let what = |text: &str| format!("bid of {asked} gets {part} of {held}: {text}");
        let good = part.signum() == held.signum() && part.abs() <= held.abs() && part.abs() <= asked;
        holds("auction", good && asked > 0 && asked % lot == 0, || what("within both"))?;
        let whole = part.abs() == held.abs() || part.abs() == asked;
        let enough = |part: i128, paid: i128| self.restored_by(bid.account, position, -part, -paid);
        holds("auction", whole || enough(part, paid), || what("all, or back at the target"))?;
        let less = part.abs() - if part % lot == 0 { lot } else { part.abs() % lot };
        if less == 0 {
            return Ok(());
        }
        // The price of the part that would have been enough is the same.
        let params = &self.model.market(bid.market).params;
        let price = self.auction_of(bid.account, position);
        let price = price.and_then(|row| self.auction_price(bid.account, &row, self.model.now)).unwrap_or(0);
        let less = less * part.signum();
        let over = enough(less, value::value(params, price, less, Dir::Zero));
        holds("auction", !over, || what(&format!("{less} would have been enough")))
    }

    /// Before the trade: who the bidder is, and what it may hold.
    fn may_bid(&self, bid: &Bid, part: i128) -> Verdict {
        let (bidder, market) = (bid.bidder, bid.market);
        let what = |text: &str| format!("bidder {bidder} in market {market}: {text}");
        let row = self.model.account(bidder);
        holds("auction", row.kind == Kind::Trading && row.liquidating.is_none(), || what("trades, not liquidated"))?;
        holds("auction", !self.related(bidder, bid.account), || what("is not the account itself, nor related"))?;
        let isolated = row.exposures.iter().any(|(p, e)| p.market == market && e.isolated);
        holds("auction", !isolated, || what("is in cross margin there"))?;
        self.active(bidder)?;
        self.settles_in(bidder, market)?;
        let into = self.model.held(bidder, market, part);
        let before = row.exposures.get(&into).map_or(0, |e| e.size);
        let side = if part > 0 { Side::Buy } else { Side::Sell };
        let m = self.model.market(market);
        let asked = i128::from(bid.size.units());
        let closes = before.signum() * part.signum() < 0 && asked <= before.abs();
        let taken = m.status == MarketStatus::Open || (m.status == MarketStatus::ReduceOnly && closes);
        holds("auction", taken, || what(&format!("market is {:?}", m.status)))?;
        if before.signum() * part.signum() < 0 && part.abs() <= before.abs() {
            return Ok(());
        }
        let resting: i128 = self.resting(bidder, into, side).iter().map(|o| o.remaining).sum();
        let after = before + part + part.signum() * resting;
        let notional = value::notional(&m.params, m.mark, after);
        let allowed = m.params.form.allows(after, notional, self.interest_worth(market, Lens::Mark));
        holds("position cap", allowed, || what(&format!("{notional} within {}", m.params.form.cap())))?;
        self.may_open(bidder, market, part)
    }

    fn auction_ended(&mut self, account: AccountId, position: PositionId, reason: AuctionEnd) -> Verdict {
        let what = |text: &str| format!("auction of account {account} in {position:?} ended, {reason:?}: {text}");
        let Some(row) = self.open_auction(account).filter(|row| row.position == position) else {
            return holds("auction", false, || what("it was open"));
        };
        let figures = self.figures(account, Lens::Lenient);
        let below = self.model.risk.below(figures.headroom());
        let left = self.model.exposure(account, position).size != 0;
        let good = match reason {
            AuctionEnd::Restored => left && !below,
            AuctionEnd::Closed => !left,
            AuctionEnd::Expired => left && below && self.model.now >= row.until,
            AuctionEnd::TakeOver => left && below && self.model.now < row.until && self.takes_over(&figures),
        };
        holds("auction", good, || what(&format!("headroom {}", figures.headroom())))?;
        let rows = self.model.auctions.get_mut(&account).into_iter().flatten();
        rows.for_each(|row| row.over = true);
        let now = self.model.now;
        if let Some(ladder) = &mut self.model.account_mut(account).liquidating {
            ladder.paused_until = now;
        }
        Ok(())
    }

    /// After a command: no auction is late, forgotten, or of a position that is gone; each bid was told as a step; after a look
    /// at everyone no account is auctioned in vain. A refusal that says there is no auction is right.
    pub(super) fn auctions_kept(&self, turn: &Turn<'_>, events: &[Event], state: &State) -> Verdict {
        holds("auction", self.ladder.bid.is_none(), || "a bid is a step of the ladder".into())?;
        let looked = events.iter().any(|e| matches!(e, Event::RiskEvaluated));
        for account in self.model.auctions.keys().copied().filter(|id| self.open_auction(*id).is_some()) {
            let Some(row) = self.open_auction(account) else { continue };
            let held = self.model.exposure(account, row.position).size != 0;
            let stands = held && self.model.account(account).liquidating.is_some() && self.model.now < row.until;
            holds("auction", stands, || format!("auction of account {account} {row:?} stands"))?;
            let figures = self.figures(account, Lens::Lenient);
            let needed = self.model.risk.below(figures.headroom()) && !self.takes_over(&figures);
            // Its own orders may have filled after the look.
            holds("auction", needed || !looked || self.touched.contains(&account), || {
                format!("auction of account {account} goes on at headroom {}", figures.headroom())
            })?;
        }
        let ours: Vec<_> = self.model.auctions.iter().map(|(id, rows)| (*id, rows.len())).collect();
        let theirs: Vec<_> = state.auctions.iter().map(|(id, rows)| (*id, rows.len())).collect();
        same("auction", || "rows by account".into(), ours, theirs)?;
        match (turn.command, turn.answer) {
            (
                Command::BidAuction(bid),
                Err(Reject::NoAuction { .. } | Reject::AuctionOver { .. } | Reject::AccountAboveLine { .. }),
            ) => holds("auction", self.takes_bids(bid.account, bid).is_err(), || format!("{bid:?} was refused")),
            _ => Ok(()),
        }
    }

    /// Until when an account pauses that is auctioned.
    pub(super) fn auction_pause(&self, account: AccountId) -> Option<i64> {
        self.open_auction(account).map(|row| row.until)
    }

    /// No order is sent for a position that is auctioned. Funds that unwind know no policy.
    pub(super) fn not_auctioned(&self, account: AccountId, position: PositionId) -> Verdict {
        let book = self.is_auctioned(position).is_none() || self.model.account(account).liquidating.is_none();
        holds("auction", book, || format!("{position:?} of account {account} is auctioned, not sent to the book"))
    }
}
