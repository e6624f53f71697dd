//! How queues are shared out in whole runs, strategy by strategy.

use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::fold::Picture;
use mqlab::lab::trace::record::Level;
use mqlab::mq::client::consumer::allocate::{Strategy, VIRTUAL_NODES};
use mqlab::mq::message::{MessageQueue, Name};

/// The queues of each member when everybody has come and nobody has died yet, by their numbers.
fn shares(allocate: &str, queues: i32, more: &str) -> Vec<Vec<i32>> {
    let text = library::text("09-rebalance").unwrap();
    let tables = text.split("[[step]]").next().unwrap();
    let kill = tables.find("[[fault]]").unwrap();
    let tables =
        tables[..kill].replace("from = \"first\"", &format!("from = \"first\"\nallocate = \"{allocate}\"\n{more}"));
    let tables = tables.replace("queues = 4", &format!("queues = {queues}"));
    let changes = Overrides { until: Some("75s".to_owned()), ..Overrides::default() };
    let plan = load("09", tables.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    let trace = Session::run(&plan, Level::Full).trace;
    let mut picture = Picture::new(trace.header.nodes.len());
    trace.records().iter().for_each(|record| picture.fold(record));
    (1..=5)
        .map(|number| {
            let node = trace.node(&format!("billing-{number}")).unwrap();
            let owned = &picture.nodes[usize::from(node.0)].owned;
            owned.iter().filter(|(topic, ..)| *topic == "orders").map(|(_, _, queue)| *queue).collect()
        })
        .collect()
}

#[test]
fn neighbours_or_cards_and_the_last_has_nothing() {
    assert_eq!(shares("averagely", 4, ""), [vec![0], vec![1], vec![2], vec![3], vec![]]);
    assert_eq!(shares("averagely", 8, ""), [vec![0, 1], vec![2, 3], vec![4, 5], vec![6], vec![7]]);
    assert_eq!(shares("by-circle", 8, ""), [vec![0, 5], vec![1, 6], vec![2, 7], vec![3], vec![4]]);
}

#[test]
fn the_ring_gives_every_queue_to_one_member() {
    let shares = shares("consistent-hash", 16, "");
    let mut all: Vec<i32> = shares.concat();
    all.sort_unstable();
    assert_eq!(all, (0..16).collect::<Vec<i32>>());
    // Members by their ids, as the run has them.
    let members: Vec<Name> = (2..=6).map(|number| Name::new(format!("10.0.3.{number}@{}", 1_001 + number))).collect();
    let queues: Vec<MessageQueue> =
        (0..16).map(|queue_id| MessageQueue { topic: "orders".into(), broker: "broker-a".into(), queue_id }).collect();
    for (own, share) in members.iter().zip(&shares) {
        let wanted = Strategy::ConsistentHash(VIRTUAL_NODES).allocate(own, &queues, &members).unwrap();
        assert_eq!(*share, wanted.iter().map(|queue| queue.queue_id).collect::<Vec<_>>(), "{own}");
    }
}

#[test]
fn who_is_told_its_queues_shares_them_with_nobody() {
    let all = shares("by-config", 4, "own = [\"orders/broker-a/1\", \"orders/broker-a/3\"]");
    assert_eq!(all, vec![vec![1, 3]; 5], "everybody believes that they are its own");
}

#[test]
fn queues_stay_in_their_room_while_somebody_is_there() {
    let clients = |rooms: [&str; 5]| {
        let rows = rooms.iter().enumerate().map(|(at, room)| format!(", \"10.0.3.{}@ = {room}\"", at + 2));
        rows.collect::<String>()
    };
    let near = |broker: &str, rooms| {
        let rooms = format!("rooms = [\"broker-a = {broker}\"{}]", clients(rooms));
        shares("machine-room-nearby", 4, &rooms)
    };
    let east = ["east", "east", "west", "west", "west"];
    assert_eq!(near("east", east), [vec![0, 1], vec![2, 3], vec![], vec![], vec![]]);
    assert_eq!(near("west", east), [vec![], vec![], vec![0, 1], vec![2], vec![3]]);
    assert_eq!(near("north", east), [vec![0], vec![1], vec![2], vec![3], vec![]], "nobody is there: it is everybody's");
    assert_eq!(shares("machine-room-nearby", 4, "rooms = [\"broker-a = east\"]"), vec![Vec::<i32>::new(); 5]);
}

#[test]
fn without_a_room_in_the_brokers_name_nobody_gets_anything() {
    assert_eq!(shares("machine-room", 4, "rooms = [\"north\"]"), vec![Vec::<i32>::new(); 5]);
}
