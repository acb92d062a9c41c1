"""What a scanner gives is read as a GTIN, element strings, a link, another URL, or refused."""

import json

import pytest
from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from hypothesis import assume, given
from hypothesis import strategies as st
from needs import MORE_VECTORS, VECTORS
from zxingcpp import BarcodeFormat, create_barcode

from bus.contract.catalog import Lookup, Price, Product, Style
from bus.contract.refusals import InvalidLink, UnknownLabel
from bus.contract.values import check_digit
from nodes.catalog.code import ScannedCode, read_code
from nodes.catalog.digital_link import read_link
from nodes.catalog.elements import read_elements
from nodes.catalog.pairs import check_pairs
from nodes.catalog.product_index import ProductIndex
from nodes.catalog.upc import upc_a

GTIN = "09506000134352"
FIXED_LENGTHS = {"00", "01", "02", "03", "04", *map(str, range(11, 21)), "41"} | {
    str(prefix) for prefix in range(31, 37)
}
"""GS1 General Specifications 7.8.5: no separator follows these."""

bodies = st.sampled_from([7, 11, 12, 13]).flatmap(
    lambda length: st.text("0123456789", min_size=length, max_size=length)
)


def element_string(elements: tuple[tuple[str, str], ...]) -> str:
    parts = [
        identifier + value + ("" if identifier[:2] in FIXED_LENGTHS else "^")
        for identifier, value in elements
    ]
    return "^" + "".join(parts).removesuffix("^")


@pytest.mark.needs("vectors")
def test_the_shared_vectors_of_digital_links_all_agree() -> None:
    for case in map(json.loads, VECTORS.read_text("utf-8").splitlines()):
        try:
            link = read_link(case["uri"])
        except InvalidLink:
            link = None
        assert (link is not None) == case["valid"], case
        if link:
            assert link.gtin == case["gtin"], case
            assert element_string(link.elements) == case["elements"], case
            assert read_code(case["uri"]) == ScannedCode(case["gtin"], case["uri"])


ZERO_SUPPRESSED = "A GTIN in a link has 14 digits: what is shorter is filled with zeros."
OURS_IS_THE_STANDARDS = {
    "https://a/01/416000336108": ZERO_SUPPRESSED,
    "https://a/8004/9520614141234567?01=2112345678900": ZERO_SUPPRESSED,
    "https://brand.example.com/some-extra/pathinfo/01/9520123456788": ZERO_SUPPRESSED,
    "https://example.com/01/9520123456788?3103=000195&3922=0299&17=201225": ZERO_SUPPRESSED,
    "https://id.gs1.org/01/9520123456788?17=201225&3103=000195&3922=0299": ZERO_SUPPRESSED,
    "https://a/sscc/006141411234567890": (
        "The words in place of numbers were dropped after 1.1; an SSCC is no product by either."
    ),
    "https://example.com/01/12312312312326?99=000001&89=XXX&95=INT": (
        "GS1 has no application identifier 89, which the vectors themselves say of another link;"
        " its engine writes this one when it is told to let unknown ones through."
    ),
}
"""Links that others take and the standard (GS1 Digital Link URI Syntax 1.6) does not."""


@pytest.mark.needs("vectors")
def test_the_vectors_of_links_agree_or_the_standard_is_on_our_side() -> None:
    for case in map(json.loads, MORE_VECTORS.read_text("utf-8").splitlines()):
        if not case["kind"].startswith("dl"):
            continue
        try:
            link = read_link(case["input"])
        except InvalidLink:
            link = None
        valid = case["valid"] and case["input"] not in OURS_IS_THE_STANDARDS
        assert (link is not None) == valid, case
        if link and "elements" in case:
            assert (link.gtin, element_string(link.elements)) == (case["gtin"], case["elements"])


@pytest.mark.needs("vectors")
def test_the_vectors_of_what_scanners_give_all_agree() -> None:
    """What is valid and carries no GTIN is refused too, as a label of something else."""
    for case in map(json.loads, MORE_VECTORS.read_text("utf-8").splitlines()):
        if case["kind"].startswith("dl"):
            continue
        reason = None
        try:
            read: ScannedCode | None = read_code(case["input"].replace("\x1d", "^"))
        except UnknownLabel as refusal:
            read, reason = None, refusal.more["reason"]
        if not case["valid"]:
            assert read is None, case
        elif case["gtin"] is not None:
            assert read is not None, case
            assert read.gtin == case["gtin"], case
        else:
            assert read is not None or reason == "not-a-product", case


