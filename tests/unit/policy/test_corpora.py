"""No nasty command passes for harmless, and few everyday ones are asked about."""

import pytest

from heliostat_policy.classes import ActionClass, Decision
from heliostat_policy.rules import Call, Policy, Verdict, judge
from support.shell_corpora import read_corpus


@pytest.mark.parametrize(("name", "least"), [("nasty", 200), ("everyday", 60)])
def test_a_corpus_is_large_enough(name: str, least: int) -> None:
    commands = read_corpus(name)
    assert len(commands) >= least
    assert len(set(commands)) == len(commands)


def test_no_command_is_in_both() -> None:
    assert not set(read_corpus("nasty")) & set(read_corpus("everyday"))


def _judge(command: str, policy: Policy) -> Verdict:
    return judge(policy, Call("Bash", {"command": command}, "/workspace", "/workspace"))


@pytest.mark.parametrize("command", read_corpus("nasty"))
def test_a_nasty_command_is_not_allowed(command: str) -> None:
    found = _judge(command, Policy())
    assert found.decision is Decision.ASK
    assert found.class_ not in (ActionClass.READ, ActionClass.WRITE_INSIDE, ActionClass.EXECUTE)


@pytest.mark.parametrize("command", read_corpus("nasty"))
def test_with_egress_a_nasty_command_at_least_reaches_the_network(command: str) -> None:
    found = _judge(command, Policy(egress=True, secret_refs=True))
    harmless = (ActionClass.READ, ActionClass.WRITE_INSIDE, ActionClass.EXECUTE)
    assert found.class_ not in harmless
    assert found.decision is Decision.ASK or found.class_ is ActionClass.NETWORK


def test_few_everyday_commands_are_asked_about() -> None:
    commands = read_corpus("everyday")
    asked = [each for each in commands if _judge(each, Policy()).decision is not Decision.ALLOW]
    assert len(asked) <= len(commands) // 10, asked
