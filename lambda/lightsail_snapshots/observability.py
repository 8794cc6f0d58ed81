"""The one logger and the one metrics object of a function."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger(use_rfc3339=True)  # else Lambda takes every line for INFO: "Log-level filtering" in its guide
metrics = Metrics()
