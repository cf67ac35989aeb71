resource "aws_ecs_cluster" "art" {
  name = local.cluster

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "art" {
  cluster_name       = aws_ecs_cluster.art.name
  capacity_providers = [aws_ecs_capacity_provider.container_instances.name]

  default_capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.container_instances.name
    weight            = 1
  }
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/ecs/${local.service}"
  retention_in_days = 30
}

resource "aws_ecs_task_definition" "service" {
  family                   = local.service
  network_mode             = "bridge"
  requires_compatibilities = ["EC2"]
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = file("${path.module}/task-definitions/${local.service}.json")

  depends_on = [aws_cloudwatch_log_group.service]
}

resource "aws_ecs_service" "service" {
  name                               = "art-service-sourcing-data-ecs-service"
  cluster                            = aws_ecs_cluster.art.id
  task_definition                    = aws_ecs_task_definition.service.arn
  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 60

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.container_instances.name
    weight            = 1
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.service.arn
    container_name   = "sourcing-data-service"
    container_port   = 8082
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # The pipeline deploys new images.
  lifecycle {
    ignore_changes = [task_definition]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.art, aws_lb_listener_rule.service]
}

output "service" {
  value = aws_ecs_service.service.name
}
