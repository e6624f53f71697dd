//! `mqlab admin`: what operators ask, printed as `mqadmin` prints it.
//!
//! What is only looked at is asked as the tools of `mqlab show` ask the nodes of a run; what is changed or searched goes
//! through a client's own calls.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::host::client::{self, ClientError, Heard};
use crate::lab::cli::args::{AdminCommand, ClusterArgs, QueryArgs, Report};
use crate::lab::cli::clients::consume::found;
use crate::lab::cli::clients::{Teller, config, start};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::tools::{self, Only};
use crate::lab::cli::{LAB, NOT_EXPECTED};
use crate::lab::locale::clients as words;
use crate::lab::sim::tools::Answers;
use crate::lab::view::operator;
use crate::mq::app::{AdminAnswer, AdminCall, AppError, Call, ErrorKind, OpId, Return, TopicAt};
use crate::mq::client::exception::{broker_text, client_text};
use crate::mq::message::Name;
use crate::mq::node::Addr;
use crate::mq::time::Millis;
use crate::mq::wire::body::{JsonBody, RouteData};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

/// Servers, asked one after the other.
struct Cluster {
    nameservers: Vec<Addr>,
}

impl Answers for Cluster {
    fn nameservers(&self) -> Vec<Name> {
        self.nameservers.iter().map(|addr| addr.to_string().into()).collect()
    }

    fn ask(&self, addr: &str, code: i32, header: Header) -> Option<Box<Command>> {
        client::ask(addr.parse().ok()?, code, header).ok()
    }

    fn wall(&self) -> Millis {
        client::now()
    }
}

/// Asks, and prints the answer.
pub(in crate::lab::cli) fn run(command: &AdminCommand, look: Look) -> Result<ExitCode> {
    let (call, args) = match command {
        AdminCommand::Create { topic, queues, at, cluster } => {
            let at = TopicAt::Cluster(at.as_str().into());
            let (topic, read, write) = (topic.as_str().into(), *queues, *queues);
            (AdminCall::UpdateTopic { topic, at, read, write, perm: READ_AND_WRITE, order: false }, cluster)
        }
        AdminCommand::Delete { topic, at, cluster } => {
            (AdminCall::DeleteTopic { topic: topic.as_str().into(), cluster: at.as_str().into() }, cluster)
        }
        AdminCommand::Query(args) => (query(args), &args.cluster),
        AdminCommand::Topics { cluster }
        | AdminCommand::Cluster { cluster }
        | AdminCommand::Route { cluster, .. }
        | AdminCommand::Status { cluster, .. }
        | AdminCommand::Progress { cluster, .. } => return looked_at(command, cluster, look),
    };
    let teller = Teller::new(args, look);
    match called(&call, args)? {
        Ok(Some(Ok(answer))) => {
            let object = match &answer {
                AdminAnswer::Messages(messages) => {
                    json!({ "messages": messages.iter().map(found).collect::<Vec<_>>() })
                }
                _ => json!({ "done": operator::printed(&call, &answer) }),
            };
            teller.say(&operator::printed(&call, &answer).join("\n"), &object)?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Some(Err(error))) => {
            teller.thrown(&error, json!({}))?;
            Ok(ExitCode::from(NOT_EXPECTED))
        }
        Ok(None) => {
            teller.unclean();
            Ok(ExitCode::from(LAB))
        }
        Err(error) => Ok(teller.refuse(&error)),
    }
}

fn query(args: &QueryArgs) -> AdminCall {
    let topic = || Name::from(args.topic.as_deref().unwrap_or_default());
    match (&args.which.id, &args.which.key, &args.which.unique_key) {
        (Some(id), _, _) => AdminCall::ViewMessage { id: id.as_str().into() },
        (_, Some(key), _) => AdminCall::QueryByKey { topic: topic(), key: key.as_str().into() },
        (_, _, unique) => {
            AdminCall::QueryByUniqueKey { topic: topic(), id: unique.as_deref().unwrap_or_default().into() }
        }
    }
}

/// What came of a call; `None` if the client ended before.
type Came = Option<Result<AdminAnswer, AppError>>;

/// A client's own call.
fn called(call: &AdminCall, args: &ClusterArgs) -> Result<Result<Came, ClientError>> {
    let client = match config(args) {
        Ok(config) => start(config, None)?,
        Err(error) => Err(error),
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => return Ok(Err(error)),
    };
    client.call(Call::Admin { op: OpId(1), what: call.clone() });
    let mut came = None;
    while came.is_none()
        && let Some(heard) = client.hear()
    {
        match heard {
            Heard::Returned(Return::Administered { what, .. }) => came = Some(Ok(what)),
            Heard::Returned(Return::Failed { error, .. }) => came = Some(Err(error)),
            _ => {}
        }
    }
    client.stop();
    Ok(Ok(came))
}

