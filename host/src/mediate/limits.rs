//! How much a plugin may ask for.

use std::num::NonZeroU32;
use std::time::Duration;

/// How often something may be asked for: some at once, and then so many per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many are allowed per second in the long run.
    pub per_second: NonZeroU32,
    /// How many may come at once after a pause.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A rate; of a number that is zero, one is made.
    pub const fn new(per_second: u32, burst: u32) -> Self {
        const fn at_least_one(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        Rate {
            per_second: at_least_one(per_second),
            burst: at_least_one(burst),
        }
    }
}

/// The limits on what one plugin asks of the host. The defaults are for plugins that do their work
/// in the background of an application; none of them is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest file that is read or written, in bytes. Default: 16 MiB.
    pub max_file_bytes: u64,
    /// How often files are read and written; `None` for no limit. Default: 200 per second, 400 at once.
    pub file_rate: Option<Rate>,
    /// How often environment variables are read. Default: 100 per second, 200 at once.
    pub env_rate: Option<Rate>,

    /// The largest body that is sent, in bytes. Default: 4 MiB.
    pub max_request_bytes: u64,
    /// The largest body that is received, in bytes. Default: 16 MiB.
    pub max_response_bytes: u64,
    /// How long a request may take with all its redirects. A request can ask for less. Default: 30 s.
    pub request_timeout: Duration,
    /// How many redirects are followed. Default: 5.
    pub max_redirects: u32,
    /// How many requests run at a time. Default: 4.
    pub max_requests: usize,
    /// How often requests are sent. Default: 10 per second, 20 at once.
    pub request_rate: Option<Rate>,

    /// The most that a program may write to each of its outputs, in bytes. Default: 4 MiB.
    pub max_output_bytes: u64,
    /// The most that a program gets as its input, in bytes. Default: 4 MiB.
    pub max_input_bytes: u64,
    /// How long a program may run. A request can ask for less. Default: 30 s.
    pub run_timeout: Duration,
    /// How many programs run at a time. Default: 4.
    pub max_programs: usize,
    /// How often programs are started. Default: 2 per second, 8 at once.
    pub run_rate: Option<Rate>,

    /// The longest key of the key-value store, in bytes. Default: 512.
    pub max_key_bytes: usize,
    /// The largest value, in bytes. Default: 1 MiB.
    pub max_value_bytes: usize,
    /// The most that the plugin stores, keys and values together, in bytes. Default: 64 MiB.
    pub max_store_bytes: u64,
    /// How often the store is read and written. Each write is one that waits for the disk. Default:
    /// 200 per second, 400 at once.
    pub kv_rate: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_file_bytes: 16 << 20,
            file_rate: Some(Rate::new(200, 400)),
            env_rate: Some(Rate::new(100, 200)),
            max_request_bytes: 4 << 20,
            max_response_bytes: 16 << 20,
            request_timeout: Duration::from_secs(30),
            max_redirects: 5,
            max_requests: 4,
            request_rate: Some(Rate::new(10, 20)),
            max_output_bytes: 4 << 20,
            max_input_bytes: 4 << 20,
            run_timeout: Duration::from_secs(30),
            max_programs: 4,
            run_rate: Some(Rate::new(2, 8)),
            max_key_bytes: 512,
            max_value_bytes: 1 << 20,
            max_store_bytes: 64 << 20,
            kv_rate: Some(Rate::new(200, 400)),
        }
    }
}
