"""Reads plans.toml, for infra and the command line. It never ships in the Lambda asset."""
