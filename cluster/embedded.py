"""The embedded provider: prepares what a cluster is made of, and starts and ends its supervisor."""

from __future__ import annotations

import io
import os
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cluster import layout
from cluster.access import Access, UsedImage
from cluster.accounts import admit
from cluster.build.ahead import images_ahead
from cluster.build.cache import Store, default_root
from cluster.build.gateway_api import ensure_definitions
from cluster.build.gateway_api import is_there as has_definitions
from cluster.build.images import Image, ensure_images
from cluster.build.packages import ensure_packages
from cluster.build.programs import ensure_programs
from cluster.build.progress import Timings
from cluster.build.seed import ensure_seed
from cluster.errors import ClusterError
from cluster.host import preflight
from cluster.node.milestones import follow
from cluster.runs import Living, Runs
from cluster.spec import Pushed, Spec
from cluster.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cluster.access import Account
    from cluster.build.programs import Programs

_SYSTEM_RECIPES = Path(__file__).parent / "build" / "images"
_CHECKOUT = Path(__file__).resolve().parent.parent
# The vantage image is for the cluster's users, who pull it; the others are the node's own.
_VANTAGE = "probe"
_CAPABILITIES = frozenset(
    {
        "kubernetes",
        "vantage",
        "ingress",
        "networkpolicy",
        "volume-expansion",
        "storage-limit",
        "disposable",
        "exec",
        "other-releases",
    }
)
# An end takes 0.2 s; on a machine that swaps or writes back gigabytes, longer.
_END_PATIENCE = 30.0


class EmbeddedProvider:
    """A cluster that is booted here and thrown away.

    Detached, it outlives this process, as `python -m cluster up` wants it; otherwise it ends with it,
    however that ends. With `gateway_api` hosts may be exposed by a Gateway, too, beside the ingress.
    """

    def __init__(
        self,
        recipes: Path | None,
        progress: Callable[[str], None],
        *,
        name: str | None = None,
        detached: bool = False,
        patience: float = 1.0,
        images: Collection[str] = (),
        gateway_api: bool = False,
        account: Account | None = None,
    ) -> None:
        self._recipes = recipes
        self._account = account
        self._images = images
        self._gateway_api = gateway_api
        self._progress = progress
        self._name = name or f"run-{secrets.token_hex(3)}"
        self._detached = detached
        self._patience = patience
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self._report: IO[str] = io.StringIO()
        self.timings = Timings(_Lines(progress))
        """How long each part of the preparation took that was not in the cache."""

    def prepare(self) -> Spec:
        """Make everything that a cluster needs and that lasts, as far as it is not there; raises ClusterError."""
        preflight.check_rights()
        ensure_packages(self.timings)
        store = Store(default_root().resolve(), self.timings)
        preflight.check_machine(store.root)
        system_recipes = sorted(_SYSTEM_RECIPES.glob("*.yaml"))
        own = sorted(self._recipes.glob("*.yaml")) if self._recipes else []
        beside = images_ahead([*own, *system_recipes], self._images)
        programs = ensure_programs(store, self.timings, beside)
        files = {name: getattr(programs, name) for name in ("coredns", "pause", "probe")}
        system = ensure_images(store, system_recipes, files)
        pushed = ensure_images(store, own, files, self._images)
        seed = ensure_seed(store, system)
        # What is there is held in any case, so that `tidy` leaves it alone.
        held = ensure_definitions(store) if self._gateway_api or has_definitions(store) else None
        self._store = store  # what it has given out stays in the cache as long as it lives
        return _spec(
            self._name,
            store.root,
            programs=programs,
            seed=seed,
            system=system,
            pushed=pushed,
            gateway_api=str(held) if self._gateway_api else "",
            of_run=not self._detached,
            patience=self._patience,
        )

    def tidy(self) -> None:
        """Remove from the cache what neither this preparation nor a running cluster needs any more."""
        self._store.prune()

    def create(self) -> Access:
        """Boot a cluster; raises ClusterError, and then leaves nothing behind."""
        spec = self.prepare()
        sweep(Path(spec.store))
        try:
            self._launch(spec)
            for milestone in follow(self._report):
                self._progress(f"{milestone.title}: {milestone.seconds:.2f} s")
            found = self._admitted(
                next(one for one in Runs(Path(spec.store)).living() if one.name == spec.name)
            )
            if self._detached:
                os.write(self._lifeline, b"x")
        except BaseException:
            if self._end() is not None:
                self._report.close()
            raise
        return found

    def delete(self) -> None:
        """End the cluster and wait until nothing of it is left.

        Raises ClusterError when something is, or when the cluster had ended by itself before.
        """
        code = self._end()
        if code is None:
            return
        with self._report:
            if code:
                for _ in follow(self._report):  # which raises what the supervisor said
                    pass

    def _admitted(self, cluster: Living) -> Access:
        """Describe the cluster as the account that was asked for uses it; without one, as its administrator."""
        found = access(cluster)
        if self._account is None:
            return found
        began = time.monotonic()
        kubeconfig = cluster.files.account_kubeconfig
        admit(found.kubeconfig, self._account, kubeconfig)
        self._progress(f"account {self._account.name} admitted: {time.monotonic() - began:.2f} s")
        return replace(found, kubeconfig=kubeconfig)

    def _launch(self, spec: Spec) -> None:
        reading, writing = os.pipe()
        self._report = os.fdopen(reading)
        theirs, self._lifeline = os.pipe()
        try:
            with tempfile.TemporaryFile("w+") as order:
                order.write(spec.dump())
                order.seek(0)
                self._supervisor = subprocess.Popen(
                    [sys.executable, "-m", "cluster.supervisor", str(writing), str(theirs)],
                    stdin=order,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={"PATH": os.defpath, "PYTHONPATH": str(_CHECKOUT), "LC_ALL": "C.UTF-8"},
                    pass_fds=(writing, theirs),
                    # An interrupt at the terminal is for the caller, who ends the cluster when he is done.
                    start_new_session=True,
                )
        finally:
            for descriptor in (writing, theirs):
                os.close(descriptor)

    def _end(self) -> int | None:
        """Let the supervisor end the cluster; gives its exit code, None when there was none."""
        if self._supervisor is None:
            return None
        os.close(self._lifeline)
        self._supervisor.terminate()  # for a detached one; another has begun to end
        try:
            code = self._supervisor.wait(_END_PATIENCE * self._patience)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            code = self._supervisor.wait()
        finally:
            self._supervisor = None
        if code < 0:  # killed, and so without a clean-up
            sweep(default_root())
        return code


