"""Idempotency keys, as client and provider understand them; knows neither HTTP nor files."""

import hashlib
import re

# A key is a header and a path segment: what either would bend or refuse is not a key.
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def is_key(text: str) -> bool:
    """Whether `text` can be an idempotency key: 1 to 128 of letters, digits and `._:-`."""
    return _KEY.fullmatch(text) is not None


def reference(prefix: str, key: str) -> str:
    """The provider's reference for what happened under `key`; the same again after a restart."""
    return f"{prefix}_{hashlib.sha256(f'{prefix}:{key}'.encode()).hexdigest()[:20]}"
