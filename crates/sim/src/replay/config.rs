//! The knobs of a replay. All amounts are shares of a market's opening interest (the notional of one side after the
//! population has opened), so that a small population and a large one behave alike.

use super::ReplayError;
use engine::params::{AdlPolicy, AdlPrice, LiquidationPolicy};
use serde::Serialize;
use units::Rate;

/// Everything about a run that is not a figure of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// Accounts of the population.
    pub accounts: u32,
    /// Which population.
    pub seed: u64,
    /// Milliseconds between two prices.
    pub step_ms: i64,
    /// Who trades.
    pub population: PopulationKnobs,
    /// Who quotes.
    pub liquidity: LiquidityKnobs,
    /// How accounts are closed.
    pub ladder: LadderKnobs,
    /// Whether own liquidations move the index; none: they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<FeedbackKnobs>,
    /// The rulebook that the markets follow; none: the replay's own rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rulebook: Option<super::rulebook::BookRules>,
}

/// The model by which own liquidations move the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FeedbackKnobs {
    /// Move of the index when the net notional of a step equals the depth of one side.
    pub impact: Rate,
    /// Milliseconds in which a displacement halves.
    pub half_life_ms: i64,
}

/// Shares of the population; 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PopulationKnobs {
    /// Positions that are long.
    pub long_share: Rate,
    /// Accounts with only isolated positions.
    pub isolated_share: Rate,
    /// Accounts whose collateral is BTC or ETH.
    pub coin_share: Rate,
    /// Accounts that leave an order in the book.
    pub order_share: Rate,
}

/// Market makers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiquidityKnobs {
    /// Makers, each in every market; 1 to 8.
    pub makers: u8,
    /// Levels of each maker on each side; 1 to 32.
    pub levels: u8,
    /// Size quoted on one side by all makers when nothing moves, share of opening interest.
    pub depth: Rate,
    /// Distance of the best quotes from each other when nothing moves.
    pub spread: Rate,
    /// Distance of two levels when nothing moves.
    pub gap: Rate,
    /// Price range of the last five minutes at which depth halves and distances grow by a quarter.
    pub calm: Rate,
    /// Position of all makers together at which they stop adding, share of opening interest.
    pub inventory: Rate,
}

/// Rules of the venue and its funds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LadderKnobs {
    /// Fee of an order that takes.
    pub taker_fee: Rate,
    /// Fee of an order that rests.
    pub maker_fee: Rate,
    /// Fee of the ladder on what it closes, to the fund.
    pub liquidation_fee: Rate,
    /// A liquidation stops when equity is this multiple of maintenance.
    pub target: Rate,
    /// Below this share of maintenance the book is not tried any more.
    pub takeover: Rate,
    /// Greatest distance of a step's price from the mark.
    pub band: Rate,
    /// Share of the depth inside the band that one step may take.
    pub depth_share: Rate,
    /// Milliseconds between two steps of one account.
    pub pause_ms: i64,
    /// Money in the fund, share of the opening interest of all markets.
    pub fund: Rate,
    /// What the fund may hold in a market, share of its opening interest.
    pub fund_limit: Rate,
    /// Backstop volunteers; 0 to 64.
    pub backstops: u8,
    /// What each takes over, share of the opening interest of all markets.
    pub backstop_limit: Rate,
    /// Price of an auto-deleveraging.
    pub adl_price: AdlPrice,
    /// How much a step closes.
    pub policy: LiquidationPolicy,
    /// Who is deleveraged first.
    pub adl_policy: AdlPolicy,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            accounts: 100_000,
            seed: 1,
            step_ms: 10_000,
            population: PopulationKnobs {
                long_share: Rate::bps(6_000),
                isolated_share: Rate::bps(3_000),
                coin_share: Rate::bps(2_000),
                order_share: Rate::bps(1_500),
            },
            liquidity: LiquidityKnobs {
                makers: 2,
                levels: 8,
                depth: Rate::bps(300),
                spread: Rate::bps(4),
                gap: Rate::bps(10),
                calm: Rate::bps(100),
                inventory: Rate::bps(5_000),
            },
            ladder: LadderKnobs::default(),
            feedback: None,
            rulebook: None,
        }
    }
}

impl Default for LadderKnobs {
    fn default() -> Self {
        Self {
            taker_fee: Rate::bps(5),
            maker_fee: Rate::bps(2),
            liquidation_fee: Rate::bps(50),
            target: Rate::bps(12_000),
            takeover: Rate::bps(3_333),
            band: Rate::bps(200),
            depth_share: Rate::bps(5_000),
            pause_ms: 1_000,
            fund: Rate::bps(100),
            fund_limit: Rate::bps(500),
            backstops: 4,
            backstop_limit: Rate::bps(50),
            adl_price: AdlPrice::Bankruptcy,
            policy: LiquidationPolicy::ToTarget,
            adl_policy: AdlPolicy::ProfitLeverage,
        }
    }
}

