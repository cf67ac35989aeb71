# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prune, destroy and runs that AWS overtakes must never delete or forget."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import drift_run
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, PlanMoved
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art

BUCKET, TABLE = "art-service-terraform-state", "art-service-terraform-locks"
SETTING = {"bucket": BUCKET, "lock_table": TABLE}
PATHS = Paths()
NETWORK = {
    "p": {
        "vpc": {"name": "main", "cidr_block": "10.0.0.0/16"},
        "subnets": [{"name": "one", "cidr_block": "10.0.0.0/24", "availability_zone": "us-east-1a"}],
    }
}
ECR = {"a": {"repositories": [{"name": "alpha"}]}}
EVERYTHING = {"network": {}, "ecr": {}}


@pytest.fixture
def home(runner, tmp_path):
    runner.make(art.declared("state_bucket"))
    return {"base_dir": str(tmp_path), "remote_state": SETTING}


def memory(emulator, layer):
    body = emulator.client("s3").get_object(Bucket=BUCKET, Key=PATHS.memory(layer))["Body"].read()
    return document.parse(body, layer).memory.resources


def unprotected():
    result = copy.deepcopy(art.declared("state_bucket"))
    for declared in result["state_bucket"].values():
        declared["bucket"] |= {"protect": False, "force_delete": True}
        declared["lock_table"] |= {"protect": False, "deletion_protection_enabled": False}
    return result


@pytest.mark.parametrize(
    ("declared", "options"),
    [
        ({"state_bucket": {}}, {"state": "absent"}),
        ({"state_bucket": {}, "ecr": {}}, {"state": "absent", "destroy_only": [f"dynamodb_table/{TABLE}"]}),
        ({"state_bucket": {}, "ecr": ECR}, {"prune": True}),
    ],
)
def test_the_state_does_not_go_before_what_it_remembers(runner, emulator, home, declared, options):
    runner.make({**unprotected(), "ecr": ECR}, **home)
    emulator.reset_calls()
    message = "keeps the state .dockyard_remote_state. and goes only with everything else; .* would stay"
    with pytest.raises(PlanError, match=message):
        runner.run(declared, **home, **options)
    assert emulator.calls()["mutating"] == 0
    assert len(runner.make({"state_bucket": {}, "ecr": {}}, **home, state="absent").done) == 3


def test_an_empty_selection_is_not_everything(runner, emulator, home):
    runner.make({"ecr": ECR}, **home)
    with pytest.raises(PlanError, match="destroy_only: is empty: name what is to be destroyed"):
        runner.run({"ecr": {}}, **home, state="absent", destroy_only=[])


def test_what_somebody_protected_since_is_not_deleted(runner, emulator, home):
    emulator.client("s3").create_bucket(Bucket="other-state")
    options = {**home, "remote_state": {"bucket": "other-state"}}
    runner.make(unprotected(), **options)
    emulator.client("dynamodb").update_table(TableName=TABLE, DeletionProtectionEnabled=True)
    with pytest.raises(PlanError, match="deletion protection is on.*Somebody protected it since the last run"):
        runner.run({"state_bucket": {}}, **options, state="absent")
    assert TABLE in emulator.client("dynamodb").list_tables()["TableNames"]


def test_without_tags_a_namesake_of_what_was_recorded_stays(runner, emulator, home):
    options = {**home, "ownership_tags": False}
    runner.make({"network": NETWORK}, **options)
    ec2 = emulator.client("ec2")
    filters = [{"Name": "tag:Name", "Values": ["one"]}]
    [old] = ec2.describe_subnets(Filters=filters)["Subnets"]
    ec2.delete_subnet(SubnetId=old["SubnetId"])
    labels = [{"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": "one"}]}]
    ec2.create_subnet(VpcId=old["VpcId"], CidrBlock="10.0.9.0/24", TagSpecifications=labels)
    result = runner.plan(EVERYTHING, **options, state="absent", destroy_only=["subnet/one"])
    assert result.plan.pending() == []
    assert "subnet/one: it is not what was recorded, but another thing of the same name" in result.plan.left_alone[0]


def test_what_another_environment_took_over_is_left_alone_and_hinders_nothing(runner, emulator, home):
    runner.make({"ecr": {"a": {"repositories": [{"name": "alpha"}, {"name": "beta"}]}}}, **home)
    ecr = emulator.client("ecr")
    arn = ecr.describe_repositories(repositoryNames=["beta"])["repositories"][0]["repositoryArn"]
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "dockyard:environment", "Value": "other"}])
    assert runner.run({"ecr": {}}, **home, state="absent").done == [("delete", "ecr_repository", "alpha")]
    assert [item["repositoryName"] for item in ecr.describe_repositories()["repositories"]] == ["beta"]


@pytest.mark.parametrize("options", [{"state": "absent"}, {"prune": True}])
def test_what_was_renamed_is_not_taken_for_gone(runner, emulator, home, options):
    runner.make({"network": NETWORK}, **home)
    ec2 = emulator.client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["main"]}])["Vpcs"]
    ec2.create_tags(Resources=[vpc["VpcId"]], Tags=[{"Key": "Name", "Value": "by hand"}])
    with pytest.raises(PlanError) as caught:
        runner.run(EVERYTHING, **home, **options)
    assert f"vpc/main is recorded as {vpc['VpcId']}, which exists and is not found by its name: its Name tag is" in str(
        caught.value
    )
    assert "subnet/one is recorded as" in str(caught.value) and "because what it lies in is not" in str(caught.value)
    assert ("vpc", "main") in memory(emulator, "network")
    ec2.create_tags(Resources=[vpc["VpcId"]], Tags=[{"Key": "Name", "Value": "main"}])
    assert len(runner.make(EVERYTHING, **home, **options).done) == 2


