//! The order flow that every program of this folder reads, and the clock that it is timed with.
//!
//! A file of 12-byte records: account u32 (from 1), market u16, side u8 (0 buys), IOC u8, ticks of 0.01 from 100.00 i32, all
//! little-endian. It knows no engine.

/// One order of size 1.
#[derive(Clone, Copy)]
#[allow(dead_code)] // each program reads the fields that it has a use for
pub struct FlowOrder {
    pub account: u32,
    pub market: u16,
    pub buys: bool,
    pub ioc: bool,
    pub ticks: i32,
}

/// Reads a flow file.
pub fn read(path: &str) -> Vec<FlowOrder> {
    let bytes = std::fs::read(path).expect("a flow file; `ours flow FILE` writes one");
    let order = |r: &[u8]| FlowOrder {
        account: u32::from_le_bytes([r[0], r[1], r[2], r[3]]),
        market: u16::from_le_bytes([r[4], r[5]]),
        buys: r[6] == 0,
        ioc: r[7] == 1,
        ticks: i32::from_le_bytes([r[8], r[9], r[10], r[11]]),
    };
    bytes.chunks_exact(12).map(order).collect()
}

/// CPU time of this thread so far.
pub fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse().ok()).expect("Linux with schedstat")
}

/// One line for `report.py`.
pub fn print(job: &str, version: &str, total_ns: u64, count: usize, note: &str) {
    println!("{job}\t{version}\t{:.2}\t{note}", total_ns as f64 / count as f64);
}
