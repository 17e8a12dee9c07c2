//! `plimsoll sim`: seeds in, what happened to their venues out.

use crate::out;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sim::simulator::{Judging, Report, run_many};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

/// What `plimsoll sim` takes.
#[derive(clap::Args)]
#[command(after_help = "\
A seed is a whole venue on one thread, as many at a time as there are cores: clients, clock, feeds, node, journal and a disk in memory, and what goes wrong with each is drawn
from the seed. docs/simulator.md has the faults and the promises. A failure prints the one command that repeats it.

Exit codes: 0 every promise was kept, 1 one was not, 2 usage.

Examples:
  plimsoll sim --seed 7
  plimsoll sim --seed 1 --seeds 200 --commands 1800
  plimsoll sim --seed 1 --seeds 20 --judge always --json")]
pub struct Args {
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Commands that the clients of each ask for, after the venue is set up
    #[arg(long, value_name = "N", default_value_t = 1_800, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    commands: u64,
    /// Of which runs the slow referee judges every command
    #[arg(long, value_enum, default_value_t)]
    judge: JudgeArg,
    /// Seeds at a time; as many as there are cores, unless it is said
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Print one JSON object (plimsoll.sim/1)
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum JudgeArg {
    /// None
    Never,
    /// One in eight
    #[default]
    Sample,
    /// All
    Always,
}

/// Simulates and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    let judging = match args.judge {
        JudgeArg::Never => Judging::Never,
        JudgeArg::Sample => Judging::Sample,
        JudgeArg::Always => Judging::Always,
    };
    let bar = ProgressBar::new(args.seeds);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} seed {pos} of {len}, {eta} left") {
        bar.set_style(style);
    }
    let begin = Instant::now();
    let seeds = args.seed..args.seed.saturating_add(args.seeds);
    let jobs = args.jobs.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let ran = run_many(seeds, args.commands, judging, jobs, &|ended| bar.inc(ended));
    bar.finish_and_clear();
    let report = match ran {
        Ok(report) => report,
        Err(failure) => {
            let text = match args.json {
                true => format!(
                    "{:#}\n",
                    json!({
                        "schema": "plimsoll.sim/1", "kept": false, "seed": failure.seed,
                        "commands": failure.commands, "what": failure.what, "last": failure.last,
                    })
                ),
                false => format!("{failure}\n"),
            };
            out::print(&text);
            return ExitCode::from(1);
        }
    };
    let seconds = begin.elapsed().as_secs_f64();
    out::print(&if args.json { as_json(&report) } else { format!("{report}\nevery promise was kept\n") });
    let rate = report.commands as f64 / seconds.max(1e-9);
    out::print_error(&format!("{seconds:.1} s, {rate:.0} commands a second\n"));
    ExitCode::SUCCESS
}

fn as_json(report: &Report) -> String {
    let value = json!({
        "schema": "plimsoll.sim/1",
        "kept": true,
        "seeds": report.seeds,
        "commands": report.commands,
        "judged": report.judged,
        "batches": report.batches,
        "told": report.told,
        "told_again": report.again,
        "power_failures": report.crashes,
        "kills": report.kills,
        "stops": report.stops,
        "dropped_tails": report.dropped,
        "without_room": report.no_room,
        "rotten_copies": report.rotten,
        "snapshots": report.snapshots,
        "spoiled_prices": report.spoiled,
        "unpaid_deficits": report.unpaid,
        "quiet_ticks": report.quiet,
    });
    format!("{value:#}\n")
}
