//! Calls that are cut short, or made from several threads at once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use serde_json::Value;

use super::counted;
use super::life::{can_unload, from_threads};
use crate::bench::{Bench, Stand};
use crate::tools::Tool;
use crate::verdict::Verdict;

/// The most polls before a call is dropped.
const POLLS: u64 = 8;

pub(super) fn panics(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    stand.load()?;
    bench.doing("asking for its health");
    stand.host.block_on(stand.host.health_check(&stand.name))?;
    let tools = stand.tools()?;
    from_threads(&stand, &tools)?;
    bench.doing("asking for its health after calls from several threads");
    stand.host.block_on(stand.host.health_check(&stand.name))?;
    let status = stand.host.plugin(&stand.name)?;
    if status.panics > 0 {
        return Err(Verdict::failed(format!(
            "{} contained by the host; expected none",
            match status.panics {
                1 => "1 panic was".to_owned(),
                panics => format!("{panics} panics were"),
            }
        ))
        .hint("answer errors instead of panicking"));
    }
    stand.stop()?;
    Ok(Verdict::success(
        "nothing panicked, and it is as well as before",
    ))
}

/// A call that has begun, on its way to be dropped.
type Begun = Pin<Box<dyn Future<Output = keyway_host::keyway::Result<Value>> + Send>>;

/// Begins a call with an input of a case, and polls it so many times; none once it has ended.
fn begin(
    bench: &Bench,
    stand: &Stand<'_>,
    tool: &Tool,
    case: u64,
    polls: u64,
) -> Result<Option<Begun>, Verdict> {
    let mut random = bench.random(case);
    let Some(input) = tool.schema.valid(&mut random) else {
        return Ok(None);
    };
    let text = input.to_string();
    bench.doing_case(
        case,
        format!(
            "{} and dropping it after {}",
            tool.calling(&text),
            counted(polls, "poll")
        ),
    );
    let client = tool.client.clone();
    let mut call: Begun = Box::pin(async move { client.call(input).await });
    // The host's clock, for the deadline.
    let poll = |call: &mut Begun| {
        let mut poll = None;
        stand.host.block_on(std::future::poll_fn(|_| {
            let mut context = Context::from_waker(Waker::noop());
            poll = Some(call.as_mut().poll(&mut context));
            Poll::Ready(())
        }));
        poll
    };
    for _ in 0..polls {
        if let Some(Poll::Ready(answer)) = poll(&mut call) {
            tool.heard(answer, &text)
                .map_err(|verdict| verdict.reproduce(bench.reproduce(case)))?;
            return Ok(None);
        }
    }
    Ok(Some(call))
}

pub(super) fn cancel(bench: &Bench) -> Result<Verdict, Verdict> {
    drop_calls(bench, false)
}

pub(super) fn drop_elsewhere(bench: &Bench) -> Result<Verdict, Verdict> {
    drop_calls(bench, true)
}

/// Begins calls on threads that end, and drops each: there, or on this thread when that one has ended.
fn drop_calls(bench: &Bench, elsewhere: bool) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    let tools = stand.load_for_tools()?;
    let number = tools.len() as u64;
    let (mut dropped, mut ended) = (0, 0);
    for case in bench.cases(POLLS * number) {
        let at = usize::try_from(case % number).unwrap_or(0);
        let (tool, polls) = (&tools[at], case / number);
        let thread = || -> Result<(bool, Option<Begun>), Verdict> {
            let begun = begin(bench, &stand, tool, case, polls)?;
            // What is not given back is dropped here.
            Ok((begun.is_some(), begun.filter(|_| elsewhere)))
        };
        let begun = std::thread::scope(|scope| scope.spawn(thread).join());
        let begun = begun.map_err(|_| Verdict::failed("a thread of the check has panicked"))?;
        let (was_pending, call) = begun?;
        drop(call);
        match was_pending {
            true => dropped += 1,
            false => ended += 1,
        }
        bench
            .no_panic()
            .map_err(|verdict| verdict.reproduce(bench.reproduce(case)))?;
    }
    bench.cases_done();
    stand.use_tools(&tools)?;
    bench.doing("asking for its health");
    stand.host.block_on(stand.host.health_check(&stand.name))?;
    let threads = stand.host.plugin(&stand.name)?.threads;
    drop(tools);
    stand.stop()?;
    if can_unload() {
        stand.unloaded(&threads)?;
    }
    Ok(Verdict::success(format!(
        "{} dropped on the way, {ended} ended before",
        counted(dropped, "call")
    )))
}
