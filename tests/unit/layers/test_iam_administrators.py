# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrators' policies: what each may do, and that none can lift itself above that."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import botocore.session
import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import documents
from ansible_collections.dockyard.aws.plugins.module_utils.layers import iam_administrators as administrators
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment

ART = Environment("art", "us-east-1", "123456789012")
ACCOUNT = "arn:aws:iam::123456789012"
BOUNDARY = f"{ACCOUNT}:policy/art-boundary"
ROLES = Path(__file__).resolve().parents[3] / "roles"
LAYERS = list(administrators.ACTIONS)
# IAM actions whose service has another name in botocore.
SERVICES = {"elasticloadbalancing": "elbv2", "application-autoscaling": "application-autoscaling"}
# Actions that are permissions and no calls.
PERMISSIONS = {"iam:PassRole"}


def statements(layer, prefixes=("art",)):
    document = administrators.policy_document(layer, administrators.Scope(ART, prefixes, BOUNDARY))
    return document["Statement"]


def texts(value):
    return [value] if isinstance(value, str) else list(value)


def matching(layer, action, resource):
    """The statements that speak of an action on a resource, without those on other environments' things."""
    return [
        item
        for item in statements(layer)[:-1]
        if any(fnmatch.fnmatchcase(action, pattern) for pattern in texts(item["Action"]))
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in texts(item["Resource"]))
    ]


def allowed(layer, action, resource, **context):
    """What IAM decides: an explicit denial wins, and conditions must hold."""
    found = [
        item
        for item in matching(layer, action, resource)
        if all(
            context.get(key) in texts(values)
            for keys in item.get("Condition", {}).values()
            for key, values in keys.items()
        )
    ]
    return bool(found) and all(item["Effect"] == "Allow" for item in found)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_policy_is_small_enough_with_several_prefixes(layer):
    scope = administrators.Scope(ART, ["art", "lms", "a-much-longer-prefix-of-names"], BOUNDARY)
    assert documents.size(administrators.policy_document(layer, scope)) <= 6144


@pytest.mark.parametrize("layer", LAYERS)
def test_a_policy_is_well_formed(layer):
    document = administrators.policy_document(layer, administrators.Scope(ART, ["art"], BOUNDARY))
    assert list(documents.problems(document, "identity")) == []


@pytest.mark.parametrize("layer", LAYERS)
def test_every_action_of_the_layer_is_in_it(layer):
    granted = {action for item in statements(layer) if item["Effect"] == "Allow" for action in item["Action"]}
    missing = set(administrators.ACTIONS[layer]) - granted
    assert missing == (administrators.WITHHELD if layer == "iam" else set())


@pytest.mark.parametrize("layer", LAYERS)
def test_every_action_exists(layer):
    """S3 names its actions unlike its calls, so there only the form is looked at."""
    session = botocore.session.get_session()
    operations = {}
    for action in administrators.ACTIONS[layer]:
        service, name = action.split(":")
        assert re.fullmatch(r"[A-Z]\w+", name), action
        if service == "s3" or action in PERMISSIONS:
            continue
        if service not in operations:
            operations[service] = session.get_service_model(SERVICES.get(service, service)).operation_names
        assert name in operations[service], f"{action} is no call of {service}"


@pytest.mark.parametrize("layer", LAYERS)
def test_other_environments_are_out_of_reach(layer):
    last = statements(layer)[-1]
    assert (last["Effect"], last["Action"], last["Resource"]) == ("Deny", "*", "*")
    assert last["Condition"]["StringNotEquals"] == {"aws:ResourceTag/dockyard:environment": "art"}


@pytest.mark.parametrize("layer", [name for name in LAYERS if name != "iam"])
def test_roles_are_passed_on_to_the_services_that_need_them_only(layer):
    for item in statements(layer):
        if "iam:PassRole" in item["Action"]:
            assert item["Condition"]["StringEquals"]["iam:PassedToService"]
            assert texts(item["Resource"]) == [f"{ACCOUNT}:role/art*"]


