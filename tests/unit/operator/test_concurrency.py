"""Who may start next: limits are never exceeded, priorities hold, nobody waits for ever."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from heliostat_core.conditions import ExecutionCondition, FinishedReason, set_condition
from heliostat_core.executions import Execution
from heliostat_operator.runs.concurrency import ConcurrencyLimiter
from heliostat_operator.runs.observations import LimitUse
from support.builders.resources import (
    NOW,
    make_agent,
    make_condition_status,
    make_execution,
    seconds,
)

AGING = 300.0


def make_waiting(name: str, *, after: float = 0, priority: int | None = None) -> Execution:
    return make_execution(name, created=NOW + seconds(after), priority=priority)


def admitted(execution: Execution) -> Execution:
    return execution.model_copy(update={"status": make_condition_status()})


def finished(execution: Execution) -> Execution:
    conditions = set_condition(
        (),
        ExecutionCondition.SUCCEEDED,
        "True",
        FinishedReason.VERIFIED,
        "",
        generation=1,
        now=NOW,
    )
    status = execution.status.model_copy(update={"conditions": conditions})
    return execution.model_copy(update={"status": status})


def make_board(*executions: Execution, total: int = 1, limit: int = 10) -> ConcurrencyLimiter:
    limiter = ConcurrencyLimiter(total, AGING)
    limiter.see_agent(make_agent(maxConcurrentExecutions=limit))
    for each in executions:
        limiter.see_execution(each)
    return limiter


def granted(limiter: ConcurrencyLimiter) -> set[str]:
    return {name for _, name in limiter.granted()}


def test_the_older_of_two_equals_starts_first() -> None:
    limiter = make_board(make_waiting("young", after=1), make_waiting("old"))
    assert granted(limiter) == {"old"}


def test_a_higher_priority_starts_first_whatever_its_age() -> None:
    limiter = make_board(make_waiting("old"), make_waiting("urgent", after=1, priority=9))
    assert granted(limiter) == {"urgent"}


def test_waiting_raises_the_priority() -> None:
    soon = make_waiting("urgent", after=2999, priority=10)
    assert granted(make_board(make_waiting("old", priority=0), soon)) == {"urgent"}
    late = make_waiting("urgent", after=3001, priority=10)
    assert granted(make_board(make_waiting("old", priority=0), late)) == {"old"}


def test_an_agent_at_its_limit_does_not_hold_up_the_others() -> None:
    busy = admitted(make_waiting("runs"))
    limiter = make_board(busy, make_waiting("blocked", priority=10), total=5, limit=1)
    limiter.see_agent(make_agent("other"))
    limiter.see_execution(make_execution("free", agent="other", priority=0))
    assert granted(limiter) == {"free"}


def test_nothing_of_a_suspended_or_unknown_agent_is_granted() -> None:
    limiter = ConcurrencyLimiter(5, AGING)
    limiter.see_execution(make_waiting("unknown"))
    assert granted(limiter) == set()
    limiter.see_agent(make_agent(suspend=True))
    assert granted(limiter) == set()


def test_a_paused_agent_takes_no_slot() -> None:
    limiter = make_board(make_waiting("dear", priority=10), total=1)
    limiter.see_agent(make_agent("other"))
    limiter.see_execution(make_execution("free", agent="other", priority=0))
    paused = ("default", "sales")
    assert granted(limiter) == {"dear"}
    limiter.see_pause(paused, paused=True)
    assert granted(limiter) == {"free"}
    limiter.see_pause(paused, paused=False)
    assert granted(limiter) == {"dear"}
    limiter.see_pause(paused, paused=True)
    limiter.forget_agent(paused)
    limiter.see_agent(make_agent())
    assert granted(limiter) == {"dear"}


def test_what_is_being_stopped_waits_for_no_slot() -> None:
    stopped = make_execution("stopped", priority=10, cancel=True)
    assert granted(make_board(stopped, make_waiting("next"))) == {"next"}


def test_an_old_event_does_not_take_an_admission_back() -> None:
    # The watch brings what we wrote a moment ago, finalizer first, after we wrote the admission.
    first, urgent = make_waiting("first"), make_waiting("urgent", after=1, priority=9)
    limiter = make_board(admitted(first))
    limiter.see_execution(first)
    assert not limiter.slot_status(urgent).granted


def test_a_slot_that_is_being_taken_is_not_given_to_a_later_one() -> None:
    # Both are looked at at once: the first is granted and not yet written when the second comes.
    first, urgent = make_waiting("first"), make_waiting("urgent", after=1, priority=9)
    limiter = make_board(first)
    assert limiter.slot_status(first).granted
    assert not limiter.slot_status(urgent).granted
    limiter.release(("default", "first"))
    assert limiter.slot_status(urgent).granted


def test_an_execution_that_is_made_again_waits_like_any_other() -> None:
    limiter = make_board(admitted(make_waiting("again")))
    anew = make_execution("again", uid="another")
    limiter.see_execution(anew)
    assert granted(limiter) == {"again"}
    assert limiter.active(("default", "sales")) == 0


def test_the_answer_counts_a_slot_that_is_about_to_be_taken() -> None:
    limiter = make_board(make_waiting("first"), make_waiting("second", after=1), total=9, limit=1)
    slots = limiter.slot_status(make_waiting("second", after=1))
    assert (slots.granted, slots.agent) == (False, LimitUse(1, 1))
    assert slots.ahead == 1


def test_what_came_while_a_list_was_read_stays_on_the_board() -> None:
    limiter = make_board(make_waiting("listed"), make_waiting("gone"))
    before = limiter.known()
    limiter.see_execution(admitted(make_waiting("new")))
    limiter.keep_only(before, [("default", "listed")], [("default", "sales")])
    assert ("default", "new") in limiter
    assert ("default", "gone") not in limiter


class Boards(RuleBasedStateMachine):
    """Executions come, are admitted when granted, end; Agents change; time passes."""

    total = 3

    def __init__(self) -> None:
        super().__init__()
        self.limiter = ConcurrencyLimiter(self.total, AGING)
        self.now = 0.0
        self.waiting: dict[str, Execution] = {}
        self.running: dict[str, Execution] = {}
        self.looking: set[str] = set()
        self.limits: dict[str, int] = {}
        self.count = 0
        for agent in ("a", "b"):
            self.edit(agent, 2)

    @rule(agent=st.sampled_from(["a", "b"]), limit=st.integers(1, 3))
    def edit(self, agent: str, limit: int) -> None:
        self.limits[agent] = max(limit, self.limits.get(agent, 0))  # a lower one ends no run
        self.limiter.see_agent(make_agent(agent, maxConcurrentExecutions=self.limits[agent]))

    @rule(agent=st.sampled_from(["a", "b"]), priority=st.integers(0, 10))
    def create(self, agent: str, priority: int) -> None:
        self.count += 1
        name = f"e{self.count}"
        created = NOW + seconds(self.now)
        made = make_execution(name, agent=agent, created=created, priority=priority)
        self.waiting[name] = made
        self.limiter.see_execution(made)

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """A worker begins: it is granted a slot or not."""
        names = sorted(self.waiting.keys() - self.looking)
        if names:
            name = data.draw(st.sampled_from(names))
            if self.limiter.slot_status(self.waiting[name]).granted:
                self.looking.add(name)

    @rule(data=st.data(), written=st.booleans())
    def end_a_look(self, data: st.DataObject, written: bool) -> None:
        """The worker's status write arrived, or a conflict refused it."""
        if not self.looking:
            return
        name = data.draw(st.sampled_from(sorted(self.looking)))
        self.looking.discard(name)
        if written:
            self.running[name] = admitted(self.waiting.pop(name))
            self.limiter.see_execution(self.running[name])
        self.limiter.release(("default", name))

    @rule(data=st.data())
    def hear_an_old_event(self, data: st.DataObject) -> None:
        if self.running:
            name = data.draw(st.sampled_from(sorted(self.running)))
            old = self.running[name].model_copy(update={"status": make_waiting(name).status})
            self.limiter.see_execution(old)

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if self.running:
            name = data.draw(st.sampled_from(sorted(self.running)))
            self.limiter.see_execution(finished(self.running.pop(name)))

    @rule(count=st.sampled_from([1.0, 40.0, 400.0]))
    def pass_time(self, count: float) -> None:
        self.now += count

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        taken = [*self.running.values(), *(self.waiting[name] for name in self.looking)]
        assert len(taken) <= self.total
        for agent, limit in self.limits.items():
            assert sum(each.spec.agent_ref.name == agent for each in taken) <= limit

    def teardown(self) -> None:
        """However many urgent ones keep coming, the oldest is granted before long."""
        if not self.waiting:
            return
        oldest = min(self.waiting.values(), key=lambda each: each.metadata.uid)
        for _ in range(60):
            self.now += AGING
            self.looking.clear()
            for name in [*self.waiting, *self.running]:
                self.limiter.release(("default", name))
            for name in list(self.running):
                self.limiter.see_execution(finished(self.running.pop(name)))
            for _ in range(4):
                self.create(oldest.spec.agent_ref.name, 10)
            grants = self.limiter.granted()
            if ("default", oldest.metadata.name) in grants:
                return
            for _, name in grants:
                self.running[name] = admitted(self.waiting.pop(name))
                self.limiter.see_execution(self.running[name])
        raise AssertionError(f"{oldest.metadata.name} starves")


TestBoards = Boards.TestCase
TestBoards.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
