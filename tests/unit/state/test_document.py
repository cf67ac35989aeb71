# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State documents: what is written, what is read, what is refused."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Unknown
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import DocumentError, ImportRefused, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry, Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output, type_of

LINEAGE = "b0c1a2f4-1d3e-4a5b-8c6d-7e8f90a1b2c3"
WHOLE = Memory(
    "art",
    "alb",
    resources={
        Address("elbv2_listener", "art/80"): Entry(
            host="art",
            where="alb.load_balancers[0].listeners[0]",
            attributes={"id": "arn:l", "arn": "arn:l"},
            properties={"Port": 80, "DefaultActions": [{"Type": "fixed-response"}]},
            tags={"Project": "art"},
            scope={"LoadBalancerArn": Ref("elbv2_load_balancer", "art", "arn", (("Vpc", Ref("ec2_vpc", "art")),))},
            needs=(Address("ec2_vpc", "art"), Address("elbv2_load_balancer", "art")),
            options={"force_delete": True},
            protect=True,
            create_only={"DefaultActions": "the deploy"},
        ),
        Address("s3_bucket", "b"): Entry(pending="create"),
    },
)
TERRAFORM = """{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 7,
  "lineage": "b0c1a2f4-1d3e-4a5b-8c6d-7e8f90a1b2c3",
  "outputs": {
    "html": {
      "value": "\\u003ca href=\\"x\\"\\u003e \\u0026 ü",
      "type": "string"
    },
    "list": {
      "value": [
        "a",
        1.5
      ],
      "type": [
        "tuple",
        [
          "string",
          "number"
        ]
      ]
    },
    "secret": {
      "value": "x",
      "type": "string",
      "sensitive": true
    }
  },
  "resources": [
    {
      "mode": "managed",
      "type": "terraform_data",
      "name": "x",
      "provider": "provider[\\"terraform.io/builtin/terraform\\"]",
      "instances": []
    }
  ],
  "check_results": null
}
""".encode()


def written(**changes):
    """A document of ours as JSON, with some top-level keys changed or (None) left out."""
    data = json.loads(document.render(Document(LINEAGE, 3, {"a": Output("x")}, WHOLE)))
    data.update(changes)
    return json.dumps({key: value for key, value in data.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "string"),
        (True, "bool"),
        (1, "number"),
        (1.5, "number"),
        (None, "dynamic"),
        ([], ["tuple", []]),
        (["a", 1], ["tuple", ["string", "number"]]),
        ({}, ["object", {}]),
        ({"b": 1, "a": ["x"]}, ["object", {"a": ["tuple", ["string"]], "b": "number"}]),
    ],
)
def test_types_are_derived_as_terraform_does(value, expected):
    assert type_of(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {2: 3}]}, "v.a\\[1\\] has the key 2"),
        (float("nan"), "v is nan"),
        (b"x", "v is b'x' .bytes."),
        ([Unknown.of(Ref("vpc", "art"))], "v\\[0\\] is not known yet"),
    ],
)
def test_values_that_terraform_does_not_have(value, message):
    with pytest.raises(DocumentError, match=message):
        type_of(value, "v")


def test_what_terraform_writes_comes_back_byte_by_byte():
    assert document.render(document.parse(TERRAFORM, "x")) == TERRAFORM


def test_our_document_is_valid_and_comes_back():
    outputs = {"url": Output("http://x"), "password": Output("p", sensitive=True), "ids": Output(["a"])}
    before = Document(LINEAGE, 3, outputs, WHOLE)
    body = document.render(before)
    data = json.loads(body)
    keys = ["version", "terraform_version", "serial", "lineage", "outputs", "resources", "check_results", "dockyard"]
    assert list(data) == keys
    assert (data["version"], data["resources"], data["check_results"]) == (4, [], None)
    assert data["outputs"]["password"] == {"value": "p", "type": "string", "sensitive": True}
    assert data["dockyard"]["format"] == 1
    after = document.parse(body, "x")
    assert after.memory == WHOLE
    assert document.same_content(after, before)
    assert document.render(after) == body
    assert body.endswith(b"}\n") and b'\n  "serial": 3,' in body


def test_equal_documents_have_equal_bytes():
    one = Document(LINEAGE, 1, {"a": Output({"x": 1, "y": 2}), "b": Output(1)}, WHOLE)
    turned = Memory("art", "alb", resources=dict(reversed(WHOLE.resources.items())))
    other = Document(LINEAGE, 1, {"b": Output(1), "a": Output({"y": 2, "x": 1})}, turned)
    assert document.render(one) == document.render(other)


