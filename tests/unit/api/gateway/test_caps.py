"""Daily caps of people: which budgets a person counts on, and what is said when one is used up."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.texts import speaking
from heliostat_api.gateway.caps import PERIOD, Caps, DailyCaps, is_reached
from heliostat_api.gateway.documents import Budget
from heliostat_api.web.problems import ProblemError
from heliostat_core.keys import GUESTS_BUDGET, person_budget

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIDNIGHT_MS = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
GUEST = Person("guest-1", PersonKind.GUEST)
USER = Person("user-1", PersonKind.USER)
GUESTS_OWN, USERS_OWN = person_budget("guest-1"), person_budget("user-1")
DAILY = DailyCaps(guest=50_000, guests=2_000_000, person=300_000)
NO_CAP_NANOS = 2**53


def budget(name: str, cap: int | None, spent: int = 0, period: str = PERIOD) -> Budget:
    return Budget(
        name=name,
        cap_nanos=cap,
        period=period,
        time_zone="UTC",
        spent_nanos=spent,
        until_ms=MIDNIGHT_MS,
    )


@dataclass
class Gateway:
    """Keeps budgets as the gateway does: what is spent stays spent."""

    budgets: dict[str, Budget] = field(default_factory=dict)
    puts: list[tuple[str, int, str]] = field(default_factory=list)

    async def budget(self, name: str) -> Budget | None:
        return self.budgets.get(name)

    async def put_budget(self, name: str, cap_nanos: int, period: str) -> Budget:
        self.puts.append((name, cap_nanos, period))
        known = self.budgets.get(name)
        self.budgets[name] = budget(name, cap_nanos, known.spent_nanos if known else 0, period)
        return self.budgets[name]

    async def drop_budget(self, name: str) -> bool:
        return self.budgets.pop(name, None) is not None


def caps_of(gateway: Gateway, daily: DailyCaps = DAILY) -> Caps:
    return Caps(gateway, daily, lambda: NOW)


@pytest.mark.parametrize(
    ("daily", "person", "budgets"),
    [
        (DAILY, GUEST, {GUESTS_OWN: 50_000, GUESTS_BUDGET: 2_000_000}),
        (DAILY, USER, {USERS_OWN: 300_000}),
        (DailyCaps(), GUEST, {}),
        (DailyCaps(), USER, {}),
        (DailyCaps(guests=1), GUEST, {GUESTS_BUDGET: 1}),
        (DailyCaps(guests=1), USER, {}),
        (DailyCaps(guest=1), GUEST, {GUESTS_OWN: 1}),
        (DailyCaps(guest=1), USER, {}),
        (DailyCaps(person=1), GUEST, {}),
    ],
)
def test_a_person_counts_on_the_caps_of_their_kind(
    daily: DailyCaps, person: Person, budgets: dict[str, int]
) -> None:
    """The person's own comes first: it is the one that they are told of."""
    assert list(daily.of(person).items()) == list(budgets.items())
    assert caps_of(Gateway(), daily).names(person) == tuple(budgets)


async def test_a_budget_is_defined_once_and_again_when_its_cap_changes_or_the_gateway_lost_it() -> (
    None
):
    gateway = Gateway()
    for _ in range(2):
        await caps_of(gateway).ensure(GUEST)
    expected = [(GUESTS_OWN, 50_000_000, PERIOD), (GUESTS_BUDGET, 2_000_000_000, PERIOD)]
    assert gateway.puts == expected
    gateway.budgets.clear()
    await caps_of(gateway).ensure(GUEST)
    assert gateway.puts == 2 * expected
    raised = caps_of(gateway, DailyCaps(guest=60_000, guests=2_000_000))
    await raised.ensure(GUEST)
    assert gateway.puts[4:] == [(GUESTS_OWN, 60_000_000, PERIOD)]


@pytest.mark.parametrize(
    "found", [budget(USERS_OWN, 300_000_000, period="month"), budget(USERS_OWN, None)]
)
async def test_a_budget_of_another_period_or_without_a_cap_is_defined_again(found: Budget) -> None:
    gateway = Gateway({USERS_OWN: found})
    await caps_of(gateway).ensure(USER)
    assert gateway.puts == [(USERS_OWN, 300_000_000, PERIOD)]


async def test_a_budget_that_agents_still_name_binds_no_more_when_its_cap_is_gone() -> None:
    found = await caps_of(Gateway(), DailyCaps()).define(USERS_OWN)
    assert found.cap_nanos == NO_CAP_NANOS


@pytest.mark.parametrize(
    ("cap", "spent", "reached"),
    [(100, 99, False), (100, 100, True), (100, 101, True), (0, 0, True), (None, 10**12, False)],
)
def test_a_budget_is_reached_when_nothing_is_left(
    cap: int | None, spent: int, reached: bool
) -> None:
    assert is_reached(budget("b", cap, spent)) is reached


async def test_who_has_something_left_of_each_budget_is_admitted() -> None:
    gateway = Gateway({GUESTS_OWN: budget(GUESTS_OWN, 50_000_000, 49_999_999)})
    assert await caps_of(gateway).admit(GUEST) == (GUESTS_OWN, GUESTS_BUDGET)


@pytest.mark.parametrize(
    ("language", "reached", "cap", "words"),
    [
        ("en", GUESTS_OWN, 50_000_000, "The daily limit of yours is used up: $0.05"),
        ("ko", GUESTS_OWN, 50_000_000, "나의 하루 한도를 다 썼습니다: $0.05"),
        ("en", GUESTS_BUDGET, 2 * 10**9, "The daily limit of all guests together is used up: $2"),
        ("ko", GUESTS_BUDGET, 2 * 10**9, "모든 게스트의 하루 한도를 다 썼습니다: $2"),
    ],
)
async def test_who_has_nothing_left_hears_of_which_budget_and_until_when(
    language: str, reached: str, cap: int, words: str
) -> None:
    gateway = Gateway({reached: budget(reached, cap, cap)})
    with speaking(language), pytest.raises(ProblemError) as refused:
        await caps_of(gateway).admit(GUEST)
    assert refused.value.status == 429
    assert refused.value.headers == {"Retry-After": str(12 * 3600)}
    assert str(refused.value).startswith(words)
    assert "2026-11-23T00:00:00Z" in str(refused.value)


async def test_the_wait_is_never_less_than_a_second() -> None:
    gateway = Gateway({USERS_OWN: budget(USERS_OWN, 300_000_000, 300_000_000)})
    late = Caps(gateway, DAILY, lambda: NOW + timedelta(hours=13))
    with pytest.raises(ProblemError) as refused:
        await late.admit(USER)
    assert refused.value.headers == {"Retry-After": "1"}


async def test_the_budget_of_a_person_who_is_gone_goes() -> None:
    gateway = Gateway({name: budget(name, 1) for name in (GUESTS_OWN, GUESTS_BUDGET)})
    await caps_of(gateway).forget(GUEST.id)
    assert list(gateway.budgets) == [GUESTS_BUDGET]
