//! What the file says, and whether the loaded library says the same.

use keyway_host::testing;

use super::counted;
use crate::bench::{Bench, Facts};
use crate::verdict::Verdict;

pub(super) fn inspects(bench: &Bench) -> Result<Verdict, Verdict> {
    bench.doing("inspecting the file");
    let Facts {
        inspection,
        manifest,
        unknown,
    } = bench.facts()?;
    let said = format!(
        "{} v{}, for host {} and newer",
        manifest.id, manifest.version, manifest.min_host_version
    );
    let mut warnings = Vec::new();
    if inspection.nodelete {
        warnings.push("it forbids its unloading (DF_1_NODELETE)".to_owned());
    }
    if inspection.unique_symbols.count > 0 {
        let count = u64::try_from(inspection.unique_symbols.count).unwrap_or(u64::MAX);
        let symbols = counted(count, "unique symbol");
        warnings.push(format!(
            "it has {symbols} (STB_GNU_UNIQUE), which may keep it loaded for ever"
        ));
    }
    warnings.extend(unknown);
    if manifest.description.is_none() {
        warnings.push("its manifest has no description".to_owned());
    }
    match warnings.is_empty() {
        true => Ok(Verdict::success(said)),
        false => Ok(Verdict::warning(warnings.remove(0)).details(warnings)),
    }
}

pub(super) fn contract(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    // Loading compares the manifest in the file with the one in memory, and refuses what is not declared.
    let status = stand.load()?;
    let contract = testing::contract(&stand.host, &stand.name)?;
    if !contract.is_kept() {
        let text = contract.to_string();
        let mut lines = text.lines().map(str::to_owned);
        return Err(Verdict::failed(lines.next().unwrap_or_default())
            .details(lines)
            .hint("register it in activate, or take it out of plugin.toml"));
    }
    let mut warnings = Vec::new();
    for tool in stand.tools()? {
        if tool.spec.name != tool.name {
            return Err(Verdict::failed(format!(
                "the tool that is registered as `{}` calls itself `{}`; expected the same name",
                tool.name, tool.spec.name
            ))
            .hint("register it under the name in its description"));
        }
        if tool.spec.description.trim().is_empty() {
            warnings.push(format!("tool `{}` has no description", tool.name));
        }
    }
    stand.stop()?;
    if !warnings.is_empty() {
        return Ok(Verdict::warning(warnings.remove(0))
            .details(warnings)
            .hint("write a doc comment on the tool's function"));
    }
    let offers = u64::try_from(status.capabilities.len()).unwrap_or(u64::MAX);
    Ok(Verdict::success(match offers {
        0 => "it declares nothing and registers nothing".to_owned(),
        _ => format!(
            "all of {} that it declares",
            counted(offers, "registration")
        ),
    }))
}
