//! Money and settings that a command brings: what was listed, opened, deposited, withdrawn, moved, chosen.

use super::Referee;
use super::facts::Turn;
use super::margin::Lens;
use super::mismatch::{Mismatch, Verdict, holds, same};
use super::model::{self, Kind, Params, Risk};
use engine::{AccountId, Answer, AssetId, Command, Event, IndexId, MarginMode, MoveReason, Role, StatusReason};
use std::collections::BTreeMap;

/// An event that this command cannot have caused.
fn stray(event: &Event) -> Verdict {
    Err(Mismatch {
        sequence: 0,
        rule: "facts",
        what: "an event that the command does not ask for".into(),
        ours: "none".into(),
        theirs: format!("{event:?}"),
    })
}

impl Referee {
    pub(super) fn setting(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        // What the work that was due has let happen is judged by the rules of before.
        self.risk_covered()?;
        self.adds_risk.clear();
        match (event, turn.command) {
            (Event::AssetAdded { asset }, Command::AddAsset(p)) => {
                Self::next_handle("asset", self.model.assets.len(), asset.index())?;
                let discount = i128::from(p.conversion_discount.units());
                let mut row = model::Asset { index: p.index, discount, ..model::Asset::default() };
                row.schedule(p);
                self.model.assets.push(row);
                self.borrow_terms(*asset, p.borrow)
            }
            (Event::IndexAdded { index }, Command::AddIndex(p)) => {
                Self::next_handle("index", self.model.indices.len(), index.index())?;
                self.model.indices.push(model::Index {
                    weights: p.weights.clone(),
                    quorum: usize::from(p.rule.quorum.max(1)),
                    deviation: i128::from(p.rule.max_deviation.units()),
                    stale_ns: p.stale_ns,
                    speed: i128::from(p.speed.units()),
                    reduce_only_after_ns: p.reduce_only_after_ns,
                    last_resort: p.last_resort,
                    quotes: vec![None; p.weights.len()],
                    own: p.own.as_ref().map(super::prelaunch::Own::read),
                    redemption: p.redemption.map(|r| (usize::from(r.source), i128::from(r.band.units()))),
                    ..model::Index::default()
                });
                Ok(())
            }
            (Event::IndexParamsSet { index }, Command::SetIndexParams { params: p, .. }) => {
                self.everyone = true;
                let Some(row) = self.model.indices.get_mut(index.index()) else {
                    return holds("index", false, || "parameters of an index that is not there".into());
                };
                row.weights = p.weights.clone();
                row.quorum = usize::from(p.rule.quorum.max(1));
                row.deviation = i128::from(p.rule.max_deviation.units());
                row.stale_ns = p.stale_ns;
                row.speed = i128::from(p.speed.units());
                row.reduce_only_after_ns = p.reduce_only_after_ns;
                row.redemption = p.redemption.map(|r| (usize::from(r.source), i128::from(r.band.units())));
                row.last_resort = p.last_resort;
                Ok(())
            }
            (Event::MarketListed { market }, Command::ListMarket(p)) => {
                Self::next_handle("market", self.model.markets.len(), market.index())?;
                self.list(Params::read(p));
                self.underlying_moved();
                self.sharing_is_bounded(*market)?;
                self.rebates_are_paid(*market)
            }
            (Event::MarketParamsSet { market }, Command::SetMarketParams { market: asked, params }) => {
                same("facts", || "market of new parameters".into(), *asked, *market)?;
                self.everyone = true;
                let (now, params) = (self.model.now, Params::read(params));
                let row = self.model.market_mut(*market);
                if row.params.realise_every_ns != params.realise_every_ns {
                    row.realise_next = Self::first_realisation(now, params.realise_every_ns);
                }
                row.params = params;
                self.underlying_moved();
                self.sharing_is_bounded(*market)?;
                self.rebates_are_paid(*market)
            }
            (
                Event::AssetParamsSet { asset, haircut, conversion_discount },
                Command::SetAssetParams { asset: asked, params },
            ) => {
                let want = (*asked, params.haircut, params.conversion_discount);
                same("facts", || "new parameters of an asset".into(), want, (*asset, *haircut, *conversion_discount))?;
                self.everyone = true;
                let row = self.model.asset(*asset);
                row.schedule(params);
                row.discount = i128::from(conversion_discount.units());
                self.borrow_terms(*asset, params.borrow)
            }
            (Event::RiskParamsSet, Command::SetRiskParams(p)) => {
                self.everyone = true;
                self.model.risk = Risk::read(p);
                Ok(())
            }
            (Event::MarketStatusSet { market, status, reason }, command) => {
                let by_command =
                    matches!(command, Command::SetMarketStatus { market: m, status: s } if m == market && s == status);
                holds("facts", by_command || *reason != StatusReason::Command, || {
                    format!("status {status:?} was asked for")
                })?;
                let sound = !matches!(reason, StatusReason::Broken(_));
                holds("I-07", sound, || format!("market {market} is whole: {reason:?}"))?;
                if *reason == StatusReason::IndexUnusable {
                    let now = self.model.now;
                    let lost = |id: &IndexId| {
                        let row = &self.model.indices[id.index()];
                        !row.usable(now) && now.saturating_sub(row.usable_until) > row.reduce_only_after_ns
                    };
                    holds("I-24", self.model.market(*market).params.read_from().iter().any(lost), || {
                        format!("index of market {market} is unusable")
                    })?;
                }
                if *reason == StatusReason::Schedule {
                    self.reduce_only_is_due(*market, *status)?;
                }
                self.status_allowed(*market, *status)?;
                self.not_on_fallback(*market, *status)?;
                self.everyone = true;
                self.model.market_mut(*market).status = *status;
                Ok(())
            }
            (Event::FundingRateSet { market, rate }, Command::SetFundingRate { market: m, rate: r }) => {
                same("facts", || "funding rate given".into(), (*m, *r), (*market, *rate))?;
                self.model.market_mut(*market).given = Some(i128::from(rate.units()));
                Ok(())
            }
            _ => self.account_setting(turn, event),
        }
    }

