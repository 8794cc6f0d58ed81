"""The only place that touches the AWS SDK."""
