"""How objects are named in storage (never by a client's file name)."""

from __future__ import annotations


def source_key(job_id: str) -> str:
    """Where a job's original rests."""
    return f"raw/{job_id}/source"


def output_key(job_id: str, step_id: str, extension: str) -> str:
    """Where an output rests: the same for every attempt."""
    return f"processed/{job_id}/{step_id}.{extension}"


def outputs_prefix(job_id: str) -> str:
    """What the keys of all outputs of a job begin with."""
    return f"processed/{job_id}/"


def archive_key(job_id: str) -> str:
    """Where a job's ZIP rests."""
    return f"archives/{job_id}/bundle.zip"


def batch_archive_key(batch_id: str) -> str:
    """Where a batch's ZIP rests."""
    return f"archives/batches/{batch_id}.zip"


def inbox_prefix(tenant: str) -> str:
    """Below this a tenant may name objects of its own as sources and watermarks."""
    return f"inbox/{tenant}/"


def prefixes(job_id: str) -> tuple[str, ...]:
    """All places where a job's objects rest."""
    return (f"raw/{job_id}/", outputs_prefix(job_id), f"archives/{job_id}/")


def folders() -> tuple[str, ...]:
    """What the keys of jobs begin with, before the job's id."""
    return tuple(prefix.partition("/")[0] for prefix in prefixes(""))
