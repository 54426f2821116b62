#![allow(missing_docs, clippy::all, clippy::print_stdout)]
use keyway_manifest::*;
fn main() {
    let mut t = String::new();
    use std::io::Read;
    std::io::stdin().read_to_string(&mut t).unwrap();
    let r = if std::env::args().nth(1).unwrap() == "json" {
        Manifest::from_json(&t, "plugin.json")
    } else {
        Manifest::from_toml(&t, "plugin.toml")
    };
    match r {
        Ok(m) => println!("OK {}", m.to_json()),
        Err(e) => println!("{e}"),
    }
}
