//! Runs that are too long for the gate, as a table: what it does, what may be set, what is run.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use crate::cargo::Cargo;

struct Long {
    name: &'static str,
    does: &'static str,
    /// Defaults; a variable that is already set wins.
    env: &'static [(&'static str, &'static str)],
    commands: &'static [&'static str],
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Each command succeeds.
    Any,
    /// Each command succeeds and all print the same.
    Same,
}

const LONG: [Long; 7] = [
    Long {
        name: "policies",
        does: "liquidation and deleveraging policies side by side on 2025-10-10; writes the tables of docs/policies-2025-10-10.md",
        env: &[],
        commands: &[
            "cargo run --quiet --release -p plimsoll-cli -- replay 2025-10-10 --compare liquidation-policies --force --markdown docs/policies/liquidation.md",
            "cargo run --quiet --release -p plimsoll-cli -- replay 2025-10-10 --accounts 10000 --compare adl-policies --force --markdown docs/policies/adl.md",
        ],
        output: Output::Any,
    },
    Long {
        name: "fuzz",
        does: "random bytes and commands against every decoder and the engine",
        env: &[("PLIMSOLL_FUZZ_CASES", "300000")],
        commands: &["cargo test --release -p plimsoll-sim --test all fuzz"],
        output: Output::Any,
    },
    Long {
        name: "digests",
        does: "the replay of 2025-10-10 at full size prints the same digests in the test profile, in release, and again",
        env: &[],
        commands: &[
            "cargo run --quiet --profile test -p plimsoll-cli -- replay 2025-10-10 --quiet",
            "cargo run --quiet --release -p plimsoll-cli -- replay 2025-10-10 --quiet",
            "cargo run --quiet --release -p plimsoll-cli -- replay 2025-10-10 --quiet",
        ],
        output: Output::Same,
    },
    Long {
        name: "index",
        does: "everyone is asked after every command, 10⁹ account-ticks: nobody is missed by the triggers",
        env: &[("PLIMSOLL_INDEX_TICKS", "100000000"), ("PLIMSOLL_INDEX_ACCOUNTS", "600000")],
        commands: &["cargo test --release -p plimsoll-sim --test all never_scan -- --nocapture"],
        output: Output::Any,
    },
    Long {
        name: "kills",
        does: "a venue's process is killed a hundred times under load: nothing answered is lost or doubled",
        env: &[("PLIMSOLL_KILLS", "100")],
        commands: &["cargo test --release -p plimsoll-cli --test all feed::nothing_answered -- --nocapture"],
        output: Output::Any,
    },
    Long {
        name: "sim",
        does: "whole venues with everything going wrong, 10⁸ commands",
        env: &[],
        commands: &["cargo run --quiet --release -p plimsoll-cli -- sim --seed 1000 --seeds 65000 --commands 1560"],
        output: Output::Any,
    },
    Long {
        name: "referee",
        does: "the slow referee and the engine name the same accounts after every command",
        env: &[("PLIMSOLL_REFEREE_SEQUENCES", "100000")],
        commands: &["cargo test --release -p plimsoll-sim --test all referee_agrees_on_random"],
        output: Output::Any,
    },
];

pub fn run(root: &Path, words: &[&str]) -> Result<bool, String> {
    let [name] = words else {
        LONG.iter().for_each(print);
        return if words.is_empty() {
            Ok(true)
        } else {
            Err("one name, please\nhint: cargo xtask long fuzz".to_owned())
        };
    };
    let names = LONG.map(|long| long.name).join(", ");
    let long = LONG.iter().find(|long| long.name == *name);
    let long = long.ok_or_else(|| format!("no long run `{name}`; there are {names}\nhint: cargo xtask long"))?;
    let start = Instant::now();
    let result = run_one(root, long);
    let seconds = start.elapsed().as_secs_f64();
    match &result {
        Ok(()) => println!("ok      {name} {seconds:.1} s"),
        Err(why) => println!("FAILED  {name} {seconds:.1} s  {why}"),
    }
    Ok(result.is_ok())
}

fn print(long: &Long) {
    println!("{:<9} {}", long.name, long.does);
    long.commands.iter().for_each(|line| println!("          {}", with_defaults(long, line).shown()));
}

fn with_defaults(long: &Long, line: &str) -> Cargo {
    long.env.iter().fold(Cargo::parse(line), |cargo, (key, value)| {
        cargo.with_env(key, std::env::var(key).as_deref().unwrap_or(value))
    })
}

fn run_one(root: &Path, long: &Long) -> Result<(), String> {
    let mut first: Option<Vec<u8>> = None;
    for line in long.commands {
        let cargo = with_defaults(long, line);
        println!("--- {}: {}", long.name, cargo.shown());
        if long.output == Output::Any {
            cargo.run(root)?;
            continue;
        }
        let output = cargo.command(root).stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
        println!("{}", String::from_utf8_lossy(&output.stdout));
        if !output.status.success() || output.stdout.is_empty() {
            return Err(format!("{} with {} bytes of output", output.status, output.stdout.len()));
        }
        if *first.get_or_insert_with(|| output.stdout.clone()) != output.stdout {
            return Err(format!("the output differs from that of `{}`", with_defaults(long, long.commands[0]).shown()));
        }
    }
    Ok(())
}
