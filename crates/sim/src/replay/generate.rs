//! Paths that did not happen: a shock, a random walk, jumps, a gap, a flash crash and rebound, beginning at the first prices
//! of a replay. Whole numbers only, so that they are the same on every machine. Candles of a minute.

use super::draw::Draw;
use super::figures::{Sources, Window};
use super::rows::{FILE_DECIMALS, RawCandle, RawSeries, RawTable};
use super::{ReplayError, RowError};
use units::{Rate, Round, limits};

const MINUTE_MS: i64 = 60_000;
/// One in units of a rate.
const ONE: i128 = 1_000_000_000;
/// No price falls below this share of its first.
const LEAST: i128 = ONE / 1_000;
/// Nor rises above this many times its first, which no price fits.
const MOST: i128 = ONE * 1_000_000_000_000;

/// A path to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its kind.
    pub kind: Kind,
    /// Minutes in all.
    pub minutes: u32,
    /// How much of the common move markets without one of their own follow, 0 to 2.
    pub beta: Rate,
    /// Which path, of the random ones.
    pub seed: u64,
}

/// How prices move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In a straight line to a share of the first price, over some minutes, and then still. Markets by the beginning of their
    /// symbol; the others move by β × the mean.
    Shock {
        /// Beginning of a symbol, and the move.
        moves: Vec<(String, Rate)>,
        /// Minutes.
        over: u32,
    },
    /// Every minute a step of this standard deviation: four fifths of each market's are common to all.
    RandomWalk {
        /// Per minute.
        volatility: Rate,
    },
    /// The same with jumps of either sign, common to all.
    Jumps {
        /// Per minute.
        volatility: Rate,
        /// Size of a jump.
        jump: Rate,
        /// Jumps per hour, on average.
        per_hour: u32,
    },
    /// A quarter of the time still, then one candle opens this much away.
    Gap {
        /// The move.
        gap: Rate,
    },
    /// Down in a straight line and back by a share of it.
    FlashCrash {
        /// The fall.
        fall: Rate,
        /// Minutes down, and as many back.
        over: u32,
        /// How much of the fall comes back, 0 to 1.
        rebound: Rate,
    },
}

fn knob(name: &str, asked: String, allowed: &str) -> ReplayError {
    ReplayError::Knob { name: name.to_owned(), asked, allowed: allowed.to_owned() }
}

/// The sources of a replay with its prices after the window's first replaced by a path; marks and funding are left out, since
/// they belong to other prices.
///
/// # Errors
/// A move to nothing or below, no time to move in, a symbol that is not there, a window that has no candle.
pub fn generate(base: &Sources, window: &Window, plan: &Plan) -> Result<Sources, ReplayError> {
    check(plan)?;
    let chosen =
        base.prices.series.iter().filter(|(symbol, _)| window.symbols.is_empty() || window.symbols.contains(symbol));
    let mut starts: Vec<(String, i64, i128)> = Vec::new();
    for (symbol, series) in chosen {
        let from = window.from_ms.unwrap_or(series.start_ms);
        let at = (from - series.start_ms).checked_div(base.prices.interval_ms).and_then(|n| usize::try_from(n).ok());
        let candle = at.and_then(|at| series.candles.get(at)).ok_or_else(|| RowError {
            file: base.prices.file.clone(),
            row: None,
            what: format!("{symbol} has no price to begin with at {from}"),
            expected: "a candle at the beginning of the window".into(),
            hint: "choose with --from and --symbols".into(),
        })?;
        starts.push((symbol.clone(), from, candle.open));
    }
    let moves = moves(plan, &starts)?;
    let volume = 1;
    let mut series = std::collections::BTreeMap::new();
    for ((symbol, start_ms, first), steps) in starts.iter().zip(moves) {
        let grain = grain(*first);
        let at = |share: i128| {
            let price = units::mul_div(*first, share.max(LEAST), ONE, Round::Down).unwrap_or(i128::MAX);
            (price - price % grain).max(grain)
        };
        let candles = steps.iter().map(|(open, close)| {
            let (open, close) = (at(*open), at(*close));
            RawCandle { open, high: open.max(close), low: open.min(close), close, volume }
        });
        series.insert(symbol.clone(), RawSeries { start_ms: *start_ms, candles: candles.collect() });
    }
    let prices = RawTable { file: base.prices.file.clone(), interval_ms: MINUTE_MS, series };
    let notes = base.notes.iter().filter(|n| !["prices:", "marks:", "funding:"].iter().any(|k| n.starts_with(k)));
    let mut notes: Vec<String> = notes.cloned().collect();
    notes.insert(0, format!("prices: GENERATED, {}; they begin at the first prices of {}", plan.text(), base.name));
    let turnover = super::figures::turnovers(base);
    Ok(Sources {
        name: format!("{} {}", base.name, plan.label()),
        notes,
        prices,
        marks: None,
        funding: None,
        turnover,
        tiers: base.tiers.clone(),
        generated: true,
    })
}

