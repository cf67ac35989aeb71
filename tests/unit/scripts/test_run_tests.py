# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of `make test` and the quiet steps that it is made of."""

from __future__ import annotations

import sys

import pytest
import run_tests
import step

CLOSING_LINES = {
    "quiet": ("351 passed in 42.30s", "351 passed in 42.30s"),
    "failures first": ("1 failed, 351 passed in 42.30s", "1 failed, 351 passed in 42.30s"),
    "with minutes": ("5 passed, 2 skipped in 75.00s (0:01:15)", "5 passed, 2 skipped in 75.00s (0:01:15)"),
    "framed": ("===== 3 passed in 0.50s =====", "3 passed in 0.50s"),
    "something else": ("3 passengers in 5s", None),
}


@pytest.mark.parametrize(("line", "expected"), CLOSING_LINES.values(), ids=CLOSING_LINES.keys())
def test_closing_line_of_pytest_is_found(line: str, expected: str | None) -> None:
    match = run_tests.PYTEST_CLOSING.match(line)
    assert (match[1] if match else None) == expected


def test_step_is_quiet_on_success(capfd: pytest.CaptureFixture[str]) -> None:
    assert step.run("title", [sys.executable, "-c", "print('chatter')"]) == 0
    output = capfd.readouterr().out
    assert output.startswith("  title ...")
    assert "ok" in output
    assert "chatter" not in output


def test_failing_step_shows_what_was_said_and_passes_the_code_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert step.run("title", [sys.executable, "-c", "print('reason'); raise SystemExit(3)"]) == 3
    output = capfd.readouterr().out
    assert "failed" in output
    assert "reason" in output


def test_missing_tool_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert step.run("title", ["no-such-tool-anywhere"]) == 127
    assert "no-such-tool-anywhere is not there" in capfd.readouterr().out
