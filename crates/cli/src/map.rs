//! `plimsoll map`: a scenario or a moment of a replay in, the liquidation map of its venue out. It reads files and prints; the map
//! is the engine's.

mod show;

use crate::replay::{self, Failure};
use crate::{out, replay::percent};
use engine::{AccountId, Engine, LiquidationMap, MarketId, Moved, Shock};
use sim::scenario;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use units::{Rate, Time};

/// What `plimsoll map` takes.
#[derive(clap::Args)]
#[command(after_help = "\
A subaccount stands at the first price on each side of now at which it is below its line. Without --market the marks of all markets move by
the same share, with the collateral on their indices; with it one mark moves alone. docs/map.md says what that means and what may not be
concluded.

Exit codes: 0 done, 1 a scenario whose promises do not hold, 2 usage, or a scenario or figures that cannot be used, 3 a file that cannot be read.

Examples:
  plimsoll map scenarios/map/two_markets.txt --step 5%
  plimsoll map scenarios/map/two_markets.txt --market BTC-PERP
  plimsoll map --replay '2025-10-10 --accounts 5000' --at 2025-10-10T21:00:00Z --step 5%
  plimsoll map --replay '2025-10-10 --population mine.csv' --json | jq '.maps[0].steps[] | {moved, subaccounts}'")]
pub struct Args {
    /// The scenario: its venue after its last line
    #[arg(value_name = "SCENARIO", required_unless_present = "replay", conflicts_with = "replay")]
    scenario: Option<PathBuf>,
    /// The population of a replay instead: what would stand after `plimsoll replay`, in quotes. Accounts of your own: --population FILE
    /// among it
    #[arg(long, value_name = "'DAY OPTIONS'")]
    replay: Option<String>,
    /// At which moment of the replay: after the first price that is not before it [default: after its first price]
    #[arg(long, value_name = "TIME", conflicts_with = "scenario")]
    at: Option<String>,
    /// Only this mark moves; repeatable
    #[arg(long, value_name = "NAME")]
    market: Vec<String>,
    /// Width of a step, share of the prices of now
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    step: String,
    /// How far down, in whole steps below 100%
    #[arg(long, value_name = "SHARE", default_value = "50%")]
    down: String,
    /// How far up, in whole steps up to 1000%
    #[arg(long, value_name = "SHARE", default_value = "100%")]
    up: String,
    /// Print one JSON object (plimsoll.map/1): all marks at once and each alone, or those of --market
    #[arg(long)]
    json: bool,
}

/// A venue at a moment, and whose map is drawn.
struct Venue {
    engine: Engine,
    /// Those before it are makers, volunteers and funds of a replay.
    from: AccountId,
    source: String,
}

/// Draws and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    match map(args) {
        Ok(text) => {
            out::print(&text);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            out::print_error(&format!("error: {failure}\n"));
            failure.code()
        }
    }
}

fn map(args: &Args) -> Result<String, Failure> {
    let [step, down, up] = [("step", &args.step), ("down", &args.down), ("up", &args.up)]
        .map(|(name, text)| percent(name, text.trim()).map(|rate| (rate, text)));
    let (step, down, up) = (step?.0, down?, up?);
    if !step.is_positive() {
        return Err(Failure::usage(format!(
            "step cannot be `{}`\n  expected: a share above zero, such as 5%",
            args.step
        )));
    }
    let (down, up) = (steps("down", down.0, down.1, step)?, steps("up", up.0, up.1, step)?);
    shock(Moved::All, step, down, up)?; // before a file is read
    let venue = match (&args.scenario, &args.replay) {
        (Some(path), _) => of_scenario(path)?,
        (None, Some(line)) => of_replay(line, args.at.as_deref())?,
        (None, None) => return Err(Failure::usage("name a scenario, or give --replay".to_owned())),
    };
    let marks = marks(&venue.engine, &args.market)?;
    let draw = |moved| drawn(&venue, &shock(moved, step, down, up)?);
    let maps = match (marks.is_empty(), args.json) {
        (false, _) => marks.into_iter().map(|m| draw(Moved::Mark(m))).collect::<Result<Vec<_>, _>>()?,
        (true, false) => vec![draw(Moved::All)?],
        (true, true) => {
            let each = (0..venue.engine.state().markets.len()).map(|m| Moved::Mark(MarketId::at(m)));
            std::iter::once(Moved::All).chain(each).map(draw).collect::<Result<Vec<_>, _>>()?
        }
    };
    let state = venue.engine.state();
    Ok(if args.json { show::json(state, &venue.source, &maps) } else { show::text(state, &maps) })
}

/// How many steps make a distance.
fn steps(name: &str, distance: Rate, text: &str, step: Rate) -> Result<u16, Failure> {
    let count = distance.units().checked_div(step.units()).filter(|n| n * step.units() == distance.units());
    count.and_then(|n| u16::try_from(n).ok()).ok_or_else(|| {
        Failure::usage(format!(
            "{name} cannot be `{text}`\n  expected: a whole number of steps, such as --step 5% --{name} 40%"
        ))
    })
}

fn shock(moved: Moved, step: Rate, down: u16, up: u16) -> Result<Shock, Failure> {
    Shock::new(moved, step, down, up).ok_or_else(|| {
        Failure::usage(format!(
            "a map cannot have {down} steps down and {up} up of {}\n  expected: at most {} on each side, down by less than 100%, up by at most 1000%",
            show::share(step),
            engine::limits::MAP_STEPS_MAX
        ))
    })
}

fn drawn(venue: &Venue, shock: &Shock) -> Result<LiquidationMap, Failure> {
    let state = venue.engine.state();
    let of = |id| state.parent_of(id) >= venue.from;
    venue.engine.liquidation_map(shock, &of).map_err(|reject| Failure::usage(reject.to_string()))
}

/// Markets by name.
fn marks(engine: &Engine, names: &[String]) -> Result<Vec<MarketId>, Failure> {
    let markets = &engine.state().markets;
    let all = || markets.iter().map(|m| m.params.name.as_str()).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        let at = markets.iter().position(|m| m.params.name.as_str() == name);
        at.map(MarketId::at).ok_or_else(|| Failure::usage(format!("there is no market {name}\n  hint: {}", all())))
    };
    names.iter().map(find).collect()
}

fn of_scenario(path: &Path) -> Result<Venue, Failure> {
    let file = path.display().to_string();
    if path.extension().is_some_and(|ending| ending == "csv" || ending == "parquet") {
        let hint = format!("--replay '2025-10-10 --population {file}' has these accounts at the prices of that day");
        return Err(Failure::usage(format!("{file} is no scenario\n  hint: {hint}")));
    }
    let text = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(why)) => return Err(Failure::usage(format!("{file}: expected UTF-8 text: {why}"))),
        Err(why) => return Err(Failure::file(path, &why.to_string())),
    };
    // The commands of the run, and the last engine that they leave.
    let report = scenario::run(&text).map_err(|error| Failure::usage(error.show(&file, &text)))?;
    let mut engine = Engine::new();
    for (at, command) in &report.commands {
        let _ = engine.apply(*at, command); // refused as in the scenario, which says what it expects
        engine.end_batch();
    }
    Ok(Venue { engine, from: AccountId(0), source: file })
}

fn of_replay(line: &str, at: Option<&str>) -> Result<Venue, Failure> {
    let (engine, from) = replay::venue_at(&replay::line(line)?, at)?;
    let now: Time = engine.state().now;
    Ok(Venue { engine, from, source: format!("plimsoll replay {line}, at {now}") })
}
