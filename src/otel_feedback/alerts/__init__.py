"""Alerts without Prometheus: what is wrong, told to a webhook once when it begins and once when it ends."""
