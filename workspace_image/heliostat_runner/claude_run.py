"""Runs Claude Code: a new session or an earlier one, resumed once after a stall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .attempt import Attempt, Lost, Work, remarks_on
from .claude import (
    CONTINUE_PROMPT,
    LOST_CALL_PROMPT,
    build_command_line,
    build_correction_prompt,
    find_binary,
    has_session,
    session_file,
    set_session_aside,
)
from .conversation import Conversation
from .environment import BASH_MAX_SECONDS, build_claude
from .guard.attempt_guard import (
    AttemptGuard,
    bypassed,
    decide_guarded,
    guard_of,
    remarks_of,
)
from .guard.bypass import BypassedError
from .guard.session import find_deferred, keep_in_reach
from .memo import Memo, read_memo, write_memo
from .memory import out_of_memory_kills
from .processes import StartError
from .reasons import Reason, Verdict
from .supervision import Ended
from .verdict import decide_claude
from .watchdog import Rules, Stop
from .watchers import ClaudeWatcher


async def run_claude(attempt: Attempt) -> Work | Lost:
    binary = find_binary(attempt.settings)
    if binary is None:
        return Work(_missing("the claude-agent-sdk package holds no claude binary"))
    # The operator chose the id: it knows the session even when a pod is gone without a word.
    session = attempt.document.session
    resumed = attempt.document.resume and has_session(attempt.settings, session)
    attempt.transcript.note("session", sessionId=session, resumed=resumed)
    memo = read_memo(attempt.settings, session) if resumed else None
    if memo is not None and memo.done:
        remark = "The work was done by an earlier attempt and was only verified now."
        return Work(None, memo.done, session, resumed=True, remarks=(remark,))
    async with guard_of(attempt) as guard:
        return await _Run(attempt, binary, guard, resumed, memo or Memo(session)).run()


def _missing(why: str) -> Verdict:
    return Verdict(
        Reason.RUNTIME_MISSING,
        f"Claude Code cannot be started: {why}. Use the workspace image or one built on it.",
    )


class _Run:
    def __init__(
        self, attempt: Attempt, binary: Path, guard: AttemptGuard | None, resumed: bool, memo: Memo
    ) -> None:
        self._attempt = attempt
        self._binary = binary
        self._guard = guard
        self._session = memo.session
        self._resumed = resumed
        self._resume_prompt = (
            build_correction_prompt(memo.failed) if memo.failed else CONTINUE_PROMPT
        )
        self._earlier_turns = memo.turns
        self._conversation = Conversation()
        self._remarks: list[str] = []
        self._waits = False
        """The process takes up a call that waited."""

    async def run(self) -> Work | Lost:
        kills = out_of_memory_kills()
        try:
            ended, watcher = await self._once(self._resumed)
            if self._lost_its_call(ended, watcher):
                ended, watcher = await self._ask_again()
            if ended.stop is Stop.STALLED:
                ended, watcher = await self._again()
        except StartError as error:
            return self._work(_missing(str(error)))
        except BypassedError as error:
            return self._work(bypassed(str(error)))
        if self._lost_its_memory(ended, kills):
            return Lost.OUT_OF_MEMORY
        self._remarks += remarks_on(ended)
        return self._work(self._decide(ended, watcher))

    async def _once(self, resume: bool, may_wait: bool = True) -> tuple[Ended, ClaudeWatcher]:
        """`may_wait`: a call that waits in the session is taken up before anything else."""
        attempt = self._attempt
        document, guard = attempt.document, self._guard
        if not resume:
            set_session_aside(attempt.settings, self._session)
        self._waits = resume and guard is not None and may_wait and self._find_deferred()
        hooks = await guard.begin() if guard else None
        watcher = ClaudeWatcher(self._conversation, attempt.transcript, attempt.now, guard)
        ended = await attempt.run(
            build_command_line(
                self._binary,
                document,
                attempt.settings,
                self._session,
                resume,
                self._earlier_turns + self._conversation.turns,
                hooks,
            ),
            build_claude(attempt.environ, attempt.settings, document, attempt.key),
            self._prompt(resume),
            watcher,
            Rules(
                deadline=attempt.deadline,
                stall_seconds=document.runtime.stall_seconds,
                tool_seconds=BASH_MAX_SECONDS,
                linger_seconds=attempt.settings.linger_seconds,
                max_tokens=document.limits.max_tokens,
            ),
        )
        return ended, watcher

    async def _again(self) -> tuple[Ended, ClaudeWatcher]:
        """The session goes on; one that was never written starts again under the same id."""
        resume = has_session(self._attempt.settings, self._session)
        self._attempt.transcript.note("stalled", sessionId=self._session, resume=resume)
        self._remarks.append("It was resumed once after a stall.")
        self._conversation.restart()
        self._resume_prompt = CONTINUE_PROMPT
        return await self._once(resume)

    def _prompt(self, resume: bool) -> str:
        """Nothing where a call waits: a prompt beside it would make two results."""
        if self._waits:
            return ""
        return self._resume_prompt if resume else self._attempt.document.prompt

    def _find_deferred(self) -> bool:
        path = session_file(self._attempt.settings, self._session)
        if path is None or not find_deferred(path):
            return False
        if keep_in_reach(path):
            self._attempt.transcript.note("deferred_call_copied", sessionId=self._session)
        return True

    def _lost_its_call(self, ended: Ended, watcher: ClaudeWatcher) -> bool:
        """Claude Code does not find the call that waited: nothing was done, nothing was asked."""
        silent = ended.stop is Stop.EXITED and ended.exit_code == 1 and watcher.events == 0
        return self._waits and silent

    async def _ask_again(self) -> tuple[Ended, ClaudeWatcher]:
        """The model is told that its call is lost; what it calls again is asked about again."""
        self._attempt.transcript.note("deferred_call_lost", sessionId=self._session)
        self._remarks.append("The action that waited could no longer be resumed.")
        self._conversation.restart()
        self._resume_prompt = LOST_CALL_PROMPT
        return await self._once(True, may_wait=False)

    def _lost_its_memory(self, ended: Ended, kills: int) -> bool:
        """The kernel ended Claude Code alone: the container's own reason must stay visible."""
        killed = ended.stop is Stop.EXITED and ended.exit_code in (-9, 137)
        return killed and self._conversation.final is None and out_of_memory_kills() > kills

    def _decide(self, ended: Ended, watcher: ClaudeWatcher) -> Verdict | None:
        final = self._conversation.final
        if self._guard is not None and (verdict := decide_guarded(self._guard, final)):
            return verdict
        done = final is not None and final.terminal_reason == "completed" and not final.is_error
        if ended.stop not in (Stop.EXITED, Stop.LINGERED) and not done:
            return self._attempt.verdict_of(ended.stop)
        if ended.stop is Stop.LINGERED:
            self._remarks.append("Claude Code did not leave after its result and was ended.")
        killed = ended.stop is not Stop.EXITED
        return decide_claude(self._conversation, ended.exit_code, killed, watcher.errors.text)

    def _work(self, verdict: Verdict | None) -> Work:
        conversation = self._conversation
        final = conversation.final
        guard = self._guard
        by_rules = [
            call
            for call in (final.denied_calls if final is not None else ())
            if guard is None or not guard.has_denied(call)
        ]
        if by_rules:
            self._remarks.append(
                f"{len(by_rules)} tool calls were refused by tools.allow and deny."
            )
        report = guard.report() if guard else None
        if report is not None:
            self._remarks += remarks_of(report)
        if verdict is not None and verdict.reason is Reason.AWAITING_APPROVAL:
            turns = self._earlier_turns + conversation.turns
            write_memo(self._attempt.settings, Memo(self._session, turns=turns))
        elif report is not None:
            report = replace(report, ask=None)
        return Work(
            verdict=verdict,
            text=final.text if final is not None else conversation.last_words,
            session_id=self._session if conversation.session_id else None,
            resumed=self._resumed,
            turns=conversation.turns,
            second_attempts=conversation.second_attempts,
            usage=conversation.usage,
            remarks=tuple(self._remarks),
            guard=report,
        )
