//! The options of `export_plugin!`.

keyway::export_plugin!();

keyway::export_plugin!(Plugin, name = "x");

struct Plugin;

fn main() {}
