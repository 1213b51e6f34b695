"""The headers that clients may send and will read, each with what it says.

ORDINARY ones many servers have, for browsers and proxies.
"""

from __future__ import annotations

from typing import Final

ASKED: Final = {
    "Authorization": "`Bearer` and your API key, or a token of the issuer.",
    "Idempotency-Key": (
        "Makes a POST safe to repeat: the same key with the same request is answered "
        "with the first answer. Quoted or bare, at most 255 characters."
    ),
    "If-None-Match": "An ETag: answers 304 while the document is still the same.",
    "Last-Event-ID": "Where an event stream goes on; browsers send it by themselves.",
    "Range": "Which bytes of a file to send.",
    "X-API-Key": "Your API key, in place of Authorization.",
    "X-Request-ID": "Your own name for the request, echoed and stored with its job.",
    "traceparent": "W3C trace context, stored with the job.",
}
"""Of requests."""

TOLD: Final = {
    "Cache-Control": "no-store, unless it is said how long an answer stays true.",
    "Content-Disposition": "The name under which a download is saved.",
    "ETag": "Changes when the document does, and now and then for its links.",
    "Idempotent-Replayed": "true: an answer that was given before.",
    "Link": 'rel="next" leads to the next page of a list.',
    "Location": "The job or batch that was made.",
    "RateLimit": "`r` requests are left; in `t` seconds there is one more.",
    "RateLimit-Policy": "The quota `q` of requests in a window of `w` seconds.",
    "Retry-After": "Seconds after which to ask again, of a refusal or of what moves.",
    "Set-Cookie": "The session of a browser that has signed in; HttpOnly.",
    "WWW-Authenticate": "`Bearer`: how to say who you are.",
    "X-Request-ID": "The request's name, in logs and problems.",
}
"""Of answers."""

SENT: Final = {
    "webhook-id": "The event's id, the same in every attempt at telling it.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": (
        "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; two of them, with "
        "a space between, while the secret is changed."
    ),
}
"""Of what receivers of webhooks are sent."""

ORDINARY: Final = frozenset({
    "Accept-Ranges", "Allow", "Content-Length", "Content-Range", "Content-Type",
    "Content-Security-Policy", "Last-Modified", "Referrer-Policy",
    "X-Accel-Buffering", "X-Content-Type-Options",
})  # fmt: skip
"""Of answers, and not told of."""
