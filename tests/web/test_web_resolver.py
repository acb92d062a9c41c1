"""The page as a resolver: what it says to machines, held against the standards that it names.

Sections are those of RFC 9264. Statements are the conformance statements of the GS1-Conformant
resolver standard 1.2, in the order in which they stand there.
"""

import re
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from shop import SHIRT, Phone

LINKSET = "application/linkset+json"
PRIMARY_KEYS = (
    *("00", "01", "253", "255", "401", "402", "410", "411", "412", "413", "414", "415", "417"),
    *("8003", "8004", "8006", "8010", "8013", "8017", "8018"),
)
DESCRIPTION = {
    "type": "object",
    "required": ["resolverRoot", "supportedPrimaryKeys"],
    "properties": {
        "resolverRoot": {"type": "string", "format": "uri", "pattern": "^https?://"},
        "supportedPrimaryKeys": {
            "type": "array",
            "minItems": 1,
            "items": {"enum": ["all", *PRIMARY_KEYS]},
        },
        "name": {"type": "string"},
        "supportedLinkType": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "namespace": {"type": "string", "format": "uri"},
                    "prefix": {"type": "string", "pattern": "^[a-zA-Z_][A-Za-z0-9_-]*:$"},
                },
            },
        },
        "linkTypeDefaultCanBeLinkset": {"type": "boolean"},
        "jsonLdContextLocation": {"type": "string", "format": "uri"},
    },
}
"""What the standard's schema of description files asks of the members that we have."""


def links_of(phone: Phone, path: str) -> list[dict[str, Any]]:
    """The linkset, checked."""
    answer = phone.get(path, accept=LINKSET)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == LINKSET  # 4.2: always UTF-8, no charset
    document = answer.json()
    assert list(document) == ["linkset"]  # 4.2.1: its sole member
    assert isinstance(document["linkset"], list)
    for context in document["linkset"]:
        is_link_context(context)
    return list(document["linkset"])


def is_link_context(context: dict[str, Any]) -> None:
    """RFC 9264, 4.2.2, and what the standard's own schema asks beyond."""
    assert re.match(r"https?://[a-zA-Z0-9./]", context["anchor"])
    # Beside the relations, GS1's schema wants the item in words.
    assert isinstance(context["itemDescription"], str)
    assert context["itemDescription"].strip()
    relations = [name for name in context if name not in ("anchor", "itemDescription")]
    assert relations
    for relation in relations:
        # 4.2.3: a registered relation type, or a URI; statement 16: GS1's vocabulary.
        assert relation.startswith("https://gs1.org/voc/")
        assert isinstance(context[relation], list)
        assert context[relation]
        for target in context[relation]:
            if relation.endswith("/defaultLink"):
                is_default_link(target)
            else:
                is_link_target(target)


def is_default_link(target: dict[str, Any]) -> None:
    """The one that is taken whatever is asked for: GS1's schema lets it say nothing else."""
    assert set(target) == {"href", "title"}
    assert re.match(r"https?://[a-zA-Z0-9./]", target["href"])
    assert target["title"].strip()


