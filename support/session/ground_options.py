"""The options about a Chroma that the suite has not deployed: by its address, or as a file describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.core.component import DEFAULT_DATABASE, TENANT
from support.network.way import is_address
from support.platform.rights import USUAL_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.session.options import Options

# Where the run is about an address, which no provider gives.
ENDPOINT: Final = "endpoint"


def about_grounds(add: Callable[..., Any]) -> None:
    """Declare them."""
    add(
        "--endpoint",
        metavar="URL",
        help="try a Chroma that is there, by its address, such as http://localhost:8000, without any cluster (docs/endpoint.md); "
        "its token comes from CHROMA_TOKEN, and the token's header, unless it is x-chroma-token, from CHROMA_TOKEN_HEADER",
    )
    add(
        "--target",
        metavar="FILE",
        help="try a Chroma on a cluster that something else deployed, as a YAML file describes it (docs/targets.md); "
        "nothing of it is changed",
    )
    add(
        "--tenant",
        metavar="NAME",
        default=TENANT,
        help=f"the tenant at that address in which the run makes its databases (default: {TENANT})",
    )
    add(
        "--database",
        metavar="NAME",
        default=DEFAULT_DATABASE,
        help=f"the tenant's database in which callers ask for collections (default: {DEFAULT_DATABASE})",
    )


def complaints_about_endpoint(options: Options) -> list[str]:
    """Name what is wrong with an address, and the options beside it that are about a cluster or a deployment."""
    wrong = []
    if not is_address(options.endpoint or ""):
        wrong.append(
            f"--endpoint {options.endpoint}: give the scheme, the host and, if need be, the port alone, "
            "such as http://localhost:8000"
        )
    others = {
        "--provider": options.provider != ENDPOINT,
        "--kubeconfig": options.kubeconfig,
        "--context": options.context,
        "--inventory": options.inventory,
        "--target": options.target,
        "--release": options.release,
        "--set": options.changes,
        "--namespace": options.namespace != USUAL_NAMESPACE,
        "--host": options.host,
        "--fault": options.fault,
        "--accept-insecure": options.accept_insecure,
        "--accept-downgrade": options.accept_downgrade,
        "--apply-changes": options.apply_changes,
        "--remove-data": options.remove_data,
        "--roll-back": options.roll_back != "never",
    }
    if given := _named(others):
        wrong.append(f"--endpoint deploys nothing and asks no cluster: leave out {given}")
    if options.command:
        asked = f"--{options.command.replace('_', '-')}"
        wrong.append(f"{asked} is about a release on a cluster: leave out --endpoint")
    return wrong


def complaints_about_target(options: Options) -> list[str]:
    """Name what is wrong with a target, and the options beside it that are about a release, or stand in its file."""
    wrong = []
    if options.target and not options.target.is_file():
        wrong.append(f"--target {options.target}: no such file; give a YAML file as docs/targets.md shows it")
    others = {
        "--namespace": options.namespace != USUAL_NAMESPACE,
        "--tenant": options.tenant != TENANT,
        "--database": options.database != DEFAULT_DATABASE,
    }
    if given := _named(others):
        wrong.append(f"--target says in its file where it is: leave out {given}")
    if options.accept_insecure:
        wrong.append(
            "--target deploys nothing: leave out --accept-insecure; --without authentication concedes that it is open"
        )
    return wrong


def _named(others: Mapping[str, object]) -> str:
    return ", ".join(name for name, is_given in others.items() if is_given)
