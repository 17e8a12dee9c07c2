//! Cuts Rust text into tokens, so that the checks of `tidy` are not fooled by comments and strings.
//!
//! It knows tokens and which of them are only compiled for tests. It does not know Rust's grammar or types.

use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    Integer,
    Float,
    /// A string or character literal.
    Text,
    Lifetime,
    Punct,
}

#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub line: usize,
}

impl Token<'_> {
    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }
}

/// A file cut into tokens; comments are kept apart, by the line they start on.
pub struct Source<'a> {
    pub tokens: Vec<Token<'a>>,
    comments: BTreeMap<usize, Vec<&'a str>>,
}

impl Source<'_> {
    /// Does this line, or the one above, carry `tidy: <what> — <reason>`? A reason is required.
    pub fn allows(&self, line: usize, what: &str) -> bool {
        let here = [line.saturating_sub(1), line].into_iter().filter_map(|line| self.comments.get(&line)).flatten();
        here.filter_map(|comment| comment.split_once("tidy:")).any(|(_, rest)| {
            let reason = rest.trim_start().strip_prefix(what).unwrap_or("");
            reason.starts_with([' ', ':']) && reason.chars().any(char::is_alphanumeric)
        })
    }
}

pub fn lex(text: &str) -> Source<'_> {
    let mut lexer = Lexer { text, at: 0, line: 1 };
    let mut source = Source { tokens: Vec::new(), comments: BTreeMap::new() };
    while let Some(next) = lexer.rest().chars().next() {
        let (start, line) = (lexer.at, lexer.line);
        if next.is_whitespace() {
            lexer.advance(next.len_utf8());
        } else if let Some(length) = comment_length(lexer.rest()) {
            lexer.advance(length);
            source.comments.entry(line).or_default().push(&text[start..lexer.at]);
        } else {
            let after_dot = source.tokens.last().is_some_and(|token| token.is("."));
            let (kind, length) = token(lexer.rest(), next, after_dot);
            lexer.advance(length);
            source.tokens.push(Token { kind, text: &text[start..lexer.at], line });
        }
    }
    source
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn advance(&mut self, length: usize) {
        self.line += self.rest()[..length].matches('\n').count();
        self.at += length;
    }
}

fn comment_length(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let pair = rest.as_bytes().get(at..at + 2).unwrap_or(b"");
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return Some(at);
        }
    }
    Some(rest.len())
}

fn token(rest: &str, next: char, after_dot: bool) -> (Kind, usize) {
    if let Some(length) = literal_length(rest) {
        return (Kind::Text, length);
    }
    match next {
        '\'' => (Kind::Lifetime, 1 + word_length(&rest[1..])),
        '0'..='9' => number(rest, after_dot),
        _ if is_word(next) => (Kind::Word, word_length(rest)),
        _ => (Kind::Punct, punct_length(rest, next)),
    }
}

/// The length of the string or character literal that `rest` starts with, if it does.
fn literal_length(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let tail = rest.strip_prefix(prefix);
        let quoted = |tail: &str| {
            tail.trim_start_matches('#').starts_with('"') && (prefix.ends_with('r') || tail.starts_with('"'))
        };
        tail.is_some_and(|tail| quoted(tail) || (matches!(*prefix, "" | "b") && is_char(tail)))
    })?;
    let tail = &rest[prefix.len()..];
    let length = if prefix.ends_with('r') {
        let hashes = tail.len() - tail.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        tail[hashes + 1..].find(&close).map(|at| hashes + 1 + at + close.len())
    } else {
        closing_quote(tail)
    };
    Some(length.map_or(rest.len(), |length| prefix.len() + length))
}

/// `'a'` and `'\n'` are characters; `'a` is a lifetime.
fn is_char(tail: &str) -> bool {
    let mut chars = tail.chars();
    chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\''))
}