/// The step of generated prices: the eighth digit, so that a contract stays one base unit; finer only where a price would keep
/// fewer than nine digits.
fn grain(first: i128) -> i128 {
    10i128.pow(first.max(1).ilog10().saturating_sub(8).min(FILE_DECIMALS - limits::PRICE_DECIMALS))
}

fn check(plan: &Plan) -> Result<(), ReplayError> {
    let minutes = |name: &str, n: u32| {
        if n >= 1 && n <= plan.minutes {
            Ok(())
        } else {
            Err(knob(name, format!("{n} minutes"), &format!("1 minute to the length of the path, {}", plan.minutes)))
        }
    };
    let fall = |name: &str, rate: Rate| {
        let good = rate.units() > -999_000_000 && i128::from(rate.units()) <= 9 * ONE;
        if good { Ok(()) } else { Err(knob(name, percent(rate), "above -99.9%, at most 900%")) }
    };
    let volatility = |rate: Rate| {
        let good = rate.is_positive() && rate <= Rate::bps(1_000);
        if good { Ok(()) } else { Err(knob("volatility", percent(rate), "above 0, at most 10% per minute")) }
    };
    if !(4..=1_440 * 7).contains(&plan.minutes) {
        return Err(knob("length", format!("{} minutes", plan.minutes), "4 minutes to a week"));
    }
    if plan.beta.is_negative() || i128::from(plan.beta.units()) > 2 * ONE {
        return Err(knob("others", percent(plan.beta), "0 to 200%"));
    }
    match &plan.kind {
        Kind::Shock { moves, over } => {
            minutes("over", *over)?;
            moves.iter().try_for_each(|(_, rate)| fall("shock", *rate))
        }
        Kind::RandomWalk { volatility: v } => volatility(*v),
        Kind::Jumps { volatility: v, jump, per_hour } => {
            volatility(*v)?;
            fall("jump", *jump)?;
            if (1..=60).contains(per_hour) {
                Ok(())
            } else {
                Err(knob("jumps-per-hour", per_hour.to_string(), "1 to 60"))
            }
        }
        Kind::Gap { gap } => fall("gap", *gap),
        Kind::FlashCrash { fall: f, over, rebound } => {
            minutes("over", over.saturating_mul(2))?;
            fall("fall", *f)?;
            let good = !rebound.is_negative() && *rebound <= Rate::ONE;
            if good { Ok(()) } else { Err(knob("rebound", percent(*rebound), "0 to 100%")) }
        }
    }
}

/// Open and close of every minute of every market, as shares of its first price, 1e-9.
type Steps = Vec<Vec<(i128, i128)>>;

fn moves(plan: &Plan, starts: &[(String, i64, i128)]) -> Result<Steps, ReplayError> {
    let minutes = i128::from(plan.minutes);
    let beta = i128::from(plan.beta.units());
    // A straight line between points (minute, share): where it is at a minute.
    let line = |points: &[(i128, i128)], at: i128| -> i128 {
        let after = points.iter().position(|(m, _)| *m > at).unwrap_or(points.len());
        match (after.checked_sub(1).and_then(|n| points.get(n)), points.get(after)) {
            (Some((m0, s0)), Some((m1, s1))) => s0 + (s1 - s0) * (at - m0) / (m1 - m0).max(1),
            (Some((_, s)), None) | (None, Some((_, s))) => *s,
            (None, None) => ONE,
        }
    };
    let along = |points: &[(i128, i128)]| -> Vec<(i128, i128)> {
        (0..minutes).map(|m| (line(points, m), line(points, m + 1))).collect()
    };
    match &plan.kind {
        Kind::Shock { moves, over } => {
            for (prefix, _) in moves {
                if !starts.iter().any(|(symbol, ..)| symbol.starts_with(prefix.as_str())) {
                    let known: Vec<&str> = starts.iter().map(|(symbol, ..)| symbol.as_str()).collect();
                    return Err(knob(
                        "shock",
                        prefix.clone(),
                        &format!("the beginning of one of {}", known.join(", ")),
                    ));
                }
            }
            let count = i128::try_from(moves.len()).unwrap_or(1).max(1);
            let mean = moves.iter().map(|(_, rate)| i128::from(rate.units())).sum::<i128>() / count;
            let own = |symbol: &str| moves.iter().find(|(prefix, _)| symbol.starts_with(prefix.as_str()));
            let to = |symbol: &str| own(symbol).map_or(mean * beta / ONE, |(_, rate)| i128::from(rate.units()));
            let path = |symbol: &str| along(&[(0, ONE), (i128::from(*over), ONE + to(symbol))]);
            Ok(starts.iter().map(|(symbol, ..)| path(symbol)).collect())
        }
        Kind::Gap { gap } => {
            let (at, to) = (minutes / 4, ONE + i128::from(gap.units()));
            let step = |m: i128| if m < at { (ONE, ONE) } else { (to, to) };
            Ok(starts.iter().map(|_| (0..minutes).map(step).collect()).collect())
        }
        Kind::FlashCrash { fall, over, rebound } => {
            let (over, fall) = (i128::from(*over), i128::from(fall.units()));
            let back = fall - fall * i128::from(rebound.units()) / ONE;
            let points = [(0, ONE), (over, ONE + fall), (2 * over, ONE + back)];
            Ok(starts.iter().map(|_| along(&points)).collect())
        }
        Kind::RandomWalk { volatility } => Ok(walk(plan, starts.len(), *volatility, None)),
        Kind::Jumps { volatility, jump, per_hour } => {
            Ok(walk(plan, starts.len(), *volatility, Some((i128::from(jump.units()), *per_hour))))
        }
    }
}

