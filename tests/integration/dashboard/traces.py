"""What the browser did with its main thread, by its own trace."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page

_CATEGORIES = ["-*", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"]


@dataclass
class Trace:
    """Events of the main thread of one page, in order."""

    events: list[dict[str, object]] = field(default_factory=list)

    def longest_task_ms(self) -> float:
        """By the time of the processor: other programs of the machine are not the page's fault."""
        return max(_cpu_ms(each) for each in self.events if each["name"] == "RunTask")

    def layout_ms(self) -> float:
        return sum(_cpu_ms(each) for each in self.events if each["name"] == "Layout")

    def busy_ms(self) -> float:
        return sum(_cpu_ms(each) for each in self.events if each["name"] == "RunTask")

    def laid_out(self) -> int:
        """Objects that layouts had to do with, all counted as often as they were."""
        found = 0
        for each in self.events:
            if each["name"] == "Layout":
                args = each["args"]
                assert isinstance(args, dict)
                found += int(args["beginData"]["dirtyObjects"])
        return found


def _cpu_ms(event: dict[str, object]) -> float:
    spent = event.get("tdur", 0)
    assert isinstance(spent, int | float)
    return spent / 1000


@contextmanager
def traced(page: Page) -> Iterator[Trace]:
    """Holds what the page does within the block, once it is left."""
    browser = page.context.browser
    assert browser is not None
    trace = Trace()
    browser.start_tracing(page=page, categories=_CATEGORIES)
    yield trace
    found = json.loads(browser.stop_tracing())["traceEvents"]
    # Of all renderers that of the page has the most to lay out.
    layouts = [(each["pid"], each["tid"]) for each in found if each["name"] == "Layout"]
    assert layouts, "the page laid nothing out"
    main = max(set(layouts), key=layouts.count)
    trace.events += [each for each in found if (each["pid"], each["tid"]) == main]
