"""One JSON object, at full precision."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, cast


def json_text(record: Mapping[str, Any], encoding: str | None) -> str:
    """The record as JSON: no NaN or infinity, which JSON does not have (null instead), and ASCII where it must be."""
    plain_ascii = "utf" not in (encoding or "").lower()
    return json.dumps(_finite(record), indent=2, ensure_ascii=plain_ascii, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in cast("list[Any]", value)]
    return value
