//! A call site: the place in the plugin's source that makes events or spans.
//!
//! Layout: format version (1), kinds, level, then name, target, optional module, optional file,
//! optional line, and the number of field names with the names themselves. An optional part is a
//! byte, 0 or 1, before the part.

use super::reader::{Malformed, Reader};

const VERSION: u8 = 1;

/// How important the reports of a call site are; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something looks wrong.
    Warn = 2,
    /// Worth knowing in production.
    Info = 3,
    /// For whoever debugs.
    Debug = 4,
    /// Everything else.
    Trace = 5,
}

/// What a call site makes, as bits. Unknown bits are kept and ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(pub u8);

impl Kinds {
    /// It makes events.
    pub const EVENT: Kinds = Kinds(1);
    /// It makes spans.
    pub const SPAN: Kinds = Kinds(2);
    /// It only asks whether something would be reported.
    pub const HINT: Kinds = Kinds(4);

    /// Whether it is of this kind, among others.
    pub fn has(self, kind: Kinds) -> bool {
        self.0 & kind.0 == kind.0
    }

    /// This kind and the other.
    #[must_use]
    pub fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }
}

/// A call site, borrowed from its metadata on one side and from the received bytes on the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Callsite<'a> {
    /// What it makes.
    pub kinds: Kinds,
    /// How important that is.
    pub level: Level,
    /// The name of the span or event.
    pub name: &'a str,
    /// The part of the plugin that reports, by default the module.
    pub target: &'a str,
    /// The module it is in.
    pub module_path: Option<&'a str>,
    /// The source file it is in.
    pub file: Option<&'a str>,
    /// The line in that file.
    pub line: Option<u32>,
    /// The names of the fields; values name a field by its position in here.
    pub fields: Vec<&'a str>,
}

impl<'a> Callsite<'a> {
    /// The bytes that [`decode`](Callsite::decode) reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.kinds.0, self.level as u8];
        write_text(&mut bytes, self.name);
        write_text(&mut bytes, self.target);
        write_optional(&mut bytes, self.module_path, write_text);
        write_optional(&mut bytes, self.file, write_text);
        write_optional(&mut bytes, self.line, |bytes, line| {
            bytes.extend_from_slice(&line.to_le_bytes());
        });
        // More fields than that do not fit into a plugin, let alone into a call site.
        let fields = self.fields.len().min(usize::from(u16::MAX));
        bytes.extend_from_slice(&(fields as u16).to_le_bytes());
        for name in &self.fields[..fields] {
            write_text(&mut bytes, name);
        }
        bytes
    }

    /// Reads a call site.
    ///
    /// # Errors
    ///
    /// When the bytes end too early, are not UTF-8 where text should be, or are of a version or
    /// level that this build does not know.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8("the format version")?;
        if version != VERSION {
            return Err(reader.malformed("the format version"));
        }
        let kinds = Kinds(reader.u8("the kinds")?);
        let level = match reader.u8("the level")? {
            1 => Level::Error,
            2 => Level::Warn,
            3 => Level::Info,
            4 => Level::Debug,
            5 => Level::Trace,
            _ => return Err(reader.malformed("the level")),
        };
        let name = reader.text("the name")?;
        let target = reader.text("the target")?;
        let module_path = reader.optional("the module", Reader::text)?;
        let file = reader.optional("the file", Reader::text)?;
        let line = reader.optional("the line", Reader::u32)?;
        let count = usize::from(reader.u16("the number of fields")?);
        // Each name takes four bytes at least, so a wrong count cannot reserve much memory.
        let mut fields = Vec::with_capacity(count.min(reader.rest() / 4));
        for _ in 0..count {
            fields.push(reader.text("a field name")?);
        }
        Ok(Callsite {
            kinds,
            level,
            name,
            target,
            module_path,
            file,
            line,
            fields,
        })
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).expect("source names are shorter than 4 GiB");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn write_optional<T>(bytes: &mut Vec<u8>, part: Option<T>, write: impl Fn(&mut Vec<u8>, T)) {
    bytes.push(u8::from(part.is_some()));
    if let Some(part) = part {
        write(bytes, part);
    }
}
