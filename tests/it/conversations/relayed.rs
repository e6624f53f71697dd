//! What no recording has: a member that is asked and says nothing, and a comparison that has something to find.

use bytes::Bytes;
use mqlab::mq::broker::{Broker, BrokerConfig};
use mqlab::mq::node::{Addr, Node};
use mqlab::mq::time::Time;
use mqlab::mq::wire::code::{request, response};
use mqlab::mq::wire::codec::raw::SerializeType;
use mqlab::mq::wire::command::{Command, Opaque};
use mqlab::mq::wire::header::Header;

use super::differ::{Half, fields};
use super::stage::{Boot, End, Stage};
use super::story::Process;
use super::{conversations, frames, raw};

const MEMBER: u32 = 1;
const OPERATOR: u32 = 2;

#[test]
fn a_member_that_says_nothing_is_given_up_after_ten_seconds() {
    let addr = Addr::new(10, 0, 0, 1, 10_911);
    let (role, ports, speaks) = ("broker-a".to_owned(), vec![10_911, 10_909, 10_912], SerializeType::Json);
    let mut stage = Stage::new(0, &[Process { role, ip: addr.ip, ports, speaks }]);
    let mut config = BrokerConfig::new("broker-a", addr);
    config.store.commit_log_file_size = 1 << 20;
    config.store.consume_queue_file_size = 20_000;
    let boot: Boot = Box::new(move |step| Box::new(Broker::boot(config.clone(), step).unwrap()) as Box<dyn Node>);
    stage.boot(0, &boot);
    let member = stage.accept(0, 10_911, Addr::new(10, 0, 0, 2, 4_711), MEMBER).unwrap();
    let beat =
        r#"{"clientID":"c","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[]}],"producerDataSet":[]}"#;
    let beat = Command::request(request::HEART_BEAT, Opaque(0), Header::None).with_body(Bytes::from(beat));
    assert!(stage.receive(0, member, beat));
    let operator = stage.accept(0, 10_911, Addr::new(10, 0, 0, 3, 4_712), OPERATOR).unwrap();
    let whom = Header::Other(vec![("consumerGroup".into(), "g".into()), ("clientId".into(), "c".into())]);
    stage.receive(0, operator, Command::request(request::GET_CONSUMER_RUNNING_INFO, Opaque(7), whom));
    let asked = stage.heard.drain(..).filter(|heard| heard.command.code == request::GET_CONSUMER_RUNNING_INFO);
    assert_eq!(asked.map(|heard| heard.to).collect::<Vec<_>>(), [End::Outside(MEMBER)]);
    stage.run_until(Time(9_999_000_000));
    assert!(stage.heard.iter().all(|heard| heard.to != End::Outside(OPERATOR)));
    stage.run_until(Time(10_001_000_000));
    let answer = stage.heard.iter().find(|heard| heard.to == End::Outside(OPERATOR)).unwrap();
    assert_eq!((answer.command.code, answer.command.opaque), (response::CONSUME_MSG_TIMEOUT, Opaque(7)));
    let remark = answer.command.remark.as_deref().unwrap();
    assert!(remark.starts_with("consumer <g> <c> Timeout: org.apache.rocketmq.remoting.exception."), "{remark}");
}

#[test]
fn a_planted_difference_is_found_where_it_is() {
    let all = conversations();
    let real = frames(&all["12-admin"]).map(|(_, frame)| raw(frame)).find(|raw| {
        raw.is_response()
            && raw.body.as_ref().is_some_and(|body| {
                body.starts_with(b"{\"topicList\":[\"broker-a\"") || body.starts_with(b"{\"brokerAddr\"")
            })
    });
    let real = real.unwrap();
    let differing = |ours: &_| {
        let found = fields(request::GET_SYSTEM_TOPIC_LIST_FROM_NS, Half::Answer, &real, ours);
        found.into_iter().filter(|field| field.real != field.ours).map(|field| field.name).collect::<Vec<_>>()
    };
    assert!(differing(&real).is_empty());
    let mut planted = real.clone();
    planted.remark = Some("other".into());
    assert_eq!(differing(&planted), ["remark"]);
    let text = String::from_utf8(real.body.clone().unwrap().to_vec()).unwrap();
    planted = real.clone();
    planted.body = Some(Bytes::from(text.replace("broker-a", "broker-b")));
    assert_eq!(differing(&planted), ["body.topicList[]"]);
    planted.body = None;
    assert_eq!(differing(&planted), ["body"]);
}
