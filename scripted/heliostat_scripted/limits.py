"""Rate limit headers, each dialect's own. Gemini has none."""

from datetime import UTC, datetime, timedelta

from heliostat_scripted.apis import Api
from heliostat_scripted.headers import Headers
from heliostat_scripted.scenario import Limit, RateLimits


def limit_headers(api: Api, limits: RateLimits, now: float) -> Headers:
    """What `limits` says at an instant, seconds since the epoch."""
    pairs = (("requests", limits.requests), ("tokens", limits.tokens))
    given = [(kind, limit) for kind, limit in pairs if limit is not None]
    if api is Api.MESSAGES:
        return [pair for kind, limit in given for pair in _messages(kind, limit, now)]
    if api is Api.CHAT:
        return [pair for kind, limit in given for pair in _chat(kind, limit)]
    return []


def _messages(kind: str, limit: Limit, now: float) -> Headers:
    instant = datetime.fromtimestamp(now, UTC) + timedelta(seconds=limit.reset_seconds)
    return [
        (f"anthropic-ratelimit-{kind}-limit", str(limit.limit)),
        (f"anthropic-ratelimit-{kind}-remaining", str(limit.remaining)),
        (f"anthropic-ratelimit-{kind}-reset", f"{instant:%Y-%m-%dT%H:%M:%SZ}"),
    ]


def _chat(kind: str, limit: Limit) -> Headers:
    return [
        (f"x-ratelimit-limit-{kind}", str(limit.limit)),
        (f"x-ratelimit-remaining-{kind}", str(limit.remaining)),
        (f"x-ratelimit-reset-{kind}", f"{limit.reset_seconds:g}s"),
    ]
