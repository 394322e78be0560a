"""A run that only the browser knows: its transcript and its reports come from the test.

Everything else on the page is the dev server's. What is faked is the transport: answers of the API
by routes of the browser, the stream of reports by an EventSource of our own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

from support.dev_process import DevProcess

UID = "fake-run"
TIME = "2026-11-25T08:00:00Z"
Event = dict[str, object]

_STREAM = """
delete window.SharedWorker;
window.EventSource = class {
  #listeners = new Map();
  constructor() {
    window.reports = this;
    setTimeout(() => {
      this.onopen?.(new Event("open"));
      this.say("snapshot", SNAPSHOT);
    });
  }
  addEventListener(type, listener) { this.#listeners.set(type, listener); }
  close() {}
  say(type, data) { this.#listeners.get(type)?.({ data: JSON.stringify(data) }); }
};
window.reported = 1;
window.tell = (type, payload) => window.reports.say("report", {
  id: ++window.reported, type, correlationId: "", execution: "UID", time: "TIME", payload,
});
"""


def view(**change: object) -> dict[str, object]:
    """A run as the API shows it; one that goes on unless `change` says otherwise."""
    attempt = {
        "number": 1,
        "startTime": TIME,
        "endTime": None,
        "reason": None,
        "message": "",
        "cause": None,
        "costMicros": 0,
    }
    return {
        "id": UID,
        "namespace": "default",
        "name": "long-1",
        "agent": "long",
        "testOf": None,
        "phase": "Running",
        "reason": "Active",
        "message": "",
        "trigger": "Dashboard",
        "scheduledTime": None,
        "correlationId": "fake",
        "createdTime": TIME,
        "startTime": TIME,
        "completionTime": None,
        "durationSeconds": None,
        "model": None,
        "costMicros": 0,
        "usage": dict.fromkeys(
            ("requests", "inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"), 0
        ),
        "result": None,
        "blockedBy": [],
        "attempts": [attempt],
        "isFinished": False,
        "isOwned": True,
        **change,
    }


ENDED = {"isFinished": True, "phase": "Succeeded", "reason": "Verified", "completionTime": TIME}


def output(text: str, stream: str = "stdout") -> Event:
    """A line that a program of the run printed."""
    return {"type": "heliostat", "subtype": "output", "stream": stream, "text": text}


def call(number: int) -> Event:
    """The agent calls a tool."""
    content = {
        "type": "tool_use",
        "id": f"call-{number}",
        "name": "Bash",
        "input": {"command": f"echo {number}"},
    }
    return {"type": "assistant", "message": {"id": f"message-{number}", "content": [content]}}


def answer(number: int) -> Event:
    """What came of that call."""
    content = {"type": "tool_result", "tool_use_id": f"call-{number}", "content": f"{number}"}
    return {"type": "user", "message": {"content": [content]}}


@dataclass
class FakeRun:
    """Its transcript is read page by page, as many events at a time as the page asks for."""

    page: Page
    events: Sequence[Event] = ()
    run: dict[str, object] = field(default_factory=view)
    pages_read: int = 0
    pages_given: int = 1_000_000
    """Later ones are held back."""
    held: list[Route] = field(default_factory=list)

    def open(self, dev: DevProcess, path: str = "") -> None:
        person = {"id": "someone", "kind": "guest", "isAdmin": False, "isExpiring": False}
        snapshot = {
            "cursor": 1,
            "time": TIME,
            "person": person,
            "agents": [],
            "executions": [self.run],
        }
        script = _STREAM.replace("SNAPSHOT", json.dumps(snapshot))
        self.page.add_init_script(script.replace("UID", UID).replace("TIME", TIME))
        base = f"**/api/executions/{UID}"
        self.page.route(base, lambda route: route.fulfill(json=self.run))
        self.page.route(f"{base}/transcript?*", self._answer)
        empty: dict[str, list[object]] = {"items": [], "leftOut": []}
        self.page.route(f"{base}/files", lambda route: route.fulfill(json=empty))
        self.page.goto(f"{dev.url}/executions/{UID}{path}")

    def tell(self, *events: Event) -> None:
        """A report of further events."""
        first = len(self.events)
        self.events = [*self.events, *events]
        payload = {"attempt": 1, "first": first, "events": list(events)}
        self.page.evaluate("payload => tell('execution.output', payload)", payload)

    def change(self, **change: object) -> None:
        """A report of what the run is now."""
        self.run = {**self.run, **change}
        self.page.evaluate("run => tell('execution.changed', run)", self.run)

    def release(self) -> None:
        """Gives what was held back."""
        self.pages_given = 1_000_000
        for route in self.held:
            self._answer(route)
        self.held.clear()

    def _answer(self, route: Route) -> None:
        if self.pages_read >= self.pages_given:
            self.held.append(route)
            return
        self.pages_read += 1
        query = parse_qs(urlsplit(route.request.url).query)
        first = int(query.get("cursor", ["0"])[0])
        end = first + int(query["limit"][0])
        following = str(end) if end < len(self.events) else None
        events = list(self.events[first:end])
        route.fulfill(json={"attempt": 1, "first": first, "events": events, "next": following})
