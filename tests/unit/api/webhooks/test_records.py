"""Who is told of what."""

from datetime import UTC, datetime, timedelta

from heliostat_api.webhooks.records import Webhook

MADE = datetime(2026, 11, 22, 12, 0, 5, 600_000, tzinfo=UTC)
HOOK = Webhook(user_id="ann", created_at=MADE, url="https://receiver.example/")


def test_what_ended_in_the_second_in_which_a_webhook_was_made_is_told() -> None:
    """Kubernetes tells whole seconds: such an end may be later than the webhook, and counts."""
    ended = MADE.replace(microsecond=0)
    assert HOOK.hears("execution.failed", "a", ended)
    assert not HOOK.hears("execution.failed", "a", ended - timedelta(seconds=1))
