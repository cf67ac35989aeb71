# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that move from one store to another."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import DocumentError, ImportRefused
from ansible_collections.dockyard.aws.plugins.module_utils.state.migration import migrate
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import ABSENT, LocalStore


def body(serial, lineage="A", value="x"):
    return document.render(Document(lineage, serial, {"a": Output(value)}))


@pytest.fixture
def stores(tmp_path):
    return LocalStore(tmp_path / "from"), LocalStore(tmp_path / "to")


@pytest.mark.parametrize("there", [None, body(2), document.render(Document("B", 9))])
def test_a_document_moves_as_it_is(stores, there):
    source, target = stores
    source.write("k", body(3), ABSENT)
    if there:
        target.write("to/k", there, ABSENT)
    assert migrate(source, "k", target, "to/k") is True
    assert target.read("to/k").body == source.read("k").body == body(3)
    assert migrate(source, "k", target, "to/k") is False


def test_nothing_moves_where_nothing_is(stores):
    assert migrate(stores[0], "k", stores[1], "k") is False
    assert stores[1].read("k") == ABSENT


@pytest.mark.parametrize(
    ("there", "error", "message"),
    [
        (body(1, "B"), ImportRefused, "lineage"),
        (body(4), ImportRefused, "older"),
        (body(3, value="y"), ImportRefused, "other contents"),
        (b"", DocumentError, "is empty"),
    ],
)
def test_what_must_not_be_overwritten_stays_unless_forced(stores, there, error, message):
    source, target = stores
    source.write("k", body(3), ABSENT)
    target.write("k", there, ABSENT)
    with pytest.raises(error, match=message) as caught:
        migrate(source, "k", target, "k")
    assert str(caught.value).startswith(target.place("k"))
    assert target.read("k").body == there
    assert migrate(source, "k", target, "k", force=True) is True
    assert target.read("k").body == body(3)


def test_what_cannot_be_read_does_not_move_even_when_forced(stores):
    source, target = stores
    source.write("k", b"hello", ABSENT)
    with pytest.raises(DocumentError, match="no JSON"):
        migrate(source, "k", target, "k", force=True)
