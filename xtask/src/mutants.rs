//! Breaks a copy of the code on purpose, one patch of `mutants/` at a time; the test that a patch names must fail.
//!
//! A patch is a unified diff after lines that start with `#`:
//!
//! ```text
//! # claim: funding that longs pay is what shorts get
//! # test: cargo test -p plimsoll-engine funding_sums_to_zero
//! # quick
//! ```
//!
//! A mutant that does not compile has not been caught by a test, and a test that also fails on the unbroken code catches
//! nothing: both are failures. Knows patches and closing lines of tests, nothing of the code.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cargo::{Cargo, passed_in};
use crate::tree;

/// A mutant may loop for ever; tests have no sleep, so this is far above any of them.
const RUN_MAX: Duration = Duration::from_secs(600);

struct Mutant {
    name: String,
    patch: PathBuf,
    claim: String,
    test: Cargo,
    quick: bool,
}

enum Verdict {
    KilledBy(String),
    Survived,
    /// Nothing was proved: the patch does not apply or compile, the test is slow, or fails without the patch.
    Broken(String),
}

pub fn any_quick(root: &Path) -> Result<bool, String> {
    Ok(load(root)?.iter().any(|mutant| mutant.quick))
}

pub fn run(root: &Path, words: &[&str]) -> Result<bool, String> {
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| !matches!(**option, "--quick" | "--list")) {
        return Err(format!("no option `{unknown}`\nhint: cargo xtask --help"));
    }
    let mut mutants = load(root)?;
    if let Some(unknown) = names.iter().find(|name| mutants.iter().all(|mutant| mutant.name != **name)) {
        return Err(format!("no mutants/{unknown}.patch\nhint: cargo xtask mutants --list"));
    }
    mutants.retain(|mutant| names.is_empty() || names.contains(&mutant.name.as_str()));
    mutants.retain(|mutant| mutant.quick || !options.contains(&"--quick"));
    if options.contains(&"--list") {
        let print = |mutant: &Mutant| println!("{:<28} {}\n    {}", mutant.name, mutant.claim, mutant.test.shown());
        mutants.iter().for_each(print);
        return Ok(true);
    }
    judge_all(root, &mutants)
}

fn judge_all(root: &Path, mutants: &[Mutant]) -> Result<bool, String> {
    let yard = Yard::new(root)?;
    let mut baselines = BTreeMap::new();
    for mutant in mutants {
        if !baselines.contains_key(&mutant.test) {
            println!("unbroken: {}", mutant.test.shown());
            baselines.insert(mutant.test.clone(), yard.baseline(&mutant.test)?);
        }
    }
    let mut table = Vec::new();
    let mut killed = 0;
    for mutant in mutants {
        println!("mutant {}: {}", mutant.name, mutant.test.shown());
        let verdict = match baselines.get(&mutant.test) {
            Some(Some(why)) => Verdict::Broken(why.clone()),
            _ => yard.judge(mutant)?,
        };
        killed += usize::from(matches!(verdict, Verdict::KilledBy(_)));
        table.push(format!("{:<28} {}", mutant.name, said(&verdict, mutant)));
    }
    println!("{}", table.join("\n"));
    println!("mutants: {killed} killed, {} not", mutants.len() - killed);
    Ok(killed == mutants.len())
}

fn said(verdict: &Verdict, mutant: &Mutant) -> String {
    let repeat = format!("\n  hint: cargo xtask mutants {}", mutant.name);
    match verdict {
        Verdict::KilledBy(test) => format!("killed by {test}"),
        Verdict::Survived => format!("SURVIVED: no test holds that {}{repeat}", mutant.claim),
        Verdict::Broken(why) => format!("BROKEN: {why}{repeat}"),
    }
}

fn load(root: &Path) -> Result<Vec<Mutant>, String> {
    let Ok(entries) = fs::read_dir(root.join("mutants")) else { return Ok(Vec::new()) };
    let mut patches: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    patches.retain(|path| path.extension().is_some_and(|end| end == "patch"));
    patches.sort();
    patches.into_iter().map(read).collect()
}

fn read(patch: PathBuf) -> Result<Mutant, String> {
    let text = fs::read_to_string(&patch).map_err(|error| format!("cannot read {}: {error}", patch.display()))?;
    let name = patch.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    parse(name, &text, patch)
}

fn parse(name: String, text: &str, patch: PathBuf) -> Result<Mutant, String> {
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
    let field = |field: &str| {
        head.iter().find_map(|line| line.strip_prefix(field)).map(str::trim).filter(|value| !value.is_empty())
    };
    let hint = "hint: open it with `# claim: …` and `# test: cargo test …`";
    let claim = field("claim:").ok_or_else(|| format!("mutants/{name}.patch has no claim\n{hint}"))?.to_owned();
    let test = Cargo::parse(field("test:").ok_or_else(|| format!("mutants/{name}.patch names no test\n{hint}"))?);
    if !test.is_test() {
        return Err(format!("mutants/{name}.patch must name a `cargo test`, not `{}`\n{hint}", test.shown()));
    }
    Ok(Mutant { quick: head.contains(&"quick"), name, patch, claim, test })
}

/// A copy of the working tree with a build of its own, shared by all mutants.
struct Yard {
    root: PathBuf,
    files: Vec<String>,
    tree: PathBuf,
    target: PathBuf,
}

impl Yard {
    fn new(root: &Path) -> Result<Self, String> {
        let base = tree::target(root).join("mutants");
        let files = tree::files(root)?;
        Ok(Self { root: root.to_path_buf(), files, tree: base.join("tree"), target: base.join("target") })
    }

    /// Copies what differs: undoes the last mutant, too.
    fn restore(&self) -> Result<(), String> {
        tree::sync(&self.root, &self.tree, &self.files)
            .map_err(|error| format!("cannot copy the working tree: {error}"))
    }

