"""Numbers in reports, on pages and in JSON; any float can be printed. Nothing heavy is imported here."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

SURROGATE = re.compile("[\ud800-\udfff]")


def share(error: float) -> str:
    """An error as a share of its bound, rounded down: 1 is shown where the bound is reached, and not before.

    >>> share(0.9999), share(1.8e305), share(float("inf"))
    ('0.999', '1.8e+305', 'inf')
    """
    thousandths = 1000 * _float(error)
    return f"{math.floor(thousandths) / 1000:g}" if math.isfinite(thousandths) else f"{_float(error):g}"


def digits(x: float) -> str:
    """Three significant digits."""
    return f"{_float(x):.3g}"


def percent(x: float, form: str = ".0%") -> str:
    """A share as a percentage; where the percentage would overflow, the share itself."""
    return format(x, form) if math.isfinite(100 * x) or not math.isfinite(x) else digits(x)


def quotient(a: float, b: float) -> float:
    """a / b by IEEE 754: division by 0 gives an infinity or NaN."""
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def _float(x: float) -> float:
    """A number as a float; an integer beyond the range becomes an infinity."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def plain(value: Any) -> Any:
    """A value in types that JSON has; a float that is not finite becomes a string."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def json_text(document: Any) -> str:
    """A document as JSON that any parser reads and any file holds, numbers without an end by their names."""
    text = json.dumps(plain(document), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    # Half a surrogate pair, as in a file name that is no UTF-8, cannot be encoded; escaped, it can.
    return SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
