"""Every text of the console and the kiosk is said in all their languages, with the same gaps."""

from importlib import resources
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from po_files import translations

from bus.text.texts import Texts, languages

KIOSK = "devices.terminal.kiosk"
_KEYWORDS = {"_": None, "marked": None, "Sentence": None, "say": None}
_TRANSLATES = {"tui": ("bus.history", "bus.text")}
_SPOKEN = [
    (package, language)
    for package in ("tui", KIOSK)
    for language in languages(package)
    if language != "en"
]


def texts(package: str) -> set[str]:
    """The texts that stand in the code of a package, or in what it alone translates."""
    return {
        message
        for each in (package, *_TRANSLATES.get(package, ()))
        for _, _, message, _, _ in extract_from_dir(
            str(resources.files(each)), method_map=[("**.py", "python")], keywords=_KEYWORDS
        )
        if isinstance(message, str)
    }


def gaps(text: str) -> set[str]:
    """The names of a text's gaps."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_the_texts_of_the_code_are_found() -> None:
    assert {"Store", "{node} is lost", "waits for a free sorter", "picking"} <= texts("tui")
    assert {"Pay now", "I have seen it", "packed", "There is no such account."} <= texts(KIOSK)


@pytest.mark.parametrize(("package", "language"), _SPOKEN)
def test_no_text_is_without_its_translation(package: str, language: str) -> None:
    said = translations(package, language)
    missing = {text for text in texts(package) if text not in said}
    assert not missing


@pytest.mark.parametrize(("package", "language"), _SPOKEN)
def test_no_translation_is_of_a_text_that_is_gone(package: str, language: str) -> None:
    assert set(translations(package, language)) <= texts(package)


@pytest.mark.parametrize(("package", "language"), _SPOKEN)
def test_a_translation_has_the_gaps_of_its_text(package: str, language: str) -> None:
    said = translations(package, language)
    assert {text: gaps(text) for text in texts(package)} == {
        text: gaps(said[text]) for text in texts(package)
    }


def test_chinese_is_among_them() -> None:
    assert Texts("tui", "zh").language == "zh_Hans"
    assert Texts("tui", "zh")("Store") != "Store"
    assert {"zh_Hans", "zh_Hant"} <= set(languages(KIOSK))
    assert Texts(KIOSK, "zh_TW.UTF-8")("Cart") == "購物車"
