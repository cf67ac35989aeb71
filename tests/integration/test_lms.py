# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lms environment, whole, through the real ansible-playbook."""

from __future__ import annotations

import shutil

import pytest

from tests.emulator.client import Emulator
from tests.integration.playbooks import ROOT, play

pytestmark = pytest.mark.xdist_group("lms")
SITE, DESTROY = "playbooks/site.yml", "playbooks/destroy.yml"
REGION = "eu-central-1"
CLUSTER, SERVICE = "lms-cluster", "lms-backend"
FRONT_END = "lms.example.org"
USED = ("state_bucket", "iam", "network", "certificate", "ecr", "alb", "dns", "autoscaling", "ecs", "static_site")
SERVED = (
    ("index.html", "text/html; charset=utf-8", "no-cache"),
    ("courses/statistics/index.html", "text/html; charset=utf-8", "no-cache"),
    ("assets/app.3b7e.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    ("robots.txt", "text/plain; charset=utf-8", "public, max-age=3600"),
)
# With the reading of what is remembered.
IDLE_CALLS = 80


class Lms:
    """The environment as the first runs left it, with what they said and did."""

    def __init__(self, emulator, folder):
        self.emulator = emulator
        shutil.copytree(ROOT / "inventories" / "lms", folder)
        self.inventory = folder / "hosts.yml"
        self.given = self.default_network()
        self.check = self.play(SITE, "--check", "--diff")
        self.calls_of_check = emulator.calls()
        self.run = self.play(SITE)
        emulator.reset_calls()
        self.second = self.play(SITE)
        self.calls_of_second = emulator.calls()

    def play(self, playbook, *arguments):
        return play(self.emulator, playbook, *arguments, inventory=self.inventory)

    def client(self, service):
        return self.emulator.client(service, region=REGION)

    def default_network(self):
        """All of it but how many addresses are free."""
        ec2 = self.client("ec2")
        subnets = ec2.describe_subnets()["Subnets"]
        for subnet in subnets:
            del subnet["AvailableIpAddressCount"]
        return {
            "VPCs": ec2.describe_vpcs()["Vpcs"],
            "subnets": subnets,
            "route tables": ec2.describe_route_tables()["RouteTables"],
            "internet gateways": ec2.describe_internet_gateways()["InternetGateways"],
        }

    def default_subnets(self):
        return sorted(self.given["subnets"], key=lambda item: item["AvailabilityZone"])

    def group(self, name):
        filters = [{"Name": "tag:Name", "Values": [name]}]
        return self.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]


@pytest.fixture(scope="module")
def lms(tmp_path_factory):
    with Emulator() as emulator:
        yield Lms(emulator, tmp_path_factory.mktemp("lms") / "inventory")


def test_the_plan_of_an_empty_account_stands_without_a_write(lms):
    assert lms.check.code == 0, lms.check.text
    assert lms.calls_of_check["mutating"] == 0
    assert {action for action, _kind, _name in lms.check.plan()} == {"create"}
    made = {kind for _action, kind, _name in lms.check.plan()}
    assert {"scalable_target", "ecs_service", "load_balancer", "dynamodb_table", "security_group"} <= made
    assert not made & {"vpc", "subnet", "route_table", "internet_gateway"}


def test_the_plan_has_no_warnings(lms):
    plans = [result for action, _host, result in lms.check.results if action == "dockyard.aws.plan"]
    assert plans[0]["plan_warnings"] == []


def test_the_run_does_exactly_what_the_plan_said(lms):
    assert lms.run.code == 0, lms.run.failed_messages()
    assert lms.run.plan() == lms.check.plan()
    assert sorted(lms.run.done()) == sorted(lms.check.plan())


def test_a_second_run_changes_nothing_and_writes_nothing(lms):
    assert lms.second.code == 0
    assert (lms.second.changed, lms.second.plan()) == (0, [])
    assert lms.calls_of_second["mutating"] == 0
    assert lms.calls_of_second["total"] <= IDLE_CALLS, lms.calls_of_second["calls"]


@pytest.mark.parametrize("layer", USED)
def test_each_role_runs_alone_and_changes_nothing(lms, layer):
    lms.emulator.reset_calls()
    played = lms.play(SITE, "--tags", layer)
    assert played.code == 0, played.text
    assert played.changed == 0
    assert lms.emulator.calls()["mutating"] == 0


@pytest.mark.parametrize("host", ["lms", "lms-backend", "lms-front-end"])
def test_one_host_alone_changes_nothing(lms, host):
    played = lms.play(SITE, "--limit", host)
    assert played.code == 0, played.failed_messages()
    assert played.changed == 0


def test_the_default_vpc_is_as_it_was(lms):
    assert lms.default_network() == lms.given