/// Every minute each price moves by volatility × (4 common + 3 own) ÷ 5, both nearly normal, and by a jump when one comes.
fn walk(plan: &Plan, markets: usize, volatility: Rate, jump: Option<(i128, u32)>) -> Steps {
    let mut common = Draw::new(plan.seed, u64::MAX);
    let mut own: Vec<Draw> = (0u64..).take(markets).map(|n| Draw::new(plan.seed, n)).collect();
    let mut at = vec![ONE; markets];
    let mut steps: Steps = vec![Vec::new(); markets];
    for _ in 0..plan.minutes {
        let shared = normal(&mut common);
        let jumps = jump.filter(|(_, per_hour)| common.below(60) < u64::from(*per_hour));
        let sign = if common.below(2) == 0 { 1 } else { -1 };
        for ((price, draw), row) in at.iter_mut().zip(&mut own).zip(&mut steps) {
            let open = *price;
            let z = (4 * shared + 3 * normal(draw)) / 5;
            let mut close = open + open * i128::from(volatility.units()) / ONE * z / 1_000_000;
            if let Some((size, _)) = jumps {
                close += close * size / ONE * sign;
            }
            *price = close.clamp(LEAST, MOST);
            row.push((open, *price));
        }
    }
    steps
}

/// The sum of twelve even draws less six, in millionths: mean 0, standard deviation 1, never beyond six.
fn normal(draw: &mut Draw) -> i128 {
    let sum: u64 = (0..12).map(|_| draw.below(1_000_001)).sum();
    i128::from(sum) - 6_000_000
}

fn percent(rate: Rate) -> String {
    let hundredths = i128::from(rate.units()) * 100 / 10_000_000;
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}%", hundredths.abs() / 100, hundredths.abs() % 100)
}

