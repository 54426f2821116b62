//! Hosts that are other than the plugin's author has seen them: older, newer, and with less to give.

use std::collections::BTreeSet;

use keyway_host::manifest::kind_key;
use keyway_host::testing::HostTable;

use super::counted;
use crate::bench::Bench;
use crate::grant::GrantLevel;
use crate::verdict::Verdict;

pub(super) fn unknown_capability(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    stand.load()?;
    let offered = stand.host.capabilities();
    let own = offered.iter().filter(|one| kind_key(&one.id).is_none());
    let own: BTreeSet<String> = own.map(|one| format!("{}/{}", one.id, one.major)).collect();
    stand.stop()?;
    if own.is_empty() {
        return Ok(Verdict::skipped(
            "it offers nothing but extension points of Keyway",
        ));
    }
    let own: Vec<String> = own.into_iter().collect();
    Ok(Verdict::success(format!(
        "loaded without knowing {}",
        own.join(", ")
    )))
}

pub(super) fn older(bench: &Bench) -> Result<Verdict, Verdict> {
    with_table(bench, HostTable::Older)
}

pub(super) fn newer(bench: &Bench) -> Result<Verdict, Verdict> {
    with_table(bench, HostTable::Newer)
}

fn with_table(bench: &Bench, table: HostTable) -> Result<Verdict, Verdict> {
    let stand = bench.stand_with(bench.task.grant, |builder| builder.host_table(table))?;
    let loaded = stand.load_with(stand.config.clone());
    if let Err(error) = &loaded
        && table == HostTable::Older
        && !stand.manifest.permissions.is_empty()
        && refused_in_order(error)
    {
        // What it needs is among the methods that are missing, and it says so.
        return Ok(Verdict::success(format!(
            "it does not start there, and says why: {}",
            error.message()
        )));
    }
    loaded?;
    let answers = stand.use_tools(&stand.tools()?)?;
    stand.host.block_on(stand.host.health_check(&stand.name))?;
    stand.stop()?;
    Ok(Verdict::success(match answers {
        0 => "it starts and ends there".to_owned(),
        answers => format!(
            "it starts there, and {} came",
            counted(answers.into(), "answer")
        ),
    }))
}

pub(super) fn denied(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand_with(GrantLevel::None, |builder| builder)?;
    if stand.manifest.permissions.is_empty() {
        return Ok(Verdict::skipped("it asks for no permissions"));
    }
    let loaded = stand.load_with(stand.config.clone());
    match loaded {
        Ok(_) => {
            let tools = stand.tools()?;
            stand.use_tools(&tools)?;
            bench.doing("asking for its health");
            // It may well say that it is ill.
            let ill = stand
                .host
                .block_on(stand.host.health_check(&stand.name))
                .err();
            if let Some(error) = ill.filter(|error| !refused_in_order(error)) {
                return Err(error.into());
            }
            stand.stop()?;
            Ok(Verdict::success("it runs without what it asks for"))
        }
        Err(error) if refused_in_order(&error) => Ok(Verdict::success(format!(
            "it does not start without what it asks for, and says why: {}",
            error.message()
        ))),
        Err(error) => Err(error.into()),
    }
}

/// Whether an error is the plugin's own answer, and no panic and no deadline.
pub(super) fn refused_in_order(error: &keyway_host::HostError) -> bool {
    use keyway_host::keyway::ErrorKind;
    let bad = [ErrorKind::Panicked, ErrorKind::DeadlineExceeded];
    let own = error.plugin_error();
    own.is_some_and(|error| !bad.contains(&error.kind()))
}
