"""A tester's words are completed by a real bash, which takes `=` and `:` for ends of words."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

_ASK = """
eval "$(storebus --show-completion bash)"
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE}
    _storebus_completion storebus
    (IFS=' '; echo "${COMPREPLY[*]}")
done
"""


@pytest.mark.needs("bash")
async def test_bash_completes_fields_values_and_filters(tmp_path: Path) -> None:
    typed = {
        "storebus request terminal-9 settlement pur": "purchase",
        "storebus request terminal-9 settlement purchase payment.m": "payment.method=",
        "storebus request terminal-9 settlement purchase payment.method=": "account card",
        "storebus request terminal-9 settlement purchase payment.method=a": "account",
        "storebus tail ki": "kind:",
        "storebus tail op:purch": "purchase",
        "storebus tail op:purchase,orde": "purchase,order purchase,order-changed purchase,orders",
        "storebus node ": "catalog settlement sorter-1 sorter-5 terminal-1 warehouse",
        "storebus publish ./req/terminal-1/cat": "./req/terminal-1/catalog/",
        "storebus buy terminal-1 CAN-40": "CAN-40=",
        "storebus buy terminal-1 CAN-40=2 --pay=card:tok_a": "tok_approve",
        "storebus load --mix scan=5,b": "5,buy=",
        "storebus load --mix=scan=5,b": "5,buy=",
        "storebus request terminal-9 settlement purchase payment.method=account expected_total.c": (
            "expected_total.currency="
        ),
    }
    folder = Path(sys.executable).parent
    (tmp_path / "storebus-data").mkdir()
    (tmp_path / "storebus-data" / "sorter-5.db").touch()
    bash = await asyncio.create_subprocess_exec(
        "bash", "-c", _ASK,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=tmp_path,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    out, _ = await bash.communicate("".join(f"{line}\n" for line in typed).encode())
    assert dict(zip(typed, out.decode().splitlines(), strict=True)) == typed
