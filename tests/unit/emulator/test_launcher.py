# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The launcher: start and stop, the call counter, faults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.dockyard.aws.tests.emulator.client import SERVER, Emulator

BUCKET = "emulator-bucket"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def wait_for(path: Path) -> str:
    """The ready file's text."""
    for _one in range(500):
        if path.exists():
            return path.read_text(encoding="utf-8").strip()
        time.sleep(0.02)
    raise AssertionError("not ready")


def test_starts_on_loopback_and_ends_at_once(tmp_path: Path) -> None:
    log = tmp_path / "calls.txt"
    emulator = Emulator(account="210987654321", log=log).start()
    assert emulator.url.startswith("http://127.0.0.1:")
    sts = boto3.client("sts", "eu-central-1", endpoint_url=emulator.url, **KEYS)
    assert sts.get_caller_identity()["Account"] == "210987654321"
    started = time.monotonic()
    emulator.stop()
    emulator.stop()
    assert time.monotonic() - started < 2
    assert log.read_text(encoding="utf-8").startswith("sts:GetCallerIdentity 200 ")


def test_ends_without_a_word_on_interrupt(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, str(SERVER), "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        wait_for(ready)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
        assert process.stderr is not None and process.stderr.read() == b""


def test_ends_with_its_parent(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with subprocess.Popen(["sleep", "60"]) as parent:
        command = [sys.executable, str(SERVER), "--ready-file", str(ready), "--parent", str(parent.pid)]
        with subprocess.Popen(command) as process:
            wait_for(ready)
            parent.kill()
            parent.wait()
            assert process.wait(timeout=5) == 0


def test_a_failed_start_is_reported() -> None:
    with pytest.raises(RuntimeError, match="ended at once"):
        Emulator(python="/bin/false").start()


def test_counts_by_service_and_action(world: Any) -> None:
    world.s3.create_bucket(Bucket=BUCKET)
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    world.s3.put_object(Bucket=BUCKET, Key="a/b c.json", Body=b"{}")
    world.s3.get_object(Bucket=BUCKET, Key="a/b c.json")
    world.s3.head_bucket(Bucket=BUCKET)
    world.s3.list_objects_v2(Bucket=BUCKET)
    world.ec2.describe_vpcs()
    world.ecs.create_cluster(clusterName="art")
    world.elbv2.describe_load_balancers()
    world.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    world.cloudwatch.describe_alarms()
    world.sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/x", RoleSessionName="test")
    summary = world.emulator.calls()
    writes = {"s3:CreateBucket", "s3:PutBucketVersioning", "s3:PutObject", "ecs:CreateCluster"}
    reads = {
        *("s3:GetObject", "s3:HeadBucket", "s3:ListObjectsV2", "ec2:DescribeVpcs", "elbv2:DescribeLoadBalancers"),
        *("application-autoscaling:DescribeScalableTargets", "cloudwatch:DescribeAlarms", "sts:AssumeRole"),
    }
    assert {f"{one['service']}:{one['action']}" for one in summary["calls"] if one["mutating"]} == writes
    assert {f"{one['service']}:{one['action']}" for one in summary["calls"] if not one["mutating"]} == reads
    assert (summary["total"], summary["mutating"]) == (12, 4)
    assert summary["log"][:2] == ["s3:CreateBucket", "s3:PutBucketVersioning"]
    world.emulator.reset_calls()
    assert world.emulator.calls() == {"total": 0, "mutating": 0, "calls": [], "log": []}


@pytest.mark.parametrize(
    ("service", "call", "throttled", "denied"),
    [
        ("ecs", "list_clusters", "ThrottlingException", "AccessDeniedException"),
        ("ec2", "describe_vpcs", "RequestLimitExceeded", "UnauthorizedOperation"),
        ("iam", "list_users", "Throttling", "AccessDenied"),
        ("elbv2", "describe_load_balancers", "Throttling", "AccessDenied"),
        ("s3", "list_buckets", "SlowDown", "AccessDenied"),
        ("route53", "list_hosted_zones", "Throttling", "AccessDenied"),
        ("cloudwatch", "describe_alarms", "ThrottlingException", "AccessDeniedException"),
    ],
)
def test_faults_speak_the_protocol(world: Any, service: str, call: str, throttled: str, denied: str) -> None:
    world.emulator.faults({"fault": "throttle", "service": service}, {"fault": "error", "service": service})
    for code in (throttled, denied):
        with pytest.raises(ClientError) as caught:
            getattr(world.client(service), call)()
        assert caught.value.response["Error"]["Code"] == code
    getattr(world.client(service), call)()
    assert [rule["hits"] for rule in world.emulator.fault_rules()] == [1, 1]


def test_after_carries_out_and_loses_the_answer(world: Any) -> None:
    before = len(world.ec2.describe_vpcs()["Vpcs"])
    world.emulator.faults({"fault": "after", "service": "ec2", "action": "CreateVpc", "times": 1})
    with pytest.raises(BotoCoreError):
        world.ec2.create_vpc(CidrBlock="10.0.0.0/16")
    world.emulator.faults({"fault": "after", "service": "ec2", "action": "CreateVpc", "status": 500})
    with pytest.raises(ClientError, match="InternalError"):
        world.ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert len(world.ec2.describe_vpcs()["Vpcs"]) == before + 2


def test_standard_retries_recover_and_skip_counts(world: Any) -> None:
    client = world.emulator.client("ecs", config=Config(retries={"mode": "standard", "total_max_attempts": 3}))
    world.emulator.faults({"fault": "throttle", "service": "ecs", "skip": 1, "times": 1})
    client.list_clusters()
    client.list_clusters()
    assert world.emulator.calls()["total"] == 3
    world.emulator.faults({"fault": "latency", "seconds": 0.2})
    started = time.monotonic()
    client.list_clusters()
    assert time.monotonic() - started >= 0.2
    world.emulator.faults()
    assert world.emulator.fault_rules() == []


def test_wrong_control_requests_are_explained(world: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        world.emulator.faults({"fault": "explode"})
    assert b"allowed: throttle, error, latency, after" in caught.value.read()
    with pytest.raises(urllib.error.HTTPError) as caught:
        world.emulator._request("GET", "nothing")
    assert caught.value.code == 404


def test_what_moto_cannot_do_is_not_retried(world: Any) -> None:
    with pytest.raises(ClientError, match="The emulator cannot do this"):
        world.elbv2.describe_trust_stores()


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_ecs_optimised_images(world: Any, region: str) -> None:
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"
    ssm = world.client("ssm", region)
    image = ssm.get_parameter(Name=f"{name}/image_id")["Parameter"]["Value"]
    assert image.startswith("ami-")
    assert "image_id" in ssm.get_parameter(Name=name)["Parameter"]["Value"]


def test_environment_reaches_every_sdk(world: Any) -> None:
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    variables = {**os.environ, **world.emulator.environment()}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "123456789012"
