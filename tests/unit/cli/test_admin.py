"""Which gateway a command asks, and with whose key."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from heliostat_cli.admin import open_admin
from heliostat_cli.errors import UsageError
from heliostat_cli.main import app


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HELIOSTAT_ADMIN_KEY", "HELIOSTAT_ADMIN_URL"):
        monkeypatch.delenv(name, raising=False)


def test_options_win_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOSTAT_ADMIN_KEY", "of-environment")
    monkeypatch.setenv("HELIOSTAT_ADMIN_URL", "http://of-environment")
    (tmp_path / "key").write_text("of-file\n")
    found = open_admin(None)
    assert (found.url, found.key) == ("http://of-environment", "of-environment")
    found = open_admin("http://given", tmp_path / "key")
    assert (found.url, found.key) == ("http://given", "of-file")


@pytest.mark.parametrize(
    ("url", "key", "fact"),
    [
        (None, "k", "the gateway is not named"),
        ("localhost:8081", "k", "--url 'localhost:8081' is no address"),
        ("http://x", "", "HELIOSTAT_ADMIN_KEY is not set"),
        ("http://x", "two words", "HELIOSTAT_ADMIN_KEY holds no key"),
        ("http://x", "schlüssel", "HELIOSTAT_ADMIN_KEY holds no key"),
    ],
)
def test_what_is_missing_is_named(
    url: str | None, key: str, fact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOSTAT_ADMIN_KEY", key)
    with pytest.raises(UsageError) as caught:
        open_admin(url)
    assert caught.value.fact == fact
    assert caught.value.remedy


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--admin-key-file: .*nowhere can't be read"):
        open_admin("http://x", tmp_path / "nowhere")


@pytest.mark.parametrize("wrong", ["laptop", "hsk_", "hsk_../budgets/x"])
def test_a_name_in_place_of_an_id_is_refused(wrong: str) -> None:
    done = CliRunner().invoke(app, ["gateway", "keys", "revoke", wrong])
    assert isinstance(done.exception, UsageError)
    assert "the id of a key begins with hsk_" in done.exception.fact
