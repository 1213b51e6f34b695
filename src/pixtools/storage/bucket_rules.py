"""What we want a bucket to do by itself, as the S3 API writes it.

Rules of other owners in the same bucket stay: ours are known by their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pixtools.domain.errors import ConfigurationInvalid

Rule = Mapping[str, Any]

FOLDERS = ("raw", "processed", "archives")
_DAY = timedelta(days=1)


def lifecycle_rules(
    days: int, prefix: str = "", *, retention: timedelta = _DAY
) -> list[Rule]:
    """Objects go after `days`, older versions and unfinished uploads after one day.

    Raises ConfigurationInvalid if objects would go before our own `retention` ends.
    """
    if timedelta(days=days) < retention:
        raise ConfigurationInvalid(
            f"Expected S3_RETENTION_DAYS of at least {-(-retention // _DAY)}, because "
            "JOB_RETENTION_HOURS keeps files that long, but received "
            f"{days}."
        )
    return [
        {
            "ID": _name(prefix, folder),
            "Status": "Enabled",
            "Filter": {"Prefix": f"{prefix}/{folder}/" if prefix else f"{folder}/"},
            "Expiration": {"Days": days},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
        for folder in FOLDERS
    ]


def cors_rules(origins: Sequence[str], prefix: str = "") -> list[Rule]:
    """Pages of these origins may use signed links; none are wanted without origins."""
    if not origins:
        return []
    return [
        {
            "ID": _name(prefix, "pages"),
            "AllowedOrigins": sorted(set(origins)),
            "AllowedMethods": ["GET", "HEAD", "PUT"],
            "AllowedHeaders": ["*"],  # those of a link are signed, so none is loose
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3600,
        }
    ]


def are_in_force(wanted: Iterable[Rule], present: Iterable[Rule]) -> bool:
    """Whether all that is wanted is there; stores add words of their own."""
    found = {rule.get("ID"): rule for rule in present}
    return all(_says(found.get(rule["ID"], {}), rule) for rule in wanted)


def merged(wanted: Sequence[Rule], present: Iterable[Rule]) -> list[Rule]:
    """The rules that others have made, and ours as they are to be now."""
    ours = {rule["ID"] for rule in wanted}
    return [*(rule for rule in present if rule.get("ID") not in ours), *wanted]


def _name(prefix: str, what: str) -> str:
    return "-".join(["pixtools", *filter(None, prefix.split("/")), what])


def _says(found: Rule, wanted: Rule) -> bool:
    return all(_plain(found.get(name)) == _plain(wanted[name]) for name in wanted)


def _plain(value: object) -> object:
    """Lists of names come back in any order."""
    return sorted(value) if isinstance(value, list) else value
