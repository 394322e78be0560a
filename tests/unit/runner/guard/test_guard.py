from __future__ import annotations

import asyncio
import hashlib
import json
import stat
from collections.abc import Awaitable, Callable

import pytest

from heliostat_policy.actions import CanonicalAction, Operand, canonical_bytes, digest_of
from heliostat_runner.guard.reports import Outcome
from support.builders.guards import VERSION, make_decided, make_guard, make_policy, make_rule

from .conftest import KEY, Asked, post

Begin = Callable[..., Awaitable[Asked]]
SEND = make_rule("Ask", "send")
CURL = make_rule("Ask", "curl")


def action_of(asked: Asked, command: str, operands: tuple[Operand, ...] = ()) -> bytes:
    return canonical_bytes(
        CanonicalAction(
            tool="Bash",
            args={"command": command},
            cwd=str(asked.workspace),
            egress=("example.com:443",),
            operands=operands,
            workspace="sales-1-workspace",
            policy=VERSION,
            execution="u-1",
        )
    )


def approve(digest: str, **changes: object) -> dict[str, object]:
    return make_guard(SEND, CURL, decided=[make_decided("Approve", digest=digest, **changes)])


async def test_an_ask_is_deferred_and_what_it_binds_is_reported(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))

    assert await asked.ask("ls") == ("allow", "")
    assert (await asked.ask("send x", "toolu_2"))[0] == "defer"

    report = asked.guard.report()
    assert report.ask is not None
    canonical = action_of(asked, "send x")
    assert (report.ask.tool_use_id, report.ask.tool) == ("toolu_2", "Bash")
    assert (report.ask.canonical, report.ask.digest) == (canonical, digest_of(canonical))
    assert report.ask.preview == "Bash: send x"
    assert report.denied == 0
    assert (await asked.ask("ls", "toolu_3"))[0] == "deny"
    assert (asked.guard.report().denied, asked.guard.has_denied("toolu_3")) == (0, True)


async def test_of_two_calls_at_once_one_is_deferred(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))

    answers = await asyncio.gather(*(asked.ask(f"send {n}", f"toolu_{n}") for n in range(4)))

    assert sorted(decision for decision, _ in answers) == ["defer", "deny", "deny", "deny"]


async def test_a_grant_allows_once_and_the_receipt_says_what_came(begin: Begin) -> None:
    first = await begin(make_guard(SEND))
    digest = digest_of(action_of(first, "send x"))
    asked = await begin(approve(digest))

    assert (await asked.ask("send x"))[0] == "allow"
    [committed] = asked.guard.report().receipts
    assert (committed.approval, committed.outcome) == ("a-1", Outcome.COMMITTED)
    decision, words = await asked.ask("send x")
    assert (decision, "Its outcome is not known" in words) == ("deny", True)
    response = {"stdout": f"sent {KEY}\n", "stderr": "", "interrupted": False}
    assert await asked.event("PostToolUse", tool_response=response) == {}

    [done] = asked.guard.report().receipts
    assert (done.outcome, done.digest, done.text) == (Outcome.DONE, digest, "sent [key]")
    decision, words = await asked.ask("send x", "toolu_2")
    assert (decision, "done already; result: sent [key]" in words) == ("deny", True)


async def test_a_grant_that_another_process_used_is_spent(begin: Begin) -> None:
    digest = digest_of(action_of(await begin(make_guard(SEND)), "send x"))
    assert (await (await begin(approve(digest))).ask("send x"))[0] == "allow"
    later = await begin(approve(digest))

    decision, words = await later.ask("send x")

    assert (decision, "started already" in words) == ("deny", True)
    [receipt] = later.guard.report().receipts
    assert receipt.outcome is Outcome.COMMITTED


async def test_a_grant_that_cannot_be_marked_is_not_used(begin: Begin) -> None:
    digest = digest_of(action_of(await begin(make_guard(SEND)), "send x"))
    asked = await begin(approve(digest))
    (asked.workspace.parent / "state").write_text("no folder")

    decision, words = await asked.ask("send x")

    assert (decision, "it was not begun" in words) == ("deny", True)
    assert (asked.guard.report().receipts, asked.guard.report().unused) == ((), "mark")


async def test_a_failure_is_a_receipt_of_its_own(begin: Begin) -> None:
    digest = digest_of(action_of(await begin(make_guard(SEND)), "send x"))
    asked = await begin(approve(digest))
    await asked.ask("send x")

    await asked.event("PostToolUseFailure", error="Exit code 22")
    await asked.event("PostToolUse", "toolu_9", tool_response={"stdout": "other"})

    [receipt] = asked.guard.report().receipts
    assert (receipt.outcome, receipt.text) == (Outcome.FAILED, "Exit code 22")


