# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of Elastic Load Balancing v2."""

from __future__ import annotations

from typing import Any

from moto.acm.models import acm_backends
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.elbv2.responses import ELBV2Response

from emulator.patching import replace

BALANCER_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
}
APPLICATION_ATTRIBUTES = {
    **BALANCER_ATTRIBUTES,
    "idle_timeout.timeout_seconds": "60",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.prefix": "",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
NETWORK_ATTRIBUTES = {
    **BALANCER_ATTRIBUTES,
    "load_balancing.cross_zone.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "zonal_shift.config.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
}
HTTP_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
HTTP_LISTENER_ATTRIBUTES = {
    "routing.http.response.server.enabled": "true",
    "routing.http.response.strict_transport_security.header_value": "",
    "routing.http.response.access_control_allow_origin.header_value": "",
    "routing.http.response.access_control_allow_methods.header_value": "",
    "routing.http.response.access_control_allow_headers.header_value": "",
    "routing.http.response.access_control_allow_credentials.header_value": "",
    "routing.http.response.access_control_expose_headers.header_value": "",
    "routing.http.response.access_control_max_age.header_value": "",
    "routing.http.response.content_security_policy.header_value": "",
    "routing.http.response.x_content_type_options.header_value": "",
    "routing.http.response.x_frame_options.header_value": "",
}
FakeLoadBalancer.VALID_ATTRS |= set(APPLICATION_ATTRIBUTES) | set(NETWORK_ATTRIBUTES)


@replace(FakeLoadBalancer, "__init__")
def new_balancer(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """The scheme is internet-facing unless given, and the attributes are AWS's defaults. moto had neither."""
    kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
    original(self, *args, **kwargs)
    self.attrs = dict(NETWORK_ATTRIBUTES if self.type == "network" else APPLICATION_ATTRIBUTES)


@replace(ELBv2Backend, "create_load_balancer")
def create_load_balancer(
    original: Any, self: Any, name: str, security_groups: list[str], subnet_ids: list[str], **kwargs: Any
) -> Any:
    """AWS checks the name, the zones, the internet gateway and the security groups. moto checked none of these.

    The same load balancer again is given back; another of the same name is DuplicateLoadBalancerName.
    """
    subnets = subnet_ids or [one["SubnetId"] for one in kwargs.get("subnet_mappings") or []]
    scheme = kwargs.get("scheme") or "internet-facing"
    kind = kwargs.get("loadbalancer_type") or "application"
    for existing in self.load_balancers.values():
        if existing.name == name:
            same = {one.id for one in existing.subnets} == set(subnets) and existing.scheme == scheme
            if same and existing.type == kind and set(existing.security_groups) == set(security_groups):
                return existing
            raise ELBClientError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    found = [check_subnet(self, one) for one in subnets]
    if kind == "application" and len({one.availability_zone for one in found}) < 2:
        raise ELBClientError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
    if scheme == "internet-facing":
        check_gateway(self, found[0].vpc_id)
    if kind == "application" and not security_groups:
        security_groups = [self.ec2_backend.get_default_security_group(found[0].vpc_id).id]
    check_groups(self, security_groups)
    return original(self, name, security_groups, subnet_ids, **kwargs)


def check_subnet(backend: Any, subnet_id: str) -> Any:
    """The subnet, or SubnetNotFound: moto answered another code."""
    for subnets in backend.ec2_backend.subnets.values():
        if subnet_id in subnets:
            return subnets[subnet_id]
    raise ELBClientError("SubnetNotFound", f"The subnet ID '{subnet_id}' is not valid")


def check_gateway(backend: Any, vpc_id: str) -> None:
    """An internet-facing load balancer needs an internet gateway in its VPC; the default VPC has one."""
    ec2 = backend.ec2_backend
    attached = [one for one in ec2.internet_gateways.values() if one.vpc and one.vpc.id == vpc_id]
    if not attached and str(ec2.vpcs[vpc_id].is_default).lower() != "true":
        raise ELBClientError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def check_groups(backend: Any, groups: list[str]) -> None:
    """Security groups must exist."""
    for group in groups or []:
        if backend.ec2_backend.get_security_group_from_id(group) is None:
            raise ELBClientError("InvalidSecurityGroup", f"One or more security groups are invalid: '{group}'")


@replace(ELBv2Backend, "set_security_groups")
def set_security_groups(original: Any, self: Any, arn: str, sec_groups: list[str]) -> None:
    """Security groups must exist."""
    check_groups(self, sec_groups)
    original(self, arn, sec_groups)


@replace(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(original: Any, self: Any, arn: str) -> None:
    """AWS refuses while deletion protection is on: moto deleted."""
    balancer = self.load_balancers.get(arn)
    if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise ELBClientError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    original(self, arn)


@replace(FakeTargetGroup, "__init__")
def new_group(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """The attributes are AWS's defaults: moto's list was short and mixed numbers and strings."""
    original(self, *args, **kwargs)
    if self.protocol in ("HTTP", "HTTPS"):
        self.attributes = dict(HTTP_GROUP_ATTRIBUTES)
    self.attributes = {name: str(value) for name, value in self.attributes.items()}


def users_of(group: Any) -> list[str]:
    """The load balancers whose listeners forward to the group, as things are now; moto only ever added."""
    backend = elbv2_backends[group.account_id][group.region_name]
    return [arn for arn, balancer in backend.load_balancers.items() if group.arn in targets_of(backend, balancer)]


def targets_of(backend: Any, balancer: Any) -> set[str]:
    """The target groups that a load balancer's rules forward to."""
    actions = [one for each in balancer.listeners.values() for rule in each.rules.values() for one in rule.actions]
    return {arn for action in actions for arn in backend._get_target_group_arns_from(action_data=action.data)}


def ignore(_group: Any, _value: list[str]) -> None:
    """The list is computed."""


setattr(FakeTargetGroup, "load_balancer_arns", property(users_of, ignore))  # noqa: B010 - mypy knows no such attribute


@replace(FakeTargetGroup, "register")
def register(_original: Any, self: Any, targets: list[dict[str, Any]]) -> None:
    """A target is an id with a port: one instance can be in a group with several ports. moto kept the last one."""
    for target in targets:
        port = int(target.get("Port") or self.port)
        self.targets[f"{target['Id']}:{port}"] = {"Id": target["Id"], "Port": port}


@replace(FakeTargetGroup, "deregister")
def deregister(_original: Any, self: Any, targets: list[dict[str, Any]]) -> None:
    """Without a port all of a target's ports leave; what is not registered is no error in AWS."""
    for target in targets:
        for key, known in list(self.targets.items()):
            if known["Id"] == target["Id"] and target.get("Port") in (None, known["Port"], str(known["Port"])):
                del self.targets[key]
                self.deregistered_targets[target["Id"]] = known


@replace(FakeTargetGroup, "deregister_terminated_instances")
def deregister_terminated_instances(_original: Any, self: Any, instance_ids: list[str]) -> None:
    """Terminated instances leave the group."""
    self.targets = {key: one for key, one in self.targets.items() if one["Id"] not in instance_ids}


@replace(FakeTargetGroup, "health_for")
def health_for(original: Any, self: Any, target: dict[str, Any], ec2_backend: Any) -> Any:
    """Healthy if registered and a listener uses the group, else unused, as in AWS."""
    port = target.get("Port")
    known = [one for one in self.targets.values() if one["Id"] == target["Id"]]
    known = [one for one in known if port is None or int(port) == one["Port"]]
    kept = self.targets
    self.targets = {target["Id"]: known[0]} if known else {}
    try:
        health = original(self, target, ec2_backend)
    finally:
        self.targets = kept
    if health.status == "healthy" and not users_of(self):
        health.status, health.reason = "unused", "Target.NotInUse"
        health.description = "Target group is not configured to receive traffic from the load balancer"
    elif health.status == "healthy" and target["Id"] in getattr(self, "failing", ()):
        health.status, health.reason = "unhealthy", "Target.ResponseCodeMismatch"
        health.description = "Health checks failed with these codes: [503]"
    return health


@replace(FakeListener, "__init__")
def new_listener(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """The attributes of HTTP and HTTPS listeners: moto gave them those of TCP."""
    original(self, *args, **kwargs)
    if self.protocol in ("HTTP", "HTTPS"):
        self.attributes = dict(HTTP_LISTENER_ATTRIBUTES)
        self.ssl_policy = self.ssl_policy if self.protocol == "HTTPS" else None


@replace(ELBv2Backend, "create_listener")
def create_listener(
    original: Any, self: Any, load_balancer_arn: str, protocol: str, port: str, *args: Any, **kwargs: Any
) -> Any:
    """A port can be taken once: moto looked for it in the wrong place. HTTPS needs a certificate."""
    balancer = self.load_balancers.get(load_balancer_arn)
    for listener in balancer.listeners.values() if balancer else []:
        if str(listener.port) == str(port):
            raise ELBClientError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if protocol == "HTTPS" and not kwargs.get("certificate"):
        raise ELBClientError("CertificateNotFound", "A certificate must be specified for HTTPS listeners")
    check_certificates(self, [{"CertificateArn": kwargs["certificate"]}] if kwargs.get("certificate") else [])
    check_actions(self, load_balancer_arn, kwargs.get("actions") or [])
    return original(self, load_balancer_arn, protocol, port, *args, **kwargs)


def check_certificates(backend: Any, certificates: list[dict[str, Any]]) -> None:
    """A certificate of ACM must be there and be issued."""
    for arn in [item["CertificateArn"] for item in certificates or []]:
        if ":acm:" in arn:
            found = acm_backends[backend.account_id][backend.region_name]._certificates.get(arn)
            if found is None:
                raise ELBClientError("CertificateNotFound", f"Certificate ARN '{arn}' is not valid")
            found.check()
            if found.status != "ISSUED":
                raise ELBClientError(
                    "UnsupportedCertificate",
                    f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a "
                    "supported key size.",
                )


def check_actions(backend: Any, balancer_arn: str, actions: list[dict[str, Any]]) -> None:
    """Target groups must exist and belong to no other load balancer."""
    for action in actions:
        for arn in backend._get_target_group_arns_from(action_data=action):
            group = backend.target_groups.get(arn)
            if group is None:
                raise ELBClientError("TargetGroupNotFound", f"Target groups '{arn}' not found")
            if set(users_of(group)) - {balancer_arn}:
                raise ELBClientError(
                    "TargetGroupAssociationLimit",
                    f"The following target groups cannot be associated with more than one load balancer: {arn}",
                )


@replace(ELBv2Backend, "create_rule")
def create_rule(original: Any, self: Any, listener_arn: str, *args: Any, **kwargs: Any) -> Any:
    """At most 100 rules on a load balancer, the default rules apart."""
    listener = self.describe_listeners(None, [listener_arn])[0]
    check_actions(self, listener.load_balancer_arn, kwargs.get("actions") or [])
    listeners = self.load_balancers[listener.load_balancer_arn].listeners.values()
    if sum(len(one._non_default_rules) for one in listeners) >= 100:
        raise ELBClientError("TooManyRules", "The maximum number of rules has been reached")
    return original(self, listener_arn, *args, **kwargs)


@replace(ELBv2Backend, "modify_listener")
def modify_listener(original: Any, self: Any, arn: str, *args: Any, **kwargs: Any) -> Any:
    """Target groups must exist: moto kept anything."""
    listener = self.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    actions = kwargs.get("actions") if "actions" in kwargs else (args[4] if len(args) > 4 else None)
    check_actions(self, listener.load_balancer_arn, actions or [])
    return original(self, arn, *args, **kwargs)


@replace(ELBv2Backend, "delete_rule")
def delete_rule(original: Any, self: Any, arn: str) -> None:
    """An unknown rule is RuleNotFound: moto said nothing."""
    listeners = [one for balancer in self.load_balancers.values() for one in balancer.listeners.values()]
    if not any(arn in one._non_default_rules for one in listeners):
        raise ELBClientError("RuleNotFound", "One or more rules not found")
    original(self, arn)


@replace(ELBv2Backend, "modify_target_group_attributes")
def modify_target_group_attributes(original: Any, self: Any, target_group_arn: str, attributes: dict[str, Any]) -> None:
    """Up to 3600 seconds of deregistration delay: moto refused 3600 itself."""
    delay = attributes.get("deregistration_delay.timeout_seconds")
    if delay == "3600":
        rest = {name: value for name, value in attributes.items() if not name.startswith("deregistration_delay.t")}
        original(self, target_group_arn, rest)
        self.target_groups[target_group_arn].attributes["deregistration_delay.timeout_seconds"] = delay
        return
    original(self, target_group_arn, attributes)


@replace(ELBv2Backend, "add_tags")
def add_tags(_original: Any, self: Any, resource_arns: list[str], tags: list[dict[str, str]]) -> None:
    """50 tags a resource, not 10 as in moto."""
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
        known = self.tagging_service.get_tag_dict_for_resource(arn)
        if len(set(known) | {one["Key"] for one in tags}) > 50:
            raise ELBClientError("TooManyTags", "The quota for the number of tags that can be assigned is 50")
        self.tagging_service.tag_resource(arn, tags)


@replace(ELBv2Backend, "describe_tags")
def describe_tags(original: Any, self: Any, resource_arns: list[str]) -> Any:
    """At most 20 a call, and what does not exist is an error. moto answered without tags."""
    if len(resource_arns) > 20:
        raise ELBClientError("ValidationError", "A maximum of 20 resources can be specified in a DescribeTags request")
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
    return original(self, resource_arns)


@replace(ELBV2Response, "describe_target_group_attributes")
def describe_target_group_attributes(original: Any, self: Any) -> Any:
    """Values are strings."""
    result = original(self)
    result.result["Attributes"] = {name: str(value) for name, value in result.result["Attributes"].items()}
    return result
