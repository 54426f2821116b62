//! What a tool may be.

use keyway::{Activation, Result, tool};

/// Not async.
#[tool]
fn blocking() -> Result<()> {
    Ok(())
}

#[tool]
async fn undescribed() -> Result<()> {
    Ok(())
}

/// Generic.
#[tool]
async fn generic<T>() -> Result<()> {
    Ok(())
}

/// Changes its state.
#[tool]
async fn changing(state: &mut u8) -> Result<()> {
    *state += 1;
    Ok(())
}

/// Two states.
#[tool]
async fn two_states(one: &u8, two: &u8) -> Result<u8> {
    Ok(*one + *two)
}

/// Two arguments.
#[tool]
async fn two_arguments(one: u8, two: u8) -> Result<u8> {
    Ok(one + two)
}

/// No answer.
#[tool]
async fn silent() {}

/// An unknown option.
#[tool(titel = "Titled")]
async fn titled() -> Result<()> {
    Ok(())
}

struct State;

impl State {
    /// A method.
    #[tool]
    async fn method(&self) -> Result<()> {
        Ok(())
    }
}

/// A struct.
#[tool]
struct NoFunction;

/// Registering tools with mistakes adds no errors of its own.
fn register(activation: &mut Activation) -> Result<()> {
    activation
        .tool::<blocking>()?
        .tool::<undescribed>()?
        .tool::<generic>()?
        .tool_with::<changing>(1)?
        .tool_with::<two_states>(1)?
        .tool::<two_arguments>()?
        .tool::<silent>()?
        .tool::<titled>()?;
    Ok(())
}

fn main() {}
