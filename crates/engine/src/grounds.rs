//! Why an account was liquidated, said so that it can be checked without the engine: after `LiquidationStarted` one event for each
//! of its positions and wallets has the values, and a last one the hash of the parameters that they follow from. The events are in
//! the chain of digests, so the values and the parameters cannot be changed afterwards.
//!
//! [`Grounds::check`] does the arithmetic again from those events and the parameters alone.

use crate::margin::{Basis, Need};
use crate::output::Output;
use crate::params::{AssetParams, MarketParams, RiskParams};
use crate::working::Working;
use crate::{AccountId, AssetId, Digest, Event, MarketId, MarketStatus, State, digest};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use rules::collateral_value;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round};

/// The parameters that the values of an account follow from: those of the venue, of what counts and of where it has positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grounds<'a> {
    /// Of the venue: the line, and how far an unusable price is moved in the account's favour.
    pub risk: RiskParams,
    /// In the order of the `WalletValued` events.
    pub assets: Vec<AssetGrounds<'a>>,
    /// Once each, in the order of the `PositionValued` events.
    pub markets: Vec<MarketGrounds<'a>>,
}

/// Of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetGrounds<'a> {
    /// Which.
    pub asset: AssetId,
    /// Its price had a quorum of fresh sources.
    pub usable: bool,
    /// Its parameters.
    pub params: Cow<'a, AssetParams>,
}

/// Of one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketGrounds<'a> {
    /// Which.
    pub market: MarketId,
    /// Its price had a quorum of fresh sources.
    pub usable: bool,
    /// It was being settled: its price was final, and it needed no margin.
    pub settling: bool,
    /// Of an option: the index that its margin follows from, or the last usable one; zero of another market.
    #[serde(default)]
    pub underlying: Price,
    /// Its parameters, with the resolved ladder.
    pub params: Cow<'a, MarketParams>,
}

/// What was stated of an account and came out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// Whose.
    pub account: AccountId,
    /// Numeraire.
    pub equity: Money,
    /// Numeraire.
    pub maintenance_margin: Money,
    /// How many positions.
    pub positions: usize,
    /// How many wallets.
    pub wallets: usize,
}

/// Why events do not follow from grounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disagrees {
    /// They do not begin with `LiquidationStarted`, or what has to follow is not all there.
    Incomplete,
    /// The hash of the grounds is another.
    Digest {
        /// In the event.
        stated: Digest,
        /// Of the grounds.
        found: Digest,
    },
    /// A figure is another.
    Figure {
        /// Which.
        figure: Figure,
        /// In the event.
        stated: Money,
        /// From the grounds.
        found: Money,
    },
    /// A position or asset without grounds, or grounds without one.
    Unmatched,
    /// A figure does not fit.
    TooLarge,
    /// Equity and maintenance margin are as stated, and the account is not below its line.
    NotBelow,
}

/// A figure of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Of a position.
    Upnl(MarketId),
    /// Of a position.
    MaintenanceMargin(MarketId),
    /// Of a wallet that owes nothing.
    Interest(AssetId),
    /// Of an asset.
    Value(AssetId),
    /// Of the account.
    Equity,
    /// Of the account.
    AllMaintenanceMargin,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upnl(market) => write!(f, "upnl in market {market}"),
            Self::MaintenanceMargin(market) => write!(f, "maintenance margin in market {market}"),
            Self::Interest(asset) => write!(f, "interest due in asset {asset}"),
            Self::Value(asset) => write!(f, "value of asset {asset}"),
            Self::Equity => f.write_str("equity"),
            Self::AllMaintenanceMargin => f.write_str("maintenance margin of the account"),
        }
    }
}

impl fmt::Display for Disagrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("there is no liquidation with all its values here"),
            Self::Digest { stated, found } => write!(f, "the rules have the hash {found}, the event says {stated}"),
            Self::Figure { figure, stated, found } => {
                write!(f, "{figure} is stated as {stated} and comes out as {found}")
            }
            Self::Unmatched => f.write_str("positions, assets and rules do not belong together"),
            Self::TooLarge => f.write_str("a figure does not fit"),
            Self::NotBelow => f.write_str("the account is not below its line"),
        }
    }
}

impl core::error::Error for Disagrees {}

/// Says what an account counts that has just fallen below its line, and under which parameters.
pub(crate) fn state(out: &mut Output<'_>, account: AccountId) {
    let mut heard = Working::default();
    let state = out.state();
    state.evaluate_heard(account, Basis::Lenient, Need::Maintenance, None, &mut heard);
    let digest = state.grounds_of(account, &heard).digest_with(|row| state.market(row.market).params_digest);
    for row in heard.positions.iter().filter(|row| !row.size.is_zero()) {
        let state = out.state();
        let owed = state.account(account).exposure(row.position).map_or(Money::ZERO, |e| state.loss_owed(account, e));
        out.emit(Event::PositionValued {
            account,
            market: row.position.market,
            leg: row.position.leg,
            size: row.size,
            cost: row.cost,
            price: row.price,
            upnl: row.upnl,
            unsettled: row.unsettled_funding - owed,
            maintenance_margin: row.maintenance.required,
        });
    }
    for row in &heard.collateral {
        let state = out.state();
        if !state.has_value(account, row.asset, &heard) {
            continue;
        }
        let (wallet, interest) = state.wallet_that_counts(account, row.asset);
        let price = state.asset_price(row.asset);
        out.emit(Event::WalletValued { account, asset: row.asset, wallet, interest, price, value: row.value });
    }
    out.emit(Event::GroundsStated { account, digest });
}

