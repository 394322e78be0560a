"""Jobs of the embedded world: real processes, looked at through pods and Jobs alone."""

import base64
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.pods import is_finished, is_over
from heliostat_cli.embedded.processes import marked
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.reading import number, part, parts, text
from heliostat_core.worlds import JOB, POD, VOLUME_CLAIM, JsonObject, Ref, Selection
from support.embedded import make_job, running_jobs, wait_for_object, wait_until, wait_until_gone

RUN = Ref(JOB, "default", "run-1")

# A child in a session of its own, as Claude Code's Bash tool starts them, and a grandchild of it
# whose parent leaves: both would outlive a parent that is killed.
FAMILY = '''
import os, subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
leaver = f"""import subprocess as s
print(s.Popen({sleep!r}, start_new_session=True, stdout=s.DEVNULL).pid)"""
child = subprocess.Popen(sleep, start_new_session=True)
orphan = int(subprocess.check_output([sys.executable, "-c", leaver]))
open("family", "w").write(f"{child.pid} {orphan}")
time.sleep(600)
'''


async def the_pod(world: EmbeddedWorld) -> JsonObject:
    [pod] = [each async for each in world.list(POD)]
    return pod


async def ended_job(world: EmbeddedWorld) -> JsonObject:
    return await wait_for_object(world, RUN, is_finished, "the Job is finished")


def terminated(pod: JsonObject) -> JsonObject:
    return part(parts(pod, "status", "containerStatuses")[0], "state", "terminated")


def condition(job: JsonObject) -> tuple[str, str]:
    last = parts(job, "status", "conditions")[-1]
    return text(last, "type"), text(last, "reason")


async def family_of(folder: StateFolder) -> list[int]:
    """Numbers of the processes that FAMILY started, once it has."""
    found: list[Path] = []

    def is_there() -> bool:
        found[:] = [each for each in folder.pods.glob("*/volumes/*/family") if each.read_text()]
        return bool(found)

    await wait_until(is_there, "the family is there")
    return [int(each) for each in found[0].read_text().split()]


def none_left(folder: StateFolder) -> bool:
    return not [pid for pid in marked(folder.root) if is_living(pid)]


def is_living(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_job_runs_to_its_end_with_its_last_words(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    program = """
import os
print("to the log")
open(os.environ["HELIOSTAT_TERMINATION_LOG"], "w").write("done")
open("file", "w").write(os.getcwd())
"""
    async with running_jobs(world, folder):
        await world.create(make_job(program))
        job = await ended_job(world)
    pod = await the_pod(world)

    assert condition(job) == ("Complete", "CompletionsReached")
    assert text(pod, "status", "phase") == "Succeeded"
    assert text(terminated(pod), "message") == "done"
    assert text(terminated(pod), "reason") == "Completed"
    assert number(terminated(pod), "exitCode") == 0
    assert text(pod, "metadata", "labels", "batch.kubernetes.io/job-name") == "run-1"
    assert text(pod, "metadata", "labels", "heliostat.dev/execution") == "run"
    own = folder.pod(text(pod, "metadata", "uid"))
    assert (own / "log").read_text() == "to the log\n"
    assert (own / "volumes/workspace/file").read_text() == str(own / "volumes/workspace")


async def test_the_environment_is_the_containers_alone(
    world: EmbeddedWorld, folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the user's own")
    monkeypatch.setenv("CLAUDE_CODE_X", "the user's own")
    program = """
import json, os, stat
run = os.environ["HELIOSTAT_RUN_DIR"]
modes = [oct(stat.S_IMODE(os.stat(each).st_mode)) for each in (run, run + "/key")]
seen = {"env": dict(os.environ), "key": open(run + "/key").read(), "modes": modes}
open(os.environ["HELIOSTAT_TERMINATION_LOG"], "w").write(json.dumps(seen))
"""
    job = make_job(
        program,
        env=[
            {"name": "PLAIN", "value": "x"},
            {"name": "DATA", "value": "/workspace/in.csv"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "run-1", "key": "key"}}},
        ],
        volumeMounts=[
            {"name": "workspace", "mountPath": "/workspace"},
            {"name": "run", "mountPath": "/run/heliostat"},
        ],
    )
    template = json.loads(json.dumps(job))
    template["spec"]["template"]["spec"]["volumes"].append(
        {"name": "run", "secret": {"secretName": "run-1"}}
    )
    async with running_jobs(world, folder):
        await world.create(template)
        waiting = await wait_for_pod_waiting(world)
        assert waiting == 'secret "run-1" not found'
        await world.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "run-1"},
                "data": {"key": base64.b64encode(b"s3cret").decode()},
            }
        )
        await ended_job(world)
    pod = await the_pod(world)
    seen = json.loads(text(terminated(pod), "message"))
    own = folder.pod(text(pod, "metadata", "uid"))

    assert seen["key"] == "s3cret"
    assert seen["modes"] == ["0o700", "0o600"]
    assert seen["env"] == {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(own / "home"),
        "LANG": "C.UTF-8",
        "TMPDIR": str(own / "tmp"),
        "HOSTNAME": text(pod, "metadata", "name"),
        "HELIOSTAT_RUN_DIR": str(own / "volumes/run"),
        "HELIOSTAT_WORKSPACE": str(own / "volumes/workspace"),
        "HELIOSTAT_STATE_DIR": str(own / "volumes/workspace/.heliostat"),
        "HELIOSTAT_TERMINATION_LOG": str(own / "termination-log"),
        "PLAIN": "x",
        "DATA": str(own / "volumes/workspace/in.csv"),
        "TOKEN": "s3cret",
    }


