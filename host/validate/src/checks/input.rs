//! Random input of tools.

use keyway_host::keyway::ErrorKind;
use keyway_host::keyway::tool::Tool as _;
use serde_json::Value;

use super::{counted, is_valid_case};
use crate::bench::Bench;
use crate::random::Random;
use crate::tools::{Heard, Tool};
use crate::verdict::Verdict;

/// How many inputs of each kind there were.
#[derive(Debug, Default)]
struct Tally {
    answered: u64,
    refused: u64,
    /// Of these, how many for what the plugin was not granted, which says nothing of the input.
    denied: u64,
    /// That the schema does not allow, and the host did not let through.
    kept_out: u64,
    /// The same given past the host, and answered.
    let_in: u64,
    /// Of which there is none, in either way.
    none: u64,
}

pub(super) fn tool_input(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    let tools = stand.load_for_tools()?;
    let mut tallies: Vec<Tally> = tools.iter().map(|_| Tally::default()).collect();
    let number = tools.len() as u64;
    let mut why = String::new();
    for case in bench.cases(bench.task.cases * number) {
        // One after the other, so that the number of a case says which tool it is for.
        let at = usize::try_from(case % number).unwrap_or(0);
        let (tool, tally) = (&tools[at], &mut tallies[at]);
        let mut random = bench.random(case);
        let done = match is_valid_case(&mut random) {
            true => valid(bench, &stand.host, tool, &mut random, case, tally, &mut why),
            false => invalid(bench, &stand.host, tool, &mut random, case, tally),
        };
        done.map_err(|verdict| verdict.reproduce(bench.reproduce(case)))?;
    }
    bench.cases_done();
    stand.stop()?;
    Ok(summary(&tools, &tallies, &why))
}

fn valid(
    bench: &Bench,
    host: &keyway_host::Host,
    tool: &Tool,
    random: &mut Random,
    case: u64,
    tally: &mut Tally,
    why: &mut String,
) -> Result<(), Verdict> {
    let Some(input) = tool.schema.valid(random) else {
        tally.none += 1;
        return Ok(());
    };
    let text = input.to_string();
    bench.doing_case(case, tool.calling(&text));
    match tool.heard(host.block_on(tool.client.call(input)), &text)? {
        Heard::Answer => tally.answered += 1,
        Heard::Refused(error) => {
            tally.refused += 1;
            match error.kind() {
                ErrorKind::Denied => tally.denied += 1,
                _ => error.message().clone_into(why),
            }
        }
    }
    Ok(())
}

fn invalid(
    bench: &Bench,
    host: &keyway_host::Host,
    tool: &Tool,
    random: &mut Random,
    case: u64,
    tally: &mut Tally,
) -> Result<(), Verdict> {
    let Some(input) = tool.schema.invalid(random) else {
        // A schema that allows everything.
        return Ok(());
    };
    let text = input.to_string();
    bench.doing_case(case, tool.calling(&text));
    match host.block_on(tool.client.call(input)) {
        Err(error) if error.kind() == ErrorKind::InvalidInput => tally.kept_out += 1,
        answer => {
            let found =
                answer.map_or_else(|error| error.kind().to_string(), |_| "an answer".to_owned());
            return Err(Verdict::failed(format!(
                "tool `{}` was called with what its schema does not allow: expected invalid-input, found {found}",
                tool.name
            ))
            .detail(format!("input: {text}")));
        }
    }
    if let Heard::Answer = tool.heard_text(host.block_on(tool.handle.call(text.clone())), &text)? {
        tally.let_in += 1;
    }
    Ok(())
}

