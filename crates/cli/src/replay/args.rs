//! What `plimsoll replay` takes, and how its texts become knobs. Rates and prices are read as decimals, never as floats.

use super::files::Failure;
use engine::params::{AdlPolicy, AdlPrice, LiquidationPolicy};
use sim::replay::{Config, FeedbackKnobs, PathKind, PathPlan, Window};
use std::path::PathBuf;
use units::{Decimal, Rate, Time};

/// What `plimsoll replay` takes.
#[derive(clap::Args, Default)]
#[command(args_override_self = true)]
#[command(after_help = "\
Every amount and share is explained in docs/replay.md, with what may not be concluded from it.

Exit codes: 0 done, 2 usage or figures that cannot be used, 3 a file that cannot be read.

Examples:
  plimsoll replay 2025-10-10
  plimsoll replay 2025-10-10 --accounts 2000 --fund 0.001 --json | jq .total.fund
  plimsoll replay 2025-10-10 --shock 'BTC -30%' --over 20m --others 120%
  plimsoll replay 2025-10-10 --compare 'target 1.5: --target 1.5' --compare 'small fund: --fund 0.001'
  plimsoll replay --prices crash.csv --symbols BTCUSDT,ETHUSDT --from 2025-10-10T19:00:00Z --to 2025-10-11T00:00:00Z")]
pub struct Args {
    /// 2020-03-12, 2021-05-19, 2025-04-07 or 2025-10-10
    pub name: Option<String>,
    /// Candles of your own, CSV or Parquet: open_time_ms,symbol,open,high,low,close,volume
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    pub prices: Option<PathBuf>,
    /// Mark candles, the same columns: the index is held inside their range
    #[arg(long, value_name = "FILE")]
    pub marks: Option<PathBuf>,
    /// Funding that was settled, CSV or Parquet: ts,symbol,rate
    #[arg(long, value_name = "FILE")]
    pub funding: Option<PathBuf>,
    /// Size tiers as JSON, by symbol, or by date and symbol; see docs/replay.md
    #[arg(long, value_name = "FILE")]
    pub tiers: Option<PathBuf>,
    /// The rules of a venue, VENUE or VENUE@DAY; without a day those of the replay's day. Options given beside it win
    #[arg(long, value_name = "VENUE", conflicts_with = "tiers")]
    pub rulebook: Option<String>,
    /// First candle, as 2025-10-10T19:00:00Z or Unix milliseconds
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// End, exclusive
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only these markets
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub symbols: Vec<String>,
    /// Accounts of the population [default: 100000]
    #[arg(long, value_name = "N")]
    pub accounts: Option<u32>,
    /// Which population [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Time between two prices, seconds [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub step: Option<i64>,
    /// Print the whole result as JSON
    #[arg(long)]
    pub json: bool,
    /// Accounts of your own instead of drawn ones, CSV or Parquet: account,symbol,size,entry_price,leverage,margin,asset,amount
    #[arg(long, value_name = "FILE", conflicts_with_all = ["accounts", "seed"])]
    pub population: Option<PathBuf>,
    /// The account that takes what longs and shorts of the file leave over
    #[arg(long, value_name = "NAME", requires = "population")]
    pub balance: Option<String>,
    /// Write the population before the first price in the same columns, CSV
    #[arg(long, value_name = "FILE", conflicts_with = "compare")]
    pub population_out: Option<PathBuf>,
    /// Write a page for people who decide: one HTML file, no network; docs/report.md explains it
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write every event of the run, one row each: FILE.csv or FILE.parquet; docs/replay.md explains the columns
    #[arg(long, value_name = "FILE", conflicts_with = "compare")]
    pub events: Option<PathBuf>,
    /// Leave a journal of all commands in an empty directory, to verify, explain and export; docs/node.md
    #[arg(long, value_name = "DIR", conflicts_with = "compare")]
    pub data: Option<PathBuf>,
    /// Only events of these kinds; `ladder` is all of liquidation and deleveraging
    #[arg(long, value_name = "KIND,KIND", value_delimiter = ',', requires = "events")]
    pub events_only: Vec<String>,
    /// Write over files that exist
    #[arg(long)]
    pub force: bool,
    /// No progress
    #[arg(long, short)]
    pub quiet: bool,
    /// Run variants side by side, in parallel processes: 'NAME: --OPTION VALUE …', or a list (liquidation-policies, adl-policies, adl-price, seeds, rulebooks); repeatable
    #[arg(long, value_name = "VARIANT")]
    pub compare: Vec<String>,
    /// Also write the table of a comparison as Markdown
    #[arg(long, value_name = "FILE", requires = "compare")]
    pub markdown: Option<PathBuf>,
    /// A variant of a comparison: it tells its progress in lines, and ends when its standard input does
    #[arg(long, hide = true)]
    pub variant: bool,
    #[command(flatten, next_help_heading = "Prices that did not happen (they begin at the first of the replay)")]
    path: PathArgs,
    #[command(flatten, next_help_heading = "Population (shares, 0 to 1)")]
    population_knobs: PopulationArgs,
    #[command(flatten, next_help_heading = "Liquidity")]
    liquidity: LiquidityArgs,
    #[command(flatten, next_help_heading = "Rules and funds")]
    ladder: LadderArgs,
}

