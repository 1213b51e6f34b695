"""Files of jobs that are not there.

They come to be when a process dies between making a source visible and committing
its row, or when somebody uses an upload link after the job was erased.
"""

from __future__ import annotations

from collections.abc import Iterable

from pixtools.domain.ids import is_id
from pixtools.domain.keys import prefixes
from pixtools.jobs.service import Service


def drop_orphans(service: Service, job_ids: Iterable[str]) -> int:
    """Delete the files of those jobs that have no row; how many jobs.

    The caller names jobs whose files have lain still for a while: a source is
    visible for some milliseconds before its row is.
    """
    dropped = 0
    for job_id in job_ids:
        if not is_id(job_id):
            continue
        with service.database.read() as tx:
            known = tx.jobs.get(job_id) is not None
        if not known:
            dropped += bool(sum(service.blobs.delete(p) for p in prefixes(job_id)))
    return dropped
