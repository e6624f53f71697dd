use proptest::prelude::*;

use super::bloom;
use super::error::Unanswered;
use super::sql::Sql;
use super::tag::Subscription;

#[track_caller]
fn refused(text: &str) -> String {
    Sql::compile(text).expect_err("no condition").to_string()
}

#[test]
fn an_error_names_the_column_and_the_way_out() {
    let cases = [
        ("a > 5 AND b = \"x\"", "column 15: `\"` means nothing here; texts stand between two `'`"),
        ("城市 = '北京'", "column 1: `城` means nothing here; outside of texts only ASCII letters are read"),
        ("x = '北京' AND a != 1", "column 16: `!` means nothing here; `<>` means not equal, NOT means not"),
        (
            "a == 5",
            "column 4: `=` cannot stand here; wanted: NOT, TRUE, FALSE, NULL, a number, a number with a point, a text, a property, `(`, `-`; equality is one `=`",
        ),
        ("a IN (1)", "column 7: `1` cannot stand here; wanted: a text; IN takes texts between two `'`, numbers too"),
        ("a IS TRUE", "column 6: `TRUE` cannot stand here; wanted: NOT; write `= TRUE` and `= FALSE`"),
        ("b = 1 AND a = NULL", "column 15: nothing equals NULL; write IS NULL or IS NOT NULL"),
        ("a BETWEEN 5 AND 1", "column 11: nothing lies between 5 and 1; the smaller end comes first"),
        ("a = 'x", "column 5: this text has no end; close it with `'`, and write a quote inside of it twice"),
        ("a = 0.0", "column 5: 0.0 is no number above 0 that fits a double; write 0 for zero"),
        (
            "(a > 1",
            "column 7: the end cannot stand here; wanted: NOT, AND, OR, BETWEEN, IN, IS, `=`, `<>`, `>`, `>=`, `<`, `<=`, `)`",
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(refused(text), wanted, "{text}");
    }
}

#[test]
fn what_is_not_read_is_told() {
    let unread = |text| Sql::compile(text).expect("a condition").unread();
    assert_eq!(unread("a > 5"), None);
    assert_eq!(unread("a > 5 garbage"), Some(7));
    assert_eq!(unread("a > 007"), Some(6));
    assert_eq!(unread("a > 5 /* said */ -- all\n"), None);
}

#[test]
fn depth_is_bounded_and_length_is_not() {
    for text in ["(", "-", "NOT ", "+", "+(", "NOT ("].map(|begin| begin.repeat(100_000)) {
        assert!(refused(&text).contains("levels deep"), "{}", &text[..8]);
    }
    assert!(refused(&format!("a{}", " = a".repeat(100_000))).contains("levels deep"));
    let doubling = format!("{}a{} BETWEEN 'x' AND 2", "-(".repeat(60), " BETWEEN 1 AND 2)".repeat(60));
    let doubling = doubling.replace(" BETWEEN 'x' AND 2", " IN ('x')");
    assert!(refused(&doubling).contains("IN follows the name of a property"));
    let row = Sql::compile(&format!("a = '0'{}", " OR a = '1'".repeat(10_000))).expect("a condition");
    assert_eq!(row.answer(&|_| Some("1")), Ok(Some(true)));
    let near = format!("{}TRUE{}", "(".repeat(127), ")".repeat(127));
    assert!(Sql::compile(&near).expect("a condition").passes(&|_| None));
}

#[test]
fn a_group_s_bits_are_those_of_the_release() {
    let shape = bloom::Shape::default();
    assert_eq!((shape.positions, shape.bits), (3, 112));
    assert_eq!(shape.positions("GroupA", "TopicTest"), [105, 17, 70]);
    let mut map = shape.empty();
    let (one, two) = (shape.positions("billing", "orders"), shape.positions("stock", "orders"));
    bloom::set(&mut map, &one);
    assert!(bloom::is_hit(&map, &one));
    assert!(!bloom::is_hit(&map, &two));
    assert!(!bloom::is_hit(&[], &one));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", value in "\\PC*") {
        let _ = Subscription::tags(Some(&text));
        if let Ok(sql) = Sql::compile(&text) {
            let _ = sql.answer(&|_| Some(&value)).map_err(|error| error.to_string());
        }
    }

    #[test]
    fn no_words_make_it_panic(
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..24),
        value in prop::sample::select(&["", "5", "-1", "5.5", "true", "x", "NaN", "0x1p3"][..]),
    ) {
        let text = words.join(" ");
        match Sql::compile(&text) {
            Ok(sql) => {
                let one = sql.answer(&|_| Some(value));
                prop_assert_eq!(sql.answer(&|_| Some(value)), one);
                prop_assert!(!matches!(sql.answer(&|_| None), Err(Unanswered::TextsByOrder(..))), "nothing is there");
            }
            Err(error) => prop_assert!(0 < error.column && error.column <= text.chars().count() + 1),
        }
    }
}

const WORDS: [&str; 34] = [
    "a",
    "b",
    "5",
    "5L",
    "2.5",
    "3000000000",
    "'x'",
    "'5'",
    "TRUE",
    "FALSE",
    "NULL",
    "NOT",
    "AND",
    "OR",
    "BETWEEN",
    "IN",
    "IS",
    "IS NULL",
    "IS NOT NULL",
    "=",
    "<>",
    ">",
    ">=",
    "<",
    "<=",
    "(",
    ")",
    ",",
    "+",
    "-",
    "IN ('x', '5')",
    "BETWEEN 1 AND 5",
    "/* c */",
    "é",
];

/// Worked out by the release's own formula on a Java machine: the error rate, the positions, then the bits for each number.
#[test]
fn the_shape_of_bit_maps_is_the_releases_for_every_error_rate() {
    let filters = [1, 2, 3, 7, 16, 31, 32, 33, 64, 100, 128, 1_000, 1_024, 65_536, 1_000_000];
    let rows = include_str!("../../../tests/golden/bloom.tsv");
    assert_eq!(rows.lines().count(), 99);
    for row in rows.lines() {
        let numbers: Vec<i32> = row.split('\t').map(|number| number.parse().expect("a number")).collect();
        for (filters, bits) in filters.iter().zip(&numbers[2..]) {
            let shape = bloom::Shape::by_fn(numbers[0], *filters);
            assert_eq!((shape.positions, shape.bits), (numbers[1], *bits), "{row}: {filters}");
        }
    }
}
