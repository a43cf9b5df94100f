"""Kubernetes without a container engine: servers, pods that are local processes, releases."""
