//! The run of one seed: clients, clock, disk and node, and what is done to them.

use super::feed::Feed;
use super::{Report, check};
use crate::random::{Dice, Random};
use engine::Command;
use journal::{Disk, Faults, FaultyDisk, LogId, Tail};
use node::{Follower, Node, NotTaken, Options, Outcome, Request, RequestId, Told};
use std::collections::{BTreeMap, VecDeque};
use units::Time;

/// How often things go wrong in a run: once in so many steps.
#[derive(Clone, Debug)]
struct Character {
    burst: u64,
    /// A write or sync fails, and the power with it.
    fault: u64,
    /// The process is killed between two steps.
    kill: u64,
    stop: u64,
    snapshot: u64,
    full: u64,
    rot: u64,
    /// Clients: of requests.
    twice: u64,
    late: u64,
    lost: u64,
    /// The clock jumps.
    jump: u64,
    short_writes: bool,
    clients: u64,
}

const NEVER: u64 = u64::MAX >> 1;

impl Character {
    fn draw(dice: &mut Dice) -> Self {
        let mut rate = |often: u64| [often, often * 5, often * 30, NEVER][dice.pick(&[2, 3, 2, 2])];
        let (fault, kill, stop, snapshot) = (rate(8), rate(20), rate(40), rate(25));
        let (full, rot, twice, late, lost, jump) = (rate(60), rate(60), rate(6), rate(12), rate(12), rate(50));
        let burst = [1, 3, 12, 60][dice.pick(&[2, 3, 2, 1])];
        let (short_writes, clients) = (dice.one_in(4), 1 + dice.below(5));
        Self { burst, fault, kill, stop, snapshot, full, rot, twice, late, lost, jump, short_writes, clients }
    }
}

/// A request that its client has no answer to.
#[derive(Clone, Debug)]
struct Pending {
    request: Request,
    /// Steps until it is sent again.
    wait: u32,
}

/// A run.
pub(super) struct World {
    seed: u64,
    dice: Dice,
    character: Character,
    feed: Feed,
    random: Random,
    /// Taken out while it is opened.
    node: Option<Node<FaultyDisk>>,
    options: Options,
    numbers: Vec<u64>,
    pending: VecDeque<Pending>,
    /// Which request a ticket is of, in this process.
    tickets: BTreeMap<u64, RequestId>,
    /// Everything that anybody was told.
    pub told: BTreeMap<RequestId, (u64, Outcome)>,
    recent: VecDeque<(Time, Command)>,
    full_for: u32,
    report: Report,
}

