//! The figures of a book under a rulebook.

use crate::book::{Book, LoweredLeverage, Unit, Wallet};
use crate::resolve::Rulebook;
use crate::schema::Mode;
use rules::{Account, AccountTerms, Bankruptcy, LiquidationPrice, Way};
use serde::Serialize;
use units::{Money, Price, Rate, Size};

/// Figures of an account, or of one isolated position; numeraire.
#[derive(Clone, Debug, Serialize)]
pub struct UnitFigures {
    /// Σ wallets and upnl at index after haircuts.
    pub equity: Money,
    /// Σ upnl, at index without haircuts.
    pub upnl: Money,
    /// Σ |size| × price.
    pub notional: Money,
    /// Needed to open.
    pub initial_margin: Money,
    /// Needed to stay open.
    pub maintenance_margin: Money,
    /// Equity − maintenance.
    pub headroom: Money,
    /// Equity that supports new risk − initial margin, not below zero.
    pub free_collateral: Money,
    /// Maintenance ÷ equity; `None` when equity is not positive.
    pub margin_ratio: Option<Rate>,
    /// Whether it is below its line.
    pub is_below_line: bool,
    /// All prices falling together by this much put it below its line.
    pub liquidation_fall: Option<Rate>,
    /// All prices rising together by this much do.
    pub liquidation_rise: Option<Rate>,
    /// Per asset, the most that may leave.
    pub withdrawable: Vec<Withdrawable>,
    /// Its positions.
    pub positions: Vec<PositionFigures>,
}

/// What may leave of an asset.
#[derive(Clone, Debug, Serialize)]
pub struct Withdrawable {
    /// The asset.
    pub asset: String,
    /// In the asset.
    pub amount: Money,
}

/// Figures of a position; settlement asset and quote.
#[derive(Clone, Debug, Serialize)]
pub struct PositionFigures {
    /// Its market.
    pub market: String,
    /// + long, − short.
    pub size: Size,
    /// Average price.
    pub entry_price: Price,
    /// What margin is computed from.
    pub price: Price,
    /// |size| at that price.
    pub notional: Money,
    /// Unrealised profit.
    pub upnl: Money,
    /// Needed to open.
    pub initial_margin: Money,
    /// Needed to stay open.
    pub maintenance_margin: Money,
    /// Where this market alone puts the account below its line, falling.
    pub liquidation_price_below: Option<Price>,
    /// The same, rising.
    pub liquidation_price_above: Option<Price>,
    /// Where this market alone leaves nothing.
    pub bankruptcy_price: Option<Price>,
    /// The most that may be bought besides.
    pub largest_buy: Option<Size>,
    /// The most that may be sold besides.
    pub largest_sell: Option<Size>,
    /// Whether its leverage was lowered to the venue's, see [`Book::check_lowering`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowered_leverage: Option<LoweredLeverage>,
}

/// Figures of a book.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Version of this form.
    pub schema: &'static str,
    /// Venue of the rulebook.
    pub rulebook: String,
    /// Day of its version.
    pub version: String,
    /// Hash of the resolved version.
    pub hash: String,
    /// cross or isolated.
    pub mode: &'static str,
    /// Asset of all sums.
    pub numeraire: String,
    /// One in cross mode, one per position in isolated mode.
    pub units: Vec<UnitFigures>,
}

impl Figures {
    /// Computes them. `None` when a figure is out of range, which [`Book::check`] has ruled out at the book's own prices.
    #[must_use]
    pub fn of(book: &Book, rulebook: &Rulebook) -> Option<Self> {
        let units =
            book.units.iter().map(|unit| unit_figures(unit, book.mode, rulebook)).collect::<Option<Vec<_>>>()?;
        Some(Self {
            schema: "plimsoll.margin/1",
            rulebook: rulebook.venue.clone(),
            version: rulebook.from.clone(),
            hash: rulebook.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            mode: match book.mode {
                Mode::Cross => "cross",
                Mode::Isolated => "isolated",
            },
            numeraire: rulebook.sections.account.numeraire.clone(),
            units,
        })
    }
}

fn unit_figures(unit: &Unit, mode: Mode, rulebook: &Rulebook) -> Option<UnitFigures> {
    unit.with(rulebook, |account| {
        let terms = account.terms()?;
        let positions = (0..unit.positions.len()).map(|at| position(unit, account, &terms, at, mode, rulebook));
        let positions = positions.collect::<Option<Vec<_>>>()?;
        let (fall, rise) = account.common_moves(&terms);
        let mut upnl = Money::ZERO;
        for (row, held) in terms.positions.iter().zip(&unit.positions) {
            let index = unit.wallets.get(held.settlement)?.index_price;
            upnl += row.upnl.at_index(index, Rate::ONE, units::Round::Down)?;
        }
        let withdrawable = |(at, wallet): (usize, &Wallet)| {
            Some(Withdrawable { asset: wallet.asset.clone(), amount: account.withdrawable(&terms, at)?.amount })
        };
        Some(UnitFigures {
            equity: terms.equity,
            upnl,
            notional: terms.notional,
            initial_margin: terms.initial,
            maintenance_margin: terms.maintenance,
            headroom: terms.headroom(),
            free_collateral: terms.free_collateral(),
            margin_ratio: terms.ratio().and_then(|ratio| i64::try_from(ratio).ok()).and_then(Rate::new),
            is_below_line: rulebook.account.line.is_below(terms.headroom()),
            liquidation_fall: fall,
            liquidation_rise: rise,
            withdrawable: unit.wallets.iter().enumerate().map(withdrawable).collect::<Option<_>>()?,
            positions,
        })
    })
}

fn position(
    unit: &Unit,
    account: &Account<'_>,
    terms: &AccountTerms,
    at: usize,
    mode: Mode,
    rulebook: &Rulebook,
) -> Option<PositionFigures> {
    let (held, row) = (unit.positions.get(at)?, terms.positions.get(at)?);
    let prices = account.liquidation_prices(terms, at)?;
    let shown = |price: LiquidationPrice| match price {
        LiquidationPrice::At(price) => Some(rulebook.shown_price(price)),
        LiquidationPrice::None | LiquidationPrice::AlreadyBelow => None,
    };
    let further = |way| {
        let growth = Some(mode).filter(|mode| *mode == Mode::Cross);
        growth.and_then(|_| account.largest_size(terms, at, way, held.lot)).map(|growth| growth.size)
    };
    Some(PositionFigures {
        market: held.market.clone(),
        size: held.size,
        entry_price: held.entry_price,
        price: held.price,
        notional: row.notional,
        upnl: row.upnl,
        initial_margin: row.initial.required,
        maintenance_margin: row.maintenance.required,
        liquidation_price_below: shown(prices.below),
        liquidation_price_above: shown(prices.above),
        bankruptcy_price: match account.bankruptcy_price(terms, at)? {
            Bankruptcy::At(price) => Some(price),
            Bankruptcy::None => None,
        },
        largest_buy: further(Way::Buy),
        largest_sell: further(Way::Sell),
        lowered_leverage: held.lowered.clone(),
    })
}
