"""Keys of providers: numbered, from files that change, never half of one."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from heliostat_gateway.providers.credentials import (
    AllKeys,
    CredentialSource,
    EnvironmentKeys,
    FolderKeys,
)

NAME = "ANTHROPIC_API_KEY"


class Clock:
    """Seconds since the epoch, moved by the test."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Folder:
    """A folder of key files with times of change that the test says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.keys = FolderKeys(path, self.clock)

    def write(self, text: str, name: str = NAME, *, age: float = 0) -> None:
        file = self.path / name
        file.write_text(text)
        moment = self.clock.now - age
        os.utime(file, (moment, moment))

    def look(self, seconds: float = 1) -> list[str]:
        self.clock.now += seconds
        return secrets(self.keys)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def secrets(source: CredentialSource) -> list[str]:
    return [each.secret.get_secret_value() for each in source.credentials(NAME)]


def environment(**keys: str) -> EnvironmentKeys:
    return EnvironmentKeys({name: SecretStr(key) for name, key in keys.items()})


def test_keys_are_ordered_by_their_numbers() -> None:
    names = (
        f"{NAME}_10",
        f"{NAME}_2",
        NAME,
        f"{NAME}_1",
        f"{NAME}_02",
        f"{NAME}_X",
        "OPENAI_API_KEY",
    )
    found = environment(**dict.fromkeys(names, "k")).credentials(NAME)
    assert [each.name for each in found] == [NAME, f"{NAME}_2", f"{NAME}_10"]


def test_a_credential_does_not_show_its_key() -> None:
    (credential,) = environment(**{NAME: "sk-secret"}).credentials(NAME)
    assert "sk-secret" not in f"{credential!r} {credential}"


def test_a_file_wins_over_a_variable_of_the_same_name(folder: Folder) -> None:
    folder.write("file\n")
    both = AllKeys((folder.keys, environment(**{NAME: "variable", f"{NAME}_2": "second"})))
    assert secrets(both) == ["file", "second"]


def test_a_new_file_counts_at_the_next_look(folder: Folder) -> None:
    assert folder.look() == []
    folder.write("one")
    assert folder.look(0.5) == []  # looked at less than a second ago
    assert folder.look(0.6) == ["one"]


def test_a_changed_file_counts_once_it_rests(folder: Folder) -> None:
    folder.write("one", age=10)
    assert folder.look() == ["one"]
    folder.clock.now += 5
    folder.write("tw")
    assert folder.look(0.9) == ["one"]  # fresh: perhaps half of it
    folder.write("two")
    assert folder.look(0.9) == ["one"]
    assert folder.look(1) == ["two"]


def test_a_file_from_a_clock_ahead_counts_when_it_is_the_same_at_two_looks(folder: Folder) -> None:
    folder.write("one", age=10)
    assert folder.look() == ["one"]
    folder.write("two", age=-3600)
    assert folder.look() == ["one"]
    assert folder.look() == ["two"]


@pytest.mark.parametrize("broken", ["", "\n", "two words", "\x00\x01", "k\u00e9y", "k" * 9000])
def test_what_is_no_key_never_replaces_one(folder: Folder, broken: str) -> None:
    folder.write("good", age=10)
    assert folder.look() == ["good"]
    folder.write(broken, age=5)
    assert folder.look() == ["good"]
    assert folder.look() == ["good"]


def test_a_file_that_is_gone_takes_its_key_along(folder: Folder) -> None:
    folder.write("one", age=10)
    folder.write("two", f"{NAME}_2", age=10)
    assert folder.look() == ["one", "two"]
    (folder.path / NAME).unlink()
    assert folder.look() == ["two"]


def test_a_mounted_secret_is_swapped_by_its_link(folder: Folder) -> None:
    for version in ("v1", "v2"):
        (folder.path / f"..{version}").mkdir()
        (folder.path / f"..{version}" / NAME).write_text(version)
    data = folder.path / "..data"
    data.symlink_to("..v1")
    (folder.path / NAME).symlink_to(Path("..data") / NAME)
    assert folder.look() == ["v1"]
    data.unlink()
    data.symlink_to("..v2")
    folder.look()
    assert folder.look() == ["v2"]


def test_what_is_no_key_is_said_once(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.write("two words", age=10)
    for _ in range(5):
        assert folder.look() == []
    assert [record.getMessage() for record in caplog.records] == [
        f"provider key file {NAME} holds no key and is not used"
    ]
    folder.write("good", age=5)
    assert folder.look() == ["good"]


def test_a_folder_that_can_not_be_read_any_more_keeps_its_keys(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write("one", age=10)
    assert folder.look() == ["one"]
    away = folder.path.with_name("away")
    folder.path.rename(away)
    assert [folder.look(), folder.look()] == [["one"], ["one"]]
    assert len(caplog.records) == 1
    away.rename(folder.path)
    assert folder.look() == ["one"]


def test_a_folder_that_is_not_there_has_no_keys(tmp_path: Path) -> None:
    assert secrets(FolderKeys(tmp_path / "none")) == []