BAD = [
    (b"", "is empty .0 bytes."),
    (b" \n", "is empty"),
    (written()[:-20], "is truncated"),
    (written()[:40], "is truncated"),
    (b"hello", "is no JSON: Expecting value in line 1, column 1"),
    (b'{"version": NaN}', "NaN is no JSON number"),
    (b"\xff\xfe", "no text in UTF-8"),
    (b"[1]", "holds a list"),
    (b"{}", "version must be 4, got None"),
    (written(version="4"), "version must be 4, got '4'"),
    (written(version=True), "version must be 4, got True"),
    (written(version=5), "state version 5; .*use a newer one"),
    (written(version=3), "state version 3 of an old Terraform"),
    (written(dockyard={"format": 2}), "newer release of this collection .dockyard.format 2"),
    (written(dockyard={}), "dockyard.format is None"),
    (written(dockyard=[1]), "dockyard must be an object"),
    (written(serial="3"), "serial must be a whole number, got '3' .str."),
    (written(serial=True), "serial must be a whole number"),
    (written(serial=-1), "serial must not be negative"),
    (written(lineage=7), "lineage must be a text, got 7"),
    (written(outputs=[]), "outputs must be an object"),
    (written(outputs={"a": "x"}), "outputs.a must be an object with a value"),
    (written(outputs={"a": {"value": 1}}), "outputs.a.type must be a type expression"),
    (written(outputs={"a": {"value": 1, "type": "number", "sensitive": 1}}), "outputs.a.sensitive must be true or"),
    (written(resources={}), "resources must be a list"),
    (written(dockyard={"format": 1, "environment": 5}), "dockyard.environment must be a text"),
    (written(dockyard={"format": 1, "resources": {"x": {}}}), "resources.x.: an address has the form kind/name"),
    (written(dockyard={"format": 1, "resources": {"k/x": 1}}), "resources.k/x. must be an object"),
    (
        written(serial="3", dockyard={"format": 1, "resources": {"k/x": {"tags": [], "protect": "no"}}}),
        "serial must.*resources.k/x..tags must be an object.*protect must be true or false",
    ),
    (b'{"version": 4, "encrypted_data": "x"}', "OpenTofu has encrypted"),
]


@pytest.mark.parametrize(("body", "message"), BAD)
def test_what_cannot_be_read_says_why_and_where(body, message):
    with pytest.raises(DocumentError, match=message) as caught:
        document.parse(body, "s3://b/k")
    assert str(caught.value).startswith("s3://b/k ")


def test_what_is_broken_says_how_to_go_back():
    with pytest.raises(
        DocumentError,
        match="earlier versions are kept: .*state_action=history.*state_action=restore.*the last good one",
    ):
        document.parse(b"", "s3://b/k")


def test_the_first_document():
    made = document.successor(None, {"a": Output(1)}, WHOLE)
    assert made.serial == 1 and len(made.lineage) == 36
    assert document.successor(None, {"a": Output(1)}).lineage != made.lineage
    assert document.successor(None, {}, Memory("art", "alb")) is None


def test_nothing_is_written_where_nothing_changes():
    body = document.render(document.successor(None, {"a": Output(["x"])}, WHOLE))
    again = document.parse(body, "x")
    assert document.successor(again, {"a": Output(["x"])}, WHOLE) is None
    assert document.successor(again) is None
    changed = document.successor(again, {"a": Output(["y"])})
    assert (changed.serial, changed.lineage, changed.memory) == (2, again.lineage, WHOLE)
    sensitive = document.successor(again, {"a": Output(["x"], sensitive=True)})
    assert sensitive.serial == 2


def test_what_terraform_keeps_at_our_key_stays():
    theirs = document.parse(TERRAFORM, "x")
    made = document.successor(theirs, {"ours": Output(1)}, WHOLE)
    assert (made.resources, made.terraform_version, made.serial) == (theirs.resources, "1.11.4", 8)


def test_restoring_goes_forward():
    old, current = Document(LINEAGE, 2, {"a": Output(1)}), Document("other", 9, {"a": Output(2)})
    made = document.restored(old, current)
    assert (made.serial, made.lineage, made.outputs["a"].value) == (10, "other", 1)
    assert document.restored(old, None).serial == 3


def doc(lineage, serial, value="x", **more):
    return Document(lineage, serial, {"a": Output(value)}, **more)


IMPORTS = [
    (doc("A", 1), None, None),
    (doc("A", 1), Document("B", 9), None),
    (doc("A", 1), Document("B", 9, memory=Memory("e", "l")), None),
    (doc("A", 1), Document("B", 9, memory=WHOLE), "lineage 'B'.*'A'"),
    (doc("A", 1), Document("B", 9, resources=[{}]), "lineage 'B'"),
    (doc("A", 1), doc("B", 1), "lineage 'B'.*different things"),
    (doc("", 1), doc("B", 1), None),
    (doc("A", 1), doc("A", 2), "serial 2.*has 1: it is older"),
    (doc("A", 2), doc("A", 1), None),
    (doc("A", 2), doc("A", 2), None),
    (doc("A", 2), doc("A", 2, "y"), "serial 2.*other contents"),
]


@pytest.mark.parametrize(("new", "existing", "message"), IMPORTS)
def test_terraforms_rules_of_import(new, existing, message):
    document.check_import(new, existing, "s3://b/k", force=True)
    if message is None:
        document.check_import(new, existing, "s3://b/k")
    else:
        with pytest.raises(ImportRefused, match=message):
            document.check_import(new, existing, "s3://b/k")


def test_other_environments_documents_are_refused():
    document.check_owner(Document("A", 1), "art", "ecr", "s3://b/k")
    document.check_owner(Document("A", 1, memory=Memory("art", "ecr")), "art", "ecr", "s3://b/k")
    with pytest.raises(StateError, match="environment 'lms', layer 'ecr', and not of 'art', 'ecr'"):
        document.check_owner(Document("A", 1, memory=Memory("lms", "ecr")), "art", "ecr", "s3://b/k")
