"""Bodies that Schemathesis does not know how to send: text as it is."""

import schemathesis


def text(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


schemathesis.serializer("application/x-ndjson")(text)
schemathesis.serializer("text/csv")(text)
