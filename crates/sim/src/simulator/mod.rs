//! A whole venue on one thread, with everything going wrong that can: power failures at any write or sync, restarts, full and
//! rotting disks, clients that repeat, reorder and lose, feeds that lie, clocks that jump.
//!
//! What goes wrong and how often is drawn once for each seed. After the faults comes a quiet time in which the liquidation queue
//! must drain; then the journal is read from its beginning, and compared with what every client was told. The same seed does the
//! same, so a failure is repeated by its seed.

mod check;
mod feed;
mod world;

use crate::random::Dice;
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use world::World;

/// Which commands the slow referee judges, from the journal, when a run has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Judging {
    /// None.
    Never,
    /// All of one run in eight.
    #[default]
    Sample,
    /// All of every run.
    Always,
}

/// What happened in a run, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs.
    pub seeds: u64,
    /// Commands in the journals at the end.
    pub commands: u64,
    /// Of which the referee judged.
    pub judged: u64,
    /// Batches that were made durable.
    pub batches: u64,
    /// Answers that were told.
    pub told: u64,
    /// Of which to requests that were sent again.
    pub again: u64,
    /// Power failures.
    pub crashes: u64,
    /// Processes that were killed.
    pub kills: u64,
    /// Stops in order.
    pub stops: u64,
    /// Tails that were dropped.
    pub dropped: u64,
    /// Commands that found no room.
    pub no_room: u64,
    /// Copies of the disk with a byte turned.
    pub rotten: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Price commands that a feed spoiled.
    pub spoiled: u64,
    /// Accounts left with a deficit that nobody had the means to pay.
    pub unpaid: u64,
    /// Ticks of quiet until the liquidation queue was empty, the most of any run.
    pub quiet: u64,
}

impl Report {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        let Self { seeds, commands, judged, batches, told, again, crashes, kills, stops, .. } = *other;
        for (sum, n) in [
            (&mut self.seeds, seeds),
            (&mut self.commands, commands),
            (&mut self.judged, judged),
            (&mut self.batches, batches),
            (&mut self.told, told),
            (&mut self.again, again),
            (&mut self.crashes, crashes),
            (&mut self.kills, kills),
            (&mut self.stops, stops),
            (&mut self.dropped, other.dropped),
            (&mut self.no_room, other.no_room),
            (&mut self.rotten, other.rotten),
            (&mut self.snapshots, other.snapshots),
            (&mut self.spoiled, other.spoiled),
            (&mut self.unpaid, other.unpaid),
        ] {
            *sum += n;
        }
        self.quiet = self.quiet.max(other.quiet);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, commands, judged, batches, told, again, crashes, kills, stops, .. } = self;
        writeln!(
            f,
            "{seeds} seeds, {commands} commands, {judged} of them judged by the referee, in {batches} batches"
        )?;
        writeln!(f, "{told} answers told, {again} of them to requests sent again")?;
        writeln!(f, "{crashes} power failures, {kills} kills, {stops} stops; {} tails dropped", self.dropped)?;
        write!(
            f,
            "{} commands without room, {} rotten copies, {} snapshots, {} spoiled prices\n\
             liquidation queues drained in at most {} quiet ticks; {} deficits that nobody had the means to pay",
            self.no_room, self.rotten, self.snapshots, self.spoiled, self.quiet, self.unpaid
        )
    }
}

/// A run that broke a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// How many commands it was asked for: the fewest with which it fails.
    pub commands: u64,
    /// Which promise, and how.
    pub what: String,
    /// The last commands before it was seen, as JSON.
    pub last: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, commands, what, last } = self;
        writeln!(f, "seed {seed}: {what}")?;
        for line in last {
            writeln!(f, "  {line}")?;
        }
        write!(f, "repeat: plimsoll sim --seed {seed} --commands {commands} --judge always")
    }
}

/// Runs a seed with so many commands.
///
/// # Errors
/// The failure, with the fewest commands found that still fail.
pub fn run(seed: u64, commands: u64, judging: Judging) -> Result<Report, Box<Failure>> {
    match once(seed, commands, judging) {
        Ok(report) => Ok(report),
        Err(failure) => Err(fewest(failure, judging)),
    }
}

/// Runs seeds from a first one on, in as many threads, each a venue of its own. `progress` is told how many more have ended.
///
/// # Errors
/// The failure of the lowest seed that fails; seeds above it may not have been run.
pub fn run_many(
    seeds: Range<u64>,
    commands: u64,
    judging: Judging,
    jobs: NonZeroUsize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report, Box<Failure>> {
    let next = AtomicU64::new(seeds.start);
    let failed = AtomicBool::new(false);
    let work = || {
        let (mut report, mut failure) = (Report::default(), None);
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            match run(seed, commands, judging) {
                Ok(one) => report.add(&one),
                Err(found) => {
                    failed.store(true, Ordering::Relaxed);
                    failure = Some(found);
                }
            }
            progress(1);
        }
        (report, failure)
    };
    let ended: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.get()).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let mut sum = Report::default();
    for (report, _) in &ended {
        sum.add(report);
    }
    match ended.into_iter().filter_map(|(_, failure)| failure).min_by_key(|failure| failure.seed) {
        None => Ok(sum),
        Some(failure) => Err(failure),
    }
}

fn once(seed: u64, commands: u64, judging: Judging) -> Result<Report, Box<Failure>> {
    let mut world = World::new(seed);
    let judged = match judging {
        Judging::Never => false,
        Judging::Sample => Dice::new(seed ^ 0xABCD).one_in(8),
        Judging::Always => true,
    };
    let ran = catch_unwind(AssertUnwindSafe(|| world.run(commands, judged)));
    let what = match ran {
        Ok(Ok(report)) => return Ok(report),
        Ok(Err(what)) => what,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            format!("panic: {}", text.unwrap_or("without a message"))
        }
    };
    Err(Box::new(Failure { seed, commands, what, last: world.last() }))
}

/// Halves the number of commands for as long as it still fails, then goes up by less and less.
fn fewest(mut failure: Box<Failure>, judging: Judging) -> Box<Failure> {
    let mut passes = 0;
    while failure.commands - passes > 1 {
        let middle = passes + (failure.commands - passes) / 2;
        match once(failure.seed, middle, judging) {
            Ok(_) => passes = middle,
            Err(fewer) => failure = fewer,
        }
    }
    failure
}