async def wait_for_pod_waiting(world: EmbeddedWorld) -> str:
    job = await wait_for_object(
        world, RUN, lambda each: number(each, "status", "active") == 1, "the Job has a pod"
    )
    pods = Selection(labels={"batch.kubernetes.io/job-name": text(job, "metadata", "name")})
    [pod] = [each async for each in world.list(POD, pods)]

    def waiting(each: JsonObject) -> str:
        statuses = parts(each, "status", "containerStatuses")
        return text(statuses[0], "state", "waiting", "message") if statuses else ""

    ref = Ref(POD, "default", text(pod, "metadata", "name"))
    return waiting(await wait_for_object(world, ref, lambda each: bool(waiting(each)), "it waits"))


async def test_exit_codes_and_missing_programs_are_told_as_kubernetes_tells_them(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    async with running_jobs(world, folder):
        await world.create(make_job("raise SystemExit(11)"))
        job = await ended_job(world)
        failed = terminated(await the_pod(world))
        assert condition(job) == ("Failed", "BackoffLimitExceeded")
        assert (failed["exitCode"], failed["reason"]) == (11, "Error")

        await world.delete(RUN)
        await wait_until_gone(world, POD, "its pod is gone")
        await wait_until(lambda: not list(folder.pods.iterdir()), "its folder is gone")
        await world.create(make_job("", command=["no-such-program"]))
        await ended_job(world)
        missing = terminated(await the_pod(world))
        assert (missing["exitCode"], missing["reason"]) == (128, "StartError")
        assert "no-such-program" in text(missing, "message")


async def test_no_descendant_outlives_the_main_process(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    async with running_jobs(world, folder):
        await world.create(make_job(FAMILY))
        family = await family_of(folder)
        [main] = {psutil.Process(each).parent() for each in family[:1]}
        assert main is not None
        main.send_signal(signal.SIGKILL)
        await ended_job(world)
    pod = await the_pod(world)

    assert not any(map(is_living, family))
    assert none_left(folder)
    assert (number(terminated(pod), "exitCode"), number(terminated(pod), "signal")) == (137, 9)


async def test_memory_is_limited_over_the_whole_tree(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    # No process is over the limit by itself.
    program = """
import subprocess, sys, time
hold = "held = bytearray(60_000_000); import time; time.sleep(600)"
for _ in range(3):
    subprocess.Popen([sys.executable, "-c", hold], start_new_session=True)
time.sleep(600)
"""
    async with running_jobs(world, folder):
        await world.create(make_job(program, resources={"limits": {"memory": "150M"}}))
        await ended_job(world)
    pod = await the_pod(world)

    assert none_left(folder)
    assert (terminated(pod)["exitCode"], terminated(pod)["reason"]) == (137, "OOMKilled")


async def test_a_deleted_pod_gets_its_grace_and_then_is_gone(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    polite = """
import os, signal, sys, time
def leave(*_):
    open(os.environ["HELIOSTAT_TERMINATION_LOG"], "w").write("saved")
    sys.exit(143)
signal.signal(signal.SIGTERM, leave)
open("family", "w").write(str(os.getpid()))
time.sleep(600)
"""
    async with running_jobs(world, folder):
        await world.create(make_job(polite))
        await family_of(folder)
        pod = await the_pod(world)
        ref = Ref(POD, "default", text(pod, "metadata", "name"))
        watch = world.watch(POD)
        await anext(watch)
        assert await world.delete(ref, uid=text(pod, "metadata", "uid"), grace_seconds=10)
        last = pod
        async for change in watch:
            if change.type == "DELETED":
                break
            last = change.object
        assert text(terminated(last), "message") == "saved"
        assert number(terminated(last), "exitCode") == 143
        job = await ended_job(world)
        assert condition(job)[0] == "Failed"


async def test_what_ignores_its_grace_is_killed_to_the_last_descendant(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY
    async with running_jobs(world, folder):
        await world.create(make_job(stubborn))
        family = await family_of(folder)
        pod = await the_pod(world)
        await world.delete(Ref(POD, "default", text(pod, "metadata", "name")), grace_seconds=1)
        await wait_until_gone(world, POD, "the pod is gone")

    assert not any(map(is_living, family))
    assert none_left(folder)


async def test_deleting_the_job_ends_and_removes_everything(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    async with running_jobs(world, folder):
        await world.create(make_job(FAMILY, grace=1))
        family = await family_of(folder)
        assert await world.delete(RUN)
        await wait_until_gone(world, POD, "the pod is gone")
        await wait_until(lambda: not list(folder.pods.iterdir()), "the folder is gone")

    assert not any(map(is_living, family))


async def test_a_killed_supervisor_is_a_lost_node_and_leaves_nobody(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    async with running_jobs(world, folder):
        await world.create(make_job(FAMILY))
        family = await family_of(folder)
        pod = await the_pod(world)
        own = folder.pod(text(pod, "metadata", "uid"))
        os.kill(json.loads((own / "supervisor.json").read_text())["pid"], signal.SIGKILL)
        await ended_job(world)
    pod = await the_pod(world)

    assert is_over(pod)
    assert text(pod, "status", "reason") == "NodeLost"
    assert text(terminated(pod), "reason") == "ContainerStatusUnknown"
    assert not any(map(is_living, family))


async def test_a_claims_folder_is_shared_by_attempts_and_goes_with_the_claim(
    world: EmbeddedWorld, folder: StateFolder
) -> None:
    claim: JsonObject = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "run-workspace"},
    }
    made = await world.create(claim)
    append = 'open("file", "a").write("x"); print(open("file").read())'
    async with running_jobs(world, folder):
        for name in ("run-1", "run-2"):
            job = json.loads(json.dumps(make_job(append, name=name)))
            job["spec"]["template"]["spec"]["volumes"] = [
                {"name": "workspace", "persistentVolumeClaim": {"claimName": "run-workspace"}}
            ]
            await world.create(job)
            ref = Ref(JOB, "default", name)
            assert condition(await wait_for_object(world, ref, is_finished, "it ended"))[0] == (
                "Complete"
            )
        own = folder.claim(text(made, "metadata", "uid"))
        assert (own / "file").read_text() == "xx"
        await world.delete(Ref(VOLUME_CLAIM, "default", "run-workspace"))
        await wait_until(lambda: not own.exists(), "the claim's folder is gone")
