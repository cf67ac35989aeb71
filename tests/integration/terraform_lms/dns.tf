resource "aws_route53_zone" "main" {
  name    = "lms.example.org"
  comment = "The learning platform"
}

resource "aws_route53_zone" "other" {
  name    = "lms.example.net"
  comment = "The learning platform under its other name"
}

locals {
  zones = {
    "api.lms.example.org" = aws_route53_zone.main.zone_id
    "api.lms.example.net" = aws_route53_zone.other.zone_id
  }
}

resource "aws_acm_certificate" "backend" {
  domain_name               = "api.lms.example.org"
  subject_alternative_names = ["api.lms.example.net"]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = { for option in aws_acm_certificate.backend.domain_validation_options : option.domain_name => option }

  zone_id = local.zones[each.key]
  name    = each.value.resource_record_name
  type    = each.value.resource_record_type
  records = [each.value.resource_record_value]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "backend" {
  certificate_arn         = aws_acm_certificate.backend.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "backend" {
  for_each = local.zones

  zone_id = each.value
  name    = each.key
  type    = "A"

  alias {
    name                   = aws_lb.lms.dns_name
    zone_id                = aws_lb.lms.zone_id
    evaluate_target_health = false
  }
}
