"""Guesses the language of a product's text by its script, for the `lang` attribute. Pure.

The catalog does not tell languages, and a screen reader cannot read a Korean name as English.
"""

import unicodedata

from markupsafe import Markup

_BY_SCRIPT = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "ARABIC": "ar",
    "HEBREW": "he", "THAI": "th", "GREEK": "el", "CYRILLIC": "ru", "DEVANAGARI": "hi",
}  # fmt: skip
_LATIN = "und-Latn"
"""An undetermined language in Latin script (BCP 47)."""


def language_of_text(text: str) -> str:
    """The language tag that a text's script suggests; empty if it has no letters.

    Kana decide before Chinese characters, which Japanese uses too; Latin letters come last.
    """
    scripts = {unicodedata.name(each, "").partition(" ")[0] for each in text if each.isalpha()}
    found = next((tag for script, tag in _BY_SCRIPT.items() if script in scripts), "")
    return found or (_LATIN if "LATIN" in scripts else "")


def lang_attribute(text: str, page: str) -> Markup:
    """The attribute for an element around a text: ` lang="ko"`; empty for the page's language.

    Args:
        text: of the element.
        page: the page's language, such as `zh_Hant`.
    """
    own = page.partition("_")[0]
    found = language_of_text(text)
    is_own = found in ("", own) or (found == _LATIN and own == "en")
    return Markup("" if is_own else f' lang="{found}"')  # noqa: S704 - a tag of ours
