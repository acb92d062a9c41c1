"""In which language a text of others may be, by its script: what a page's `lang` says of it. Pure.

A screen reader that reads a Korean name in English reads nothing; the catalog does not say.
"""

import unicodedata

from markupsafe import Markup

_BY_SCRIPT = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "ARABIC": "ar",
    "HEBREW": "he", "THAI": "th", "GREEK": "el", "CYRILLIC": "ru", "DEVANAGARI": "hi",
}  # fmt: skip
_LATIN = "und-Latn"
"""Some language in Latin letters (BCP 47): which one cannot be seen."""


def tongue(text: str) -> str:
    """The language that a text's letters speak for; empty where it has none.

    Kana decide before Chinese characters, which Japanese has, too; Latin letters come last.
    """
    scripts = {unicodedata.name(each, "").partition(" ")[0] for each in text if each.isalpha()}
    found = next((tag for script, tag in _BY_SCRIPT.items() if script in scripts), "")
    return found or (_LATIN if "LATIN" in scripts else "")


def lang_attribute(text: str, page: str) -> Markup:
    """What is to stand in a tag around a text of others: ` lang="ko"`; empty in the page's own.

    Args:
        text: what stands in it.
        page: the page's language, `zh_Hant`.
    """
    own = page.partition("_")[0]
    found = tongue(text)
    is_own = found in ("", own) or (found == _LATIN and own == "en")
    return Markup("" if is_own else f' lang="{found}"')  # noqa: S704 - a tag of ours
