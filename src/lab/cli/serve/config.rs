//! What the command line makes of a server: a scenario's topology, settings out of files and flags.

use crate::host::serve::{BrokerSetup, Config};
use crate::lab::cli::args::{PlanArgs, ServeArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::serve::told::filled;
use crate::lab::locale::serve as words;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::scenario::remark;
use crate::lab::sim::boot;
use crate::mq::broker::properties::text::{Pair, read};
use crate::mq::broker::properties::{self, Places, Remark};

/// The server that is asked for; or why there is none, as text.
pub(super) fn of(args: &ServeArgs, look: Look) -> Result<Config, String> {
    let mut config = Config {
        listen: args.listen,
        expose: args.expose,
        advertise: args.advertise,
        nameserver_port: args.nameserver_port,
        broker_port: args.broker_port,
        data: args.data.clone(),
        seed: args.seed,
        faults: args.faults.clone(),
        trace: args.trace.clone(),
        ..Config::default()
    };
    if let Some(name) = &args.scenario {
        let scenario = load::scenario(name, &PlanArgs::default(), look)?;
        topology(&mut config, &scenario.plan);
        if config.brokers.is_empty() {
            return Err(filled(words::NO_BROKER, look.lang, &[("name", name.clone())]));
        }
    }
    if let Some(path) = &args.properties {
        let unreadable =
            |why: String| filled(words::UNREADABLE, look.lang, &[("path", path.display().to_string()), ("why", why)]);
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let pairs = read(&bytes).map_err(|malformed| unreadable(malformed.to_string()))?;
        for broker in &mut config.brokers {
            apply(broker, &pairs, look)?;
        }
    }
    for text in &args.sets {
        set(&mut config, text, look)?;
    }
    Ok(config)
}

/// The nameservers and brokers of a plan.
fn topology(config: &mut Config, plan: &Plan) {
    config.nameservers.clear();
    config.brokers.clear();
    for node in &plan.nodes {
        match &node.kind {
            NodeKind::Nameserver => config.nameservers.push(node.name.clone()),
            NodeKind::Broker(broker) => config.brokers.push(BrokerSetup {
                node: node.name.clone(),
                config: boot::broker_config(plan, node, broker),
                nameservers: broker.nameservers.clone(),
            }),
            NodeKind::Client(_) => {}
        }
    }
}

/// `KEY=VALUE`, or `NODE.KEY=VALUE`.
fn set(config: &mut Config, text: &str, look: Look) -> Result<(), String> {
    let names: Vec<String> = config.brokers.iter().map(|broker| broker.node.to_string()).collect();
    let no_setting = || filled(words::SETTING, look.lang, &[("text", text.to_owned()), ("allowed", names.join(", "))]);
    let (key, value) = text.split_once('=').ok_or_else(no_setting)?;
    let (node, key) = match key.rsplit_once('.') {
        Some((node, key)) if names.iter().any(|name| name == node) => (Some(node), key),
        _ => (None, key),
    };
    if properties::key(key).is_none() {
        return Err(no_setting());
    }
    let pair = Pair { line: 1, key: key.into(), value: value.into() };
    for broker in config.brokers.iter_mut().filter(|broker| node.is_none_or(|node| broker.node == node)) {
        apply(broker, std::slice::from_ref(&pair), look)?;
    }
    Ok(())
}

/// Gives a broker settings; what is not what it looks is told.
fn apply(broker: &mut BrokerSetup, pairs: &[Pair], look: Look) -> Result<(), String> {
    let told = broker.config.apply(pairs, Places::Given);
    let remarks = told.map_err(|_| filled(words::SLAVE_ID, look.lang, &[("node", broker.node.to_string())]))?;
    for remark in remarks.iter().filter(|_| !look.quiet) {
        load::complain(&line(remark, look));
    }
    Ok(())
}

fn line(remark: &Remark, look: Look) -> String {
    let what = remark::words(remark).text(look.lang).to_owned();
    filled(words::REMARK, look.lang, &[("key", remark.key.to_string()), ("what", what)])
}
