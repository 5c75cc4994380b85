"""What schemathesis does not know of this API (SCHEMATHESIS_HOOKS, in .ci/run)."""

import re
from urllib.parse import urlencode
from uuid import uuid4

import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/jsonl")
def lines(_context, value):
    """Records in lines of JSON go as the text that they are."""
    return value if isinstance(value, bytes) else str(value).encode()


def unseen(value):
    """Whether text holds characters without ink beyond the first plane, which no pattern can name for every engine of regular expressions."""
    if isinstance(value, dict):
        return any(map(unseen, value.values()))
    if isinstance(value, list):
        return any(map(unseen, value))
    return isinstance(value, str) and re.search("[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]", value) is not None


@schemathesis.hook
def filter_body(_context, body):
    """That such text is refused is tested by the API suite."""
    return not unseen(body)


@schemathesis.hook
def filter_query(_context, query):
    """Longer ones are refused by the parser of HTTP, before any operation is known."""
    return len(urlencode(query or {}, doseq=True)) < 8_000


@schemathesis.hook
def before_call(_context, case, **_kwargs):
    """A key goes with one body: each becomes a new one, but for those at the bounds of what is valid."""
    for name, key in (case.headers or {}).items():
        if name.lower() == "idempotency-key" and isinstance(key, str) and 0 < len(key.strip('" ')) < 200:
            end = '"' if key.endswith('"') else ""
            case.headers[name] = f"{key.removesuffix(end)}{uuid4().hex}{end}"
