# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups: one form for both sides, and how a new configuration reaches the instances."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws import waiting
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Resource, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources import autoscaling_refresh
from ansible_collections.dockyard.aws.plugins.module_utils.resources.autoscaling import AutoScalingGroup

KIND = AutoScalingGroup()
OLD = {"LaunchTemplateId": "lt-1", "Version": "1"}
NEW = {"LaunchTemplateId": "lt-1", "Version": "2"}
REFRESH = {"preferences": {"MinHealthyPercentage": 100}, "wait": False, "wait_timeout": 60}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)


def differences(declared, observed):
    return KIND.differences(KIND.canonical(declared), KIND.canonical(observed), {})


@pytest.mark.parametrize(
    ("declared", "observed"),
    [
        ({"VPCZoneIdentifier": ["b", "a"]}, {"VPCZoneIdentifier": ["a", "b"]}),
        ({"HealthCheckType": "ELB,EC2"}, {"HealthCheckType": "EC2,ELB"}),
        ({"HealthCheckType": "ELB"}, {"HealthCheckType": "ELB,EC2"}),
        ({"SuspendedProcesses": ["Launch", "AZRebalance"]}, {"SuspendedProcesses": ["AZRebalance", "Launch"]}),
        (
            {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": 1}},
            {"LaunchTemplate": {**OLD, "LaunchTemplateName": "web"}},
        ),
        (
            {"MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": [{"WeightedCapacity": 2}]}}},
            {"MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": [{"WeightedCapacity": "2"}]}}},
        ),
        ({"Status": None}, {"Status": None}),
    ],
)
def test_equal_in_canonical_form(declared, observed):
    assert differences(declared, observed) == []


def test_the_order_of_termination_policies_matters():
    assert differences({"TerminationPolicies": ["A", "B"]}, {"TerminationPolicies": ["B", "A"]})


def test_a_group_that_is_being_deleted_is_made_anew():
    (found,) = differences({"Status": None}, {"Status": "Delete in progress"})
    assert found.replaces


def refused(code, operation="StartInstanceRefresh"):
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


def client(refreshes=(), instances=("i-1",), group=None):
    """An Auto Scaling client; `refreshes` are the newest refreshes that successive calls see."""
    autoscaling = MagicMock()
    described = {
        "AutoScalingGroupName": "web",
        "AutoScalingGroupARN": "arn",
        "MinSize": 1,
        "MaxSize": 2,
        "DesiredCapacity": 1,
        "VPCZoneIdentifier": "a,b",
        "LaunchTemplate": {**OLD, "LaunchTemplateName": "web"},
        "Instances": [{"InstanceId": name} for name in instances],
        "Tags": [{"Key": "Team", "Value": "web", "PropagateAtLaunch": True}],
        **(group or {}),
    }
    autoscaling.get_paginator.return_value.paginate.return_value = [{"AutoScalingGroups": [described]}]
    answers = [{"InstanceRefreshes": [item] if item else []} for item in refreshes] or [{"InstanceRefreshes": []}]
    autoscaling.describe_instance_refreshes.side_effect = [*answers, *answers[-1:] * 10]
    autoscaling.start_instance_refresh.return_value = {"InstanceRefreshId": "r-1"}
    aws = MagicMock()
    aws.client.return_value = autoscaling
    return aws, autoscaling


def refresh(status, version=None):
    return {"InstanceRefreshId": "r-1", "Status": status, "DesiredConfiguration": {"LaunchTemplate": version or NEW}}


@pytest.mark.parametrize(
    ("newest", "version"),
    [
        (None, "1"),
        (refresh("Pending"), "2"),
        (refresh("InProgress"), "2"),
        (refresh("Cancelled"), "1"),
        (refresh("Failed"), "1"),
        (refresh("RollbackInProgress"), "1"),
    ],
)
def test_a_group_is_what_an_active_refresh_makes_of_it(newest, version):
    aws, _autoscaling = client([newest])
    found = KIND.read(aws, [Wanted("web", {}, {"MinSize": 1})])["web"]
    assert found.properties["LaunchTemplate"]["Version"] == version
    assert found.properties["VPCZoneIdentifier"] == ["a", "b"]
    assert found.properties["MaxInstanceLifetime"] == 0
    assert found.tags == {"Team": "web"}


