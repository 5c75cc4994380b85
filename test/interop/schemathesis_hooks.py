"""What schemathesis does not know of this API (SCHEMATHESIS_HOOKS, in .ci/run)."""

from uuid import uuid4

import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/jsonl")
def lines(_context, value):
    """Records in lines of JSON go as the text that they are."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(_context, case, **_kwargs):
    """A key goes with one body: each becomes a new one, but for those at the bounds of what is valid."""
    for name, key in (case.headers or {}).items():
        if name.lower() == "idempotency-key" and isinstance(key, str) and 0 < len(key.strip('" ')) < 200:
            end = '"' if key.endswith('"') else ""
            case.headers[name] = f"{key.removesuffix(end)}{uuid4().hex}{end}"