async def test_a_call_that_is_cut_off_stays_committed(begin: Begin) -> None:
    digest = digest_of(action_of(await begin(make_guard(SEND)), "send x"))
    asked = await begin(approve(digest))
    await asked.ask("send x")

    await asked.event("PostToolUseFailure", error="interrupted", is_interrupt=True)

    [receipt] = asked.guard.report().receipts
    assert (receipt.outcome, receipt.text) == (Outcome.COMMITTED, "interrupted")
    assert (await asked.ask("send x"))[0] == "deny"


@pytest.mark.parametrize(("mode", "decision"), [("Enforce", "deny"), ("Observe", "")])
async def test_a_defect_of_the_guard_lets_nothing_pass_where_it_is_enforced(
    begin: Begin, mode: str, decision: str
) -> None:
    asked = await begin(make_guard(SEND, mode=mode), deny=("Edit(/x/**)",))

    found = await asked.event(
        "PreToolUse", tool_name="Edit", tool_input={"file_path": "/etc/a\0b", "old_string": "x"}
    )

    output = found.get("hookSpecificOutput", {})
    assert isinstance(output, dict)
    assert output.get("permissionDecision", "") == decision
    assert asked.notes[-1]["decision"] == "failed"


async def test_a_changed_call_is_denied_and_told(begin: Begin) -> None:
    digest = digest_of(action_of(await begin(make_guard(SEND)), "send x"))
    asked = await begin(approve(digest))

    decision, words = await asked.ask("send y")

    assert (decision, "no longer the one that was approved" in words) == ("deny", True)
    report = asked.guard.report()
    assert (report.receipts, report.denied, report.unused) == ((), 1, "changed")
    [note] = asked.notes
    assert (note["decision"], note["why"]) == ("deny", "changed")


async def test_the_executions_key_is_in_no_action(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))

    decision, words = await asked.ask(f"send {KEY}")

    assert (decision, "holds the run's own key" in words, KEY in words) == ("deny", True, False)


async def test_an_input_without_a_canonical_form_is_denied(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))

    for given in ({"command": "send x", "timeout": float("inf")}, {"command": "send \ud800"}, None):
        answer = await asked.event("PreToolUse", tool_input=given)
        output = answer["hookSpecificOutput"]
        assert isinstance(output, dict)
        assert output["permissionDecision"] == "deny"


async def test_a_tool_that_nobody_listed_is_left_to_claude_code(begin: Begin) -> None:
    asked = await begin(make_guard(SEND), allow=("Bash(ls:*)",), deny=("Bash(ls -l:*)",))

    assert await asked.ask("ls a") == ("allow", "")
    assert await asked.ask("ls -l a", "toolu_2") == ("", "")
    assert await asked.ask("make", "toolu_3") == ("", "")
    assert (await asked.ask("send x", "toolu_4"))[0] == "deny"


async def test_the_settings_go_at_the_first_question_and_are_for_their_owner(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))
    assert stat.S_IMODE(asked.settings.stat().st_mode) == 0o600
    assert stat.S_IMODE(asked.settings.parent.stat().st_mode) == 0o700
    assert not asked.settings.is_relative_to(asked.workspace)

    await asked.event("UserPromptSubmit")

    assert not asked.settings.parent.exists()


async def test_who_does_not_know_the_secret_is_not_answered(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))
    event = json.dumps({"hook_event_name": "UserPromptSubmit"}).encode()

    for secret in ("", "Bearer x", asked.hook.secret[:-1]):
        assert await post(asked.hook, event, secret) == (403, b"")

    assert asked.settings.exists()
    assert (await post(asked.hook, b"no JSON"))[0] == 400
    assert (await post(asked.hook, b"[]"))[0] == 400
    assert (await post(asked.hook, event))[0] == 200


async def test_a_new_process_has_deferred_nothing(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))
    await asked.ask("send x")

    await asked.guard.begin()

    assert asked.guard.report().ask is None
    assert (await asked.ask("send x", "toolu_2"))[0] == "defer"