def test_refreshes_are_not_asked_for_where_only_the_arn_is_wanted():
    aws, autoscaling = client()
    KIND.read(aws, [Wanted("web")])
    autoscaling.describe_instance_refreshes.assert_not_called()


def update(aws, declared, options=None, **observed):
    properties = {**KIND.defaults, "LaunchTemplate": OLD, "MixedInstancesPolicy": None, **observed}
    resource = Resource("auto_scaling_group", "web", declared, options=options or {})
    KIND.update(aws, resource, Observed("web", properties, {}), differences(declared, properties))


def test_a_new_version_goes_through_a_refresh_with_it_as_desired_configuration():
    aws, autoscaling = client()
    update(aws, {"LaunchTemplate": NEW, "MixedInstancesPolicy": None}, {"instance_refresh": REFRESH})
    autoscaling.update_auto_scaling_group.assert_not_called()
    autoscaling.start_instance_refresh.assert_called_once_with(
        AutoScalingGroupName="web",
        DesiredConfiguration={"LaunchTemplate": NEW},
        Preferences={"MinHealthyPercentage": 100},
    )


@pytest.mark.parametrize(
    ("options", "instances"), [({"instance_refresh": REFRESH}, ()), ({"instance_refresh": None}, ("i-1",))]
)
def test_without_instances_or_without_a_refresh_the_group_gets_it_at_once(options, instances):
    aws, autoscaling = client(instances=instances)
    update(aws, {"LaunchTemplate": NEW, "MixedInstancesPolicy": None}, options)
    autoscaling.update_auto_scaling_group.assert_called_once_with(AutoScalingGroupName="web", LaunchTemplate=NEW)
    autoscaling.start_instance_refresh.assert_not_called()


def test_a_refresh_for_an_older_configuration_is_cancelled_first():
    aws, autoscaling = client([refresh("InProgress", OLD), refresh("Cancelling", OLD), refresh("Cancelled", OLD)])
    autoscaling.start_instance_refresh.side_effect = [
        refused("InstanceRefreshInProgress"),
        {"InstanceRefreshId": "r-2"},
    ]
    update(aws, {"LaunchTemplate": NEW, "MixedInstancesPolicy": None}, {"instance_refresh": REFRESH})
    autoscaling.cancel_instance_refresh.assert_called_once_with(AutoScalingGroupName="web")
    assert autoscaling.start_instance_refresh.call_count == 2


def test_a_refusal_for_another_reason_is_told():
    aws, autoscaling = client()
    autoscaling.start_instance_refresh.side_effect = refused("LimitExceeded")
    with pytest.raises(ClientError):
        update(aws, {"LaunchTemplate": NEW}, {"instance_refresh": REFRESH})
    autoscaling.cancel_instance_refresh.assert_not_called()


def test_waiting_ends_with_success_and_tells_how_far_it_is():
    aws, _autoscaling = client([{**refresh("InProgress"), "PercentageComplete": 40}, refresh("Successful")])
    autoscaling_refresh.wait(aws, "web", "r-1", 60)
    assert any("40 % done" in call.args[0] for call in aws.progress.call_args_list)


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "RollbackSuccessful"])
def test_waiting_fails_where_the_new_configuration_did_not_arrive(status):
    aws, _autoscaling = client([refresh("InProgress"), {**refresh(status), "StatusReason": "no capacity"}])
    with pytest.raises(AwsError, match="no capacity"):
        autoscaling_refresh.wait(aws, "web", "r-1", 60)


@pytest.mark.parametrize(
    ("declared", "request_"),
    [
        ({"MinSize": 2}, {"MinSize": 2}),
        ({"VPCZoneIdentifier": ["a", "c"]}, {"VPCZoneIdentifier": "a,c"}),
        ({"CapacityRebalance": True}, {"CapacityRebalance": True}),
        ({"MaxInstanceLifetime": 86400}, {"MaxInstanceLifetime": 86400}),
    ],
)
def test_a_field_is_updated_alone(declared, request_):
    aws, autoscaling = client()
    update(aws, declared, MinSize=1, VPCZoneIdentifier=["a", "b"])
    autoscaling.update_auto_scaling_group.assert_called_once_with(AutoScalingGroupName="web", **request_)


