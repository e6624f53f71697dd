//! Facts: typed sentences that a node says about itself, in RocketMQ's words, with every number that belongs to them.
//!
//! Facts are the log; there is no other. They explain, narrate and can be folded into a picture of the system; they never
//! decide a verdict. Each fact gives its kind and its fields by name, so that nothing downstream needs a list of them.

use crate::mq::fact::replication::with_replication;
use crate::mq::fact::value::{AsValue, facts};
use crate::mq::message::{Group, Name, QueueId, Topic};

mod replication;
mod value;

pub use value::Value;

with_replication! { facts! {
    /// A process finished booting and its store is ready (a broker) or its tables are empty (the others).
    Started "started" {}
    /// A clean shutdown ended.
    Stopped "stopped" {}
    /// A broker's store was recovered. Source: `CommitLog.recoverNormally`, `recoverAbnormally`.
    Recovered "recovered" {
        /// 1 after a clean stop, 0 after a crash.
        clean: i64,
        /// Where the commit log ends.
        log_end: i64,
        /// Records read on the way.
        records: i64,
        /// Bytes behind the end that still hold something, looked at as far as 64 KiB.
        cut: i64,
    }
    /// A consume queue as recovery left it.
    QueueRecovered "queue-recovered" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// First entry.
        min: i64,
        /// One past the last entry.
        max: i64,
    }
    /// A client learned who serves a topic. Source: `MQClientInstance.updateTopicRouteInfoFromNameServer`.
    RouteLearned "route-learned" {
        /// The topic.
        topic: Topic,
        /// How many brokers.
        brokers: i64,
        /// How many writable queues.
        queues: i64,
    }
    /// A nameserver answered a route query. Source: `RouteInfoManager.pickupTopicRouteData`.
    RouteAnswered "route-answered" {
        /// The topic.
        topic: Topic,
        /// How many brokers; 0 is TOPIC_NOT_EXIST.
        brokers: i64,
    }
    /// A nameserver took in a broker's registration. Source: `RouteInfoManager.registerBroker`.
    BrokerRegistered "broker-registered" {
        /// The broker's name.
        broker: Name,
        /// The address it announced.
        addr: Name,
        /// Its id; 0 is the master.
        broker_id: i64,
        /// 1 if it was not known before.
        first: i64,
    }
    /// A nameserver dropped a broker. Source: `RouteInfoManager.onChannelDestroy`, `unregisterBroker`.
    BrokerDropped "broker-dropped" {
        /// The broker's name.
        broker: Name,
        /// Its address.
        addr: Name,
        /// `closed`, `expired` or `unregistered`.
        why: &'static str,
    }
    /// An operator put a value at a nameserver. Source: `KVConfigManager.putKVConfig`.
    KvPut "kv-put" {
        /// Where the key belongs.
        namespace: Name,
        /// The key.
        key: Name,
        /// Its value from now on.
        value: Name,
    }
    /// An operator deleted a value at a nameserver. Source: `KVConfigManager.deleteKVConfig`.
    KvDeleted "kv-deleted" {
        /// Where the key belongs.
        namespace: Name,
        /// The key.
        key: Name,
        /// 1 if it had a value.
        known: i64,
    }
    /// A broker heard from a nameserver whether a topic has an order configuration, and it is other than before.
    /// Source: `TopicConfigManager.updateOrderTopicConfig`.
    TopicOrdered "topic-ordered" {
        /// The topic.
        topic: Topic,
        /// 1 if it has one now.
        order: i64,
    }
    /// A broker heard that a nameserver took its registration in.
    RegistrationAnswered "registration-answered" {
        /// The nameserver.
        nameserver: Name,
    }
    /// A broker created or changed a topic. Source: `TopicConfigManager`.
    TopicCreated "topic-created" {
        /// The topic.
        topic: Topic,
        /// Write queues.
        queues: i64,
        /// Permission bits.
        perm: i64,
    }
    /// A broker deleted a topic and its consume queues; the groups' offsets stay. Source: `AdminBrokerProcessor.deleteTopic`.
    TopicDeleted "topic-deleted" {
        /// The topic.
        topic: Topic,
        /// 1 if the broker had it.
        known: i64,
        /// Consume queues removed, those of other topics without a config included.
        queues: i64,
    }
    /// A nameserver forgot a topic's queues. Source: `RouteInfoManager.deleteTopic`.
    RouteForgotten "route-forgotten" {
        /// The topic.
        topic: Topic,
        /// Brokers that had registered it.
        brokers: i64,
    }
    /// A nameserver closed a broker for producers. Source: `RouteInfoManager.wipeWritePermOfBroker`.
    WriteWiped "write-wiped" {
        /// The broker's name.
        broker: Name,
        /// Topics changed.
        topics: i64,
    }
    /// A producer chose a queue for an attempt. Source: `TopicPublishInfo.selectOneMessageQueue`.
    QueuePicked "queue-picked" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
        /// The attempt, from 1.
        attempt: i32,
    }
    /// An attempt to send failed. Source: `DefaultMQProducerImpl.sendDefaultImpl`.
    AttemptFailed "attempt-failed" {
        /// The broker tried.
        broker: Name,
        /// The attempt, from 1.
        attempt: i32,
        /// The exception's text.
        why: Name,
    }
    /// A broker took a message in, past all checks. Source: `SendMessageProcessor.sendMessage`.
    SendAccepted "send-accepted" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
    }
    /// A broker refused a request. Source: the processors' response codes.
    RequestRefused "request-refused" {
        /// The request's code.
        request: i32,
        /// The response code.
        code: i32,
        /// The remark.
        remark: Name,
    }
    /// A record was written at the end of the commit log. Source: `CommitLog.putMessage`.
    Appended "appended" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// The record's length in bytes.
        size: i32,
        /// Where it begins in the log.
        at: i64,
        /// Its place in the queue.
        queue_offset: i64,
    }
    /// The commit log went on to its next file. Source: `MappedFileQueue.getLastMappedFile`.
    LogRolled "log-rolled" {
        /// Where the new file begins.
        at: i64,
    }
    /// The commit log is durable up to here. Source: `MappedFileQueue.flush`.
    Flushed "flushed" {
        /// Durable from, exclusive of what was durable before.
        from: i64,
        /// Durable to.
        to: i64,
    }
    /// A forced flush failed.
    FlushFailed "flush-failed" {
        /// From.
        from: i64,
        /// To.
        to: i64,
    }
    /// The follower met a record that cannot be read and stays in front of it (K18 repaired).
    DispatchStopped "dispatch-stopped" {
        /// Where it begins.
        at: i64,
    }
    /// The follower read a record and handed its news on. Source: `ReputMessageService.doReput`.
    Dispatched "dispatched" {
        /// Where the record begins.
        at: i64,
        /// Its length.
        size: i32,
    }
    /// Twenty bytes went into a consume queue. Source: `ConsumeQueue.putMessagePositionInfo`.
    Queued "queued" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// The entry's number.
        queue_offset: i64,
        /// The record it points at.
        at: i64,
    }
    /// A file of the commit log was removed. Source: `MappedFileQueue.deleteExpiredFileByTime`.
    FileDeleted "file-deleted" {
        /// Where it began.
        at: i64,
        /// `expired` or `forced`.
        why: &'static str,
    }
    /// The disk passed its last watermark: puts are refused. Source: `RunningFlags.getAndMakeDiskFull`.
    DiskFull "disk-full" {
        /// How much of it is in use.
        percent: i64,
    }
    /// The disk has room again: puts are taken. Source: `RunningFlags.getAndMakeDiskOK`.
    DiskOk "disk-ok" {
        /// How much of it is in use.
        percent: i64,
    }
    /// The consume queues were forced and the checkpoint written. Source: `FlushConsumeQueueService`.
    CheckpointWritten "checkpoint-written" {
        /// Store time of the newest durable record, ms.
        physic: i64,
        /// Store time of the newest queue entry, ms.
        logics: i64,
    }
    /// A delayed message's moment came: it was put again under its true address. Source: `ScheduleMessageService`.
    DelayedDelivered "delayed-delivered" {
        /// Its level.
        level: i32,
        /// Its true topic.
        topic: Topic,
        /// Its true queue.
        queue_id: QueueId,
        /// Its entry in the level's queue.
        offset: i64,
        /// Where the copy begins in the log.
        at: i64,
    }
    /// A delayed message's moment came, and it is passed over for good. Source: `ScheduleMessageService`, "drop it".
    DelayedSkipped "delayed-skipped" {
        /// Its level.
        level: i32,
        /// Its entry in the level's queue.
        offset: i64,
        /// `gone`, `too-long`, or what upstream throws at.
        why: &'static str,
    }
    /// A delayed message's moment came and its put was refused; it is tried again in 10 s. Source: `ScheduleMessageService`.
    DelayedRefused "delayed-refused" {
        /// Its level.
        level: i32,
        /// Its entry in the level's queue.
        offset: i64,
        /// The put's status.
        why: &'static str,
    }
    /// A consumer gave a message back, and it will be tried again. Source: `SendMessageProcessor.consumerSendMsgBack`.
    SentBack "sent-back" {
        /// The group.
        group: Group,
        /// Where the record begins that failed.
        at: i64,
        /// The delay level at which its copy is parked.
        level: i32,
        /// Which retry it will be.
        times: i32,
    }
    /// A message failed too often: its copy goes to `%DLQ%group`. Source: `SendMessageProcessor.consumerSendMsgBack`.
    DeadLettered "dead-lettered" {
        /// The group.
        group: Group,
        /// Where the record begins that failed.
        at: i64,
        /// The delay level that it still carries from its last retry; 0 is none.
        level: i32,
        /// How often it was tried.
        times: i32,
    }
    /// A consumer could not give a message back. Source: `DefaultMQPushConsumerImpl.sendMessageBack`.
    SendBackFailed "send-back-failed" {
        /// The broker that should have taken it.
        broker: Name,
        /// Where its record begins there.
        at: i64,
        /// Why.
        why: Name,
    }
    /// What could not be given back waits in its consumer, to be consumed again. Source: `submitConsumeRequestLater`.
    ConsumeDelayed "consume-delayed" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// How many.
        count: i32,
        /// For how long, ms.
        millis: i64,
    }
    /// A message that failed is let go: nobody tries a broadcast again. Source: `ConsumeMessageConcurrentlyService.processConsumeResult`.
    ConsumeDropped "consume-dropped" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// Its place there.
        queue_offset: i64,
    }
    /// A broker told the members of a group to begin elsewhere; its own table stays as it is. Source: `Broker2Client.resetOffset`.
    ResetSent "reset-sent" {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// How many members.
        members: i64,
    }
    /// A consumer stops pulling and lets go of a topic's queues, to begin elsewhere in 10 s. Source: `MQClientInstance.resetOffset`.
    ResetBegun "reset-begun" {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// How many queues.
        queues: i64,
    }
    /// A queue's offset is another one from now on. Source: `MQClientInstance.resetOffset`.
    OffsetReset "offset-reset" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
        /// Where it will go on.
        queue_offset: i64,
    }
    /// A broadcasting consumer wrote down how far it has got. Source: `LocalFileOffsetStore.persistAll`.
    OffsetsSaved "offsets-saved" {
        /// The group.
        group: Group,
        /// How many queues.
        queues: i64,
    }
    /// A broadcasting consumer could not write down how far it has got. Source: `LocalFileOffsetStore.persistAll`.
    OffsetsNotSaved "offsets-not-saved" {
        /// The group.
        group: Group,
        /// Why.
        why: Name,
    }
    /// A pull found nothing and waits. Source: `PullRequestHoldService.suspendPullRequest`.
    Held "held" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// From where it asks.
        queue_offset: i64,
    }
    /// A waiting pull goes on. Source: `PullRequestHoldService.notifyMessageArriving`.
    HoldReleased "hold-released" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// From where it asks.
        queue_offset: i64,
        /// `arrived`, `timeout` or `closed`.
        why: &'static str,
    }
    /// A broker answered a pull. Source: `PullMessageProcessor.processRequest`.
    Pulled "pulled" {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// Messages found.
        count: i32,
        /// From where it asked.
        queue_offset: i64,
    }
    /// A broker registered a client. Source: `ProducerManager.registerProducer`, `ConsumerManager.registerConsumer`.
    ClientRegistered "client-registered" {
        /// The group.
        group: Group,
        /// The client's id.
        client: Name,
        /// `producer` or `consumer`.
        role: &'static str,
    }
    /// A broker dropped a client. Source: `doChannelCloseEvent`, `scanNotActiveChannel`, `unregister…`.
    ClientDropped "client-dropped" {
        /// The group.
        group: Group,
        /// The client's id.
        client: Name,
        /// `closed`, `expired` or `unregistered`.
        why: &'static str,
    }
    /// A queue became a consumer's own. Source: `RebalanceImpl.updateProcessQueueTableInRebalance`.
    Assigned "assigned" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
        /// From where it will pull.
        queue_offset: i64,
    }
    /// A queue was given up. Source: `RebalanceImpl.updateProcessQueueTableInRebalance`.
    Revoked "revoked" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
    }
    /// Messages entered a consumer's window. Source: `ProcessQueue.putMessage`.
    Received "received" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
        /// How many.
        count: i32,
        /// The first one's place.
        queue_offset: i64,
    }
    /// A consumer waits before it pulls on. Source: `DefaultMQPushConsumerImpl.pullMessage`.
    PullDelayed "pull-delayed" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// For how long, ms.
        millis: i64,
        /// `paused`, `error`, `not-locked` or `offset-moved`.
        why: &'static str,
    }
    /// A consumer has so much in hand of a queue that it waits before it pulls on. Source: `DefaultMQPushConsumerImpl.pullMessage`.
    FlowControlled "flow-controlled" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// For how long, ms.
        millis: i32,
        /// The limit: `cached-messages`, `cached-mib` or `cached-span`.
        why: &'static str,
        /// How much there is: messages, whole MiB, or offsets between the first and the last.
        found: i64,
        /// How much there may be.
        most: i32,
    }
    /// A topic's limits are shared out among all queues in hand. Source: `RebalancePushImpl.messageQueueChanged`.
    LimitsShared "limits-shared" {
        /// The group.
        group: Group,
        /// Queues in hand, of whatever topic.
        queues: i64,
        /// `pullThresholdForQueue` from here on, in messages.
        messages: i64,
        /// `pullThresholdSizeForQueue` from here on, in MiB.
        mib: i64,
    }
    /// A consumer's queue is locked for it. Source: `RebalanceImpl.lockAll`, `lock`.
    QueueLocked "queue-locked" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
    }
    /// A consumer heard that another member holds its queue's lock. Source: `RebalanceImpl.lockAll`.
    QueueLockLost "queue-lock-lost" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
    }
    /// An orderly listener is not called because the queue's lock is missing or too old. Source: `ConsumeMessageOrderlyService.tryLockLaterAndReconsume`.
    ConsumeAwaitsLock "consume-awaits-lock" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// `not-locked` or `lock-expired`.
        why: &'static str,
        /// When the lock is asked for, ms.
        millis: i64,
    }
    /// An orderly listener wants a queue to rest. Source: `ConsumeMessageOrderlyService.processConsumeResult`.
    Suspended "suspended" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// The first message that it will get again.
        queue_offset: i64,
        /// For how long, ms.
        millis: i64,
    }
    /// A queue was consumed for so long that its thread is let go. Source: `MAX_TIME_CONSUME_CONTINUOUSLY`.
    ConsumeYielded "consume-yielded" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// For how long, ms.
        millis: i64,
    }
    /// A queue was given up, its lock is kept for a while. Source: `RebalancePushImpl.unlockDelay`.
    UnlockDelayed "unlock-delayed" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
        /// For how long, ms.
        millis: i64,
    }
    /// A queue cannot be given up while its listener runs. Source: `RebalancePushImpl.removeUnnecessaryMessageQueue`.
    StillConsuming "still-consuming" {
        /// The topic.
        topic: Topic,
        /// The broker.
        broker: Name,
        /// The queue.
        queue_id: QueueId,
    }
    /// A queue was locked for the first time, and the place of its first pull was asked for again. Source: `DefaultMQPushConsumerImpl.pullMessage`.
    OffsetFixed "offset-fixed" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// Where it would have pulled.
        planned: i64,
        /// Where it pulls.
        queue_offset: i64,
    }
    /// A producer told a broker how a transaction ended. Source: `DefaultMQProducerImpl.endTransaction`, `checkTransactionState`.
    TransactionEndSent "transaction-end-sent" {
        /// The broker, by name or by the address that asked.
        broker: Name,
        /// `commit`, `rollback` or `unknown`.
        state: &'static str,
        /// The half message's queue offset.
        half: i64,
        /// 1 if a check asked for it.
        checked: i32,
    }
    /// A broker heard how a transaction ended and found its half message. Source: `EndTransactionProcessor.processRequest`.
    TransactionEnded "transaction-ended" {
        /// `commit` or `rollback`.
        state: &'static str,
        /// The half message's queue offset.
        half: i64,
        /// 1 if a check asked for it.
        checked: i32,
    }
    /// A broker asked a producer how a transaction ended, or found nobody to ask; the half message was written once more.
    ///
    /// Source: `TransactionalMessageServiceImpl.check`, `AbstractTransactionalMessageCheckListener.sendCheckMessage`.
    HalfChecked "half-checked" {
        /// The producer group.
        group: Name,
        /// The client that is asked; empty if there is none.
        client: Name,
        /// The queue offset of the copy that was looked at.
        half: i64,
        /// How often it has been looked at.
        times: i32,
    }
    /// A half message that may not be asked for yet was written once more, for a later round. Source: `checkPrepareQueueOffset`.
    HalfPutBack "half-put-back" {
        /// The queue offset of the copy that was looked at.
        half: i64,
        /// That of the new one.
        again: i64,
        /// How often it has been looked at.
        times: i32,
    }
    /// A half message was given up, or passed over. Source: `resolveDiscardMsg`, `checkPrepareQueueOffset`.
    HalfDiscarded "half-discarded" {
        /// Its queue offset.
        half: i64,
        /// `asked-too-often`, `too-old`, `expired-meanwhile` (K23), or `unreadable` where K22 is repaired.
        why: &'static str,
    }
    /// A round of checks ended, and how far it came. Source: `TransactionalMessageServiceImpl.check`.
    CheckRoundEnded "check-round-ended" {
        /// The half topic's cursor before.
        half_from: i64,
        /// The half topic's cursor behind it.
        half_to: i64,
        /// The op topic's cursor before.
        op_from: i64,
        /// The op topic's cursor behind it.
        op_to: i64,
    }
    /// A round of checks ended in an exception: its cursors stay where they were. Source: `TransactionalMessageServiceImpl.check`.
    CheckRoundFailed "check-round-failed" {
        /// The half message at which it happened.
        half: i64,
        /// The exception's class.
        why: &'static str,
    }
    /// A broker noted a group's place. Source: `ConsumerOffsetManager.commitOffset`.
    OffsetCommitted "offset-committed" {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// The next offset to consume.
        queue_offset: i64,
    }
    /// A broker leased a queue to a member that had not held it. Source: `RebalanceLockManager.tryLockBatch`.
    LockGranted "lock-granted" {
        /// The group.
        group: Group,
        /// The member.
        client: Name,
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
    }
    /// A broker did not lease a queue, because another member holds it. Source: `RebalanceLockManager.tryLockBatch`.
    LockRefused "lock-refused" {
        /// The member that asked.
        client: Name,
        /// The member that holds it.
        holder: Name,
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
    }
    /// A broker found that a lease had ended, when somebody asked for the queue. Source: `RebalanceLockManager.tryLockBatch`.
    LockExpired "lock-expired" {
        /// The group.
        group: Group,
        /// The member that held it.
        client: Name,
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
    }
    /// A member gave a lease back. Source: `RebalanceLockManager.unlockBatch`.
    LockReleased "lock-released" {
        /// The group.
        group: Group,
        /// The member.
        client: Name,
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
    }
    /// An operator made a group, or changed it. Source: `SubscriptionGroupManager.updateSubscriptionGroupConfig`.
    GroupUpdated "group-updated" {
        /// The group.
        group: Group,
        /// 1 if it was there before.
        known: i64,
        /// 1 if its pulls are answered.
        consume: i64,
        /// How often a message of it is tried again.
        retries: i64,
    }
    /// An operator deleted a group; its offsets stay. Source: `SubscriptionGroupManager.deleteSubscriptionGroupConfig`.
    GroupDeleted "group-deleted" {
        /// The group.
        group: Group,
        /// 1 if it was there.
        known: i64,
    }
    /// A broker made a subscription group that somebody named. Source: `SubscriptionGroupManager.findSubscriptionGroupConfig`.
    GroupCreated "group-created" {
        /// The group.
        group: Group,
    }
    /// A group's filter on a topic is another, or is in use again or no more. Source: `ConsumerFilterManager.register`.
    FilterRegistered "filter-registered" {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// `new`, `changed`, `revived` or `dead`.
        why: &'static str,
    }
    /// A group's condition could not be compiled, and none is kept. Source: `ConsumerFilterManager.build`.
    FilterRefused "filter-refused" {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// What is wrong with it, and where.
        why: Name,
    }
    /// A pull went over messages that its group does not want. Source: `ExpressionMessageFilter`.
    FilteredOut "filtered-out" {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// How many.
        count: i64,
    }
    /// A consumer's `start()` threw at its application; its client runs on. Source: `DefaultMQPushConsumerImpl.start`.
    StartThrew "start-threw" {
        /// The consumer's group.
        group: Group,
        /// The exception's text.
        text: Name,
    }
    /// A client dropped messages whose tags only have the hash of one that it wants. Source: `PullAPIWrapper.processPullResult`.
    TagsSeparated "tags-separated" {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// How many.
        count: i64,
    }
    /// A broker found a config file that it could not read, and went on without. Source: `ConfigManager.load`.
    ConfigUnreadable "config-unreadable" {
        /// `topics.json`, `consumerOffset.json` …
        file: &'static str,
        /// What is wrong with it.
        why: Name,
        /// `backup` or `nothing`.
        instead: &'static str,
    }
    /// A broker wrote a config file's next text beside it and has it forced. Not said by the release, which forces nothing.
    ConfigStaged "config-staged" {
        /// `topics.json`, `consumerOffset.json` …
        file: &'static str,
    }
    /// A broker could not write a config file. Source: `ConfigManager.persist`.
    ConfigFailed "config-failed" {
        /// `topics.json`, `consumerOffset.json` …
        file: &'static str,
        /// Why.
        why: Name,
    }
    /// A broker wrote a config file. Source: `ConfigManager.persist`.
    ConfigPersisted "config-persisted" {
        /// `topics.json`, `consumerOffset.json` …
        file: &'static str,
    }
}}

const _: () = assert!(size_of::<Fact>() <= 56, "a fact travels inside an effect");