@pytest.mark.needs("vectors")
def test_the_vectors_of_pairs_all_agree() -> None:
    for case in map(json.loads, MORE_VECTORS.read_text("utf-8").splitlines()):
        if case["kind"] != "ai-assoc":
            continue
        try:
            check_pairs(dict(read_elements(case["input"])))
            valid = True
        except ValueError:
            valid = False
        assert valid == case["valid"], case


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("HtTp://a/00/006141411234567890", False),
        ("https://a/gtin/12312312312333/ser/ABC123", True),
        ("https://a/01/2112345678900", False),
        ("https://a/01/02345673", False),
        (f"https://a/01/{GTIN}?999=faux", False),
        (f"https://a/01/{GTIN}?98=XYZ%2f987++", True),
        (f"https://a/01/{GTIN}/10/ABC123?10=ABC123", False),
    ],
)
def test_we_read_a_link_ourselves_because_biip_says_otherwise_of_these(
    url: str, valid: bool
) -> None:
    """When biip agrees on one of them, our own reading of it may go."""
    said = []
    for reader in (read_link, GS1DigitalLinkURI.parse):
        try:
            said.append(reader(url) is not None)
        except (InvalidLink, ParseError):
            said.append(False)

    assert said == [valid, not valid]


@given(bodies)
def test_every_number_with_its_check_digit_is_a_gtin_of_14_digits(body: str) -> None:
    number = f"{body}{check_digit(body)}"

    read = read_code(f" {number}\r\n")
    assert (read.gtin, read.url) == (number.rjust(14, "0"), None)
    assert read.or_gtin is None or number[0] in "01"


@given(bodies, st.integers(1, 9))
def test_no_number_with_another_check_digit_is_a_product(body: str, off: int) -> None:
    number = f"{body}{(check_digit(body) + off) % 10}"
    assume(upc_a(number) is None)

    with pytest.raises(UnknownLabel, match="check digit"):
        read_code(number)


@given(bodies, st.sampled_from(["https://a/", "HTTPS://SHOP.EXAMPLE:8443/any/stem/"]))
def test_every_gtin_comes_back_from_its_digital_link(body: str, start: str) -> None:
    gtin = f"{body}{check_digit(body)}".rjust(14, "0")
    url = f"{start}01/{gtin}"

    assert read_code(url) == ScannedCode(gtin, url)


@given(
    st.text(max_size=60) | st.text("htps:/?#[]%&=01234é \x00", max_size=60).map("https://".__add__)
)
def test_whatever_is_scanned_is_read_or_refused_but_never_a_crash(code: str) -> None:
    refused: str | None = None
    try:
        read_code(code)
    except (UnknownLabel, InvalidLink) as refusal:
        refused = refusal.detail

    assert refused is None or refused.endswith(".")


@pytest.mark.parametrize("code", ["1", "123456789", "1234567890123456", "9506000134353"])
def test_a_number_that_is_no_gtin_is_an_unknown_label(code: str) -> None:
    with pytest.raises(UnknownLabel, match="This number is no product's"):
        read_code(code)


@pytest.mark.parametrize(
    "code",
    ["", "  ", "Oxford shirt", "\u0668" * 8, "https://", "ftp://a/01/" + GTIN, "https://a b/"],
)
def test_text_is_an_unknown_label(code: str) -> None:
    with pytest.raises(UnknownLabel, match="this is neither"):
        read_code(code)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/p/rain-jacket",
        "https://shop.example",
        "https://shop.example/01",
        "https://shop.example/01/",
        "https://shop.example/8010/about-us",
        f"https://shop.example/gtin/{GTIN}",
        f"https://shop.example/?01={GTIN}",
        f"HtTp://shop.example/01/{GTIN}",
        "https://shop.example/Größe/ü",
    ],
)
def test_any_other_url_is_only_a_url(url: str) -> None:
    assert read_code(url) == ScannedCode(None, url)


def test_a_link_to_something_else_than_a_product_has_no_gtin() -> None:
    url = "https://id.gs1.org/00/952012345678912345"

    assert read_code(url) == ScannedCode(None, url)


@pytest.mark.parametrize(
    "rest",
    [
        f"01/{GTIN}/22/2A/10/ABC/21/12345",
        f"01/{GTIN}/21/a%2Fb%25",
        f"01/{GTIN}/10/{'L' * 20}",
        f"01/{GTIN}/10/01/21/01",
        f"01/{GTIN}/235/{'T' * 28}",
        f"01/{GTIN}?17=261231&3103=000195&linkType=gs1:pip&lang=en#top",
        f"gtin/{GTIN}/lot/ABC/ser/123",
        f"2026/01/news/01/{GTIN}",
    ],
)
def test_the_gtin_of_a_link_does_not_depend_on_what_is_around_it(rest: str) -> None:
    assert read_code(f"https://shop.example/{rest}").gtin == GTIN