#[derive(clap::Args, Default)]
struct PathArgs {
    /// A move in a straight line, such as 'BTC -30%'; repeatable
    #[arg(long, value_name = "SYMBOL MOVE", allow_hyphen_values = true)]
    shock: Vec<String>,
    /// random-walk, jumps, gap or flash-crash
    #[arg(long, value_name = "KIND", conflicts_with = "shock")]
    path: Option<String>,
    /// How long a shock takes, or a flash crash each way [default: 20m]
    #[arg(long, value_name = "TIME")]
    over: Option<String>,
    /// How much of the mean shock the other markets follow [default: 100%]
    #[arg(long, value_name = "SHARE")]
    others: Option<String>,
    /// How long the path is [default: 2h]
    #[arg(long, value_name = "TIME")]
    length: Option<String>,
    /// Gap, size of a jump, or fall [default: -20%]
    #[arg(long = "move", value_name = "MOVE", allow_hyphen_values = true)]
    size: Option<String>,
    /// Share of a flash crash that comes back [default: 75%]
    #[arg(long, value_name = "SHARE")]
    rebound: Option<String>,
    /// Standard deviation of a minute of a walk [default: 0.2%]
    #[arg(long, value_name = "RATE")]
    volatility: Option<String>,
    /// Jumps of a path an hour, on average [default: 1]
    #[arg(long, value_name = "N")]
    jumps_per_hour: Option<u32>,
    /// Which random path [default: 1]
    #[arg(long, value_name = "N")]
    path_seed: Option<u64>,
}

impl PathArgs {
    fn plan(&self) -> Result<Option<PathPlan>, Failure> {
        let rate = |name: &str, text: &Option<String>, usual: &str| percent(name, text.as_deref().unwrap_or(usual));
        let minutes = |name: &str, text: &Option<String>, usual: &str| minutes(name, text.as_deref().unwrap_or(usual));
        let (volatility, size) = (rate("volatility", &self.volatility, "0.2%")?, rate("move", &self.size, "-20%")?);
        let over = minutes("over", &self.over, "20m")?;
        let kind = match self.path.as_deref() {
            None if self.shock.is_empty() => {
                return match self.knobs().into_iter().find(|(_, value)| value.is_some()) {
                    Some((name, _)) => Err(Failure::usage(format!(
                        "--{name} needs a path\n  hint: --shock 'BTC -30%' or --path flash-crash"
                    ))),
                    None => Ok(None),
                };
            }
            None => {
                PathKind::Shock { moves: self.shock.iter().map(|text| shock(text)).collect::<Result<_, _>>()?, over }
            }
            Some("random-walk") => PathKind::RandomWalk { volatility },
            Some("jumps") => PathKind::Jumps { volatility, jump: size, per_hour: self.jumps_per_hour.unwrap_or(1) },
            Some("gap") => PathKind::Gap { gap: size },
            Some("flash-crash") => {
                PathKind::FlashCrash { fall: size, over, rebound: rate("rebound", &self.rebound, "75%")? }
            }
            Some(other) => {
                return Err(refused("path", other, "random-walk, jumps, gap or flash-crash"));
            }
        };
        let (minutes, beta) = (minutes("length", &self.length, "2h")?, rate("others", &self.others, "100%")?);
        Ok(Some(PathPlan { kind, minutes, beta, seed: self.path_seed.unwrap_or(1) }))
    }

