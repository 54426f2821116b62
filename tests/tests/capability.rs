//! An application's own extension point, over a real cdylib: every kind of argument and result.

use image_filter::{ImageFilter, ImageFilterHandle};
use keyway::{Bytes, ErrorKind};
use keyway_tests::{host, plugin};

#[test]
fn every_kind_of_argument_and_result_crosses() {
    let host = host();
    host.block_on(async {
        host.load(plugin("image-filter")).await.expect("it loads");
        let filter = host
            .capability::<ImageFilterHandle>("invert")
            .expect("it is offered");

        let mut pixels = vec![0_u8, 1, 255];
        assert_eq!(filter.apply(&mut pixels, 3).expect("it works"), 3);
        assert_eq!(pixels, [255, 254, 0]);
        assert_eq!(filter.sum(&pixels).expect("it works"), 509);
        let joined = filter.join("a", "b".into(), vec!["c".into(), "d".into()]);
        assert_eq!(joined.expect("it works"), "abcd");
        let described = filter.describe(vec![1, 2]).await.expect("it works");
        assert_eq!(
            (described.0.title.as_str(), &*described.0.sizes),
            ("Invert", &[1, 2][..])
        );
        assert_eq!(
            filter.find(b"haystack", b"st").await.expect("it works"),
            Some(3)
        );
        assert_eq!(
            filter.find(b"haystack", b"xx").await.expect("it works"),
            None
        );
        assert_eq!(filter.sum_twice(&[1, 2]).expect("the default runs"), 6);
        assert_eq!(filter.title().await.expect("the default runs"), "Invert");

        let error = filter
            .apply(&mut pixels, 0)
            .expect_err("a width of 0 makes no sense");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.message(), "width: expected at least 1, found 0");
    });
}

#[test]
fn a_buffer_crosses_both_ways_without_a_copy() {
    let host = host();
    host.block_on(async {
        host.load(plugin("image-filter")).await.expect("it loads");
        let filter = host
            .capability::<ImageFilterHandle>("invert")
            .expect("it is offered");
        let buffer = Bytes::from(vec![7; 1 << 20]);
        let back = filter.pass_through(buffer.clone()).expect("it works");
        assert_eq!(back.as_ptr(), buffer.as_ptr());
        assert_eq!(back, buffer);
    });
}

#[test]
fn a_stream_yields_its_items_and_ends() {
    let host = host();
    host.block_on(async {
        host.load(plugin("image-filter")).await.expect("it loads");
        let filter = host
            .capability::<ImageFilterHandle>("invert")
            .expect("it is offered");
        let mut rows = filter
            .rows(Bytes::from_static(b"abcdef"), 2)
            .expect("it works");
        let mut seen = Vec::new();
        while let Some(row) = rows.next().await {
            seen.push(row.expect("no row fails"));
        }
        assert_eq!(seen, [&b"ab"[..], b"cd", b"ef"]);
    });
}
