# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS capacity providers: identity, replacement, and AWS's ways of not being ready."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws import waiting
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    SUPERSEDED_TAG,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_capacity_provider import EcsCapacityProvider

KIND = EcsCapacityProvider()
GROUP = {"autoScalingGroupArn": "arn:group", "managedScaling": {"status": "ENABLED", "targetCapacity": 100}}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)


def provider(name, status="ACTIVE", update="CREATE_COMPLETE", **labels):
    return {
        "name": name,
        "capacityProviderArn": f"arn:{name}",
        "status": status,
        "updateStatus": update,
        "autoScalingGroupProvider": GROUP,
        "tags": [{"key": key, "value": value} for key, value in labels.items()],
    }


def refused(message):
    return ClientError({"Error": {"Code": "ClientException", "Message": message}}, "CreateCapacityProvider")


def client(*answers):
    ecs = MagicMock()
    ecs.describe_capacity_providers.side_effect = list(answers)
    aws = MagicMock(environment="test")
    aws.client.return_value = aws.once.return_value = ecs
    return aws, ecs


def answer(*providers, **more):
    return {"capacityProviders": list(providers), **more}


def test_read_goes_through_all_pages_and_leaves_out_what_is_inactive():
    aws, ecs = client(answer(provider("other"), provider("gone", "INACTIVE"), nextToken="t"), answer(provider("web")))
    assert set(KIND.read(aws, [Wanted("web"), Wanted("gone")])) == {"web"}
    assert ecs.describe_capacity_providers.call_args.kwargs == {"include": ["TAGS"], "nextToken": "t"}


def test_the_name_tag_identifies_and_superseded_copies_are_kept_aside():
    ours = {"Name": "web", ENVIRONMENT_TAG: "test"}
    old = provider("web", **ours, **{SUPERSEDED_TAG: "true"})
    aws, _ecs = client(answer(old, provider("web-1a2b3c", **ours)))
    found = KIND.read(aws, [Wanted("web")])["web"]
    assert found.attributes["name"] == "web-1a2b3c"
    assert [item.attributes["name"] for item in found.superseded] == ["web"]


@pytest.mark.parametrize(
    ("arn", "replaces"), [("arn:group", False), ("arn:other", True), ("(known after apply: x/y.arn)", True)]
)
def test_another_group_replaces(arn, replaces):
    declared = {"autoScalingGroupProvider": {**GROUP, "autoScalingGroupArn": arn}}
    found = KIND.differences(declared, {"autoScalingGroupProvider": GROUP}, {})
    assert any(item.replaces for item in found) is replaces


def create(ecs_answers):
    aws, ecs = client()
    ecs.create_capacity_provider.side_effect = ecs_answers
    resource = Resource("ecs_capacity_provider", "web", {"autoScalingGroupProvider": GROUP}, tags={"Name": "web"})
    return ecs, KIND.create(aws, resource)


def test_create_under_its_plain_name():
    ecs, attributes = create([{"capacityProvider": provider("web")}])
    assert ecs.create_capacity_provider.call_args.kwargs["name"] == "web"
    assert attributes == {"id": "web", "name": "web", "arn": "arn:web"}


@pytest.mark.parametrize(
    "message",
    [
        "The specified Auto Scaling group ARN does not exist. Specify a valid ARN and try again.",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ],
)
def test_create_tries_again_while_ecs_has_not_seen_what_it_needs(message):
    ecs, _attributes = create([refused(message), {"capacityProvider": provider("web")}])
    assert ecs.create_capacity_provider.call_count == 2


def test_a_replacement_gets_a_suffix():
    ecs, _attributes = create([refused("... already exists ..."), {"capacityProvider": provider("web-1")}])
    name = ecs.create_capacity_provider.call_args.kwargs["name"]
    assert name.startswith("web-") and len(name) == len("web-1a2b3c")


def test_create_tells_other_refusals():
    with pytest.raises(ClientError):
        create([refused("No.")])


def update(*answers):
    aws, ecs = client(*answers)
    declared = {"managedScaling": {"targetCapacity": 80}, "autoScalingGroupArn": "arn:group"}
    resource = Resource("ecs_capacity_provider", "web", {"autoScalingGroupProvider": declared})
    KIND.update(aws, resource, Observed("web", {"autoScalingGroupProvider": GROUP}, {"name": "web-1"}), [])
    return ecs


def test_update_keeps_what_is_not_declared_and_waits_for_its_turn():
    busy, done = answer(provider("web-1", update="UPDATE_IN_PROGRESS")), answer(provider("web-1"))
    ecs = update(busy, done, busy, done)
    ecs.update_capacity_provider.assert_called_once_with(
        name="web-1", autoScalingGroupProvider={"managedScaling": {"status": "ENABLED", "targetCapacity": 80}}
    )


def test_a_failed_update_is_told():
    with pytest.raises(AwsError, match="update failed"):
        update(answer(provider("web-1")), answer(provider("web-1", update="UPDATE_FAILED")))


@pytest.mark.parametrize(
    ("error", "raises"),
    [
        (refused("The specified capacity provider is in use and cannot be removed."), StillInUse),
        (refused("The capacity provider is associated with cluster: main."), StillInUse),
        (refused("The specified capacity provider does not exist."), None),
        (refused("No."), ClientError),
    ],
)
def test_delete_in_use_gone_and_refused(error, raises):
    aws, ecs = client()
    ecs.delete_capacity_provider.side_effect = error
    observed = Observed("web", {}, {"name": "web"})
    if raises is None:
        KIND.delete(aws, None, observed)
    else:
        with pytest.raises(raises):
            KIND.delete(aws, None, observed)


def test_delete_waits_until_it_is_gone():
    there, gone = answer(provider("web", "DEPROVISIONING")), answer(provider("web", "INACTIVE"))
    aws, ecs = client(there, gone)
    KIND.delete(aws, None, Observed("web", {}, {"name": "web"}))
    assert ecs.describe_capacity_providers.call_count == 2
