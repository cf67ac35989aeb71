# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step starts when what it needs is done, not when that was only started."""

from __future__ import annotations

import threading

from .fake_cloud import Bench, FakeKind, ref, thing


def test_nothing_starts_before_what_it_needs_is_done(monkeypatch):
    started, finished = [], []
    original = FakeKind.create

    def create(self, aws, resource):
        started.append((resource.name, tuple(finished)))
        threading.Event().wait(0.05)
        attributes = original(self, aws, resource)
        finished.append(resource.name)
        return attributes

    monkeypatch.setattr(FakeKind, "create", create)
    chain = (
        thing("net", "a"),
        thing("group", "b", net=ref("net", "a")),
        thing("balancer", "c", groups=[ref("group", "b")]),
    )
    Bench().make(*chain)
    assert started == [("a", ()), ("b", ("a",)), ("c", ("a", "b"))]
