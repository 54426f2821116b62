//! Types of tools that do not go over JSON.

use keyway::{Activation, Result, tool};

pub struct Input;

/// Takes what is no data.
#[tool]
async fn takes(input: Input) -> Result<()> {
    drop(input);
    Ok(())
}

/// Answers what is no data.
#[tool]
async fn answers() -> Result<Input> {
    Ok(Input)
}

/// Answers without a result.
#[tool]
async fn bare() -> u32 {
    1
}

/// Takes a state.
#[tool]
async fn count(counter: &u32) -> Result<u32> {
    Ok(*counter)
}

fn register(activation: &mut Activation) -> Result<()> {
    activation.tool::<count>()?.tool::<Input>()?;
    Ok(())
}

fn main() {}
