import tomllib
from dataclasses import asdict

import pytest

from kpi.dashboard.theme import DARK, GROUP_WORDS, GROUPS, LIGHT, style

from .conftest import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("mode", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_streamlits_theme_and_the_charts_share_their_colours(mode, palette):
    theme = CONFIG["theme"][mode]
    assert theme["primaryColor"] == palette.accent
    assert theme["backgroundColor"] == palette.ground
    assert theme["secondaryBackgroundColor"] == palette.soft
    assert theme["textColor"] == palette.ink
    assert theme["borderColor"] == palette.line
    # with fewer than ten the browser pads the list with "undefined"
    assert len(set(theme["chartCategoricalColors"])) == 10
    assert theme["chartCategoricalColors"][0] == palette.accent


@pytest.mark.parametrize(("mode", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_style_sheet_names_every_colour(mode, palette):
    sheet = style(mode)
    for name, colour in asdict(palette).items():
        assert f"--{name.replace('_', '-')}:{colour};" in sheet


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_words_stand_out_from_their_ground(palette):
    # WCAG 2 asks for 4.5 to 1 of small text
    for colour in (palette.ink, palette.quiet, palette.worse, palette.better, palette.accent, palette.target):
        for ground in (palette.panel, palette.ground, palette.soft):
            assert contrast(colour, ground) >= 4.5, (colour, ground)


@pytest.mark.parametrize(("mode", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_names_of_groups_can_be_read_in_their_colours(mode, palette):
    assert len(GROUP_WORDS[mode]) == len(GROUPS[mode]) == 10
    for mark, word in zip(GROUPS[mode], GROUP_WORDS[mode], strict=True):
        assert contrast(word, palette.panel) >= 4.5, word
        assert contrast(mark, palette.panel) >= 3, mark  # WCAG 2 asks for 3 to 1 of what isn't text


def test_everything_that_is_served_is_a_file_of_ours():
    static = ROOT / "kpi" / "dashboard" / "served" / "static"
    for face in CONFIG["theme"]["fontFaces"]:
        assert (static / face["url"].removeprefix("app/static/")).is_file()
    assert (static / "Inter-LICENSE.txt").is_file()
    assert CONFIG["browser"]["gatherUsageStats"] is False


def contrast(one, other):
    lights = sorted((luminance(one), luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
