"""One JSON object, at full precision."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, cast


def json_text(record: Mapping[str, Any], encoding: str | None) -> str:
    """The record as JSON: no NaN or infinity, which JSON does not have (null instead), and ASCII where it must be."""
    plain_ascii = "utf" not in (encoding or "").lower()
    return json.dumps(finite(record), indent=2, ensure_ascii=plain_ascii, allow_nan=False)


def finite(value: Any) -> Any:
    """The value with None in place of each NaN and infinity in it."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in cast("list[Any]", value)]
    return value
