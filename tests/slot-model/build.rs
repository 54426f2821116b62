//! Switches the slot's source to loom's primitives for this crate alone, so that the models are
//! ordinary tests of the workspace and need no `RUSTFLAGS`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(keyway_loom)");
    println!("cargo::rustc-cfg=keyway_loom");
}
