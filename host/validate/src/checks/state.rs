//! The state that one version hands to the next.

use keyway_host::testing::export_state;

use super::life::reload;
use crate::bench::Bench;
use crate::verdict::Verdict;

pub(super) fn round_trip(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    stand.load()?;
    if stand.manifest.reload.state == keyway_host::manifest::StatePolicy::Reset {
        return Ok(Verdict::skipped(
            "its manifest says that each version begins anew",
        ));
    }
    stand.use_tools(&stand.tools()?)?;
    bench.doing("exporting its state");
    let Some(before) = export_state(&stand.host, &stand.name)? else {
        return Ok(Verdict::skipped("it hands over no state"));
    };
    reload(&stand, 1)?;
    bench.doing("exporting the state of the next version");
    let after = export_state(&stand.host, &stand.name)?;
    stand.stop()?;
    let named = |state: &keyway_host::keyway::State| {
        format!("version {} of state '{}'", state.version(), state.schema())
    };
    let Some(after) = after else {
        return Err(Verdict::failed(format!(
            "it took {} and hands over none itself; expected the same state",
            named(&before)
        )));
    };
    if (before.schema(), before.version()) != (after.schema(), after.version()) {
        return Err(Verdict::failed(format!(
            "it took {} and hands over {}; expected the same",
            named(&before),
            named(&after)
        )));
    }
    if before.bytes() != after.bytes() {
        return Ok(Verdict::warning(format!(
            "the state is another one after it was handed over: expected the same {} bytes of {}, found {} with other \
             content",
            before.bytes().len(),
            named(&before),
            after.bytes().len()
        ))
        .hint("if it has times or random order in it, all is well; else import_state loses something"));
    }
    Ok(Verdict::success(format!(
        "{} bytes of {} came through",
        before.bytes().len(),
        named(&before)
    )))
}
