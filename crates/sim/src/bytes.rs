//! Commands from arbitrary bytes: what a fuzzer feeds, and its bounded random form. Whatever the bytes, the engine must
//! answer: no panic, money conserved.

use engine::{AssetId, Command, Engine, decode, encode};
use units::Money;

/// A venue with accounts, positions and prices: `commands` of the random work of `seed`, and that work to go on with.
#[must_use]
pub fn warm_venue(seed: u64, commands: usize) -> (Engine, crate::random::Random) {
    let mut engine = Engine::new();
    let mut random = crate::random::Random::new(seed);
    for _ in 0..random.setup() + commands {
        let (at, command) = random.next(&engine);
        let _ = engine.apply(at, &command); // a refusal is a part of the work
        engine.end_batch();
    }
    (engine, random)
}

/// Reads records (a wait as u8, a length as u16 LE, that many bytes) and applies those that decode; returns how many did.
pub fn feed(engine: &mut Engine, mut data: &[u8]) -> usize {
    let mut applied = 0;
    while let Some(([wait, low, high], rest)) = data.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        data = rest;
        let at = engine.state().now.plus_ns(i64::from(*wait).pow(3) * 1_000_000);
        if let Ok(command) = decode(bytes) {
            assert_eq!(encode(&command), bytes, "a command has one binary form");
            let _ = engine.apply(at, &command); // refused or not: it must only not panic
            engine.end_batch();
            applied += 1;
        }
    }
    assert_conserved(engine);
    applied
}

/// One record of [`feed`].
#[must_use]
pub fn record(wait: u8, command: &Command) -> Vec<u8> {
    let bytes = encode(command);
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&[wait, length[0], length[1]], bytes.as_slice()].concat()
}

/// Wallets + clearing + fees + rounding + pending withdrawals = vault, for every asset.
///
/// # Panics
/// When money was made or lost.
pub fn assert_conserved(engine: &Engine) {
    let state = engine.state();
    for (at, row) in state.assets.iter().enumerate() {
        let asset = AssetId::at(at);
        let wallets: Money = state.accounts.iter().map(|a| a.wallet(asset)).sum();
        let settled = state.markets.iter().filter(|m| m.params.settlement == asset);
        let clearing: Money = settled.map(|m| m.clearing).sum();
        let sum = wallets + clearing + row.fees + row.rounding + row.pending;
        assert_eq!(sum, row.vault, "I-01: conservation of {}", row.params.name);
    }
}
