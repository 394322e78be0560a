"""Agents of kubectl in front of a dev process: shell scripts, applied and run."""

import json
import subprocess

from support.dev_process import DevProcess
from support.heliostat_program import PROGRAM
from support.screens import follow, until_finished


def apply_script(dev: DevProcess, name: str, script: str, **spec: object) -> None:
    """An agent that is a script of sh; further fields of its spec are given by name."""
    agent = {
        "apiVersion": "heliostat.dev/v1alpha1",
        "kind": "Agent",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "description": "A script.",
            "prompt": "Run.",
            "runtime": {"command": ["sh", "-c", script]},
            **spec,
        },
    }
    manifest = dev.folder.with_name(f"{name}.json")
    manifest.write_text(json.dumps(agent))
    environ = {**dev.environ, "HELIOSTAT_HOME": str(dev.folder)}
    subprocess.run([PROGRAM, "apply", "-f", manifest], env=environ, check=True, capture_output=True)


def run_script(dev: DevProcess, name: str, script: str) -> str:
    """Applied and run to its end; the uid of the run."""
    apply_script(dev, name, script)
    with dev.browser() as client:
        agents = client.get("/api/agents").json()["items"]
        agent = next(found["id"] for found in agents if found["name"] == name)
        answer = client.post(f"/api/agents/{agent}/run", json={})
        uid = str(answer.json()["execution"])
        until_finished(follow(client, 0), uid)
    return uid
