//! Exact decimals with a small range: enough for boundary values of real contracts.

use crate::Number;

/// `digits` times ten to the power of `-scale`: whole numbers and fractions that survive being a double for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    scale: u32,
}

/// Fractions with more significant digits than this are left alone.
const DIGITS: i128 = 1_000_000_000_000_000;
/// So are whole numbers beyond this: a double would not give them back.
const WHOLE: i128 = 1 << 53;

impl Decimal {
    pub(super) fn whole(value: i64) -> Decimal {
        Decimal { digits: value.into(), scale: 0 }
    }

    /// `None` if it has too many digits.
    pub(super) fn new(number: &Number) -> Option<Decimal> {
        let text = number.text();
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].trim_start_matches('+').parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.len() + fraction.len() > 30 || exponent.abs() > 15 {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let shift = fraction.len() as i32 - exponent;
        let (digits, scale) = match u32::try_from(shift) {
            Ok(scale) => (digits, scale),
            Err(_) => (digits.checked_mul(10i128.checked_pow(shift.unsigned_abs())?)?, 0),
        };
        Decimal { digits, scale }.reduced()
    }

    fn reduced(mut self) -> Option<Decimal> {
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        let most = if self.scale == 0 { WHOLE } else { DIGITS };
        (self.digits.abs() <= most && self.scale <= 15).then_some(self)
    }

    fn aligned(self, other: Decimal) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let lift = |d: Decimal| d.digits.checked_mul(10i128.checked_pow(scale - d.scale)?);
        Some((lift(self)?, lift(other)?, scale))
    }

    pub(super) fn plus(self, other: Decimal) -> Option<Decimal> {
        let (a, b, scale) = self.aligned(other)?;
        Decimal { digits: a.checked_add(b)?, scale }.reduced()
    }

    pub(super) fn minus(self, other: Decimal) -> Option<Decimal> {
        self.plus(Decimal { digits: -other.digits, scale: other.scale })
    }

    /// The smallest multiple of `step` that is not below `self`.
    pub(super) fn up_to(self, step: Decimal) -> Option<Decimal> {
        let (value, step, scale) = self.aligned(step)?;
        let below = value.div_euclid(step) * step;
        Decimal { digits: if below == value { value } else { below.checked_add(step)? }, scale }.reduced()
    }

    /// One half: the step from a whole number to one that is not.
    pub(super) fn half() -> Decimal {
        Decimal { digits: 5, scale: 1 }
    }

    /// Is `number` a multiple of `step`? `None` if out of range.
    pub(super) fn remainder(number: &Number, step: &Number) -> Option<bool> {
        let (value, step, _) = Decimal::new(number)?.aligned(Decimal::new(step)?)?;
        (step != 0).then(|| value % step == 0)
    }

    pub(super) fn number(self) -> Option<Number> {
        if self.scale == 0 {
            return Number::new(&self.digits.to_string());
        }
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        Number::new(&format!("{sign}{whole}.{fraction}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::new(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn arithmetic_is_exact() {
        let decimal = |text: &str| Decimal::new(&number(text)).unwrap_or_else(|| panic!("{text} fits"));
        let text = |value: Option<Decimal>| value.and_then(Decimal::number).map(|n| n.text().to_owned());
        assert_eq!(text(decimal("0.1").plus(decimal("0.2"))).as_deref(), Some("0.3"));
        assert_eq!(text(decimal("1").minus(decimal("1.05"))).as_deref(), Some("-0.05"));
        assert_eq!(text(decimal("-7").up_to(decimal("5"))).as_deref(), Some("-5"));
        assert_eq!(text(decimal("0.11").up_to(decimal("0.05"))).as_deref(), Some("0.15"));
        assert_eq!(text(Some(decimal("1.5e3"))).as_deref(), Some("1500"));
        assert_eq!(Decimal::remainder(&number("0.3"), &number("0.1")), Some(true));
        assert_eq!(Decimal::remainder(&number("0.35"), &number("0.1")), Some(false));
        assert!(Decimal::new(&number("1E400")).is_none());
        assert!(Decimal::new(&number("123456789012345678901234567890")).is_none());
    }
}
