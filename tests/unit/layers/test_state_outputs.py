# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs and their parts by dotted names."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import outputs
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.outputs import NoSuchOutput
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output

VALUES = {
    "url": Output("http://x"),
    "certificate": Output({"www.example.com": {"arn": "arn:1"}, "www": {"other": 1}}),
    "subnets": Output(["s-1", {"id": "s-2"}]),
    "nothing": Output(None),
    "a.b": Output("dotted"),
    "password": Output("hunter2", sensitive=True),
}


@pytest.fixture
def found(tmp_path):
    path = tmp_path / "terraform.tfstate"
    path.write_bytes(document.render(Document("l", 1, VALUES)))
    return outputs.of_file(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "http://x"),
        ("certificate.www.example.com.arn", "arn:1"),
        ("certificate.www.other", 1),
        ("subnets.0", "s-1"),
        ("subnets.1.id", "s-2"),
        ("subnets", ["s-1", {"id": "s-2"}]),
        ("nothing", None),
        ("a.b", "dotted"),
    ],
)
def test_a_name_is_an_output_or_a_part_of_one(found, name, value):
    assert outputs.value_of(found, name, sensitive=False) == value


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("uri", "has no output 'uri'; it has a.b, certificate, nothing, password, subnets, url"),
        ("certificate.mail", "has no 'mail'; it has www, www.example.com"),
        ("subnets.2", "has no '2'; it is a list of 2"),
        ("url.scheme", "has no 'scheme'; it is a single value"),
    ],
)
def test_what_is_missing_is_said_with_what_there_is(found, name, message):
    with pytest.raises(NoSuchOutput, match=message):
        outputs.value_of(found, name, sensitive=False)


def test_sensitive_outputs_are_asked_for_by_name(found):
    with pytest.raises(StateError, match="'password' of .*terraform.tfstate is sensitive: .*sensitive=true") as caught:
        outputs.value_of(found, "password", sensitive=False)
    assert not isinstance(caught.value, NoSuchOutput), "a default is no way around it"
    assert outputs.value_of(found, "password", sensitive=True) == "hunter2"
    assert set(VALUES) - set(outputs.all_of(found, sensitive=False)) == {"password"}
    assert outputs.all_of(found, sensitive=True)["password"] == "hunter2"


def test_a_document_that_is_not_there(tmp_path):
    found = outputs.of_file(tmp_path / "none")
    for ask in (lambda: outputs.value_of(found, "url", False), lambda: outputs.all_of(found, False)):
        with pytest.raises(NoSuchOutput, match="there is no document at .*none"):
            ask()
