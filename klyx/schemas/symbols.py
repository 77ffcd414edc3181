from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, pre_load

from klyx.services.analysis.text import clean_text

LONGEST_TEXT = 255
MOST_AT_ONCE = 1_000
NOT_CORRECTIONS = "Send the corrections as one object of texts: what is written, and what to read instead."


class CorrectionsSchema(Schema):
    """A flat object: what is written in the workbooks -> the NSE code or company name to read instead."""

    class Meta:
        unknown = INCLUDE

    @pre_load
    def check(self, data: Any, **_: Any) -> dict[str, str]:
        corrections = {clean_text(original): _clean(replacement) for original, replacement in data.items()}
        kept = {original: replacement for original, replacement in corrections.items() if original and replacement}
        if not kept:
            raise ValidationError("There is no correction in it. " + NOT_CORRECTIONS)
        if len(kept) > MOST_AT_ONCE:
            raise ValidationError(f"Send at most {MOST_AT_ONCE} corrections at a time.")
        if any(len(text) > LONGEST_TEXT for pair in kept.items() for text in pair):
            raise ValidationError(f"A correction is longer than {LONGEST_TEXT} characters. Please shorten it.")
        return kept


def _clean(replacement: Any) -> str:
    if not isinstance(replacement, str):
        raise ValidationError(NOT_CORRECTIONS)
    return clean_text(replacement)


class CandidateSchema(Schema):
    stock_name = fields.String()
    sc_id = fields.String(allow_none=True)
    nse_code = fields.String(allow_none=True)


class UnknownSymbolSchema(Schema):
    symbol = fields.String(metadata={"description": "As written in the workbook; each occurs once"})
    candidates = fields.List(fields.Nested(CandidateSchema), metadata={"description": "The most similar first"})


class VerificationAnswer(Schema):
    status = fields.String(metadata={"enum": ["success", "no_files"]})
    valid = fields.List(fields.String())
    invalid = fields.List(fields.Nested(UnknownSymbolSchema))
