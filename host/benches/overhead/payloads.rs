//! What the size of arguments and results costs.

use keyway::{Json, Result};
use keyway_host::ToolClient;
use serde_json::json;

use crate::calls::{Calls, CallsHandle};
use crate::finish::finish;
use crate::measure::{Effort, alone, pair};
use crate::report::Row;
use crate::sync::chain;

const SIZES: [(&str, usize); 3] = [("64 B", 64), ("4 KiB", 4 << 10), ("1 MiB", 1 << 20)];

pub(crate) fn rows(effort: Effort, handle: &CallsHandle, tool: &ToolClient) -> Vec<Row> {
    let mut rows = Vec::new();
    let budget = Some(1.2);
    by_size(effort, &mut rows, "in, &[u8]", budget, |size| {
        let data = vec![7; size];
        move |_| handle.take(&data)
    });
    by_size(effort, &mut rows, "out, Bytes", budget, |size| {
        move |_| Ok(handle.give(size as u64)?.len() as u64)
    });
    by_size(effort, &mut rows, "in, Vec<u8> (copied)", None, |size| {
        let data = vec![7; size];
        move |_| handle.take_vec(data.clone())
    });
    by_size(effort, &mut rows, "in, Json<String>", None, |size| {
        let data = "x".repeat(size);
        move |_| handle.take_json(Json(data.clone()))
    });
    by_size(effort, &mut rows, "tool call with JSON", None, |size| {
        let arguments = json!({ "text": "x".repeat(size) });
        move |_| Ok(finish(tool.call(arguments.clone()))?.as_u64().unwrap_or(0))
    });
    rows
}

/// One row per size, the larger ones against the smallest.
fn by_size<F: FnMut(u64) -> Result<u64>>(
    effort: Effort,
    rows: &mut Vec<Row>,
    what: &str,
    budget: Option<f64>,
    call: impl Fn(usize) -> F,
) {
    let mut small = call(SIZES[0].1);
    let mut smallest = |calls: u64| chain(calls, |a, _| small(a));
    for (index, (label, size)) in SIZES.into_iter().enumerate() {
        let what = format!("{what}: {label}");
        if index == 0 {
            rows.push(Row::time(&what, alone(effort, &mut smallest)));
            continue;
        }
        let mut call = call(size);
        let measured = pair(effort, &mut smallest, &mut |calls| {
            chain(calls, |a, _| call(a));
        });
        let row = Row::against(&what, measured);
        rows.push(match budget {
            Some(limit) if index == SIZES.len() - 1 => row.budget(
                &format!("<= {limit}x of 64 B"),
                measured.ratio.median <= limit,
            ),
            _ => row,
        });
    }
}
