resource "aws_lb" "lms" {
  name                       = "lms-load-balancer"
  load_balancer_type         = "application"
  subnets                    = local.subnets
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "backend" {
  name                 = "lms-backend"
  vpc_id               = data.aws_vpc.default.id
  port                 = 4000
  protocol             = "HTTP"
  target_type          = "ip"
  deregistration_delay = 30

  health_check {
    path    = "/health"
    matcher = "200"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.lms.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.backend.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.backend.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.lms.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
