//! What may go wrong, as data: a closed set of fault kinds, each an episode with a target by name, a trigger and a healing.
//!
//! <!-- ANCHOR: verbs -->
//! | rows of the catalogue | keys of a `[[fault]]` |
//! |---|---|
//! | N1 latency | `latency` (drawn), `delay` (constant) |
//! | N2, N3 | `bandwidth`, `stall` |
//! | N4, not reachable over TCP | `datagram` |
//! | N5, N6 | `reset`, `resets`, `half-open` |
//! | N7, N8 | `cut`, `partition` (`isolate`, `side`, `bridge`, `ring`, `role`), each with `one-way` |
//! | N9, N10 | `flap`, `clog`, `swizzle` |
//! | N11 | `refuse-connect`, `full-table`, `port-exhaustion`, `slow-accept` |
//! | N12 | `split-view` |
//! | P1 to P3 | `kill`, `stop`, `restart` |
//! | P4, P5 | `pause` (a `service` of it, or all), `slow-cpu` (all of it, or one kind of `task`) |
//! | P6 | any verb with `at = "before:nth(2):append@broker-a"`: inside the step, before its remaining effects |
//! | P7 | `crash` |
//! | M1 to M5 | `power-loss`, `rack-loss`, `replace`, `restore` and `swap-disks`, `twin` |
//! | D1 to D13 | see [`device`] |
//! | T1 to T6 | `clock-offset`, `clock-drift`, `clock-skew` (a step), `clock-freeze`, `clock-coarse`, `clock-diverge` |
//! | X1, X5 | `reconfigure` |
//! | X8 | `reconfigure` with `brokerRole` and `brokerId`: of the slave, and of the old master when it comes back |
//! | X9 | `reconfigure` with `fileReservedTime`, `deleteWhen`, `diskMaxUsedSpaceRatio`; files deleted by hand: `truncate` |
//! | X7 | `rolling-restart`; all at once: `kill` and `lasts` |
//!
//! What clients and operators do is no fault but the workload, and has keys there:
//!
//! | rows | keys |
//! |---|---|
//! | C1 | a consumer's `reply = ["crash"]`, a producer's `local = "crash"`; elsewhere `kill` with `before:` |
//! | C2, C3 | `reply`, `ack_index`, `delay_level`, `takes` of a consumer's `on` |
//! | C4 | `reply = ["timeout"]`: the listener never comes back |
//! | C5 | `start` of each member, and `stop`, `kill`, `restart` of its process |
//! | C6 | `subscribe`, `model`, `allocate` of two consumers of one `group` |
//! | C7 | groups: one `group` for a producer and a consumer, or for two topics. Client ids: a consumer's `client_id_of` |
//! | C8 | `timeout`, `retries`, `retry_another_broker`, `mode`, `batch`, `size` |
//! | C9 | a producer's `on`: `local`, `takes`, `check` |
//! | C10 | `kill` of the producer's process, with `lasts` or without |
//! | C11 | `truncate`, `io-error` … at a broadcasting consumer's machine |
//! | C12 | `size`, `key`, `properties`, `delay_level` of a `send` |
//! | X2 | an operator's `update_topic`: `read` and `write` are two numbers |
//! | X3 | an operator's `reset` |
//! | X4 | an operator's `wipe_write_perm`, then `stop` of the broker; abruptly: `kill` |
//! | X6 | an operator's `delete_topic`, then `update_topic`; `delete_group`, then `update_group` |
//! | X10 | an operator's `order_conf`, `update_topic` with `order`; `order_message_enable` of the cluster |
//! | X11 | a broker's `profile` |
//! <!-- ANCHOR_END: verbs -->
//!
//! Every fault that draws does so from a stream of its own, addressed by its verb, its target and, of two with the same, its
//! place among them (of a disk by its name and the machine); so no fault shifts another's draws, and none those of a plan
//! without faults.
//!
//! The phases (warm-up, a burst of chaos, heal, drain, audit) and the governor stand before `sim`, in
//! `lab::explore::hunt::governor`: with `--within` it looks at each fault that a draft has before it begins, and one that would
//! take away what an acknowledgement still rests on is written into the plan as `off`, so that a replay needs no governor. To
//! heal is the end of each episode; what lasts for ever is a core heal, and its debt is the drain bound's (G70).

pub mod episode;

pub mod road;

pub mod process;

mod told;

mod reach;

pub mod disk;

pub mod device;

pub mod moment;
