//! A value that follows a schema, as far as its words are known.

use serde_json::{Map, Number, Value};

use super::text;
use crate::random::Random;

/// How deep values nest before the generator looks for the shortest way out.
const DEEP: usize = 5;
/// How deep it goes at all: a schema may refer to itself without an end.
const DEEPEST: usize = 24;

pub(super) fn generate(root: &Value, random: &mut Random) -> Value {
    Generator { root, random }.value(root, 0)
}

/// Any JSON at all, of no more than this depth.
pub(super) fn anything(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => Value::Bool(random.one_in(2)),
        2 => integer(random, i128::from(i64::MIN), i128::from(i64::MAX)),
        3 => number(random, None, None),
        4 | 5 => Value::String(text::text(random, 0, None)),
        6 => {
            let items = random.below(4);
            (0..items).map(|_| anything(random, depth - 1)).collect()
        }
        _ => {
            let entries = random.below(4);
            let entry = |_| (text::text(random, 0, Some(12)), anything(random, depth - 1));
            (0..entries).map(entry).collect::<Map<_, _>>().into()
        }
    }
}

struct Generator<'a> {
    root: &'a Value,
    random: &'a mut Random,
}

impl<'a> Generator<'a> {
    fn value(&mut self, schema: &'a Value, depth: usize) -> Value {
        let Value::Object(schema) = schema else {
            // `true` allows everything; `false` nothing, so whatever comes is refused.
            return anything(self.random, 2);
        };
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(Value::Array(values)) = schema.get("enum")
            && !values.is_empty()
        {
            return self.random.choose(values).clone();
        }
        let mut parts = Vec::new();
        if let Some(target) = schema.get("$ref").and_then(|path| self.target(path)) {
            parts.push(self.value(target, depth + 1));
        }
        for words in ["oneOf", "anyOf"] {
            if let Some(Value::Array(choices)) = schema.get(words)
                && !choices.is_empty()
            {
                let choice = self.choice(choices, depth);
                parts.push(self.value(choice, depth + 1));
            }
        }
        if let Some(Value::Array(all)) = schema.get("allOf") {
            parts.extend(all.iter().map(|part| self.value(part, depth + 1)));
        }
        if let Some(ty) = self.ty(schema) {
            parts.push(self.of_type(ty, schema, depth));
        }
        let whole = parts.into_iter().reduce(merged);
        whole.unwrap_or_else(|| anything(self.random, 2))
    }

