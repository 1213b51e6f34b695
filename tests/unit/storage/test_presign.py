"""Presigned addresses are signed as S3 defines it, under the right host."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given, strategies as st
from tests.unit.storage.sigv4 import signature

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.presign import Presigner

CONFIG = ObjectsConfig(
    bucket="pictures",
    region="eu-north-1",
    endpoint="http://10.0.0.7:7480",
    access_key="AKIDEXAMPLE",
    secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
)
MINUTE = timedelta(minutes=1)

keys = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1
).map(lambda name: f"raw/{name}/source")
values = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1)


def presigner(config: ObjectsConfig = CONFIG) -> Presigner:
    return Presigner(config, config.public_endpoint or config.endpoint)


def expected(
    url: str, method: str, headers: dict[str, str], payload: str = "UNSIGNED-PAYLOAD"
) -> str:
    return signature(method, url, headers, CONFIG.secret_key, payload)


def signed(url: str) -> str:
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


def test_the_yardstick_gives_the_signature_that_aws_prints_in_its_manual() -> None:
    """Example "Authenticating Requests: Using Query Parameters"."""
    url = (
        "https://examplebucket.s3.amazonaws.com/test.txt"
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    )
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert signature("GET", url, {}, secret, "UNSIGNED-PAYLOAD") == (
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


@given(key=keys, name=values, kind=values)
def test_a_download_is_signed_with_its_name_and_type(
    key: str, name: str, kind: str
) -> None:
    """Whatever stands in key and parameters."""
    query = {"response-content-disposition": name, "response-content-type": kind}
    url, _ = presigner().url("GET", key, MINUTE, query=query)
    assert signed(url) == expected(url, "GET", {})
    told = parse_qs(urlsplit(url).query)
    assert {n: told[n] for n in query} == {n: [v] for n, v in query.items()}


@given(key=keys, size=st.integers(0, 2**40), kind=values)
def test_an_upload_is_signed_with_its_headers(key: str, size: int, kind: str) -> None:
    """All of them, and no other."""
    headers = {"Content-Length": str(size), "Content-Type": kind, "If-None-Match": "*"}
    url, _ = presigner().url("PUT", key, MINUTE, headers=headers)
    assert signed(url) == expected(url, "PUT", headers)
    told = parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"]
    assert told == ["content-length;content-type;host;if-none-match"]


def test_an_announced_payload_is_part_of_the_signature() -> None:
    """Where the header of its hash is signed, no other payload fits."""
    digest = "ab" * 32
    headers = {"x-amz-content-sha256": digest}
    url, _ = presigner().url("PUT", "raw/a/source", MINUTE, headers=headers)
    assert signed(url) == expected(url, "PUT", headers, digest)


@pytest.mark.parametrize(
    ("config", "begins"),
    [
        pytest.param(CONFIG, "http://10.0.0.7:7480/pictures/", id="our endpoint"),
        pytest.param(
            replace(CONFIG, public_endpoint="https://s3.example.org/"),
            "https://s3.example.org/pictures/",
            id="the clients' endpoint",
        ),
        pytest.param(
            replace(CONFIG, endpoint=""),
            "https://pictures.s3.eu-north-1.amazonaws.com/",
            id="AWS",
        ),
        pytest.param(
            replace(CONFIG, endpoint="", bucket="my.pictures"),
            "https://s3.eu-north-1.amazonaws.com/my.pictures/",
            id="AWS, a dot in the name",
        ),
    ],
)
def test_the_host_is_the_one_that_clients_see(
    config: ObjectsConfig, begins: str
) -> None:
    """It is part of the signature, so it can't be put right later."""
    url, _ = presigner(config).url("GET", "processed/ä b/1.webp", MINUTE)
    assert url.startswith(f"{begins}{quote('processed/ä b/1.webp')}?")
    assert signed(url) == expected(url, "GET", {})


def test_a_link_says_until_when_it_holds() -> None:
    """To the second that is signed."""
    before = datetime.now(UTC).replace(microsecond=0)
    url, expires_at = presigner().url("GET", "a/b", timedelta(hours=1))
    told = parse_qs(urlsplit(url).query)
    begins = datetime.fromisoformat(told["X-Amz-Date"][0])
    assert before <= begins <= datetime.now(UTC)
    assert expires_at == begins + timedelta(seconds=int(told["X-Amz-Expires"][0]))


def test_a_session_token_travels_with_the_link() -> None:
    """Temporary credentials are useless without."""
    url, _ = presigner(replace(CONFIG, session_token="tok/en+")).url(
        "GET", "a/b", MINUTE
    )
    assert parse_qs(urlsplit(url).query)["X-Amz-Security-Token"] == ["tok/en+"]
    assert signed(url) == expected(url, "GET", {})


def test_credentials_come_from_the_usual_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none are set, the environment is asked, and whatever comes after it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CONFIG.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CONFIG.secret_key)
    url, _ = presigner(replace(CONFIG, access_key="", secret_key="")).url(
        "GET", "a/b", MINUTE
    )
    assert signed(url) == expected(url, "GET", {})


def test_no_credentials_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the settings."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(ConfigurationInvalid, match="AWS_ACCESS_KEY_ID"):
        presigner(replace(CONFIG, access_key="")).url("GET", "a/b", MINUTE)


def test_who_signs_nothing_does_not_load_the_signer(unmeasured: dict[str, str]) -> None:
    """botocore costs more memory than all the rest of storage."""
    script = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from pixtools.storage.config import ObjectsConfig\n"
        "from pixtools.storage.objects import open_objects\n"
        "from pixtools.storage.object_links import open_links\n"
        "from pixtools.storage import bucket_setup, upload_checks\n"
        "class Clock:\n"
        "    def now(self): return datetime.now(UTC)\n"
        "config = ObjectsConfig(bucket='b', access_key='k', secret_key='s')\n"
        "blobs, links = open_objects(config), open_links(config, Clock())\n"
        "assert 'botocore' not in sys.modules\n"
        "links.download('processed/a/b', 'c.webp', 'image/webp')\n"
        "assert 'botocore' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], env=unmeasured, check=True)
