//! Every constant that says whose it is and every setting's default, against a table of names, values and upstream classes (`tests/golden/constants.tsv`).
//!
//! The table is complete both ways: a constant of `src/mq` with a `Source:` has a row, and a row has a constant. Values are
//! read from the sources themselves, so that private constants are checked, too. A time is written with its unit, whatever
//! unit upstream counts in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, BinOp, Expr, ItemConst, Lit, UnOp};

/// A row: upstream's name, the value, and where it stands here.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Row {
    upstream: String,
    value: String,
}

/// What a constant's expression comes to.
#[derive(Clone, PartialEq, Debug)]
enum Value {
    Int(i128),
    Nanos(i128),
    Text(String),
    Truth(bool),
    List(Vec<Value>),
}

#[derive(Default)]
struct Consts {
    file: String,
    /// Settings: upstream's class and each field's upstream name, by struct.
    settings: BTreeMap<String, (String, BTreeMap<String, String>)>,
    /// Each setting's first full literal: its defaults, by struct.
    defaults: BTreeMap<String, (String, Vec<(String, Expr)>)>,
    /// The type whose `impl` is being read.
    of: String,
    /// By file and name: upstream's name if it says one, and the expression.
    found: BTreeMap<(String, String), (Option<String>, Expr)>,
}

impl<'ast> Visit<'ast> for Consts {
    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        let key = (self.file.clone(), item.ident.to_string());
        self.found.insert(key, (source(&item.attrs), (*item.expr).clone()));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        let key = (self.file.clone(), item.ident.to_string());
        self.found.insert(key, (source(&item.attrs), item.expr.clone()));
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let Some(class) = source(&item.attrs).filter(|_| item.ident.to_string().ends_with("Config")) {
            let fields = item.fields.iter().filter_map(|field| {
                let doc = doc(&field.attrs);
                let key = doc.strip_prefix('`')?.split_once('`')?.0;
                let is_key = key.chars().all(|letter| letter.is_ascii_alphanumeric());
                is_key.then(|| (field.ident.as_ref().unwrap().to_string(), key.to_owned()))
            });
            self.settings.insert(item.ident.to_string(), (class, fields.collect()));
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let syn::Type::Path(path) = &*item.self_ty {
            self.of = path.path.segments.last().unwrap().ident.to_string();
        }
        syn::visit::visit_item_impl(self, item);
    }

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        let name = literal.path.segments.last().unwrap().ident.to_string();
        let name = if name == "Self" { self.of.clone() } else { name };
        if literal.rest.is_none() && name == self.of && !self.defaults.contains_key(&name) {
            let field = |field: &syn::FieldValue| match &field.member {
                syn::Member::Named(name) => Some((name.to_string(), field.expr.clone())),
                syn::Member::Unnamed(_) => None,
            };
            let fields = literal.fields.iter().filter_map(field).collect();
            self.defaults.insert(name, (self.file.clone(), fields));
        }
        syn::visit::visit_expr_struct(self, literal);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// A doc comment in one line.
fn doc(attrs: &[Attribute]) -> String {
    let mut doc = String::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        if let syn::Meta::NameValue(pair) = &attr.meta
            && let Expr::Lit(lit) = &pair.value
            && let Lit::Str(text) = &lit.lit
        {
            doc += text.value().trim();
            doc.push(' ');
        }
    }
    doc
}

/// The first name behind `Source:` in a doc comment.
fn source(attrs: &[Attribute]) -> Option<String> {
    let doc = doc(attrs);
    let behind = &doc[doc.find("Source: `")? + "Source: `".len()..];
    Some(behind[..behind.find('`')?].to_owned())
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => rust_files(&path, into),
            false if path.extension().is_some_and(|extension| extension == "rs") => into.push(path),
            false => {}
        }
    }
}

fn consts() -> Consts {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src/mq"), &mut files);
    files.sort();
    let mut consts = Consts::default();
    for path in files {
        consts.file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let parsed = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
        consts.visit_file(&parsed);
    }
    consts
}

impl Consts {
    /// The value of an expression in a file.
    fn value(&self, file: &str, expr: &Expr) -> Option<Value> {
        let int = |expr: &Expr| match self.value(file, expr)? {
            Value::Int(number) => Some(number),
            _ => None,
        };
        Some(match expr {
            Expr::Lit(lit) => literal(&lit.lit)?,
            Expr::Paren(inner) => self.value(file, &inner.expr)?,
            Expr::Reference(inner) => self.value(file, &inner.expr)?,
            Expr::Cast(cast) => self.value(file, &cast.expr)?,
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => Value::Int(-int(&unary.expr)?),
            Expr::MethodCall(call) if call.method == "wrapping_sub" => {
                Value::Int(int(&call.receiver)? - int(call.args.first()?)?)
            }
            Expr::MethodCall(call) if call.method == "into" => self.value(file, &call.receiver)?,
            Expr::Binary(binary) => {
                let (left, right) = (int(&binary.left)?, int(&binary.right)?);
                Value::Int(match binary.op {
                    BinOp::Add(_) => left + right,
                    BinOp::Sub(_) => left - right,
                    BinOp::Mul(_) => left * right,
                    BinOp::Div(_) => left / right,
                    BinOp::Shl(_) => left << right,
                    BinOp::BitOr(_) => left | right,
                    _ => return None,
                })
            }
            Expr::Array(array) => {
                Value::List(array.elems.iter().map(|item| self.value(file, item)).collect::<Option<_>>()?)
            }
            Expr::Tuple(tuple) => {
                Value::List(tuple.elems.iter().map(|item| self.value(file, item)).collect::<Option<_>>()?)
            }
            Expr::Struct(fields) => {
                Value::List(fields.fields.iter().map(|field| self.value(file, &field.expr)).collect::<Option<_>>()?)
            }
            Expr::Call(call) => {
                let Expr::Path(path) = &*call.func else { return None };
                let name = path.path.segments.last()?.ident.to_string();
                let number = int(call.args.first()?)?;
                match name.as_str() {
                    "from_secs" => Value::Nanos(number * 1_000_000_000),
                    "from_millis" => Value::Nanos(number * 1_000_000),
                    "from_micros" => Value::Nanos(number * 1_000),
                    "Span" => Value::Nanos(number),
                    _ => return None,
                }
            }
            Expr::Path(path) => self.named(file, &path.path)?,
            _ => return None,
        })
    }

