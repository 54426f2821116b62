//! Random texts: ordinary ones, those that programs tend to stumble over, and those of a format.

use crate::random::Random;

/// What is wrong about a text is seldom its letters.
const PIECES: [&str; 24] = [
    "",
    " ",
    "a",
    "word",
    "two words",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{7f}\u{1b}[2J",
    "ä",
    "e\u{301}",
    "ß",
    "漢字",
    "🦀",
    "👩\u{200d}👩\u{200d}👧",
    "\u{202e}right",
    "\u{feff}",
    "\"",
    "\\",
    "'; --",
    "../..",
    "${HOME}",
    "{}",
];

/// A text with so many characters, as far as a maximum is given.
pub(super) fn text(random: &mut Random, least: usize, most: Option<usize>) -> String {
    let mut text = String::new();
    let pieces = match random.below(20) {
        0 => 0,
        // A long one.
        1 => 200 + random.below(2_000),
        _ => 1 + random.below(4),
    };
    for _ in 0..pieces {
        text.push_str(PIECES[random.below(PIECES.len())]);
    }
    let mut length = text.chars().count();
    while length < least {
        text.push(*random.choose(&['a', 'z', '0', ' ', 'é', '🦀']));
        length += 1;
    }
    match most {
        Some(most) if length > most => text.chars().take(most).collect(),
        _ => text,
    }
}

/// A text of a format; none for those that are not known.
pub(super) fn of_format(format: &str, random: &mut Random) -> Option<String> {
    let (year, month, day) = (
        1900 + random.below(300),
        1 + random.below(12),
        1 + random.below(28),
    );
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    let date = format!("{year:04}-{month:02}-{day:02}");
    let time = format!("{hour:02}:{minute:02}:{second:02}Z");
    let name = *random.choose(&["a", "example", "x-1", "longer-name"]);
    let number = random.draw();
    Some(match format {
        "date" => date,
        "time" | "partial-time" => time,
        "date-time" => format!("{date}T{time}"),
        "duration" => format!("P{day}DT{hour}H"),
        "email" | "idn-email" => format!("{name}@example.org"),
        "hostname" | "idn-hostname" => format!("{name}.example.org"),
        "ipv4" | "ip" => format!("192.0.2.{}", random.below(256)),
        "ipv6" => format!("2001:db8::{:x}", random.below(0xffff)),
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" => {
            format!("https://example.org/{name}?n={number}")
        }
        "uuid" => {
            let hex = format!("{number:016x}{:016x}", random.draw());
            let parts = [
                &hex[..8],
                &hex[8..12],
                &hex[13..16],
                &hex[17..20],
                &hex[20..],
            ];
            let [a, b, c, d, e] = parts;
            format!("{a}-{b}-4{c}-a{d}-{e}")
        }
        "regex" => (*random.choose(&["", "a+", "^[0-9]{2,4}$"])).to_owned(),
        "json-pointer" => format!("/{name}/0"),
        _ => return None,
    })
}
