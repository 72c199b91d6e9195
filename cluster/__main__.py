"""The embedded cluster for people: `python -m cluster setup|image|up|status|down|sweep|kubeconfig|kubectl`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from cluster.accounts import kubeconfig_of
from cluster.build.cache import Store, default_root
from cluster.build.distribution import Missing
from cluster.build.images import ensure_images
from cluster.build.progress import Timings
from cluster.build.recipes import Recipe
from cluster.embedded import EmbeddedProvider, access
from cluster.errors import ClusterError
from cluster.host.cgroups import Cgroups
from cluster.runs import Living, Runs
from cluster.sweep import sweep

if TYPE_CHECKING:
    from cluster.access import Access

_END_PATIENCE = 30.0
# Of the checkout in which people work.
_USUAL_RECIPES = Path("manifests/images")
# Exit code of `setup`: what an image is made of cannot be had on this machine. Another try changes nothing.
_CANNOT_BE_HAD = 3


def main() -> int:
    """Run one command; gives the exit code."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.command(arguments) or 0)
    except ClusterError as error:
        _report_progress(f"error: {error}")
        return _CANNOT_BE_HAD if isinstance(error, Missing) else 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: object, about: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=about, description=about)
        one.set_defaults(command=function)
        return one

    def recipes(one: argparse.ArgumentParser) -> None:
        about = (
            "recipes of further images for the cluster's registry (default: manifests/images, where that is)"
        )
        usual = _USUAL_RECIPES if _USUAL_RECIPES.is_dir() else None
        one.add_argument("--recipes", type=_recipes_in, metavar="DIR", help=about, default=usual)

    setup = command("setup", _setup, "install, build and cache everything that a cluster needs")

    def images(one: argparse.ArgumentParser) -> None:
        about = (
            f"an image that is built on request only; exits with {_CANNOT_BE_HAD} where this machine cannot have it; "
            "repeatable"
        )
        one.add_argument(
            "--image", dest="images", action="append", default=[], metavar="NAME:TAG", help=about
        )

    recipes(setup)
    images(setup)
    image = command(
        "image",
        _image,
        "build one image, and print the directory of its OCI layout, to be copied to a registry",
    )
    recipes(image)
    image.add_argument("images", nargs=1, metavar="NAME:TAG", help="the image, such as chroma:1.5.9")
    up = command("up", _up, "boot a cluster that stays until `down`")
    up.add_argument("name", nargs="?", default="main", help="name of the cluster (main)")
    recipes(up)
    images(up)
    up.add_argument(
        "--patience",
        type=_factor,
        default=1.0,
        metavar="N",
        help="stretch the boot's deadlines for a slow machine (1)",
    )
    command("status", _status, "show the clusters that are running")
    up.add_argument(
        "--gateway-api",
        action="store_true",
        help="let hosts be exposed by a Gateway, too, beside the ingress",
    )
    down = command("down", _down, "end a cluster")
    down.add_argument("name", nargs="?", help="name of the cluster; may be left out when there is one")
    command("sweep", _sweep, "remove what is left of clusters that were killed")
    kubeconfig = command(
        "kubeconfig", _kubeconfig, "print the kubeconfig of a service account on a running cluster"
    )
    kubeconfig.add_argument("account", type=_account, metavar="NAMESPACE/NAME", help="the service account")
    kubeconfig.add_argument(
        "--cluster", dest="name", help="name of the cluster; may be left out when there is one"
    )
    kubectl = command(
        "kubectl", _kubectl, "run kubectl on a running cluster: kubectl [--cluster NAME] -- ARGUMENT..."
    )
    kubectl.add_argument(
        "--cluster", dest="name", help="name of the cluster; may be left out when there is one"
    )
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of kubectl")
    return parser


