//! Messages as upstream prints them; logs and tools show these texts.

use crate::mq::message::property::Properties;
use crate::mq::message::{Host, MessageQueue, Name, StoredMessage};

/// `Message{topic=…, …}`. What upstream may leave null is optional. Source: `Message.toString`.
pub fn message(
    topic: &str,
    flag: i32,
    properties: Option<&Properties>,
    body: Option<&[u8]>,
    transaction_id: Option<&str>,
) -> String {
    let properties = match properties {
        None => "null".to_owned(),
        Some(properties) => {
            let pairs: Vec<String> = properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    };
    let body = match body {
        None => "null".to_owned(),
        Some(body) => {
            let bytes: Vec<String> = body.iter().map(|byte| byte.cast_signed().to_string()).collect();
            format!("[{}]", bytes.join(", "))
        }
    };
    let id = transaction_id.unwrap_or("null");
    format!("Message{{topic='{topic}', flag={flag}, properties={properties}, body={body}, transactionId='{id}'}}")
}

/// `MessageExt [queueId=…, …]` around the text of its [`message`]. Source: `MessageExt.toString`.
pub fn stored(stored: &StoredMessage, msg_id: &Name, message: &str) -> String {
    let host = |host: Host| {
        let [a, b, c, d] = host.ip.to_be_bytes();
        format!("/{a}.{b}.{c}.{d}:{}", host.port)
    };
    format!(
        "MessageExt [queueId={}, storeSize={}, queueOffset={}, sysFlag={}, bornTimestamp={}, bornHost={}, \
         storeTimestamp={}, storeHost={}, msgId={msg_id}, commitLogOffset={}, bodyCRC={}, reconsumeTimes={}, \
         preparedTransactionOffset={}, toString()={message}]",
        stored.queue_id,
        stored.store_size,
        stored.queue_offset.0,
        stored.sys_flag,
        stored.born_timestamp.0,
        host(stored.born_host),
        stored.store_timestamp.0,
        host(stored.store_host),
        stored.commit_log_offset.0,
        stored.body_crc,
        stored.reconsume_times,
        stored.prepared_transaction_offset,
    )
}

/// `MessageQueueForC [topic=…, …]`: a place as a broker tells it to clients in C. Source: `MessageQueueForC.toString`.
pub fn queue_for_c(queue: &MessageQueue, offset: i64) -> String {
    let MessageQueue { topic, broker, queue_id } = queue;
    format!("MessageQueueForC [topic={topic}, brokerName={broker}, queueId={queue_id}, offset={offset}]")
}