async def test_observe_lets_all_pass_and_counts_what_would_have_waited(begin: Begin) -> None:
    asked = await begin(make_guard(SEND, mode="Observe"))
    settings = json.loads(asked.settings.read_text())
    assert set(settings["hooks"]) == {"PreToolUse"}
    assert "onFailure" not in settings["hooks"]["PreToolUse"][0]["hooks"][0]

    for number in range(7):
        assert await asked.ask("send x", f"toolu_{number}") == ("", "")
    assert await asked.ask("ls", "toolu_9") == ("", "")
    asked.guard.see({"type": "system", "subtype": "init"})

    report = asked.guard.report()
    assert (report.would_ask_count, len(report.would_ask)) == (7, 1)
    assert report.would_ask[0].tool == "Bash"
    assert asked.guard.bypass == ""


async def test_a_process_without_a_prompt_has_passed_by(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))
    asked.guard.see({"type": "system", "subtype": "init"})
    assert asked.guard.bypass == "Claude Code began without the guard's hook"

    other = await begin(make_guard(SEND))
    await other.event("UserPromptSubmit")
    other.guard.see({"type": "system", "subtype": "init"})
    assert other.guard.bypass == ""


async def test_a_link_does_not_hide_where_a_call_writes_or_reads(begin: Begin) -> None:
    asked = await begin(make_guard(SEND))
    home = asked.workspace.parent / "home"
    home.mkdir()
    (asked.workspace / "out").symlink_to(home)
    (asked.workspace / "inner").symlink_to(asked.workspace)
    (asked.workspace / "key").symlink_to(home / ".ssh" / "id_rsa")

    async def decide(tool: str, path: str) -> tuple[object, bool]:
        given = {"file_path": str(asked.workspace / path), "content": "x"}
        answer = await asked.event("PreToolUse", path, tool_name=tool, tool_input=given)
        output = answer["hookSpecificOutput"]
        assert isinstance(output, dict)
        words = str(output["permissionDecisionReason"])
        return output["permissionDecision"], "A link leads this call to" in words

    assert await decide("Write", "a.txt") == ("allow", False)
    assert await decide("Write", "inner/a.txt") == ("allow", False)
    assert await decide("Write", "out/a.txt") == ("deny", True)
    assert await decide("Read", "a.txt") == ("allow", False)
    assert await decide("Read", "key") == ("deny", True)
    assert asked.guard.report().denied == 0


async def test_a_link_that_came_while_a_call_waited_is_not_followed(begin: Begin) -> None:
    rule = {"decision": "Ask", "class": "WriteInside"}
    guard = make_guard(rule)
    asked = await begin(guard)
    given = {"file_path": str(asked.workspace / "notes" / "a.txt"), "content": "x"}
    await asked.event("PreToolUse", tool_name="Write", tool_input=given)
    ask = asked.guard.report().ask
    assert ask is not None
    (asked.workspace / "notes").symlink_to(asked.workspace / ".git" / "hooks")
    granted = {**guard, "decided": [make_decided("Approve", digest=ask.digest)]}
    strict = {
        **granted,
        "policy": make_policy(rule, {"decision": "Refuse", "class": "DeleteOutside"}),
    }
    later = await begin(strict)

    answer = await later.event("PreToolUse", tool_name="Write", tool_input=given)

    assert "A link leads this call to" in str(answer)
    report = later.guard.report()
    assert (report.receipts, report.unused) == ((), "link")


@pytest.mark.parametrize("change", ["edit", "remove"])
async def test_a_file_that_is_sent_is_bound(begin: Begin, change: str) -> None:
    asked = await begin(make_guard(CURL))
    report = asked.workspace / "report.md"
    report.write_text("one")
    command = "curl --data-binary @report.md https://example.com/"
    await asked.ask(command)
    ask = asked.guard.report().ask
    assert ask is not None
    sha256 = hashlib.sha256(b"one").hexdigest()
    assert ask.canonical == action_of(asked, command, (Operand("report.md", sha256),))
    if change == "edit":
        report.write_text("two")
    else:
        report.unlink()

    later = await begin(approve(ask.digest))
    decision, words = await later.ask(command)

    assert (decision, "no longer the one" in words) == ("deny", True)
    report.write_text("one")
    assert (await (await begin(approve(ask.digest))).ask(command))[0] == "allow"


async def test_a_file_that_changes_while_it_is_sent_is_told(begin: Begin) -> None:
    asked = await begin(make_guard(CURL))
    report = asked.workspace / "report.md"
    report.write_text("one")
    command = "curl --data-binary @report.md https://example.com/"
    await asked.ask(command)
    ask = asked.guard.report().ask
    assert ask is not None
    later = await begin(approve(ask.digest))
    await later.ask(command)
    report.write_text("two")

    await later.event("PostToolUse", tool_response={"stdout": "ok"})

    [receipt] = later.guard.report().receipts
    assert receipt.text == "A file that it used has changed since it began. ok"
