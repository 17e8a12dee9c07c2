//! Fees: the rates of an owner's tier, and the asset in which an account pays.

use crate::output::Output;
use crate::params::FeeRates;
use crate::{AccountId, Answer, AssetId, Event, Market, MarketId, OwnerId, ParamName, Reject, State, limits};
use units::{Money, Rate, Round};

/// What a fee comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// In which asset.
    pub asset: AssetId,
    /// How much; negative pays the account.
    pub amount: Money,
}

impl Market {
    /// What an owner of a tier pays; a tier beyond the market's last pays the last.
    #[must_use]
    pub fn fees(&self, tier: u8) -> FeeRates {
        let p = &self.params;
        let own = FeeRates { maker: p.maker_fee, taker: p.taker_fee };
        let Some(at) = usize::from(tier).checked_sub(1) else { return own };
        let tiers = &p.fee_tiers;
        tiers.get(at).or(tiers.last()).copied().unwrap_or(own)
    }

    /// What an order of a tier may have to pay, at most: it can take as well as rest. Not below zero.
    #[must_use]
    pub(crate) fn fee_reserved(&self, tier: u8) -> Rate {
        let fees = self.fees(tier);
        fees.taker.max(fees.maker).max(Rate::ZERO)
    }

    /// The least that two orders which meet pay together, when the taker's fee is taken less a discount: the least taker fee
    /// × (1 − discount), rounded down, + the least maker fee.
    ///
    /// 0.05 % and −0.02 % of tier 0, 0.03 % and −0.025 % of tier 1, discount 10 %: 0.027 % − 0.025 % = 0.002 %.
    pub(crate) fn least_fees(params: &crate::params::MarketParams, discount: Rate) -> Rate {
        let tiers = &params.fee_tiers;
        let taker = tiers.iter().map(|t| t.taker).fold(params.taker_fee, Rate::min);
        let maker = tiers.iter().map(|t| t.maker).fold(params.maker_fee, Rate::min);
        let kept = i128::from((Rate::ONE - discount).units());
        let one = i128::from(Rate::ONE.units());
        let taker = units::mul_div(i128::from(taker.units()), kept, one, Round::Down);
        taker.and_then(|units| i64::try_from(units).ok()).and_then(Rate::new).unwrap_or(Rate::ZERO) + maker
    }
}

impl State {
    /// In which asset an account pays a fee of a market, and how much.
    ///
    /// The account's own choice, at the index less the venue's discount, when both prices are usable, the wallet has enough,
    /// it costs no more than the fee, and what the settlement asset's fee account then pays as `rebate` (zero or below) is
    /// there; otherwise the settlement asset. Rounds up. A rebate is always paid in the settlement asset.
    ///
    /// A fee of 5.00 USDC, index of the other asset 500, discount 10 %: 0.009 of it.
    #[must_use]
    pub fn charge(&self, account: AccountId, market: MarketId, fee: Money, rebate: Money) -> Charge {
        let settlement = self.market(market).params.settlement;
        let plain = Charge { asset: settlement, amount: fee };
        match self.account(account).pays_in {
            Some(asset) if asset != settlement && fee.is_positive() => {
                self.charge_in(account, asset, &plain, rebate).unwrap_or(plain)
            }
            _ => plain,
        }
    }

    fn charge_in(&self, account: AccountId, asset: AssetId, fee: &Charge, rebate: Money) -> Option<Charge> {
        let usable = |id: AssetId| self.asset(id).params.index.is_none_or(|i| self.index(i).is_usable(self.now));
        if !usable(asset) || !usable(fee.asset) || (self.asset(fee.asset).fees + rebate).is_negative() {
            return None;
        }
        let value = fee.amount.at_index(self.asset_price(fee.asset), Rate::ONE, Round::Down)?;
        let due = fee.amount.at_index(self.asset_price(fee.asset), Rate::ONE - self.fee_discount, Round::Up)?;
        let price = self.asset_price(asset);
        let amount = due.from_index(price, Round::Up)?;
        let costs = amount.at_index(price, Rate::ONE, Round::Up)?;
        let good = costs <= value && amount <= self.account(account).wallet(asset);
        good.then_some(Charge { asset, amount })
    }
}

pub(crate) fn set_fee_tier(out: &mut Output<'_>, owner: OwnerId, tier: u8) -> Result<Answer, Reject> {
    if usize::from(tier) > limits::FEE_TIERS_MAX {
        return Err(Reject::ParamOutOfRange { name: ParamName::FeeTiers });
    }
    if out.state().fee_tiers.get(&owner).copied().unwrap_or(0) == tier {
        return Err(Reject::AlreadySo);
    }
    State::room(out.state().fee_tiers.len(), limits::OWNERS_MAX)?;
    out.emit(Event::FeeTierSet { owner, tier });
    Ok(Answer::Done)
}

/// No discount may make a rebate larger than what the taker pays.
pub(crate) fn set_fee_discount(out: &mut Output<'_>, discount: Rate) -> Result<Answer, Reject> {
    let share = !discount.is_negative() && discount < Rate::ONE;
    let pays = |m: &Market| !Market::least_fees(&m.params, discount).is_negative();
    if !share || !out.state().markets.iter().all(pays) {
        return Err(Reject::ParamOutOfRange { name: ParamName::FeeDiscount });
    }
    out.emit(Event::FeeDiscountSet { discount });
    Ok(Answer::Done)
}

pub(crate) fn set_fee_asset(
    out: &mut Output<'_>,
    account: AccountId,
    asset: Option<AssetId>,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    if let Some(asset) = asset {
        state.find_asset(asset)?;
    }
    if row.pays_in == asset {
        return Err(Reject::AlreadySo);
    }
    out.emit(Event::FeeAssetSet { account, asset });
    Ok(Answer::Done)
}
