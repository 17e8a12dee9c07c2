//! `check` and `test`: named steps in order, each with its time and the command that repeats it.

use std::path::Path;
use std::time::Instant;

use crate::cargo::Cargo;
use crate::{browser, mutants, nostd, python, tidy};

/// One step. `repeat` is what a person types to run it alone.
pub struct Step {
    name: &'static str,
    repeat: Cargo,
    work: Work,
}

enum Work {
    /// Run `repeat` itself.
    Cargo,
    /// Call a check of this program.
    Here(fn(&Path) -> Result<bool, String>),
    /// The same of one that needs more than Rust: `None` when that is not there, which it has said.
    Maybe(fn(&Path) -> Result<Option<bool>, String>),
}

fn cargo(name: &'static str, line: &str) -> Step {
    Step { name, repeat: Cargo::parse(line), work: Work::Cargo }
}

fn here(name: &'static str, line: &str, check: fn(&Path) -> Result<bool, String>) -> Step {
    Step { name, repeat: Cargo::parse(line), work: Work::Here(check) }
}

fn heads() -> Vec<Step> {
    vec![
        cargo("format", "cargo fmt --all --check"),
        here("tidy", "cargo xtask tidy", tidy::run),
        cargo("clippy", "cargo clippy --workspace --all-targets -- -D warnings"),
    ]
}

/// The fast part, for every commit.
pub fn check() -> Vec<Step> {
    let mut steps = heads();
    steps.push(cargo("unit tests", "cargo test --workspace --lib --bins"));
    steps.push(cargo("scenarios", "cargo test -p plimsoll-sim --test all scenarios"));
    steps
}

/// All that the gate runs.
pub fn test(quick_mutants: bool) -> Vec<Step> {
    let mut steps = heads();
    steps.push(here("no_std", "cargo xtask nostd", nostd::run));
    steps.push(cargo("tests", "cargo test --workspace"));
    // The same digests as in the test profile: the files that hold them are read by both.
    steps.push(cargo("release", "cargo test --release -p plimsoll-sim --test all in_every_build"));
    let page = Work::Maybe(browser::run);
    steps.push(Step { name: "browser", repeat: Cargo::parse("cargo xtask browser"), work: page });
    let tables = Work::Maybe(python::run);
    steps.push(Step { name: "python", repeat: Cargo::parse("cargo xtask python"), work: tables });
    let mut docs = cargo("docs", "cargo doc --workspace --no-deps");
    docs.repeat = docs.repeat.with_env("RUSTDOCFLAGS", "-D warnings");
    steps.push(docs);
    if quick_mutants {
        steps.push(here("mutants", "cargo xtask mutants --quick", |root| mutants::run(root, &["--quick"])));
    }
    steps
}

/// Runs up to the first step that fails and prints a summary as its last line; true when all passed.
pub fn run(root: &Path, steps: &[Step]) -> bool {
    let mut lines = Vec::new();
    for step in steps {
        println!("--- {}: {}", step.name, step.repeat.shown());
        let start = Instant::now();
        let done = |passed| if passed { Ok("ok     ") } else { Err("see above".to_owned()) };
        let result = match step.work {
            Work::Cargo => step.repeat.run(root).map(|()| "ok     "),
            Work::Here(check) => check(root).and_then(done),
            Work::Maybe(check) => check(root).and_then(|passed| passed.map_or(Ok("skipped"), done)),
        };
        let seconds = start.elapsed().as_secs_f64();
        match &result {
            Ok(how) => lines.push(format!("{how} {:<12}{seconds:>7.1} s", step.name)),
            Err(why) => {
                lines.push(format!("FAILED  {:<12}{seconds:>7.1} s  {why}", step.name));
                lines.push(format!("  hint: {}", step.repeat.shown()));
            }
        }
        if result.is_err() {
            break;
        }
    }
    let passed = lines.iter().filter(|line| line.starts_with("ok")).count();
    let failed = lines.iter().filter(|line| line.starts_with("FAILED")).count();
    let skipped = lines.iter().filter(|line| line.starts_with("skipped")).count();
    let unreached = steps.iter().skip(passed + failed + skipped).map(|step| format!("not run {}", step.name));
    lines.extend(unreached);
    let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    println!("\n{}\n{passed} passed, {failed} failed{skipped}", lines.join("\n"));
    failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_fails_the_run_and_ends_it() {
        let pass = || here("one", "cargo xtask one", |_| Ok(true));
        let fail = || here("two", "cargo xtask two", |_| Ok(false));
        let never = || here("three", "cargo xtask three", |_| unreachable!("a step after the failed one"));
        assert!(run(Path::new("."), &[pass(), pass()]));
        assert!(!run(Path::new("."), &[pass(), fail(), never()]));
        let maybe = |check| Step { name: "four", repeat: Cargo::parse("xtask four"), work: Work::Maybe(check) };
        assert!(run(Path::new("."), &[maybe(|_| Ok(None)), pass()]), "a skipped step does not fail");
        assert!(!run(Path::new("."), &[maybe(|_| Ok(Some(false))), never()]));
        assert!(!run(Path::new("."), &[here("bad", "cargo xtask bad", |_| Err("cannot".to_owned()))]));
    }
}
