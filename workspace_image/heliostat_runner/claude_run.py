"""Runs Claude Code: a new session or an earlier one, resumed once after a stall."""

from __future__ import annotations

from pathlib import Path

from .attempt import Attempt, Lost, Work, remarks_on
from .claude import (
    CONTINUE_PROMPT,
    build_command_line,
    build_correction_prompt,
    find_binary,
    has_session,
    set_session_aside,
)
from .conversation import Conversation
from .environment import BASH_MAX_SECONDS, build_claude
from .memo import read_memo
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
    prompt = CONTINUE_PROMPT
    if memo is not None and memo.failed:
        prompt = build_correction_prompt(memo.failed)
    return await _Run(attempt, binary, session, resumed, prompt).run()


def _missing(why: str) -> Verdict:
    return Verdict(
        Reason.RUNTIME_MISSING,
        f"Claude Code cannot be started: {why}. Use the workspace image or one built on it.",
    )


class _Run:
    def __init__(
        self, attempt: Attempt, binary: Path, session: str, resumed: bool, resume_prompt: str
    ) -> None:
        self._attempt = attempt
        self._binary = binary
        self._session = session
        self._resumed = resumed
        self._resume_prompt = resume_prompt
        self._conversation = Conversation()
        self._remarks: list[str] = []

    async def run(self) -> Work | Lost:
        kills = out_of_memory_kills()
        try:
            ended, watcher = await self._once(self._resumed)
            if ended.stop is Stop.STALLED:
                ended, watcher = await self._again()
        except StartError as error:
            return self._work(_missing(str(error)))
        if self._lost_its_memory(ended, kills):
            return Lost.OUT_OF_MEMORY
        self._remarks += remarks_on(ended)
        return self._work(self._decide(ended, watcher))

    async def _once(self, resume: bool) -> tuple[Ended, ClaudeWatcher]:
        attempt = self._attempt
        document = attempt.document
        if not resume:
            set_session_aside(attempt.settings, self._session)
        watcher = ClaudeWatcher(self._conversation, attempt.transcript, attempt.now)
        ended = await attempt.run(
            build_command_line(
                self._binary,
                document,
                attempt.settings,
                self._session,
                resume,
                self._conversation.turns,
            ),
            build_claude(attempt.environ, attempt.settings, document, attempt.key),
            self._resume_prompt if resume else document.prompt,
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

    def _lost_its_memory(self, ended: Ended, kills: int) -> bool:
        """The kernel ended Claude Code alone: the container's own reason must stay visible."""
        killed = ended.stop is Stop.EXITED and ended.exit_code in (-9, 137)
        return killed and self._conversation.final is None and out_of_memory_kills() > kills

    def _decide(self, ended: Ended, watcher: ClaudeWatcher) -> Verdict | None:
        final = self._conversation.final
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
        if final is not None and final.denials:
            self._remarks.append(
                f"{final.denials} tool calls were refused by tools.allow and deny."
            )
        return Work(
            verdict=verdict,
            text=final.text if final is not None else conversation.last_words,
            session_id=self._session if conversation.session_id else None,
            resumed=self._resumed,
            turns=conversation.turns,
            second_attempts=conversation.second_attempts,
            usage=conversation.usage,
            remarks=tuple(self._remarks),
        )
