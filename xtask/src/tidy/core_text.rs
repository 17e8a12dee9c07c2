//! What the deterministic core may not contain: floats, clocks, hash order, std, panics, indexing, `as` casts.
//!
//! A textual check on tokens outside tests. It does not know types, so an exception is a comment that says why:
//! `// tidy: cast — reason` (or `index`, `float`, `panic`), on the line or the one above.

use super::{Finding, Texts, text_of};
use crate::lex::{Kind, Source, Token, lex, live};

const NO_STD: [&str; 3] = ["units", "rules", "engine"];
const NO_PANIC: [&str; 4] = ["units", "rules", "engine", "journal"];

/// Their order or value differs from run to run.
const NONDETERMINISTIC: [&str; 4] = ["HashMap", "HashSet", "SystemTime", "Instant"];
const PANIC_METHODS: [&str; 5] = ["unwrap", "expect", "unwrap_err", "expect_err", "unwrap_unchecked"];
const PANIC_MACROS: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];
const NUMBERS: [&str; 14] =
    ["i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize", "f32", "f64"];
/// A `[` after one of these opens an array, a slice type or a pattern.
const NOT_INDEXED: [&str; 20] = [
    "as", "break", "const", "do", "dyn", "else", "for", "if", "impl", "in", "let", "match", "move", "mut", "ref",
    "return", "static", "where", "while", "yield",
];

/// Where `rules` may compute in doubles: option pricing, and the scenarios that reprice options.
const FLOATS: [&str; 3] = ["options.rs", "options/", "portfolio/doubles/"];

/// Findings in one file of the core; none in any other file.
pub fn check(path: &str, text: &str) -> Vec<Finding> {
    let Some((name, file)) = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) else {
        return Vec::new();
    };
    let source = lex(text);
    let tokens = live(&source.tokens).tokens;
    let floats = name == "rules" && FLOATS.iter().any(|place| file.starts_with(place));
    let mut findings = Vec::new();
    for at in 0..tokens.len() {
        let window = Window { before: &tokens[..at], token: tokens[at], after: &tokens[at + 1..] };
        let mut found = Vec::new();
        if NO_STD.contains(&name) {
            found.extend(window.outside_world(floats, &source));
            found.extend(window.cast(&source));
        }
        if NO_PANIC.contains(&name) {
            found.extend(window.panic(&source));
            found.extend(window.index(&source));
        }
        findings.extend(found.into_iter().map(|(what, hint)| Finding::new(path, window.token.line, what, hint)));
    }
    findings.dedup();
    findings
}

/// The three crates say `#![no_std]`, without a condition.
pub fn no_std(texts: &Texts) -> Vec<Finding> {
    let paths = NO_STD.map(|name| format!("crates/{name}/src/lib.rs"));
    let missing = paths.iter().filter(|path| !text_of(texts, path).lines().any(|line| line.trim() == "#![no_std]"));
    let hint = "units, rules and engine must also run in a contract and a browser: no_std + alloc";
    missing.map(|path| Finding::new(path, 1, "no `#![no_std]`", hint)).collect()
}

type Found = Option<(String, &'static str)>;

/// A token and its surroundings.
struct Window<'t, 'a> {
    before: &'t [Token<'a>],
    token: Token<'a>,
    after: &'t [Token<'a>],
}

impl Window<'_, '_> {
    fn follows(&self, text: &str) -> bool {
        self.before.last().is_some_and(|token| token.is(text))
    }

    fn precedes(&self, text: &str) -> bool {
        self.after.first().is_some_and(|token| token.is(text))
    }

    fn outside_world(&self, floats: bool, source: &Source<'_>) -> Found {
        let Token { kind, text, line } = self.token;
        let allowed = floats || source.allows(line, "float");
        if !allowed && (kind == Kind::Float || (kind == Kind::Word && matches!(text, "f32" | "f64"))) {
            let hint =
                "floats differ between machines; only options and portfolio/doubles of crates/rules/src may use them";
            return Some((format!("float `{text}`"), hint));
        }
        if kind == Kind::Word && NONDETERMINISTIC.contains(&text) {
            let hint = "the engine knows no clock and no hash order: take time from the command, use a BTreeMap";
            return Some((format!("names `{text}`"), hint));
        }
        let named = self.precedes("::") || self.follows("crate") || self.follows("use");
        (kind == Kind::Word && text == "std" && named).then(|| ("names `std`".to_owned(), "use `core` or `alloc`"))
    }

    fn cast(&self, source: &Source<'_>) -> Found {
        let to = self.after.first().filter(|_| self.token.is("as"))?.text;
        let imports = || self.before.iter().rev().take_while(|token| !token.is(";")).any(|token| token.is("use"));
        let numeric = NUMBERS.contains(&to) || (to == "_" && !imports());
        let hint = "use From or TryFrom, or say why on this line: `// tidy: cast — reason`";
        (numeric && !source.allows(self.token.line, "cast")).then(|| (format!("`as {to}`"), hint))
    }

    fn panic(&self, source: &Source<'_>) -> Found {
        let Token { kind, text, line } = self.token;
        let hint = "return a Reject or a Fault; state is reached by checked handles";
        let called = (self.follows(".") || self.follows("::")) && PANIC_METHODS.contains(&text);
        let expanded = self.precedes("!") && PANIC_MACROS.contains(&text);
        let allowed = source.allows(line, "panic");
        (kind == Kind::Word && (called || expanded) && !allowed).then(|| (format!("`{text}` can panic"), hint))
    }

