from __future__ import annotations

import pytest

from heliostat_runner.guard.hook_settings import Hook, build_settings, read_hook

HOOK = Hook("http://127.0.0.1:4711/", "Bearer secret")
ENTRY = {
    "type": "http",
    "url": HOOK.url,
    "timeout": 30,
    "headers": {"Authorization": HOOK.secret},
}
PLAIN = [{"hooks": [ENTRY]}]
BLOCKING = [{"hooks": [{**ENTRY, "onFailure": "block"}]}]


def test_an_enforced_hook_blocks_where_it_fails_and_hears_of_the_prompt() -> None:
    hooks = {"PreToolUse": BLOCKING, "UserPromptSubmit": PLAIN}

    assert build_settings(HOOK, True, False) == {"hooks": hooks}


def test_receipts_are_wanted_where_there_is_a_grant() -> None:
    hooks = {
        "PreToolUse": BLOCKING,
        "UserPromptSubmit": PLAIN,
        "PostToolUse": PLAIN,
        "PostToolUseFailure": PLAIN,
    }

    assert build_settings(HOOK, True, True) == {"hooks": hooks}


def test_an_observing_hook_may_fail() -> None:
    assert build_settings(HOOK, False, False) == {"hooks": {"PreToolUse": PLAIN}}


@pytest.mark.parametrize("enforced", [True, False])
def test_the_hook_is_read_as_it_was_written(enforced: bool) -> None:
    assert read_hook(build_settings(HOOK, enforced, True)) == HOOK


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {},
        {"hooks": {"PostToolUse": PLAIN}},
        {"hooks": {"PreToolUse": [{"hooks": [{**ENTRY, "type": "command"}]}]}},
        {"hooks": {"PreToolUse": [{"hooks": [{**ENTRY, "headers": {}}]}]}},
    ],
)
def test_other_settings_have_no_hook(settings: object) -> None:
    assert read_hook(settings) is None