    fn knobs(&self) -> Vec<(&'static str, Option<String>)> {
        let mut knobs: Vec<_> = self.shock.iter().map(|text| ("shock", Some(quoted(text)))).collect();
        knobs.extend([
            ("path", self.path.clone()),
            ("over", self.over.clone()),
            ("others", self.others.clone()),
            ("length", self.length.clone()),
            ("move", self.size.clone()),
            ("rebound", self.rebound.clone()),
            ("volatility", self.volatility.clone()),
            ("jumps-per-hour", self.jumps_per_hour.map(|n| n.to_string())),
            ("path-seed", self.path_seed.map(|n| n.to_string())),
        ]);
        knobs
    }
}

/// `BTC -30%`.
fn shock(text: &str) -> Result<(String, Rate), Failure> {
    let problem = || refused("shock", text, "a symbol and a move, such as 'BTC -30%'");
    let (symbol, size) = text.trim().split_once([' ', '=']).ok_or_else(problem)?;
    Ok((symbol.to_owned(), percent("shock", size.trim())?))
}

/// `-30%` or `-0.3`.
pub fn percent(name: &str, text: &str) -> Result<Rate, Failure> {
    let mut rate = Rate::ZERO;
    match text.strip_suffix('%') {
        Some(number) => set(&mut rate, name, Some(number), 2)?,
        None => set(&mut rate, name, Some(text), 0)?,
    }
    Ok(rate)
}

/// `20m`, `2h` or `1h30m` in minutes.
fn minutes(name: &str, text: &str) -> Result<u32, Failure> {
    let ns = sim::scenario::duration(text).filter(|ns| ns % 60_000_000_000 == 0);
    let minutes = ns.and_then(|ns| u32::try_from(ns / 60_000_000_000).ok());
    minutes.ok_or_else(|| refused(name, text, "whole minutes such as 20m or 1h30m"))
}

#[derive(clap::Args, Default)]
struct PopulationArgs {
    /// Positions that are long [default: 0.6]
    #[arg(long, value_name = "SHARE")]
    long_share: Option<String>,
    /// Accounts with isolated positions [default: 0.3]
    #[arg(long, value_name = "SHARE")]
    isolated_share: Option<String>,
    /// Accounts with BTC or ETH as collateral [default: 0.2]
    #[arg(long, value_name = "SHARE")]
    coin_share: Option<String>,
    /// Accounts that leave an order in the book [default: 0.15]
    #[arg(long, value_name = "SHARE")]
    order_share: Option<String>,
}

#[derive(clap::Args, Default)]
struct LiquidityArgs {
    /// Quoted on one side when nothing moves, share of opening interest [default: 0.03]
    #[arg(long, value_name = "SHARE")]
    depth: Option<String>,
    /// Distance of the best quotes when nothing moves [default: 4]
    #[arg(long, value_name = "BPS")]
    spread_bps: Option<String>,
    /// Distance of two levels when nothing moves [default: 10]
    #[arg(long, value_name = "BPS")]
    gap_bps: Option<String>,
    /// Range of five minutes at which depth halves [default: 100]
    #[arg(long, value_name = "BPS")]
    calm_bps: Option<String>,
    /// Position at which makers stop adding, share of opening interest [default: 0.5]
    #[arg(long, value_name = "SHARE")]
    inventory: Option<String>,
    /// MODEL: own liquidations move the index, by this much when they equal the depth of one side (2%)
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    feedback: Option<String>,
    /// How long until such a move has halved [default: 10m]
    #[arg(long, value_name = "TIME", requires = "feedback")]
    feedback_half_life: Option<String>,
    /// Market makers [default: 2]
    #[arg(long, value_name = "N")]
    makers: Option<u8>,
    /// Levels of each maker and side [default: 8]
    #[arg(long, value_name = "N")]
    levels: Option<u8>,
}

