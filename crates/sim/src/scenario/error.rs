//! What is wrong with a scenario and where. Knows the place, not the file's name: the caller shows both together.

use std::fmt;

/// The hint of errors that no scenario can cause.
pub(super) const BUG: &str = "this is a bug of the engine; please report it with the scenario";

/// A scenario that cannot be read or run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters that are meant, at least 1.
    pub width: usize,
    /// What was expected and what was found.
    pub what: String,
    /// What to write instead, where there is something to say.
    pub hint: Option<String>,
}

impl Error {
    /// An error at a place.
    pub fn new(line: usize, column: usize, width: usize, what: impl Into<String>) -> Self {
        Self { line, column, width: width.max(1), what: what.into(), hint: None }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error with the file's name, the line it is about and a mark under the words that are meant.
    #[must_use]
    pub fn show(&self, file: &str, text: &str) -> String {
        let source = text.lines().nth(self.line.saturating_sub(1)).unwrap_or("").replace('\t', " ");
        let (pad, marks) = (" ".repeat(self.column.saturating_sub(1)), "^".repeat(self.width));
        let mut out = format!("{file}:{}:{}: {}\n", self.line, self.column, self.what);
        out += &format!("{:>5} | {source}\n      | {pad}{marks}", self.line);
        if let Some(hint) = &self.hint {
            out += &format!("\n  hint: {hint}");
        }
        out
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
