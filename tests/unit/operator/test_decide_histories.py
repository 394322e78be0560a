"""`decide` through random histories: what the operator promises holds at every step."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from heliostat_core.conditions import BlockedReason
from heliostat_core.names import FINISHED_LABEL, RUN_FINALIZER
from support.builders.pods import make_condition, make_result, terminated, waiting
from support.builders.resources import make_agent, make_uid
from support.simulation import PlayedPod, Simulation

RESULTS = (
    ("Verified", None, 0),
    ("Unverified", None, 0),
    ("AgentError", "agent", 10),
    ("EmptyResult", "agent", 10),
    ("VerificationFailed", "agent", 11),
    ("CostLimitReached", "limit", 12),
    ("TimedOut", "limit", 12),
    ("Stalled", "agent", 13),
    ("KeyRefused", "configuration", 14),
    ("RuntimeMissing", "configuration", 14),
    ("ProviderFailed", "infrastructure", 15),
    ("Terminated", "infrastructure", 143),
)


def with_document(reason: str, cause: str | None, code: int) -> PlayedPod:
    outcome = "Failed" if cause else "Succeeded"
    document = make_result(outcome, reason, cause)
    return PlayedPod(1, "Failed" if code else "Succeeded", terminated(code, message=document))


DISRUPTIONS = tuple(
    PlayedPod(
        1,
        "Failed",
        terminated(137),
        conditions=[make_condition("DisruptionTarget", "True", reason)],
    )
    for reason in ("EvictionByEvictionAPI", "PreemptionByScheduler", "DeletionByTaintManager")
)
ENDS = (
    *(with_document(*each) for each in RESULTS),
    *DISRUPTIONS,
    PlayedPod(1, "Failed", terminated(137, "OOMKilled")),
    PlayedPod(1, "Failed", terminated(137)),
    PlayedPod(1, "Failed", terminated(128, "StartError", 'exec: "heliostat-runner": not found')),
    PlayedPod(1, "Failed", terminated(3)),
    PlayedPod(1, "Succeeded", terminated(0)),
    PlayedPod(1, "Failed", terminated(137), reason="Evicted"),
)
WAITS = (
    waiting("ContainerCreating"),
    waiting("ImagePullBackOff", "not found"),
    waiting("CreateContainerConfigError", 'secret "crm" not found'),
)
WAITING_FOR_SOMEBODY = {
    BlockedReason.AGENT_NOT_FOUND,
    BlockedReason.AGENT_SUSPENDED,
    BlockedReason.AGENT_CONCURRENCY,
    BlockedReason.TOTAL_CONCURRENCY,
}


class Histories(RuleBasedStateMachine):
    """Operator, people and faults take turns in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.sim = Simulation()
        self.agents = 0

    # ---- people ---------------------------------------------------------------------------------

    @rule(
        limit=st.integers(0, 3),
        timeout=st.sampled_from([30, 3600]),
        volume=st.booleans(),
        suspend=st.booleans(),
        edited=st.booleans(),
    )
    def apply_agent(
        self, limit: int, timeout: int, volume: bool, suspend: bool, edited: bool
    ) -> None:
        known = self.sim.agent
        if known is None:
            self.agents += 1
        storage = {"type": "Volume", "size": "1Gi"} if volume else {"type": "Ephemeral"}
        self.sim.agent = make_agent(
            uid=make_uid(f"agent/{self.agents}"),
            generation=known.metadata.generation + 1 if known else 1,
            prompt="Edited." if edited else "Count the sales.",
            suspend=suspend,
            retry={"limit": limit},
            limits={"timeoutSeconds": timeout},
            workspace={"storage": storage},
        )

    @initialize(
        limit=st.integers(0, 3), timeout=st.sampled_from([30, 3600]), steps=st.integers(0, 6)
    )
    def begin(self, limit: int, timeout: int, steps: int) -> None:
        """Most histories begin with a run that gets going; nothing happens in the others."""
        if steps:
            self.apply_agent(limit, timeout, False, False, False)
            self.reconcile(steps)

    @precondition(lambda self: self.sim.agent)
    @rule()
    def delete_agent(self) -> None:
        self.sim.agent = None

    @precondition(lambda self: self.sim.started)
    @rule()
    def cancel(self) -> None:
        self.sim.cancel()

    @precondition(lambda self: self.sim.started)
    @rule()
    def delete_execution(self) -> None:
        self.sim.delete_execution()

    @precondition(lambda self: self.sim.jobs)
    @rule()
    def delete_job(self) -> None:
        self.sim.delete_job(max(self.sim.jobs))

    # ---- the operator ---------------------------------------------------------------------------

    @rule(steps=st.integers(1, 4))
    def reconcile(self, steps: int) -> None:
        for _ in range(steps):
            if self.sim.reconcile() != 0:
                break

    @rule(applied=st.integers(0, 4))
    def reconcile_and_die(self, applied: int) -> None:
        self.sim.reconcile(applied)

    # ---- the cluster ----------------------------------------------------------------------------

    @rule(has_slot=st.booleans())
    def grant_or_take_the_slot(self, has_slot: bool) -> None:
        self.sim.has_slot = has_slot

    @precondition(lambda self: self.sim.jobs)
    @rule()
    def make_pods(self) -> None:
        self.sim.make_pods()

    @precondition(lambda self: self.sim.pods)
    @rule(state=st.sampled_from(WAITS))
    def pods_wait(self, state: dict[str, dict[str, str]]) -> None:
        for pod in self.sim.pods.values():
            if pod.phase == "Pending":
                pod.state = state

    @precondition(lambda self: self.sim.jobs)
    @rule()
    def start_pods(self) -> None:
        self.sim.make_pods()
        self.sim.start_pods()

    @precondition(lambda self: self.sim.pods)
    @rule(ended=st.sampled_from(ENDS))
    def end_pods(self, ended: PlayedPod) -> None:
        self.sim.end_pod(ended)

    @precondition(lambda self: self.sim.started)
    @rule(
        ended=st.sampled_from(ENDS),
        gone=st.booleans(),
        times=st.sampled_from([1, 1, 2, 12]),
        steps=st.integers(0, 4),
    )
    def run_whole_attempts(self, ended: PlayedPod, gone: bool, times: int, steps: int) -> None:
        """One after the other ends in the same way, as far as the operator makes them."""
        for _ in range(times):
            self.start_pods()
            self.sim.pass_time(2)
            self.sim.end_pod(ended)
            self.sim.record_ends()
            if gone:
                self.remove_ended_pods()
            self.reconcile(steps)
            self.sim.pass_time(65)
            self.reconcile(steps)

    @precondition(lambda self: self.sim.pods)
    @rule()
    def record_ends(self) -> None:
        self.sim.record_ends()

    @precondition(lambda self: self.sim.pods)
    @rule()
    def remove_ended_pods(self) -> None:
        self.sim.record_ends()
        for pod in [each for each in self.sim.pods.values() if each.is_over]:
            self.sim.remove_pod(pod)

    @precondition(lambda self: self.sim.pods)
    @rule()
    def delete_a_pod(self) -> None:
        self.sim.delete_pod(self.sim.pods[max(self.sim.pods)])

    @precondition(lambda self: self.sim.pods)
    @rule()
    def lose_a_pod(self) -> None:
        self.sim.remove_pod(self.sim.pods[max(self.sim.pods)])

    @precondition(lambda self: self.sim.started)
    @rule(answers=st.booleans())
    def gateway(self, answers: bool) -> None:
        self.sim.gateway_answers = answers

    @precondition(lambda self: self.sim.started)
    @rule(nanos=st.sampled_from([0, 1_000, 2_000_000_000]), settled=st.booleans())
    def spend(self, nanos: int, settled: bool) -> None:
        self.sim.cost_nanos += nanos
        self.sim.ledger_settled = settled

    @precondition(lambda self: self.sim.pods)
    @rule(answers=st.booleans())
    def node(self, answers: bool) -> None:
        self.sim.node_answers = answers

    @rule(count=st.sampled_from([1, 2, 5, 31, 120, 700, 4000]))
    def pass_time(self, count: int) -> None:
        self.sim.pass_time(count)

    # ---- promises beyond those that the simulation checks ---------------------------------------

    @invariant()
    def at_most_one_attempt_lives(self) -> None:
        self.sim.check_one_lives()

    @invariant()
    def what_runs_is_held(self) -> None:
        execution = self.sim.execution
        if execution is not None and any(not pod.is_over for pod in self.sim.pods.values()):
            stuck = all(pod.is_over or self.sim.is_stuck(pod) for pod in self.sim.pods.values())
            assert stuck or RUN_FINALIZER in execution.metadata.finalizers

    def teardown(self) -> None:
        """Faults stop: the run ends and is released, or waits for somebody and says for whom."""
        sim = self.sim
        sim.gateway_answers = sim.node_answers = sim.ledger_settled = sim.has_slot = True
        for _ in range(600):
            if self.has_come_to_rest():
                return
            wait = sim.reconcile()
            if wait != 0:
                self.let_the_cluster_work(wait or 1.0)
        raise AssertionError(f"never comes to rest: {sim.execution}")

    def let_the_cluster_work(self, wait: float) -> None:
        sim = self.sim
        sim.make_pods()
        sim.start_pods()
        sim.end_pod(ENDS[0])
        sim.record_ends()
        sim.pass_time(min(wait, 700))

    def has_come_to_rest(self) -> bool:
        execution = self.sim.execution
        if execution is None:
            return True
        if execution.is_finished:
            released = not execution.metadata.finalizers
            return released and execution.is_settled and self.is_marked()
        blocks = [each.reason for each in execution.status.blocked_by]
        return bool(blocks) and blocks[0] in WAITING_FOR_SOMEBODY and self.is_true(blocks[0])

    def is_marked(self) -> bool:
        assert self.sim.execution is not None
        return self.sim.execution.metadata.labels.get(FINISHED_LABEL) == "true"

    def is_true(self, reason: str) -> bool:
        if reason == BlockedReason.AGENT_NOT_FOUND:
            return self.sim.agent is None
        if reason == BlockedReason.AGENT_SUSPENDED:
            return self.sim.agent is not None and self.sim.agent.spec.suspend
        return not self.sim.has_slot


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    phases=(Phase.generate,),
    derandomize=True,  # the same histories for everybody; explore with another profile
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
