"""What a soak sees of its runs, also when its watches break off."""

from collections.abc import Mapping

from heliostat_core.names import EXECUTION_UID_ANNOTATION, FINISHED_LABEL
from heliostat_core.worlds import EXECUTION, JOB, POD, Change, JsonObject, JsonValue
from soak.seen import Run, Seen
from support.builders.pods import make_condition, make_job, make_pod, running, terminated
from support.builders.resources import make_uid
from support.objects import make_execution, mapping_at, with_metadata

UID = "uid-1"


def make_seen() -> tuple[Seen, Run]:
    seen = Seen()
    seen.made("steady-1", UID, "steady")
    return seen, seen.runs[UID]


def execution(
    *conditions: tuple[str, str], phase: str = "Running", finished: bool = False
) -> JsonObject:
    made = make_execution("soak", "steady-1", {"uid": UID})
    labels = {FINISHED_LABEL: "true"} if finished else {}
    listed: list[JsonValue] = [
        make_condition(type_, status, "Because") for type_, status in conditions
    ]
    status: JsonObject = {"phase": phase, "conditions": listed}
    return {**with_metadata(made, labels=labels), "status": status}


DONE = execution(("Succeeded", "True"), ("Settled", "True"), phase="Succeeded", finished=True)


def pod(job: str, state: JsonObject | None = None, phase: str = "Pending") -> JsonObject:
    notes: Mapping[str, str] = {EXECUTION_UID_ANNOTATION: UID}
    return make_pod(phase, state, name=f"{job}-x", job_name=job, annotations=notes)


def test_a_run_is_done_when_it_is_finished_settled_and_released() -> None:
    seen, run = make_seen()
    seen.see(EXECUTION, Change("MODIFIED", execution(("Succeeded", "Unknown"))))
    seen.see(EXECUTION, Change("MODIFIED", execution(("Succeeded", "True"), phase="Succeeded")))
    assert not seen.done
    seen.see(EXECUTION, Change("MODIFIED", DONE))
    seen.see(EXECUTION, Change("ADDED", DONE))
    assert seen.done == {UID}
    assert [end.phase for end in run.ends] == ["Succeeded"]
    assert not run.reopened


def test_a_second_end_and_a_way_back_are_kept() -> None:
    seen, run = make_seen()
    seen.see(EXECUTION, Change("MODIFIED", DONE))
    seen.see(EXECUTION, Change("MODIFIED", execution(("Succeeded", "Unknown"))))
    assert run.reopened
    seen.see(EXECUTION, Change("MODIFIED", execution(("Succeeded", "False"), phase="Failed")))
    assert len(run.ends) == 2


def test_a_run_whose_creation_was_not_answered_is_known_by_the_watch() -> None:
    seen = Seen()
    seen.see(EXECUTION, Change("ADDED", execution()))
    assert (seen.runs[UID].name, seen.runs[UID].story) == ("steady-1", "sales")


def test_two_attempts_live_at_once_only_while_both_have_a_pod_that_is_not_over() -> None:
    seen, run = make_seen()
    seen.see(POD, Change("ADDED", pod("steady-1-1", running(), "Running")))
    seen.see(POD, Change("MODIFIED", pod("steady-1-1", terminated(1), "Failed")))
    seen.see(POD, Change("ADDED", pod("steady-1-2")))
    assert run.most_jobs_live == 1
    assert len(run.pods) == 1  # the second one's container never ran
    seen.see(POD, Change("ADDED", pod("steady-1-3")))
    assert run.most_jobs_live == 2


def test_a_pod_that_succeeded_is_remembered() -> None:
    seen, run = make_seen()
    for job, code, phase in (("steady-1-1", 1, "Failed"), ("steady-1-2", 0, "Succeeded")):
        seen.see(POD, Change("MODIFIED", pod(job, terminated(code), phase)))
    assert run.succeeded == {make_uid("pod/steady-1-2-x")}


def test_a_pod_that_went_while_no_watch_looked_on_lives_no_more() -> None:
    seen, run = make_seen()
    first = pod("steady-1-1", running(), "Running")
    seen.see(POD, Change("ADDED", first))
    head = {"metadata": {"uid": mapping_at(first, "metadata")["uid"]}}
    seen.see(POD, Change("DELETED", head))
    seen.see(POD, Change("ADDED", pod("steady-1-2")))
    seen.forget_live_pods()
    seen.see(POD, Change("ADDED", pod("steady-1-3")))
    assert run.most_jobs_live == 1


def test_two_jobs_of_a_name_are_two() -> None:
    seen, run = make_seen()
    for uid in ("job-1", "job-2", "job-1"):
        seen.see(JOB, Change("ADDED", make_job(name="steady-1-1", uid=uid, owner_uid=UID)))
    assert run.jobs == {"steady-1-1": {"job-1", "job-2"}}


def test_what_is_not_listed_any_more_has_gone() -> None:
    seen, run = make_seen()
    seen.compare({UID}, {UID})
    assert not run.is_gone
    seen.compare({UID}, ())
    assert run.is_gone
    assert seen.done == {UID}
