//! One venue's command path: a request is stamped, applied, made durable with the digest of its events, and only then
//! answered.
//!
//! [`Node::submit`] takes requests into bounded queues, [`Node::run`] works off a batch of them. Whatever ends the process, a
//! node that is [opened](Node::open) again has every command that was answered, answers a repeated request as it did the first
//! time, and compares the events of each batch with those it had. [`Follower`] reads what another wrote, to verify it and to make snapshots.
//!
//! This crate has no sockets, threads or clock: whoever runs it passes the time in. `docs/node.md` has the order of things and
//! what happens when something fails.

mod answers;
mod audit;
mod error;
mod follow;
mod node;
mod open;
mod proof;
mod quarantine;
mod queue;
mod record;
mod verify;

pub use answers::{ANSWERS_PER_CLIENT, CLIENTS_MAX};
pub use audit::{Broken, audit};
pub use error::{Ended, Error, NotTaken};
pub use follow::{Follower, Step};
pub use node::{Node, Outcome, Refusal, Request, RequestId, Told};
pub use open::{Opened, Options};
pub use proof::{Checked, Digests, Liquidation, NotProved, Proof, Recorded, Where, liquidations, prove};
pub use queue::{Class, QUEUE_LIMITS};
pub use record::{Head, Line, RULES_VERSION};
pub use verify::{Verified, Wrong, verify};
