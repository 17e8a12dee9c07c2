//! A liquidation of a replay, proved, checked, and spoiled.

use engine::{Event, Figure};
use journal::BatchPlace;
use node::{NotProved, Proof};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use units::{Money, Price, Size};

fn plimsoll(words: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(words).current_dir(root).output().unwrap()
}

/// Standard output and error of a run with this exit code.
fn ended(code: i32, words: &[&str]) -> (String, String) {
    let output = plimsoll(words);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{words:?}: {err}");
    (out, err)
}

/// A journal of the crash in a folder of this test.
fn venue(name: &str) -> (PathBuf, String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("proof-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let venue = folder.join("venue").display().to_string();
    ended(0, &["replay", "2025-10-10", "--accounts", "40", "--step", "60", "--quiet", "--data", &venue]);
    (folder, venue)
}

/// The account of the first liquidation that is listed.
fn first(venue: &str) -> String {
    let (list, _) = ended(0, &["prove", venue, "--list"]);
    list.lines().next().unwrap().split_whitespace().last().unwrap().to_owned()
}

#[test]
fn a_proof_checks_out_and_with_any_digit_changed_it_does_not() {
    let (folder, venue) = venue("digits");
    let file = folder.join("proof.json").display().to_string();
    let name = first(&venue);
    ended(0, &["prove", &venue, "--account", &name, "--to", &file]);
    let (told, _) = ended(0, &["check-proof", &file, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let journal = told["journal_digest"].as_str().unwrap();
    ended(0, &["check-proof", &file, "--digest", journal]);
    ended(0, &["check-proof", &file, "--digest", told["event_digest"].as_str().unwrap()]);

    let text = std::fs::read_to_string(&file).unwrap();
    let after = Proof::parse(&text).unwrap().check().unwrap().after;
    assert_eq!(after.journal.to_string(), journal);
    let mut bytes = text.clone().into_bytes();
    let (mut digits, mut passed) = (0, Vec::new());
    for at in 0..bytes.len() {
        let digit = bytes[at];
        if !digit.is_ascii_digit() {
            continue;
        }
        digits += 1;
        bytes[at] = b'0' + (digit - b'0' + 1) % 10;
        if Proof::parse(std::str::from_utf8(&bytes).unwrap()).is_ok_and(|proof| proof.check().is_ok()) {
            passed.push(at);
        }
        bytes[at] = digit;
    }
    println!("{digits} digits changed, one after the other");
    assert!(digits > 1_000 && passed.is_empty(), "of {digits} digits these may be any: {passed:?}");

    // A digest that was not published, and one digit of the file, through the command.
    let (_, err) = ended(1, &["check-proof", &file, "--digest", &"0".repeat(64)]);
    assert!(err.contains("another digest") && err.contains(journal), "{err}");
    std::fs::write(&file, text.replacen("\"segment\":1", "\"segment\":2", 1)).unwrap();
    let (_, err) = ended(1, &["check-proof", &file]);
    assert!(err.contains("does not check out"), "{err}");
}

/// Somebody who can write the digests, too, cannot make the arithmetic come out.
#[test]
fn a_forged_figure_with_digests_to_match_does_not_come_out() {
    let (_, venue) = venue("forged");
    let (text, _) = ended(0, &["prove", &venue, "--account", &first(&venue)]);
    let proof = Proof::parse(&text).unwrap();
    let one = Money::from_units(1);
    let rows = proof.events.len();
    let mut seen = 0;
    for at in proof.started..rows {
        let mut forged: Vec<(Event, Option<Figure>)> = Vec::new();
        match proof.events[at] {
            Event::LiquidationStarted { account, equity, maintenance_margin } if at == proof.started => {
                let more = Event::LiquidationStarted { account, equity: equity + one, maintenance_margin };
                forged.push((more, Some(Figure::Equity)));
                let maintenance_margin = maintenance_margin + one;
                let more = Event::LiquidationStarted { account, equity, maintenance_margin };
                forged.push((more, Some(Figure::AllMaintenanceMargin)));
            }
            row @ Event::PositionValued { market, .. } => {
                let (result, margin) = (Some(Figure::Upnl(market)), Some(Figure::MaintenanceMargin(market)));
                for (which, figure) in [(0, result), (1, result), (2, result), (3, result), (4, None), (5, margin)] {
                    forged.push((position(row, which), figure));
                }
            }
            Event::WalletValued { account, asset, wallet, interest, price, value } => {
                let row = |wallet, interest, price, value| Event::WalletValued {
                    account,
                    asset,
                    wallet,
                    interest,
                    price,
                    value,
                };
                let figure = Some(Figure::Value(asset));
                forged.push((row(wallet + one, interest, price, value), figure));
                forged.push((row(wallet, interest + one, price, value), Some(Figure::Interest(asset))));
                forged.push((row(wallet, interest, price, value + one), figure));
            }
            Event::GroundsStated { .. } => break,
            _ => {}
        }
        for (event, figure) in forged {
            seen += 1;
            let mut proof = proof.clone();
            proof.events[at] = event;
            let found = matched(proof).check();
            match (figure, found) {
                (Some(figure), Err(NotProved::Disagrees(engine::Disagrees::Figure { figure: other, .. }))) => {
                    assert_eq!(figure, other, "{event:?}");
                }
                (None, Err(NotProved::Disagrees(engine::Disagrees::Figure { figure: Figure::Value(_), .. }))) => {}
                (_, other) => panic!("{event:?}: {other:?}"),
            }
        }
    }
    assert!(seen >= 11, "{seen} figures were forged");

    // Another line, another ladder: the hash of the rules is in the events.
    let mut other = proof.clone();
    other.grounds.risk.takeover = units::Rate::ONE;
    let found = matched(other).check();
    assert!(matches!(found, Err(NotProved::Disagrees(engine::Disagrees::Digest { .. }))), "{found:?}");
    // A command less, with digests to match.
    let mut short = proof;
    short.commands.pop();
    let found = matched(short).check();
    assert!(matches!(found, Err(NotProved::Apart(_))), "{found:?}");
}

/// A position with its field of this number changed.
fn position(mut row: Event, which: usize) -> Event {
    let Event::PositionValued { size, cost, price, upnl, unsettled, maintenance_margin, .. } = &mut row else {
        panic!("{row:?} is no position")
    };
    let one = Money::from_units(1);
    match which {
        0 => *size = Size::new(size.units() * 2).unwrap(),
        1 => *price = Price::new(price.units() * 2).unwrap(),
        2 => *cost += one,
        3 => *upnl += one,
        4 => *unsettled += one,
        _ => *maintenance_margin += one,
    }
    row
}

/// The same with digests after that fit what it says.
fn matched(mut proof: Proof) -> Proof {
    proof.after.events = engine::chain(proof.before.events, &proof.events);
    let node::Where { journal: id, segment, offset, epoch, first } = proof.batch;
    let place = BatchPlace { id, segment, offset, epoch, first, before: proof.before.journal };
    let records = proof.records();
    proof.after.journal = place.digest(records.iter().map(Vec::as_slice)).unwrap();
    proof
}

#[test]
fn what_cannot_be_proved_or_read_is_told() {
    let (folder, venue) = venue("refused");
    let (_, err) = ended(2, &["prove", &venue, "--account", "nobody"]);
    assert!(err.contains("no account is called \"nobody\""), "{err}");
    let (_, err) = ended(2, &["prove", &venue, "--account", &first(&venue), "--at", "2024"]);
    assert!(err.contains("--list --account"), "{err}");
    ended(3, &["check-proof", "no such file"]);
    let file = folder.join("proof.json");
    std::fs::write(&file, "{}").unwrap();
    let (_, err) = ended(1, &["check-proof", &file.display().to_string()]);
    assert!(err.contains("plimsoll.proof/1: missing field"), "{err}");
    // What says the same in another way is no proof: what is not checked cannot stand in one.
    let (text, _) = ended(0, &["prove", &venue, "--account", &first(&venue)]);
    let twice = text.replacen("\"started\":", "\"note\": 1, \"started\":", 1);
    assert!(matches!(Proof::parse(&twice), Err(NotProved::Json(_))));
    let written_otherwise = text.replacen("\"started\": ", "\"started\": 0", 1);
    assert!(Proof::parse(&written_otherwise).is_err());
    let event = text.replacen("{\"began\":{", "{\"began\":{\"more\":1,", 1);
    assert!(matches!(Proof::parse(&event), Err(NotProved::Text(_))));
}
