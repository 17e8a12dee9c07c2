//! What must never slip: crate edges, what the core may not contain, file heads, refusals without a scenario, folders.
//!
//! Each check takes a path and its text and gives findings. None of them builds or runs anything.

mod core_text;
mod edges;
mod places;
mod referee;
mod refusals;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::{lex, tree};

/// One place that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub what: String,
    pub hint: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), hint: hint.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}\n  hint: {}", self.path, self.line, self.what, self.hint)
    }
}

/// Prints what it finds; true when there is nothing.
pub fn run(root: &Path) -> Result<bool, String> {
    let paths = tree::files(root)?;
    let mut findings = places::check(&paths);
    let texts = read(root, &paths)?;
    let test_files = test_files(&texts);
    let aliases = edges::aliases(text_of(&texts, "Cargo.toml"));
    for (path, text) in &texts {
        if path.starts_with("crates/") && path.ends_with("/Cargo.toml") {
            findings.extend(edges::check(path, text, &aliases));
        } else if path.ends_with(".rs") {
            findings.extend(file_head(path, text));
            findings.extend(referee::check(path, text));
            if !test_files.iter().any(|test| path == test || (test.ends_with('/') && path.starts_with(test))) {
                findings.extend(core_text::check(path, text));
            }
        }
    }
    findings.extend(core_text::no_std(&texts));
    findings.extend(refusals::check(&texts));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} files read, {} findings", texts.len(), findings.len());
    Ok(findings.is_empty())
}

type Texts = Vec<(String, String)>;

const READ: [&str; 3] = [".rs", "Cargo.toml", ".txt"];

fn read(root: &Path, paths: &[String]) -> Result<Texts, String> {
    let wanted = paths.iter().filter(|path| READ.iter().any(|end| path.ends_with(end)));
    let text = |path: &String| match std::fs::read_to_string(root.join(path)) {
        Ok(text) => Ok((path.clone(), text)),
        Err(error) => Err(format!("cannot read {path}: {error}")),
    };
    wanted.map(text).collect()
}

fn text_of<'t>(texts: &'t Texts, path: &str) -> &'t str {
    texts.iter().find(|(name, _)| name == path).map_or("", |(_, text)| text)
}

/// Where modules declared as `#[cfg(test)] mod name;` lie: `src/name.rs`, and all of `src/name/`.
fn test_files(texts: &Texts) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in texts.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let source = lex::lex(text);
        let stem = path.trim_end_matches(".rs");
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        let base = if matches!(name, "lib" | "main" | "mod") { folder } else { stem };
        for module in lex::live(&source.tokens).test_modules {
            found.insert(format!("{base}/{module}.rs"));
            found.insert(format!("{base}/{module}/"));
        }
    }
    found
}

fn file_head(path: &str, text: &str) -> Option<Finding> {
    let ours = path.starts_with("crates/") || path.starts_with("xtask/");
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let said = first.strip_prefix("//!").is_some_and(|said| !said.trim().is_empty());
    let hint = "open with `//!`: what the file is for and what it deliberately does not know";
    (ours && !said).then(|| Finding::new(path, 1, "no `//!` at the top of the file", hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_head_is_found() {
        assert!(file_head("crates/units/src/lib.rs", "#![no_std]\n//! late\n").is_some());
        assert!(file_head("crates/units/src/lib.rs", "//!\nfn f() {}").is_some());
        assert!(file_head("crates/units/src/lib.rs", "").is_some());
        assert!(file_head("crates/units/src/lib.rs", "\n//! Units.\n").is_none());
        assert!(file_head("fuzz/main.rs", "fn main() {}").is_none());
    }

    #[test]
    fn files_of_test_modules_are_known() {
        let lib = ("crates/units/src/lib.rs".to_owned(), "#[cfg(test)] mod cases; mod live;".to_owned());
        let live = ("crates/units/src/live.rs".to_owned(), "#[cfg(test)]\nmod tests;".to_owned());
        let found = test_files(&vec![lib, live]);
        assert!(found.contains("crates/units/src/cases.rs"));
        assert!(found.contains("crates/units/src/live/tests.rs"));
        assert!(!found.contains("crates/units/src/live.rs"));
    }
}