const ID: LogId = LogId(*b"simulated venue ");

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed.rotate_left(17));
        let character = Character::draw(&mut dice);
        let feed = Feed::draw(&mut dice);
        let mut options = Options { tail: Tail::Drop, ..Options::default() };
        options.journal.segment_bytes = [1 << 16, 1 << 18, 1 << 21][dice.pick(&[3, 2, 1])];
        let node = Node::create(FaultyDisk::new(), ID, &options).ok();
        let numbers = vec![0; usize::try_from(character.clients).unwrap_or(1)];
        Self {
            seed,
            dice,
            character,
            feed,
            random: Random::new(seed),
            node,
            options,
            numbers,
            pending: VecDeque::new(),
            tickets: BTreeMap::new(),
            told: BTreeMap::new(),
            recent: VecDeque::new(),
            full_for: 0,
            report: Report { seeds: 1, ..Report::default() },
        }
    }

    /// The last commands that were made, as JSON with their times.
    pub fn last(&self) -> Vec<String> {
        let line = |(at, command): &(Time, Command)| {
            format!("{} {}", at.ns(), serde_json::to_string(command).unwrap_or_default())
        };
        self.recent.iter().map(line).collect()
    }

    /// The faults, the quiet, and the reckoning.
    pub fn run(&mut self, commands: u64, judged: bool) -> Result<Report, String> {
        let setup = u64::try_from(self.random.setup()).unwrap_or(0);
        for _ in 0..setup {
            // One after the other: in a queue prices and deposits would overtake what they need.
            self.make(true);
            self.step(false)?;
        }
        let mut made = 0;
        while made < commands {
            let burst = 1 + self.dice.below(self.character.burst);
            for _ in 0..burst.min(commands - made) {
                self.make(false);
                made += 1;
            }
            self.step(true)?;
        }
        self.quiet()?;
        self.reckon(judged)?;
        Ok(self.report)
    }

    fn node(&mut self) -> Result<&mut Node<FaultyDisk>, String> {
        self.node.as_mut().ok_or_else(|| "the node is gone".to_owned())
    }

    fn note(&mut self, at: Time, command: &Command) {
        self.recent.push_back((at, command.clone()));
        if self.recent.len() > 12 {
            self.recent.pop_front();
        }
    }

    /// A client asks for something.
    fn make(&mut self, setup: bool) {
        let Some(node) = &self.node else { return };
        let (at, mut command) = self.random.next(node.engine());
        if !setup && self.feed.pass(&mut self.dice, &mut command) {
            self.report.spoiled += 1;
        }
        self.note(at, &command);
        let client = if setup { 0 } else { self.dice.below(self.character.clients) };
        let Some(number) = usize::try_from(client).ok().and_then(|at| self.numbers.get_mut(at)) else { return };
        *number += 1;
        let request = Request { id: Some(RequestId { client, number: *number }), command };
        let wait = match setup {
            true => 0,
            false if self.dice.one_in(self.character.late) => 1 + u32::try_from(self.dice.below(8)).unwrap_or(0),
            false => 0,
        };
        self.pending.push_back(Pending { request, wait });
    }

    /// Sends what is to be sent, works it off, and lets happen what happens.
    fn step(&mut self, faults: bool) -> Result<(), String> {
        self.send()?;
        let clock = self.clock(faults);
        if faults {
            self.prepare()?;
        }
        let ran = self.node()?.run(clock);
        match ran {
            Ok(told) => self.hear(told)?,
            Err(node::Ended::Journal(_)) => self.restart(true)?,
            Err(ended) => return Err(format!("the node ended: {ended}")),
        }
        let now = self.node()?.state().now;
        self.random.not_before(now);
        if faults { self.between() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), String> {
        let twice = self.character.twice;
        let mut pending = std::mem::take(&mut self.pending);
        for waiting in &mut pending {
            if waiting.wait > 0 {
                waiting.wait -= 1;
                continue;
            }
            let times = if self.dice.one_in(twice) { 2 } else { 1 };
            for _ in 0..times {
                match self.node()?.submit(waiting.request.clone()) {
                    Ok(ticket) => {
                        waiting.wait = 3; // sent again when no answer comes
                        self.tickets.extend(waiting.request.id.map(|id| (ticket, id)));
                    }
                    Err(NotTaken::Overloaded { .. }) => {}
                    Err(why) => return Err(format!("not taken: {why}")),
                }
            }
        }
        self.pending = pending;
        Ok(())
    }

    fn clock(&mut self, faults: bool) -> Time {
        let (at, _) = self.recent.back().cloned().unwrap_or((Time::from_ns(0), Command::Tick));
        if !faults || !self.dice.one_in(self.character.jump) {
            return at;
        }
        let ns = match self.dice.below(4) {
            0 => -86_400_000_000_000,
            1 => 86_400_000_000_000,
            2 => -self.dice.between(0, 5_000_000_000),
            _ => self.dice.between(0, 5_000_000_000),
        };
        at.plus_ns(ns)
    }

    /// What will go wrong in the next batch.
    fn prepare(&mut self) -> Result<(), String> {
        let Character { fault, full, short_writes, .. } = self.character;
        let (fails, fills) = (self.dice.one_in(fault), self.dice.one_in(full));
        let (sync, which) = (self.dice.one_in(2), self.dice.below(3));
        if fills && self.full_for == 0 {
            self.full_for = 1 + u32::try_from(self.dice.below(10)).unwrap_or(0);
        }
        let is_full = self.full_for > 0;
        self.full_for = self.full_for.saturating_sub(1);
        let disk = self.node()?.disk();
        let room = is_full.then(|| disk.all().values().map(|bytes| u64::try_from(bytes.len()).unwrap_or(0)).sum());
        disk.faults = Faults { short_writes, room, ..Faults::default() };
        if fails && sync {
            disk.faults.fail_sync = Some(which);
        } else if fails {
            disk.faults.fail_write = Some(which);
        }
        Ok(())
    }

    /// Answers arrive, unless they are lost on their way; each has to be the one that was told before.
    fn hear(&mut self, told: Vec<Told>) -> Result<(), String> {
        self.report.batches += u64::from(!told.is_empty());
        for Told { ticket, sequence, outcome } in told {
            let Some(id) = self.tickets.remove(&ticket) else { return Err(format!("ticket {ticket} is nobody's")) };
            let durable = self.node()?.committed().sequence;
            if sequence > durable {
                return Err(format!("I-27: told sequence {sequence}, durable to {durable}"));
            }
            match outcome {
                Ok(outcome) => {
                    self.report.told += 1;
                    match self.told.get(&id) {
                        None => {
                            self.told.insert(id, (sequence, outcome));
                        }
                        Some(before) if *before == (sequence, outcome.clone()) => self.report.again += 1,
                        Some(before) => {
                            return Err(format!("I-33: {id:?} was told {before:?}, and now {sequence} {outcome:?}"));
                        }
                    }
                }
                Err(NotTaken::Forgotten { .. }) => {}
                Err(NotTaken::NoRoom) => {
                    self.report.no_room += 1;
                    continue; // it is sent again
                }
                Err(why) => return Err(format!("not taken: {why}")),
            }
            if !self.dice.one_in(self.character.lost) {
                self.pending.retain(|pending| pending.request.id != Some(id));
            }
        }
        Ok(())
    }

    /// What happens between two batches.
    fn between(&mut self) -> Result<(), String> {
        let Character { kill, stop, snapshot, rot, .. } = self.character;
        if self.dice.one_in(snapshot) && self.full_for == 0 {
            self.report.snapshots += 1;
            self.make_snapshot()?;
        }
        if self.dice.one_in(rot) {
            self.rot()?;
        }
        if self.dice.one_in(kill) {
            self.restart(false)?;
        }
        if self.dice.one_in(stop) && self.full_for == 0 {
            self.stop()?;
        }
        Ok(())
    }

    /// By the node, or by a follower of what is durable; a disk that fails then has to be survived.
    fn make_snapshot(&mut self) -> Result<(), String> {
        let (follow, fails) = (self.dice.one_in(2), self.dice.one_in(6));
        let which = self.dice.below(4);
        let node = self.node()?;
        node.disk().faults = Faults { fail_sync: fails.then_some(which), ..Faults::default() };
        let made = if follow {
            let mut follower = Follower::new();
            follower.catch_up(node.disk()).map_err(|error| format!("follower: {error}"))?;
            check::same("state of a follower", follower.engine().state_digest(), node.engine().state_digest())?;
            let snapshot = follower.snapshot(ID).ok_or("a follower inside a batch")?;
            journal::Snapshots::write(node.disk(), &snapshot).is_ok()
        } else {
            node.snapshot().is_ok()
        };
        if made { Ok(()) } else { self.restart(true) }
    }

    fn stop(&mut self) -> Result<(), String> {
        self.report.stops += 1;
        let node = self.node.take().ok_or("the node is gone")?;
        let mut copy = node.into_disk();
        copy.faults = Faults::default();
        let (node, _) = Node::open(copy, &self.options).map_err(|error| format!("before a stop: {error}"))?;
        let disk = node.close().map_err(|error| format!("stop: {error}"))?;
        self.open(disk)
    }

    /// The process dies, with the power or without.
    fn restart(&mut self, power: bool) -> Result<(), String> {
        let node = self.node.take().ok_or("the node is gone")?;
        let mut disk = node.into_disk();
        let power = power || self.dice.one_in(2);
        if power {
            self.report.crashes += 1;
            let dice = &mut self.dice;
            disk.crash(&mut |n| dice.below(n));
        } else {
            self.report.kills += 1;
            disk.kill();
        }
        self.open(disk)
    }

    /// Opens what is there; twice, since recovery is a function of the bytes.
    fn open(&mut self, disk: FaultyDisk) -> Result<(), String> {
        let open = |disk| Node::open(disk, &self.options).map_err(|error| format!("I-27: it does not open: {error}"));
        let twice = if self.dice.one_in(4) { Some(open(disk.clone())?) } else { None };
        let (mut node, opened) = open(disk)?;
        if let Some((mut other, _)) = twice {
            check::same("I-28: state recovered twice", other.engine().state_digest(), node.engine().state_digest())?;
            check::same("I-28: bytes recovered twice", other.disk().all(), node.disk().all())?;
        }
        self.report.dropped += u64::from(opened.dropped.is_some());
        let newest = self.told.values().map(|(sequence, _)| *sequence).max().unwrap_or(0);
        if opened.sequence < newest {
            return Err(format!("I-27: told sequence {newest}, and recovered to {}", opened.sequence));
        }
        node::audit(node.state()).map_err(|broken| broken.to_string())?;
        self.tickets.clear();
        for pending in &mut self.pending {
            pending.wait = 0;
        }
        self.node = Some(node);
        Ok(())
    }

    /// A copy of the disk rots: it is not opened, or it is opened as it was.
    fn rot(&mut self) -> Result<(), String> {
        self.report.rotten += 1;
        let dice = &mut self.dice;
        let node = self.node.as_mut().ok_or("the node is gone")?;
        let mut disk = node.disk().clone();
        disk.faults = Faults::default();
        let names = disk.list().map_err(|error| error.to_string())?;
        let at = usize::try_from(dice.below(u64::try_from(names.len()).unwrap_or(1))).unwrap_or(0);
        let Some(name) = names.get(at) else { return Ok(()) };
        let mut bytes = disk.bytes(name).unwrap_or_default().to_vec();
        let place = usize::try_from(dice.below(u64::try_from(bytes.len()).unwrap_or(1))).unwrap_or(0);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << dice.below(8);
        }
        disk.set_bytes(name, bytes);
        let ask = Options { tail: Tail::Ask, ..self.options.clone() };
        if let Ok((rotten, _)) = Node::open(disk, &ask) {
            check::same("I-29: state of a rotten copy", rotten.engine().state_digest(), node.engine().state_digest())?;
        }
        Ok(())
    }

    /// Faults are over: everything that was asked gets its answer, and nobody stays in liquidation who can be closed.
    fn quiet(&mut self) -> Result<(), String> {
        self.node()?.disk().faults = Faults::default();
        self.full_for = 0;
        self.character.lost = NEVER;
        for _ in 0..200 {
            if self.pending.is_empty() {
                break;
            }
            self.step(false)?;
        }
        if !self.pending.is_empty() {
            return Err(format!("{} requests never got an answer", self.pending.len()));
        }
        // What waits, by the least that there was, and when that was: a fund with a small limit may need long, but never stands still.
        let (mut ticks, mut least, mut since) = (0, u128::MAX, 0);
        while ticks < since + QUIET_TICKS {
            let now = self.node()?.state().now;
            let (at, command) = self.random.calm(now);
            self.note(at, &command);
            let node = self.node()?;
            node.submit(Request { id: None, command }).map_err(|why| why.to_string())?;
            node.run(at).map_err(|ended| ended.to_string())?;
            let (drained, unpaid) = (check::waiting(node.state()).is_empty(), check::unpaid(node.state()).len());
            let left = check::contracts(node.state());
            if left < least {
                (least, since) = (left, ticks);
            }
            ticks += 1;
            self.report.quiet = ticks;
            if drained {
                self.report.unpaid += u64::try_from(unpaid).unwrap_or(0);
                return Ok(());
            }
        }
        let state = self.node()?.state();
        let left = check::waiting(state);
        let first = left.first().map(|id| (state.account(*id), state.liquidating.len()));
        Err(format!(
            "liveness: after {QUIET_TICKS} quiet ticks without a contract less {left:?} are still in liquidation; the first: {first:?}"
        ))
    }

    /// The journal from its beginning, against what lives and what was told.
    fn reckon(&mut self, judged: bool) -> Result<(), String> {
        let state = self.node()?.engine().state_digest();
        let events = self.node()?.engine().event_digest();
        let node = self.node.take().ok_or("the node is gone")?;
        let disk = node.close().map_err(|error| format!("stop: {error}"))?;
        let read = check::from_genesis(&disk, &self.told)?;
        check::same("I-26: state from genesis", read.engine().state_digest(), state)?;
        check::same("I-26: events from genesis", read.engine().event_digest(), events)?;
        let (node, opened) = Node::open(disk.clone(), &self.options).map_err(|error| error.to_string())?;
        check::same("I-26: state from the snapshot", node.engine().state_digest(), state)?;
        node::audit(node.state()).map_err(|broken| broken.to_string())?;
        self.report.commands = opened.sequence;
        if judged {
            self.report.judged = check::judge(&disk).map_err(|what| format!("seed {}: {what}", self.seed))?;
        }
        Ok(())
    }
}

/// Quiet seconds in which the queue has to become shorter.
const QUIET_TICKS: u64 = 4_000;
