import pytest

from netcfg.draw.metrics import ADVANCES, BOLD, fitted, stand_in, text_width


def test_table_agrees_with_the_font_that_pillow_carries():
    image_font = pytest.importorskip("PIL.ImageFont")
    font = image_font.load_default(size=1000)
    assert {character: font.getlength(character) for character in ADVANCES} == ADVANCES


def test_width_grows_with_size_and_weight():
    assert text_width("conv", 24.0) == pytest.approx(2 * text_width("conv", 12.0))
    assert text_width("conv", 12.0, bold=True) == pytest.approx(BOLD * text_width("conv", 12.0))


@pytest.mark.parametrize(
    ("character", "shown"), [("é", "e"), ("Ü", "U"), ("–", "-"), ("µ", "u"), ("a", "a"), ("名", "名")]
)
def test_characters_the_font_lacks_have_stand_ins(character, shown):
    assert stand_in(character) == shown


@pytest.mark.parametrize("text", ["×", "·", "…", "名", "\ufffd", "ß"])
def test_every_character_has_a_width(text):
    assert text_width(text, 10.0) > 0


def test_fitted_text_is_no_wider_than_the_limit():
    text = "a_name_that_goes_on_and_on" * 3
    short = fitted(text, 12.0, 100.0, bold=True)
    assert short.endswith("…")
    assert text_width(short, 12.0, bold=True) <= 100.0
    assert fitted("conv", 12.0, 100.0) == "conv"