impl Plan {
    /// A short name.
    fn label(&self) -> &'static str {
        match self.kind {
            Kind::Shock { .. } => "shock",
            Kind::RandomWalk { .. } => "random walk",
            Kind::Jumps { .. } => "jumps",
            Kind::Gap { .. } => "gap",
            Kind::FlashCrash { .. } => "flash crash",
        }
    }

    /// What it is, in words.
    fn text(&self) -> String {
        let what = match &self.kind {
            Kind::Shock { moves, over } => {
                let moves: Vec<String> =
                    moves.iter().map(|(symbol, rate)| format!("{symbol} {}", percent(*rate))).collect();
                format!("shock {} over {over} minutes, others {} of the mean", moves.join(", "), percent(self.beta))
            }
            Kind::RandomWalk { volatility } => {
                format!("random walk, {} a minute, seed {}", percent(*volatility), self.seed)
            }
            Kind::Jumps { volatility, jump, per_hour } => format!(
                "random walk, {} a minute, with jumps of {} about {per_hour} times an hour, seed {}",
                percent(*volatility),
                percent(*jump),
                self.seed
            ),
            Kind::Gap { gap } => format!("gap of {} after a quarter of the time", percent(*gap)),
            Kind::FlashCrash { fall, over, rebound } => {
                format!(
                    "flash crash of {} over {over} minutes, {} of it back over as many",
                    percent(*fall),
                    percent(*rebound)
                )
            }
        };
        format!("{what}, {} minutes in all", self.minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: Kind) -> Plan {
        Plan { kind, minutes: 20, beta: Rate::ONE, seed: 1 }
    }

    fn base() -> Sources {
        super::super::named("2025-10-10").unwrap()
    }

    fn closes(kind: Kind, symbol: &str) -> Vec<i128> {
        let sources = generate(&base(), &Window::default(), &plan(kind)).unwrap();
        let series = &sources.prices.series[symbol];
        std::iter::once(series.candles[0].open).chain(series.candles.iter().map(|c| c.close)).collect()
    }

    #[test]
    fn a_shock_ends_where_it_says_and_others_follow_by_beta() {
        let moves = vec![("BTC".to_owned(), Rate::bps(-3_000))];
        let shock = Plan { beta: Rate::bps(5_000), ..plan(Kind::Shock { moves, over: 10 }) };
        let sources = generate(&base(), &Window::default(), &shock).unwrap();
        for (symbol, thousandths) in [("BTCUSDT", 700), ("ETHUSDT", 850)] {
            let candles = &sources.prices.series[symbol].candles;
            let (first, last) = (candles[0].open, candles[19].close);
            assert_eq!(last, first * thousandths / 1_000, "{symbol}");
            assert_eq!(candles[9].close, last, "{symbol} is there after ten minutes");
            assert_eq!(candles[4].close, first * (1_000 + thousandths) / 2_000, "{symbol} is half way after five");
        }
    }

    #[test]
    fn a_gap_opens_away_and_a_flash_crash_comes_back() {
        let gap = closes(Kind::Gap { gap: Rate::bps(-1_000) }, "BTCUSDT");
        assert_eq!((gap[5], gap[6]), (gap[0], gap[0] * 9 / 10));
        let crash = Kind::FlashCrash { fall: Rate::bps(-4_000), over: 5, rebound: Rate::bps(7_500) };
        let crash = closes(crash, "ETHUSDT");
        assert_eq!((crash[5], crash[10], crash[20]), (crash[0] * 6 / 10, crash[0] * 9 / 10, crash[0] * 9 / 10));
    }

    #[test]
    fn contracts_of_generated_prices_are_those_of_the_real_ones() {
        let window = Window { symbols: vec!["BTCUSDT".into(), "ETHUSDT".into()], ..Window::default() };
        for kind in [
            Kind::RandomWalk { volatility: Rate::bps(10) },
            Kind::Shock { moves: vec![("BTC".into(), Rate::bps(-3_000))], over: 7 },
        ] {
            let made = generate(&base(), &window, &plan(kind)).unwrap();
            let figures = super::super::Figures::new(&made, &window).unwrap();
            assert!(figures.markets.iter().all(|m| m.power == 0));
        }
    }

    #[test]
    fn a_path_too_high_is_refused_and_does_not_overflow() {
        let jumps = Kind::Jumps { volatility: Rate::bps(10), jump: Rate::new(9_000_000_000).unwrap(), per_hour: 60 };
        let wild = Plan { minutes: 1_440 * 7, ..plan(jumps) };
        let made = generate(&base(), &Window::default(), &wild);
        assert!(made.is_err() || super::super::Figures::new(&made.unwrap(), &Window::default()).is_err());
    }

    #[test]
    fn a_walk_is_the_same_for_a_seed_and_has_its_spread() {
        let kind = || Kind::RandomWalk { volatility: Rate::bps(10) };
        assert_eq!(closes(kind(), "BTCUSDT"), closes(kind(), "BTCUSDT"));
        assert_ne!(closes(kind(), "BTCUSDT"), closes(kind(), "ETHUSDT"));
        let mut draw = Draw::new(7, 7);
        let draws: Vec<i128> = (0..10_000).map(|_| normal(&mut draw)).collect();
        let mean = draws.iter().sum::<i128>() / 10_000;
        let variance = draws.iter().map(|z| z * z / 1_000_000).sum::<i128>() / 10_000;
        assert!(mean.abs() < 30_000 && (970_000..1_030_000).contains(&variance), "{mean} {variance}");
    }

    #[test]
    fn nonsense_is_refused_with_what_is_allowed() {
        let shock = |rate, over| Kind::Shock { moves: vec![("BTC".into(), rate)], over };
        for (kind, wanted) in [
            (shock(-Rate::ONE, 5), "shock cannot be -100.00%"),
            (shock(Rate::bps(-100), 0), "over cannot be 0 minutes"),
            (shock(Rate::bps(-100), 21), "over cannot be 21 minutes"),
            (Kind::Shock { moves: vec![("XYZ".into(), Rate::bps(-100))], over: 5 }, "shock cannot be XYZ"),
            (Kind::RandomWalk { volatility: Rate::ZERO }, "volatility cannot be 0.00%"),
        ] {
            let text = generate(&base(), &Window::default(), &plan(kind)).unwrap_err().to_string();
            assert!(text.contains(wanted), "{text}");
        }
    }
}
