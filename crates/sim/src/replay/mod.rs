//! Crash replays: the prices of a day that happened, a population of accounts that did not, and the ladder between them.
//!
//! [`Sources`] are checked rows ([`named`] or from a caller's file), [`Figures`] the part of them that is run, [`run`]
//! the run. Nothing here reads a file or a clock; the same figures and the same [`Config`] give the same digests on any
//! machine. `docs/replay.md` says what each number means and what may not be concluded.

mod book;
mod config;
mod decimal;
mod desk;
mod draw;
mod events;
mod feedback;
mod figures;
mod generate;
mod makers;
mod moments;
mod named;
mod opening;
mod path;
mod population;
mod receipts;
mod report;
mod rows;
mod rulebook;
mod schedule;
mod series;
mod tally;
mod tiers;
mod venue;

pub use book::{BOOK_COLUMNS, Book, BookReader, book_rows};
pub use config::{Config, FeedbackKnobs, LadderKnobs, LiquidityKnobs, PopulationKnobs};
pub use decimal::push_decimal;
pub use desk::Observer;
pub use events::{Cell, EVENT_COLUMNS, EventRow, EventTable, Unit};
pub use feedback::Displacement;
pub use figures::{Figures, MarketFigures, Sources, Window};
pub use generate::{Kind as PathKind, Plan as PathPlan, generate};
pub use moments::{
    Distribution, LiquidationMap, MAP_STEP, MAP_STEPS, MapStep, MarketMaps, RatioBin, ShockMap, ShockStep,
};
pub use named::{NAMES, named, read};
pub use opening::Population;
pub use path::{Candle, STEPS_MIN, price_at};
pub use receipts::{LISTED_MAX, ReceiptRow};
pub use report::{
    Counts, FundReport, FundingReport, MarketReport, Minute, PriceReport, Report, SCHEMA, STATEMENTS, Total,
};
pub use rows::{
    CandleReader, FILE_DECIMALS, FundingReader, FundingTable, ROWS_MAX, RawCandle, RawSeries, RawTable, RowError,
};
pub use rulebook::{BookMarket, BookRules, apply_rulebook};
pub use series::{MarketSeries, POINTS_MAX, Series};
pub use tally::Closed;
pub use tiers::{TierBook, TierChoice, TierOrigin, TierStep, generic, initial_rate, step};

use desk::Desk;
use engine::{Answer, Reject};
use makers::Makers;
use moments::Moments;
use schedule::Schedule;
use series::Recorder;
use std::fmt;
use tally::Tally;
use units::{Money, Price, Time};
use venue::Venue;

