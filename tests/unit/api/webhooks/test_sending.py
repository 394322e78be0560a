"""When a delivery is sent again, and when it is given up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.webhooks.records import MOST_ATTEMPTS_KEPT, Attempt, Delivery
from heliostat_api.webhooks.sending import LEASE, PAUSES, Outcome, after, leased, said

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEW = Delivery(
    user_id="ann",
    webhook_id="hook",
    agent_id="agent",
    event="execution.failed",
    created_at=NOW,
    body="{}",
    next_time=NOW,
)


def tried(delivery: Delivery, now: datetime, outcome: Outcome) -> Delivery:
    attempt = Attempt(time=now, status=outcome.status, message=outcome.message, milliseconds=1)
    return after(leased(delivery, now), attempt, outcome)


@given(st.lists(st.sampled_from([None, 199, 301, 404, 429, 500, 200, 204, 410]), max_size=30))
def test_it_is_sent_until_it_is_taken_or_given_up(
    answers: list[int | None],
) -> None:
    delivery, now, sent = NEW, NOW, 0
    for status in answers:
        if not delivery.is_open:
            break
        assert leased(delivery, now).next_time == now + LEASE
        delivery = tried(delivery, now, Outcome(None, "x") if status is None else said(status))
        sent += 1
        if delivery.is_open:
            assert delivery.next_time - now == PAUSES[sent - 1]
            now = delivery.next_time
    last = answers[sent - 1] if sent else None
    taken = last is not None and 200 <= last < 300
    assert (delivery.state == "delivered") == taken
    is_over = last == 410 or sent > len(PAUSES)
    assert (delivery.state == "failed") == (is_over and not taken)
    assert sent <= len(PAUSES) + 1
    assert len(delivery.attempts) == min(sent, MOST_ATTEMPTS_KEPT)


def test_it_is_tried_for_more_than_a_day() -> None:
    assert timedelta(days=1) < sum(PAUSES, timedelta()) < timedelta(days=2)