impl Config {
    /// Checks every knob and the step against the candles.
    ///
    /// # Errors
    /// The first knob outside its range, with the range.
    pub fn check(&self, interval_ms: i64) -> Result<(), ReplayError> {
        let steps = interval_ms.checked_div(self.step_ms).unwrap_or(0);
        if self.step_ms < 1_000 || interval_ms % self.step_ms.max(1) != 0 || steps < 4 {
            let asked = format!("{} ms with candles of {interval_ms} ms", self.step_ms);
            return Err(knob("step", asked, "a whole number of steps, at least 4 per candle and 1 s each"));
        }
        if !(2..=5_000_000).contains(&self.accounts) {
            return Err(knob("accounts", self.accounts.to_string(), "2 to 5000000"));
        }
        self.check_feedback()?;
        self.check_shares()?;
        self.check_counts()
    }

    fn check_feedback(&self) -> Result<(), ReplayError> {
        let Some(FeedbackKnobs { impact, half_life_ms }) = self.feedback else { return Ok(()) };
        if !impact.is_positive() || impact > Rate::ONE {
            return Err(knob("feedback", impact.to_string(), "above 0, at most 1 (100 %)"));
        }
        if !(60_000..=86_400_000).contains(&half_life_ms) {
            return Err(knob("feedback-half-life", format!("{} minutes", half_life_ms / 60_000), "1m to 24h"));
        }
        if !self.liquidity.depth.is_positive() {
            return Err(knob("feedback", impact.to_string(), "a --depth above 0 to divide by"));
        }
        Ok(())
    }

    fn check_shares(&self) -> Result<(), ReplayError> {
        let (p, q, l) = (&self.population, &self.liquidity, &self.ladder);
        let shares = [
            ("long-share", p.long_share),
            ("isolated-share", p.isolated_share),
            ("coin-share", p.coin_share),
            ("order-share", p.order_share),
            ("depth", q.depth),
            ("inventory", q.inventory),
            ("takeover", l.takeover),
            ("depth-share", l.depth_share),
            ("fund", l.fund),
            ("fund-limit", l.fund_limit),
            ("backstop-limit", l.backstop_limit),
        ];
        if let Some((name, share)) = shares.into_iter().find(|(_, share)| share.is_negative() || *share > Rate::ONE) {
            return Err(knob(name, share.to_string(), "a share, 0 to 1"));
        }
        let tenth = Rate::bps(1_000);
        let small = [
            ("spread-bps", q.spread),
            ("gap-bps", q.gap),
            ("calm-bps", q.calm),
            ("taker-fee", l.taker_fee),
            ("liquidation-fee", l.liquidation_fee),
            ("band", l.band),
        ];
        // A venue may close for nothing.
        let free = |name: &str, rate: Rate| name == "liquidation-fee" && self.rulebook.is_some() && rate == Rate::ZERO;
        match small.into_iter().find(|(name, rate)| (!rate.is_positive() && !free(name, *rate)) || *rate > tenth) {
            Some((name, rate)) => Err(knob(name, rate.to_string(), "above 0, at most 0.1 (1000 bps)")),
            None => Ok(()),
        }
    }

    fn check_counts(&self) -> Result<(), ReplayError> {
        let (q, l) = (&self.liquidity, &self.ladder);
        let counts = [
            ("makers", i64::from(q.makers), 1, 8),
            ("levels", i64::from(q.levels), 1, 32),
            ("backstops", i64::from(l.backstops), 0, 64),
            ("pause-ms", l.pause_ms, 0, 3_600_000),
        ];
        match l.policy {
            LiquidationPolicy::Fraction { share, .. } if !share.is_positive() || share > Rate::ONE => {
                return Err(knob("fraction", share.to_string(), "above 0, at most 1"));
            }
            LiquidationPolicy::TierStepDown { tiers } if !(1..=64).contains(&tiers) => {
                return Err(knob("tiers-down", tiers.to_string(), "1 to 64"));
            }
            LiquidationPolicy::Fraction { whole_below, .. } if whole_below.is_negative() => {
                return Err(knob("whole-below", whole_below.to_string(), "0 or more"));
            }
            LiquidationPolicy::Fraction { cooldown_ns, .. } if !(0..=3_600_000_000_000).contains(&cooldown_ns) => {
                return Err(knob("cooldown-ms", (cooldown_ns / 1_000_000).to_string(), "0 to 3600000"));
            }
            _ => {}
        }
        if l.target < Rate::ONE || l.target > Rate::bps(30_000) {
            return Err(knob("target", l.target.to_string(), "1 to 3"));
        }
        match counts.into_iter().find(|(_, n, least, most)| n < least || n > most) {
            Some((name, n, least, most)) => Err(knob(name, n.to_string(), &format!("{least} to {most}"))),
            None => Ok(()),
        }
    }
}

fn knob(name: &str, asked: String, allowed: &str) -> ReplayError {
    ReplayError::Knob { name: name.to_owned(), asked, allowed: allowed.to_owned() }
}
