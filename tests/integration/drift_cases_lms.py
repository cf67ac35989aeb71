# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may change in lms behind the collection's back, and how drift is to tell it."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from tests.integration.drifting import Case, World
from tests.integration.playbooks import ROOT

INVENTORY = ROOT / "inventories" / "lms"
PLATFORM, BACKEND, FRONT_END = "lms", "lms-backend", "lms-front-end"
SITE, APPLICATION = "lms.example.org", "app.lms.example.org"
CLUSTER = "lms-cluster"
SETTING = {"bucket": "lms-terraform-state", "lock_table": "lms-terraform-locks"}
# What lms has no use for, and its layers make as well.
MORE: dict[tuple[str, str, str], list[dict[str, Any]]] = {
    ("certificate", BACKEND, "certificates"): [{"name": "courses", "domain_name": "courses.lms.example.org"}],
    ("dns", PLATFORM, "records"): [
        {"name": f"status.{SITE}", "type": "CNAME", "ttl": 300, "values": ["status.example.com"]},
        {"name": SITE, "type": "TXT", "ttl": 300, "values": ["v=spf1 -all"]},
    ],
    ("static_site", FRONT_END, "sites"): [{"name": APPLICATION, "cloudfront": {"price_class": "PriceClass_100"}}],
}
BACKLOG = {
    "name": "backlog",
    "step_scaling": {
        "adjustment_type": "ChangeInCapacity",
        "step_adjustments": [{"metric_interval_lower_bound": 0, "scaling_adjustment": 1}],
        "alarms": [
            {
                "name": "backlog-high",
                "namespace": "LMS",
                "metric_name": "Backlog",
                "threshold": 100,
                "comparison_operator": "GreaterThanThreshold",
            }
        ],
    },
}
NIGHT = {"name": "night", "schedule": "cron(0 22 * * ? *)", "timezone": "Europe/Berlin", "max_capacity": 2}


def declared() -> dict[str, dict[str, Any]]:
    """layer -> host -> declaration."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((INVENTORY / "host_vars").rglob("*.yml")):
        if path.stem in LAYERS:
            found.setdefault(path.stem, {})[path.parent.name] = yaml.safe_load(path.read_text())[path.stem]
    for (layer, host, part), items in MORE.items():
        found[layer].setdefault(host, {}).setdefault(part, []).extend(items)
    target = found["autoscaling"][BACKEND]["scalable_targets"][0]
    target["scaling_policies"].append(BACKLOG)
    target["scheduled_actions"] = [NIGHT]
    found["alb"][PLATFORM]["load_balancers"][0]["listeners"][0]["extra_certificates"] = ["courses"]
    target["suspended_state"] = {"dynamic_scaling_in_suspended": False}
    found["certificate"][BACKEND]["certificates"][0]["transparency_logging"] = True
    found["iam"][BACKEND]["deploy_roles"][0]["remote_state"] = SETTING
    return {layer: found[layer] for layer in LAYERS if layer in found}


CERTIFICATE, VALIDATION = "acm_certificate/lms-backend", f"acm_validation_record/lms-backend/api.{SITE}"
ZONE, STATUS, ALIAS = f"route53_zone/{SITE}", f"route53_record/status.{SITE}/CNAME", f"route53_record/api.{SITE}/A"
TARGET, RUNNING = f"scalable_target/{CLUSTER}/{BACKEND}", f"ecs_service/{CLUSTER}/{BACKEND}"
HTTPS, HTTP = "listener/lms-load-balancer:443", "listener/lms-load-balancer:80"
FILES, BUCKET, POLICY = f"s3_site_files/{SITE}", f"s3_bucket/{SITE}", f"s3_bucket_policy/{SITE}"
PROVIDER = "iam_openid_connect_provider/token.actions.githubusercontent.com"
DISTRIBUTION = f"cloudfront_distribution/{APPLICATION}"
CONTROL = f"cloudfront_origin_access_control/{APPLICATION}"
GROUP, BALANCERS = "security_group_rules/lms-backend", "security_group/lms-load-balancer"
SCALED = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{CLUSTER}/{BACKEND}",
    "ScalableDimension": "ecs:service:DesiredCount",
}


def record(world: World, name: str, kind: str, **changes: Any) -> None:
    """Change some members of a record; without any, delete it."""
    zone = world.id(ZONE)
    found = world.route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName=name, StartRecordType=kind)
    now = found["ResourceRecordSets"][0]
    change = {"Action": "UPSERT" if changes else "DELETE", "ResourceRecordSet": {**now, **changes}}
    world.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})


def validation(world: World) -> None:
    """The record that ACM looks at, with a value of somebody's own."""
    found = world.acm.describe_certificate(CertificateArn=world.arn(CERTIFICATE))["Certificate"]
    name = next(
        item["ResourceRecord"]["Name"]
        for item in found["DomainValidationOptions"]
        if item["DomainName"] == f"api.{SITE}"
    )
    record(world, name, "CNAME", ResourceRecords=[{"Value": "by-hand.example.com."}])