@pytest.mark.parametrize(
    ("rest", "rule"),
    [
        ("01/09506000134353", "check digit"),
        ("01/9506000134352", "14 digits"),
        ("01/hello", "14 digits"),
        ("00/952012345678912346", r"check digit of \(00\)"),
        (f"01/{GTIN}/", "end with a slash"),
        (f"01//{GTIN}", "empty part"),
        (f"01/{GTIN}/10", "pairs of key and value"),
        (f"01/{GTIN}/10/A/22/B", "22, 10, 21 or 235, in this order"),
        (f"01/{GTIN}/21/A/21/B", "in this order"),
        (f"01/{GTIN}/235/A/21/B", "in this order"),
        ("8013/1987654Ad4X4bL5ttr2310c2K/10/A", "only have nothing"),
        (f"01/{GTIN}/10/{'L' * 21}", "1 to 20 characters"),
        (f"01/{GTIN}/21/a%20b", "1 to 20 characters"),
        (f"01/{GTIN}/21/%C3%BC", "1 to 20 characters"),
        (f"01/{GTIN}/21/100%", "percent-encoded"),
        (f"ü/01/{GTIN}", "percent-encoded"),
        (f"01/{GTIN}?17=soon", "6 digits"),
        (f"01/{GTIN}?999=A", r"no application identifier \(999\)"),
        (f"01/{GTIN}?99=A&99=A", "more than once"),
        (f"01/{GTIN}?10=ABC", r"\(10\) stands in the path"),
        (f"01/{GTIN}/10/A?21=B", r"\(21\) stands in the path"),
        ("00/952012345678912345?21=B", r"\(21\) stands in the path"),
        (f"01/{GTIN}?03={GTIN}", r"\(03\) must not stand"),
        (f"01/{GTIN}?37=12", r"\(01\) and \(37\) must not stand together"),
        (f"01/{GTIN}?3922=0299", r"\(3922\) needs \(01\) with \(30\), or"),
        ("8010/614141abc", "1 to 30 characters of GS1 set 39"),
        (f"01/{GTIN}?414=9520123456789", r"check digit of \(414\)"),
    ],
)
def test_a_link_that_breaks_a_rule_is_refused_with_the_rule(rest: str, rule: str) -> None:
    with pytest.raises(InvalidLink, match=rule) as refusal:
        read_code(f"https://shop.example/{rest}")

    assert refusal.value.status == 422


@pytest.mark.parametrize("host", ["$a", "user:secret@a", "a:port", "[::1"])
def test_a_link_needs_a_plain_host(host: str) -> None:
    with pytest.raises(InvalidLink, match="domain name"):
        read_code(f"https://{host}/01/{GTIN}")


# Element strings and what scanners put before a code


@pytest.mark.parametrize(
    "code",
    [
        f"]E0{GTIN[1:]}",
        f"]C101{GTIN}",
        f"]Q301{GTIN}10AB-1^21X",
        f"]d201{GTIN}1726113010AB",
        f"]e001{GTIN}",
        f"]I1{GTIN}",
        f"(01){GTIN}(10)AB(21)12",
        f"^01{GTIN}",
        f"01{GTIN}10AB^21X",
        f"^10AB^01{GTIN}",
        f"]J101{GTIN}10AB^21X",
        f"]J0{GTIN}",
        f"]Q4\\00002601{GTIN}10AB",
        f"]d501{GTIN}",
        f"]e101{GTIN}10AB",
        f"]e201{GTIN}10AB",
        f"]E0{GTIN[1:]}|]e01726113010AB^21X",
        f"]E0{GTIN[1:]}]e110AB",
        f"]C101{GTIN}^]e210AB",
        f"]e001{GTIN}|]e010AB",
        f"]E3{GTIN[1:]}05",
        f"]E3{GTIN[1:]}51299",
        f"(01){GTIN}(01){GTIN}",
        f"(01){GTIN}(10)A\\(B)C(21)X",
    ],
)
def test_element_strings_and_scanners_prefixes_lead_to_the_product(code: str) -> None:
    assert read_code(code) == ScannedCode(GTIN, None)


