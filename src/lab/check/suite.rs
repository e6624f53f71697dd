//! Which checkers can say something of a plan.

use crate::lab::scenario::plan::{Check, ClientPlan, ConsumerPlan, NodeKind, Plan};
use crate::mq::app::{AdminCall, MessageModel, MessageSelector};

/// Every checker of a guarantee whose scope can apply to this plan; without faults all of them hold.
///
/// Not among them: those that count what only a scenario can know, and `stale-route`, which needs every frame.
pub fn suite(plan: &Plan) -> Vec<Check> {
    let mut all = vec![
        Check::AckedDurability,
        Check::AckHonest,
        Check::NoPhantom,
        Check::ContentIntegrity,
        Check::OffsetAgreement,
        Check::DerivedContinuity,
        Check::NoMisrouting,
        Check::NeverEarly,
        Check::NotLate,
        Check::LogWellFormed,
        Check::StoreConsistent,
        Check::IndexRecall,
        Check::KeepsStable,
        Check::CheckpointSafe,
        Check::CorruptionTold,
        Check::NoStuckEntity,
        Check::CleanError,
        Check::ResourceBounds,
    ];
    let clients = || {
        plan.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Client(client) => Some(&**client),
            _ => None,
        })
    };
    let any = |is: &dyn Fn(&ConsumerPlan) -> bool| clients().flat_map(|client| &client.consumers).any(is);
    let mut add = |applies: bool, checks: &[Check]| {
        if applies {
            all.extend_from_slice(checks);
        }
    };
    let is_slave = |kind: &NodeKind| matches!(kind, NodeKind::Broker(broker) if broker.broker_id != 0);
    add(plan.nodes.iter().any(|node| is_slave(&node.kind)), &[Check::ReplicaPrefix]);
    let transacts = |client: &ClientPlan| client.producers.iter().any(|producer| producer.transactional);
    let transactions = [Check::HalfInvisible, Check::TransactionAtomic, Check::TransactionResolved, Check::CheckBack];
    add(clients().any(transacts), &transactions);
    add(any(&|_| true), &[Check::DuplicatesExplained, Check::StartPosition]);
    let shares = |consumer: &ConsumerPlan| consumer.model == MessageModel::Clustering;
    add(any(&shares), &[Check::AtLeastOnce, Check::NoRegress, Check::NoOverrun, Check::RebalanceCoverage]);
    add(any(&shares), &[Check::DlqExact, Check::DrainBound]);
    add(any(&|consumer| shares(consumer) && !consumer.orderly), &[Check::RetrySchedule]);
    add(any(&|consumer| consumer.model == MessageModel::Broadcasting), &[Check::BroadcastComplete]);
    let ordered = [Check::QueueFifo, Check::PerKeyOrder, Check::OrderlyExclusive, Check::NoOvertaking];
    add(any(&|consumer| consumer.orderly), &ordered);
    let everything = MessageSelector::from("*");
    let filters = |consumer: &ConsumerPlan| consumer.subscriptions.iter().any(|(_, own)| *own != everything);
    add(any(&filters), &[Check::FilterSound, Check::FilterComplete]);
    let mut calls = plan.operators.iter().flat_map(|operator| &operator.calls);
    add(calls.any(|(_, call)| matches!(call, AdminCall::ResetOffset { .. })), &[Check::ResetConformance]);
    add(!plan.senders.is_empty(), &[Check::Unavailability]);
    all
}
