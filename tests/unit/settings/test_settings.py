"""The environment is read once; a wrong value is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.signature import is_secret
from pixtools.settings import Settings, example, load_settings

VARIABLES = "pixtools.variables"

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No `.env` of the checkout decides what a test sees."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_set_is_the_embedded_mode() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 2)
    assert settings.max_upload_bytes == 30 * 1024 * 1024
    assert settings.sqlite_path == Path("data/pixtools.sqlite3")


def test_the_process_wins_over_the_env_file(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / ".env").write_text("WORKERS=3\nQUEUE_SIZE=64\n")
    monkeypatch.setenv("WORKERS", "5")
    settings = load_settings()
    assert (settings.workers, settings.queue_size) == (5, 64)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'WORKERS=3\n\nS3_BUCKET="photos\n', "line 3"),
        (b"S3_BUCKET: photos\n", "line 1"),
        (b"S3_BUCKET=\xff\xfe\n", "UTF-8"),
    ],
)
def test_a_line_that_can_not_be_read_stops_the_start(
    elsewhere: Path, text: bytes, words: str
) -> None:
    """Passing over it kept photos on this machine that were meant for a bucket."""
    (elsewhere / ".env").write_bytes(text)
    with pytest.raises(ConfigurationInvalid, match=words) as caught:
        load_settings()
    assert "photos" not in caught.value.detail


def test_an_env_file_is_read_as_a_shell_would(elsewhere: Path) -> None:
    """Comments, quotes, other programs' names, and lines that end as on Windows."""
    lines = ["# ours", 'export S3_BUCKET="photos"  # here', "OTHERS=1", "", "WORKERS=3"]
    (elsewhere / ".env").write_text("\r\n".join(lines))
    settings = load_settings()
    assert (settings.s3_bucket, settings.workers) == ("photos", 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("MAX_UPLOAD_BYTES", "30MB"),
        ("TASK_TIMEOUT_SECONDS", "-1"),
        ("LEASE_SECONDS", "inf"),
        ("JOB_RETENTION_HOURS", "1e30"),
        ("TASK_TIMEOUT_SECONDS", "inf"),
        ("IDEMPOTENCY_TTL_SECONDS", "99999999999999"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_URL", "mysql://x"),
        ("RABBITMQ_URL", "http://x"),
        ("DATABASE_URL", "postgresql://ann@db:https/x"),
        ("RABBITMQ_URL", "amqp://ann@mq:amqp//"),
        ("RABBITMQ_URL", "amqp://mq:5672//;amqp://mq:70000//"),
        ("REDIS_URL", "x"),
        ("REDIS_URL", "redis://cache:redis/0"),
        ("REDIS_URL", "redis://cache/0?socket_timeout=soon"),
        ("REDIS_URL", "redis://cache/0?socket_timeout=0"),
        ("REDIS_URL", "redis://cache/0?socket_timeout=nan"),
        ("TENANT_SHARE", "2"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationInvalid, match=name) as caught:
        load_settings()
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "whsec_" + "A" * 32,
        "whsec_" + "A" * 32 + " whsec_" + "B" * 42 + "==",
        "whsec_" + "A" * 43 + "=",
        "whsec_" + "A" * 86 + "==",
    ],
)
def test_webhooks_are_signed_with_one_secret_or_two(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SIGNING_SECRET", text)
    assert load_settings().webhook_signing_secret == text
    assert all(map(is_secret, text.split()))


@pytest.mark.parametrize(
    "text", ["sesame", "whsec_AAAA", "whsec_" + "A" * 33, "whsec_" + "A" * 100]
)
def test_another_signing_secret_is_refused_and_not_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SIGNING_SECRET", text)
    with pytest.raises(ConfigurationInvalid, match="WEBHOOK_SIGNING_SECRET") as refusal:
        load_settings()
    assert text not in refusal.value.detail


@pytest.mark.parametrize("text", ["5;30", "", "-1", "5,,6", "soon"])
def test_pauses_are_numbers(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_RETRY_SECONDS", text)
    if not text:
        assert load_settings().webhook_retry_seconds.startswith("5,")
        return
    with pytest.raises(ConfigurationInvalid, match="WEBHOOK_RETRY_SECONDS"):
        load_settings()


def test_a_database_url_names_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/facts.sqlite3")
    assert load_settings().sqlite_path == Path("/srv/facts.sqlite3")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_is_spoken_with_the_driver_that_we_bring(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://ann:key@db:5432/pixtools")
    settings = load_settings()
    assert settings.sqlite_path is None
    assert settings.sqlalchemy_url == "postgresql+psycopg://ann:key@db:5432/pixtools"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://ann:opensesame@db/pixtools"),
        ("DATABASE_URL", "postgresql://ann:opensesame@db:https/pixtools"),
        ("RABBITMQ_URL", "amqp://ann:open/sesame@mq//"),
        ("REDIS_URL", "redis://:open/sesame@cache/0"),
        ("REDIS_URL", "redis://:opensesame@cache/0?socket_timeout=soon"),
    ],
)
def test_a_refusal_shows_no_password(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationInvalid, match=name) as caught:
        load_settings()
    assert "sesame" not in caught.value.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://ann:a/b;c@db:5432/pixtools?connect_timeout=3"),
        ("DATABASE_URL", "postgresql:///pixtools?host=one:5432&host=two:5432"),
        ("RABBITMQ_URL", "amqp://one:5672//;amqp://two:5672//?heartbeat=10"),
        ("REDIS_URL", "rediss://:a;b@cache:6379/0?socket_timeout=0.5"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
    ],
)
def test_what_a_client_can_read_is_left_to_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(load_settings(), name.lower()) == value


@pytest.mark.parametrize("name", ["API_KEY", "SECRET_KEY"])
@pytest.mark.parametrize("value", ["too-short", "sixteen and spaces", "ß" * 20])
def test_a_weak_secret_stops_the_start_and_is_not_shown(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationInvalid, match=name) as caught:
        load_settings()
    assert value not in caught.value.detail
    assert "16 visible" in caught.value.detail


@pytest.mark.parametrize("value", ["*", "10.0.0.0/8", "127.0.0.1, ::1"])
def test_proxies_are_addresses_networks_or_everyone(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", value)
    assert load_settings().forwarded_allow_ips == value


@pytest.mark.parametrize("value", ["proxy.internal", "10.0.0.1/8", "*, 10.0.0.1"])
def test_a_proxy_that_could_not_be_told_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server would take it for a name that no connection has, and say nothing."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", value)
    with pytest.raises(ConfigurationInvalid, match="FORWARDED_ALLOW_IPS"):
        load_settings()


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_ENABLED", "")
    monkeypatch.setenv("WORKERS", "")
    assert load_settings() == Settings()


def test_the_seeds_name_for_the_bucket_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_S3_BUCKET", "photos")
    assert Settings().s3_bucket == "photos"


def test_the_example_names_every_setting_and_is_up_to_date() -> None:
    written = (ROOT / ".env.example").read_text()
    assert written == example()
    for name in Settings.model_fields:
        assert f"# {name.upper()}=" in written


def test_every_setting_says_what_it_is_for() -> None:
    assert [n for n, f in Settings.model_fields.items() if not f.description] == []


def test_every_variable_is_declared_once() -> None:
    """What two groups declare, one of them would silently win."""
    groups = [
        kind for kind in Settings.__mro__ if kind.__module__.startswith(VARIABLES)
    ]
    declared = [name for kind in groups for name in kind.__annotations__]
    assert len(groups) > 1
    assert sorted(declared) == sorted(Settings.model_fields)
