//! Typed access to the tree: a value with its path, and a table whose keys are known.

use std::ops::Range;

use super::keys::{Keys, Meant};
use crate::diagnostic::report::{Problem, Report};
use crate::limits::{MAX_ENTRIES, MAX_RESOURCE};
use crate::tree::{Entry, Node, Value, show};

/// A value at a path.
#[derive(Debug, Clone)]
pub struct Field<'t> {
    /// Where it is in the model, such as `plugin.config`.
    pub path: String,
    /// Where its key is in the text.
    pub key_span: Range<usize>,
    /// The value itself.
    pub node: &'t Node,
}

/// A table at a path.
#[derive(Debug)]
pub struct Table<'t> {
    /// Where it is in the model.
    pub path: String,
    span: Range<usize>,
    entries: &'t [Entry],
    /// Keys that unknown ones were probably meant to be: they are reported once, not twice.
    misspelt: Vec<&'static str>,
}

impl<'t> Field<'t> {
    /// A whole document.
    #[must_use]
    pub fn root(node: &'t Node) -> Self {
        Self {
            path: String::new(),
            key_span: node.span.clone(),
            node,
        }
    }

    /// A problem with the value; the message continues after its path.
    #[must_use]
    pub fn problem(&self, rest_of_message: impl AsRef<str>) -> Problem {
        let rest = rest_of_message.as_ref();
        let message = if self.path.is_empty() {
            format!("the manifest {rest}")
        } else {
            format!("`{}` {rest}", self.path)
        };
        Problem::new(&self.node.span, &self.path, message)
    }

    /// The value as it appears in a message.
    #[must_use]
    pub fn found(&self, report: &Report) -> String {
        show::value(self.node, report.syntax())
    }

    /// Reports that the value is of another type than it should be.
    pub fn wrong_type(&self, expected: &str, report: &mut Report) {
        let problem = self
            .problem("has the wrong type")
            .expected(expected)
            .found(self.found(report));
        report.push(problem);
    }

    /// A text.
    pub fn string(&self, report: &mut Report) -> Option<&'t str> {
        match &self.node.value {
            Value::String(string) => Some(string),
            _ => {
                self.wrong_type("a string", report);
                None
            }
        }
    }

    /// True or false.
    pub fn boolean(&self, report: &mut Report) -> Option<bool> {
        match self.node.value {
            Value::Boolean(boolean) => Some(boolean),
            _ => {
                self.wrong_type("true or false", report);
                None
            }
        }
    }

    pub(super) fn integer(&self, report: &mut Report) -> Option<i64> {
        match self.node.value {
            Value::Integer(integer) => Some(integer),
            Value::Unrepresentable(_) => self.unrepresentable("an integer of 64 bits", report),
            _ => {
                self.wrong_type("an integer", report);
                None
            }
        }
    }

    /// A finite number; an integer is one if it keeps its value.
    pub(super) fn number(&self, report: &mut Report) -> Option<f64> {
        const EXACT: i64 = 1 << f64::MANTISSA_DIGITS;
        match self.node.value {
            Value::Number(number) => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "the range is exact")]
            Value::Integer(integer) if (-EXACT..=EXACT).contains(&integer) => Some(integer as f64),
            Value::Integer(_) | Value::Unrepresentable(_) => {
                self.unrepresentable("a number that is finite and exact", report)
            }
            _ => {
                self.wrong_type("a number", report);
                None
            }
        }
    }

    /// A limit: an integer from 1 to [`MAX_RESOURCE`]. The hint is for one that is out of range.
    pub fn limit(&self, hint: &str, report: &mut Report) -> Option<u64> {
        let limit = match self.node.value {
            Value::Integer(integer) => u64::try_from(integer)
                .ok()
                .filter(|limit| (1..=MAX_RESOURCE).contains(limit)),
            Value::Unrepresentable(_) => None,
            _ => {
                self.wrong_type("a positive integer", report);
                return None;
            }
        };
        if limit.is_none() {
            report.push(
                self.problem("is out of range")
                    .expected(format!("an integer from 1 to {MAX_RESOURCE}"))
                    .found(self.found(report))
                    .hint(hint),
            );
        }
        limit
    }

    fn unrepresentable<T>(&self, expected: &str, report: &mut Report) -> Option<T> {
        let problem = self.problem("is out of range").expected(expected);
        report.push(problem.found(self.found(report)));
        None
    }

    /// The elements of an array; too many are an error and are not looked at.
    pub fn elements(&self, expected: &str, report: &mut Report) -> Option<Vec<Field<'t>>> {
        let Value::Array(nodes) = &self.node.value else {
            self.wrong_type(expected, report);
            return None;
        };
        self.bounded(nodes.len(), report)?;
        let element = |(index, node)| self.element(index, node);
        Some(nodes.iter().enumerate().map(element).collect())
    }

    /// The strings in an array, for a second look at what was checked before: whatever is not one is
    /// passed over.
    pub(super) fn strings(&self) -> impl Iterator<Item = (Field<'t>, &'t str)> {
        let nodes = match &self.node.value {
            Value::Array(nodes) => nodes.as_slice(),
            _ => &[],
        };
        let string = |(index, node): (usize, &'t Node)| match &node.value {
            Value::String(string) => Some((self.element(index, node), string.as_str())),
            _ => None,
        };
        nodes.iter().enumerate().filter_map(string)
    }

    fn element(&self, index: usize, node: &'t Node) -> Field<'t> {
        Field {
            path: format!("{}[{index}]", self.path),
            key_span: node.span.clone(),
            node,
        }
    }

    /// A table with any keys.
    pub fn table(&self, report: &mut Report) -> Option<Table<'t>> {
        let Value::Table(entries) = &self.node.value else {
            self.wrong_type(show::table(report.syntax()), report);
            return None;
        };
        self.bounded(entries.len(), report)?;
        Some(Table {
            path: self.path.clone(),
            span: self.node.span.clone(),
            entries,
            misspelt: Vec::new(),
        })
    }

    /// A table with no other keys than `keys`.
    pub fn table_with(&self, keys: &Keys, report: &mut Report) -> Option<Table<'t>> {
        let mut table = self.table(report)?;
        for entry in table.entries {
            if !keys.contains(&entry.key) {
                let meant = keys.meant_by(&entry.key);
                table.unknown_key(entry, &keys.expected(), meant.hint(), report);
                match meant {
                    Meant::Key(key) => table.misspelt.push(key),
                    Meant::Elsewhere(_) | Meant::Unclear => {}
                }
            }
        }
        Some(table)
    }

    fn bounded(&self, entries: usize, report: &mut Report) -> Option<()> {
        if entries <= MAX_ENTRIES {
            return Some(());
        }
        let problem = self.problem("has too many entries");
        report.push(
            problem
                .expected(format!("at most {MAX_ENTRIES}"))
                .found(entries.to_string()),
        );
        None
    }
}

