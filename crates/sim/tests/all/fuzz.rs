//! Arbitrary bytes, and commands with arbitrary bytes changed: the engine answers, and money is conserved.

use plimsoll_sim::bytes::{feed, record, warm_venue};
use plimsoll_sim::random::Dice;

/// Rounds: `PLIMSOLL_FUZZ_CASES`, 400 unless said otherwise.
fn cases() -> u64 {
    std::env::var("PLIMSOLL_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
}

#[test]
fn fuzz_bytes_never_panic_the_engine() {
    let mut applied = 0;
    for seed in 0..cases() {
        let mut dice = Dice::new(seed);
        let (mut engine, mut random) = warm_venue(seed, 60);
        let mut data = Vec::new();
        for _ in 0..80 {
            let (_, command) = random.next(&engine);
            let mut bytes = record(u8::try_from(dice.below(256)).unwrap_or(0), &command);
            spoil(&mut dice, &mut bytes);
            data.extend(bytes);
        }
        let noise = dice.below(64);
        data.extend((0..noise).map(|_| u8::try_from(dice.below(256)).unwrap_or(0)));
        applied += feed(&mut engine, &data);
    }
    println!("{applied} commands decoded from spoiled bytes and applied, {} cases", cases());
    assert!(applied as u64 > cases() * 10, "too few of the spoiled commands decoded for this to be a test: {applied}");
}

/// Changes, removes or doubles bytes in half of the records; extremes are likelier than chance makes them.
fn spoil(dice: &mut Dice, bytes: &mut [u8]) {
    if dice.one_in(2) || bytes.len() < 6 {
        return;
    }
    for _ in 0..=dice.below(3) {
        let len = bytes.len() as u64;
        let at = usize::try_from(5 + dice.below(len - 5)).unwrap_or(5);
        match dice.below(4) {
            0 => bytes[at] = u8::try_from(dice.below(256)).unwrap_or(0),
            1 => bytes[at] = [0x00, 0x7f, 0x80, 0xff][usize::try_from(dice.below(4)).unwrap_or(0)],
            2 => bytes[at] ^= 1 << dice.below(8),
            _ => {
                let end = bytes.len().min(at + 8);
                let fill = if dice.one_in(2) { 0xff } else { 0x00 };
                bytes[at..end].fill(fill);
                if end > at + 7 {
                    bytes[end - 1] = [0x7f, 0x80, 0x00, 0xff][usize::try_from(dice.below(4)).unwrap_or(0)];
                }
            }
        }
    }
}
