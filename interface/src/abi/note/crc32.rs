//! CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), in const context and at run time.
//!
//! Eight bytes are taken per step: the compiler interprets the encoder for each plugin build, and
//! the host checks a whole manifest within its budget for an inspection.

/// `TABLES[k][b]` is the checksum of byte `b` followed by `k` zero bytes.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 0 {
                crc >> 1
            } else {
                (crc >> 1) ^ 0xEDB8_8320
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[table - 1][byte];
            tables[table][byte] = (crc >> 8) ^ tables[0][(crc & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// State to begin with; [`finish`] turns a state into the checksum.
pub(super) const START: u32 = !0;

/// Takes more bytes into the state.
pub(super) const fn update(mut crc: u32, mut bytes: &[u8]) -> u32 {
    while let [a, b, c, d, e, f, g, h, rest @ ..] = bytes {
        let low = crc ^ u32::from_le_bytes([*a, *b, *c, *d]);
        crc = TABLES[7][(low & 0xFF) as usize]
            ^ TABLES[6][(low >> 8 & 0xFF) as usize]
            ^ TABLES[5][(low >> 16 & 0xFF) as usize]
            ^ TABLES[4][(low >> 24) as usize]
            ^ TABLES[3][*e as usize]
            ^ TABLES[2][*f as usize]
            ^ TABLES[1][*g as usize]
            ^ TABLES[0][*h as usize];
        bytes = rest;
    }
    while let [byte, rest @ ..] = bytes {
        crc = (crc >> 8) ^ TABLES[0][((crc ^ *byte as u32) & 0xFF) as usize];
        bytes = rest;
    }
    crc
}

/// The checksum of all bytes that the state has taken.
pub(super) const fn finish(crc: u32) -> u32 {
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vectors_hold() {
        let crc = |bytes: &[u8]| finish(update(START, bytes));
        assert_eq!(crc(b""), 0);
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            crc(b"The quick brown fox jumps over the lazy dog"),
            0x414F_A339
        );
    }

    #[test]
    fn parts_give_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..=255).collect();
        let whole = update(START, &bytes);
        for cut in 0..bytes.len() {
            assert_eq!(update(update(START, &bytes[..cut]), &bytes[cut..]), whole);
        }
    }
}