/// Why a run did not begin, or could not be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// Figures that cannot be used.
    Rows(RowError),
    /// A knob outside its range.
    Knob {
        /// Its name on the command line.
        name: String,
        /// What was asked for.
        asked: String,
        /// What is allowed.
        allowed: String,
    },
    /// The engine refused a command of the set-up.
    Refused {
        /// The command.
        command: String,
        /// Why.
        reject: Reject,
    },
    /// The engine answered a command of the set-up with something else than a handle.
    Answer {
        /// The command.
        command: String,
        /// The answer.
        answer: Answer,
    },
    /// A rulebook that the engine cannot run, or not with these markets.
    Rulebook {
        /// Venue and version.
        venue: String,
        /// What does not fit, with its clause.
        what: String,
        /// What would work.
        hint: String,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(error) => write!(f, "{error}"),
            Self::Knob { name, asked, allowed } => {
                write!(
                    f,
                    "{name} cannot be {asked}\n  expected: {allowed}\n  hint: `plimsoll replay --help` lists the options"
                )
            }
            Self::Refused { command, reject } => {
                write!(f, "the engine refused to set up the venue: {reject}\n  command: {command}")
            }
            Self::Rulebook { venue, what, hint } => write!(f, "rulebook {venue}: {what}\n  hint: {hint}"),
            Self::Answer { command, answer } => write!(f, "unexpected answer {answer:?} to {command}"),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<RowError> for ReplayError {
    fn from(error: RowError) -> Self {
        Self::Rows(error)
    }
}

/// How far a run is; after the opening and after each step.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// Simulated time.
    pub at: Time,
    /// Prices sent.
    pub step: u64,
    /// Prices to send.
    pub steps: u64,
    /// Symbol of the market with the largest turnover, and its mark per base unit.
    pub lead: (&'a str, String),
    /// Accounts of the population that were below the line.
    pub below: usize,
    /// Accounts in liquidation now.
    pub liquidating: usize,
    /// Closed by force so far.
    pub closed: Money,
    /// Receipts of deleveraging so far.
    pub receipts: u64,
}

/// Runs the figures against a population.
///
/// `observer` sees every command with its answer, its events and the engine after it; `progress` is told once per step.
///
/// # Errors
/// A knob outside its range, or figures that the engine refuses. Nothing has been run then.
pub fn run(
    config: &Config,
    figures: &Figures,
    observer: &mut Observer<'_>,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Report, ReplayError> {
    run_with(config, figures, None, &mut |_, _| {}, observer, progress)
}

/// The same with a population of the caller's, instead of a drawn one; `opened` sees it with its first account before the first
/// price.
///
/// # Errors
/// As [`run`]; a book whose rows cannot be used.
pub fn run_with(
    config: &Config,
    figures: &Figures,
    book: Option<&Book>,
    opened: &mut dyn FnMut(&engine::State, engine::AccountId),
    observer: &mut Observer<'_>,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Report, ReplayError> {
    let (mut run, population) = set_up(config, figures, book, opened, observer)?;
    let before: Vec<Money> =
        run.venue.markets.iter().map(|l| report::interest(run.desk.engine.state(), l.market)).collect();
    let lead = run.lead();
    let mut watch = Watch {
        recorder: Recorder::new(config.step_ms, run.schedule.steps, figures),
        moments: Moments::new(&run.schedule, lead, &run.venue),
    };
    let fund = run.steps(&mut watch, progress);
    Ok(run.report(population, &before, fund, watch))
}

/// The venue as it is after the first price that is not before a moment, after the last one when there is none, with the first
/// account of the population.
///
/// # Errors
/// As [`run_with`].
pub fn venue_at(
    config: &Config,
    figures: &Figures,
    book: Option<&Book>,
    at: Time,
) -> Result<(engine::Engine, engine::AccountId), ReplayError> {
    let observer: &mut Observer<'_> = &mut |_, _, _, _, _| {};
    let (mut run, _) = set_up(config, figures, book, &mut |_, _| {}, observer)?;
    let mut makers = Makers::new(config, run.venue.markets.len());
    run.desk.tally.begin(run.schedule.time(0), run.desk.engine.state());
    for step in 0..=run.schedule.steps {
        run.step(step, &mut makers);
        if run.schedule.time(step) >= at {
            break;
        }
    }
    Ok((run.desk.engine, run.desk.tally.population_from))
}

/// Opens the venue and its population, before the first price.
fn set_up<'a, 'b, 'c>(
    config: &'a Config,
    figures: &'a Figures,
    book: Option<&Book>,
    opened: &mut dyn FnMut(&engine::State, engine::AccountId),
    observer: &'b mut Observer<'c>,
) -> Result<(Run<'a, 'b, 'c>, Population), ReplayError> {
    config.check(figures.interval_ms)?;
    let schedule = Schedule::new(config, figures);
    let specs = venue::specs(figures);
    let coins = venue::coin_count(figures);
    let drawn = if book.is_some() { 0 } else { config.accounts };
    let plans: Vec<_> =
        (0..drawn).map(|n| population::plan(&config.population, config.seed, n, &specs, coins)).collect();
    let interest = match book {
        Some(book) => book.interest(figures, &specs)?,
        None => venue::interest(&plans, &specs),
    };
    let start = schedule.time(0);
    let mut desk = Desk::new(start.plus_ns(-config.step_ms * 1_000_000), Tally::new(specs.len()), observer);
    let venue = venue::open(&mut desk, config, figures, &specs, &interest)?;
    schedule.set_funding(&mut desk, &venue);
    let population = match book {
        Some(book) => book.open(&mut desk, &venue, figures)?,
        None => opening::open(&mut desk, config, &venue, &plans)?.1,
    };
    opened(desk.engine.state(), desk.tally.population_from);
    let feedback = feedback::Feedback::new(config, &venue);
    Ok((Run { config, figures, venue, schedule, desk, feedback }, population))
}

/// What looks at the run after each step.
struct Watch {
    recorder: Recorder,
    moments: Moments,
}

/// A run whose venue and population exist.
struct Run<'a, 'b, 'c> {
    config: &'a Config,
    figures: &'a Figures,
    venue: Venue,
    schedule: Schedule<'a>,
    desk: Desk<'b, 'c>,
    feedback: Option<feedback::Feedback>,
}

