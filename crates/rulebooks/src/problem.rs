//! What is wrong with a file, where, and what to do about it.

use std::fmt::{self, Write as _};
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: String,
    /// Line from 1; 0 where it is not about a place.
    pub line: usize,
    /// Column from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: Option<String>,
    /// The line itself, and how many characters of it are meant.
    source: Option<(String, usize)>,
}

impl Problem {
    /// About a file as a whole.
    #[must_use]
    pub fn new(file: &str, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, what: what.into(), hint: None, source: None }
    }

    /// About a range of bytes of a text.
    #[must_use]
    pub fn at(file: &str, text: &str, span: Option<Range<usize>>, what: impl Into<String>) -> Self {
        let mut problem = Self::new(file, what);
        let Some(span) = span else { return problem };
        let start = span.start.min(text.len());
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or("");
        let line = rest.lines().next().unwrap_or("");
        problem.line = before.matches('\n').count() + 1;
        problem.column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        let meant = text.get(start..span.end.min(text.len())).unwrap_or("");
        let length = meant.lines().next().unwrap_or("").chars().count().max(1);
        problem.source = Some((line.to_owned(), length));
        problem
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    /// In the manner of a compiler: what, where, the line with the place marked, a hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("error: {}", self.what);
        if self.line == 0 {
            write!(text, "\n  --> {}", self.file)?;
        } else {
            write!(text, "\n  --> {}:{}:{}", self.file, self.line, self.column)?;
        }
        if let Some((line, length)) = &self.source {
            let number = self.line.to_string();
            let gap = " ".repeat(number.len());
            let lead: String = line.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(text, "\n{gap} |\n{number} | {line}\n{gap} | {lead}{}", "^".repeat(*length))?;
        }
        if let Some(hint) = &self.hint {
            write!(text, "\nhint: {hint}")?;
        }
        f.write_str(&text)
    }
}

impl std::error::Error for Problem {}

/// A result whose error is boxed, since a problem is large and rare.
pub type Checked<T> = Result<T, Box<Problem>>;
