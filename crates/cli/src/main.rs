//! The `plimsoll` command. It reads and writes files and the terminal; everything else is in `sim`.
//!
//! Exit codes: 0 all as expected, 1 a scenario or an explained figure came out differently, 2 a usage or syntax error, 3 a file that cannot be
//! read or written.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

mod accounts;
mod columns;
mod data;
mod explain;
mod export;
mod feed;
mod map;
mod margin;
mod out;
mod portfolio;
mod proof;
mod replay;
mod report;
mod rulebook;
mod run;
mod save;
mod simulate;
mod table;
mod verify;

/// A deterministic margin engine for perpetual contracts.
#[derive(Parser)]
#[command(name = "plimsoll", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run scenarios and compare their golden lines
    Run(run::Args),
    /// Compute the margin figures of a book under a venue's rules, with the working
    Margin(Box<margin::Args>),
    /// Show how much would come below its line at each price, at the end of a scenario or at a moment of a replay
    Map(map::Args),
    /// Show how the figures of a scenario's or replay's events came about, and check them
    Explain(explain::Args),
    /// List, show, check, compare and import rulebooks
    Rulebook(rulebook::Args),
    /// Replay a crash on real prices against a population of accounts
    Replay(Box<replay::Args>),
    /// Apply commands from standard input, journalled, and answer each when it is durable
    Feed(feed::Args),
    /// Check a journal: every batch again, every snapshot, every sum
    Verify(verify::Args),
    /// Write what a journal has as tables: events, balances, positions, orders, liquidations, funding, income
    Export(export::Args),
    /// Prove a liquidation to somebody who has nothing but a published digest
    Prove(proof::ProveArgs),
    /// Check such a proof: digests and arithmetic, from the file alone
    CheckProof(proof::CheckArgs),
    /// Simulate whole venues with everything going wrong, and check what they promise
    Sim(simulate::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Margin(args) => margin::run(&args),
        Command::Map(args) => map::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Rulebook(args) => rulebook::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Feed(args) => feed::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Prove(args) => proof::prove(&args),
        Command::CheckProof(args) => proof::check(&args),
        Command::Sim(args) => simulate::run(&args),
    }
}
