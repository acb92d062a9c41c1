"""What the message catalogs of a package say, read without the code that uses them."""

from importlib import resources

from babel.messages.pofile import read_po


def translations(package: str, language: str) -> dict[str, str]:
    """The translations of a catalog by their English texts."""
    with (resources.files(package) / "locale" / f"{language}.po").open("rb") as file:
        return {
            str(message.id): str(message.string)
            for message in read_po(file, locale=language)
            if message.id and message.string and not message.fuzzy
        }
