//! What a venue promises whoever asks it: answers that are durable, the same for the same request, in an order that keeps it
//! alive.

use engine::{Answer, Command, Name, OwnerId, Role};
use journal::{Disk, FaultyDisk, LogId, Tail};
use plimsoll_node::{Class, Error, Follower, Node, NotTaken, Options, QUEUE_LIMITS, Request, RequestId, Told, audit};
use units::Time;

const ID: LogId = LogId(*b"a venue of tests");

fn options() -> Options {
    let mut options = Options::default();
    options.journal.segment_bytes = 8192;
    options.tail = Tail::Drop;
    options
}

fn account(n: u64) -> Command {
    let name = Name::new(&format!("trader-{n}")).unwrap();
    Command::OpenAccount { owner: OwnerId(u32::try_from(n).unwrap()), role: Role::Trading, name }
}

fn ask(client: u64, number: u64, command: Command) -> Request {
    Request { id: Some(RequestId { client, number }), command }
}

fn at(ns: i64) -> Time {
    Time::from_ns(1_000_000_000 + ns)
}

fn create() -> Node<FaultyDisk> {
    Node::create(FaultyDisk::new(), ID, &options()).unwrap()
}

fn run(node: &mut Node<FaultyDisk>, ns: i64, requests: impl IntoIterator<Item = Request>) -> Vec<Told> {
    for request in requests {
        node.submit(request).unwrap();
    }
    node.run(at(ns)).unwrap()
}

#[test]
fn a_request_that_is_sent_again_gets_its_first_answer() {
    let mut node = create();
    let first = run(&mut node, 1, [ask(1, 1, account(1)), ask(1, 1, account(1)), ask(1, 2, account(2))]);
    assert_eq!(first[0].outcome, first[1].outcome);
    assert_eq!((first[0].sequence, first[1].sequence, first[2].sequence), (1, 1, 2));
    assert_eq!(node.state().accounts.len(), 2);
    for closed in [false, true] {
        let disk = if closed { node.close().unwrap() } else { node.into_disk() };
        let (opened, found) = Node::open(disk, &options()).unwrap();
        assert_eq!((found.sequence, found.snapshot), (2, if closed { 2 } else { 0 }));
        node = opened;
        let again = run(&mut node, 2, [ask(1, 1, account(1)), ask(1, 2, account(7))]);
        assert_eq!((&again[0].outcome, again[0].sequence), (&first[0].outcome, 1));
        assert_eq!((&again[1].outcome, again[1].sequence), (&first[2].outcome, 2));
        assert_eq!(node.committed().sequence, 2, "nothing was applied");
    }
}

#[test]
fn a_number_below_those_that_are_remembered_is_not_applied_again() {
    let mut node = create();
    for number in 1..=100 {
        run(&mut node, 1, [ask(5, number, account(number))]);
    }
    let told = run(&mut node, 2, [ask(5, 3, account(3)), ask(5, 100, account(9))]);
    assert_eq!(told[0].outcome, Err(NotTaken::Forgotten { last: 100 }));
    assert_eq!((told[0].sequence, told[1].sequence), (100, 100));
    assert_eq!(node.state().accounts.len(), 100);
}

#[test]
fn the_clock_never_goes_back_even_across_a_restart() {
    let mut node = create();
    run(&mut node, 500, [ask(1, 1, account(1))]);
    run(&mut node, -900, [ask(1, 2, account(2))]);
    assert_eq!(node.state().now, at(500));
    let (mut node, _) = Node::open(node.into_disk(), &options()).unwrap();
    run(&mut node, 20, [ask(1, 3, account(3))]);
    assert_eq!(node.state().now, at(500));
    run(&mut node, 501, [ask(1, 4, account(4))]);
    assert_eq!(node.state().now, at(501));
}

#[test]
fn what_must_not_wait_goes_first_and_queues_are_bounded() {
    let mut node = create();
    let orders = node.submit(ask(1, 1, account(1))).unwrap();
    let work = node.submit(Request { id: None, command: Command::Tick }).unwrap();
    let prices = node.submit(Request { id: None, command: Command::SetPrices { quotes: Vec::new() } }).unwrap();
    let told: Vec<u64> = node.run(at(1)).unwrap().iter().map(|told| told.ticket).collect();
    assert_eq!(told, [prices, work, orders]);
    let limit = QUEUE_LIMITS[2];
    for n in 0..limit {
        node.submit(Request { id: None, command: account(u64::try_from(n).unwrap()) }).unwrap();
    }
    let full = node.submit(Request { id: None, command: account(0) });
    assert_eq!(full, Err(NotTaken::Overloaded { class: Class::Orders, limit }));
    node.submit(Request { id: None, command: Command::Tick }).unwrap();
    assert_eq!(node.waiting(), limit + 1);
}

/// The disk is full: new commands are refused before they are applied, reads go on, and so does everything when there is room.
#[test]
fn a_full_disk_refuses_new_commands_and_loses_nothing() {
    let mut node = create();
    node.disk().faults.room = Some(20_000);
    let mut number = 0;
    let refused = loop {
        number += 1;
        let told = run(&mut node, 1, [ask(1, number, account(number))]);
        if told[0].outcome.is_err() {
            break told;
        }
    };
    assert_eq!(refused[0].outcome, Err(NotTaken::NoRoom));
    let accounts = node.state().accounts.len();
    assert_eq!(u64::try_from(accounts).unwrap(), number - 1);
    assert!(accounts > 20);
    node.disk().faults.room = None;
    let told = run(&mut node, 1, [ask(1, number, account(number))]);
    assert!(matches!(told[0].outcome, Ok(Ok(Answer::Account(_)))));
    let (node, _) = Node::open(node.into_disk(), &options()).unwrap();
    assert_eq!(node.state().accounts.len(), accounts + 1);
}