fn closing_quote(tail: &str) -> Option<usize> {
    let quote = tail.chars().next()?;
    let mut escaped = false;
    for (at, char) in tail.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `after_dot`: the `0.1` of `pair.0.1` is two field names, not a float.
fn number(rest: &str, after_dot: bool) -> (Kind, usize) {
    let mut length = word_length(rest);
    let prefixed = rest.starts_with("0x") || rest.starts_with("0b") || rest.starts_with("0o");
    if after_dot || prefixed {
        return (Kind::Integer, length);
    }
    let tail = &rest[length..];
    let past_dot = tail.strip_prefix('.').map(|tail| tail.chars().next().unwrap_or(' '));
    let point = past_dot.is_some_and(|char| char.is_ascii_digit() || (char != '.' && !is_word(char)));
    if point {
        length += 1 + word_length(&tail[1..]);
    }
    let digits = &rest[..length];
    let exponent = digits.contains(['e', 'E']) && !digits.contains(['s', 'u', 'i']); // `1usize` has an e, too
    if exponent && digits.ends_with(['e', 'E']) && rest[length..].starts_with(['-', '+']) {
        length += 1 + word_length(&rest[length + 1..]);
    }
    let float = point || exponent || digits.ends_with("f64") || digits.ends_with("f32");
    (if float { Kind::Float } else { Kind::Integer }, length)
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

fn word_length(rest: &str) -> usize {
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    rest[raw..].find(|char| !is_word(char)).map_or(rest.len(), |length| raw + length)
}

fn punct_length(rest: &str, next: char) -> usize {
    let known = ["..=", "...", "::", "->", "=>", "!=", "..", "=="];
    known.into_iter().find(|punct| rest.starts_with(punct)).map_or(next.len_utf8(), str::len)
}

/// What a build without tests compiles.
pub struct Live<'a> {
    /// No attributes and no items under `#[cfg(test)]`.
    pub tokens: Vec<Token<'a>>,
    /// Modules declared as `#[cfg(test)] mod name;`: their files are tests.
    pub test_modules: Vec<&'a str>,
}

pub fn live<'a>(all: &[Token<'a>]) -> Live<'a> {
    let mut live = Live { tokens: Vec::new(), test_modules: Vec::new() };
    let mut rest = all;
    while let Some(first) = rest.first() {
        let Some((inner, attribute, after)) = split_attribute(rest) else {
            live.tokens.push(*first);
            rest = &rest[1..];
            continue;
        };
        rest = after;
        if !is_test_only(attribute) {
            continue;
        }
        if inner {
            return live; // `#![cfg(test)]`: the rest of the file or module; nothing may follow it but tests
        }
        while let Some((_, _, after)) = split_attribute(rest) {
            rest = after;
        }
        let (item, after) = split_item(rest);
        if let [.., module, name, end] = item
            && module.is("mod")
            && end.is(";")
        {
            live.test_modules.push(name.text);
        }
        rest = after;
    }
    live
}

/// Is it an inner attribute, what is between its brackets, and what comes after it.
type Attribute<'t, 'a> = (bool, &'t [Token<'a>], &'t [Token<'a>]);

fn split_attribute<'t, 'a>(rest: &'t [Token<'a>]) -> Option<Attribute<'t, 'a>> {
    let (inner, body) = match rest {
        [hash, open, body @ ..] if hash.is("#") && open.is("[") => (false, body),
        [hash, bang, open, body @ ..] if hash.is("#") && bang.is("!") && open.is("[") => (true, body),
        _ => return None,
    };
    let mut depth = 1_usize;
    for (at, token) in body.iter().enumerate() {
        depth = depth + usize::from(token.is("[")) - usize::from(token.is("]"));
        if depth == 0 {
            return Some((inner, &body[..at], &body[at + 1..]));
        }
    }
    Some((inner, body, &[]))
}