@pytest.mark.parametrize("layer", [name for name in LAYERS if name != "iam"])
def test_only_the_administrator_of_iam_writes_in_iam(layer):
    actions = {action for item in statements(layer) if item["Effect"] == "Allow" for action in item["Action"]}
    writing = {item for item in actions if item.startswith("iam:") and not re.match("iam:(Get|List)", item)}
    assert writing <= {"iam:PassRole", "iam:CreateServiceLinkedRole"}


@pytest.mark.parametrize(
    ("layer", "action", "mine", "theirs"),
    [
        ("ecr", "ecr:DeleteRepository", "ecr:us-east-1:123456789012:repository/art-web", "repository/lms-web"),
        ("state_bucket", "s3:DeleteBucket", "s3:::art-state", "lms-state"),
        ("state_bucket", "dynamodb:DeleteTable", "dynamodb:us-east-1:123456789012:table/art-locks", "table/lms-locks"),
    ],
)
def test_named_things_of_others_are_out_of_reach(layer, action, mine, theirs):
    start = mine.rpartition(":")[0]
    assert allowed(layer, action, f"arn:aws:{mine}")
    assert not allowed(layer, action, f"arn:aws:{start}:{theirs}")


ROLE, USER = f"{ACCOUNT}:role/art-web", f"{ACCOUNT}:user/art-ci"
WITH_BOUNDARY = {"iam:PermissionsBoundary": BOUNDARY}


@pytest.mark.parametrize("action", sorted(administrators.BOUNDED))
def test_policies_go_only_to_what_has_the_boundary(action):
    resource = USER if "User" in action else ROLE
    assert allowed("iam", action, resource, **WITH_BOUNDARY)
    assert not allowed("iam", action, resource)
    assert not allowed("iam", action, resource, **{"iam:PermissionsBoundary": f"{ACCOUNT}:policy/art-other"})


@pytest.mark.parametrize("action", sorted(administrators.WITHHELD))
def test_the_boundary_cannot_be_taken_off(action):
    assert not matching("iam", action, USER if "User" in action else ROLE)


@pytest.mark.parametrize("action", administrators.BOUNDARY_CHANGES)
def test_the_boundary_cannot_be_rewritten(action):
    assert not allowed("iam", action, BOUNDARY)
    assert allowed("iam", action, f"{ACCOUNT}:policy/art-web")


@pytest.mark.parametrize("action", sorted(set(administrators.ACTIONS["iam"]) - administrators.WITHHELD))
def test_administrators_are_out_of_reach(action):
    if re.match("(iam|sts|secretsmanager):(Get|List|Describe)", action):
        return
    for noun in ("user", "role", "policy"):
        resource = f"{ACCOUNT}:{noun}/administrators/art-iam-administrator"
        assert not allowed("iam", action, resource, **WITH_BOUNDARY)


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:CreateAccessKey", "iam:UpdateAssumeRolePolicy"])
def test_other_names_are_out_of_reach(action):
    for resource in (f"{ACCOUNT}:role/admin", f"{ACCOUNT}:user/root-like", f"{ACCOUNT}:role/x/art-web"):
        assert not allowed("iam", action, resource, **WITH_BOUNDARY)


@pytest.mark.parametrize("layer", ["iam", "state_bucket", "ecr"])
def test_the_readme_lists_the_actions(layer):
    section = (
        (ROLES / layer / "README.md").read_text(encoding="utf-8").split("## IAM actions", 1)[1].split("\n## ", 1)[0]
    )
    listed = {
        f"{service}:{action}"
        for service, actions in re.findall(r"^\* `([\w-]+)`: (.*?)(?=\n\*|\n\n|\Z)", section, re.DOTALL | re.MULTILINE)
        for action in re.findall(r"`(\w+)`", actions)
    }
    assert listed == set(administrators.ACTIONS[layer])