impl MarketParams {
    /// The hash of their binary form.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest::of(self)
    }
}

impl State {
    /// The parameters that the values of an account follow from now.
    #[must_use]
    pub fn grounds(&self, account: AccountId) -> Grounds<'_> {
        self.grounds_of(account, &self.working(account, Basis::Lenient))
    }

    fn grounds_of(&self, account: AccountId, heard: &Working) -> Grounds<'_> {
        let assets =
            heard.collateral.iter().map(|row| row.asset).filter(|asset| self.has_value(account, *asset, heard));
        let assets = assets.map(|asset| {
            let params = &self.asset(asset).params;
            let usable = params.index.is_none_or(|index| self.index(index).is_usable(self.now));
            AssetGrounds { asset, usable, params: Cow::Borrowed(params) }
        });
        let mut markets: Vec<MarketGrounds<'_>> = Vec::new();
        for row in heard.positions.iter().filter(|row| !row.size.is_zero()) {
            let market = row.position.market;
            if markets.iter().any(|seen| seen.market == market) {
                continue;
            }
            let of = self.market(market);
            markets.push(MarketGrounds {
                market,
                usable: self.index(of.params.index).is_usable(self.now),
                settling: of.status == MarketStatus::Settling,
                underlying: of.params.option.map_or(Price::ZERO, |_| self.underlying(of)),
                params: Cow::Borrowed(&of.params),
            });
        }
        Grounds { risk: self.risk, assets: assets.collect(), markets }
    }

    /// Something is in the wallet, or a position settles in it.
    fn has_value(&self, account: AccountId, asset: AssetId, heard: &Working) -> bool {
        let settles = |row: &crate::PositionWorking| {
            !row.size.is_zero() && self.market(row.position.market).params.settlement == asset
        };
        !self.wallet_that_counts(account, asset).0.is_zero() || heard.positions.iter().any(settles)
    }

    /// The wallet as far as it counts, and the interest due on a debt.
    fn wallet_that_counts(&self, id: AccountId, asset: AssetId) -> (Money, Money) {
        let account = self.account(id);
        let wallet = if account.counts(asset) { account.wallet(asset) } else { Money::ZERO };
        (wallet, if wallet.is_negative() { self.interest_due(id, asset) } else { Money::ZERO })
    }
}

