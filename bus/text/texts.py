"""Texts for people in their language, translated with GNU gettext.

The English text is the key. A package has its catalogs in `locale/LANGUAGE.po`; each is compiled in
memory when it is first used, so that there are no compiled files that could be missing or stale.
"""

import io
import os
from functools import cache
from gettext import GNUTranslations
from importlib import resources

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ENGLISH = "en"


class Texts:
    """The texts of a package in one language; a text without a translation stays English.

    Args:
        package: the one with the `locale` folder.
        language: such as `zh_Hans`; the nearest of the package's languages is taken, else English.
    """

    def __init__(self, package: str, language: str = ENGLISH) -> None:
        self.language = nearest(package, language)
        self._catalog = None if self.language == ENGLISH else _catalog(package, self.language)

    def __call__(self, text: str, **values: object) -> str:
        """Translate an English text and fill in its placeholders."""
        translated = text
        if text and self._catalog is not None:  # gettext answers an empty text with its header
            translated = self._catalog.gettext(text)
        return translated.format(**values) if values else translated


def languages(package: str) -> list[str]:
    """The languages of a package, English first."""
    folder = resources.files(package) / "locale"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return [ENGLISH, *sorted(name[:-3] for name in names if name.endswith(".po"))]


def nearest(package: str, wanted: str) -> str:
    """The language of a package that is nearest to `wanted`: `zh_Hant` for `zh_TW.UTF-8`."""
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
    """The user's language, from the variables LC_ALL, LC_MESSAGES or LANG."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value and value not in ("C", "POSIX", "C.UTF-8"):
            return value
    return ENGLISH


@cache
def _catalog(package: str, language: str) -> GNUTranslations:
    with (resources.files(package) / "locale" / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)  # leaves out what is fuzzy or not translated
    compiled.seek(0)
    return GNUTranslations(compiled)
