//! Spans drawn from a distribution, in whole numbers: a logarithm and a power of two in fixed point, so that the same draw
//! is the same span on every machine.
//!
//! One draw a span, whatever the shape, so that its ordinal stays its address.

use crate::lab::fault::road::{Shape, Spread};
use crate::mq::time::Span;

/// What to draw below for a span.
pub(crate) const OF: u64 = 1 << 48;

/// No drawn span is longer.
const LONGEST: u64 = 3_600_000_000_000;

/// ln 2 in Q32.
const LN_2: u128 = 2_977_044_472;
/// log2 e in Q32.
const LOG2_E: i128 = 6_196_328_019;
/// The square root of 3 in Q32: what makes a sum of four uniform draws as wide as a normal one.
const SQRT_3: i128 = 7_439_101_574;

/// The span that a draw below [`OF`] picks.
pub(crate) fn pick(spread: &Spread, got: u64) -> Span {
    let over = u128::from(spread.mean.0.saturating_sub(spread.min.0));
    let beyond = match spread.shape {
        Shape::Exponential => (((over * LN_2) >> 32) * u128::from(less_log2(got))) >> 32,
        Shape::LogNormal => {
            // Four uniform numbers of 12 bits each; their sum is nearly normal.
            let sum: i128 = (0..4).map(|part| i128::from(got >> (12 * part) & 0xFFF)).sum();
            let z = ((sum - 2 * 4_095) * SQRT_3) / 4_096;
            // exp(z - 1/2) has the mean 1.
            let power = ((z - (1 << 31)) * LOG2_E) >> 32;
            (over * exp2(power as i64)) >> 32
        }
        Shape::Bimodal => match got < OF / 10 {
            true => over * 10,
            false => 0,
        },
        Shape::Pareto { hundredths } => {
            let alpha = u128::from(hundredths.max(101));
            let scale = over * (alpha - 100) / alpha;
            let power = u128::from(less_log2(got)) * 100 / alpha;
            (scale * exp2(power as i64)) >> 32
        }
    };
    Span(spread.min.0.saturating_add(u64::try_from(beyond).unwrap_or(LONGEST)).min(LONGEST.max(spread.min.0)))
}

/// `-log2((got + 1) / OF)` in Q32.
fn less_log2(got: u64) -> u64 {
    let number = got + 1;
    let whole = number.ilog2();
    // The mantissa in Q62, in [1, 2): each squaring gives one more bit of the logarithm.
    let mut mantissa = u128::from(number) << (62 - whole);
    let mut part = 0_u64;
    for _ in 0..32 {
        mantissa = (mantissa * mantissa) >> 62;
        part <<= 1;
        if mantissa >= 1 << 63 {
            mantissa >>= 1;
            part |= 1;
        }
    }
    (48 << 32) - (u64::from(whole) << 32 | part)
}

/// `2^power` in Q32, of a power in Q32; what is beyond 2^40 is 2^40.
fn exp2(power: i64) -> u128 {
    let whole = power >> 32;
    if whole >= 40 {
        return 1 << 72;
    }
    if whole < -32 {
        return 0;
    }
    let part = (power & 0xFFFF_FFFF) as u64;
    // The product of the roots 2^(1/2), 2^(1/4) … whose bits are set, in Q62.
    let (mut product, mut root) = (1_u128 << 62, 1_u128 << 63);
    for bit in (0..32).rev() {
        root = (root << 62).isqrt();
        if part >> bit & 1 == 1 {
            product = (product * root) >> 62;
        }
    }
    let product = product >> 30;
    if whole < 0 { product >> -whole } else { product << whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::sim::dice::Dice;

    const SHAPES: [Shape; 4] =
        [Shape::Exponential, Shape::LogNormal, Shape::Bimodal, Shape::Pareto { hundredths: 250 }];

    fn drawn(shape: Shape) -> Vec<u64> {
        let spread = Spread { min: Span::from_millis(1), mean: Span::from_millis(11), shape };
        let mut stream = Dice::new(3).stream(&["spread"]);
        (0..100_000).map(|_| pick(&spread, stream.below(OF).got).0).collect()
    }

    #[test]
    fn every_shape_keeps_its_least_and_its_mean() {
        for shape in SHAPES {
            let all = drawn(shape);
            assert!(all.iter().all(|&span| span >= 1_000_000), "{shape:?}");
            let mean = all.iter().sum::<u64>() / all.len() as u64;
            assert!((10_500_000..11_500_000).contains(&mean), "{shape:?}: {mean}");
        }
    }

    #[test]
    fn the_shapes_are_told_apart_by_their_tails() {
        let share = |shape, over: u64| drawn(shape).iter().filter(|&&span| span > over).count();
        // Of an exponential one e^-1 and e^-5 are beyond the mean and five times it.
        assert!((36_000..37_500).contains(&share(Shape::Exponential, 11_000_000)));
        assert!((550..800).contains(&share(Shape::Exponential, 51_000_000)));
        assert!((30_000..32_000).contains(&share(Shape::LogNormal, 11_000_000)));
        assert!((9_700..10_300).contains(&share(Shape::Bimodal, 100_000_000)));
        let heavy = Shape::Pareto { hundredths: 150 };
        assert!(share(heavy, 101_000_000) > 10 * share(Shape::Exponential, 101_000_000).max(10));
    }

    #[test]
    fn the_rarest_draws_stay_in_bounds() {
        for shape in SHAPES.into_iter().chain([Shape::Pareto { hundredths: 110 }]) {
            let spread = Spread { min: Span::ZERO, mean: Span::from_secs(100), shape };
            for got in [0, 1, OF - 2, OF - 1] {
                assert!(pick(&spread, got).0 <= LONGEST, "{shape:?} {got}");
            }
        }
        assert_eq!(less_log2(OF - 1), 0);
        assert_eq!(less_log2(OF / 2 - 1), 1 << 32);
        assert_eq!((exp2(0), exp2(1 << 32), exp2(-1 << 32)), (1 << 32, 1 << 33, 1 << 31));
    }
}
