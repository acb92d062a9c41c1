"""Every text of the phone page is said in every language that it speaks, with the same gaps."""

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract, extract_from_dir
from po_files import translations

import devices.terminal.web as package
from bus.contract.refusals import problems
from bus.contract.settlement import PURCHASE, OrderState
from bus.text.texts import languages
from devices.terminal import sales_receipt
from devices.terminal.web import words
from devices.terminal.web.session import LANGUAGES, PACKAGE, TAGS

_FOLDER = Path(package.__file__).parent
_METHODS = [("**.py", "python"), ("**.html", "jinja2")]
OTHERS = [each for each in languages(PACKAGE) if each != "en"]


def texts() -> set[str]:
    """The texts that stand in the code and the templates."""
    found = extract_from_dir(str(_FOLDER), method_map=_METHODS, keywords={"_": None, "say": None})
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def texts_of_the_receipt() -> set[str]:
    """Those stand in one file, for every face of a terminal."""
    with Path(sales_receipt.__file__).open("rb") as code:
        return {str(message) for _, message, _, _ in extract("python", code, {"say": None})}


def gaps(text: str) -> set[str]:
    """The names of a text's gaps."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_the_texts_of_code_and_templates_are_found() -> None:
    assert {"Pay {total}", "Only {count} left.", "Your goods are ready."} <= texts()


@pytest.mark.parametrize("language", OTHERS)
def test_each_text_of_the_receipt_has_its_translation(language: str) -> None:
    wanted = texts_of_the_receipt()
    assert {"Tax number: {number}", "Your pickup code"} <= wanted
    said = translations(sales_receipt.PACKAGE, language)
    assert {text: gaps(text) for text in wanted} == {text: gaps(said[text]) for text in said}


@pytest.mark.parametrize("language", OTHERS)
def test_each_text_has_its_translation_with_the_same_gaps(language: str) -> None:
    said = translations(PACKAGE, language)
    assert {text: gaps(text) for text in texts()} == {text: gaps(said[text]) for text in said}


def test_the_switch_offers_what_there_are_catalogs_for() -> None:
    assert set(LANGUAGES) == set(TAGS) == set(languages(PACKAGE))


def test_every_state_of_an_order_and_every_refusal_of_a_purchase_has_its_sentence() -> None:
    assert set(words._STATES) == set(OrderState.__args__)
    known = {"sold-out", "price-changed", *words._PROBLEMS}
    assert known >= PURCHASE.problems
    assert known <= {problem.code for problem in problems()}
