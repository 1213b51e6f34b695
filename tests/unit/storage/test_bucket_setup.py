"""What is known of a bucket before its store is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.bucket_rules import cors_rules, lifecycle_rules
from pixtools.storage.bucket_setup import Notice, set_up
from pixtools.storage.config import ObjectsConfig


def made(config: ObjectsConfig) -> list[Notice]:
    return list(set_up(config, lifecycle=lifecycle_rules(7), cors=cors_rules([])))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"region": "-nowhere-"}, id="no name of a region"),
        pytest.param({"endpoint": "http://mini_o:9000"}, id="no name of a host"),
        pytest.param({"bucket": "$web"}, id="no name of a bucket on S3"),
    ],
)
def test_what_the_setup_can_not_even_ask_is_one_sentence(
    changes: dict[str, Any],
) -> None:
    """Its client is more particular than the one that keeps objects."""
    odd = replace(ObjectsConfig(bucket="pictures"), **changes)
    with pytest.raises(ConfigurationInvalid, match="can't be set up: ") as refused:
        made(odd)
    assert "\n" not in refused.value.detail


def test_other_kinds_of_stores_get_the_rules_shown() -> None:
    """Azure has rules too, in other words."""
    (notice,) = made(ObjectsConfig(kind="az", bucket="pictures"))
    assert (notice.done, notice.command) == (False, "")
    assert "processed/" in notice.document


def test_objects_are_never_dropped_before_their_time() -> None:
    """The second net hangs below the first."""
    assert lifecycle_rules(2, retention=timedelta(hours=48))
    with pytest.raises(ConfigurationInvalid, match="at least 3"):
        lifecycle_rules(2, retention=timedelta(hours=49))
