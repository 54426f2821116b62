//! The calls after each reload, and what comes of them.

use super::Cycle;
use crate::dev::round::{Answer, Round};
use crate::dev::show::show_called;
use crate::dev::{Call, PANICS, PROBATION};
use crate::ending::Outcome;
use crate::session::tell_panics;
use crate::terminal::Form;

impl Cycle<'_> {
    pub(super) fn start_round(&mut self) -> Outcome {
        if self.round.take().is_some() {
            self.terminal
                .status("Gave up", "calls that were not answered yet");
        }
        let Some(serving) = self.serving.as_ref().filter(|_| !self.calls.is_empty()) else {
            return Ok(());
        };
        let find = |call: &Call| self.session.tool(&call.tool, &serving.status);
        let tools = self.calls.iter().map(find).collect();
        self.rounds += 1;
        let outbox = self.outbox.clone();
        self.round = Some(Round::start(self.rounds, self.calls, tools, outbox)?);
        Ok(())
    }

    pub(super) fn answered(&mut self, answer: Answer) -> Outcome {
        // An answer of a round that was given up may have been on its way.
        let Some(round) = self
            .round
            .as_mut()
            .filter(|round| round.number() == answer.round)
        else {
            return Ok(());
        };
        if round.count() {
            self.round = None;
        }
        let tool = &self.calls[answer.call].tool;
        let before = &mut self.answers[answer.call];
        match answer.result {
            Ok(value) => {
                let remark = match before {
                    None => "",
                    Some(Ok(before)) if *before == value => ": the same answer as before",
                    Some(_) => ": the answer has changed",
                };
                show_called(tool, answer.took, remark, self.terminal);
                self.terminal.json(&value, Form::ForReader)?;
                *before = Some(Ok(value));
                if self.round.is_none() {
                    tell_panics("", self.terminal);
                }
            }
            Err(failure) => {
                self.terminal.failure(&failure);
                *before = Some(Err(failure.headline()));
                tell_panics(&failure.whole(), self.terminal);
                if failure.is_panic() {
                    self.warn_of_rollback();
                }
            }
        }
        Ok(())
    }

    /// Tells once for each new version what further panics lead to.
    fn warn_of_rollback(&mut self) {
        let Some(serving) = self.serving.as_mut().filter(|serving| !serving.warned) else {
            return;
        };
        // As it was at the reload: by now it may be over.
        if let Some(previous) = &serving.status.previous {
            serving.warned = true;
            self.terminal.note(&format!(
                "{PANICS} panics within {} s of a reload bring back the version before, v{previous}",
                PROBATION.as_secs()
            ));
        }
    }

    /// A panic that belongs to a call or to a reload is told with what comes of that.
    pub(super) fn panicked(&self) {
        if self.round.is_none() && !self.reloading {
            tell_panics("", self.terminal);
        }
    }
}
