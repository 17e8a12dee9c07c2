//! One call of cargo: how it is shown, run and read. Knows the closing line of `cargo test`, nothing of what is tested.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Variables to set and arguments after `cargo`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cargo {
    pub env: Vec<(String, String)>,
    pub args: Vec<String>,
}

impl Cargo {
    /// Reads `KEY=value cargo test -p x`; the word `cargo` may be left out. Words are split at spaces, without quotes.
    pub fn parse(line: &str) -> Self {
        let is_variable =
            |word: &&str| word.split_once('=').is_some_and(|(key, _)| !key.starts_with('-') && !key.is_empty());
        let words: Vec<&str> = line.split_whitespace().collect();
        let variables = words.iter().take_while(|word| is_variable(word)).count();
        let pair = |word: &&str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        let args = words.iter().skip(variables).map(|word| (*word).to_owned());
        let args = args.enumerate().filter(|(at, word)| !(*at == 0 && word == "cargo")).map(|(_, word)| word);
        Self { env: words.iter().take(variables).filter_map(pair).collect(), args: args.collect() }
    }

    pub fn with_env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    /// As it would be typed into a shell.
    pub fn shown(&self) -> String {
        let quoted = |value: &str| if value.contains(' ') { format!("'{value}'") } else { value.to_owned() };
        let env: String = self.env.iter().map(|(key, value)| format!("{key}={} ", quoted(value))).collect();
        format!("{env}cargo {}", self.args.join(" "))
    }

    pub fn is_test(&self) -> bool {
        self.args.first().is_some_and(|word| word == "test")
    }

    /// The same tests, built but not run.
    pub fn no_run(&self) -> Self {
        let mut args = self.args.clone();
        let end = args.iter().position(|word| word == "--").unwrap_or(args.len());
        args.insert(end, "--no-run".to_owned());
        Self { env: self.env.clone(), args }
    }

    pub fn command(&self, folder: &Path) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.current_dir(folder).args(&self.args).envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs it with its output shown. Tests that ran nothing have not passed.
    pub fn run(&self, folder: &Path) -> Result<(), String> {
        let mut command = self.command(folder);
        if self.is_test() {
            command.stdout(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| format!("cannot run cargo: {error}"))?;
        let mut passed = 0;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                passed += passed_in(&line);
            }
            std::io::stdout().flush().map_err(|error| error.to_string())?;
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        match status.success() {
            false => Err(status.to_string()),
            true if self.is_test() && passed == 0 => Err("no test ran".to_owned()),
            true => Ok(()),
        }
    }
}

/// `test result: ok. 12 passed; 0 failed; …` says 12; any other line 0.
pub fn passed_in(line: &str) -> usize {
    let count = line.trim().strip_prefix("test result: ").and_then(|rest| rest.split_whitespace().nth(1));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_shown_again() {
        let cargo = Cargo::parse("A=1 B=x=y cargo test -p z name=w -- --exact");
        assert_eq!(cargo.env, [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "x=y".to_owned())]);
        assert_eq!(cargo.shown(), "A=1 B=x=y cargo test -p z name=w -- --exact");
        assert_eq!(cargo.no_run().shown(), "A=1 B=x=y cargo test -p z name=w --no-run -- --exact");
        assert_eq!(Cargo::parse("test -p z"), Cargo::parse("cargo test -p z"));
        assert_eq!(
            Cargo::parse("doc").with_env("RUSTDOCFLAGS", "-D warnings").shown(),
            "RUSTDOCFLAGS='-D warnings' cargo doc"
        );
    }

    #[test]
    fn closing_lines_are_counted() {
        assert_eq!(passed_in("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out"), 12);
        assert_eq!(passed_in("test result: FAILED. 2 passed; 1 failed"), 2);
        assert_eq!(passed_in("test money ... ok"), 0);
    }
}
