"""The corpora are large enough to say something, and hold no command twice."""

import pytest

from support.shell_corpora import read_corpus


@pytest.mark.parametrize(("name", "least"), [("nasty", 200), ("everyday", 60)])
def test_a_corpus_is_large_enough(name: str, least: int) -> None:
    commands = read_corpus(name)
    assert len(commands) >= least
    assert len(set(commands)) == len(commands)


def test_no_command_is_in_both() -> None:
    assert not set(read_corpus("nasty")) & set(read_corpus("everyday"))