    fn index(&self, source: &Source<'_>) -> Found {
        let owner = self.before.last().filter(|_| self.token.is("["))?;
        let indexed = match owner.kind {
            Kind::Word => !NOT_INDEXED.contains(&owner.text),
            Kind::Integer | Kind::Text => true, // `pair.0[1]`, `"text"[1..]`
            Kind::Float | Kind::Lifetime => false,
            Kind::Punct => matches!(owner.text, ")" | "]" | "?"),
        };
        let hint = "use `.get()` or an iterator, or say why it cannot fail: `// tidy: index — reason`";
        (indexed && !source.allows(self.token.line, "index")).then(|| (format!("indexing `{}[…]`", owner.text), hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(path, text).into_iter().map(|finding| format!("{}: {}", finding.line, finding.what)).collect()
    }

    fn engine(text: &str) -> Vec<String> {
        found("crates/engine/src/a/b.rs", text)
    }

    #[test]
    fn floats_clocks_and_hash_order_are_found() {
        assert_eq!(engine("fn f(x: f64) {}"), ["1: float `f64`"]);
        assert_eq!(engine("\nlet x = 1.5;"), ["2: float `1.5`"]);
        assert!(engine("fn f(x: f64) {} // tidy: float — a trait wants it, it always fails").is_empty());
        assert_eq!(engine("use hashbrown::HashMap;"), ["1: names `HashMap`"]);
        assert_eq!(engine("std::mem::swap(a, b)"), ["1: names `std`"]);
        assert_eq!(engine("extern crate std;"), ["1: names `std`"]);
        assert_eq!(engine("use std as s;"), ["1: names `std`"]);
        assert!(engine("let x = std + 1; // a f64 of std::time::Instant").is_empty());
        assert!(found("crates/rules/src/options.rs", "fn f() -> f64 { 1.5 }").is_empty());
        assert!(found("crates/rules/src/portfolio/doubles/a.rs", "fn f() -> f64 { 1.5 }").is_empty());
        assert!(!found("crates/rules/src/portfolio/grid.rs", "fn f() -> f64 { 1.5 }").is_empty());
        assert!(!found("crates/rules/src/margin.rs", "fn f() -> f64 { 1.5 }").is_empty());
        assert!(found("crates/node/src/lib.rs", "std::time::Instant::now().unwrap()[0] as f64").is_empty());
    }

    #[test]
    fn panics_are_found() {
        assert_eq!(engine("a.unwrap()"), ["1: `unwrap` can panic"]);
        assert_eq!(engine("a\n    .expect(\"never\")"), ["2: `expect` can panic"]);
        assert_eq!(engine("a.map(Option::unwrap)"), ["1: `unwrap` can panic"]);
        assert!(engine("panic!(); // tidy: panic — a broken invariant ends the process").is_empty());
        assert_eq!(engine("panic!(); todo!(); unimplemented!(); unreachable!()").len(), 4);
        assert_eq!(found("crates/journal/src/lib.rs", "a.unwrap()").len(), 1);
        assert!(engine("#[expect(dead_code)] a.unwrap_or(0); assert!(a); \"panic!\"; a != panic").is_empty());
        assert!(engine("fn f() {}\n#[cfg(test)]\nmod tests { fn g() { a.unwrap()[0] } }").is_empty());
        assert_eq!(engine("#[cfg(test)]\nmod tests;\nfn f() { a.unwrap() }").len(), 1);
    }

    #[test]
    fn indexing_is_found_and_arrays_are_not() {
        for bad in ["a[0]", "self.rows[i]", "f()[1]", "a[0..2]", "t.0[1]", "g()?[1]", "\"abc\"[1..]"] {
            assert_eq!(engine(bad).len(), 1, "{bad}");
        }
        for good in [
            "#[derive(Debug)] struct A([u8; 4]);",
            "#![allow(dead_code)]",
            "fn f<'a>(x: &'a [u8], y: &mut [u8]) -> [u8; 2] { [1, 2] }",
            "let [a, b] = c; for x in [1, 2] {} vec![1]; if let Some([a]) = b {}",
            "impl A for [u8] {}",
            "return [a]; const T: [[u8; 2]; 1] = [[1, 2]];",
            "T[at] // tidy: index — the loop ends at T.len()",
        ] {
            assert_eq!(engine(good), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn numeric_casts_are_found() {
        assert_eq!(engine("x as i128"), ["1: `as i128`"]);
        assert_eq!(engine("x as _"), ["1: `as _`"]);
        assert!(engine("use a::B as _; use a as b; <A as B>::c(); x as u8 // tidy: cast — below 10").is_empty());
        assert!(engine("// tidy: cast — below 10\nx as u8").is_empty());
        assert_eq!(engine("// tidy: cast\nx as u8").len(), 1);
    }

    #[test]
    fn a_crate_with_std_is_found() {
        let lib = |name: &str, text: &str| (format!("crates/{name}/src/lib.rs"), text.to_owned());
        let texts = vec![
            lib("units", "//! Units.\n#![no_std]\n"),
            lib("rules", "//! #![no_std]\n#![cfg_attr(not(test), no_std)]"),
            lib("engine", "//! Engine.\n"),
        ];
        let found: Vec<_> = no_std(&texts).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/rules/src/lib.rs", "crates/engine/src/lib.rs"]);
    }
}
