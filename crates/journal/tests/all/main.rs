//! What the journal promises, each with the fault that would break it.

mod crash;
mod faults;
mod fixtures;
mod kit;
mod real;
mod refused;
mod snapshots;
