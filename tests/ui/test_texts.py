"""Every text of the console is said in every language that it speaks, with the same gaps."""

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir

import tui
from bus.texts import Texts, languages

_PACKAGE = Path(tui.__file__).parent
_KEYWORDS = {"_": None, "marked": None, "Sentence": None, "say": None}


def texts() -> set[str]:
    """The texts that stand in the code."""
    found = extract_from_dir(str(_PACKAGE), method_map=[("**.py", "python")], keywords=_KEYWORDS)
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def gaps(text: str) -> set[str]:
    """The names of a text's gaps."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_the_texts_of_the_code_are_found() -> None:
    assert {"Store", "{node} is lost", "waits for a free sorter", "picking"} <= texts()


@pytest.mark.parametrize("language", [each for each in languages("tui") if each != "en"])
def test_no_text_is_without_its_translation(language: str) -> None:
    say = Texts("tui", language)
    missing = {text for text in texts() if text not in say._texts}
    assert not missing


@pytest.mark.parametrize("language", [each for each in languages("tui") if each != "en"])
def test_no_translation_is_of_a_text_that_is_gone(language: str) -> None:
    assert set(Texts("tui", language)._texts) <= texts()


@pytest.mark.parametrize("language", [each for each in languages("tui") if each != "en"])
def test_a_translation_has_the_gaps_of_its_text(language: str) -> None:
    say = Texts("tui", language)
    assert {text: gaps(text) for text in texts()} == {
        text: gaps(say._texts[text]) for text in texts()
    }


def test_chinese_is_among_them() -> None:
    assert Texts("tui", "zh").language == "zh_Hans"
    assert Texts("tui", "zh")("Store") != "Store"
