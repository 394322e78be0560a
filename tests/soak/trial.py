"""A soak as a whole: Agents, the course, the stock, the verdict."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from heliostat_kubernetes.cluster import KubernetesWorld
from soak.books import take_stock
from soak.cluster_api import ClusterApi
from soak.course import Course, Options, Record
from soak.ground import open_ground
from soak.hands import Hands
from soak.judge import Finding, judge
from soak.place import NAMESPACE, Place
from soak.played import PlayedPlace
from soak.stories import STORIES, Story
from support.kubectl import Kubectl
from support.objects import make_agent

_MOST_KEPT = 200


@dataclass(frozen=True)
class Verdict:
    """What happened, and what was wrong with it."""

    record: Record
    findings: list[Finding]
    done: Mapping[str, int]
    """Faults that we did to runs, by story."""
    spoken: int
    """Model calls that were answered."""

    @property
    def is_good(self) -> bool:
        """A twin is Kubernetes' own doing, see judge.py; it is told, and fails nothing. Who ran out
        of time before the last run has shown less than was asked."""
        options = self.record.options
        wrong = [each for each in self.findings if each.fault != "twin"]
        is_whole = len(self.record.made) == options.runs
        growth = self.record.meter.growth(options.runs)
        is_kept = growth.is_kept if growth else not options.must_measure
        return is_whole and not wrong and is_kept


async def soak_with_played_pods(
    programs: Path, folder: Path, options: Options, say: Callable[[str], None]
) -> Verdict:
    """Over a control plane of its own, with kwok. Logs stay in `folder`."""
    with open_ground(programs, folder) as ground:
        async with ClusterApi(ground.address) as api:
            return await soak(PlayedPlace(ground, api), options, say)


async def soak(place: Place, options: Options, say: Callable[[str], None]) -> Verdict:
    """At any place that has the platform and no namespace of that name."""
    make_agents(place.kubectl)
    record, config = Record(options), place.kubectl.kubeconfig
    async with (
        await KubernetesWorld.connect(kubeconfig=config, field_manager="soak") as world,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
    ):
        hands = Hands(world, place, session, record.seen)
        await Course(place, world, hands, record, say).run()
        say("all runs are over; taking stock")
        remains = await take_stock(place, world, record.runs)
    record.seen.compare(set(record.seen.runs), remains.executions)
    findings = judge(record.made, record.runs, remains)
    return Verdict(record, findings, hands.done, hands.spoken)


def make_agents(kubectl: Kubectl) -> None:
    """One for each story."""
    kubectl("create", "namespace", NAMESPACE)
    agents = [
        make_agent(
            NAMESPACE,
            story.name,
            model={"name": "scripted/hello"},
            maxConcurrentExecutions=10_000,
            history=dict.fromkeys(("successful", "failed"), kept(story)),
            workspace={"resources": {"cpu": "50m", "memory": "512Mi"}},
            **story.spec,
        )
        for story in STORIES
    ]
    items = {"apiVersion": "v1", "kind": "List", "items": agents}
    kubectl("apply", "-f", "-", stdin=json.dumps(items))


def kept(story: Story) -> int:
    """Finished Executions of each kind of end that its Agent keeps: as many as there are after a
    fifth of 10,000 runs, so that their number does not grow from there on."""
    return min(_MOST_KEPT, 2 * story.share)
