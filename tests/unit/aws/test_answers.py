# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kinds share while they read."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Answers, Sessions


def test_nothing_is_asked_twice_also_what_does_not_exist():
    asked = []

    def ask(names):
        asked.append(names)
        return {name: name.upper() for name in names if name != "gone"}

    answers = Answers()
    assert answers.of("clusters", ["a", "gone"], ask) == {"a": "A"}
    assert answers.of("clusters", ["gone", "b", "a"], ask) == {"b": "B", "a": "A"}
    assert answers.of("services", ["a"], ask) == {"a": "A"}
    assert asked == [["a", "gone"], ["b"], ["a"]]


def test_each_reading_begins_with_nothing_and_outside_of_it_nothing_is_kept():
    sessions = Sessions({"region": "us-east-1", "access_key": "a", "secret_key": "b"}, "test")
    one, other = sessions.reading(), sessions.reading()
    assert one("ecs").answers is one("alb").answers is not None
    assert one("ecs").answers is not other("ecs").answers
    assert sessions.aws("ecs").answers is None
