"""What this deployment can do, and whether it is well."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contract.http.site import Site

from pixtools.domain.catalogue import STANDARD
from pixtools.domain.operations.actions import ACTIONS
from pixtools.domain.presets import PRESETS


def test_operations_are_the_declaration_cut_to_what_is_offered(site: Site) -> None:
    shown = site.ask("GET", "/v1/operations").json()
    assert set(shown["actions"]) == set(ACTIONS) - {"denoise"}
    width = shown["actions"]["resize"]["properties"]["width"]
    assert "unit" in str(width)
    formats = {each["name"]: each for each in shown["formats"]}
    assert formats["heic"]["reads"] is False
    assert formats["webp"]["writes"] is True


def test_what_workers_can_do_decides_what_is_offered(site: Site) -> None:
    site.rule(capabilities=replace(STANDARD, actions=frozenset({"convert"})))
    assert list(site.ask("GET", "/v1/operations").json()["actions"]) == ["convert"]


def test_presets_are_shown_with_their_pipelines(site: Site) -> None:
    shown = site.ask("GET", "/v1/presets").json()["data"]
    assert [each["name"] for each in shown] == list(PRESETS)
    assert shown[0]["pipeline"] == PRESETS["gallery"].pipeline.canonical()


def test_limits_are_those_that_are_kept(site: Site) -> None:
    shown = site.ask("GET", "/v1/limits").json()
    rules = site.house.rules
    assert shown["max_upload_bytes"] == rules.limits.max_upload_bytes
    assert shown["max_pixels"] == rules.limits.max_pixels
    assert shown["retention_hours"] == 24
    assert shown["max_wait_seconds"] == 30


@pytest.mark.parametrize("path", ["/v1/operations", "/v1/presets", "/v1/limits"])
def test_the_catalogue_may_be_kept_a_minute(site: Site, path: str) -> None:
    assert site.ask("GET", path).headers["cache-control"] == "public, max-age=60"