#[derive(clap::Args, Default)]
struct LadderArgs {
    /// Fee of an order that takes [default: 0.0005]
    #[arg(long, value_name = "RATE")]
    taker_fee: Option<String>,
    /// Fee of an order that rests [default: 0.0002]
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    maker_fee: Option<String>,
    /// Fee of the ladder, to the fund [default: 0.005]
    #[arg(long, value_name = "RATE")]
    liquidation_fee: Option<String>,
    /// A liquidation stops at this multiple of maintenance [default: 1.2]
    #[arg(long, value_name = "RATE")]
    target: Option<String>,
    /// Below this share of maintenance the book is not tried [default: 0.3333]
    #[arg(long, value_name = "SHARE")]
    takeover: Option<String>,
    /// Greatest distance of a step's price from the mark [default: 0.02]
    #[arg(long, value_name = "RATE")]
    band: Option<String>,
    /// Share of the depth inside the band that one step takes [default: 0.5]
    #[arg(long, value_name = "SHARE")]
    depth_share: Option<String>,
    /// Time between two steps of one account, milliseconds [default: 1000]
    #[arg(long, value_name = "MS")]
    pause_ms: Option<i64>,
    /// Insurance fund, share of the opening interest of all markets [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    fund: Option<String>,
    /// What the fund may hold in a market, share of its opening interest [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    fund_limit: Option<String>,
    /// Backstop volunteers [default: 4]
    #[arg(long, value_name = "N")]
    backstops: Option<u8>,
    /// What each takes over, share of the opening interest of all markets [default: 0.005]
    #[arg(long, value_name = "SHARE")]
    backstop_limit: Option<String>,
    /// Price of an auto-deleveraging: bankruptcy or mark [default: bankruptcy]
    #[arg(long, value_name = "PRICE")]
    adl_price: Option<String>,
    /// What a step closes: to-target, full-close, fraction or tier-step-down [default: to-target]
    #[arg(long, value_name = "POLICY")]
    liquidation_policy: Option<String>,
    /// Share of the position that a step of `fraction` closes [default: 0.2]
    #[arg(long, value_name = "SHARE")]
    fraction: Option<String>,
    /// A position worth no more than this is closed whole by `fraction`, quote [default: 100000]
    #[arg(long, value_name = "AMOUNT")]
    whole_below: Option<String>,
    /// Least time between two steps of `fraction`, milliseconds [default: 30000]
    #[arg(long, value_name = "MS")]
    cooldown_ms: Option<i64>,
    /// Tiers down in a step of `tier-step-down` [default: 1]
    #[arg(long, value_name = "N")]
    tiers_down: Option<u8>,
    /// Who is deleveraged first: profit-leverage, growth-leverage, pro-rata or least-hedges-broken [default: profit-leverage]
    #[arg(long, value_name = "POLICY")]
    adl_policy: Option<String>,
}

impl Args {
    /// The options over the knobs of `config`; their ranges are checked by the run.
    ///
    /// # Errors
    /// A text that is not a number of its kind.
    pub fn config(&self, mut config: Config) -> Result<Config, Failure> {
        config.accounts = self.accounts.unwrap_or(config.accounts);
        config.seed = self.seed.unwrap_or(config.seed);
        config.step_ms = match self.step {
            Some(seconds) => seconds.checked_mul(1_000).ok_or_else(|| Failure::usage("step is too long".into()))?,
            None => config.step_ms,
        };
        self.population_config(&mut config)?;
        self.liquidity_config(&mut config)?;
        self.ladder_config(&mut config)?;
        for row in config.rulebook.iter_mut().flat_map(|book| &mut book.markets) {
            row.taker_fee = row.taker_fee.filter(|_| self.ladder.taker_fee.is_none());
            row.maker_fee = row.maker_fee.filter(|_| self.ladder.maker_fee.is_none());
        }
        Ok(config)
    }

