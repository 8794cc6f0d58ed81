"""Texts of plans.toml files for which the stack is synthesized."""

TWO_REGIONS = """
regions = ["eu-central-1", "us-east-1"]
"""

WITH_COPIES = """
regions = ["eu-central-1", "us-west-2"]

[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = { all = true }
keep     = { last = 7 }
copy_to  = ["eu-west-1", "us-east-1"]
"""

EVERYTHING = """
chat = { webhook_parameter = "/lightsail-snapshots/chat" }
allow_accounts = ["111122223333", "444455556666"]
create_concurrency = 7

[plans.daily]
schedule = "cron(30 2 * * ? *)"
timezone = "Europe/Berlin"
flexible_window = 15
select   = { tags = { backup = "daily" }, exclude = ["scratch-*"] }
keep     = { last = 7 }
regions  = ["eu-central-1", "us-east-1"]
copy_to  = ["eu-west-1"]
tags     = { "cost center" = "web @ co", team = "+-=._:/@" }

[plans.before-deploy]
on       = { source = ["aws.codepipeline"], detail = { state = ["STARTED"], "$or" = [{ a = [1] }, { b = [true] }] } }
select   = { names = ["shop-*"] }
keep_for = "P14D"

[plans."Both.ways_1"]
schedule = "rate(12 hours)"
on       = { source = ["my.ci"], detail-type = [{ prefix = "Release" }] }
select   = { all = true }
keep     = { last = 2 }
"""

WITH_DRILL = """
regions = ["eu-central-1"]

[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = { all = true }
keep     = { last = 7 }
copy_to  = ["eu-west-1"]
timezone = "Europe/Berlin"

[plans.daily.drill]
schedule = "cron(0 5 ? * SUN *)"
max_age  = "35d"
probe    = { port = 443, host = "shop.example.com", path = "/health" }
"""
