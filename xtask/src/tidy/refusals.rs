//! Every variant of `Reject` is provoked by a scenario. Knows the enum's text and the `>` lines, not what they mean.

use std::collections::BTreeSet;

use super::{Finding, Texts, text_of};
use crate::lex::{Kind, lex, live};

const REJECT: &str = "crates/engine/src/reject.rs";

pub fn check(texts: &Texts) -> Vec<Finding> {
    let variants = variants(text_of(texts, REJECT));
    if variants.is_empty() {
        let hint = "the check of scenarios reads this file; if the enum moved, change xtask/src/tidy/refusals.rs";
        return vec![Finding::new(REJECT, 1, "no variant of `enum Reject` found", hint)];
    }
    let scenarios = texts.iter().filter(|(path, _)| path.starts_with("scenarios/") && path.ends_with(".txt"));
    let provoked: BTreeSet<&str> = scenarios.flat_map(|(_, text)| text.lines().filter_map(refused)).collect();
    let missing = variants.into_iter().filter(|(_, name)| !provoked.contains(name.as_str()));
    let finding = |(line, name): (usize, String)| {
        let hint = "add one that is refused, and one just on the allowed side of the same limit";
        Finding::new(REJECT, line, format!("no scenario provokes `{name}` (no `> … refused {name}: …`)"), hint)
    };
    missing.map(finding).collect()
}

/// `> refused price_off_tick: asked …` names `price_off_tick`.
fn refused(line: &str) -> Option<&str> {
    let mut words = line.trim_start().strip_prefix('>')?.split_whitespace();
    words.find(|word| *word == "refused")?;
    words.next().map(|word| word.trim_end_matches(':'))
}

/// Line and snake_case name of each variant: in the table `rejects! { 23 PriceOffTick { … } => "…", … }` a variant is the
/// word after its stable number.
fn variants(text: &str) -> Vec<(usize, String)> {
    let source = lex(text);
    let tokens = live(&source.tokens).tokens;
    let head = tokens.windows(3).position(|three| three[0].is("rejects") && three[1].is("!") && three[2].is("{"));
    let Some(head) = head else { return Vec::new() };
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for pair in tokens[head + 2..].windows(2) {
        let (token, next) = (pair[0], pair[1]);
        match token.text {
            "{" | "(" | "[" if token.kind == Kind::Punct => depth += 1,
            "}" | ")" | "]" if token.kind == Kind::Punct => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && token.kind == Kind::Integer && next.kind == Kind::Word {
            found.push((next.line, snake_case(next.text)));
        }
    }
    found
}

/// `PriceOffTick` is `price_off_tick`; a run of capitals is one word: `AdlHalted` and `ADLHalted` are the same.
fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, char) in chars.iter().enumerate() {
        let after_small = at > 0 && !chars[at - 1].is_uppercase();
        let before_small = at > 0 && chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if char.is_uppercase() && (after_small || before_small) {
            out.push('_');
        }
        out.extend(char.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENUM: &str = "rejects! {\n    /// Said.\n    1 Unused => \"no\",\n    /// Off.\n    2 PriceOffTick { tick: Price, asked: Price } => \"off {tick}\",\n    /// Who.\n    3 UnknownAccount { id: Id } => \"who\",\n    9 Halted => \"no\",\n}\nenum Other { X }";

    fn missing(scenario: &str) -> Vec<usize> {
        let texts =
            vec![(REJECT.to_owned(), ENUM.to_owned()), ("scenarios/orders/a.txt".to_owned(), scenario.to_owned())];
        check(&texts).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_variant_without_a_scenario_is_found() {
        let all = "> refused unused: no\n> refused price_off_tick: asked 1\n> ann refused unknown_account\n> refused halted: no";
        assert_eq!(missing(all), Vec::<usize>::new());
        assert_eq!(
            missing("> refused price_off_tick_far: asked 1\n# > refused unknown_account\nrefused halted"),
            [3, 5, 7, 8]
        );
        assert_eq!(missing("> ok price_off_tick\n> refused halted: unknown_account"), [3, 5, 7]);
    }

    #[test]
    fn an_enum_that_cannot_be_read_is_found() {
        assert_eq!(check(&vec![]).len(), 1);
        assert_eq!(check(&vec![(REJECT.to_owned(), "pub struct Reject;".to_owned())]).len(), 1);
    }

    #[test]
    fn names_are_the_words_of_the_scenario() {
        let names: Vec<String> = ["PriceOffTick", "ADLHalted", "Halted", "Tier2Full"].map(snake_case).to_vec();
        assert_eq!(names, ["price_off_tick", "adl_halted", "halted", "tier2_full"]);
    }
}