    fn population_config(&self, config: &mut Config) -> Result<(), Failure> {
        let (from, to) = (&self.population_knobs, &mut config.population);
        set(&mut to.long_share, "long-share", from.long_share.as_deref(), 0)?;
        set(&mut to.isolated_share, "isolated-share", from.isolated_share.as_deref(), 0)?;
        set(&mut to.coin_share, "coin-share", from.coin_share.as_deref(), 0)?;
        set(&mut to.order_share, "order-share", from.order_share.as_deref(), 0)
    }

    fn liquidity_config(&self, config: &mut Config) -> Result<(), Failure> {
        let (from, to) = (&self.liquidity, &mut config.liquidity);
        config.feedback = from.feedback()?;
        to.makers = from.makers.unwrap_or(to.makers);
        to.levels = from.levels.unwrap_or(to.levels);
        set(&mut to.depth, "depth", from.depth.as_deref(), 0)?;
        set(&mut to.spread, "spread-bps", from.spread_bps.as_deref(), 4)?;
        set(&mut to.gap, "gap-bps", from.gap_bps.as_deref(), 4)?;
        set(&mut to.calm, "calm-bps", from.calm_bps.as_deref(), 4)?;
        set(&mut to.inventory, "inventory", from.inventory.as_deref(), 0)
    }

    fn ladder_config(&self, config: &mut Config) -> Result<(), Failure> {
        let (from, to) = (&self.ladder, &mut config.ladder);
        to.pause_ms = from.pause_ms.unwrap_or(to.pause_ms);
        to.backstops = from.backstops.unwrap_or(to.backstops);
        to.adl_price = match from.adl_price.as_deref() {
            None => to.adl_price,
            Some("bankruptcy") => AdlPrice::Bankruptcy,
            Some("mark") => AdlPrice::Mark,
            Some(other) => return Err(refused("adl-price", other, "bankruptcy or mark")),
        };
        to.policy = from.policy(to.policy)?;
        to.adl_policy = match from.adl_policy.as_deref() {
            None => to.adl_policy,
            Some("profit-leverage") => AdlPolicy::ProfitLeverage,
            Some("growth-leverage") => AdlPolicy::GrowthLeverage,
            Some("pro-rata") => AdlPolicy::ProRata,
            Some("least-hedges-broken") => AdlPolicy::LeastHedgesBroken,
            Some(other) => {
                let policies = "profit-leverage, growth-leverage, pro-rata or least-hedges-broken";
                return Err(refused("adl-policy", other, policies));
            }
        };
        set(&mut to.taker_fee, "taker-fee", from.taker_fee.as_deref(), 0)?;
        set(&mut to.maker_fee, "maker-fee", from.maker_fee.as_deref(), 0)?;
        set(&mut to.liquidation_fee, "liquidation-fee", from.liquidation_fee.as_deref(), 0)?;
        set(&mut to.target, "target", from.target.as_deref(), 0)?;
        set(&mut to.takeover, "takeover", from.takeover.as_deref(), 0)?;
        set(&mut to.band, "band", from.band.as_deref(), 0)?;
        set(&mut to.depth_share, "depth-share", from.depth_share.as_deref(), 0)?;
        set(&mut to.fund, "fund", from.fund.as_deref(), 0)?;
        set(&mut to.fund_limit, "fund-limit", from.fund_limit.as_deref(), 0)?;
        set(&mut to.backstop_limit, "backstop-limit", from.backstop_limit.as_deref(), 0)
    }

    /// The path that did not happen, if one is asked for.
    ///
    /// # Errors
    /// A text that is not of its kind; an option of a path without one.
    pub fn path(&self) -> Result<Option<PathPlan>, Failure> {
        self.path.plan()
    }

    /// The part of the figures that is run.
    ///
    /// # Errors
    /// A time that cannot be read.
    pub fn window(&self) -> Result<Window, Failure> {
        let from_ms = self.from.as_deref().map(moment).transpose()?;
        let to_ms = self.to.as_deref().map(moment).transpose()?;
        Ok(Window { from_ms, to_ms, symbols: self.symbols.clone() })
    }

