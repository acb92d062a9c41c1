"""What people read, in their language: message catalogs (GNU gettext .po) beside the code.

The English text is the key; a package keeps its catalogs in `locale/LANGUAGE.po`.
"""

import os
from functools import cache
from importlib import resources

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.pofile import read_po

ENGLISH = "en"


class Texts:
    """The texts of a package in one language; what has no translation stays English.

    Args:
        package: whose `locale` folder it is.
        language: such as `zh_Hans`; the nearest that there is, else English.
    """

    def __init__(self, package: str, language: str = ENGLISH) -> None:
        self.language = nearest(package, language)
        self._texts = {} if self.language == ENGLISH else _catalog(package, self.language)

    def __call__(self, text: str, **values: object) -> str:
        """A text with its gaps filled."""
        said = self._texts.get(text, text)
        return said.format(**values) if values else said


def languages(package: str) -> list[str]:
    """The languages that a package can speak, English first."""
    folder = resources.files(package) / "locale"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return [ENGLISH, *sorted(name[:-3] for name in names if name.endswith(".po"))]


def nearest(package: str, wanted: str) -> str:
    """The language of a package that serves `wanted` best: `zh_TW.UTF-8` is served by `zh_Hant`."""
    name = wanted.partition(".")[0].replace("-", "_")
    try:
        known = Locale.parse(name, resolve_likely_subtags=True)
    except (ValueError, UnknownLocaleError):
        return ENGLISH
    spoken = languages(package)
    tries = [name, f"{known.language}_{known.script}", known.language]
    found = negotiate_locale(tries, spoken)
    if found is not None:
        return found
    return next((each for each in spoken if each.startswith(known.language)), ENGLISH)


def users_language() -> str:
    """The language of who started the program, from LC_ALL, LC_MESSAGES or LANG."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value and value not in ("C", "POSIX", "C.UTF-8"):
            return value
    return ENGLISH


@cache
def _catalog(package: str, language: str) -> dict[str, str]:
    with (resources.files(package) / "locale" / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    return {
        str(message.id): str(message.string)
        for message in catalog
        if message.id and message.string and not message.fuzzy
    }