def test_only_the_load_balancer_reaches_the_back_end(lms):
    balancer = lms.group("lms-load-balancer")
    rules = lms.group("lms-backend")["IpPermissions"]
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules] == [("tcp", 4000, 4000)]
    assert [pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]] == [balancer["GroupId"]]
    assert [rule[kind] for rule in rules for kind in ("IpRanges", "Ipv6Ranges", "PrefixListIds")] == [[], [], []]
    assert sorted(rule["FromPort"] for rule in balancer["IpPermissions"]) == [80, 443]


def test_http_is_redirected_to_https_with_the_back_ends_certificate(lms):
    elbv2 = lms.client("elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]
    found = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    listeners = {item["Protocol"]: item for item in found}
    redirect = listeners["HTTP"]["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")
    arn = listeners["HTTPS"]["Certificates"][0]["CertificateArn"]
    certificate = lms.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert certificate["Status"] == "ISSUED"
    assert sorted(certificate["SubjectAlternativeNames"]) == ["api.lms.example.net", "api.lms.example.org"]
    assert listeners["HTTPS"]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-")


def test_the_domains_lead_to_the_load_balancer_and_to_the_website(lms):
    route53 = lms.client("route53")
    dns_name = lms.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["DNSName"].lower()
    aliases = {}
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if "AliasTarget" in record:
                aliases[record["Name"]] = record["AliasTarget"]["DNSName"].rstrip(".").removeprefix("dualstack.")
    website = f"s3-website.{REGION}.amazonaws.com"
    assert aliases == {
        "api.lms.example.org.": dns_name,
        "api.lms.example.net.": dns_name,
        f"{FRONT_END}.": website,
        f"www.{FRONT_END}.": website,
    }


def test_the_front_end_is_a_public_website_of_its_folder(lms):
    s3 = lms.client("s3")
    website = s3.get_bucket_website(Bucket=FRONT_END)
    assert (website["IndexDocument"], website["ErrorDocument"]) == ({"Suffix": "index.html"}, {"Key": "404.html"})
    folder = lms.inventory.parent / "files" / "front-end"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    there = {item["Key"] for item in s3.list_objects_v2(Bucket=FRONT_END)["Contents"]}
    assert there == {*files, ".dockyard/manifest.json"}
    assert {key: s3.get_object(Bucket=FRONT_END, Key=key)["Body"].read() for key in files} == files
    for key, content_type, cache_control in SERVED:
        head = s3.head_object(Bucket=FRONT_END, Key=key)
        assert (key, head["ContentType"], head["CacheControl"]) == (key, content_type, cache_control)
    assert s3.get_bucket_policy_status(Bucket=FRONT_END)["PolicyStatus"]["IsPublic"]


def test_the_front_ends_other_name_redirects_to_it(lms):
    website = lms.client("s3").get_bucket_website(Bucket=f"www.{FRONT_END}")
    assert website["RedirectAllRequestsTo"] == {"HostName": FRONT_END, "Protocol": "http"}


def test_the_service_runs_on_fargate_in_two_default_subnets_with_public_addresses(lms):
    ecs = lms.client("ecs")
    service = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    assert network["assignPublicIp"] == "ENABLED"
    assert network["securityGroups"] == [lms.group("lms-backend")["GroupId"]]
    assert network["subnets"] == [item["SubnetId"] for item in lms.default_subnets()[:2]]
    assert [item["capacityProvider"] for item in service["capacityProviderStrategy"]] == ["FARGATE"]
    assert (service["desiredCount"], service["runningCount"]) == (2, 2)
    task = ecs.describe_task_definition(taskDefinition=SERVICE)["taskDefinition"]
    assert (task["networkMode"], task["cpu"], task["memory"]) == ("awsvpc", "512", "1024")
    assert lms.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 30


def test_it_is_scaled_by_requests(lms):
    scaling = lms.client("application-autoscaling")
    target = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (
        f"service/{CLUSTER}/{SERVICE}",
        2,
        6,
    )
    policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    metrics = {
        item["PolicyName"]: item["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
        for item in policies
    }
    assert metrics["requests"]["ResourceLabel"].startswith("app/lms-load-balancer/")
    assert "/targetgroup/lms-backend" in metrics["requests"]["ResourceLabel"]


def test_what_the_autoscaler_made_of_the_desired_count_stays(lms):
    ecs = lms.client("ecs")
    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=4)
    for arguments in ((), ("--tags", "ecs"), ("--limit", SERVICE)):
        played = lms.play(SITE, *arguments)
        assert (played.code, played.changed) == (0, 0), played.text
    assert ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]["desiredCount"] == 4


def test_destroy_leaves_the_default_vpc_alone(lms):
    layers = ",".join(layer for layer in USED if layer != "state_bucket")
    played = lms.play(DESTROY, "-e", "destroy_environment=lms", "--tags", layers)
    assert played.code == 0, played.failed_messages()
    assert lms.default_network() == lms.given
    assert (
        lms.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    )
    names = [group["GroupName"] for group in lms.client("ec2").describe_security_groups()["SecurityGroups"]]
    assert set(names) == {"default"}
    assert [bucket["Name"] for bucket in lms.client("s3").list_buckets()["Buckets"]] == ["lms-terraform-state"]
