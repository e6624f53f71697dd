//! Java's floating-point numbers as text, both ways.

/// What `Double.valueOf` makes of a text; `None` where it throws. Source: `FloatingDecimal.readJavaFormatString` of the JDK.
pub(super) fn parse(text: &str) -> Option<f64> {
    let text = trimmed(text);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let value = match digits {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        _ if digits.starts_with("0x") || digits.starts_with("0X") => hexadecimal(&digits[2..])?,
        _ => decimal(digits)?,
    };
    Some(if negative { negated(value) } else { value })
}

/// As `Double.toString`, with the fewest digits that mean the same number.
///
/// Differs: Java 8 prints a digit more than needed for a few numbers.
pub(super) fn text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    // At least two digits, the nearest: the smallest number of all is 4.9E-324 and not 5.0E-324.
    let two = format!("{:.1e}", value.abs());
    let shortest = if two.parse() == Ok(value.abs()) { two } else { format!("{:e}", value.abs()) };
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = digits.replace('.', "");
    let (digits, exponent) = (digits.trim_end_matches('0'), exponent.parse::<i32>().unwrap_or(0));
    match exponent {
        _ if digits.is_empty() => format!("{sign}0.0"),
        0..7 => {
            let whole = exponent as usize + 1;
            let padded = format!("{digits:0<whole$}");
            let (whole, rest) = padded.split_at(whole);
            format!("{sign}{whole}.{}", if rest.is_empty() { "0" } else { rest })
        }
        -3..0 => format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
        _ => {
            let (whole, rest) = digits.split_at(1);
            format!("{sign}{whole}.{}E{exponent}", if rest.is_empty() { "0" } else { rest })
        }
    }
}

/// The number with the other sign.
pub(super) fn negated(value: f64) -> f64 {
    f64::from_bits(value.to_bits() ^ (1 << 63))
}

/// The text without what is no larger than a space at its ends, as `String.trim` leaves it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter| letter <= ' ')
}

/// Digits with one point anywhere, an exponent, one letter of type.
fn decimal(text: &str) -> Option<f64> {
    let number = without_type(text);
    let (digits, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], Some(&number[at + 1..])),
        None => (number, None),
    };
    let is_mantissa = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1;
    let is_number = is_mantissa && exponent.is_none_or(is_exponent);
    if is_number { number.parse().ok() } else { None }
}

fn without_type(text: &str) -> &str {
    text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text)
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hexadecimal digits with one point anywhere, then a binary exponent, which may not be missing.
fn hexadecimal(text: &str) -> Option<f64> {
    let number = without_type(text);
    let (digits, exponent) = number.split_once(['p', 'P'])?;
    if !is_exponent(exponent) {
        return None;
    }
    let is_negative = exponent.starts_with('-');
    let exponent = exponent.trim_start_matches(['+', '-']).parse::<i64>().unwrap_or(i64::MAX).min(EXPONENT_MAX);
    let mut exponent = if is_negative { -exponent } else { exponent };
    let (mut mantissa, mut has_rest, mut has_digit, mut is_behind_point) = (0u64, false, false, false);
    for letter in digits.chars() {
        if letter == '.' {
            if is_behind_point {
                return None;
            }
            is_behind_point = true;
            continue;
        }
        let digit = letter.to_digit(16)?;
        has_digit = true;
        let is_full = mantissa >> 60 != 0;
        if is_full {
            has_rest |= digit != 0;
        } else {
            mantissa = mantissa << 4 | u64::from(digit);
        }
        exponent += 4 * (i64::from(is_full) - i64::from(is_behind_point));
    }
    has_digit.then(|| rounded(mantissa, exponent, has_rest))
}

/// `mantissa × 2^exponent` and a little more if something was cut off, to the nearest, to even in the middle.
fn rounded(mantissa: u64, exponent: i64, has_rest: bool) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = i64::from(mantissa.leading_zeros());
    let (mantissa, exponent) = (mantissa << shift, exponent - shift + 63);
    if 1_024 <= exponent {
        return f64::INFINITY;
    }
    // A number below the normal ones has fewer digits.
    let digits = if exponent < -1_022 { 53 - (-1_022 - exponent) } else { 53 };
    if digits < 0 {
        return 0.0;
    }
    let cut = 64 - digits as u32;
    let (kept, rest) = if cut == 64 { (0, mantissa) } else { (mantissa >> cut, mantissa << (64 - cut)) };
    let is_up = match rest.cmp(&(1 << 63)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => has_rest || kept & 1 == 1,
        std::cmp::Ordering::Less => false,
    };
    let kept = kept + u64::from(is_up);
    // A carry out of the digits is one more in the exponent's field, which stands above them.
    let field = if exponent < -1_022 { 0 } else { (exponent + 1_022) as u64 };
    f64::from_bits((field << 52) + kept)
}

/// Larger exponents say nothing more.
const EXPONENT_MAX: i64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_java_reads_them() {
        let read = [
            ("5", 5.0),
            (" 5.5 ", 5.5),
            ("5.", 5.0),
            (".5", 0.5),
            ("+5e1", 50.0),
            ("-5E+1d", -50.0),
            ("5f", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e999999999999", f64::INFINITY),
            ("1e-9999", 0.0),
            ("-0", -0.0),
            ("0x1p3", 8.0),
            ("0X.8p1", 1.0),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1p1024", f64::INFINITY),
            ("0x0.0000000000001p-1022", f64::from_bits(1)),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", f64::from_bits(1)),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000080001p0", 1.0 + f64::EPSILON),
            ("-0x10p0", -16.0),
        ];
        for (text, value) in read {
            assert_eq!(parse(text).map(f64::to_bits), Some(value.to_bits()), "{text}");
        }
        for text in
            ["", " ", "x", "5 5", "5e", "1.2.3", ".", "nan", "inf", "infinity", "5ff", "٣", "0x1", "0xp1", "1_0", "--5"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("NaN").is_some_and(f64::is_nan));
    }

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        let written = [
            (3.25, "3.25"),
            (50.0, "50.0"),
            (0.001, "0.001"),
            (0.000_99, "9.9E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (-1.5e300, "-1.5E300"),
            (f64::MAX, "1.7976931348623157E308"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (f64::from_bits(1), "4.9E-324"),
            (f64::from_bits(4), "2.0E-323"),
            (1e23, "1.0E23"),
            (f64::NEG_INFINITY, "-Infinity"),
            (123_456.75, "123456.75"),
            (100.0, "100.0"),
        ];
        for (value, wanted) in written {
            assert_eq!(text(value), wanted);
        }
    }
}