impl<'t> Table<'t> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Field<'t>> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| self.field(entry))
    }

    /// The value of a key that has to be there.
    pub fn require(
        &self,
        key: &'static str,
        expected: &str,
        report: &mut Report,
    ) -> Option<Field<'t>> {
        let field = self.get(key);
        let is_reported = report.refuses_unknown_keys() && self.misspelt.contains(&key);
        if field.is_none() && !is_reported {
            let place = show::in_table(&self.path, report.syntax());
            let message = format!("missing key `{key}` {place}");
            let path = show::path(&self.path, key);
            report.push(Problem::new(&self.span, &path, message).expected(expected));
        }
        field
    }

    /// The value of a key that has a second name; having both is an error.
    pub(super) fn get_either(
        &self,
        key: &str,
        alias: &str,
        report: &mut Report,
    ) -> Option<Field<'t>> {
        match (self.get(key), self.get(alias)) {
            (Some(field), Some(other)) => {
                let message = format!("`{}` is another name for `{}`", other.path, field.path);
                let problem = Problem::new(&other.key_span, &other.path, message);
                report.push(problem.hint(format!("keep only `{key}`")));
                Some(field)
            }
            (field, other) => field.or(other),
        }
    }

    /// All keys with their values, in the order of the text.
    pub fn fields(&self) -> impl Iterator<Item = (&'t Entry, Field<'t>)> {
        self.entries.iter().map(|entry| (entry, self.field(entry)))
    }

    /// Reports a key that the table may not have.
    pub fn unknown_key(
        &self,
        entry: &Entry,
        expected: &str,
        hint: Option<String>,
        report: &mut Report,
    ) {
        let key = show::text(&entry.key);
        let place = show::in_table(&self.path, report.syntax());
        let path = show::path(&self.path, &entry.key);
        report.push_unknown_key(
            Problem::new(
                &entry.key_span,
                &path,
                format!("unknown key `{key}` {place}"),
            )
            .expected(expected)
            .maybe_hint(hint),
        );
    }

    fn field(&self, entry: &'t Entry) -> Field<'t> {
        Field {
            path: show::path(&self.path, &entry.key),
            key_span: entry.key_span.clone(),
            node: &entry.node,
        }
    }
}
