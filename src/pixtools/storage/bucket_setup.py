"""Bringing a bucket into the state that we want, as far as we may.

Doing it again changes nothing, and it disturbs nobody who uses the bucket meanwhile.
What the credential may not do is shown, ready for whoever may.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pixtools.domain.errors import ConfigurationInvalid, StorageUnavailable
from pixtools.storage.bucket_rules import Rule, are_in_force, merged
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.sentences import elsewhere

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

_DENIED = {
    "403", "AccessDenied", "AllAccessDisabled", "MethodNotAllowed", "NotImplemented",
}  # fmt: skip
_NONE_YET = {"NoSuchLifecycleConfiguration", "NoSuchCORSConfiguration"}
_AWS_HOME = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What became of one wish: a sentence, and if it was not granted, what to do.

    `document` is JSON to be saved as `file`, which `command` applies.
    """

    done: bool
    sentence: str
    file: str = ""
    document: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One of a bucket's sets of rules: how it is named, read and written."""

    title: str
    file: str
    read: str
    write: str
    argument: str
    list: str
    option: str


_LIFECYCLE = _Kind(
    title="Lifecycle rules",
    file="lifecycle.json",
    read="get_bucket_lifecycle_configuration",
    write="put_bucket_lifecycle_configuration",
    argument="LifecycleConfiguration",
    list="Rules",
    option="put-bucket-lifecycle-configuration --lifecycle-configuration",
)
_CORS = _Kind(
    title="CORS rules",
    file="cors.json",
    read="get_bucket_cors",
    write="put_bucket_cors",
    argument="CORSConfiguration",
    list="CORSRules",
    option="put-bucket-cors --cors-configuration",
)


def set_up(
    config: ObjectsConfig,
    *,
    lifecycle: Sequence[Rule],
    cors: Sequence[Rule] = (),
    create: bool = False,
) -> Iterator[Notice]:
    """Make the bucket if asked to, then put rules in force; tell of each at once.

    Raises ConfigurationInvalid if there is no such bucket, or it may not be made;
    StorageUnavailable if the store does not answer.
    """
    if config.kind != "s3":
        yield _by_hand(lifecycle)
        return
    with _client(config) as client:
        yield _bucket(client, config, create=create)
        yield _ruled(client, config, _LIFECYCLE, lifecycle)
        if cors:
            yield _ruled(client, config, _CORS, cors)


def _bucket(client: BaseClient, config: ObjectsConfig, *, create: bool) -> Notice:
    from botocore.exceptions import ClientError

    name = config.bucket
    try:
        client.head_bucket(Bucket=name)
        return Notice(done=True, sentence=f"Bucket {name} is there.")
    except ClientError as refusal:
        if _code(refusal) in _DENIED:  # who may not look may still put objects
            return Notice(done=False, sentence=f"Bucket {name} may not be looked at.")
        if _code(refusal) not in {"404", "NoSuchBucket"}:
            raise
    if not create:
        raise ConfigurationInvalid(
            f"There is no bucket {name}: make one, or let --create-bucket do it."
        )
    return _created(client, config)


def _created(client: BaseClient, config: ObjectsConfig) -> Notice:
    from botocore.exceptions import ClientError

    elsewhere = not config.endpoint and config.region != _AWS_HOME
    place = {"LocationConstraint": config.region}
    options = {"CreateBucketConfiguration": place} if elsewhere else {}
    try:
        client.create_bucket(Bucket=config.bucket, **options)
    except ClientError as refusal:
        raise ConfigurationInvalid(
            f"The bucket {config.bucket} can't be made ({_code(refusal)}): make it by "
            "other means, or choose another name."
        ) from refusal
    return Notice(done=True, sentence=f"Bucket {config.bucket} was made.")


def _ruled(
    client: BaseClient, config: ObjectsConfig, kind: _Kind, wanted: Sequence[Rule]
) -> Notice:
    from botocore.exceptions import ClientError

    present: list[Rule] | None = None
    try:
        present = _present(client, config, kind)
        if are_in_force(wanted, present):
            return Notice(done=True, sentence=f"{kind.title} are in force already.")
        document = {kind.argument: {kind.list: merged(wanted, present)}}
        getattr(client, kind.write)(Bucket=config.bucket, **document)
    except ClientError as refusal:
        if _code(refusal) not in _DENIED:
            raise
        return _shown(config, kind, wanted, present, _code(refusal))
    return Notice(done=True, sentence=f"{kind.title} were set.")


def _present(client: BaseClient, config: ObjectsConfig, kind: _Kind) -> list[Rule]:
    from botocore.exceptions import ClientError

    try:
        answer = getattr(client, kind.read)(Bucket=config.bucket)
    except ClientError as refusal:
        if _code(refusal) in _NONE_YET:
            return []
        raise
    rules: list[Rule] = answer.get(kind.list, [])
    return rules


def _shown(
    config: ObjectsConfig,
    kind: _Kind,
    wanted: Sequence[Rule],
    present: Sequence[Rule] | None,
    code: str,
) -> Notice:
    others = "" if present is not None else " Add those that the bucket has already."
    where = ["--endpoint-url", config.endpoint] if config.endpoint else []
    words = shlex.join(["--bucket", config.bucket, *where])
    return Notice(
        done=False,
        sentence=f"{kind.title} were NOT set ({code}): let somebody who may set "
        f"these.{others}",
        file=kind.file,
        document=json.dumps({kind.list: merged(wanted, present or ())}, indent=2),
        command=f"aws s3api {kind.option} file://{kind.file} {words}",
    )


def _by_hand(rules: Sequence[Rule]) -> Notice:
    return Notice(
        done=False,
        sentence="Lifecycle rules are set for S3 only: set rules like these by hand.",
        file=_LIFECYCLE.file,
        document=json.dumps({"Rules": list(rules)}, indent=2),
    )


def _code(refusal: ClientError) -> str:
    return str(refusal.response["Error"]["Code"])


@contextmanager
def _client(config: ObjectsConfig) -> Iterator[BaseClient]:
    """A client for a block; what it raises there becomes one of our sentences.

    StorageUnavailable where the store could not be heard, ConfigurationInvalid where it
    was not even asked.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError as NotConnected,
        HTTPClientError,
    )

    try:
        with closing(_opened(config)) as client:
            yield client
    except ClientError as refusal:
        raise StorageUnavailable(
            f"The object store answered {_code(refusal)} while the bucket was set up."
        ) from refusal
    except RecursionError as fault:  # it follows redirects by calling itself
        raise StorageUnavailable(elsewhere("the bucket was set up")) from fault
    except (NotConnected, HTTPClientError) as fault:
        raise StorageUnavailable(
            f"The object store did not answer while the bucket was set up: {fault}"
        ) from fault
    except (BotoCoreError, ValueError) as fault:
        why = " ".join(str(fault).split())
        raise ConfigurationInvalid(
            f"The bucket {config.bucket} can't be set up: {why}"
        ) from fault


def _opened(config: ObjectsConfig) -> BaseClient:
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
