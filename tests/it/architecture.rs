//! The map is the territory: ARCHITECTURE.md's arrows against the sources, sizes, orphans, absences, links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// A room: a wing and a folder or file one level below it, `mq::store`.
type Room = (String, String);

#[test]
fn arrows_drawn_and_arrows_used_are_the_same() {
    let drawn = drawn_arrows(&fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap());
    let used = used_arrows();
    let rooms: BTreeSet<Room> = sources().iter().filter_map(|path| room_of(path)).collect();
    let mut wrong = Vec::new();
    for room in &rooms {
        let Some(allowed) = drawn.get(room) else {
            wrong.push(format!("{}::{} stands in the sources and not in the arrows", room.0, room.1));
            continue;
        };
        let named = used.get(room).cloned().unwrap_or_default();
        for target in named.keys() {
            if !allowed.iter().any(|pattern| covers(pattern, target)) {
                wrong.push(format!(
                    "not drawn: {}::{} -> {}::{} ({})",
                    room.0, room.1, target.0, target.1, named[target]
                ));
            }
        }
        for pattern in allowed {
            if !named.keys().any(|target| covers(pattern, target)) {
                wrong.push(format!("drawn and unused: {}::{} -> {}::{}", room.0, room.1, pattern.0, pattern.1));
            }
        }
    }
    for room in drawn.keys().filter(|room| !rooms.contains(*room)) {
        wrong.push(format!("{}::{} stands in the arrows and not in the sources", room.0, room.1));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_arrow_reader_sees_nested_groups_super_chains_and_inline_paths() {
    let source = "use crate::mq::{time::Time, wire::{self, code}}; use super::super::lab::trace; \
                  fn f() { crate::mq::store::open() } #[cfg(test)] mod tests { use crate::host::mmap; }";
    let found = paths_of(source, &["mq".into(), "broker".into()]);
    let rooms: BTreeSet<Room> = found.into_iter().collect();
    let expected = [("lab", "trace"), ("mq", "store"), ("mq", "time"), ("mq", "wire")];
    assert_eq!(rooms, expected.into_iter().map(|(wing, room)| (wing.to_owned(), room.to_owned())).collect());
}

#[test]
fn files_keep_below_eight_hundred_lines() {
    let long: Vec<String> = sources()
        .iter()
        .map(|path| (path, fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > 800)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_source_file_hangs_on_a_mod_line() {
    let orphans: Vec<String> = sources().iter().filter(|path| !hangs(path)).map(|p| p.display().to_string()).collect();
    assert!(orphans.is_empty(), "no `mod` line names:\n{}", orphans.join("\n"));
}

#[test]
fn the_system_names_no_machine() {
    let forbidden =
        ["std::net", "std::fs", "std::thread", "std::time", "std::env", "std::process", "crate::host", "crate::lab"];
    let mut found = Vec::new();
    for path in sources().iter().filter(|path| path.starts_with(root().join("src/mq"))) {
        let text = fs::read_to_string(path).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for word in forbidden.iter().filter(|word| line.contains(*word)) {
                found.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn rooms_do_not_re_export_each_other() {
    let mut found = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.trim_start().starts_with("pub use crate::")) {
            found.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "deploy/README.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let beside = root().join(document).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !beside.join(file).exists() {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root().join("src")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Module path of a file below `src`: `src/mq/store/mod.rs` is `[mq, store]`.
fn module_of(path: &Path) -> Vec<String> {
    let relative = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let mut parts: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib" || last == "main") {
        parts.pop();
    }
    parts
}

fn room_of(path: &Path) -> Option<Room> {
    let module = module_of(path);
    (module.len() >= 2).then(|| (module[0].clone(), module[1].clone()))
}

fn drawn_arrows(text: &str) -> BTreeMap<Room, BTreeSet<Room>> {
    let block = text.split("```arrows").nth(1).and_then(|rest| rest.split("```").next()).expect("an arrows block");
    let room = |name: &str| {
        let (wing, room) = name.trim().split_once("::").unwrap_or_else(|| panic!("`{name}` is no room"));
        (wing.to_owned(), room.to_owned())
    };
    let mut arrows = BTreeMap::new();
    for line in block.lines().filter(|line| line.contains("->")) {
        let (from, to) = line.split_once("->").unwrap();
        let targets = to.split(',').map(str::trim).filter(|name| !name.is_empty()).map(room).collect();
        assert!(arrows.insert(room(from), targets).is_none(), "{from} stands twice in the arrows");
    }
    arrows
}

/// Which rooms each room names, with one file that does.
fn used_arrows() -> BTreeMap<Room, BTreeMap<Room, String>> {
    let mut used: BTreeMap<Room, BTreeMap<Room, String>> = BTreeMap::new();
    for path in sources() {
        let Some(room) = room_of(&path) else { continue };
        for target in paths_of(&fs::read_to_string(&path).unwrap(), &module_of(&path)) {
            if target != room {
                used.entry(room.clone()).or_default().entry(target).or_insert_with(|| path.display().to_string());
            }
        }
    }
    used
}

fn paths_of(source: &str, module: &[String]) -> Vec<Room> {
    let file = syn::parse_file(source).expect("a source file parses");
    let mut finder = Finder { module: module.to_vec(), found: Vec::new() };
    finder.visit_file(&file);
    finder.found
}

struct Finder {
    module: Vec<String>,
    found: Vec<Room>,
}

impl Finder {
    /// Resolves `crate::`, `super::` and `self::` and notes the room the path leads to.
    fn note(&mut self, segments: &[String]) {
        let mut at = self.module.clone();
        let mut rest = segments;
        match segments.first().map(String::as_str) {
            Some("crate" | "mqlab") => (at, rest) = (Vec::new(), &segments[1..]),
            Some("self") => rest = &segments[1..],
            Some("super") => {}
            _ => return,
        }
        while rest.first().is_some_and(|segment| segment == "super") {
            at.pop();
            rest = &rest[1..];
        }
        at.extend(rest.iter().cloned());
        if at.len() >= 2 && ["mq", "host", "lab"].contains(&at[0].as_str()) {
            self.found.push((at[0].clone(), at[1].clone()));
        }
    }

    fn note_tree(&mut self, tree: &syn::UseTree, prefix: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.note_tree(&path.tree, prefix);
                prefix.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.note_tree(item, prefix)),
            syn::UseTree::Name(name) => self.note_leaf(prefix, &name.ident.to_string()),
            syn::UseTree::Rename(rename) => self.note_leaf(prefix, &rename.ident.to_string()),
            _ => self.note(prefix),
        }
    }

    fn note_leaf(&mut self, prefix: &[String], leaf: &str) {
        let mut path = prefix.to_vec();
        if leaf != "self" {
            path.push(leaf.to_owned());
        }
        self.note(&path);
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.note(&segments);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = module.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
        });
        if is_test {
            return;
        }
        self.module.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.module.pop();
    }
}

fn covers(pattern: &Room, target: &Room) -> bool {
    pattern.0 == target.0 && (pattern.1 == "*" || pattern.1 == target.1)
}

fn hangs(path: &Path) -> bool {
    let module = module_of(path);
    let Some((name, parents)) = module.split_last() else { return true };
    let folder = parents.iter().fold(root().join("src"), |folder, part| folder.join(part));
    let candidates = if parents.is_empty() {
        vec![root().join("src/lib.rs"), root().join("src/main.rs")]
    } else {
        vec![folder.join("mod.rs"), folder.with_extension("rs")]
    };
    candidates.iter().filter_map(|file| fs::read_to_string(file).ok()).any(|text| {
        text.lines().any(|line| {
            let line =
                line.trim_start_matches("pub(crate) ").trim_start_matches("pub ").trim_start_matches("pub(super) ");
            line.trim() == format!("mod {name};")
        })
    })
}
