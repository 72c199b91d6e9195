"""The options that the suite adds to the command line, each with a line that says what it does."""

from collections.abc import Sequence
from typing import Final

import pytest

from support.release.catalogue import names
from support.release.place import USUAL_NAMESPACE
from support.release.release import USUAL
from support.reporting.scenario import DISRUPTIVE, LEVELS

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
# In which a command says what it found.
FORMS: Final = ("text", "json", "watch")
ROLL_BACKS: Final = ("never", "on-failure", "always")
# What may be asked for instead of a run of the features; support/commands says what each does.
COMMANDS: Final[tuple[str, ...]] = (
    "plan",
    "apply",
    "remove",
    "history",
    "back_to",
    "backup",
    "restore",
    "status",
    "notes",
    "sweep",
)


def is_command_asked(parser: pytest.Parser, args: Sequence[str]) -> bool:
    """Whether these arguments ask for a command, as far as the options that are declared so far tell."""
    try:
        known = parser.parse_known_args(args)
    except pytest.UsageError:  # said again when all are parsed
        return False
    return any(getattr(known, name) is not None for name in COMMANDS)


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
        metavar="NAME|PATH",
        help=f"the release: a name ({', '.join(names())}; default: {USUAL}), or a YAML file of your own (docs/releases.md)",
    )
    add(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="changes",
        help="change one thing of the release, such as chroma.memory=3Gi or claim.size=20Gi; repeatable",
    )
    add(
        "--namespace",
        metavar="NAME",
        default=USUAL_NAMESPACE,
        help=f"the namespace of the release, which its host is named after as well (default: {USUAL_NAMESPACE})",
    )
    add(
        "--host",
        metavar="NAME",
        help="the host name that leads to the release (default: the one it has; at first NAMESPACE.DOMAIN)",
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
    add(
        "--apply-changes",
        action="store_true",
        help="let a run of features change a release that lives already, where it is another than the one under test",
    )
    add("--remove-data", action="store_true", help="let --remove, or rolling back, remove the data, too")
    add(
        "--patience",
        metavar="FACTOR",
        type=float,
        default=1.0,
        help="stretch every deadline by this factor (default: 1)",
    )
    add(
        "--time-limit",
        metavar="SECONDS",
        type=float,
        help="end the run after so many seconds as SIGTERM does: it cleans up, says that it has not finished, and ends with 2",
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
        choices=(*CAPABILITIES, DISRUPTIVE),
        default=[],
        help="a capability that may be missing where a level is required; "
        f"{DISRUPTIVE}: skip scenarios that interrupt the live release, and do not require them; repeatable",
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
        "--apply",
        action="store_const",
        const="",
        help="instead of running features: deploy the release and prove it live; says first what changes, and asks before users "
        "would notice",
    )
    add(
        "--remove",
        action="store_const",
        const="",
        help="instead of running features: take the release away; its claim and data stay unless --remove-data is given",
    )
    add(
        "--history",
        metavar="FORM",
        nargs="?",
        const="text",
        choices=FORMS,
        help="instead of running features: say which revisions were live here, as text (the default) or json",
    )
    add(
        "--back-to",
        metavar="N",
        help="instead of running features: apply revision N of the history again, as --apply does",
    )
    add(
        "--yes",
        action="store_true",
        help="consent to what a command asks before: that the pod is replaced, the token changes, a limit falls, data goes",
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
        choices=FORMS,
        help="instead of running features: say how the release is, as text (the default) or json, or again at each change until Ctrl-C (watch); ends with 0 when it is live",
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
