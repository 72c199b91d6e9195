"""The options that the suite adds to the command line, each with a line that says what it does."""

from typing import Final

import pytest

from support.reporting.scenario import LEVELS

PROVIDERS: Final = ("auto", "embedded", "external")
# As the tags of pytest.ini name them.
CAPABILITIES: Final = (
    "ingress",
    "networkpolicy",
    "volume-expansion",
    "storage-limit",
    "disposable",
    "exec",
    "other-releases",
)
ROLL_BACKS: Final = ("never", "on-failure", "always")
# What may be asked for instead of a run of the features; support/commands says what each does.
COMMANDS: Final[tuple[str, ...]] = ("plan", "backup", "restore", "status", "notes", "sweep")


def add_options(parser: pytest.Parser) -> None:
    """Declare the options; each says in a line what it does."""
    add = parser.getgroup("chroma-conformance", "chroma-conformance").addoption
    add(
        "--provider",
        choices=PROVIDERS,
        default="auto",
        help="where the cluster comes from; auto: external when --kubeconfig is given, else embedded",
    )
    add("--kubeconfig", metavar="FILE", help="the kubeconfig of an existing cluster to run on")
    add("--context", metavar="NAME", help="the context of that kubeconfig (default: its current one)")
    add(
        "--inventory",
        metavar="FILE",
        help="YAML file that says what the platform gives; variables override it, such as DOMAIN_NAME; "
        "ADMIN_PASSWORD, the token, comes from the environment alone",
    )
    add(
        "--release",
        metavar="NAME",
        default="gateway",
        help="the release under test, a file of manifests/releases (default: gateway)",
    )
    add(
        "--accept-insecure",
        action="store_true",
        help="deploy a release even if anybody may use it; the run fails nevertheless",
    )
    add(
        "--accept-downgrade",
        action="store_true",
        help="try a release even if its version is below the one that wrote the data last; it must hold all that was there",
    )
    add(
        "--fault",
        metavar="NAME|PATH",
        help="spoil the release with a fault, a file of manifests/faults or any other; the run must fail",
    )
    add(
        "--roll-back",
        choices=ROLL_BACKS,
        help="when to roll the release back at the end (default: always on an embedded cluster, never on an external one)",
    )
    add("--remove-data", action="store_true", help="let rolling back remove the data, too")
    add(
        "--patience",
        metavar="FACTOR",
        type=float,
        default=1.0,
        help="stretch every deadline by this factor (default: 1)",
    )
    add("--scenario", metavar="TITLE", help="run the scenarios of this title alone")
    add(
        "--require",
        metavar="LEVEL",
        choices=LEVELS,
        help="end with 5 unless every scenario of this level (core, extended) ran, and of those before it",
    )
    add(
        "--without",
        metavar="NAME",
        action="append",
        choices=CAPABILITIES,
        default=[],
        help="a capability that may be missing where a level is required; repeatable",
    )
    add(
        "--capability",
        metavar="NAME",
        action="append",
        choices=CAPABILITIES,
        default=[],
        help=f"what an external cluster can do that cannot be found by asking it: {', '.join(CAPABILITIES)}; repeatable",
    )
    add(
        "--plan",
        action="store_const",
        const="",
        help="instead of running features: say what an apply of the release would create, change or leave; changes nothing, "
        "and ends with 0 unless that would be refused",
    )
    add(
        "--backup",
        metavar="FILE",
        help="instead of running features: quiesce the release, copy its data to a new file, and bring it back",
    )
    add(
        "--restore",
        metavar="FILE",
        help="instead of running features: bring data back from a file into an empty claim, and apply the release",
    )
    add(
        "--status",
        metavar="FORM",
        nargs="?",
        const="text",
        choices=("text", "json"),
        help="instead of running features: say how the release is, as text (the default) or json; ends with 0 when it is live",
    )
    add(
        "--notes",
        action="store_const",
        const="",
        help="instead of running features: say how the live release is used: addresses, token, and an example for bash and Python",
    )
    add(
        "--sweep",
        action="store_const",
        const="",
        help="instead of running features: remove what runs have left on the cluster that were killed, and only that",
    )
    add("--report-dir", metavar="DIR", help="where reports and evidence go (default: reports)")
