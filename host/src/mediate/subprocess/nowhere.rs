//! Where there are no process groups, no program is started: nothing would end what it starts.

use std::pin::Pin;
use std::task::{Context, Poll};

use keyway::{ErrorKind, PluginError, Result};

use super::super::audit::Action;
use super::super::cancel::Cancel;
use super::super::{Mediator, codes, refusal};
use super::request::{RunOutput, RunRequest};

/// A program that runs; there is none on this system.
#[derive(Debug)]
pub struct Running {
    never: std::convert::Infallible,
}

impl Future for Running {
    type Output = Result<RunOutput>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.never {}
    }
}

pub(super) fn run(mediator: &Mediator, request: RunRequest, cancel: &Cancel) -> Result<RunOutput> {
    let shared = &mediator.shared;
    shared.attempt(Action::Run, &request.shown(), || {
        cancel.check()?;
        Err(unsupported())
    })
}

pub(super) fn start(mediator: &Mediator, request: RunRequest) -> Result<Running> {
    let shared = &mediator.shared;
    shared.attempt(Action::Run, &request.shown(), || Err(unsupported()))
}

fn unsupported() -> PluginError {
    refusal::error(
        ErrorKind::Unsupported,
        &codes::UNSUPPORTED_HERE,
        "programs are started on Unix only",
    )
}
