//! `mqlab run --disk`: the simulated brokers' disks as store directories, which a real broker, or `mqlab inspect`, can open.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use crate::lab::scenario::plan::Plan;
use crate::lab::sim::session::Session;
use crate::lab::trace::image::{DiskImage, FileImage, PAGE};
use crate::lab::trace::log::{Role, Trace};
use crate::lab::trace::record::{DiskEvent, Level, NodeId, What};

/// Each broker's name with what its disk holds.
pub(super) type Disks = Vec<(String, Arc<DiskImage>)>;

/// Whether a directory can take the disks: it is empty, or not there. If not, why, with a way out.
pub(super) fn is_free(target: &Path) -> Result<(), String> {
    let shown = target.display();
    match fs::read_dir(target) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(format!("{shown} is not empty\n  help: name a directory that is not there yet\n")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{shown} cannot be used: {error}\n  help: name a directory that is not there yet\n")),
    }
}

/// The disks at the end of a run.
pub(super) fn at_the_end(trace: &Trace) -> Disks {
    let brokers = (0..).zip(&trace.header.nodes).filter(|(_, node)| node.role == Role::Broker);
    let last = |number: u16| {
        trace.records().iter().rev().find_map(|record| match &record.what {
            What::Disk(DiskEvent::Image { cached, .. }) if record.node.is_some_and(|node| node.0 == number) => {
                Some(Arc::clone(cached))
            }
            _ => None,
        })
    };
    brokers.filter_map(|(number, node)| Some((node.name.to_string(), last(number)?))).collect()
}

/// The disks when an event is about to happen; if the run ends before, how many events it has.
pub(super) fn at_event(plan: &Plan, event: u64) -> Result<Disks, u64> {
    let mut session = Session::new(plan, Level::History);
    if !session.run_to(event) {
        return Err(session.at());
    }
    let nodes = &session.trace().header.nodes;
    let brokers = (0..).zip(nodes).filter(|(_, node)| node.role == Role::Broker);
    let image = |number: u16| session.world().disk(NodeId(number)).cached_image();
    Ok(brokers.map(|(number, node)| (node.name.to_string(), image(number))).collect())
}

/// Writes each disk below the target. Files have their full length; what was never written takes no room.
pub(super) fn write(target: &Path, disks: &Disks) -> io::Result<()> {
    for (broker, image) in disks {
        let root = target.join(broker);
        fs::create_dir_all(&root)?;
        for (name, file) in &image.files {
            let path = root.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            write_file(&path, file)?;
        }
    }
    Ok(())
}

fn write_file(path: &Path, image: &FileImage) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.set_len(image.len)?;
    for (number, page) in image.pages.iter().filter(|(_, page)| page[..] != [0; PAGE]) {
        let at = number * PAGE as u64;
        let len = image.len.saturating_sub(at).min(PAGE as u64) as usize;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&page[..len])?;
    }
    Ok(())
}