    /// The command line that does the same again, without what only changes the printing.
    pub fn reproduce(&self) -> String {
        let mut words = vec!["plimsoll replay".to_owned()];
        words.extend(self.name.clone());
        let files =
            [("prices", &self.prices), ("marks", &self.marks), ("funding", &self.funding), ("tiers", &self.tiers)];
        words.extend(
            files
                .into_iter()
                .filter_map(|(name, path)| Some(format!("--{name} {}", quoted(&path.as_ref()?.display().to_string())))),
        );
        let config = Config::default();
        let number = |name: &str, value: Option<String>| value.map(|value| format!("--{name} {value}"));
        words.extend(number("rulebook", self.rulebook.as_deref().map(quoted)));
        words.extend(number("from", self.from.clone()));
        words.extend(number("to", self.to.clone()));
        words.extend(number("symbols", Some(self.symbols.join(",")).filter(|s| !s.is_empty())));
        match &self.population {
            Some(path) => words.push(format!("--population {}", quoted(&path.display().to_string()))),
            None => {
                words.push(format!("--accounts {}", self.accounts.unwrap_or(config.accounts)));
                words.push(format!("--seed {}", self.seed.unwrap_or(config.seed)));
            }
        }
        words.extend(number("balance", self.balance.as_deref().map(quoted)));
        words.push(format!("--step {}", self.step.unwrap_or(config.step_ms / 1_000)));
        words.extend(self.path.knobs().into_iter().filter_map(|(name, value)| number(name, value)));
        words.extend(self.knobs().into_iter().filter_map(|(name, value)| number(name, value)));
        words.join(" ")
    }

    fn knobs(&self) -> Vec<(&'static str, Option<String>)> {
        let (p, q, l) = (&self.population_knobs, &self.liquidity, &self.ladder);
        vec![
            ("long-share", p.long_share.clone()),
            ("isolated-share", p.isolated_share.clone()),
            ("coin-share", p.coin_share.clone()),
            ("order-share", p.order_share.clone()),
            ("depth", q.depth.clone()),
            ("spread-bps", q.spread_bps.clone()),
            ("gap-bps", q.gap_bps.clone()),
            ("calm-bps", q.calm_bps.clone()),
            ("inventory", q.inventory.clone()),
            ("feedback", q.feedback.clone()),
            ("feedback-half-life", q.feedback_half_life.clone()),
            ("makers", q.makers.map(|n| n.to_string())),
            ("levels", q.levels.map(|n| n.to_string())),
            ("taker-fee", l.taker_fee.clone()),
            ("maker-fee", l.maker_fee.clone()),
            ("liquidation-fee", l.liquidation_fee.clone()),
            ("target", l.target.clone()),
            ("takeover", l.takeover.clone()),
            ("band", l.band.clone()),
            ("depth-share", l.depth_share.clone()),
            ("pause-ms", l.pause_ms.map(|n| n.to_string())),
            ("fund", l.fund.clone()),
            ("fund-limit", l.fund_limit.clone()),
            ("backstops", l.backstops.map(|n| n.to_string())),
            ("backstop-limit", l.backstop_limit.clone()),
            ("adl-price", l.adl_price.clone()),
            ("liquidation-policy", l.liquidation_policy.clone()),
            ("fraction", l.fraction.clone()),
            ("whole-below", l.whole_below.clone()),
            ("cooldown-ms", l.cooldown_ms.map(|n| n.to_string())),
            ("tiers-down", l.tiers_down.map(|n| n.to_string())),
            ("adl-policy", l.adl_policy.clone()),
        ]
    }
}

impl LiquidityArgs {
    fn feedback(&self) -> Result<Option<FeedbackKnobs>, Failure> {
        let Some(text) = self.feedback.as_deref() else { return Ok(None) };
        let impact = percent("feedback", text)?;
        let half_life = minutes("feedback-half-life", self.feedback_half_life.as_deref().unwrap_or("10m"))?;
        Ok(Some(FeedbackKnobs { impact, half_life_ms: i64::from(half_life) * 60_000 }))
    }
}

