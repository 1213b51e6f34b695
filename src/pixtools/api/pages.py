"""Lists in pages: opaque cursors and links to what follows."""

from __future__ import annotations

import base64
import binascii
from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from pixtools.api.uploads import wrong
from pixtools.domain.ids import is_id

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100


def cursor_after(job_id: str) -> str:
    """The cursor of the page that begins behind this job."""
    return base64.urlsafe_b64encode(job_id.encode()).decode().rstrip("=")


def job_before(cursor: str) -> str:
    """The job that a cursor stands behind; InvalidRequest if it is none of ours."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        job_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        job_id = ""
    if not is_id(job_id):
        raise wrong("/cursor", "Expected a cursor that this list has given.")
    return job_id


def link_next(request: Request, cursor: str) -> str:
    """The Link header (RFC 8288) that leads to the next page."""
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    query = urlencode([*kept, ("cursor", cursor)])
    return f'<{request.scope["path"]}?{query}>; rel="next"'
