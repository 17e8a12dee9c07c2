//! Arbitrary bytes as commands on a venue that has accounts, positions and prices.
//!
//! `cargo install cargo-fuzz`, then `cargo fuzz run apply --sanitizer none` with a nightly toolchain (or
//! `RUSTC_BOOTSTRAP=1`). `cargo xtask long fuzz` is the bounded form on any toolchain.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((seed, data)) = data.split_first() else { return };
    let (mut engine, _) = sim::bytes::warm_venue(u64::from(*seed) % 16, 60);
    sim::bytes::feed(&mut engine, data);
});