impl LadderArgs {
    /// The liquidation policy and what belongs to it.
    fn policy(&self, usual: LiquidationPolicy) -> Result<LiquidationPolicy, Failure> {
        Ok(match self.liquidation_policy.as_deref() {
            None => usual,
            Some("to-target") => LiquidationPolicy::ToTarget,
            Some("full-close") => LiquidationPolicy::FullClose,
            Some("tier-step-down") => LiquidationPolicy::TierStepDown { tiers: self.tiers_down.unwrap_or(1) },
            Some("fraction") => {
                let mut share = Rate::bps(2_000);
                set(&mut share, "fraction", self.fraction.as_deref(), 0)?;
                let whole = self.whole_below.as_deref().unwrap_or("100000");
                let whole_below =
                    whole.parse().map_err(|_| refused("whole-below", whole, "an amount such as 100000"))?;
                let cooldown_ns = self.cooldown_ms.unwrap_or(30_000).saturating_mul(1_000_000);
                LiquidationPolicy::Fraction { share, whole_below, cooldown_ns }
            }
            Some(other) => {
                let policies = "to-target, full-close, fraction or tier-step-down";
                return Err(refused("liquidation-policy", other, policies));
            }
        })
    }
}

/// Reads a rate that is given in units of 10^−`shift`: 4 for basis points.
fn set(knob: &mut Rate, name: &str, text: Option<&str>, shift: u32) -> Result<(), Failure> {
    let Some(text) = text else { return Ok(()) };
    let units = Decimal::parse(text).and_then(|d| d.to_units(9 - shift));
    let rate = units.and_then(|u| i64::try_from(u).ok()).and_then(Rate::new);
    *knob = rate.ok_or_else(|| refused(name, text, "a decimal number such as 0.05"))?;
    Ok(())
}

fn refused(name: &str, text: &str, expected: &str) -> Failure {
    Failure::usage(format!("{name} cannot be `{text}`\n  expected: {expected}"))
}

fn quoted(path: &str) -> String {
    let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/@".contains(&b));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// Unix milliseconds, or `2025-10-10T19:00:00Z`, or its beginning: a day, an hour and a minute.
fn moment(text: &str) -> Result<i64, Failure> {
    let problem = || refused("time", text, "2025-10-10T19:00:00Z or Unix milliseconds");
    if text.len() > 10 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map_err(|_| problem());
    }
    let stem = text.trim_end_matches('Z');
    let rest = if matches!(stem.len(), 10 | 13 | 16 | 19) { "2000-01-01T00:00:00Z".get(stem.len()..) } else { None };
    let time = rest.and_then(|rest| sim::scenario::moment(&format!("{stem}{rest}")));
    time.map(|time| time.ns() / 1_000_000).ok_or_else(problem)
}

/// A moment as the engine has it.
///
/// # Errors
/// As an option that takes a time.
pub fn time(text: &str) -> Result<Time, Failure> {
    Time::from_ms(moment(text)?).ok_or_else(|| refused("time", text, "a time between 1970 and 2262"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form() {
        for (text, ms) in [
            ("2025-10-10T21:15:00Z", 1_760_130_900_000),
            ("2025-10-10T21:15", 1_760_130_900_000),
            ("2025-10-10", 1_760_054_400_000),
            ("1760130900000", 1_760_130_900_000),
        ] {
            assert_eq!(moment(text).ok(), Some(ms), "{text}");
        }
        for text in ["", "yesterday", "2025-13-01", "2025-10-10T21:15:00+02:00", "21:15"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn knobs_are_decimals_and_come_back_in_the_reproduce_line() {
        let mut args = Args { name: Some("2025-10-10".into()), ..Args::default() };
        args.liquidity.spread_bps = Some("2.5".into());
        args.ladder.fund = Some("1e-3".into());
        let config = args.config(Config::default()).ok().unwrap();
        assert_eq!((config.liquidity.spread, config.ladder.fund), (Rate::new(250_000).unwrap(), Rate::bps(10)));
        assert_eq!(
            args.reproduce(),
            "plimsoll replay 2025-10-10 --accounts 100000 --seed 1 --step 10 --spread-bps 2.5 --fund 1e-3"
        );
        args.ladder.fund = Some("a lot".into());
        assert!(args.config(Config::default()).is_err());
    }
}