#[test]
fn a_command_that_no_segment_has_room_for_is_refused_and_a_batch_is_cut() {
    let mut node = create();
    let quotes = |n| Request {
        id: None,
        command: Command::SetPrices {
            quotes: vec![
                engine::Quote {
                    index: engine::IndexId(0),
                    source: 0,
                    price: units::Price::whole(1),
                    time: at(0)
                };
                n
            ],
        },
    };
    let told = run(&mut node, 1, [quotes(2_000), quotes(250), quotes(250), ask(1, 1, account(1))]);
    assert!(matches!(told[0].outcome, Err(NotTaken::TooLarge { .. })));
    assert_eq!((told.len(), node.waiting()), (2, 2));
    assert_eq!(node.run(at(2)).unwrap().len() + node.run(at(2)).unwrap().len(), 2);
}

/// A journal's way is followed by another engine, and its snapshot opens as the log does.
#[test]
fn a_follower_makes_snapshots_that_open() {
    let mut node = create();
    let mut follower = Follower::new();
    for number in 1..=60 {
        run(&mut node, i64::try_from(number).unwrap(), [ask(1, number, account(number))]);
        if number % 20 == 0 {
            follower.catch_up(node.disk()).unwrap();
            let made = follower.snapshot(ID).unwrap();
            journal::Snapshots::write(node.disk(), &made).unwrap();
        }
    }
    assert_eq!(follower.engine().state_digest(), node.engine().state_digest());
    let digest = node.engine().state_digest();
    let mut disk = node.into_disk();
    let (node, found) = Node::open(disk.clone(), &options()).unwrap();
    assert_eq!((found.snapshot, found.sequence, node.engine().state_digest()), (60, 60, digest));
    audit(node.state()).unwrap();
    // Without the newest segment the snapshot is ahead of the log.
    let newest = disk.list().unwrap().into_iter().filter(|name| name.starts_with("segment-")).max().unwrap();
    disk.remove(&newest).unwrap();
    let error = Node::open(disk, &options()).map(|(node, _)| node.committed()).unwrap_err();
    assert!(matches!(error, Error::Journal(journal::Error::SnapshotAhead { snapshot: 60, .. })), "{error}");
}

#[test]
fn events_that_differ_are_a_divergence() {
    let mut node = create();
    for number in 1..=5 {
        run(&mut node, 1, [ask(1, number, account(number))]);
    }
    // The same log with another command in it, made by a node that was told to write it: its event digest is another's.
    let mut forged = {
        let writer = plimsoll_node::RULES_VERSION.to_owned();
        let options = journal::Options { writer, ..options().journal };
        journal::Journal::create(FaultyDisk::new(), ID, options).unwrap()
    };
    let source = node.into_disk();
    let mut reader = journal::Reader::first(&source).unwrap();
    while let Some(batch) = reader.next_batch(&source).unwrap() {
        for record in batch.iter() {
            let mut bytes = record.bytes.to_vec();
            if record.sequence == 3 {
                let owner = bytes.len() - 18;
                bytes[owner] = 77;
            }
            forged.append(&bytes).unwrap();
        }
        forged.commit().unwrap();
    }
    let error = Node::open(forged.into_disk(), &options()).map(|(node, _)| node.committed()).unwrap_err();
    assert!(matches!(error, Error::Diverged { sequence: 3 }), "{error}");
}

/// A journal that another version wrote goes on from the snapshot that it left at its stop, and from nothing else.
#[test]
fn another_version_begins_with_a_snapshot() {
    let rename = |disk: FaultyDisk| {
        // As if an older version had written all of it.
        let mut older = journal::Journal::create(
            FaultyDisk::new(),
            ID,
            journal::Options { writer: "plimsoll 0.0.1 rules 0".to_owned(), ..options().journal },
        )
        .unwrap();
        let mut reader = journal::Reader::first(&disk).unwrap();
        while let Some(batch) = reader.next_batch(&disk).unwrap() {
            for record in batch.iter() {
                older.append(record.bytes).unwrap();
            }
            older.commit().unwrap();
        }
        older
    };
    let mut node = create();
    for number in 1..=5 {
        run(&mut node, 1, [ask(1, number, account(number))]);
    }
    let digest = node.engine().state_digest();
    let mut follower = Follower::new();
    follower.catch_up(node.disk()).unwrap();
    let mut older = rename(node.into_disk());
    let refused = Node::open(older.disk().clone(), &options()).map(|(node, _)| node.committed()).unwrap_err();
    assert!(refused.to_string().starts_with("written by `plimsoll 0.0.1 rules 0`, this is `plimsoll "), "{refused}");
    let snapshot = journal::Snapshot { digest: older.committed().digest, ..follower.snapshot(ID).unwrap() };
    journal::Snapshots::write(older.disk(), &snapshot).unwrap();
    let (mut node, found) = Node::open(older.into_disk(), &options()).unwrap();
    assert_eq!((found.snapshot, node.engine().state_digest()), (5, digest));
    run(&mut node, 2, [ask(1, 6, account(6))]);
    let disk = node.into_disk();
    let (node, found) = Node::open(disk, &options()).unwrap();
    assert_eq!((found.sequence, node.state().accounts.len()), (6, 6));
}
