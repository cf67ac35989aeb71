# The environment of inventories/lms, as a team that works with Terraform would have written it.
terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = {
      Project   = "lms"
      ManagedBy = "terraform"
    }
  }
}

locals {
  cluster = "lms-cluster"
  service = "lms-backend"
}

data "aws_caller_identity" "current" {}
