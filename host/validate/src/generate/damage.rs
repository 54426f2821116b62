//! Small changes to a value that leave it almost right.

use serde_json::{Map, Value, json};

use super::value::anything;
use crate::random::Random;

/// Changes one place of a value.
pub(super) fn damage(value: &mut Value, random: &mut Random) {
    let mut places = Vec::new();
    collect(value, String::new(), &mut places);
    let place = random.choose(&places).clone();
    if let Some(target) = value.pointer_mut(&place) {
        change(target, random);
    }
}

/// The JSON pointers of all places in a value.
fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{at}/{index}"), places);
            }
        }
        Value::Object(entries) => {
            for (name, entry) in entries {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(entry, format!("{at}/{name}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

fn change(target: &mut Value, random: &mut Random) {
    match target {
        Value::Object(entries) if random.below(4) > 0 => change_entries(entries, random),
        Value::Array(items) if random.one_in(2) => {
            if random.one_in(2) {
                items.pop();
            } else {
                let again = anything(random, 1);
                items.push(again);
            }
        }
        Value::Number(_) if random.one_in(2) => {
            let far = [
                json!(-1),
                json!(0.5),
                json!(u64::MAX),
                json!(i64::MIN),
                json!(1e300),
            ];
            *target = random.choose(&far).clone();
        }
        Value::String(text) if random.one_in(2) => {
            *text = match random.one_in(2) {
                true => String::new(),
                false => text.repeat(2) + "x",
            };
        }
        _ => *target = anything(random, 2),
    }
}

fn change_entries(entries: &mut Map<String, Value>, random: &mut Random) {
    let names: Vec<String> = entries.keys().cloned().collect();
    if names.is_empty() || random.one_in(3) {
        entries.insert("no such property".to_owned(), anything(random, 1));
        return;
    }
    let name = random.choose(&names);
    let entry = entries.remove(name);
    if let Some(entry) = entry.filter(|_| random.one_in(3)) {
        // Under a name that is almost its own.
        entries.insert(format!("{name}_"), entry);
    }
}
