"""Writes results as a JUnit report for CI servers."""

from pathlib import Path

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from bus.contract.errors import ConfigurationError
from bus.text.safe import visible
from testing.scenario.result import ScenarioResult


def write_junit(path: Path, results: list[ScenarioResult]) -> None:
    """Write a report with a suite for each file and a test case for each scenario or case.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    document = JUnitXml("storebus play")
    suites: dict[Path, TestSuite] = {}
    for result in results:
        suite = suites.setdefault(result.path, TestSuite(_text(str(result.path))))
        suite.add_testcase(_case(result))
    for suite in suites.values():
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    try:
        document.write(str(path), pretty=True)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error


def _case(result: ScenarioResult) -> TestCase:
    case = TestCase(_text(result.name), _text(result.path.stem), round(result.seconds, 3))
    if result.skipped is not None:
        case.result = [Skipped(_text(result.skipped))]
    elif result.failed is not None:
        first, _, _ = result.failed.partition("\n")
        failure = Failure(_text(first), "failure")
        failure.text = "\n".join(_text(line) for line in result.failed.splitlines())
        case.result = [failure]
    case.system_out = "\n".join(
        f"{'not ok' if step.failure else 'ok'}  line {step.line}  {_text(step.sentence)}"
        for step in result.steps
    )
    return case


def _text(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return visible(text)
