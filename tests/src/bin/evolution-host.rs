//! A host that loads one plugin, calls all that it knows of the codec extension point, and writes
//! what came of it as JSON. The evolution tests run it in both minors.
#![expect(clippy::print_stdout, reason = "its output is what the tests read")]

use codec::{Codec, CodecHandle, Span};
use keyway_host::HostError;
use keyway_tests::host;
use serde_json::{Value, json};

fn main() {
    let plugin = std::env::args_os().nth(1).expect("the path of a plugin");
    let host = host();
    let outcome = host.block_on(async {
        let status = host.load(&plugin).await.map_err(refusal)?;
        let name = "rot13";
        if status.capabilities.is_empty() {
            return Ok(json!({ "speaks_minor": status.interface_minor }));
        }
        let codec = host.capability::<CodecHandle>(name).map_err(refusal)?;
        let (shout, round_trip) = appended_to_the_codec(&codec).await;
        Ok(json!({
            "speaks_minor": status.interface_minor,
            "root_appended": appended_to_the_root(&host, &status.name),
            "plugin": codec.facts().expect("facts").0,
            "encode": codec.encode("Hello").expect("encode"),
            "measure": codec.measure(Span { start: 3, end: 10 }).expect("measure"),
            "decode": codec.decode("Uryyb".to_owned()).await.expect("decode"),
            "shout": shout,
            "round_trip": round_trip,
        }))
    });
    let outcome = outcome.unwrap_or_else(|refused: Value| json!({ "refused": refused }));
    println!("{outcome}");
}

fn refusal(error: HostError) -> Value {
    json!({ "code": error.code(), "message": error.message(), "advice": error.advice() })
}

#[cfg(feature = "next-minor")]
async fn appended_to_the_codec(codec: &CodecHandle) -> (Option<String>, Option<String>) {
    let shout = codec.shout("Hello").expect("shout");
    let round_trip = codec
        .round_trip("Hello".to_owned())
        .await
        .expect("round_trip");
    (Some(shout), Some(round_trip))
}

#[cfg(not(feature = "next-minor"))]
async fn appended_to_the_codec(_: &CodecHandle) -> (Option<String>, Option<String>) {
    (None, None)
}

#[cfg(feature = "next-minor")]
fn appended_to_the_root(host: &keyway_host::Host, plugin: &str) -> Option<String> {
    Some(host.root_appended(plugin).expect("root_appended"))
}

#[cfg(not(feature = "next-minor"))]
fn appended_to_the_root(_: &keyway_host::Host, _: &str) -> Option<String> {
    None
}