impl Run<'_, '_, '_> {
    fn steps(&mut self, watch: &mut Watch, progress: &mut dyn FnMut(&Progress<'_>)) -> FundReport {
        let mut makers = Makers::new(self.config, self.venue.markets.len());
        let lead = self.lead();
        self.desk.tally.begin(self.schedule.time(0), self.desk.engine.state());
        let before = self.fund_equity();
        let mut fund = FundReport { before, low: before, after: before, paid: Money::ZERO };
        for step in 0..=self.schedule.steps {
            self.step(step, &mut makers);
            fund.after = self.fund_equity();
            fund.low = fund.low.min(fund.after);
            self.look(step, watch, fund.after);
            self.tell(step, lead, progress);
        }
        fund
    }

    /// The book moves first, as it does: makers quote round a price one step before the index has it. Then the price
    /// arrives, and with it everything that it causes. (As the first command of its second it also costs one look at all
    /// accounts, not two.)
    fn step(&mut self, step: u64, makers: &mut Makers) {
        let path = self.schedule.prices(step);
        let prices = self.feedback.as_ref().map_or_else(|| path.clone(), |f| f.displaced(&path));
        makers.requote(&mut self.desk, self.config, &self.venue, &prices);
        Makers::trade(&mut self.desk, &self.venue, step);
        self.desk.set_time(self.schedule.time(step));
        let command = venue::prices(&self.desk, &self.venue, &prices);
        let _ = self.desk.send("prices", &command);
        self.schedule.set_funding(&mut self.desk, &self.venue);
        self.desk.tally.sample(self.desk.engine.state());
        if let Some(feedback) = &mut self.feedback {
            feedback.take(self.desk.tally.take_net());
        }
        self.desk.end_batch();
    }

    fn look(&self, step: u64, watch: &mut Watch, fund: Money) {
        let (engine, tally, at) = (&self.desk.engine, &self.desk.tally, self.schedule.time(step));
        watch.recorder.step((step, self.schedule.steps), at, engine, tally, &self.venue, fund);
        watch.moments.step(step, at, engine, tally, &self.venue);
    }

    fn fund_equity(&self) -> Money {
        self.desk.engine.account_view(self.venue.fund).map_or(Money::ZERO, |view| view.equity)
    }

    fn lead(&self) -> usize {
        let markets = self.figures.markets.iter().enumerate();
        markets.max_by_key(|(at, m)| (m.turnover, std::cmp::Reverse(*at))).map_or(0, |(at, _)| at)
    }

    fn tell(&self, step: u64, lead: usize, progress: &mut dyn FnMut(&Progress<'_>)) {
        let state = self.desk.engine.state();
        let mark = self.venue.markets.get(lead).map_or(Price::ZERO, |l| state.market(l.market).mark);
        let (symbol, power) = self.figures.markets.get(lead).map_or(("", 0), |m| (m.symbol.as_str(), m.power));
        progress(&Progress {
            at: self.desk.now(),
            step: step + 1,
            steps: self.schedule.steps + 1,
            lead: (symbol, report::per_base_unit(mark, power)),
            below: self.desk.tally.below.len(),
            liquidating: state.liquidating.len(),
            closed: self.desk.tally.closed_notional(),
            receipts: self.desk.tally.receipts,
        });
    }

    fn report(self, population: Population, before: &[Money], fund: FundReport, watch: Watch) -> Report {
        let (start, end) = (self.schedule.time(0), self.schedule.time(self.schedule.steps));
        let state = self.desk.engine.state();
        let markets = report::markets(self.figures, &self.venue, &self.desk.tally, state, before, start);
        let total = report::total(&self.desk.tally, &markets, state, fund, start);
        Report {
            schema: SCHEMA,
            name: self.figures.name.clone(),
            sources: self.figures.notes.clone(),
            statements: report::statements(self.figures.generated, self.config.feedback),
            from: start,
            to: end,
            candle_ms: self.figures.interval_ms,
            steps: self.schedule.steps + 1,
            commands: self.desk.commands,
            config: self.config.clone(),
            population,
            markets,
            total,
            refusals: self.desk.refused.clone(),
            event_digest: self.desk.engine.event_digest().to_string(),
            state_digest: self.desk.engine.state_digest().to_string(),
            feedback: self.feedback.as_ref().map(|f| f.report(self.figures.markets.iter().map(|m| m.symbol.as_str()))),
            series: watch.recorder.finish(),
            distributions: watch.moments.distributions,
            liquidation_maps: watch.moments.maps,
            shock_maps: watch.moments.shocks,
            largest_receipts: self.desk.tally.largest.report(state, &self.venue),
        }
    }
}
