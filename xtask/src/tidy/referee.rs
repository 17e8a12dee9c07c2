//! The slow referee of `sim` must not lean on `rules`: it would repeat the mistake that it is there to find.

use super::Finding;
use crate::lex::lex;

pub fn check(path: &str, text: &str) -> Vec<Finding> {
    if !(path == "crates/sim/src/referee.rs" || path.starts_with("crates/sim/src/referee/")) {
        return Vec::new();
    }
    let tokens = lex(text).tokens;
    let mut findings = Vec::new();
    let mut importing = false;
    for (at, token) in tokens.iter().enumerate() {
        importing = token.is("use") || (importing && !token.is(";"));
        let near = |at: Option<usize>| at.and_then(|at| tokens.get(at)).is_some_and(|token| token.is("::"));
        let path_part = importing || near(at.checked_sub(1)) || near(Some(at + 1));
        if token.is("plimsoll_rules") || (token.is("rules") && path_part) {
            let hint = "the referee writes its own slow formulas; that is what makes agreement mean something";
            findings.push(Finding::new(path, token.line, format!("the referee names `{}`", token.text), hint));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referee_that_uses_rules_is_found() {
        let path = "crates/sim/src/referee/margin.rs";
        for bad in
            ["use rules::margin;", "let x = rules::margin(a);", "use plimsoll_rules as r;", "use engine::{a, rules};"]
        {
            assert_eq!(check(path, bad).len(), 1, "{bad}");
        }
        assert!(check(path, "// rules::margin\nlet rules = a.rules;").is_empty());
        assert!(check("crates/sim/src/random.rs", "use rules::margin;").is_empty());
        assert_eq!(check("crates/sim/src/referee.rs", "use rules::margin;").len(), 1);
    }
}
