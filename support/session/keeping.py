"""Keeps the report of a run on the cluster as well, where that is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from apiserver import in_cluster
from apiserver.errors import UnusableError
from support.core.errors import SuiteError
from support.core.restraint import restraint
from support.jobs.kept import configmap
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.kube.resources import path_of

if TYPE_CHECKING:
    from support.session.options import Options


def keep_report(options: Options) -> str:
    """Write the report into the ConfigMap that the options name; return what keeps it from that, "" where nothing does."""
    name, environ = options.report_configmap or "", os.environ
    namespace = in_cluster.home()
    # A pod of a Job is told whose it is (manifests/suite/job.yaml.j2).
    owner = (
        {"name": environ["JOB_NAME"], "uid": environ["JOB_UID"]}
        if environ.get("JOB_NAME") and environ.get("JOB_UID")
        else {}
    )
    assert options.kubeconfig  # `complaints` demands it
    try:
        kept = configmap(options.report_dir, name, namespace, owner)
        # Asked for by its name, also where nothing else may be changed.
        restraint().keep(path_of(kept))
        Kube(options.kubeconfig, options.context).apply(kept)
    except (ApiError, SuiteError, UnusableError, OSError) as error:
        why = error.message if isinstance(error, ApiError) else str(error)
        return f"--report-configmap {name}: the report is not kept in {namespace}: {why}"
    return ""
