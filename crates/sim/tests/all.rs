//! All tests that drive the engine from outside: one binary, one module per topic.

#[path = "all/scenarios.rs"]
mod scenarios;

#[path = "all/fuzz.rs"]
mod fuzz;

#[path = "all/referee.rs"]
mod referee;

#[path = "all/replay.rs"]
mod replay;

#[path = "all/settlement.rs"]
mod settlement;
#[path = "all/split.rs"]
mod split;

#[path = "all/simulator.rs"]
mod simulator;
#[path = "all/snapshot.rs"]
mod snapshot;

#[path = "all/explain.rs"]
mod explain;

#[path = "all/batch.rs"]
mod batch;

#[path = "all/losses.rs"]
mod losses;

#[path = "all/never_scan.rs"]
mod never_scan;

#[path = "all/map.rs"]
mod map;

#[path = "all/market_faults.rs"]
mod market_faults;