    fn list(&mut self, params: Params) {
        let every = params.realise_every_ns;
        let now = self.model.now;
        let funding_next = now - now.rem_euclid(params.interval_ns) + params.interval_ns;
        self.model.markets.push(model::Market {
            carry: Default::default(),
            params,
            status: engine::MarketStatus::Open,
            mark: 0,
            agreed: 0,
            last: 0,
            premium_sum: 0,
            premium_count: 0,
            given: None,
            funding: 0,
            funding_next,
            realise_next: Self::first_realisation(now, every),
            residue: 0,
            clearing: 0,
            average: super::margin::Average::start(self.model.now),
            book: Vec::new(),
            expiry: None,
            closed: (0, 0, 0),
        });
    }

    fn open_account(&mut self, account: AccountId, owner: u32, kind: Kind) -> Verdict {
        Self::next_handle("account", self.model.accounts.len(), account.index())?;
        let (wallets, exposures) = (BTreeMap::new(), BTreeMap::new());
        self.model.accounts.push(model::Account {
            owner,
            kind,
            wallets,
            exposures,
            hedge: false,
            orders: BTreeMap::new(),
            liquidating: None,
            call: 0,
            status: engine::AccountStatus::Active,
            only: None,
        });
        Ok(())
    }

    fn account_setting(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match (event, turn.command) {
            (Event::BackstopCommitted { account, limit }, _) if self.ladder.backstop.is_some() => {
                self.backstop_left(*account, limit.units())
            }
            (Event::AccountOpened { account, owner }, Command::OpenAccount { owner: asked, role, .. }) => {
                same("facts", || "owner".into(), asked, owner)?;
                let kind = if *role == Role::Fund { Kind::Fund } else { Kind::Trading };
                self.open_account(*account, owner.0, kind)?;
                self.subaccounts_within(owner.0, kind)
            }
            (Event::IsolatedOpened { child, parent, market, leg }, _) => {
                let kind = Kind::Child { parent: *parent, market: *market, leg: *leg };
                let position = market.leg(*leg);
                let leverage = self.model.exposure(*parent, position).leverage;
                self.open_account(*child, self.model.account(*parent).owner, kind)?;
                self.model.exposure_mut(*child, position).leverage = leverage;
                self.model.exposure_mut(*parent, position).child = Some(*child);
                self.model.account_mut(*child).status = self.model.account(*parent).status;
                Ok(())
            }
            (
                Event::LeverageSet { account, market, leverage },
                Command::SetLeverage { account: a, market: m, leverage: l },
            ) => {
                same("facts", || "leverage".into(), (*a, *m, *l), (*account, *market, *leverage))?;
                self.not_frozen(*account)?;
                let children = self.model.children(*account, *market);
                for id in std::iter::once(*account).chain(children) {
                    let before = self.figures(id, Lens::Mark).initial;
                    for leg in self.model.legs_of_holder(id) {
                        self.model.exposure_mut(id, market.leg(leg)).leverage = i128::from(*leverage);
                    }
                    self.touch(id);
                    if self.figures(id, Lens::Mark).initial > before {
                        self.above_initial(id)?;
                    }
                }
                Ok(())
            }
            (
                Event::MarginModeSet { account, market, mode },
                Command::SetMarginMode { account: a, market: m, mode: asked },
            ) => {
                same("facts", || "margin mode".into(), (*a, *m, *asked), (*account, *market, *mode))?;
                self.not_frozen(*account)?;
                let mut ids = self.model.children(*account, *market);
                ids.push(*account);
                let flat = ids.iter().all(|id| self.flat(*id, Some(*market)));
                holds("mode", flat, || format!("account {account} is flat in market {market}"))?;
                for leg in self.model.legs(*account) {
                    self.model.exposure_mut(*account, market.leg(*leg)).isolated = *mode == MarginMode::Isolated;
                }
                self.touch(*account);
                Ok(())
            }
            (Event::PositionModeSet { account, mode }, Command::SetPositionMode { account: a, mode: asked }) => {
                same("facts", || "position mode".into(), (*a, *asked), (*account, *mode))?;
                self.not_frozen(*account)?;
                self.position_mode(*account, *mode == engine::PositionMode::Hedge)
            }
            (Event::BackstopCommitted { account, limit }, Command::CommitBackstop { account: a, limit: asked }) => {
                same("facts", || "backstop limit".into(), (*a, *asked), (*account, *limit))?;
                self.not_frozen(*account)?;
                if limit.is_zero() {
                    self.model.backstops.remove(account);
                    return Ok(());
                }
                self.model.backstops.insert(*account, limit.units());
                self.active(*account)?;
                self.outflow_kept(*account, None)
            }
            _ => stray(event),
        }
    }