/// What is only looked at.
fn looked_at(command: &AdminCommand, args: &ClusterArgs, look: Look) -> Result<ExitCode> {
    let teller = Teller::new(args, look);
    let nameservers = match client::nameservers(&args.nameserver) {
        Ok(nameservers) => nameservers,
        Err(error) => {
            return Ok(teller.refuse(&error));
        }
    };
    let cluster = Cluster { nameservers };
    let printed = match command {
        AdminCommand::Route { topic, .. } => route(&cluster, topic).map(|route| route_text(&route, args.format)),
        AdminCommand::Status { topic, .. } => route(&cluster, topic)
            .map(|_| tools::queues(&cluster, &Only { topic: Some(topic), group: None, format: args.format })),
        _ => reachable(&cluster).map(|()| String::new()),
    };
    let only = Only { topic: None, group: None, format: args.format };
    let printed = printed.and_then(|text| {
        Ok(match command {
            AdminCommand::Topics { .. } => tools::topics(&cluster, &only),
            AdminCommand::Cluster { .. } => tools::cluster(&cluster, &only),
            AdminCommand::Progress { group: None, .. } => tools::progress(&cluster, &only),
            AdminCommand::Progress { group: Some(group), .. } => match tools::progress_in(&cluster, group, &only) {
                Ok(text) => text,
                Err(known) => return Err(Failed::NoGroup { group: group.clone(), known }),
            },
            _ => text,
        })
    });
    match printed {
        Ok(text) => {
            load::say(&text)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Failed::Thrown(error)) => {
            teller.thrown(&error, json!({}))?;
            Ok(ExitCode::from(NOT_EXPECTED))
        }
        Err(Failed::NoGroup { group, known }) => {
            let known = if known.is_empty() { "-".to_owned() } else { known.join(", ") };
            load::complain(&words::NO_GROUP.with(look.lang, &[("group", &group), ("known", &known)]));
            Ok(ExitCode::from(NOT_EXPECTED))
        }
    }
}

/// Why nothing is printed.
enum Failed {
    /// With an exception of the client's.
    Thrown(Box<AppError>),
    /// There is no such group, but these.
    NoGroup { group: String, known: Vec<String> },
}

fn thrown(kind: ErrorKind, code: i32, text: String) -> Failed {
    Failed::Thrown(Box::new(AppError { kind, text: text.into(), code, attempts: 0, provably_not_stored: true }))
}

/// Whether a nameserver answers.
fn reachable(cluster: &Cluster) -> Result<(), Failed> {
    let answer = first(cluster, request::GET_ALL_TOPIC_LIST_FROM_NAMESERVER, || Header::None)?;
    match answer.code {
        response::SUCCESS => Ok(()),
        code => {
            Err(thrown(ErrorKind::Broker, code, broker_text(code, answer.remark.as_ref().map_or("null", |text| text))))
        }
    }
}

/// A topic's route, or the exception that a client throws without one. Source: `MQClientAPIImpl.getTopicRouteInfoFromNameServer`.
fn route(cluster: &Cluster, topic: &str) -> Result<RouteData, Failed> {
    let answer = first(cluster, request::GET_ROUTEINTO_BY_TOPIC, || Header::Route(topic.into()))?;
    let route = answer.body.as_deref().filter(|_| answer.code == response::SUCCESS).map(RouteData::decode);
    match route {
        Some(Ok(route)) => Ok(route),
        _ => {
            let remark = answer.remark.as_ref().map_or("null", |text| text);
            Err(thrown(ErrorKind::Client, answer.code, client_text(answer.code, remark)))
        }
    }
}

/// The answer of the first nameserver that gives one.
fn first(cluster: &Cluster, code: i32, header: impl Fn() -> Header) -> Result<Box<Command>, Failed> {
    let names = cluster.nameservers();
    let answer = names.iter().find_map(|addr| cluster.ask(addr, code, header()));
    let to = names.first().map_or("null", |addr| addr.as_str());
    answer.ok_or_else(|| thrown(ErrorKind::Connect, -1, format!("connect to <{to}> failed")))
}

/// A route's brokers and queues.
///
/// Differs: `TopicRouteSubCommand` prints the body's JSON on lines of its own; here rows are columns.
fn route_text(route: &RouteData, format: Report) -> String {
    if format == Report::Json {
        let brokers: Vec<Value> = route
            .broker_datas
            .iter()
            .map(|data| {
                let addrs = data.broker_addrs.iter().map(|(id, addr)| (id.to_string(), json!(addr.as_str())));
                json!({
                    "cluster": data.cluster.as_str(), "broker": data.broker_name.as_str(),
                    "addrs": addrs.collect::<serde_json::Map<String, Value>>(),
                })
            })
            .collect();
        let queues: Vec<Value> = route
            .queue_datas
            .iter()
            .map(|data| {
                json!({
                    "broker": data.broker_name.as_str(), "read_queues": data.read_queue_nums,
                    "write_queues": data.write_queue_nums, "perm": data.perm,
                })
            })
            .collect();
        return format!("{}\n", json!({ "brokers": brokers, "queues": queues }));
    }
    let mut out = format!(
        "{:<32}  {:<4}  {:<22}  {:<6}  {:<6}  {}\n",
        "#Broker Name", "#BID", "#Addr", "#Read", "#Write", "#Perm"
    );
    for data in &route.broker_datas {
        let queues = route.queue_datas.iter().find(|queues| queues.broker_name == data.broker_name);
        for (id, addr) in &data.broker_addrs {
            let (read, write) = queues.map_or((0, 0), |queues| (queues.read_queue_nums, queues.write_queue_nums));
            let perm = queues.map_or(0, |queues| queues.perm);
            let name = data.broker_name.as_str();
            out += &format!("{name:<32}  {id:<4}  {addr:<22}  {read:<6}  {write:<6}  {perm}\n");
        }
    }
    out
}

/// `PermName.PERM_READ | PERM_WRITE`.
const READ_AND_WRITE: i32 = 6;
