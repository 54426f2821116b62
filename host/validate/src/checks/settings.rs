//! Random configurations.

use keyway_host::{HostErrorKind, config_schema};
use serde_json::{Map, Value};

use super::counted;
use super::hosts::refused_in_order;
use crate::bench::{Bench, Stand};
use crate::generate::Schema;
use crate::tools::shown;
use crate::verdict::Verdict;

/// Each case is a load, so there are fewer than calls of tools.
const SHARE: u64 = 4;

pub(super) fn config(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    if stand.manifest.config.is_empty() {
        return Ok(Verdict::skipped("its manifest declares no settings"));
    }
    let schema = Schema::new(config_schema(&stand.manifest)).map_err(Verdict::failed)?;
    let (mut taken, mut refused, mut by_host) = (0, 0, 0);
    let mut last_reason = None;
    for case in bench.cases(bench.task.cases.div_ceil(SHARE)) {
        let mut random = bench.random(case);
        let is_valid = !random.one_in(3);
        let made = match is_valid {
            true => schema.valid(&mut random),
            false => schema.invalid(&mut random),
        };
        let Some(Value::Object(made)) = made else {
            continue;
        };
        let text = Value::Object(made.clone()).to_string();
        bench.doing_case(case, format!("giving it the settings {}", shown(&text)));
        let tried = try_config(&stand, made, is_valid).map_err(|verdict| {
            verdict
                .detail(format!("settings: {}", shown(&text)))
                .reproduce(bench.reproduce(case))
        })?;
        match tried {
            Tried::Taken => taken += 1,
            Tried::Refused(reason) => {
                refused += 1;
                last_reason = Some(reason);
            }
            Tried::ByHost => by_host += 1,
        }
    }
    bench.cases_done();
    let told = format!(
        "{} taken, {refused} refused by the plugin, {by_host} refused by the host",
        counted(taken, "configuration")
    );
    match last_reason {
        Some(reason) if taken == 0 => Ok(Verdict::warning(format!(
            "none of {} that its manifest allows was taken: {reason}",
            counted(refused, "configuration")
        ))
        .hint("say more of its settings in plugin.toml: enum, min, max")),
        _ => Ok(Verdict::success(told)),
    }
}

enum Tried {
    Taken,
    Refused(String),
    ByHost,
}

fn try_config(
    stand: &Stand<'_>,
    config: Map<String, Value>,
    is_valid: bool,
) -> Result<Tried, Verdict> {
    match stand.load_with(config) {
        Ok(_) => {
            stand.stop()?;
            match is_valid {
                true => Ok(Tried::Taken),
                false => Err(Verdict::failed(
                    "the plugin was loaded with settings that its manifest does not allow; expected that the host \
                     refuses them",
                )),
            }
        }
        Err(error) if error.kind() == HostErrorKind::Config && !is_valid => Ok(Tried::ByHost),
        Err(error) if refused_in_order(&error) && is_valid => {
            Ok(Tried::Refused(error.message().to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}
