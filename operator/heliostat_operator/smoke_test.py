"""`python -m heliostat_operator.smoke_test NAMESPACE`: `helm test` runs a scripted model once.

Exit code 0 when it succeeded. It removes what it made.
"""

import asyncio
import secrets
import sys

from heliostat_core.executions import Execution
from heliostat_core.worlds import AGENT, EXECUTION, JsonObject, Ref, World
from heliostat_kubernetes.cluster import KubernetesWorld

SECONDS = 240
_PAUSE_SECONDS = 0.5


async def try_out(world: World, namespace: str, seconds: float = SECONDS) -> Execution | None:
    """The finished Execution, or as it was when the time was over; None: it is gone."""
    name = f"heliostat-trial-{secrets.token_hex(4)}"
    agent, execution = build_smoke_test(namespace, name)
    refs = Ref(EXECUTION, namespace, name), Ref(AGENT, namespace, name)
    try:
        await world.create(agent)
        await world.create(execution)
        return await _finished(world, refs[0], seconds)
    finally:
        for ref in refs:
            await world.delete(ref)


def build_smoke_test(namespace: str, name: str) -> tuple[JsonObject, JsonObject]:
    """An agent that says hello, and one run of it."""
    metadata: JsonObject = {"name": name, "namespace": namespace}
    spec: JsonObject = {
        "description": "A trial of this installation.",
        "prompt": "Write a greeting into the file hello.txt and say what you wrote.",
        "model": {"name": "scripted/hello"},
        "tools": {"allow": ["Read", "Write"]},
        "verify": {"files": ["hello.txt"]},
        "limits": {"timeoutSeconds": SECONDS, "maxTurns": 10},
    }
    return (
        {"apiVersion": AGENT.api_version, "kind": AGENT.name, "metadata": metadata, "spec": spec},
        {
            "apiVersion": EXECUTION.api_version,
            "kind": EXECUTION.name,
            "metadata": metadata,
            "spec": {"agentRef": {"name": name}},
        },
    )


async def _finished(world: World, ref: Ref, seconds: float) -> Execution | None:
    deadline = asyncio.get_running_loop().time() + seconds
    while (found := await world.get(ref)) is not None:
        execution = Execution.model_validate(found)
        if execution.is_finished or asyncio.get_running_loop().time() > deadline:
            return execution
        await asyncio.sleep(_PAUSE_SECONDS)
    return None


def tell(execution: Execution | None) -> str:
    """What came of it, for people."""
    if execution is None:
        return "The trial's Execution was deleted by somebody else."
    status = execution.status
    blocked = "; ".join(f"{each.reason}: {each.message}" for each in status.blocked_by)
    return f"The trial {execution.metadata.name} is {status.phase}. {status.result or blocked}"


async def _run(namespace: str) -> Execution | None:
    world = await KubernetesWorld.connect()
    try:
        return await try_out(world, namespace)
    finally:
        await world.close()


def main(arguments: list[str]) -> int:
    """0: succeeded; 1: it did not; 2: no namespace was named."""
    if len(arguments) != 1:
        sys.stderr.write("Name the namespace to try it in, and nothing else.\n")
        return 2
    execution = asyncio.run(_run(arguments[0]))
    sys.stdout.write(f"{tell(execution)}\n")
    return 0 if execution is not None and execution.status.phase == "Succeeded" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