def _factor(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no factor: give a number above 0, such as 5")
    return number


def _account(text: str) -> tuple[str, str]:
    namespace, _, name = text.partition("/")
    if not namespace or not name or "/" in name:
        raise argparse.ArgumentTypeError(
            f"{text!r} names no account: give NAMESPACE/NAME, such as default/default"
        )
    return namespace, name


def _recipes_in(text: str) -> Path:
    directory = Path(text)
    if not any(directory.glob("*.yaml")):
        raise argparse.ArgumentTypeError(
            f"{text} holds no recipe of an image (*.yaml): name a directory that does"
        )
    return directory


def _setup(arguments: argparse.Namespace) -> None:
    provider = EmbeddedProvider(arguments.recipes, _report_progress, images=arguments.images)
    provider.prepare()
    provider.tidy()
    if table := provider.timings.table():
        _say(table)


def _image(arguments: argparse.Namespace) -> None:
    (wanted,) = arguments.images
    recipes = sorted(arguments.recipes.glob("*.yaml")) if arguments.recipes else []
    named = [file for file in recipes if Recipe.load(file).is_named([wanted])]
    if not named:
        raise ClusterError(f"no recipe in {arguments.recipes} makes {wanted}: see `name` and `tag` in each")
    store = Store(default_root().resolve(), Timings())
    (image,) = ensure_images(store, named, {}, [wanted])
    _say(str(image.layout))


def _up(arguments: argparse.Namespace) -> None:
    provider = EmbeddedProvider(
        arguments.recipes,
        _report_progress,
        name=arguments.name,
        detached=True,
        patience=arguments.patience,
        gateway_api=arguments.gateway_api,
        images=arguments.images,
    )
    cluster = provider.create()
    values = {name: str(value) for name, value in cluster.inventory.items()}
    _inventory(cluster).write_text(yaml.safe_dump(values), encoding="utf-8")
    _show(cluster)


def _status(_: argparse.Namespace) -> int:
    living = Runs(default_root()).living()
    for cluster in living:
        memory = Cgroups(cluster.files.cgroup).memory() / 1e6
        _say(
            f"{cluster.name}: {'up' if cluster.state else 'booting'}, {memory:.0f} MB, supervisor {cluster.supervisor}"
            + (", of a run, which ends it" if cluster.is_of_run else "")
        )
        if cluster.state:
            _show(access(cluster), indent="  ")
    if not living:
        _say("no cluster is running")
    return 0 if living else 3  # as `systemctl status` answers for what is not running


def _down(arguments: argparse.Namespace) -> None:
    cluster = _chosen(arguments.name)
    began = time.monotonic()
    if not cluster.end(_END_PATIENCE):
        raise ClusterError(
            f"the cluster {cluster.name} has not ended after {_END_PATIENCE:.0f} s: kill {cluster.supervisor}"
        )
    _say(f"{cluster.name} ended in {time.monotonic() - began:.2f} s")


def _sweep(_: argparse.Namespace) -> None:
    names = sweep(default_root())
    _say(f"removed what was left of {', '.join(names)}" if names else "nothing was left of any cluster")


def _kubeconfig(arguments: argparse.Namespace) -> None:
    cluster = _chosen(arguments.name)
    _say(kubeconfig_of(cluster.files.kubeconfig, *arguments.account))


def _kubectl(arguments: argparse.Namespace) -> None:
    cluster = _chosen(arguments.name)
    words = arguments.arguments[1:] if arguments.arguments[:1] == ["--"] else arguments.arguments
    # kubectl writes its cache into the home directory unless told otherwise.
    environment = os.environ | {
        "KUBECONFIG": str(cluster.files.kubeconfig),
        "KUBECACHEDIR": str(cluster.files.run / "kubectl"),
    }
    os.execve(  # noqa: S606 - no shell is wanted
        cluster.spec.programs["kubernetes"], ["kubectl", *words], environment
    )


def _chosen(name: str | None) -> Living:
    living = Runs(default_root()).living()
    # Without a name nobody means one that a run has booted for itself, and will end.
    found = [one for one in living if one.name == name or (name is None and not one.is_of_run)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(cluster.name for cluster in living) or "none"
    raise ClusterError(
        f"there is no cluster {name}: running are {names}"
        if name
        else f"name the cluster: running are {names}"
    )


def _show(cluster: Access, indent: str = "") -> None:
    address = cluster.inventory["ingress_address"]
    lines = [
        f"export KUBECONFIG={cluster.kubeconfig}",
        f"# API server https://{address}:6443, ingress https://{address} for *.{cluster.inventory['domain_name']}",
        f"# authority of the ingress certificates: {cluster.inventory['ca_bundle']}",
    ]
    if _inventory(cluster).exists():
        lines.append(f"# what the platform gives: {_inventory(cluster)}")
        lines.append(f"# to run on it: --kubeconfig={cluster.kubeconfig} --inventory={_inventory(cluster)}")
    _say("\n".join(indent + line for line in lines))


def _inventory(cluster: Access) -> Path:
    """Where a cluster that stays keeps the values of its platform, for programs that are run on it later."""
    return cluster.kubeconfig.parent / "inventory.yaml"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _report_progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
