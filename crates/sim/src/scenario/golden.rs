//! Golden lines: what a statement printed, compared with the `>` lines under it, and the text with what it did print.
//!
//! Comparison is exact up to the number of spaces between words; comments on a golden line are not compared.

/// A golden line that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The line in the file, from 1; for a line that is missing, the one after which it belongs.
    pub line: usize,
    /// What the file says; none where a line is missing.
    pub expected: Option<String>,
    /// What came out; none where nothing more did.
    pub got: Option<String>,
}

/// A line that follows a statement: golden, or a comment or blank line.
#[derive(Clone, Debug)]
pub struct Under {
    /// Its number in the file.
    pub line: usize,
    /// Its text, unchanged.
    pub text: String,
}

impl Under {
    /// The words of a golden line; none for a comment or a blank line.
    #[must_use]
    pub fn golden(&self) -> Option<Vec<String>> {
        let rest = self.text.trim_start().strip_prefix('>')?;
        Some(words(rest))
    }
}

/// True for a line that is neither golden nor a statement.
#[must_use]
pub fn is_blank(line: &str) -> bool {
    line.trim_start().starts_with('#') || line.trim().is_empty()
}

/// True for a golden line.
#[must_use]
pub fn is_golden(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn words(text: &str) -> Vec<String> {
    // A refusal's message may hold `=` or `@`, so a golden line is split at spaces only.
    let end = split_comment(text);
    end.split_whitespace().map(str::to_owned).collect()
}

/// The text before a word that begins with `#`.
fn split_comment(text: &str) -> &str {
    let mut before = ' ';
    for (at, char) in text.char_indices() {
        if char == '#' && before.is_whitespace() {
            return text.get(..at).unwrap_or(text);
        }
        before = char;
    }
    text
}

/// What one statement printed.
pub struct Printed<'a> {
    /// Number of the statement's line.
    pub line: usize,
    /// Its text.
    pub text: &'a str,
    /// Events, refusals and answers, in order.
    pub lines: &'a [String],
    /// The answer to a golden line that names fields of something, `ann  equity …`; none for any other.
    pub state: &'a dyn Fn(&[String]) -> Option<String>,
}

/// Compares the lines under a statement with what it printed and returns them as they should stand.
pub fn compare(printed: &Printed<'_>, under: &[Under], mismatches: &mut Vec<Mismatch>) -> Vec<String> {
    let indent: String = printed.text.chars().take_while(|c| c.is_whitespace()).collect();
    let mut got = printed.lines.iter().cloned();
    let mut out = Vec::new();
    let (mut last, mut after_events) = (printed.line, 0);
    let end = under.iter().rposition(|u| u.golden().is_some()).map_or(0, |at| at + 1);
    for line in under.iter().take(end) {
        let Some(expected) = line.golden() else {
            out.push(line.text.clone());
            continue;
        };
        let state = (printed.state)(&expected);
        let is_event = state.is_none();
        let actual = state.or_else(|| got.next());
        if actual.as_ref().is_some_and(|a| words(a) == expected) {
            out.push(line.text.clone());
            if is_event {
                (last, after_events) = (line.line, out.len());
            }
            continue;
        }
        let text = Some(expected.join(" "));
        mismatches.push(Mismatch { line: line.line, expected: text, got: actual.clone() });
        out.extend(actual.map(|a| format!("{indent}> {a}{}", comment(&line.text))));
        if is_event {
            (last, after_events) = (line.line, out.len());
        }
    }
    // What happened stands before what came of it.
    for more in got {
        out.insert(after_events, format!("{indent}> {more}"));
        after_events += 1;
        mismatches.push(Mismatch { line: last, expected: None, got: Some(more) });
    }
    out.extend(under.iter().skip(end).map(|line| line.text.clone()));
    out
}

/// The comment at the end of a golden line, with the spaces before it.
fn comment(text: &str) -> String {
    let before = split_comment(text);
    let comment = text.get(before.len()..).unwrap_or("");
    if comment.is_empty() { String::new() } else { format!("   {comment}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(lines: &[&str]) -> Vec<Under> {
        lines.iter().enumerate().map(|(at, text)| Under { line: at + 2, text: (*text).to_owned() }).collect()
    }

    fn compared(lines: &[&str], got: &[&str]) -> (Vec<String>, Vec<Mismatch>) {
        let (mut mismatches, got) = (Vec::new(), got.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        let state = |words: &[String]| (words[0] == "ann").then(|| "ann  equity 1.00".to_owned());
        let printed = Printed { line: 1, text: "  mark X 1", lines: &got, state: &state };
        let out = compare(&printed, &under(lines), &mut mismatches);
        (out, mismatches)
    }

    #[test]
    fn equal_lines_keep_their_spaces_and_comments() {
        let lines = ["  >  ann    equity 1.00   # why", "", "# next"];
        assert_eq!(compared(&lines, &[]), (lines.map(str::to_owned).to_vec(), vec![]));
    }

    #[test]
    fn a_difference_is_found_and_rewritten() {
        let (out, wrong) = compared(&["> a 1  # c", "> b", ""], &["a  2"]);
        assert_eq!(out, ["  > a  2   # c", ""]);
        assert_eq!((wrong.len(), wrong[0].line, wrong[1].got.clone()), (2, 2, None));
        let (out, wrong) = compared(&[""], &["a  2"]);
        assert_eq!(out, ["  > a  2", ""]);
        assert_eq!(wrong, [Mismatch { line: 1, expected: None, got: Some("a  2".to_owned()) }]);
    }
}
