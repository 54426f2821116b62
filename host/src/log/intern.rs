//! The call sites of all plugins of this process.
//!
//! `tracing` keeps call sites for ever, so they are shared by content: over plugins, and over the
//! generations of one, so that loading a plugin again leaks nothing. What an endless stream of new
//! ones could take is bounded; past that, what a plugin reports goes to one general call site per
//! level, which keeps the message and the plugin's id and loses the rest.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use keyway::log::wire::{Callsite, Kinds, Level};

use super::callsite::Site;

/// The most call sites that are told apart in this process.
const MOST_SITES: usize = 65_536;

/// The most fields of a call site; further ones are left out.
const MOST_FIELDS: usize = 64;

/// The longest name, target or path, in bytes; longer ones are cut.
const LONGEST_TEXT: usize = 1_024;

/// How many sites one allocation of the table holds.
const CHUNK: usize = 256;

type Chunk = Box<[OnceLock<&'static Site>]>;

/// The target of what comes from call sites that are not told apart.
const GENERAL_TARGET: &str = "keyway::plugin";

/// The table of this process.
static SITES: LazyLock<Sites> = LazyLock::new(|| Sites::new(MOST_SITES));

/// The number of the call site with this content.
pub(super) fn intern(content: &Callsite<'_>) -> u64 {
    SITES.intern(content)
}

/// The call site of a number.
pub(super) fn site(number: u64) -> Option<&'static Site> {
    SITES.site(number)
}

/// Call sites by content and by number. Numbers start at 1.
#[derive(Debug)]
pub(super) struct Sites {
    most: usize,
    by_content: Mutex<HashMap<Callsite<'static>, u64>>,
    /// Never moved or changed once it is filled, so readers need no lock.
    by_number: Box<[OnceLock<Chunk>]>,
}

impl Sites {
    pub(super) fn new(most: usize) -> Self {
        // The general ones come on top.
        let chunks = (most + 2 * LEVELS.len()).div_ceil(CHUNK);
        Sites {
            most,
            by_content: Mutex::new(HashMap::new()),
            by_number: (0..chunks).map(|_| OnceLock::new()).collect(),
        }
    }

    pub(super) fn intern(&self, content: &Callsite<'_>) -> u64 {
        let content = bounded(content);
        let number = self.known_or_new(&content);
        // Not under the lock: subscribers are asked about the new site, and may log in turn.
        if let Some(site) = self.site(number) {
            site.register();
        }
        number
    }

    fn known_or_new(&self, content: &Callsite<'_>) -> u64 {
        let mut by_content = self
            .by_content
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = known(&by_content, content) {
            return number;
        }
        if by_content.len() < self.most {
            return self.insert(&mut by_content, content);
        }
        let general = general(content);
        match known(&by_content, &general) {
            Some(&number) => number,
            None => self.insert(&mut by_content, &general),
        }
    }

    fn insert(&self, known: &mut HashMap<Callsite<'static>, u64>, content: &Callsite<'_>) -> u64 {
        let content = leaked(content);
        let index = known.len();
        let chunk = self.by_number[index / CHUNK]
            .get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        chunk[index % CHUNK]
            .set(Site::leak(&content))
            .expect("numbers are given once");
        let number = index as u64 + 1;
        known.insert(content, number);
        number
    }

    pub(super) fn site(&self, number: u64) -> Option<&'static Site> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.by_number
            .get(index / CHUNK)?
            .get()?
            .get(index % CHUNK)?
            .get()
            .copied()
    }
}

/// A lookup with a key that does not live as long as those in the table.
fn known<'t, 'a>(table: &'t HashMap<Callsite<'a>, u64>, content: &Callsite<'a>) -> Option<&'t u64> {
    table.get(content)
}

const LEVELS: [Level; 5] = [
    Level::Error,
    Level::Warn,
    Level::Info,
    Level::Debug,
    Level::Trace,
];

/// The content of the site that stands for all that are too many.
fn general(content: &Callsite<'_>) -> Callsite<'static> {
    let is_span = content.kinds.has(Kinds::SPAN);
    Callsite {
        kinds: if is_span { Kinds::SPAN } else { Kinds::EVENT },
        level: content.level,
        name: if is_span { "span" } else { "event" },
        target: GENERAL_TARGET,
        module_path: None,
        file: None,
        line: None,
        // The macros of `tracing` put the message first.
        fields: vec!["message"],
    }
}

/// The content within the limits.
fn bounded<'a>(content: &Callsite<'a>) -> Callsite<'a> {
    Callsite {
        kinds: content.kinds,
        level: content.level,
        name: cut(content.name),
        target: cut(content.target),
        module_path: content.module_path.map(cut),
        file: content.file.map(cut),
        line: content.line,
        fields: content
            .fields
            .iter()
            .take(MOST_FIELDS)
            .map(|name| cut(name))
            .collect(),
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn leaked(content: &Callsite<'_>) -> Callsite<'static> {
    let leak = |text: &str| -> &'static str { String::leak(text.to_owned()) };
    Callsite {
        kinds: content.kinds,
        level: content.level,
        name: leak(content.name),
        target: leak(content.target),
        module_path: content.module_path.map(leak),
        file: content.file.map(leak),
        line: content.line,
        fields: content.fields.iter().map(|name| leak(name)).collect(),
    }
}
