//! Copying a file and hashing what was copied, at the same time.
//!
//! The hash of a library takes as long as writing it does. So a larger file is hashed on a second thread,
//! chunk by chunk, while the first goes on reading and writing.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::inspect::{ContentHash, ContentHasher};

/// How much is read, written and hashed at a time: what a core's own cache holds.
const CHUNK: usize = 128 * 1024;

/// How many chunks may be under way: one that is read, one that is written, and two that wait or are hashed.
const CHUNKS: usize = 4;

/// From this size on a second thread is worth its start, which takes some 20 µs.
const WORTH_A_THREAD: u64 = 512 * 1024;

/// Copies all of `source` to `target`; answers the hash of what was written. `size` is how much there
/// seems to be.
pub(super) fn copy(
    source: &mut impl Read,
    target: &mut impl Write,
    size: u64,
) -> io::Result<ContentHash> {
    match size >= WORTH_A_THREAD {
        true => beside(source, target),
        false => in_turns(source, target, ContentHasher::new()),
    }
}

fn in_turns(
    source: &mut impl Read,
    target: &mut impl Write,
    mut hasher: ContentHasher,
) -> io::Result<ContentHash> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&chunk[..read]);
        target.write_all(&chunk[..read])?;
    }
}

/// A part of the file: a buffer, and how much of it counts.
type Chunk = Arc<(Vec<u8>, usize)>;

fn beside(source: &mut impl Read, target: &mut impl Write) -> io::Result<ContentHash> {
    thread::scope(|scope| {
        let (full, chunks) = mpsc::channel();
        let (give_back, hashed) = mpsc::channel();
        let hashing = thread::Builder::new()
            .name("keyway-hash".to_owned())
            .spawn_scoped(scope, move || hash(&chunks, &give_back));
        let Ok(hashing) = hashing else {
            // No thread is to be had, and the file is copied all the same.
            return in_turns(source, target, ContentHasher::new());
        };
        write(source, target, full, &hashed)?;
        match hashing.join() {
            Ok(hash) => Ok(hash),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Reads and writes until the end; the other thread ends when `full` goes.
fn write(
    source: &mut impl Read,
    target: &mut impl Write,
    full: Sender<Chunk>,
    hashed: &Receiver<Chunk>,
) -> io::Result<()> {
    let mut made = 0;
    loop {
        let mut chunk = match made < CHUNKS {
            true => {
                made += 1;
                Arc::new((vec![0; CHUNK], 0))
            }
            false => hashed.recv().map_err(|_| hashing_ended())?,
        };
        // Nobody else has it: it is new, or was given back and is not being written any more.
        let (buffer, length) = Arc::get_mut(&mut chunk).ok_or_else(hashing_ended)?;
        *length = source.read(buffer)?;
        if *length == 0 {
            return Ok(());
        }
        full.send(Arc::clone(&chunk)).map_err(|_| hashing_ended())?;
        let (buffer, length) = &*chunk;
        target.write_all(&buffer[..*length])?;
    }
}

fn hashing_ended() -> io::Error {
    io::Error::other("the thread that hashes the copy has ended")
}

fn hash(chunks: &Receiver<Chunk>, give_back: &Sender<Chunk>) -> ContentHash {
    let mut hasher = ContentHasher::new();
    for chunk in chunks {
        let (buffer, length) = &*chunk;
        hasher.update(&buffer[..*length]);
        // At the end nobody waits for it.
        let _ = give_back.send(chunk);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::hash_bytes;

    /// Bytes that differ from chunk to chunk.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at / 1000 + at) as u8).collect()
    }

    /// Gives a little at a time, and fails where it is to fail.
    struct Trickle<'a> {
        left: &'a [u8],
        fails_at_end: bool,
    }

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left.is_empty() && self.fails_at_end {
                return Err(io::Error::other("the disk is gone"));
            }
            let length = buffer.len().min(70_001);
            self.left.read(&mut buffer[..length])
        }
    }

    #[test]
    fn what_is_copied_is_what_was_read_and_so_is_its_hash() {
        for length in [
            0,
            1,
            CHUNK - 1,
            CHUNK,
            CHUNK + 1,
            CHUNKS * CHUNK,
            9 * CHUNK + 5,
        ] {
            let bytes = bytes(length);
            for size in [0, length as u64, u64::MAX] {
                let mut copied = Vec::new();
                let mut source = Trickle {
                    left: &bytes,
                    fails_at_end: false,
                };
                let hash = copy(&mut source, &mut copied, size).expect("it is copied");
                assert!(copied == bytes, "{length} bytes, said to be {size}");
                assert_eq!(hash, hash_bytes(&bytes));
            }
        }
    }

    #[test]
    fn an_error_of_either_side_ends_it_with_that_error() {
        let bytes = bytes(3 * CHUNK);
        let mut source = Trickle {
            left: &bytes,
            fails_at_end: true,
        };
        let error = copy(&mut source, &mut Vec::new(), u64::MAX).expect_err("it cannot be read");
        assert_eq!(error.to_string(), "the disk is gone");

        let mut full = [0; CHUNK + 7];
        let error = copy(&mut &*bytes, &mut &mut full[..], u64::MAX).expect_err("it is full");
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
