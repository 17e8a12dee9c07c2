//! Income: what an event did to wallets, row by row, and why. The rows of all events of an account and asset add up to its
//! wallet, exactly.

use crate::{AccountId, AssetId, Cause, Event, MarketId, MoveReason, State};
use serde::Serialize;
use units::Money;

/// One change of one wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Income {
    /// Whose.
    pub account: AccountId,
    /// What.
    pub asset: AssetId,
    /// Why.
    pub kind: IncomeKind,
    /// How much; + came into the wallet.
    pub amount: Money,
    /// The market that it is about.
    pub market: Option<MarketId>,
}

/// Why a wallet changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncomeKind {
    /// Collateral arrived.
    Deposit,
    /// Collateral was set aside to leave.
    Withdrawal,
    /// A withdrawal came back.
    WithdrawalReturned,
    /// Between subaccounts, by command.
    Transfer,
    /// Between a subaccount and its isolated position.
    IsolatedMargin,
    /// Realised by own orders.
    Trade,
    /// Realised by orders of the ladder; of a fund, by its unwinding.
    Liquidation,
    /// Realised by a handover to a volunteer or fund.
    TakeOver,
    /// Realised by a deleveraging.
    Adl,
    /// Realised by a settlement of the market.
    Settlement,
    /// Fees of trades; + is a rebate.
    Fee,
    /// Funding payments.
    Funding,
    /// The fee of the ladder; + in the fund.
    LiquidationFee,
    /// The fund paid a winner up to the mark.
    AdlPrice,
    /// Sold or bought in a conversion.
    Conversion,
    /// The fund paid a deficit.
    DeficitPaid,
    /// Interest on a debt.
    Interest,
    /// Realised by the clock, the position staying.
    Realisation,
    /// A reserve paid what a fund could not; + in the fund.
    Reserve,
    /// A share of a loss that nobody else could pay; + in the account that had it.
    SharedLoss,
    /// Realised by the exit of an option's holder; both sides.
    Exit,
}

/// No event changes more wallets than this: a conversion changes two of two accounts.
const ROWS: usize = 4;

impl Event {
    /// What the event did to wallets. The state is asked for nothing but the settlement asset of a market, which never
    /// changes, so that it may be read before the event or long after.
    ///
    /// A conversion of 0.01 BTC into 500 USDC gives four rows: −0.01 BTC and +500 USDC of the account, the opposite of
    /// the buyer.
    #[must_use = "rows that nobody reads"]
    pub fn income(&self, state: &State) -> impl Iterator<Item = Income> + use<> {
        let row = |account, asset, kind, amount| Some(Income { account, asset, kind, amount, market: None });
        let of = |account, market: MarketId, kind, amount| {
            let asset = state.market(market).params.settlement;
            Some(Income { account, asset, kind, amount, market: Some(market) })
        };
        let rows: [Option<Income>; ROWS] = match *self {
            Self::Deposited { account, asset, amount, .. } => {
                [row(account, asset, IncomeKind::Deposit, amount), None, None, None]
            }
            Self::WithdrawalRequested { account, asset, amount, .. } => {
                [row(account, asset, IncomeKind::Withdrawal, -amount), None, None, None]
            }
            Self::WithdrawalReturned { account, asset, amount, .. } => {
                [row(account, asset, IncomeKind::WithdrawalReturned, amount), None, None, None]
            }
            Self::Moved { from, to, asset, amount, reason } => {
                let kind = reason.income();
                [row(from, asset, kind, -amount), row(to, asset, kind, amount), None, None]
            }
            Self::ReservationUsed { parent, child, amount, .. } => {
                let market = match state.account(child).kind {
                    crate::AccountKind::Isolated { market, .. } => market,
                    _ => crate::fault::fault("a reservation is used by a child"),
                };
                let kind = IncomeKind::IsolatedMargin;
                [of(parent, market, kind, -amount), of(child, market, kind, amount), None, None]
            }
            Self::PositionChanged { account, market, realised, cause, .. } => {
                [of(account, market, cause.income(), realised), None, None, None]
            }
            Self::FeeCharged { account, market, fee, asset } => {
                let row = Income { account, asset, kind: IncomeKind::Fee, amount: -fee, market: Some(market) };
                [Some(row), None, None, None]
            }
            Self::InterestCharged { account, asset, amount } => {
                [row(account, asset, IncomeKind::Interest, -amount), None, None, None]
            }
            Self::FundingSettled { account, market, amount, .. } => {
                [of(account, market, IncomeKind::Funding, amount), None, None, None]
            }
            Self::LiquidationFee { account, market, fund, fee } => {
                let kind = IncomeKind::LiquidationFee;
                [of(account, market, kind, -fee), of(fund, market, kind, fee), None, None]
            }
            Self::ReserveDrawn { fund, reserve, asset, amount, .. } => {
                let kind = IncomeKind::Reserve;
                [row(reserve, asset, kind, -amount), row(fund, asset, kind, amount), None, None]
            }
            Self::LossShared { account, market, amount, .. } => {
                [of(account, market, IncomeKind::SharedLoss, amount), None, None, None]
            }
            Self::LossSettled { account, market, amount, .. } => {
                [of(account, market, IncomeKind::SharedLoss, -amount), None, None, None]
            }
            Self::Converted { account, fund, sold, sold_amount, bought, bought_amount } => {
                let kind = IncomeKind::Conversion;
                [
                    row(account, sold, kind, -sold_amount),
                    row(account, bought, kind, bought_amount),
                    row(fund, sold, kind, sold_amount),
                    row(fund, bought, kind, -bought_amount),
                ]
            }
            _ => [None; ROWS],
        };
        rows.into_iter().flatten().filter(|row| !row.amount.is_zero())
    }
}

impl MoveReason {
    fn income(self) -> IncomeKind {
        match self {
            Self::Transfer => IncomeKind::Transfer,
            Self::IsolatedMargin | Self::IsolatedReturn => IncomeKind::IsolatedMargin,
            Self::Deficit => IncomeKind::DeficitPaid,
            Self::AdlPrice => IncomeKind::AdlPrice,
        }
    }
}

impl Cause {
    fn income(self) -> IncomeKind {
        match self {
            Self::Trade => IncomeKind::Trade,
            Self::Liquidation => IncomeKind::Liquidation,
            Self::TakeOver => IncomeKind::TakeOver,
            Self::Adl => IncomeKind::Adl,
            Self::Settlement => IncomeKind::Settlement,
            Self::Realisation => IncomeKind::Realisation,
            Self::Exit => IncomeKind::Exit,
        }
    }
}
