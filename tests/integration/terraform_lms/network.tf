data "aws_vpc" "default" {
  default = true
}

data "aws_subnet" "default" {
  for_each = toset(["eu-central-1a", "eu-central-1b"])

  vpc_id            = data.aws_vpc.default.id
  availability_zone = each.key
  default_for_az    = true
}

locals {
  subnets = [for subnet in data.aws_subnet.default : subnet.id]
}

resource "aws_security_group" "load_balancer" {
  name        = "lms-load-balancer"
  description = "HTTPS and HTTP from the internet to the load balancer"
  vpc_id      = data.aws_vpc.default.id
}

resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  for_each = { HTTPS = 443, HTTP = 80 }

  security_group_id = aws_security_group.load_balancer.id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "backend" {
  name        = "lms-backend"
  description = "The load balancer to the back end"
  vpc_id      = data.aws_vpc.default.id
}

resource "aws_vpc_security_group_ingress_rule" "backend" {
  security_group_id            = aws_security_group.backend.id
  description                  = "back end"
  ip_protocol                  = "tcp"
  from_port                    = 4000
  to_port                      = 4000
  referenced_security_group_id = aws_security_group.load_balancer.id
}

resource "aws_vpc_security_group_egress_rule" "all" {
  for_each = {
    load_balancer = aws_security_group.load_balancer.id
    backend       = aws_security_group.backend.id
  }

  security_group_id = each.value
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
