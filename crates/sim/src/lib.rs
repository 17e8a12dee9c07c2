//! Everything that drives the engine from outside: scenarios as text, crash replays on real prices, and the slow referee
//! that checks both.
//!
//! It takes and gives text and rows; files, terminals and formats of tables belong to the command line.

pub mod brute;
pub mod bytes;
pub mod explain;
pub mod random;
pub mod referee;
pub mod replay;
pub mod scenario;
pub mod simulator;