fn summary(tools: &[Tool], tallies: &[Tally], why: &str) -> Verdict {
    let sum = |of: fn(&Tally) -> u64| tallies.iter().map(of).sum::<u64>();
    let told = format!(
        "{} answered, {} refused by the tool, {} by the host",
        counted(sum(|tally| tally.answered), "input"),
        sum(|tally| tally.refused),
        sum(|tally| tally.kept_out)
    );
    let each = tools.iter().zip(tallies);
    let mut tried = each.clone();
    let nothing = tried.find(|(_, tally)| tally.answered == 0 && tally.refused > tally.denied);
    if let Some((tool, tally)) = nothing {
        return Verdict::warning(format!(
            "tool `{}` answered none of {} that its schema allows: {why}",
            tool.name,
            counted(tally.refused, "input")
        ))
        .hint("say more in the schema, such as enum, minimum or maxLength, if that is what it refuses");
    }
    let untried = each
        .clone()
        .find(|(_, tally)| tally.answered + tally.refused == 0 && tally.none > 0);
    if let Some((tool, _)) = untried {
        return Verdict::warning(format!(
            "no input was found that the schema of tool `{}` allows",
            tool.name
        ))
        .hint("a pattern or a condition in it may be beyond what is generated; test it in the crate's own tests");
    }
    let mut verdict = Verdict::success(told);
    let denied = sum(|tally| tally.denied);
    if denied > 0 {
        verdict = verdict.detail(format!(
            "{denied} were refused for what the plugin is not granted; --grant all grants what it asks for"
        ));
    }
    match sum(|tally| tally.let_in) {
        0 => verdict,
        more => verdict.detail(format!(
            "{} that the schema does not allow would be answered; the host does not let them through",
            counted(more, "input")
        )),
    }
}

pub(super) fn tool_garbage(bench: &Bench) -> Result<Verdict, Verdict> {
    let stand = bench.stand()?;
    let tools = stand.load_for_tools()?;
    let number = tools.len() as u64;
    let (mut refused, mut answered) = (0, 0);
    for case in bench.cases(bench.task.cases * number) {
        let tool = &tools[usize::try_from(case % number).unwrap_or(0)];
        let mut random = bench.random(case);
        let text = garbage(tool, &mut random, case / number);
        bench.doing_case(case, tool.calling(&text));
        let answer = stand.host.block_on(tool.handle.call(text.clone()));
        let heard = tool
            .heard_text(answer, &text)
            .map_err(|verdict| verdict.reproduce(bench.reproduce(case)))?;
        match heard {
            Heard::Answer => answered += 1,
            Heard::Refused(_) => refused += 1,
        }
    }
    bench.cases_done();
    bench.doing("asking for its health");
    stand.host.block_on(stand.host.health_check(&stand.name))?;
    stand.stop()?;
    Ok(Verdict::success(format!(
        "{} refused, {answered} answered",
        counted(refused, "text")
    )))
}

/// A text that no host would give to a tool: the well-known ones first, and damaged arguments after them.
fn garbage(tool: &Tool, random: &mut Random, round: u64) -> String {
    let known: [&str; 14] = [
        "",
        " ",
        "null",
        "[]",
        "{",
        "}",
        "\"",
        "{\"a\":1}{",
        "{\"a\":1,\"a\":2}",
        "1e999999",
        "\"\\ud800\"",
        "\u{feff}{}",
        "\0",
        "-",
    ];
    if let Some(text) = usize::try_from(round)
        .ok()
        .and_then(|round| known.get(round))
    {
        return (*text).to_owned();
    }
    match random.below(6) {
        0 => "[".repeat(1 + random.below(20_000)),
        1 => "{\"a\":".repeat(1 + random.below(20_000)),
        2 => format!("\"{}\"", "x".repeat(random.below(200_000))),
        _ => {
            let input = tool.schema.valid(random).unwrap_or(Value::Null);
            damaged(&input.to_string(), random)
        }
    }
}

/// A text with some of its characters changed, missing or doubled.
fn damaged(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(characters.len());
        match random.below(3) {
            _ if characters.is_empty() => characters.push('{'),
            0 => drop(characters.remove(at)),
            1 => characters[at] = *random.choose(&['"', '{', ']', ',', '\0', '9', 'é']),
            _ => {
                let rest = characters.split_off(at);
                characters.truncate(at);
                characters.extend(rest.iter().rev());
            }
        }
    }
    characters.into_iter().collect()
}
