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
    /// The line itself.
    source: Option<Excerpt>,
}

/// A line, or of a long one the part round the place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    /// Characters before the place.
    lead: usize,
    /// Characters that are meant.
    length: usize,
}

/// A longer line is shown in part: JSON is often one line.
const LINE_MAX: usize = 160;
/// Characters that such a part has before the place.
const LEAD_MAX: usize = 60;

impl Excerpt {
    fn of(line: &str, lead: usize, length: usize) -> Self {
        let whole = line.chars().count();
        if whole <= LINE_MAX {
            return Self { text: line.to_owned(), lead, length };
        }
        let from = lead.saturating_sub(LEAD_MAX).min(whole - LINE_MAX);
        let mut text: String = line.chars().skip(from).take(LINE_MAX).collect();
        if from + LINE_MAX < whole {
            text.push('…');
        }
        let (before, lead) = if from > 0 { ("…", lead - from + 1) } else { ("", lead) };
        let text = before.to_owned() + &text;
        let length = length.min(text.chars().count().saturating_sub(lead)).max(1);
        Self { text, lead, length }
    }
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
        problem.source = Some(Excerpt::of(line, problem.column - 1, length));
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
        if let Some(Excerpt { text: line, lead, length }) = &self.source {
            let number = self.line.to_string();
            let gap = " ".repeat(number.len());
            let lead: String = line.chars().take(*lead).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_the_part_round_the_place_is_shown() {
        let text = format!("{}wrong{}", "a".repeat(500), "z".repeat(500));
        let shown = Problem::at("file", &text, Some(500..505), "it is").to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], "  --> file:1:501");
        assert_eq!(lines[3], format!("1 | …{}wrong{}…", "a".repeat(60), "z".repeat(95)));
        assert_eq!(lines[4], format!("  | {}^^^^^", " ".repeat(61)));
        // At either end there is no more to leave out, and marks do not go beyond what is shown.
        let first = Problem::at("file", &text, Some(0..900), "it is").to_string();
        let marks = first.lines().last().unwrap();
        assert_eq!((marks.matches('^').count(), marks.starts_with("  | ^")), (161, true), "{first}");
        let last = Problem::at("file", &text, Some(1004..1005), "it is").to_string();
        let lines: Vec<&str> = last.lines().collect();
        assert_eq!((lines[3].ends_with('z'), lines[4].chars().count()), (true, lines[3].chars().count()), "{last}");
    }
}