    /// Why this test proves nothing, if so: it fails, or runs nothing, on the unbroken code.
    fn baseline(&self, test: &Cargo) -> Result<Option<String>, String> {
        self.restore()?;
        Ok(match self.cargo(test)? {
            Ended { timely: false, .. } => Some(format!("the test takes longer than {} s", RUN_MAX.as_secs())),
            Ended { success: false, output, .. } => {
                Some(format!("the test fails on the unbroken code\n{}", tail(&output)))
            }
            Ended { output, .. } if output.lines().map(passed_in).sum::<usize>() == 0 => {
                Some("the test names no test".to_owned())
            }
            _ => None,
        })
    }

    fn judge(&self, mutant: &Mutant) -> Result<Verdict, String> {
        self.restore()?;
        let verdict = self.judge_patched(mutant);
        self.restore()?;
        verdict
    }

    fn judge_patched(&self, mutant: &Mutant) -> Result<Verdict, String> {
        if let Some(why) = self.apply(&mutant.patch)? {
            return Ok(Verdict::Broken(format!("the patch does not apply\n{}", tail(&why))));
        }
        let built = self.cargo(&mutant.test.no_run())?;
        if !built.success {
            return Ok(Verdict::Broken(format!("the mutant does not compile\n{}", tail(&built.output))));
        }
        let ended = self.cargo(&mutant.test)?;
        Ok(match killer(&ended.output) {
            _ if !ended.timely => Verdict::Broken(format!("the test did not end in {} s", RUN_MAX.as_secs())),
            _ if ended.success => Verdict::Survived,
            Some(test) => Verdict::KilledBy(test),
            None => Verdict::Broken(format!("cargo failed, but no test did\n{}", tail(&ended.output))),
        })
    }

    /// What git said, when the patch does not apply.
    fn apply(&self, patch: &Path) -> Result<Option<String>, String> {
        let mut git = Command::new("git");
        git.current_dir(&self.tree).args(["apply", "--whitespace=nowarn"]).arg(patch);
        // The copy lies inside the checkout; git must take it for a plain folder, or it skips paths that it ignores.
        git.env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        git.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
        let output = git.output().map_err(|error| format!("cannot run git: {error}"))?;
        Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    fn cargo(&self, cargo: &Cargo) -> Result<Ended, String> {
        let mut command = cargo.command(&self.tree);
        command.env("CARGO_TARGET_DIR", &self.target).env("CARGO_TERM_COLOR", "never");
        run_limited(command, RUN_MAX)
    }
}

struct Ended {
    success: bool,
    timely: bool,
    output: String,
}

/// Runs with its output kept; after `max` the command and all that it started are killed.
fn run_limited(mut command: Command, max: Duration) -> Result<Ended, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("cannot run cargo: {error}"))?;
    let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break Some(status);
        }
        if start.elapsed() > max {
            let group = format!("-{}", child.id());
            Command::new("kill")
                .args(["-KILL", "--", &group])
                .status()
                .map_err(|error| format!("cannot run kill: {error}"))?;
            child.wait().map_err(|error| error.to_string())?;
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let text =
        |reader: thread::JoinHandle<Vec<u8>>| reader.join().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let output = text(out).unwrap_or_default() + &text(err).unwrap_or_default();
    Ok(Ended { success: status.is_some_and(|status| status.success()), timely: status.is_some(), output })
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes); // what was read before an error is enough
        }
        bytes
    })
}

/// The tests that failed, or the death of their process.
fn killer(output: &str) -> Option<String> {
    let failed = |line: &str| {
        let name = line.strip_prefix("test ")?.split_once(" ... FAILED")?.0;
        Some(name.trim_end_matches(" - should panic").to_owned())
    };
    let names: Vec<String> = output.lines().filter_map(failed).collect();
    match names.split_first() {
        Some((first, [])) => Some(first.clone()),
        Some((first, more)) => Some(format!("{first} and {} more", more.len())),
        None if output.contains("process didn't exit successfully") && output.contains("signal: ") => {
            Some("the death of the test process".to_owned())
        }
        None => None,
    }
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let from = lines.len().saturating_sub(12);
    lines.iter().skip(from).map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Mutant, String> {
        parse("a".to_owned(), text, PathBuf::new())
    }

    #[test]
    fn the_head_of_a_patch_is_read() {
        let text = "# claim: longs pay\n# test: cargo test -p x y\n# quick\n--- a/z\n# test: cargo test late\n";
        let mutant = parsed(text).unwrap();
        assert_eq!((mutant.claim.as_str(), mutant.quick), ("longs pay", true));
        assert_eq!(mutant.test.shown(), "cargo test -p x y");
        assert!(parsed("# claim: longs pay\n--- a/z\n# test: cargo test late").is_err());
        assert!(parsed("# claim:\n# test: cargo test").is_err());
        assert!(parsed("# claim: a\n# test: cargo run").is_err());
    }

    #[test]
    fn a_killer_is_a_test_and_not_a_compiler() {
        assert_eq!(killer("test a::b ... ok\ntest a::c ... FAILED\n").as_deref(), Some("a::c"));
        assert_eq!(killer("test a ... FAILED\ntest b ... FAILED\n").as_deref(), Some("a and 1 more"));
        assert_eq!(killer("error[E0308]: mismatched types\n"), None);
        assert!(killer("  process didn't exit successfully: `x` (signal: 6, SIGABRT)").is_some());
    }

    #[test]
    fn what_does_not_end_is_killed() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo begun; while :; do :; done & wait"]);
        let ended = run_limited(command, Duration::from_millis(200)).unwrap();
        assert!(!ended.timely && !ended.success);
        assert_eq!(ended.output, "begun\n");
    }
}