    pub(super) fn first_realisation(now: i64, every: i64) -> i64 {
        if every == 0 { 0 } else { (now.div_euclid(every) + 1) * every }
    }

    /// Nothing depends on which wallets are collateral when that changes.
    pub(super) fn collateral_mode(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let (&Event::CollateralModeSet { account, only }, Command::SetCollateralMode { account: a, only: asked }) =
            (event, turn.command)
        else {
            return stray(event);
        };
        same("facts", || "collateral mode".into(), (*a, *asked), (account, only))?;
        self.not_frozen(account)?;
        let children: Vec<_> = self.model.account(account).exposures.values().filter_map(|e| e.child).collect();
        let flat = self.flat(account, None) && children.into_iter().all(|id| self.flat(id, None));
        holds("mode", flat && !self.owes(account), || format!("account {account} is flat and owes nothing"))?;
        self.model.account_mut(account).only = only;
        self.touch(account);
        Ok(())
    }

    /// No position and no order, in one market or anywhere.
    fn flat(&self, id: AccountId, market: Option<engine::MarketId>) -> bool {
        let row = self.model.account(id);
        let here = |p: &engine::PositionId| market.is_none_or(|m| m == p.market);
        row.exposures.iter().all(|(p, e)| !here(p) || e.size == 0)
            && row.orders.iter().all(|(p, orders)| !here(p) || orders.is_empty())
    }

    /// The new positions of each market have the leverage and margin mode of the old ones.
    fn position_mode(&mut self, account: AccountId, hedge: bool) -> Verdict {
        let old = self.model.legs(account);
        let rows: Vec<_> = self.model.account(account).exposures.iter().map(|(p, e)| (*p, e.clone())).collect();
        let flat = self.flat(account, None) && rows.iter().filter_map(|(_, e)| e.child).all(|id| self.flat(id, None));
        holds("mode", flat, || format!("account {account} is flat everywhere"))?;
        self.model.account_mut(account).hedge = hedge;
        for (position, e) in rows.iter().filter(|(p, _)| old.contains(&p.leg)) {
            for leg in self.model.legs(account) {
                let to = self.model.exposure_mut(account, position.market.leg(*leg));
                (to.leverage, to.isolated) = (e.leverage, e.isolated);
                if let Some(child) = to.child {
                    self.model.exposure_mut(child, position.market.leg(*leg)).leverage = e.leverage;
                }
            }
        }
        self.touch(account);
        Ok(())
    }

