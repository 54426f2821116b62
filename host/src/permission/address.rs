//! Which addresses belong to the public internet, and which to the machine and the networks that
//! it stands in.
//!
//! By the special-purpose registries of the IANA. An IPv6 address that carries an IPv4 address is
//! judged by that one, since that is where the packets go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressKind {
    /// Anybody's.
    Public,
    /// Of this machine, or of the network around it; reached only where a grant names it.
    Inner(&'static str),
    /// Never reached.
    Never(&'static str),
}

/// Where clouds tell a machine its credentials. Whoever may read these is that machine, as far as the
/// cloud can see.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// An IPv4 address in IPv6 clothes is the IPv4 address.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => carried(address).map_or(IpAddr::V6(address), IpAddr::V4),
    }
}

/// The kind of an address.
pub(crate) fn kind(address: IpAddr) -> AddressKind {
    let address = canonical(address);
    if METADATA.contains(&address) {
        return AddressKind::Never("an address where clouds hand out credentials");
    }
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> AddressKind {
    use AddressKind::{Inner, Never, Public};
    match address.octets() {
        [0, ..] => Never("of the block of the unspecified address"),
        [127, ..] => Inner("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Inner("a private address"),
        [100, 64..=127, ..] => Inner("an address shared behind a carrier's translation"),
        [169, 254, ..] => Inner("a link-local address"),
        [192, 0, 0, _] => Inner("of a block for protocols"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Inner("of a block for documentation")
        }
        [198, 18..=19, ..] => Inner("of the block for benchmarks"),
        [224..=239, ..] => Never("a multicast address"),
        [240..=255, ..] => Never("of the reserved block"),
        _ => Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> AddressKind {
    use AddressKind::{Inner, Never, Public};
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never("the unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Inner("a loopback address"),
        [0xff00..=0xffff, ..] => Never("a multicast address"),
        [0xfc00..=0xfdff, ..] => Inner("a private address"),
        [0xfe80..=0xfebf, ..] => Inner("a link-local address"),
        [0xfec0..=0xfeff, ..] => Inner("a site-local address"),
        // Of all the rest only 2000::/3 is handed out.
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Inner("of a block for documentation"),
        // With Teredo (2001::/32) among them, whose packets go to where the address does not say.
        [0x2001, 0..=0x01ff, ..] => Inner("of a block for protocols"),
        [0x2000..=0x3fff, ..] => Public,
        _ => Inner("of a block that is not handed out"),
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (::ffff:0:0/96), compatible (::/96),
/// translated (64:ff9b::/96), or of the relays of 6to4 (2002::/16).
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> AddressKind {
        kind(address.parse().expect("an address"))
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "93.184.216.34",
            "1.1.1.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert_eq!(of(address), AddressKind::Public, "{address}");
        }
    }

    #[test]
    fn addresses_of_the_machine_and_its_networks_are_not_in_any_spelling() {
        for address in [
            "127.0.0.1",
            "127.255.0.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.1.1",
            "198.18.0.1",
            "192.0.2.1",
            "192.0.0.8",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "4000::1",
        ] {
            assert!(matches!(of(address), AddressKind::Inner(_)), "{address}");
        }
    }

    #[test]
    fn metadata_multicast_and_unspecified_addresses_are_never_reached() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fd00:ec2::254",
            "100.100.100.200",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "::ffff:0.0.0.0",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "240.0.0.1",
        ] {
            assert!(matches!(of(address), AddressKind::Never(_)), "{address}");
        }
    }
}
