//! Functions that a module brings along where it uses them. Their lines are short, and what is broken ends with a comma, so that
//! `ruff format` leaves them as they are whatever the length of a line (from 60 columns on).

/// `_is_integer`. Where it holds, type checkers may compare with numbers, whatever was asked about the value before.
pub(super) const IS_INTEGER: &str = r#"def _is_integer(value: Any) -> TypeGuard[float]:
    if isinstance(value, float):
        return value.is_integer()
    return not isinstance(value, bool) and isinstance(value, int)
"#;

/// `_is_number`
pub(super) const IS_NUMBER: &str = r#"_NUMBERS = (int, float)


def _is_number(value: Any) -> TypeGuard[float]:
    number = isinstance(value, (int, float))
    return number and not isinstance(value, bool)
"#;

/// `_is_multiple`
pub(super) const IS_MULTIPLE: &str = r#"def _is_multiple(
    value: float,
    numerator: int,
    denominator: int,
) -> bool:
    """Is value a multiple of the fraction?

    Exact, for the shortest decimal of a float.
    """
    if isinstance(value, int):
        return value * denominator % numerator == 0
    text = float.__repr__(value)
    digits, _, exponent = text.partition("e")
    whole, _, fraction = digits.partition(".")
    if not whole.lstrip("-").isdigit():
        return False
    power = int(exponent or "0") - len(fraction)
    scale: int = 10 ** abs(power)
    value = int(whole + fraction) * denominator
    if power >= 0:
        return value * scale % numerator == 0
    return value % (numerator * scale) == 0
"#;

/// `_equal`
pub(super) const EQUAL: &str = r#"def _equal(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, but not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict):
        if not isinstance(other, dict):
            return False
        if one.keys() != other.keys():
            return False
        for name, value in one.items():
            if not _equal(value, other[name]):
                return False
        return True
    if isinstance(one, list):
        if not isinstance(other, list):
            return False
        if len(one) != len(other):
            return False
        return all(map(_equal, one, other))
    return bool(one == other)
"#;

/// `_is_among`
pub(super) const IS_AMONG: &str = r#"def _is_among(value: Any, values: list[Any]) -> bool:
    return any(_equal(value, other) for other in values)
"#;

/// `_is_unique`
pub(super) const IS_UNIQUE: &str = r#"def _key(value: Any) -> Any:
    """Equal for equal JSON values, and hashable."""
    if isinstance(value, list):
        return (list, *map(_key, value))
    if isinstance(value, dict):
        keys = {(name, _key(value[name])) for name in value}
        return (dict, frozenset(keys))
    return (isinstance(value, bool), value)


def _is_unique(items: list[Any]) -> bool:
    if len(items) < 2:
        return True
    # What JSON holds for equal Python does too, but not the other way round.
    try:
        if len(set(items)) == len(items):
            return True
    except TypeError:
        rest = items[:32]
        while rest and rest.pop() not in rest:
            pass
        if not rest and len(items) <= 32:
            return True
    return len(set(map(_key, items))) == len(items)
"#;