def test_processes_and_metrics_have_calls_of_their_own():
    aws, autoscaling = client()
    declared = {"SuspendedProcesses": ["Launch"], "EnabledMetrics": ["GroupMaxSize"]}
    update(aws, declared, SuspendedProcesses=["AZRebalance"], EnabledMetrics=["GroupMinSize"])
    group = {"AutoScalingGroupName": "web"}
    autoscaling.suspend_processes.assert_called_once_with(**group, ScalingProcesses=["Launch"])
    autoscaling.resume_processes.assert_called_once_with(**group, ScalingProcesses=["AZRebalance"])
    autoscaling.disable_metrics_collection.assert_called_once_with(**group, Metrics=["GroupMinSize"])
    autoscaling.enable_metrics_collection.assert_called_once_with(
        **group, Metrics=["GroupMaxSize"], Granularity="1Minute"
    )
    autoscaling.update_auto_scaling_group.assert_not_called()


UNKNOWN_PROFILE = ClientError(
    {"Error": {"Code": "ValidationError", "Message": "Invalid IAM Instance Profile name"}}, "Create"
)


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"instance_refresh": REFRESH}, "start_instance_refresh"),
        ({"instance_refresh": None}, "update_auto_scaling_group"),
    ],
)
def test_update_waits_until_ec2_knows_a_new_instance_profile(options, call):
    aws, autoscaling = client()
    getattr(autoscaling, call).side_effect = [UNKNOWN_PROFILE, {"InstanceRefreshId": "r-1"}]
    update(aws, {"LaunchTemplate": NEW, "MixedInstancesPolicy": None}, options)
    assert getattr(autoscaling, call).call_count == 2


@pytest.mark.parametrize(("version", "rolls_back"), [("1", True), ("$Latest", False), ("$Default", False)])
def test_no_rollback_is_asked_for_where_aws_would_refuse_it(version, rolls_back):
    aws, autoscaling = client()
    options = {"instance_refresh": {**REFRESH, "preferences": {"AutoRollback": True}}}
    update(aws, {"LaunchTemplate": NEW}, options, LaunchTemplate={**OLD, "Version": version})
    assert autoscaling.start_instance_refresh.call_args.kwargs["Preferences"] == {"AutoRollback": rolls_back}


def test_create_waits_until_the_group_can_be_seen():
    aws, autoscaling = client()
    seen = autoscaling.get_paginator.return_value.paginate.return_value
    autoscaling.get_paginator.return_value.paginate.side_effect = [[{"AutoScalingGroups": []}], seen]
    assert KIND.create(aws, Resource("auto_scaling_group", "web", {"LaunchTemplate": OLD}))["arn"] == "arn"


def test_create_waits_until_ec2_knows_a_new_instance_profile():
    aws, autoscaling = client()
    error = UNKNOWN_PROFILE
    aws.once.return_value.create_auto_scaling_group.side_effect = [error, None]
    attributes = KIND.create(aws, Resource("auto_scaling_group", "web", {"LaunchTemplate": OLD}, tags={"Team": "web"}))
    request = aws.once.return_value.create_auto_scaling_group.call_args.kwargs
    assert request["Tags"][0]["PropagateAtLaunch"] is True
    assert attributes == {"id": "web", "name": "web", "arn": "arn"}
    autoscaling.suspend_processes.assert_not_called()


@pytest.mark.parametrize(("protection", "refuses"), [("none", False), ("prevent-all-deletion", True)])
def test_deletion_protection_is_told_before_anything_is_deleted(protection, refuses):
    observed = Observed("web", {"DeletionProtection": protection}, {})
    assert bool(KIND.refuses_delete(Resource("auto_scaling_group", "web", {}), observed)) is refuses


def test_gone_means_the_instances_too():
    aws, autoscaling = client()
    there, gone = autoscaling.get_paginator.return_value.paginate.return_value, [{"AutoScalingGroups": []}]
    groups = iter([there, there, gone, gone])
    instances = iter(
        [{"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": state}}]}]}]
        for state in ("shutting-down", "terminated")
    )
    answers = {"describe_auto_scaling_groups": groups, "describe_instances": instances}
    autoscaling.get_paginator.side_effect = lambda name: MagicMock(paginate=lambda **named: next(answers[name]))
    KIND.delete(aws, None, Observed("web", {}, {}))
    autoscaling.delete_auto_scaling_group.assert_called_once_with(AutoScalingGroupName="web", ForceDelete=True)
    assert next(instances, None) is None