@pytest.mark.parametrize("prefix", ["]Q1", "]d1", "]Q3", "]J0", "]J1"])
def test_a_link_is_read_behind_a_scanners_prefix(prefix: str) -> None:
    assert read_code(f"{prefix}https://a/01/{GTIN}") == ScannedCode(GTIN, f"https://a/01/{GTIN}")


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("]E00036000291452", "36000291452"),
        ("]E0036000291452", "36000291452"),
        ("]E402345673", "2345673"),
        ("]E402345673|]e010AB", "2345673"),
        ("]E004252614|]e010AB", "42100005264"),
    ],
)
def test_short_numbers_of_packages_are_gtins(code: str, number: str) -> None:
    assert read_code(code).gtin == number.rjust(14, "0")


@given(st.from_regex(r"[01][0-9]{6}", fullmatch=True))
def test_a_upc_e_is_the_gtin_that_it_stands_for_typed_or_scanned(body: str) -> None:
    try:
        full: str = create_barcode(body, BarcodeFormat.UPCE).text  # 13 digits, as zxing reads it
    except ValueError:  # no zeros would have been left out in this way
        assert not [check for check in "0123456789" if upc_a(body + check)]
        return
    short = body + full[-1]
    gtin = full.rjust(14, "0")

    assert upc_a(short) == gtin
    read = read_code(short)
    assert gtin in {read.gtin, read.or_gtin}
    assert read_code(f"]E0{short}") == ScannedCode(gtin, None)
    assert read_code(f"]E0{full}").gtin == gtin  # as most scanners send it: whole


def test_of_eight_digits_that_may_be_two_numbers_the_registered_one_is_meant(
    index: ProductIndex,
) -> None:
    short = "00000376"  # as an EAN-8, and as a UPC-E
    read = read_code(short)
    assert read.gtin == short.rjust(14, "0")
    assert read.or_gtin is not None
    for gtin in (read.or_gtin, read.gtin):
        style = Style(
            sku=gtin, gtin=gtin, attributes={}, price=Price(amount=1, currency="EUR"), available=1
        )
        index.put(
            Product(
                id=f"p{gtin}", name="Gum", description="", url=f"https://shop.example/p/{gtin}",
                styles=[style],
            )
        )  # fmt: skip
        assert index.look_up(short).scanned == gtin
    assert index.look_up(f"]E0{short}").scanned == read.or_gtin
    assert index.look_up(f"]E4{short}").scanned == read.gtin


@pytest.mark.parametrize(
    "code",
    [
        "9 506000 134352",
        "950-6000-13435-2",
        "9506000\u00a0134352",
        "9506000\u2013134352",
        "\uff19\uff15\uff10\uff16000134352",
        "\uff19 \uff15\uff10\uff16\uff10\uff10\uff10 134352",
        "\u200f9506000134352\u200e",
        "\u202a9506000134352\u202c",
    ],
    ids=ascii,
)
def test_a_number_is_read_however_people_write_its_digits(code: str) -> None:
    assert read_code(code) == ScannedCode(GTIN, None)


def test_an_address_is_read_as_an_input_method_or_a_document_gives_it() -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) for each in f"https://a/01/{GTIN}")

    for code in (wide, f"\u200ehttps://a/01/{GTIN}"):
        assert read_code(code) == ScannedCode(GTIN, f"https://a/01/{GTIN}")


@pytest.mark.parametrize(
    ("code", "read"),
    [
        (f"\\000026https://a/01/{GTIN}", ScannedCode(GTIN, f"https://a/01/{GTIN}")),
        (f"]Q2\\000026https://a/01/{GTIN}", ScannedCode(GTIN, f"https://a/01/{GTIN}")),
        (f"]d4\\000003\\000026https://a/01/{GTIN}", ScannedCode(GTIN, f"https://a/01/{GTIN}")),
        ("]Q2\\0000269506000134352", ScannedCode(GTIN, None)),
        ("\\000026https://a/b\\\\c", ScannedCode(None, "https://a/b\\c")),
    ],
)
def test_the_character_set_that_a_scanner_tells_first_is_no_part_of_the_code(
    code: str, read: ScannedCode
) -> None:
    assert read_code(code) == read


@pytest.mark.parametrize(
    "code",
    [
        "https;//shop.example/01/09506000134352",
        "httpsÖ--shop.example-01-09506000134352",
        "httpsö--shop.example",
        "httpsM!!shop:exqmple!à&!à(çàèàààé",
        "httpsç--shop.example-01",
        "HTTPSÑ--SHOP.EXAMPLE",
        "https:--shop.example-01",
        "https.//shop.example",
        "реезыЖ..ырщзюучфьзду",
        "ηττπσΚ--σηοπ",
        "dyyloS[[odrl",
        "ç(àèàààé\"'(é",
        "é+ěščřžý",
        "(%)^)))!#$#%@",
    ],
)
def test_what_a_scanner_types_for_another_keyboard_is_said_and_not_guessed(
    index: ProductIndex, code: str
) -> None:
    with pytest.raises(UnknownLabel, match="another keyboard layout") as refusal:
        index.look_up(code)

    assert refusal.value.more == {"reason": "keyboard"}


