"""What a bucket should forget by itself: the net below our own pruning.

Rules of other owners in the same bucket stay. Where the credential may not set rules,
they are shown, for whoever may.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.config import ObjectsConfig

if TYPE_CHECKING:
    from botocore.client import BaseClient

Rule = Mapping[str, Any]

PREFIXES = ("raw", "processed", "archives")
_OURS = "pixtools-"
_NONE_YET = "NoSuchLifecycleConfiguration"
_DENIED = {"AccessDenied", "AllAccessDisabled", "MethodNotAllowed", "NotImplemented"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleReport:
    """What became of the rules.

    `rules` is JSON as the S3 API and its command lines take it; `sentence` says
    whether it is in force, and what to do if it is not.
    """

    applied: bool
    sentence: str
    rules: str


def lifecycle_rules(days: int) -> list[Rule]:
    """Objects go after `days`, unfinished multipart uploads after one day."""
    return [
        {
            "ID": f"{_OURS}{prefix}",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{prefix}/"},
            "Expiration": {"Days": days},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
        for prefix in PREFIXES
    ]


def apply_lifecycle(config: ObjectsConfig, days: int) -> LifecycleReport:
    """Put the rules in force if they are not, and if that is permitted.

    Raises StorageUnavailable if the store does not answer.
    """
    wanted = lifecycle_rules(days)
    if config.kind != "s3":
        return _shown(wanted, "Lifecycle rules are set for S3 only: set these by hand.")
    from botocore.exceptions import BotoCoreError, ClientError

    client = _client(config)
    try:
        return _applied(client, config.bucket, wanted)
    except ClientError as refusal:
        code = refusal.response["Error"]["Code"]
        if code not in _DENIED:
            raise StorageUnavailable(
                f"The object store answered {code} while lifecycle rules were set."
            ) from refusal
        return _shown(
            wanted,
            f"Lifecycle rules were NOT set ({code}): let somebody who may set these.",
        )
    except BotoCoreError as fault:
        raise StorageUnavailable(
            "The object store did not answer while lifecycle rules were set."
        ) from fault
    finally:
        client.close()


def _applied(client: BaseClient, bucket: str, wanted: list[Rule]) -> LifecycleReport:
    present = _present(client, bucket)
    if _same(wanted, filter(_is_ours, present)):
        return _shown(wanted, "Lifecycle rules are in force already.", applied=True)
    rules = [*(rule for rule in present if not _is_ours(rule)), *wanted]
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": rules}
    )
    return _shown(wanted, "Lifecycle rules were set.", applied=True)


def _present(client: BaseClient, bucket: str) -> list[Rule]:
    from botocore.exceptions import ClientError

    try:
        answer = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] == _NONE_YET:
            return []
        raise
    rules: list[Rule] = answer.get("Rules", [])
    return rules


def _is_ours(rule: Rule) -> bool:
    return str(rule.get("ID", "")).startswith(_OURS)


def _same(wanted: Iterable[Rule], present: Iterable[Rule]) -> bool:
    """Whether all that is wanted is there; stores add words of their own."""
    found = {rule["ID"]: rule for rule in present}
    return {rule["ID"] for rule in wanted} == found.keys() and all(
        rule.items() <= found[rule["ID"]].items() for rule in wanted
    )


def _shown(
    rules: list[Rule], sentence: str, *, applied: bool = False
) -> LifecycleReport:
    text = json.dumps({"Rules": rules}, indent=2)
    return LifecycleReport(applied=applied, sentence=sentence, rules=text)


def _client(config: ObjectsConfig) -> BaseClient:
    from botocore.config import Config
    from botocore.session import Session

    return Session().create_client(
        "s3",
        region_name=config.region,
        endpoint_url=config.endpoint or None,
        aws_access_key_id=config.access_key or None,
        aws_secret_access_key=config.secret_key or None,
        aws_session_token=config.session_token or None,
        config=Config(
            connect_timeout=config.connect_timeout.total_seconds(),
            read_timeout=config.request_timeout.total_seconds(),
            retries={"total_max_attempts": config.retries + 1, "mode": "standard"},
            request_checksum_calculation="when_required",
            s3={"addressing_style": "path" if config.endpoint else "auto"},
        ),
    )