def is_link_target(target: dict[str, Any]) -> None:
    """RFC 9264, 4.2.3 and 4.2.4.1; statement 11: each link has a target, a type and a title."""
    assert set(target) <= {"href", "title", "type", "hreflang", "context", "fwqs", "public"}
    assert re.match(r"https?://[a-zA-Z0-9./]", target["href"])
    assert isinstance(target["title"], str)
    assert target["title"].strip()
    assert re.fullmatch(r"\w+/[-+.\w]+", target["type"])
    assert isinstance(target["hreflang"], list)  # 4.2.4.1: of all attributes only this is one
    assert all(re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", each) for each in target["hreflang"])


def test_a_linkset_is_one_as_both_standards_have_it(phone: Phone) -> None:
    (context,) = links_of(phone, f"/01/{SHIRT}")
    # Statement 10: one link is the default.
    assert len(context["https://gs1.org/voc/defaultLink"]) == 1


def test_the_links_of_each_level_up_to_the_key_are_there(phone: Phone) -> None:
    levels = ["", "/22/2A", "/10/LOT1", "/21/7"]
    found = links_of(phone, f"/01/{SHIRT}{''.join(levels)}?17=271231")  # statement 8
    base = str(phone.http.base_url).rstrip("/")
    assert [each["anchor"] for each in found] == [
        f"{base}/01/{SHIRT}{''.join(levels[:end])}" for end in range(len(levels), 0, -1)
    ]
    for context in found:
        for link in context["https://gs1.org/voc/pip"]:
            assert phone.get(link["href"]).status_code == 200


def test_a_slash_at_the_end_is_tolerated(phone: Phone) -> None:
    assert phone.get(f"/01/{SHIRT}/").status_code == 200  # statement 18
    assert links_of(phone, f"/01/{SHIRT}/") == links_of(phone, f"/01/{SHIRT}")
    assert phone.get(f"/01/{SHIRT}//").status_code == 400


@pytest.mark.parametrize(
    "path", [f"/01/{SHIRT}", "/01/09506000134353", "/01/04006381333931", "/.well-known/gs1resolver"]
)
def test_scripts_of_other_sites_may_read_every_answer(phone: Phone, path: str) -> None:
    headers = phone.get(path).headers  # statement 3
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-expose-headers"] == "Link"
    assert "access-control-allow-origin" not in phone.get("/cart").headers


def test_the_description_is_what_the_schema_of_descriptions_asks_for(phone: Phone) -> None:
    described = phone.get("/.well-known/gs1resolver").json()  # statement 15
    faults = list(
        Draft7Validator(DESCRIPTION, format_checker=FormatChecker()).iter_errors(described)
    )
    assert not faults
    assert set(DESCRIPTION["properties"]) >= set(described)


@pytest.mark.parametrize(
    ("query", "accept"),
    [("", LINKSET), ("?linkType=linkset", "text/html"), ("?linkType=all", "*/*")],
)
def test_a_resolver_gives_all_links(phone: Phone, query: str, accept: str) -> None:
    answer = phone.get(f"/01/{SHIRT}{query}", accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == LINKSET
    assert answer.headers["access-control-allow-origin"] == "*"
    (links,) = answer.json()["linkset"]
    assert links["anchor"].endswith(f"/01/{SHIRT}")
    for kind in ("defaultLink", "pip"):
        (link,) = links[f"https://gs1.org/voc/{kind}"]
        assert phone.get(link["href"]).status_code == 200
        assert link.get("hreflang") == (None if kind == "defaultLink" else ["en", "zh-TW", "zh-CN"])


def test_a_browser_gets_the_page_and_is_told_where_the_links_are(phone: Phone) -> None:
    answer = phone.get(f"/01/{SHIRT}", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.headers["content-type"].startswith("text/html")
    assert 'rel="linkset"' in answer.headers["link"]


def test_one_kind_of_link_is_a_redirection_that_keeps_the_query(phone: Phone) -> None:
    phone.http.follow_redirects = False
    for kind in ("gs1:pip", "gs1:defaultLink", "https://gs1.org/voc/pip"):
        answer = phone.http.get(f"/01/{SHIRT}", params={"linkType": kind, "17": "271231"})
        assert answer.status_code == 307
        assert answer.headers["location"].endswith(f"/01/{SHIRT}?17=271231")


def test_an_unknown_product_has_no_links_either(phone: Phone) -> None:
    assert phone.get("/01/04006381333931", accept=LINKSET).status_code == 404
    assert phone.get("/01/09506000134353?linkType=linkset").status_code == 400


def test_the_resolver_describes_itself(phone: Phone) -> None:
    answer = phone.get("/.well-known/gs1resolver")
    assert answer.headers["content-type"] == "application/json"
    described = answer.json()
    assert described["resolverRoot"] == str(phone.http.base_url).rstrip("/")
    assert described["supportedPrimaryKeys"] == ["01"]


def test_head_and_options_are_answered(phone: Phone) -> None:
    head = phone.http.head(f"/01/{SHIRT}")
    assert (head.status_code, head.content) == (200, b"")
    options = phone.http.options(f"/01/{SHIRT}")
    assert options.status_code == 204
    assert options.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
