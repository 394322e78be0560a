"""The guard of one attempt: answers Claude Code's hook and keeps what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from heliostat_policy.classes import Decision
from heliostat_policy.rules import Call, Policy, Verdict, judge

from ..api import in_thread
from ..claude import Hooks
from ..jsonvalue import JsonObject, dump, look, text_at
from . import words
from .actions import Action, ProblemError, build_action
from .bypass import BypassedError, StreamCheck
from .canary import try_hook
from .decisions import Answer, Case, Kind, Progress, decide, needs_digest
from .document import Decided, GuardTerms
from .hook_settings import Hook, SettingsFile
from .links import find_stricter_place
from .operands import have_changed, read_operands
from .protocol import (
    CANARY,
    Event,
    Permission,
    Question,
    build_answer,
    read_question,
    summarize_response,
)
from .reports import Ask, GuardReport, Outcome, Receipt, UnaskedCall, shown_calls
from .server import HookServer
from .tool_rules import ToolRules, needs_no_rule

_NOTHING: JsonObject = {}
_PERMISSIONS: Mapping[Kind, Permission] = {
    Kind.ALLOW: Permission.ALLOW,
    Kind.GRANT: Permission.ALLOW,
    Kind.DENY: Permission.DENY,
    Kind.TELL: Permission.DENY,
    Kind.DEFER: Permission.DEFER,
}


@dataclass(frozen=True)
class Surroundings:
    """What the guard needs of the attempt."""

    execution: str
    """The uid of the Execution."""
    workspace: Path
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    key: str
    spend: Callable[[str], bool]
    """Marks the grant of an Approval as used; False if it was before."""
    mask: Callable[[str], str]
    note: Callable[..., None]
    clock: Callable[[], datetime]
    """Now, with its zone."""


@dataclass
class _Process:
    """One process of Claude Code."""

    settings: SettingsFile
    check: StreamCheck
    deferred: Action | None = None


class Guard:
    def __init__(self, terms: GuardTerms, around: Surroundings) -> None:
        self._terms = terms
        self._around = around
        self._root = str(around.workspace.resolve())
        self._allowed = ToolRules(around.allow, around.workspace)
        self._excluded = ToolRules(around.deny, around.workspace)
        self._hook = Hook("", f"Bearer {secrets.token_urlsafe(32)}")
        self._server = HookServer(self._take, self._hook.secret)
        self._process: _Process | None = None
        self._granted: dict[str, tuple[Decided, Action]] = {}
        """Calls that were allowed by a grant, by their id."""
        self._receipts: dict[str, Receipt] = {}
        self._done: dict[str, str] = {}
        self._unused = ""
        self._denied: set[str] = set()
        self._told: set[str] = set()
        """Calls that did not happen, and are no actions that were denied."""
        self._would_ask: list[UnaskedCall] = []

    async def open(self) -> None:
        self._hook = replace(self._hook, url=await self._server.open())

    def close(self) -> None:
        self._server.close()
        if self._process is not None:
            self._process.settings.remove()

    # ---- one process ----------------------------------------------------------------------------

    async def begin(self) -> Hooks | None:
        """Prepares for a new process; what it is to be given. Raises BypassedError.

        None where a run is only observed and the hook cannot be set up.
        """
        if self._process is not None:
            self._process.settings.remove()
        enforced = self._terms.is_enforced
        try:
            settings = SettingsFile(self._hook, enforced, self._terms.grant is not None)
        except OSError as error:
            if enforced:
                raise BypassedError(f"its settings cannot be written: {error}") from error
            return None
        self._process = _Process(settings, StreamCheck())
        if enforced and (wrong := await try_hook(settings.read(), self._root)):
            raise BypassedError(wrong)
        return Hooks(settings.path, enforced)

    @property
    def bypass(self) -> str:
        """How the guard was passed by; empty while it was not."""
        return self._process.check.bypass if self._process else ""

    def see(self, event: JsonObject) -> None:
        """Takes in one event of Claude Code's stream."""
        if self._process is not None and self._terms.is_enforced:
            self._process.check.see(event)

    def has_denied(self, tool_use_id: str) -> bool:
        return tool_use_id in self._denied | self._told

    def report(self) -> GuardReport:
        """What came of it so far; the ask is that of the last process."""
        action = self._process.deferred if self._process else None
        return GuardReport(
            ask=self._ask_of(action) if action else None,
            receipts=tuple(self._receipts.values()),
            denied=len(self._denied),
            unused=self._unused,
            would_ask=shown_calls(self._would_ask),
            would_ask_count=len(self._would_ask),
        )

    def _ask_of(self, action: Action) -> Ask:
        shown = self._around.mask(action.preview)
        return Ask(action.tool_use_id, action.tool, action.digest, action.canonical, shown)

    # ---- events of the hooks --------------------------------------------------------------------

    async def _take(self, event: JsonObject) -> JsonObject:
        name = text_at(event, "hook_event_name")
        if name == Event.BEFORE_TOOL and text_at(event, "tool_name") == CANARY:
            return self._answer_canary(event)
        process = self._process
        if process is None:
            return _NOTHING
        process.settings.remove()  # the secret in it has been read
        if name == Event.PROMPT:
            process.check.greeted = True
        elif name in (Event.AFTER_TOOL, Event.AFTER_FAILURE):
            await self._keep_receipt(event, failed=name == Event.AFTER_FAILURE)
        elif name == Event.BEFORE_TOOL:
            return await self._answer(process, event)
        return _NOTHING

    def _answer_canary(self, event: JsonObject) -> JsonObject:
        """Judged by the defaults of a run that may ask: it must be deferred."""
        question = read_question(event)
        if question is None:
            return _NOTHING
        policy = Policy(rules=())
        terms = replace(
            self._terms, policy=policy, unattended=None, can_ask=True, asks_left=1, decided=()
        )
        case = Case(question, self._judge(policy, question), self._root)
        return _encode(decide(terms, case, Progress(), self._around.clock()))

    async def _answer(self, process: _Process, event: JsonObject) -> JsonObject:
        question = read_question(event)
        if question is None:
            return build_answer(Permission.DENY, words.NO_JUDGEMENT)
        process.check.asked.add(question.tool_use_id)
        try:
            return await self._judge_and_decide(process, question)
        except Exception as error:  # noqa: BLE001 - a defect here must not let a call pass
            self._around.note("guard", decision="failed", tool=question.tool, why=repr(error))
            if not self._terms.is_enforced:
                return _NOTHING
            self._denied.add(question.tool_use_id)
            return build_answer(Permission.DENY, words.NO_JUDGEMENT)

    async def _judge_and_decide(self, process: _Process, question: Question) -> JsonObject:
        verdict = self._judge(self._terms.policy, question)
        if not self._terms.is_enforced:
            self._observe(question, verdict)
            return _NOTHING
        case, action = await self._find_out(process, question, verdict)
        # No other call is decided between here and what is kept of this one: one is first.
        answer = decide(self._terms, case, self._progress(process), self._around.clock())
        return _encode(self._keep(process, question, action, answer))

    def _judge(self, policy: Policy, question: Question) -> Verdict:
        return judge(policy, Call(question.tool, question.input, question.cwd, self._root))

    def _progress(self, process: _Process) -> Progress:
        deferred = process.deferred.tool_use_id if process.deferred else ""
        return Progress(deferred, frozenset(self._receipts), self._done)

    async def _find_out(
        self, process: _Process, question: Question, verdict: Verdict
    ) -> tuple[Case, Action | None]:
        """What the decision needs; files are read only where a person is concerned."""
        case = Case(
            question,
            verdict,
            self._root,
            is_listed=self._allowed.name(question)
            or needs_no_rule(question, self._around.workspace),
            is_excluded=self._excluded.name_part(question),
            linked=find_stricter_place(self._terms.policy, verdict, question, self._root),
            input_bytes=len(dump(question.input).encode(errors="replace")),
        )
        if process.deferred is not None or not needs_digest(self._terms, case):
            return case, None
        try:
            action = await self._build(question, verdict.operands)
        except ProblemError as error:
            return replace(case, problem=str(error)), None
        return replace(case, digest=action.digest), action

    async def _build(self, question: Question, paths: tuple[str, ...]) -> Action:
        operands = await in_thread(lambda: read_operands(paths, question.cwd))
        action = build_action(self._terms, self._around.execution, question, operands)
        if self._around.key and self._around.key.encode() in action.canonical:
            raise ProblemError("it holds the run's own key. Make the call without it.")
        return action

    def _keep(
        self, process: _Process, question: Question, action: Action | None, answer: Answer
    ) -> Answer:
        """Notes what is answered, before it is answered."""
        if answer.kind is Kind.GRANT:
            answer = self._commit(question, action)
        if answer.kind is Kind.DEFER and process.deferred is None:
            process.deferred = action
        if answer.kind in (Kind.TELL, Kind.DENY):
            (self._denied if answer.kind is Kind.DENY else self._told).add(question.tool_use_id)
            self._keep_refusal(question, answer)
        if answer.kind not in (Kind.ALLOW, Kind.PASS):
            self._around.note(
                "guard",
                decision=_PERMISSIONS[answer.kind].value,
                why=answer.code,
                tool=question.tool,
                toolUseId=question.tool_use_id,
                digest=action.digest if action else "",
            )
        return answer

    # ---- grants and receipts --------------------------------------------------------------------

    def _commit(self, question: Question, action: Action | None) -> Answer:
        """Spends the grant: from here on the action may have happened."""
        decided = self._terms.grant
        if decided is None or action is None:
            return Answer(Kind.DENY, words.NO_JUDGEMENT, "failed")
        try:
            fresh = self._around.spend(decided.approval)
        except OSError as error:
            self._around.note("guard", decision="failed", tool=question.tool, why=repr(error))
            return Answer(Kind.DENY, words.NO_MARK, "mark")
        told = "" if fresh else "It was begun in an earlier attempt."
        self._receipts[decided.approval] = Receipt(
            decided.approval, decided.digest, Outcome.COMMITTED, told
        )
        if not fresh:
            return Answer(Kind.DENY, words.SPENT, "spent")
        self._granted[question.tool_use_id] = (decided, action)
        return Answer(Kind.GRANT)

    def _keep_refusal(self, question: Question, answer: Answer) -> None:
        """An approved action that did not begin has no receipt: its grant was not used."""
        decided = self._terms.grant
        if decided is None or decided.tool_use_id != question.tool_use_id:
            return
        if decided.approval not in self._receipts:
            self._unused = answer.code

    async def _keep_receipt(self, event: JsonObject, failed: bool) -> None:
        found = self._granted.get(text_at(event, "tool_use_id"))
        if found is None:
            return
        decided, action = found
        text = summarize_response(event)
        if await in_thread(lambda: have_changed(action.operands, action.cwd)):
            text = f"A file that it used has changed since it began. {text}"
        text = self._around.mask(text)
        outcome = Outcome.FAILED if failed else Outcome.DONE
        if look(event, "is_interrupt") is True:
            outcome = Outcome.COMMITTED  # cut off: what it did until then is not known
        else:
            self._done[action.digest] = text
        self._receipts[decided.approval] = Receipt(decided.approval, decided.digest, outcome, text)
        self._around.note("guard", decision="receipt", outcome=outcome.value, digest=action.digest)

    # ---- Observe --------------------------------------------------------------------------------

    def _observe(self, question: Question, verdict: Verdict) -> None:
        if verdict.decision is Decision.ALLOW or self._excluded.name_part(question):
            return
        call = UnaskedCall(question.tool, verdict.class_.value, self._around.mask(verdict.target))
        self._would_ask.append(call)
        self._around.note(
            "guard", decision="wouldAsk", toolUseId=question.tool_use_id, **call.to_json()
        )


def _encode(answer: Answer) -> JsonObject:
    permission = _PERMISSIONS.get(answer.kind)
    return _NOTHING if permission is None else build_answer(permission, answer.words)