    /// The value of a name: a limit of a type, a constant of the module that is named, of this file, or of any.
    fn named(&self, file: &str, path: &syn::Path) -> Option<Value> {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let limit = match words[..] {
            ["i16", "MAX"] => Some(Value::Int(i16::MAX.into())),
            ["i32", "MAX"] => Some(Value::Int(i32::MAX.into())),
            ["i32", "MIN"] => Some(Value::Int(i32::MIN.into())),
            ["i64", "MAX"] => Some(Value::Int(i64::MAX.into())),
            ["i64", "MIN"] => Some(Value::Int(i64::MIN.into())),
            ["Span", "ZERO"] => Some(Value::Nanos(0)),
            _ => None,
        };
        if limit.is_some() {
            return limit;
        }
        let module = words.iter().rev().nth(1);
        let is_named = |place: &str| {
            module.is_some_and(|module| {
                place.ends_with(&format!("/{module}.rs")) || place.ends_with(&format!("/{module}/mod.rs"))
            })
        };
        let of_that_name = || self.found.iter().filter(|((_, other), _)| Some(&other.as_str()) == words.last());
        let found = of_that_name().find(|((place, _), _)| is_named(place));
        let here = || of_that_name().find(|((place, _), _)| place == file);
        let ((place, _), (_, expr)) = found.or_else(here).or_else(|| of_that_name().next())?;
        self.value(place, expr)
    }
}

fn literal(lit: &Lit) -> Option<Value> {
    Some(match lit {
        Lit::Int(number) => Value::Int(number.base10_parse().ok()?),
        Lit::Str(text) => Value::Text(text.value()),
        Lit::ByteStr(text) => Value::Text(String::from_utf8(text.value()).ok()?),
        Lit::Char(letter) => Value::Text(letter.value().to_string()),
        Lit::Byte(byte) => Value::Int(byte.value().into()),
        Lit::Float(number) => Value::Text(number.base10_digits().to_owned()),
        Lit::Bool(truth) => Value::Truth(truth.value),
        _ => return None,
    })
}

impl Value {
    /// As the table writes it. A number whose name ends in `_MS` is a time.
    fn text(&self, name: &str) -> String {
        match self {
            Value::Int(number) if name.ends_with("_MS") => time(number * 1_000_000),
            Value::Int(number) => number.to_string(),
            Value::Nanos(nanos) => time(*nanos),
            Value::Text(text) => format!("{text:?}"),
            Value::Truth(truth) => truth.to_string(),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.text("")).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

fn time(nanos: i128) -> String {
    match nanos {
        0 => "0s".to_owned(),
        nanos if nanos % 1_000_000_000 == 0 => format!("{}s", nanos / 1_000_000_000),
        nanos if nanos % 1_000_000 == 0 => format!("{}ms", nanos / 1_000_000),
        nanos => format!("{nanos}ns"),
    }
}

/// The table's rows by file and name.
fn table() -> BTreeMap<(String, String), Row> {
    let text = include_str!("../golden/constants.tsv");
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [upstream, value, name, file] = cells[..] else { panic!("four cells in a row: {line}") };
        let row = Row { upstream: upstream.to_owned(), value: value.to_owned() };
        ((file.to_owned(), name.to_owned()), row)
    });
    rows.collect()
}

#[test]
fn every_constant_is_what_the_table_says_of_its_upstream_name() {
    let consts = consts();
    let mut got: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut unread = Vec::new();
    for ((file, name), (upstream, expr)) in &consts.found {
        let Some(upstream) = upstream else { continue };
        match consts.value(file, expr) {
            Some(value) => {
                let row = Row { upstream: upstream.clone(), value: value.text(name) };
                got.insert((file.clone(), name.clone()), row);
            }
            None => unread.push(format!("{file} {name}")),
        }
    }
    for (name, (file, fields)) in &consts.defaults {
        let Some((class, keys)) = consts.settings.get(name) else { continue };
        for (field, expr) in fields {
            // What a caller gives, and what this lab alone has, is no default of upstream's.
            if let (Some(key), Some(value)) = (keys.get(field), consts.value(file, expr)) {
                let row = Row { upstream: format!("{class}.{key}"), value: value.text(&field.to_uppercase()) };
                got.insert((file.clone(), field.clone()), row);
            }
        }
    }
    assert!(unread.is_empty(), "a value that this test cannot read: {unread:?}");
    let table = table();
    let line =
        |((file, name), row): (&(String, String), &Row)| format!("{}\t{}\t{name}\t{file}", row.upstream, row.value);
    let other: Vec<String> = got.iter().filter(|(key, row)| table.get(*key) != Some(*row)).map(line).collect();
    assert!(other.is_empty(), "no such row in the table:\n{}", other.join("\n"));
    let unused: Vec<String> = table.iter().filter(|(key, _)| !got.contains_key(*key)).map(line).collect();
    assert!(unused.is_empty(), "no constant has this row:\n{}", unused.join("\n"));
    assert!(100 < got.len(), "the constants were found: {}", got.len());
}