impl Grounds<'_> {
    /// The hash of their binary form, with the hash of its parameters in the place of each market's.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest_with(|row| row.params.digest())
    }

    fn digest_with(&self, of_params: impl Fn(&MarketGrounds<'_>) -> Digest) -> Digest {
        let rows =
            self.markets.iter().map(|row| (row.market, row.usable, row.settling, row.underlying, of_params(row)));
        digest::of(&(self.risk, &self.assets, rows.collect::<Vec<_>>()))
    }

    /// The same, without what they were borrowed from.
    #[must_use]
    pub fn into_owned(self) -> Grounds<'static> {
        let asset = |row: AssetGrounds<'_>| AssetGrounds {
            asset: row.asset,
            usable: row.usable,
            params: Cow::Owned(row.params.into_owned()),
        };
        let market = |row: MarketGrounds<'_>| MarketGrounds {
            market: row.market,
            usable: row.usable,
            settling: row.settling,
            underlying: row.underlying,
            params: Cow::Owned(row.params.into_owned()),
        };
        Grounds {
            risk: self.risk,
            assets: self.assets.into_iter().map(asset).collect(),
            markets: self.markets.into_iter().map(market).collect(),
        }
    }

    /// Does the arithmetic of a liquidation again, from its events, which begin with `LiquidationStarted`, and these parameters.
    ///
    /// upnl = value − cost, rounded down; maintenance margin by the ladder, rounded up; value of an asset: wallet − interest + Σ (upnl +
    /// unsettled), at its price after haircut, rounded down; equity: Σ value. An unusable price is moved in the account's favour
    /// by the venue's share, up to its cap. Source: DESIGN.md section 6.
    ///
    /// # Errors
    /// [`Disagrees`]: the first thing that is not as it is stated.
    pub fn check(&self, events: &[Event]) -> Result<Stated, Disagrees> {
        let Some((Event::LiquidationStarted { account, equity, maintenance_margin }, rest)) = events.split_first()
        else {
            return Err(Disagrees::Incomplete);
        };
        let end = rest.iter().position(|event| matches!(event, Event::GroundsStated { .. }));
        let (rows, rest) = rest.split_at(end.ok_or(Disagrees::Incomplete)?);
        match rest.first() {
            Some(Event::GroundsStated { account: whose, digest }) if whose == account => {
                let found = self.digest();
                if *digest != found {
                    return Err(Disagrees::Digest { stated: *digest, found });
                }
            }
            _ => return Err(Disagrees::Incomplete),
        }
        let (mut markets, mut assets) = (Vec::new(), Vec::new());
        let mut stated = Stated {
            account: *account,
            equity: Money::ZERO,
            maintenance_margin: Money::ZERO,
            positions: 0,
            wallets: 0,
        };
        for row in rows {
            match *row {
                Event::PositionValued { account: whose, market, .. } if whose == *account => {
                    if markets.last() != Some(&market) {
                        markets.push(market);
                    }
                    stated.positions += 1;
                    self.position(row, rows, &mut stated)?;
                }
                Event::WalletValued { account: whose, asset, .. } if whose == *account => {
                    assets.push(asset);
                    stated.wallets += 1;
                    self.wallet(row, rows, &mut stated)?;
                }
                _ => return Err(Disagrees::Incomplete),
            }
        }
        if !markets.iter().eq(self.markets.iter().map(|row| &row.market))
            || !assets.iter().eq(self.assets.iter().map(|row| &row.asset))
        {
            return Err(Disagrees::Unmatched);
        }
        same(Figure::Equity, *equity, stated.equity)?;
        same(Figure::AllMaintenanceMargin, *maintenance_margin, stated.maintenance_margin)?;
        let headroom = equity.checked_add(-*maintenance_margin).ok_or(Disagrees::TooLarge)?;
        if self.risk.line.is_below(headroom) { Ok(stated) } else { Err(Disagrees::NotBelow) }
    }

    fn market(&self, market: MarketId) -> Result<&MarketGrounds<'_>, Disagrees> {
        self.markets.iter().find(|row| row.market == market).ok_or(Disagrees::Unmatched)
    }

    /// A position's result and margin; the margin is added up.
    fn position(&self, event: &Event, rows: &[Event], stated: &mut Stated) -> Result<(), Disagrees> {
        let Event::PositionValued { market, size, cost, price, upnl, maintenance_margin: margin, .. } = *event else {
            return Ok(());
        };
        let MarketGrounds { usable, settling, underlying, params, .. } = self.market(market)?;
        let underlying = *underlying;
        let settled_at = rows.iter().find_map(|row| match row {
            Event::WalletValued { asset, price, .. } if *asset == params.settlement => Some(*price),
            _ => None,
        });
        let settled_at = settled_at.ok_or(Disagrees::Unmatched)?;
        let fits = |amount: Option<Money>| amount.ok_or(Disagrees::TooLarge);
        let mut result = fits(params.contract.upnl(price, size, cost))?;
        if !usable && !settling {
            let cap = self.risk.stale_favour_cap.from_index(settled_at, Round::Down).unwrap_or(Money::ZERO);
            let notional = fits(params.contract.notional(price, size))?;
            result = fits(result.checked_add(notional.mul_rate(self.risk.stale_favour, Round::Down).min(cap)))?;
        }
        same(Figure::Upnl(market), upnl, result)?;
        let required = match settling {
            true => Money::ZERO,
            false => params.maintenance_terms(underlying, price, size).ok_or(Disagrees::TooLarge)?.required,
        };
        same(Figure::MaintenanceMargin(market), margin, required)?;
        let worth = fits(required.at_index(settled_at, Rate::ONE, Round::Up))?;
        stated.maintenance_margin = fits(stated.maintenance_margin.checked_add(worth))?;
        Ok(())
    }

    /// What an asset counts with all that settles in it; it is added up.
    fn wallet(&self, event: &Event, rows: &[Event], stated: &mut Stated) -> Result<(), Disagrees> {
        let Event::WalletValued { asset, wallet, interest, price, value, .. } = *event else { return Ok(()) };
        let AssetGrounds { usable, params, .. } =
            self.assets.iter().find(|row| row.asset == asset).ok_or(Disagrees::Unmatched)?;
        let fits = |amount: Option<Money>| amount.ok_or(Disagrees::TooLarge);
        if !wallet.is_negative() {
            same(Figure::Interest(asset), interest, Money::ZERO)?;
        }
        let mut amount = fits(wallet.checked_add(-interest))?;
        for row in rows {
            if let Event::PositionValued { market, upnl, unsettled, .. } = *row
                && self.market(market)?.params.settlement == asset
            {
                amount = fits(amount.checked_add(upnl).and_then(|amount| amount.checked_add(unsettled)))?;
            }
        }
        let mut found = collateral_value(amount, price, &params.haircuts()).ok_or(Disagrees::TooLarge)?.value;
        if !usable {
            let favour = found.abs().mul_rate(self.risk.stale_favour, Round::Down).min(self.risk.stale_favour_cap);
            found = fits(found.checked_add(favour))?;
        }
        same(Figure::Value(asset), value, found)?;
        stated.equity = fits(stated.equity.checked_add(found))?;
        Ok(())
    }
}

fn same(figure: Figure, stated: Money, found: Money) -> Result<(), Disagrees> {
    if stated == found { Ok(()) } else { Err(Disagrees::Figure { figure, stated, found }) }
}
