"""Words that tell whether a headline is good or bad for shareholders.

Two lists: the words of the plain rule, in the forms English gives them, and weights on VADER's scale (-4 to 4)
for the language of markets, which a lexicon of social media does not know.
"""

from collections.abc import Mapping


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


POSITIVE_WORDS = _words(
    """
    bull bulls bullish
    buy buys buying
    gain gains gained gaining gainer gainers
    growth
    high highs higher highest
    jump jumps jumped jumping
    outperform outperforms outperformed outperforming outperformer
    profit profits profitable
    record records
    rise rises rising rose risen
    soar soars soared soaring
    strong stronger strongest strongly
    surge surges surged surging
    up
    """
)
NEGATIVE_WORDS = _words(
    """
    ban bans banned banning
    bear bears bearish
    crash crashes crashed crashing
    down
    drop drops dropped dropping
    fall falls falling fell fallen
    fine fines fined
    loss losses
    low lows lower lowest
    miss misses missed missing
    plunge plunges plunged plunging
    regulatory
    sell sells selling
    slide slides sliding slid
    weak weaker weakest weakly weaken weakens weakened weakening
    """
)

# Of use to shareholders or a harm to them, however it is said elsewhere.
_GOOD = {
    "accumulate": 1.5,
    "acquires": 0.8,
    "allotment": 0.4,
    "approval": 1.6,
    "approves": 1.2,
    "bags": 1.8,
    "beat": 1.8,
    "beats": 2.0,
    "bonus": 2.2,
    "breakout": 1.6,
    "bullish": 2.4,
    "buyback": 2.0,
    "climb": 1.6,
    "climbs": 1.6,
    "dividend": 1.5,
    "expands": 1.2,
    "expansion": 1.2,
    "growth": 1.8,
    "multibagger": 2.2,
    "outperform": 2.2,
    "outperforms": 2.2,
    "overweight": 1.8,
    "profit": 1.9,
    "profits": 1.9,
    "narrow": 2.6,
    "narrowed": 2.6,
    "narrows": 2.6,
    "raises": 0.8,
    "rallies": 2.0,
    "rally": 2.0,
    "rebound": 1.6,
    "rebounds": 1.6,
    "recovers": 1.5,
    "rise": 1.5,
    "rises": 1.6,
    "soar": 2.4,
    "soars": 2.6,
    "surge": 2.2,
    "surges": 2.4,
    "tops": 1.4,
    "turnaround": 1.8,
    "upgrade": 2.0,
    "upgraded": 2.0,
    "upgrades": 2.0,
    "uptrend": 1.8,
}
_BAD = {
    "bankruptcy": -3.2,
    "bearish": -2.4,
    "bleeds": -2.0,
    "correction": -1.2,
    "crash": -2.8,
    "crashes": -3.0,
    "cut": -1.2,
    "cuts": -1.4,
    "decline": -1.6,
    "declines": -1.6,
    "default": -2.8,
    "defaults": -3.0,
    "delisting": -1.8,
    "dips": -1.2,
    "down": -1.5,
    "downgrade": -2.2,
    "downgraded": -2.2,
    "downgrades": -2.2,
    "downtrend": -1.8,
    "drag": -1.3,
    "drags": -1.3,
    "drop": -1.5,
    "dropped": -1.6,
    "dropping": -1.5,
    "drops": -1.6,
    "embezzlement": -3.2,
    "fail": -3.0,
    "failed": -3.0,
    "fails": -3.0,
    "fall": -1.5,
    "falls": -1.6,
    "fined": -2.0,
    "fraud": -3.2,
    "headwinds": -1.6,
    "insolvency": -3.2,
    "insider": -1.0,
    "investigation": -1.8,
    "lawsuit": -1.8,
    "layoffs": -1.6,
    "misses": -1.8,
    "npa": -1.8,
    "penalty": -2.2,
    "pledge": -0.8,
    "plunge": -2.6,
    "plunges": -2.8,
    "plummets": -2.8,
    "probe": -2.0,
    "raid": -2.2,
    "raids": -2.2,
    "recall": -1.6,
    "resigns": -1.2,
    "selloff": -2.2,
    "slides": -1.6,
    "slump": -2.2,
    "slumps": -2.4,
    "sinks": -2.0,
    "slips": -1.3,
    "tank": -2.0,
    "tanks": -2.2,
    "tumble": -2.2,
    "tumbles": -2.4,
    "underperform": -2.0,
    "underperforms": -2.0,
    "underweight": -1.8,
    "warning": -2.8,
    "writeoff": -2.0,
}
# Praise or blame elsewhere; here they are things, trades and parts of companies' names.
_PLAIN = _words(
    """
    alert asset assets best better bright care careers challenge charge charges comfort credit creditors crude debt
    demand dear energy excel favor fine fortune free fresh friendly fun gift glad god good gross hero help ideal
    interest interests joy kind laurel like love matter natural number opportunity peace please popular positive
    premium pride prime quality rich royal safe save security share shared shares special stock stop sun super
    supreme support top treasure true trust united value vested vice vital want well win worth
    """
)

MARKET_LEXICON: Mapping[str, float] = {**dict.fromkeys(_PLAIN, 0.0), **_GOOD, **_BAD}
"""What a word weighs in place of its weight in VADER's own lexicon."""
