//! Random JSON that a JSON Schema allows, and such that it does not.
//!
//! It knows what schemars and the host's own schemas are written in: references, objects, arrays, texts with
//! lengths and formats, numbers with bounds, choices and combinations. What it makes is a proposal: the validator
//! of the host has the last word, so a schema with words that are not known here gets fewer values, and never
//! wrong ones.

mod damage;
mod text;
mod value;

use jsonschema::Validator;
use serde_json::Value;

use crate::random::Random;

/// How often a value is proposed before the generator gives up.
const ATTEMPTS: usize = 50;

/// A JSON Schema (draft 2020-12), to make values for.
#[derive(Debug)]
pub struct Schema {
    root: Value,
    validator: Validator,
}

impl Schema {
    /// # Errors
    ///
    /// What is wrong with it, where it is none.
    pub fn new(root: Value) -> Result<Self, String> {
        let validator = jsonschema::validator_for(&root).map_err(|error| error.to_string())?;
        Ok(Schema { root, validator })
    }

    /// Whether it allows a value.
    pub fn allows(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// A value that it allows; none where none was found.
    pub fn valid(&self, random: &mut Random) -> Option<Value> {
        (0..ATTEMPTS)
            .map(|_| value::generate(&self.root, random))
            .find(|value| self.allows(value))
    }

    /// A value that it does not allow, most often one that is almost right; none where none was found, as for a
    /// schema that allows everything.
    pub fn invalid(&self, random: &mut Random) -> Option<Value> {
        (0..ATTEMPTS)
            .map(|attempt| {
                let mut value = value::generate(&self.root, random);
                // From small damage to great.
                for _ in 0..=attempt / 10 {
                    damage::damage(&mut value, random);
                }
                value
            })
            .find(|value| !self.allows(value))
    }
}

#[cfg(test)]
mod tests;
