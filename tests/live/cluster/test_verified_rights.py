"""Who verifies a release has the rights of the mode: they suffice, each is needed, and nothing of others is touched.

One run of all features for each mode, and what the API server's audit log says of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from cluster.accounts import admit
from cluster.layout import Layout
from cluster.provider import Account
from support.platform import audit, rights

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.cluster.site import Site

# Rights that such a run does not use while all is well, and why each is there.
UNSEEN: Final = {
    r"list of (events|endpointslices\.discovery\.k8s\.io) in chroma": "what is recorded of a failure",
    r"get of pods/log in chroma": "likewise",
    r"get of pods in chroma-conformance": "said of a vantage that does not answer",
    r"get of httproutes\.gateway\.networking\.k8s\.io in chroma": "where a route exposes the release",
    r"create of pods/portforward in chroma-conformance": "Kubernetes asks for it since 1.35",
    r"(create|patch) of configmaps in chroma-conformance": "the report of a Job: tests/live/jobs",
}
# Where the vantage lies, by mode.
VANTAGE: Final = {"verify": rights.HOME, "read-only": "none"}


@pytest.mark.parametrize("mode", VANTAGE)
def test_a_run_has_the_rights_that_it_needs_and_touches_nothing_of_others(
    mode: str, live_site: Site, tmp_path: Path
) -> None:
    stated: dict[str, Any] = yaml.safe_load(live_site.inventory.read_text())
    objects = rights.manifests(mode, rights.scope_of("chroma", stated))
    kubeconfig = tmp_path / "kubeconfig"
    admit(live_site.kubeconfig, Account(rights.HOME, mode, objects), kubeconfig)
    options = (f"--{mode}", "--vantage-namespace", VANTAGE[mode])
    code, said = live_site.ask(kubeconfig, tmp_path / "reports", *options, patience=1200)
    assert code == 0, said
    log = Layout(live_site.kubeconfig.parent).audit_log
    granted, used = rights.grants(objects), list(audit.uses(log, rights.user(mode)))
    assert used, f"nothing is said of {mode} in {log}"
    assert not [*map(str, audit.beyond(granted, used))]
    assert not [str(one) for one in used if one.refused]
    assert not [*map(str, audit.intrusions(used, rights.HOME.__eq__))]
    unused = map(str, audit.unused(granted, used))
    assert not [one for one in unused if not any(re.fullmatch(known, one) for known in UNSEEN)]