def alias(world: World) -> None:
    found = world.elbv2.describe_load_balancers()["LoadBalancers"][0]
    target = {"HostedZoneId": found["CanonicalHostedZoneId"], "DNSName": found["DNSName"], "EvaluateTargetHealth": True}
    record(world, f"api.{SITE}", "A", AliasTarget=target)


def scaling(world: World) -> Any:
    return world.client("application-autoscaling")


def tracking(world: World, **changes: Any) -> None:
    found = scaling(world).describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    now = next(item["TargetTrackingScalingPolicyConfiguration"] for item in found if item["PolicyName"] == "cpu")
    scaling(world).put_scaling_policy(
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={**now, **changes},
        **SCALED,
    )


def alarm(world: World, **changes: Any) -> None:
    now = world.cloudwatch.describe_alarms(AlarmNames=["backlog-high"])["MetricAlarms"][0]
    names = ("AlarmName", "AlarmActions", "Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods")
    known = (*names, "Threshold", "ComparisonOperator", "Dimensions")
    world.cloudwatch.put_metric_alarm(**{**{name: now[name] for name in known if name in now}, **changes})


def distribution(world: World, **changes: Any) -> None:
    now = world.cloudfront.get_distribution_config(Id=world.id(DISTRIBUTION))
    declared = {**now["DistributionConfig"], **changes}
    world.cloudfront.update_distribution(Id=world.id(DISTRIBUTION), IfMatch=now["ETag"], DistributionConfig=declared)


def control(world: World, **changes: Any) -> None:
    now = world.cloudfront.get_origin_access_control(Id=world.id(CONTROL))
    declared = {**now["OriginAccessControl"]["OriginAccessControlConfig"], **changes}
    world.cloudfront.update_origin_access_control(
        Id=world.id(CONTROL), IfMatch=now["ETag"], OriginAccessControlConfig=declared
    )


def network(world: World, **changes: Any) -> None:
    found = world.ecs.describe_services(cluster=CLUSTER, services=[BACKEND])["services"][0]
    now = found["networkConfiguration"]["awsvpcConfiguration"]
    service(world, networkConfiguration={"awsvpcConfiguration": {**now, **changes}})


def service(world: World, **changes: Any) -> None:
    world.ecs.update_service(cluster=CLUSTER, service=BACKEND, **changes)


def ingress(world: World) -> None:
    ranges = [{"CidrIp": "0.0.0.0/0", "Description": "by hand"}]
    permission = {"IpProtocol": "tcp", "FromPort": 4000, "ToPort": 4000, "IpRanges": ranges}
    world.ec2.authorize_security_group_ingress(
        GroupId=world.id("security_group/lms-backend"), IpPermissions=[permission]
    )


def files(world: World) -> None:
    """One with another content, and one with the same under other headers."""
    world.s3.put_object(Bucket=SITE, Key="robots.txt", Body=b"User-agent: *\n", ContentType="text/plain; charset=utf-8")
    source = {"Bucket": SITE, "Key": "index.html"}
    headers = {"ContentType": "text/html", "CacheControl": "max-age=60"}
    world.s3.copy_object(**source, CopySource=source, MetadataDirective="REPLACE", **headers)


