//! A batch does what its items do when they are sent one by one at the same time.

use engine::{Answer, BatchItem, Command, Engine, Reject};
use plimsoll_sim::random::Random;
use units::Time;

fn alone(item: &BatchItem) -> Command {
    match *item {
        BatchItem::Place(order) => Command::PlaceOrder(order),
        BatchItem::Amend { account, order, price, size } => Command::AmendOrder { account, order, price, size },
        BatchItem::Cancel { account, order } => Command::CancelOrder { account, order },
    }
}

/// The whole state but for the number of commands, and for when the clock's work is looked at next: each command looks anew.
fn text(engine: &Engine) -> String {
    let mut state = engine.state().clone();
    (state.sequence, state.next_due) = (0, Time::EPOCH);
    format!("{state:?}")
}

#[test]
fn a_batch_is_its_items_sent_alone() {
    let (mut batches, mut refused) = (0, 0);
    for seed in 0..30 {
        let (mut random, mut engine) = (Random::new(seed), Engine::new());
        for _ in 0..random.setup() + 300 {
            let (at, command) = random.next(&engine);
            let mut other = engine.clone();
            let answer = engine.apply(at, &command);
            engine.end_batch();
            let Command::Batch { items } = &command else { continue };
            let Ok(Answer::Batch(answers)) = answer else { panic!("{answer:?}") };
            if items.is_empty() {
                continue;
            }
            let one_by_one: Vec<Result<Answer, Reject>> =
                items.iter().map(|item| other.apply(at, &alone(item))).collect();
            assert_eq!(answers, one_by_one, "seed {seed}");
            assert_eq!(text(&engine), text(&other), "seed {seed}: {command:?}");
            batches += 1;
            refused += answers.iter().filter(|a| a.is_err()).count();
        }
    }
    assert!(batches > 50 && refused > 10, "{batches} batches with {refused} refusals say little");
}
