"""Catalogs are read with gettext: every text of every package is said in each of its languages."""

import pytest
from po_files import translations

from bus.text.texts import Texts, languages

PACKAGES = ("tui", "devices.terminal", "devices.terminal.kiosk", "devices.terminal.web")
CATALOGS = [
    (package, language)
    for package in PACKAGES
    for language in languages(package)
    if language != "en"
]


@pytest.mark.parametrize(("package", "language"), CATALOGS)
def test_each_text_is_said_as_its_catalog_has_it(package: str, language: str) -> None:
    say, wanted = Texts(package, language), translations(package, language)
    assert wanted
    assert {text: say(text) for text in wanted} == wanted


@pytest.mark.parametrize(("package", "language"), CATALOGS)
def test_a_text_without_a_translation_and_an_empty_one_stay_as_they_are(
    package: str, language: str
) -> None:
    say = Texts(package, language)
    assert say("Nobody has translated {what}.", what="this") == "Nobody has translated this."
    assert say("") == ""


@pytest.mark.parametrize("package", PACKAGES)
def test_in_english_a_text_is_itself_with_its_gaps_filled(package: str) -> None:
    assert Texts(package)("{count} left", count=3) == "3 left"
