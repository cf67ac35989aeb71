# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo leaves out of a run's output, and what it does not."""

from __future__ import annotations

from folding import folded

RUN = """

PLAY [Plan the environment] ****

TASK [Plan the selected layers] ****
ok: [art]

\x1b[1mnetwork · art\x1b[0m
\x1b[0;32m  + vpc/art\x1b[0m
        CidrBlock  10.0.0.0/16
        Tags
          Project: art

Left to others: ecs_service/web: desiredCount

Plan: 1 to add, 0 to change, 0 to destroy

PLAY [Carry out the plan] ****
  network: made
changed: [art]
  + created  vpc/art
""".splitlines(keepends=True)


def test_of_a_plan_everything_is_named_without_its_fields() -> None:
    assert "".join(folded(RUN, check=True)).splitlines()[5:] == [
        "\x1b[1mnetwork · art\x1b[0m",
        "\x1b[0;32m  + vpc/art\x1b[0m",
        "",
        "Left to others: ecs_service/web: desiredCount",
        "",
        "(3 lines are left out here)",
        "Plan: 1 to add, 0 to change, 0 to destroy",
    ]


def test_of_a_run_everything_is_shown_but_the_plan() -> None:
    assert "".join(folded(RUN, check=False)).splitlines() == [
        "PLAY [Plan the environment] ****",
        "",
        "TASK [Plan the selected layers] ****",
        "ok: [art]",
        "",
        "Left to others: ecs_service/web: desiredCount",
        "",
        "(5 lines are left out here)",
        "Plan: 1 to add, 0 to change, 0 to destroy",
        "",
        "PLAY [Carry out the plan] ****",
        "  network: made",
        "changed: [art]",
        "  + created  vpc/art",
    ]
