import pytest

from klyx.services.analysis.text import clean_text, comparison_key, normalise_nse_code


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("  Divi's   Laboratories\tLtd. ", "Divi's Laboratories Ltd."),
        ("Tata\u00a0Motors\nLtd.", "Tata Motors Ltd."),
        ("<img src=x onerror=alert(1)>", "img src=x onerror=alert(1)"),
        ("Larsen <b>& Toubro</b> é", "Larsen b& Toubro/b é"),
        ("nul\x00 and \x07 bell", "nul and bell"),
        ("\ud800lone", "lone"),
        ("\ufeffbom\u200b\u202ereversed", "bomreversed"),
        ("e\u0301", "é"),
        ("🚀 Rocket 👩‍💻", "🚀 Rocket 👩‍💻"),
        ("", ""),
        ("<>", ""),
    ],
)
def test_clean_text(written: str, clean: str) -> None:
    assert clean_text(written) == clean


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))])
def test_no_control_character_survives(character: str) -> None:
    assert clean_text(f"a{character}b") in ("ab", "a b")


def test_clean_text_is_idempotent_and_always_storable() -> None:
    hostile = "".join(map(chr, range(0x250))) + "\udcff\u2066<<>>"
    once = clean_text(hostile)
    assert clean_text(once) == once
    assert not set("<>\0") & set(once)
    assert once.encode("utf-8")


def test_comparison_key_ignores_case_and_spacing_only() -> None:
    assert comparison_key(" TATA  motors ") == comparison_key("Tata Motors")
    assert comparison_key("Tata Motors Ltd.") != comparison_key("Tata Motors Ltd")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("infy", "INFY"),
        (" RELIANCE.NS ", "RELIANCE"),
        ("tcs.bo", "TCS"),
        ("M&M", "M&M"),
        ("J&KBANK", "J&KBANK"),
        ("bajaj-auto", "BAJAJ-AUTO"),
        ("20MICRONS", "20MICRONS"),
        ("A_B", "A_B"),
        ("A" * 30, "A" * 30),
        ("A" * 31, None),
        ("RELIANCE INDUSTRIES", None),
        ("BRK.A", None),
        ("ΑΒΓ", None),
        (".NS", None),
        ("", None),
    ],
)
def test_normalise_nse_code(written: str, code: str | None) -> None:
    assert normalise_nse_code(written) == code
