"""How many of our files a request may pass: what is allowed today, and what is wanted.

`today` goes down with each room that is put in order, and never up.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A test fails above `today`."""

    today: int
    wanted: int


# 33 before an answer's usage was read field by field: that reader is the 34th.
# 34 until signatures of thinking that is not Anthropic's got a mark (calls/signature_marks).
MODEL_CALL = Limit(today=35, wanted=30)
# It was 27 while code was left out that ran one time while nothing was asked: by the Lease, which
# goes over the same connection, and by what followed from the run before. The way that was counted
# as 27 files had 30, and 45 at b496aa94.
# Then 29; 31 with a canary for each watch; 33 since slots have states of their own (runs/slots.py)
# and the reconciler, which grew beyond a file together with its controller, has one.
# 33 before runs asked people: each run document has a guard now (builders/guards and three files of
# the policy), and each look asks for claims and asks (runs/claims, runs/ask_observer). Three more
# are modules that grew beyond a file (conditions, runs/attempts) or are met on the way (indexes).
EXECUTION = Limit(today=42, wanted=24)
# 27 before each word over the socket asked whether its session still lives: seven files of people,
# sessions and leases.
CHAT_ANSWER = Limit(today=34, wanted=16)