    /// What a `$ref` refers to inside of the schema.
    fn target(&self, path: &Value) -> Option<&'a Value> {
        self.root.pointer(path.as_str()?.strip_prefix('#')?)
    }

    fn choice(&mut self, choices: &'a [Value], depth: usize) -> &'a Value {
        let refers = |choice: &&Value| choice.get("$ref").is_some();
        let is_leaf = |choice: &&Value| !refers(choice) && choice.get("properties").is_none();
        let leaf = choices.iter().find(is_leaf);
        match leaf {
            Some(leaf) if depth > DEEP => leaf,
            _ => self.random.choose(choices),
        }
    }

    /// One of the types that the schema names, or the one that its words are about.
    fn ty(&mut self, schema: &'a Map<String, Value>) -> Option<&'a str> {
        match schema.get("type") {
            Some(Value::String(ty)) => Some(ty),
            Some(Value::Array(types)) if !types.is_empty() => {
                let real: Vec<&Value> = types.iter().filter(|ty| *ty != "null").collect();
                let with_null = real.len() < types.len();
                if real.is_empty() || (with_null && self.random.one_in(4)) {
                    return Some("null");
                }
                self.random.choose(&real).as_str()
            }
            _ => {
                let about = [
                    ("properties", "object"),
                    ("additionalProperties", "object"),
                    ("items", "array"),
                    ("minimum", "number"),
                    ("maxLength", "string"),
                    ("minLength", "string"),
                ];
                let found = about.iter().find(|(word, _)| schema.contains_key(*word));
                found.map(|(_, ty)| *ty)
            }
        }
    }

    fn of_type(&mut self, ty: &str, schema: &'a Map<String, Value>, depth: usize) -> Value {
        match ty {
            "null" => Value::Null,
            "boolean" => Value::Bool(self.random.one_in(2)),
            "integer" => self.integer(schema),
            "number" => {
                let bound =
                    |words: [&str; 2]| words.iter().find_map(|word| schema.get(*word)?.as_f64());
                let least = bound(["minimum", "exclusiveMinimum"]);
                let most = bound(["maximum", "exclusiveMaximum"]);
                number(self.random, least, most)
            }
            "string" => self.string(schema),
            "array" => self.array(schema, depth),
            _ => self.object(schema, depth),
        }
    }

    fn integer(&mut self, schema: &Map<String, Value>) -> Value {
        let bound = |word: &str| whole(schema.get(word)?);
        let least = bound("minimum").or_else(|| Some(bound("exclusiveMinimum")? + 1));
        let most = bound("maximum").or_else(|| Some(bound("exclusiveMaximum")? - 1));
        // The widest that the format has; JSON itself has no bounds.
        let widest = match schema.get("format").and_then(Value::as_str) {
            Some("int8") => (i128::from(i8::MIN), i128::from(i8::MAX)),
            Some("int16") => (i128::from(i16::MIN), i128::from(i16::MAX)),
            Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
            Some("uint8") => (0, i128::from(u8::MAX)),
            Some("uint16") => (0, i128::from(u16::MAX)),
            Some("uint32") => (0, i128::from(u32::MAX)),
            Some("uint64" | "uint") => (0, i128::from(u64::MAX)),
            _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
        };
        let (least, most) = (least.unwrap_or(widest.0), most.unwrap_or(widest.1));
        let (least, most) = match bound("multipleOf").filter(|step| *step > 1) {
            Some(step) => {
                let (first, last) = (least.div_euclid(step), most.div_euclid(step));
                let factor = self.random.between(first, last);
                (factor * step, factor * step)
            }
            None => (least, most),
        };
        integer(self.random, least, most)
    }

    fn string(&mut self, schema: &Map<String, Value>) -> Value {
        let of_format = schema.get("format").and_then(Value::as_str);
        if let Some(text) = of_format.and_then(|format| text::of_format(format, self.random)) {
            return Value::String(text);
        }
        let (least, most) = bounds(schema, "minLength", "maxLength");
        Value::String(text::text(self.random, least, most))
    }

    fn array(&mut self, schema: &'a Map<String, Value>, depth: usize) -> Value {
        let (least, most) = bounds(schema, "minItems", "maxItems");
        let more = if depth > DEEP {
            0
        } else {
            self.random.below(5)
        };
        let length = (least + more).min(most.unwrap_or(usize::MAX)).min(10_000);
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let first = first.map_or(&[][..], Vec::as_slice);
        let rest = schema.get("items");
        let is_closed = rest == Some(&Value::Bool(false));
        let length = match (first.len(), is_closed) {
            (0, _) => length,
            (fixed, true) => fixed,
            (fixed, false) => length.max(fixed),
        };
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let mut items: Vec<Value> = Vec::new();
        for at in 0..length {
            let item = match first.get(at).or(rest) {
                Some(schema) => self.value(schema, depth + 1),
                None => anything(self.random, 1),
            };
            if !(unique && items.contains(&item)) {
                items.push(item);
            }
        }
        Value::Array(items)
    }

    fn object(&mut self, schema: &'a Map<String, Value>, depth: usize) -> Value {
        let mut object = Map::new();
        let required = schema.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let wanted = is_required(name) || (depth <= DEEP && self.random.one_in(2));
            if wanted {
                let value = self.value(property, depth + 1);
                object.insert(name.clone(), value);
            }
        }
        let (least, most) = bounds(schema, "minProperties", "maxProperties");
        let others = schema.get("additionalProperties");
        let more = match others {
            Some(Value::Bool(false)) => 0,
            // Where nothing is said, others are allowed, and seldom meant.
            None | Some(Value::Bool(true)) if properties.is_some() => {
                usize::from(self.random.one_in(8))
            }
            _ if depth > DEEP => 0,
            _ => self.random.below(4),
        };
        let wanted = least
            .max(object.len() + more)
            .min(most.unwrap_or(usize::MAX));
        for _ in object.len()..wanted.min(10_000) {
            let name = text::text(self.random, 1, Some(16));
            let value = match others {
                Some(schema @ Value::Object(_)) => self.value(schema, depth + 1),
                _ => anything(self.random, 1),
            };
            object.entry(name).or_insert(value);
        }
        Value::Object(object)
    }
}

/// What both ask for: the entries of two objects, or else the later one.
fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            one.extend(other);
            Value::Object(one)
        }
        (_, other) => other,
    }
}

fn bounds(schema: &Map<String, Value>, least: &str, most: &str) -> (usize, Option<usize>) {
    let bound = |word: &str| usize::try_from(whole(schema.get(word)?)?).ok();
    (bound(least).unwrap_or(0), bound(most))
}

/// A number as an integer; schemars writes bounds as `0.0` in places.
fn whole(value: &Value) -> Option<i128> {
    let of_float = || {
        let number = value.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it saturates, and a bound beyond all integers is none"
        )]
        let whole = number as i128;
        Some(whole)
    };
    let integer = value.as_i64().map(i128::from);
    integer
        .or_else(|| value.as_u64().map(i128::from))
        .or_else(of_float)
}

/// An integer between the two, which is one of the ends, or close to zero, more often than chance has it.
fn integer(random: &mut Random, least: i128, most: i128) -> Value {
    let chosen = match random.below(6) {
        0 => least,
        1 => most,
        2 => 0,
        3 => random.between(-16, 16),
        _ => random.between(least, most),
    };
    let chosen = chosen.clamp(least.min(most), most);
    let small = i64::try_from(chosen).map(Number::from);
    let number = small.or_else(|_| u64::try_from(chosen).map(Number::from));
    number.map_or(Value::Null, Value::Number)
}

fn number(random: &mut Random, least: Option<f64>, most: Option<f64>) -> Value {
    /// Large enough to be unusual, small enough to be added up.
    const FAR: f64 = 1e12;
    let (low, high) = (least.unwrap_or(-FAR), most.unwrap_or(FAR));
    #[expect(
        clippy::cast_precision_loss,
        reason = "any fraction between 0 and 1 will do"
    )]
    let fraction = random.draw() as f64 / u64::MAX as f64;
    let chosen = match random.below(8) {
        0 => low,
        1 => high,
        2 => 0.0,
        3 => -0.0,
        4 => 1e-300,
        5 if most.is_none() => 1e300,
        _ => low + (high - low) * fraction,
    };
    let chosen = if chosen < low || chosen > high {
        low
    } else {
        chosen
    };
    Number::from_f64(chosen).map_or(Value::Null, Value::Number)
}