def test_in_another_region_nothing_is_forgotten(runner, emulator, home, monkeypatch):
    options = {**home, "remote_state": {"bucket": BUCKET}}
    runner.make({"ecr": ECR}, **options)
    monkeypatch.setattr(runner, "_sessions", None)
    with pytest.raises(PlanError, match="remembers things in the region us-east-1, and this run works in eu-west-1"):
        runner.run({"ecr": {}}, **options, state="absent", region="eu-west-1")
    assert ("ecr_repository", "alpha") in memory(emulator, "ecr")


def test_every_layer_from_which_something_goes_has_to_work_in_the_account(runner, home, monkeypatch):
    """Also where nothing of it is declared: its profile may lead into another account."""
    asked = []
    monkeypatch.setattr(running, "_account", lambda aws, expected: asked.append(aws.layer) or "123456789012")
    runner.plan({"network": {}, "ecr": {}}, **home, state="absent")
    assert asked == ["network", "ecr"]


def test_what_appeared_since_the_plan_is_not_replaced_unseen(runner, emulator, home):
    """Planned as a creation; somebody makes it meanwhile, in a way that only a replacement could change."""
    declared = {"ecr": {"a": {"repositories": [{"name": "data", "encryption_type": "KMS"}]}}}
    planned = runner.plan(declared, **home, strict=False)
    ecr = emulator.client("ecr")
    made = ecr.create_repository(repositoryName="data")["repository"]["createdAt"]
    with pytest.raises(PlanMoved, match="data.* is not tagged as this environment's, and would have to be replaced"):
        running.carry_out(planned, "ecr", planned.hosts, runner.progress.append)
    [kept] = ecr.describe_repositories()["repositories"]
    assert kept["createdAt"] == made and kept["encryptionConfiguration"]["encryptionType"] == "AES256"


def test_drift_tells_what_a_later_version_recorded(runner, emulator, home):
    options = {**home, "remote_state": {"bucket": BUCKET}}
    runner.make({"ecr": ECR}, **options)
    s3, key = emulator.client("s3"), PATHS.memory("ecr")
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=body.replace(b"ecr_repository/alpha", b"ecr_novelty/alpha"))
    found = drift_run.run({**runner.params({"ecr": ECR}, **options), "layers": ["ecr"]}, runner.progress.append)
    assert "ecr_novelty/alpha was not compared: this version of the collection has no such kind" in found["notes"]


def test_prune_leaves_alone_what_another_inventory_recorded(runner, emulator, home):
    """The same environment name and state, and no host in common."""
    runner.make({"ecr": ECR}, **home)
    other = {"ecr": {"b": {"repositories": [{"name": "beta"}]}}}
    with pytest.raises(PlanError, match="only what the hosts a declared, and this inventory has none of them"):
        runner.run(other, **home, prune=True, whole_inventory=True)
    assert [item["repositoryName"] for item in emulator.client("ecr").describe_repositories()["repositories"]] == [
        "alpha"
    ]
    runner.make(other, **home)
    pruned = runner.run(other, **home, prune=True, whole_inventory=True)
    assert [change["name"] for change in pruned.changes] == ["alpha"], "once it has recorded something, hosts may go"


def test_a_rule_that_somebody_deleted_hinders_no_destroy(runner, emulator, home):
    declared = art.declared("network", "alb")
    runner.make(declared, **home)
    elbv2 = emulator.client("elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    rules = [rule for rule in elbv2.describe_rules(ListenerArn=listener)["Rules"] if not rule["IsDefault"]]
    for rule in rules:
        elbv2.delete_rule(RuleArn=rule["RuleArn"])
    elbv2.delete_listener(ListenerArn=listener)
    done = runner.make({layer: {} for layer in declared}, **home, state="absent")
    assert rules and "listener_rule" not in {kind for _action, kind, _name in done.done}
    assert elbv2.describe_load_balancers()["LoadBalancers"] == []
    assert memory(emulator, "alb") == {}


def test_a_bucket_that_a_killed_destroy_had_only_emptied_goes_once_it_is_recorded_again(runner, emulator, home):
    runner.make(unprotected(), **home)
    emulator.client("dynamodb").delete_table(TableName=TABLE)
    s3 = emulator.client("s3")
    versions = s3.list_object_versions(Bucket=BUCKET)
    for item in [*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())]:
        s3.delete_object(Bucket=BUCKET, Key=item["Key"], VersionId=item["VersionId"])
    nothing = runner.plan({"state_bucket": {}}, **home, state="absent")
    assert nothing.plan.shown() == []
    assert "--tags state_bucket" in " ".join(problem.message for problem in nothing.plan.warnings)
    runner.make(unprotected(), **home)
    runner.make({"state_bucket": {}}, **home, state="absent")
    assert s3.list_buckets()["Buckets"] == []