CASES: dict[str, Case] = {
    "audience of a provider": Case(
        lambda world: world.iam.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=world.arn(PROVIDER), ClientID="by-hand"
        ),
        PROVIDER,
        {"ClientIDList": (["sts.amazonaws.com"], ["by-hand", "sts.amazonaws.com"])},
    ),
    "certificate logging": Case(
        lambda world: world.acm.update_certificate_options(
            CertificateArn=world.arn(CERTIFICATE), Options={"CertificateTransparencyLoggingPreference": "DISABLED"}
        ),
        CERTIFICATE,
        {"CertificateTransparencyLoggingPreference": ("ENABLED", "DISABLED")},
    ),
    "certificate tag": Case(
        lambda world: world.acm.add_tags_to_certificate(
            CertificateArn=world.arn(CERTIFICATE), Tags=[{"Key": "Project", "Value": "other"}]
        ),
        CERTIFICATE,
        {"tags.Project": ("test", "other")},
    ),
    "validation record": Case(
        validation, VALIDATION, {f"ValidationRecords.api.{SITE}.Value": (..., "by-hand.example.com")}
    ),
    "zone comment": Case(
        lambda world: world.route53.update_hosted_zone_comment(Id=world.id(ZONE), Comment="by hand"),
        ZONE,
        {"Comment": ("The learning platform", "by hand")},
    ),
    "zone tag": Case(
        lambda world: world.route53.change_tags_for_resource(
            ResourceType="hostedzone", ResourceId=world.id(ZONE), RemoveTagKeys=["Project"]
        ),
        ZONE,
        {"tags.Project": ("test", None)},
    ),
    "record": Case(
        lambda world: record(
            world, f"status.{SITE}", "CNAME", TTL=60, ResourceRecords=[{"Value": "other.example.com"}]
        ),
        STATUS,
        {"TTL": (300, 60), "ResourceRecords": (["status.example.com"], ["other.example.com"])},
    ),
    "record that is gone": Case(
        lambda world: record(world, SITE, "TXT"),
        f"route53_record/{SITE}/TXT",
        lambda world: {"": (world.id(f"route53_record/{SITE}/TXT"), None)},
    ),
    "alias": Case(alias, ALIAS, {"AliasTarget.EvaluateTargetHealth": (False, True)}),
    "capacity": Case(
        lambda world: scaling(world).register_scalable_target(MinCapacity=1, MaxCapacity=9, **SCALED),
        TARGET,
        {"MinCapacity": (2, 1), "MaxCapacity": (6, 9)},
    ),
    "suspended scaling": Case(
        lambda world: scaling(world).register_scalable_target(
            SuspendedState={"DynamicScalingInSuspended": True}, **SCALED
        ),
        TARGET,
        {"SuspendedState.DynamicScalingInSuspended": (False, True)},
    ),
    "scaling policy": Case(
        lambda world: tracking(world, TargetValue=50.0), TARGET, {"ScalingPolicies[cpu].TargetValue": (70.0, 50.0)}
    ),
    "scaling policy that is less": Case(
        lambda world: scaling(world).delete_scaling_policy(PolicyName="requests", **SCALED),
        TARGET,
        {"ScalingPolicies[requests]": (..., None)},
    ),
    "alarm": Case(
        lambda world: alarm(world, Threshold=5.0),
        TARGET,
        {"ScalingPolicies[backlog].Alarms[backlog-high].Threshold": (100.0, 5.0)},
    ),
    "schedule": Case(
        lambda world: scaling(world).put_scheduled_action(
            ScheduledActionName="night", Schedule="cron(0 20 * * ? *)", Timezone="Europe/Berlin", **SCALED
        ),
        TARGET,
        {"ScheduledActions[night].Schedule": ("cron(0 22 * * ? *)", "cron(0 20 * * ? *)")},
    ),
    "TLS policy": Case(
        lambda world: world.elbv2.modify_listener(ListenerArn=world.arn(HTTPS), SslPolicy="ELBSecurityPolicy-2016-08"),
        HTTPS,
        {"SslPolicy": ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08")},
    ),
    "listener certificate": Case(
        lambda world: world.elbv2.remove_listener_certificates(
            ListenerArn=world.arn(HTTPS), Certificates=[{"CertificateArn": world.arn("acm_certificate/courses")}]
        ),
        HTTPS,
        lambda world: {"ExtraCertificateArns": ([world.arn("acm_certificate/courses")], [])},
    ),
    "certificate of the listener": Case(
        lambda world: world.elbv2.modify_listener(
            ListenerArn=world.arn(HTTPS), Certificates=[{"CertificateArn": world.arn("acm_certificate/courses")}]
        ),
        HTTPS,
        lambda world: {"CertificateArn": (world.arn(CERTIFICATE), world.arn("acm_certificate/courses"))},
    ),
    "redirect to HTTPS": Case(
        lambda world: world.elbv2.modify_listener(
            ListenerArn=world.arn(HTTP),
            DefaultActions=[
                {"Type": "forward", "TargetGroupArn": world.arn("target_group/lms-backend")},
            ],
        ),
        HTTP,
        {"DefaultActions": (..., ...)},
    ),
    "open port": Case(ingress, GROUP, {"ingress[tcp 4000 from 0.0.0.0/0]": (None, "by hand")}),
    "public addresses": Case(
        lambda world: network(world, assignPublicIp="DISABLED"),
        RUNNING,
        {"networkConfiguration.awsvpcConfiguration.assignPublicIp": ("ENABLED", "DISABLED")},
    ),
    "security groups of the service": Case(
        lambda world: network(world, securityGroups=[world.id(BALANCERS)]),
        RUNNING,
        lambda world: {
            "networkConfiguration.awsvpcConfiguration.securityGroups": (
                [world.id("security_group/lms-backend")],
                [world.id(BALANCERS)],
            )
        },
    ),
    "platform version": Case(
        lambda world: service(world, platformVersion="1.4.0"), RUNNING, {"platformVersion": ("LATEST", "1.4.0")}
    ),
    "capacity provider of the service": Case(
        lambda world: service(
            world, capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 1}]
        ),
        RUNNING,
        {"capacityProviderStrategy": (..., ...)},
    ),
    "strategy of the cluster": Case(
        lambda world: world.ecs.put_cluster_capacity_providers(
            cluster=CLUSTER, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
        ),
        f"ecs_cluster_capacity_providers/{CLUSTER}",
        {"defaultCapacityProviderStrategy": ([{"base": 1, "capacityProvider": "FARGATE", "weight": 1}], [])},
    ),
    "error document": Case(
        lambda world: world.s3.put_bucket_website(
            Bucket=SITE, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}
        ),
        BUCKET,
        {
            "WebsiteConfiguration.ErrorDocument": ({"Key": "404.html"}, None),
            "WebsiteConfiguration.RoutingRules": (..., None),
        },
    ),
    "public access": Case(
        lambda world: world.s3.put_public_access_block(
            Bucket=SITE, PublicAccessBlockConfiguration={"BlockPublicAcls": False, "IgnorePublicAcls": True}
        ),
        BUCKET,
        {"PublicAccessBlockConfiguration.BlockPublicAcls": (True, False)},
    ),
    "policy of the website": Case(
        lambda world: world.s3.put_bucket_policy(
            Bucket=SITE,
            Policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": f"arn:aws:s3:::{SITE}/*",
                        }
                    ],
                }
            ),
        ),
        POLICY,
        {"Policy.Statement": (..., ...)},
    ),
    "files": Case(
        files,
        FILES,
        {
            "Files[robots.txt].SHA256": (..., ...),
            "Files[robots.txt].CacheControl": ("public, max-age=3600", None),
            "Files[index.html].ContentType": ("text/html; charset=utf-8", "text/html"),
            "Files[index.html].CacheControl": ("no-cache", "max-age=60"),
            "Manifest": ("current", "behind in 2 files"),
        },
    ),
    "file that is gone": Case(
        lambda world: world.s3.delete_object(Bucket=SITE, Key="404.html"), FILES, {"Files[404.html]": (..., None)}
    ),
    "distribution": Case(
        lambda world: distribution(world, PriceClass="PriceClass_All", Comment=APPLICATION),
        DISTRIBUTION,
        {"PriceClass": ("PriceClass_100", "PriceClass_All")},
    ),
    "distribution tag": Case(
        lambda world: world.cloudfront.tag_resource(
            Resource=world.arn(DISTRIBUTION), Tags={"Items": [{"Key": "Project", "Value": "other"}]}
        ),
        DISTRIBUTION,
        {"tags.Project": ("test", "other")},
    ),
    "origin access control": Case(
        lambda world: control(world, SigningBehavior="never"),
        CONTROL,
        {"SigningBehavior": ("always", "never")},
    ),
}