fn is_test_only(attribute: &[Token<'_>]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token.is(word));
    attribute.first().is_some_and(|token| token.is("cfg")) && has("test") && !has("not") && !has("any")
}

const ITEMS: [&str; 13] = [
    "fn",
    "mod",
    "use",
    "impl",
    "struct",
    "enum",
    "const",
    "static",
    "type",
    "trait",
    "extern",
    "unsafe",
    "macro_rules",
];

/// Splits after the item, statement, field or variant that `rest` starts with.
fn split_item<'t, 'a>(rest: &'t [Token<'a>]) -> (&'t [Token<'a>], &'t [Token<'a>]) {
    let head = rest.iter().take_while(|token| !token.is("{") && !token.is(";") && !token.is(":"));
    let is_item = head.clone().any(|token| ITEMS.iter().any(|word| token.is(word)));
    let mut depth = 0_usize;
    for (at, token) in rest.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" if token.kind == Kind::Punct => depth += 1,
            "}" | ")" | "]" if token.kind == Kind::Punct => {
                if depth == 0 {
                    return rest.split_at(at); // the end of what surrounds the field
                }
                depth -= 1;
                if depth == 0 && token.is("}") {
                    return rest.split_at(at + 1);
                }
            }
            ";" if depth == 0 => return rest.split_at(at + 1),
            "," if depth == 0 && !is_item => return rest.split_at(at + 1),
            _ => {}
        }
    }
    (rest, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        lex(text).tokens.iter().map(|token| (token.kind, token.text)).collect()
    }

    fn live_words(text: &str) -> String {
        let source = lex(text);
        live(&source.tokens).tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        let text = "a /* x /* y */ z */ \"b // \\\" c\" r#\"d \" e\"# b'f' '\\'' '\"' 'g // h\ni";
        let words: Vec<&str> =
            lex(text).tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect();
        assert_eq!(words, ["a", "i"]);
        assert_eq!(lex(text).tokens.last().map(|token| token.line), Some(2));
    }

    #[test]
    fn floats_are_told_from_fields_ranges_and_methods() {
        for text in ["1.5", "1e9", "2.5e-3", "1f64", "7.", "1e-3"] {
            assert_eq!(kinds(text), [(Kind::Float, text)], "{text}");
        }
        for text in ["x.0.1", "1..2", "1.max(2)", "0x1e5", "1_000i64", "1usize", "0..=9"] {
            assert!(kinds(text).iter().all(|(kind, _)| *kind != Kind::Float), "{text}");
        }
    }

    #[test]
    fn test_items_are_cut_out_and_nothing_else() {
        assert_eq!(live_words("a; #[cfg(test)] mod t { b } c"), "a ; c");
        assert_eq!(live_words("#[cfg(test)] #[rustfmt::skip] fn f<A, B>(x: [u8; 2]) { b } c"), "c");
        assert_eq!(live_words("struct S { #[cfg(test)] x: u8, y: u8 }"), "struct S { y : u8 }");
        assert_eq!(live_words("enum E { A, #[cfg(test)] B }"), "enum E { A , }");
        assert_eq!(live_words("#[cfg(not(test))] fn f() {}"), "fn f ( ) { }");
        assert_eq!(live_words("#![cfg(test)] fn f() {}"), "");
        let source = lex("#[cfg(test)] mod cases; fn f() {}");
        assert_eq!(live(&source.tokens).test_modules, ["cases"]);
    }

    #[test]
    fn an_exception_needs_a_reason() {
        let allowed = |text: &str| lex(text).allows(1, "cast");
        assert!(allowed("x as u8 // tidy: cast — below 10"));
        assert!(!allowed("x as u8 // tidy: cast"));
        assert!(!allowed("x as u8 // tidy: cast —"));
        assert!(!allowed("x as u8 // tidy: index — below 10"));
        assert!(lex("// tidy: cast: below 10\nx as u8").allows(2, "cast"));
        assert!(!lex("\"// tidy: cast: below 10\"").allows(1, "cast"));
    }
}
