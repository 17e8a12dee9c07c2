//! An engine that was restored from a snapshot goes on like the one that was never stopped: the same events and the same
//! state after every further batch, though one of them knows its triggers and the other has to look at everyone first.

use engine::{Engine, encode};
use plimsoll_sim::random::Random;

/// A run of random work in batches; the engine is also restored after some of them, and both go on.
fn play(seed: u64, mut random: Random) -> usize {
    let (mut live, mut restored) = (Engine::new(), Engine::new());
    let mut restores = 0;
    for batch in 0..400 {
        for _ in 0..1 + (seed + batch) % 13 {
            let (at, command) = random.next(&live);
            let answers = (live.apply(at, &command), restored.apply(at, &command));
            assert_eq!(answers.0, answers.1, "seed {seed}, batch {batch}: {command:?}");
        }
        assert_eq!(live.snapshot(), None, "an open batch has no snapshot");
        assert_eq!(live.end_batch(), restored.end_batch(), "seed {seed}, batch {batch}: events differ");
        if (seed + batch).is_multiple_of(7) {
            let bytes = live.snapshot().expect("the batch has ended");
            restored = Engine::restore(&bytes).expect("it was made a moment ago");
            assert_eq!(restored.state_digest(), live.state_digest(), "seed {seed}, batch {batch}");
            assert_eq!(restored.snapshot(), Some(bytes), "written again it is the same");
            restores += 1;
        }
    }
    assert_eq!(restored.state_digest(), live.state_digest(), "seed {seed}: states differ at the end");
    restores
}

#[test]
fn a_restored_engine_goes_on_like_the_one_that_never_stopped() {
    let single: usize = (0..60).map(|seed| play(seed, Random::new(seed))).sum();
    let crowds: usize = (0..12).map(|seed| play(seed, Random::crowd(seed, 100))).sum();
    println!("{single} restores in random work, {crowds} in crowds");
    assert!(single > 3_000 && crowds > 600);
}

#[test]
fn bytes_that_are_no_snapshot_are_refused() {
    let (mut random, mut engine) = (Random::new(3), Engine::new());
    for _ in 0..300 {
        let (at, command) = random.next(&engine);
        let _ = engine.apply(at, &command);
    }
    engine.end_batch();
    let bytes = engine.snapshot().expect("the batch has ended");
    for end in (0..bytes.len()).step_by(1 + bytes.len() / 5_000) {
        assert!(Engine::restore(&bytes[..end]).is_err(), "cut at {end} of {}", bytes.len());
    }
    let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
    assert!(Engine::restore(&longer).is_err());
    let mut newer = bytes.clone();
    newer[7] += 1;
    assert!(Engine::restore(&newer).is_err(), "another version is refused");
    // A flipped byte is another state or none; whoever keeps the bytes notices by the digest.
    for at in (0..bytes.len()).step_by(1 + bytes.len() / 3_000) {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x40;
        if let Ok(other) = Engine::restore(&spoiled) {
            assert!(
                (other.state_digest(), other.event_digest()) != (engine.state_digest(), engine.event_digest()),
                "flipped at {at}"
            );
        }
    }
    assert!(Engine::restore(&encode(&engine::Command::Tick)).is_err());
}