    pub(super) fn money(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match (event, turn.command) {
            (
                Event::Deposited { account, asset, amount, reference, wallet },
                Command::Deposit { account: a, asset: c, amount: x, reference: r },
            ) => {
                same("facts", || "deposit".into(), (a, c, x, r), (account, asset, amount, reference))?;
                holds("deposits", !self.model.delistings.contains_key(asset), || format!("asset {asset} is taken"))?;
                holds("deposits", self.model.deposits.insert((*asset, *reference)), || {
                    format!("reference {reference} is new")
                })?;
                let row = self.model.asset(*asset);
                row.vault += amount.units();
                holds("deposits", row.venue_cap == 0 || row.vault <= row.venue_cap, || {
                    format!("vault of asset {asset} within its cap")
                })?;
                self.flow(*account, *asset, amount.units());
                self.wallet_is(*account, *asset, wallet.units())
            }
            (
                Event::WithdrawalRequested { withdrawal, account, asset, amount, wallet },
                Command::RequestWithdrawal { account: a, asset: c, amount: x },
            ) => {
                same("facts", || "withdrawal".into(), (a, c, x), (account, asset, amount))?;
                same("facts", || "number of the withdrawal".into(), turn.answer, &Ok(Answer::Withdrawal(*withdrawal)))?;
                let waits = model::Withdrawal { account: *account, asset: *asset, amount: amount.units() };
                self.model.withdrawals.insert(*withdrawal, waits);
                self.flow(*account, *asset, -amount.units());
                self.wallet_is(*account, *asset, wallet.units())?;
                self.not_frozen(*account)?;
                self.outflow_kept(*account, Some(*asset))
            }
            (Event::WithdrawalConfirmed { withdrawal }, Command::ConfirmWithdrawal { withdrawal: asked }) => {
                same("facts", || "withdrawal confirmed".into(), asked, withdrawal)?;
                let waits = self.model.withdrawals.remove(withdrawal);
                holds("withdrawals", waits.is_some(), || format!("withdrawal {withdrawal} waits"))?;
                if let Some(w) = waits {
                    self.model.asset(w.asset).vault -= w.amount;
                }
                Ok(())
            }
            (
                Event::WithdrawalReturned { withdrawal, account, asset, wallet, amount },
                Command::ReturnWithdrawal { withdrawal: asked },
            ) => {
                same("facts", || "withdrawal returned".into(), asked, withdrawal)?;
                let waits = self.model.withdrawals.remove(withdrawal);
                holds("withdrawals", waits.is_some(), || format!("withdrawal {withdrawal} waits"))?;
                if let Some(w) = waits {
                    let told = (*account, *asset, amount.units());
                    same("withdrawals", || "whose, what, how much".into(), (w.account, w.asset, w.amount), told)?;
                    self.flow(w.account, w.asset, w.amount);
                }
                self.wallet_is(*account, *asset, wallet.units())
            }
            (Event::Moved { .. }, _) => self.moved(turn, event),
            _ => stray(event),
        }
    }

    fn moved(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let &Event::Moved { from, to, asset, amount, reason } = event else { return Ok(()) };
        holds("facts", !amount.is_negative(), || format!("amount {amount} moved is not negative"))?;
        match reason {
            MoveReason::Transfer => {
                let asked = match turn.command {
                    Command::Transfer { from, to, asset, amount } => Some((*from, *to, *asset, *amount)),
                    _ => None,
                };
                same("facts", || "transfer".into(), asked, Some((from, to, asset, amount)))?;
                self.flow(from, asset, -amount.units());
                self.flow(to, asset, amount.units());
                self.not_frozen(from)?;
                self.outflow_kept(from, Some(asset))
            }
            MoveReason::IsolatedMargin => {
                if matches!(self.model.account(from).kind, Kind::Child { .. }) {
                    self.not_frozen(from)?;
                }
                self.isolated_margin(turn, event)
            }
            MoveReason::IsolatedReturn => self.derived(event),
            MoveReason::AdlPrice => self.derived(event),
            MoveReason::Deficit => self.deficit_paid(event),
        }
    }

    /// Money from one subaccount to another.
    pub(super) fn shift(&mut self, from: AccountId, to: AccountId, asset: AssetId, amount: i128) {
        self.credit(from, asset, -amount);
        self.credit(to, asset, amount);
    }

    /// Money into a wallet from outside of all wallets; negative: out of it.
    pub(super) fn credit(&mut self, account: AccountId, asset: AssetId, amount: i128) {
        self.model.credit(account, asset, amount);
        self.touch(account);
    }

    pub(super) fn wallet_is(&self, account: AccountId, asset: AssetId, theirs: i128) -> Verdict {
        let ours = self.model.wallet(account, asset);
        same("wallet", || format!("wallet of account {account} in asset {asset}"), ours, theirs)
    }
}
