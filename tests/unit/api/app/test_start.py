"""What the api can't start with is said in words that name the setting, never as a traceback."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from heliostat_api.__main__ import main

Prepare = Callable[[Path], dict[str, str]]


def a_malformed_redis(_: Path) -> dict[str, str]:
    return {"REDIS_URL": "redis://:hunter2@cache:port/0"}


def another_scheme(_: Path) -> dict[str, str]:
    return {"REDIS_URL": "cache:6379?password=hunter2"}


def a_short_secret(folder: Path) -> dict[str, str]:
    (folder / "secret").write_text("hunter2")
    return {"HELIOSTAT_API_SESSION_SECRETS_FILE": str(folder / "secret")}


def no_secret(folder: Path) -> dict[str, str]:
    return {"HELIOSTAT_API_SESSION_SECRETS_FILE": str(folder / "missing")}


def a_folder_that_is_a_file(folder: Path) -> dict[str, str]:
    (folder / "data").write_text("")
    return {"HELIOSTAT_API_DATA_DIR": str(folder / "data")}


def anothers_database(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "documents.sqlite") as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    return {}


def a_damaged_store(folder: Path) -> dict[str, str]:
    (folder / "documents.sqlite").write_bytes(b"no database" * 100)
    return {}


def a_damaged_log(folder: Path) -> dict[str, str]:
    (folder / "events.sqlite").write_bytes(b"no database" * 100)
    return {}


def a_firestore_without_credentials(folder: Path) -> dict[str, str]:
    return {
        "HELIOSTAT_API_STORE": "firestore",
        "GOOGLE_CLOUD_PROJECT": "p",
        "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "missing.json"),
    }


def two_wrong_settings(_: Path) -> dict[str, str]:
    return {"HELIOSTAT_API_PORT": "many", "HELIOSTAT_API_ROLES": '[{"role": "king"}]'}


def settings_that_do_not_fit(_: Path) -> dict[str, str]:
    return {"HELIOSTAT_API_GUESTS": "false"}


def a_typing_error(_: Path) -> dict[str, str]:
    return {"HELIOSTAT_API_PROT": "8080"}


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (a_malformed_redis, ["REDIS_URL: must be an address like redis://host:6379/0"]),
        (another_scheme, ["REDIS_URL: must be an address like redis://host:6379/0"]),
        (a_short_secret, ["SESSION_SECRETS_FILE: ", "must have one or two lines of at least 32"]),
        (no_secret, ["SESSION_SECRETS_FILE: ", "can't be read: No such file"]),
        (a_folder_that_is_a_file, ["HELIOSTAT_API_DATA_DIR: ", "can't be used"]),
        (anothers_database, ["HELIOSTAT_API_DATA_DIR: ", "is not a document store of Heliostat"]),
        (a_damaged_store, ["HELIOSTAT_API_DATA_DIR: ", "restore a backup"]),
        (a_damaged_log, ["HELIOSTAT_API_DATA_DIR: ", "without it, a new one is made"]),
        (a_firestore_without_credentials, ["HELIOSTAT_API_STORE: no credentials for Firestore"]),
        (two_wrong_settings, ["HELIOSTAT_API_PORT: ", "HELIOSTAT_API_ROLES[0].role: "]),
        (settings_that_do_not_fit, ["nobody could enter: allow guests"]),
        (a_typing_error, ["there is no setting HELIOSTAT_API_PROT"]),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_it_ends_with_words(
    prepare: Prepare,
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {"HELIOSTAT_API_DATA_DIR": str(tmp_path), **prepare(tmp_path)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    told = capsys.readouterr().err
    assert all(each in told for each in said), told
    assert all(line.startswith("heliostat-api: ") for line in told.splitlines())
    assert "Traceback" not in told
    assert "hunter2" not in told