def access(cluster: Living) -> Access:
    """Describe a living cluster that is up for its users; raises ClusterError while it boots."""
    state = cluster.state
    if state is None:
        raise ClusterError(f"the cluster {cluster.name} is still booting")
    files = cluster.files
    return Access(
        name=cluster.name,
        kubeconfig=files.kubeconfig,
        context=cluster.name,
        capabilities=_CAPABILITIES | ({"gateway-api"} if cluster.spec.gateway_api else set()),
        inventory={
            "domain_name": layout.DOMAIN,
            "admin_username": "tkadmin",
            "primary_ingress_class": layout.INGRESS_CLASS,
            "storage_class_name": layout.STORAGE_CLASS,
            "harbor_registry": layout.REGISTRY,
            "library_project": layout.LIBRARY,
            "ingress_address": state["address"],
            "ca_bundle": files.ca_bundle,
            "vantage_image": state["vantage_image"],
        },
        timings=tuple((title, seconds) for title, seconds in state["milestones"]),
        images=tuple(cluster.spec.made),
        platform_kubeconfig=files.kubeconfig,
        audit_log=files.audit_log,
    )


def _spec(
    name: str,
    root: Path,
    *,
    programs: Programs,
    seed: Path,
    system: list[Image],
    pushed: list[Image],
    gateway_api: str,
    of_run: bool,
    patience: float,
) -> Spec:
    vantage = next(image for image in system if image.name == _VANTAGE)
    named = [(f"{layout.LIBRARY}/{vantage.name}", vantage), *((image.name, image) for image in pushed)]
    return Spec(
        name=name,
        store=str(root),
        programs={one: str(getattr(programs, one)) for one in ("kubernetes", "etcd", "netpol", "registry")},
        seed=str(seed),
        images={image.name: image.local_name for image in system},
        pushed=[
            Pushed(str(image.layout), repository, tag, image.digest)
            for repository, image in named
            for tag in (image.tag, *image.aliases)
        ],
        vantage_image=f"{layout.REGISTRY}/{layout.LIBRARY}/{vantage.name}:{vantage.tag}",
        patience=patience,
        began=time.monotonic(),
        gateway_api=gateway_api,
        of_run=of_run,
        made=[
            UsedImage(f"{image.name}:{image.tag}", image.digest, tuple(image.differences))
            for image in (*system, *pushed)
        ],
    )


class _Lines(io.StringIO):
    """A text stream whose complete lines go to a function."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__()
        self._hear = hear
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._hear(line)
        return len(text)
