"""Who may start next: limits are never exceeded, priorities hold, nobody waits for ever."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from heliostat_core.conditions import ExecutionCondition, FinishedReason, set_condition
from heliostat_core.executions import Execution
from heliostat_operator.runs.seats import Board
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


def make_board(*executions: Execution, total: int = 1, limit: int = 10) -> Board:
    board = Board(total, AGING)
    board.see_agent(make_agent(maxConcurrentExecutions=limit))
    for each in executions:
        board.see_execution(each)
    return board


def granted(board: Board, after: float = 0) -> set[str]:
    return {name for _, name in board.granted(NOW + seconds(after))}


def test_the_older_of_two_equals_starts_first() -> None:
    board = make_board(make_waiting("young", after=1), make_waiting("old"))
    assert granted(board, after=1) == {"old"}


def test_a_higher_priority_starts_first_whatever_its_age() -> None:
    board = make_board(make_waiting("old"), make_waiting("urgent", after=1, priority=9))
    assert granted(board, after=1) == {"urgent"}


def test_waiting_raises_the_priority() -> None:
    board = make_board(
        make_waiting("old", priority=0), make_waiting("urgent", after=3001, priority=10)
    )
    assert granted(board, after=2999) == {"urgent"}
    assert granted(board, after=3040) == {"old"}


def test_an_agent_at_its_limit_does_not_hold_up_the_others() -> None:
    busy = admitted(make_waiting("runs"))
    board = make_board(busy, make_waiting("blocked", priority=10), total=5, limit=1)
    board.see_agent(make_agent("other"))
    board.see_execution(make_execution("free", agent="other", priority=0))
    assert granted(board) == {"free"}


def test_nothing_of_a_suspended_or_unknown_agent_is_granted() -> None:
    board = Board(5, AGING)
    board.see_execution(make_waiting("unknown"))
    assert granted(board) == set()
    board.see_agent(make_agent(suspend=True))
    assert granted(board) == set()


def test_a_paused_agent_takes_nobodys_seat() -> None:
    board = make_board(make_waiting("dear", priority=10), total=1)
    board.see_agent(make_agent("other"))
    board.see_execution(make_execution("free", agent="other", priority=0))
    paused = ("default", "sales")
    assert granted(board) == {"dear"}
    board.see_pause(paused, paused=True)
    assert granted(board) == {"free"}
    board.see_pause(paused, paused=False)
    assert granted(board) == {"dear"}
    board.see_pause(paused, paused=True)
    board.forget_agent(paused)
    board.see_agent(make_agent())
    assert granted(board) == {"dear"}


def test_what_is_being_stopped_waits_for_no_seat() -> None:
    stopped = make_execution("stopped", priority=10, cancel=True)
    assert granted(make_board(stopped, make_waiting("next"))) == {"next"}


def test_an_old_event_does_not_take_an_admission_back() -> None:
    # The watch brings what we wrote a moment ago, finalizer first, after we wrote the admission.
    first, urgent = make_waiting("first"), make_waiting("urgent", after=1, priority=9)
    board = make_board(admitted(first))
    board.see_execution(first)
    assert not board.seats(urgent, NOW + seconds(1)).granted


def test_a_seat_that_is_being_taken_is_not_given_to_a_later_one() -> None:
    # Both are looked at at once: the first is granted and not yet written when the second comes.
    first, urgent = make_waiting("first"), make_waiting("urgent", after=1, priority=9)
    board = make_board(first)
    assert board.seats(first, NOW).granted
    assert not board.seats(urgent, NOW + seconds(1)).granted
    board.let_go(("default", "first"))
    assert board.seats(urgent, NOW + seconds(1)).granted


def test_an_execution_that_is_made_again_waits_like_any_other() -> None:
    board = make_board(admitted(make_waiting("again")))
    anew = make_execution("again", uid="another")
    board.see_execution(anew)
    assert granted(board) == {"again"}
    assert board.active(("default", "sales")) == 0


def test_the_answer_counts_a_seat_that_is_about_to_be_taken() -> None:
    board = make_board(make_waiting("first"), make_waiting("second", after=1), total=9, limit=1)
    seats = board.seats(make_waiting("second", after=1), NOW + seconds(1))
    assert (seats.granted, seats.agent_is_full, seats.agent_running) == (False, True, 1)
    assert seats.ahead == 1


def test_what_came_while_a_list_was_read_stays_on_the_board() -> None:
    board = make_board(make_waiting("listed"), make_waiting("gone"))
    before = board.known()
    board.see_execution(admitted(make_waiting("new")))
    board.keep_only(before, [("default", "listed")], [("default", "sales")])
    assert ("default", "new") in board
    assert ("default", "gone") not in board


class Boards(RuleBasedStateMachine):
    """Executions come, are admitted when granted, end; Agents change; time passes."""

    total = 3

    def __init__(self) -> None:
        super().__init__()
        self.board = Board(self.total, AGING)
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
        self.board.see_agent(make_agent(agent, maxConcurrentExecutions=self.limits[agent]))

    @rule(agent=st.sampled_from(["a", "b"]), priority=st.integers(0, 10))
    def create(self, agent: str, priority: int) -> None:
        self.count += 1
        name = f"e{self.count}"
        created = NOW + seconds(self.now)
        made = make_execution(name, agent=agent, created=created, priority=priority)
        self.waiting[name] = made
        self.board.see_execution(made)

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """A worker begins: it is granted a seat or not."""
        names = sorted(self.waiting.keys() - self.looking)
        if names:
            name = data.draw(st.sampled_from(names))
            if self.board.seats(self.waiting[name], NOW + seconds(self.now)).granted:
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
            self.board.see_execution(self.running[name])
        self.board.let_go(("default", name))

    @rule(data=st.data())
    def hear_an_old_event(self, data: st.DataObject) -> None:
        if self.running:
            name = data.draw(st.sampled_from(sorted(self.running)))
            old = self.running[name].model_copy(update={"status": make_waiting(name).status})
            self.board.see_execution(old)

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if self.running:
            name = data.draw(st.sampled_from(sorted(self.running)))
            self.board.see_execution(finished(self.running.pop(name)))

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
                self.board.let_go(("default", name))
            for name in list(self.running):
                self.board.see_execution(finished(self.running.pop(name)))
            for _ in range(4):
                self.create(oldest.spec.agent_ref.name, 10)
            grants = self.board.granted(NOW + seconds(self.now))
            if ("default", oldest.metadata.name) in grants:
                return
            for _, name in grants:
                self.running[name] = admitted(self.waiting.pop(name))
                self.board.see_execution(self.running[name])
        raise AssertionError(f"{oldest.metadata.name} starves")


TestBoards = Boards.TestCase
TestBoards.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
