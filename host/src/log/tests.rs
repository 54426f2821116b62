//! A bridge between handwritten records, or a real plugin side, and real subscribers.

mod capture;
mod end_to_end;
mod events;
mod hostile;
mod limits;
mod sites;
mod spans;

use keyway::log::wire::{CURRENT, Callsite, Kinds, Level, ValueWriter};

use super::LogBridge;

/// A call site of a plugin with this target.
fn site<'a>(kinds: Kinds, level: Level, target: &'a str, fields: &[&'a str]) -> Callsite<'a> {
    Callsite {
        kinds,
        level,
        name: "a name",
        target,
        module_path: Some("my_plugin::module"),
        file: Some("src/module.rs"),
        line: Some(17),
        fields: fields.to_vec(),
    }
}

/// The values of a record.
fn values(write: impl FnOnce(&mut ValueWriter)) -> Vec<u8> {
    let mut writer = ValueWriter::new();
    write(&mut writer);
    writer.bytes().to_vec()
}

/// Makes a call site for events known.
fn event_site(bridge: &LogBridge, level: Level, target: &str) -> u64 {
    let site = site(Kinds::EVENT, level, target, &["message"]);
    bridge.log_callsite(&site.encode()).unwrap()
}

/// Reports an event, as a plugin that does not ask first.
fn report(bridge: &LogBridge, level: Level, target: &str, message: &str) {
    let site = event_site(bridge, level, target);
    let values = values(|values| values.debug(0, &format_args!("{message}")));
    bridge.log_event(site, CURRENT, &values).unwrap();
}

/// Opens a span.
fn open(bridge: &LogBridge, name: &str, parent: u64) -> u64 {
    let site = Callsite {
        name,
        ..site(Kinds::SPAN, Level::Info, "my_plugin", &["id", "result"])
    };
    let number = bridge.log_callsite(&site.encode()).unwrap();
    bridge
        .span_new(number, parent, &values(|values| values.u64(0, 7)))
        .unwrap()
}
