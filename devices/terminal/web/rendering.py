"""Renders the templates of pages and their parts in the customer's language."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bus.text.texts import Texts
from commerce.price import price_text
from commerce.tax import rate_text
from devices.terminal.web.languages import lang_attribute
from devices.terminal.web.session import LANGUAGES, PACKAGE, TAGS


@cache
def texts(language: str) -> Texts:
    """The page's texts in a language."""
    return Texts(PACKAGE, language)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = price_text
    environment.filters["rate"] = rate_text
    environment.globals.update(languages=LANGUAGES, tags=TAGS, lang=lang_attribute)
    return environment


def render(template: str, language: str, **values: Any) -> str:
    """Render a template; `_` translates its texts."""
    say = texts(language)
    return _environment().get_template(template).render(_=say, language=language, **values)
