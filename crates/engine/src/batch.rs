//! Several orders, amendments and cancels in one command, each judged in its turn exactly as if it were sent alone.

use crate::output::Output;
use crate::{Answer, BatchItem, Event, Reject, State, engine, limits, place, settlement};

/// A refused item leaves what a refused command leaves: what was due before it. The others go on.
///
/// # Errors
/// With more than `BATCH_MAX` items, and then none of them is looked at.
pub(crate) fn run(out: &mut Output<'_>, items: &[BatchItem]) -> Result<Answer, Reject> {
    State::room(items.len().saturating_sub(1), limits::BATCH_MAX)?;
    let mut answers = alloc::vec::Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            settlement::run(out);
            engine::settle(out); // what a command of its own would begin with
        }
        let answer = one(out, item).map_err(Reject::within_bounds);
        match &answer {
            // After the last, the command itself ends with this.
            Ok(_) if at + 1 < items.len() => engine::settle(out),
            Ok(_) => {}
            Err(reject) => {
                let item = u16::try_from(at).unwrap_or(u16::MAX);
                out.emit(Event::ItemRefused { item, code: reject.code() });
            }
        }
        answers.push(answer);
    }
    Ok(Answer::Batch(answers))
}

fn one(out: &mut Output<'_>, item: &BatchItem) -> Result<Answer, Reject> {
    match item {
        BatchItem::Place(order) => place::place_order(out, order),
        BatchItem::Amend { account, order, price, size } => place::amend_order(out, *account, *order, *price, *size),
        BatchItem::Cancel { account, order } => place::cancel_order(out, *account, *order),
    }
}
