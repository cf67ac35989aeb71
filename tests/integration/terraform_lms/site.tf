locals {
  site  = "lms.example.org"
  files = "${path.module}/files/front-end"

  content_types = {
    html = "text/html; charset=utf-8"
    css  = "text/css; charset=utf-8"
    js   = "text/javascript; charset=utf-8"
    svg  = "image/svg+xml"
    txt  = "text/plain; charset=utf-8"
  }
}

resource "aws_s3_bucket" "site" {
  bucket = local.site
}

resource "aws_s3_bucket_ownership_controls" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "site" {
  bucket = aws_s3_bucket.site.id

  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = false
  restrict_public_buckets = false
}

resource "aws_s3_bucket_website_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  index_document {
    suffix = "index.html"
  }

  error_document {
    key = "404.html"
  }

  routing_rule {
    condition {
      key_prefix_equals = "class/"
    }

    redirect {
      replace_key_prefix_with = "courses/"
    }
  }
}

resource "aws_s3_bucket_policy" "site" {
  bucket = aws_s3_bucket.site.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PublicRead"
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.site.arn}/*"
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.site]
}

resource "aws_s3_object" "site" {
  for_each = fileset(local.files, "**")

  bucket       = aws_s3_bucket.site.id
  key          = each.value
  source       = "${local.files}/${each.value}"
  source_hash  = filemd5("${local.files}/${each.value}")
  content_type = local.content_types[reverse(split(".", each.value))[0]]
  cache_control = (
    startswith(each.value, "assets/") ? "public, max-age=31536000, immutable" :
    endswith(each.value, ".html") ? "no-cache" : "public, max-age=3600"
  )

  # Ten tags are all that an object may have, and these are files.
  override_provider {
    default_tags {
      tags = {}
    }
  }
}

resource "aws_s3_bucket" "www" {
  bucket = "www.${local.site}"
}

resource "aws_s3_bucket_ownership_controls" "www" {
  bucket = aws_s3_bucket.www.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "www" {
  bucket = aws_s3_bucket.www.id

  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_website_configuration" "www" {
  bucket = aws_s3_bucket.www.id

  redirect_all_requests_to {
    host_name = local.site
    protocol  = "http"
  }
}

resource "aws_route53_record" "site" {
  for_each = {
    (local.site)        = aws_s3_bucket.site.hosted_zone_id
    "www.${local.site}" = aws_s3_bucket.www.hosted_zone_id
  }

  zone_id = aws_route53_zone.main.zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = "s3-website.eu-central-1.amazonaws.com"
    zone_id                = each.value
    evaluate_target_health = false
  }
}