@pytest.mark.parametrize(
    "code", ["http", "https", "https://", "https://a b/", "httpd--a", "((((", "https shop"]
)
def test_not_everything_that_is_no_address_is_another_keyboard(code: str) -> None:
    with pytest.raises(UnknownLabel) as refusal:
        read_code(code)

    assert refusal.value.more["reason"] != "keyboard"


def test_the_separator_of_a_scanner_is_taken_as_it_comes() -> None:
    scanned = Lookup(code=f"]d201{GTIN}10AB\x1d21X")

    assert scanned.code == f"]d201{GTIN}10AB^21X"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("]C10109506000134353", r"check digit of \(01\)"),
        ("]C100952012345678912345", "names no product"),
        (f"]C101{GTIN}05X", "element strings are broken"),
        (f"01{GTIN}10{'L' * 21}", "element strings are broken"),
        (f"(01){GTIN}(01)09506000134369", "more than once"),
        (f"(01){GTIN}(17)999999", "must be a date, YYMMDD"),
        (f"(01){GTIN}(8010)äöü", "must be 1 to 30 characters of GS1 set 39"),
        (f"(01){GTIN}(8030)DIGSIG", r"\(8030\) needs \(00\), or \(01\) with \(21\), or"),
        (f"]C101{GTIN}37123", r"\(01\) and \(37\) must not stand together"),
        (f"02{GTIN}37123^01{GTIN}", "must not stand together"),
        (f"]E0{GTIN[1:]}|]e03712", r"\(01\) and \(37\)"),
        (f"]E0{GTIN}", "8, 12 or 13 digits"),
        ("]E49506000134352", "8 digits"),
        ("]E404252614", "check digit"),
        ("]J1", "no GS1 element string"),
        ("]J0hello", "neither"),
        ("]Q110AB^21X", "neither"),
        ("]d2", "no GS1 element string"),
        ("]", "neither"),
        ("]Yx", "neither"),
        ("]C0hello", "neither"),
    ],
)
def test_element_strings_that_break_a_rule_are_refused_with_the_rule(code: str, why: str) -> None:
    with pytest.raises(UnknownLabel, match=why):
        read_code(code)


# What is no label of this shop


@pytest.fixture
def index() -> ProductIndex:
    style = Style(
        sku="S", gtin=GTIN, attributes={}, price=Price(amount=1, currency="EUR"), available=1
    )
    index = ProductIndex()
    index.put(
        Product(
            id="shirt", name="Shirt", description="", url="https://shop.example/p/shirt",
            styles=[style],
        )
    )  # fmt: skip
    return index


@pytest.mark.parametrize(
    "code",
    [
        "HTTPS://SHOP.EXAMPLE/p/shirt",
        "]Q1https://shop.example/p/shirt",
        f"https://other.example/01/{GTIN}",
        f"]Q301{GTIN}",
    ],
)
def test_a_label_is_found_however_it_is_spelled(index: ProductIndex, code: str) -> None:
    assert index.look_up(code).product.id == "shirt"


@pytest.mark.parametrize(
    ("code", "reason", "sentence"),
    [
        ("WIFI:T:WPA;S:guests;P:secret;;", "wifi", "Wi-Fi network"),
        ("mailto:ann@example.com", "not-a-product", "contact"),
        ("000201010211ABC", "not-a-product", "paying"),
        ("482913", "pickup-code", "pickup code"),
        ("https://other.example/01/09506000134369", "foreign", "the label is of other.example"),
        ("https://other.example/menu", "foreign", "the address is of other.example"),
        ("9506000134369", "foreign", "does not sell it"),
        ("https://shop.example/01/09506000134369", "outdated", "outdated; ask the staff"),
        ("https://shop.example/pickup/north", "not-a-product", "a page of this shop"),
    ],
)
def test_what_is_no_label_of_this_shop_gets_a_sentence_for_customers(
    index: ProductIndex, code: str, reason: str, sentence: str
) -> None:
    with pytest.raises(UnknownLabel, match=sentence) as refusal:
        index.look_up(code)

    assert refusal.value.more == {"reason": reason}
    assert "secret" not in refusal.value.detail
