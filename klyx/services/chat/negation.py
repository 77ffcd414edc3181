"""Words that turn what follows them into its opposite: "not", "without", "do not show stocks with"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHOW = r"show|showing|list|give|display|include|including|want|need|like|buy|pick|select|suggest|recommend"
_LEAVE_OUT = (
    r"exclud(?:e|es|ing)|except(?:ing)?(?:\s+for)?|other\s+than|avoid(?:ing)?|skip(?:ping)?|remov(?:e|ing)|hid(?:e|ing)|"
    r"ignor(?:e|ing)|drop|leave\s+out|rather\s+than|instead\s+of|unless"
)
_LACKING = (
    r"(?:do|does|did|should|must|can|could|would)\s+not|(?:do|does|did|should|must|ca|could|would)n'?t|cannot|"
    r"without|no|ha(?:ve|s)n'?t|lack(?:s|ing)?"
)
_SHORT = r"not|never|non|neither|nor|(?:are|is|was|were)n'?t"
# Without a meaning of their own between a negation and what it negates.
_BETWEEN = (
    rf"{_SHOW}|me|us|ha(?:ve|s|d|ving)|be|been|being|are|is|stocks?|shares?|compan(?:y|ies)|firms?|ones?|those|with|any|"
    r"all|an?|the|in|at|of|that|which|who|whose|where|very|too|so|such|yet|so\s+far|already|currently|really|trading|its|their|for|from"
)
_ANY = rf"(?P<imperative>\b(?:{_LEAVE_OUT}))|(?P<lacking>\b(?:{_LACKING}))|(?P<short>\b(?:{_SHORT}))"
_ADJOINING = re.compile(rf"(?:{_ANY})(?!\w)(?P<between>(?:[\s-]+(?:{_BETWEEN})(?!\w))*[\s-]*)$")
_ANYWHERE = re.compile(rf"(?=(?:{_ANY})(?!\w)(?P<between>.*))")
_SHOWN = re.compile(rf"\b(?:{_SHOW})\b")
_HAVING = re.compile(r"\b(?:with|having|have)\b")
_ENDS = r";|\.\s|\bbut\b|\bonly\b|\b(?:and|then)\s+(?:show|list|give|find|get)\b"
_ENDS_LEAVING_OUT = re.compile(_ENDS)
_ENDS_LACKING = re.compile(rf"{_ENDS}|\b(?:with|having|ha(?:ve|s)|whose|that|which|who|are|is)\b")
_ENDS_SHORT = re.compile(rf"{_ENDS_LACKING.pattern}|\band\b")
_OR = re.compile(r"\bor\b")
AFTERWARDS = re.compile(
    r"[\s,]*(?:(?:stocks?|companies|should|must|are|is|to|need|be|being)\s+)*"
    r"(?:excluded|removed|avoided|hidden|skipped|ignored|left\s+out|not\s+(?:allowed|wanted|ok(?:ay)?))\b"
)
"""What negates a condition behind it."""


@dataclass(frozen=True, slots=True)
class Negation:
    """`start` is where it begins; `is_sure` that it means just what follows it."""

    start: int
    is_sure: bool
    leaves_out: bool
    spreads: bool

    def reaches_over(self, gap: str) -> bool:
        """Whether it may also mean what stands behind this text, after a condition that it negates."""
        if not self.spreads:
            return _OR.search(gap) is not None
        return (_ENDS_LEAVING_OUT if self.leaves_out else _ENDS_LACKING).search(gap) is None


def negation_before(text: str) -> Negation | None:
    """The negation at the end of a text, which may be one of what stands behind it."""
    if (found := _ADJOINING.search(text)) is not None:
        return _negation(found, is_sure=True)
    for found in _ANYWHERE.finditer(text):
        negation = _negation(found, is_sure=False)
        ends = _ENDS_LEAVING_OUT if negation.leaves_out else _ENDS_SHORT if found["short"] else _ENDS_LACKING
        if "," not in found["between"] and ends.search(found["between"]) is None:
            return negation
    return None


def is_negated(text: str) -> bool:
    """Whether a text ends with a negation of what stands behind it."""
    return _ADJOINING.search(text) is not None


def _negation(found: re.Match[str], *, is_sure: bool) -> Negation:
    between = found["between"]
    leaves_out = found["imperative"] is not None or (_SHOWN.match(between.strip(" -")) is not None)
    spreads = leaves_out or found["lacking"] is not None or _HAVING.search(between) is not None
    return Negation(found.start(), is_sure, leaves_out, spreads)
