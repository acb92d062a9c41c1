# ruff: noqa: RUF001 - it is about Chinese
"""Lines are broken where readers of Latin script and of Chinese expect it."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bus.text.wrap import wrapped

_CHINESE = st.text("中文字样衣（）「」，。：、！ a1x%", max_size=40)


@given(_CHINESE, st.integers(8, 40))
def test_nothing_is_lost_and_no_line_is_too_long(text: str, cells: int) -> None:
    lines = wrapped(text, cells)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= cells for line in lines)


def test_closing_punctuation_stays_with_what_it_closes() -> None:
    for cells in range(6, 30):
        lines = wrapped("衬衫（蓝色，大号）可机洗（冷水）。", cells)
        assert not any(line[0] in "），。" for line in lines)
        assert not any(line.endswith("（") for line in lines)


def test_latin_words_stay_whole_and_long_ones_are_cut() -> None:
    assert wrapped("a shirt of cotton", 8) == ["a shirt", "of", "cotton"]
    assert wrapped("incomprehensible", 10) == ["incomprehe", "nsible"]
    assert wrapped("订单 o-1 已付款", 9) == ["订单 o-1", "已付款"]
