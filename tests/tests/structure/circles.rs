//! Whether the files of a folder import each other in a circle.
//!
//! An import is a path that begins with `crate`, `super` or `self`, with a module of the file's
//! own, or with a module that the file imports. It counts as an import of the file that defines
//! the name, even if a `mod.rs` or the crate's root re-exports the name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{code, sources};

/// A module, by its path from the crate's root, which is empty.
type Module = Vec<String>;

/// A file: what it imports, and the names that it has from its own modules.
struct Source {
    paths: Vec<Vec<String>>,
    passed_on: BTreeMap<String, Module>,
}

/// The circles among the files in this folder, each as the arrows in it; tests are left out.
pub fn circles(folder: &Path) -> Vec<String> {
    let files = read(folder);
    let mut arrows: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    for (module, source) in &files {
        let to = source.paths.iter().filter_map(|path| defined_in(&files, path));
        arrows.insert(module, to.filter(|to| *to != module).collect());
    }
    circles_of(&arrows)
}

/// How many files the folder has, and how many imports they have of each other.
pub fn size(folder: &Path) -> (usize, usize) {
    let files = read(folder);
    (files.len(), files.values().map(|source| source.paths.len()).sum())
}

fn read(folder: &Path) -> BTreeMap<Module, Source> {
    let mut found = Vec::new();
    sources(folder, &mut found);
    let mut texts = BTreeMap::new();
    for path in found {
        let inside = path.strip_prefix(folder).unwrap().with_extension("");
        let mut module: Module =
            inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if module.iter().any(|name| name == "tests" || name == "model") {
            continue;
        }
        if module.last().is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str())) {
            module.pop();
        }
        texts.insert(module, code(&fs::read_to_string(&path).unwrap()));
    }
    let modules: BTreeSet<Module> = texts.keys().cloned().collect();
    texts
        .into_iter()
        .map(|(module, text)| (module.clone(), source(&module, &text, &modules)))
        .collect()
}

fn source(module: &Module, text: &str, modules: &BTreeSet<Module>) -> Source {
    let mut source = Source { paths: Vec::new(), passed_on: BTreeMap::new() };
    let is_own = |name: &str| {
        let child: Module = module.iter().cloned().chain([name.to_owned()]).collect();
        modules.contains(&child)
    };
    // The modules that the file imports, by their names there.
    let mut imported: BTreeMap<String, Module> = BTreeMap::new();
    for (start, path) in beginnings(text, |first| is_own(first) || is_root(first)) {
        if statement(text, start).ends_with("use") {
            let paths = expanded(path).into_iter().filter_map(|path| absolute(module, &path));
            let named = paths.filter(|path| modules.contains(path));
            imported.extend(named.filter_map(|path| Some((path.last()?.clone(), path))));
        }
    }
    let known = |first: &str| is_own(first) || is_root(first) || imported.contains_key(first);
    for (start, path) in beginnings(text, known) {
        let line = statement(text, start);
        for path in expanded(path) {
            let through = imported.get(&path[0]).filter(|_| !is_own(&path[0]));
            let path = match through {
                Some(through) => Some([through, &path[1..]].concat()),
                None => absolute(module, &path),
            };
            let Some(path) = path else { continue };
            let inside = path.len() > module.len() + 1 && path.starts_with(module);
            if line.ends_with("use") && inside {
                let name = path.last().unwrap().clone();
                source.passed_on.insert(name, path.clone());
                if line.starts_with("pub") {
                    continue;
                }
            }
            source.paths.push(path);
        }
    }
    source
}

fn is_root(first: &str) -> bool {
    ["crate", "super", "self"].contains(&first)
}

/// Where the paths begin whose first name is wanted, and the text from there on.
fn beginnings(text: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices("::").filter_map(move |(at, _)| {
        let start = text[..at].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
        // In the middle of a path it is no beginning.
        let begins = wanted(&text[start..at]) && !text[..start].ends_with("::");
        begins.then(|| (start, &text[start..]))
    })
}

/// What the statement with this place begins with, up to there.
fn statement(text: &str, start: usize) -> &str {
    text[..start].rsplit(['\n', ';']).next().unwrap_or_default().trim()
}

/// The paths that a path or a tree of `use` stands for.
fn expanded(text: &str) -> Vec<Vec<String>> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let (head, rest) = text.split_at(end.unwrap_or(text.len()));
    let segments: Vec<String> =
        head.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if !head.ends_with("::") || !rest.starts_with('{') {
        return vec![segments];
    }
    let (mut depth, mut branches, mut start) = (0, Vec::new(), 1);
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && c == ',' {
            branches.push(rest[start..at].trim());
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    let below = branches.into_iter().filter(|branch| !branch.is_empty()).flat_map(expanded);
    below.map(|path| [segments.clone(), path].concat()).collect()
}

/// The path from the crate's root; `None` if it leads out of the folder.
fn absolute(module: &Module, path: &[String]) -> Option<Vec<String>> {
    let mut base = module.clone();
    let mut rest = path;
    match rest.first().map(String::as_str) {
        Some("crate") => (base, rest) = (Vec::new(), &rest[1..]),
        Some("self") => rest = &rest[1..],
        _ => {}
    }
    while rest.first().is_some_and(|name| name == "super") {
        base.pop()?;
        rest = &rest[1..];
    }
    // `use super::x::{self, Y}`.
    let named = rest.iter().filter(|name| *name != "self").cloned();
    base.extend(named);
    Some(base)
}

/// The file that defines what the path names.
fn defined_in<'a>(files: &'a BTreeMap<Module, Source>, path: &[String]) -> Option<&'a Module> {
    let length = (0..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
    let (module, source) = files.get_key_value(&path[..length])?;
    match path.get(length).and_then(|name| source.passed_on.get(name)) {
        Some(further) if further.as_slice() != path => defined_in(files, further),
        _ => Some(module),
    }
}

/// What is reached from where, and so what reaches itself.
fn circles_of(arrows: &BTreeMap<&Module, BTreeSet<&Module>>) -> Vec<String> {
    let reached = |from: &Module| {
        let mut seen: BTreeSet<&Module> = BTreeSet::new();
        let mut next: Vec<&Module> = arrows[from].iter().copied().collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(&arrows[module]);
            }
        }
        seen
    };
    let mut rest: BTreeSet<&Module> = arrows.keys().copied().collect();
    let mut found = Vec::new();
    while let Some(module) = rest.pop_first() {
        let there = reached(module);
        if !there.contains(module) {
            continue;
        }
        let back = |other: &&&Module| reached(other).contains(module);
        let circle: BTreeSet<&Module> = there.iter().filter(back).copied().collect();
        let mut text = String::new();
        for from in &circle {
            let to: Vec<_> = arrows[*from].intersection(&circle).map(|to| to.join("/")).collect();
            text += &format!("\n  {} imports {}", from.join("/"), to.join(", "));
        }
        found.push(text);
        rest.retain(|module| !circle.contains(module));
    }
    found
}
