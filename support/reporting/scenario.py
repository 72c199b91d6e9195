"""What a report knows of the scenario it is about, wherever the scenario ran."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LEVELS: Final = ("core", "extended")
# A tag of this form names a capability of the cluster without which the scenario cannot run.
NEEDS: Final = "needs-"
# The tag of scenarios that interrupt the live release.
DISRUPTIVE: Final = "disruptive"
# What a run has not that is about an address, or about what something else deployed.
KUBERNETES: Final = "kubernetes"
# What a run has not that sees nothing from inside the cluster.
VANTAGE: Final = "vantage"
# What a run may do by its mode. Who may deploy may write as well, so that a scenario carries one of the two.
DEPLOYING: Final = "deploying"
WRITING: Final = "writing"
# What a scenario lacks that did not fit into the budget of the run.
BUDGET: Final = "budget"
MODE_CAPABILITIES: Final = (DEPLOYING, WRITING)


@dataclass(frozen=True)
class Scenario:
    """One scenario, or one example of an outline."""

    file: str  # from the checkout's root, with slashes
    line: int
    feature: str
    rule: str  # empty where the scenario stands under no rule
    name: str  # with the example's values filled in
    tags: tuple[str, ...]  # its own and those of its rule and feature, sorted

    @property
    def place(self) -> str:
        """Where it stands, as editors understand it."""
        return f"{self.file}:{self.line}"

    @property
    def level(self) -> str:
        """The level it counts for; a scenario of no declared level counts as core, so that none is lost."""
        return next((level for level in LEVELS if level in self.tags), "core")

    @property
    def needs(self) -> tuple[str, ...]:
        """The capabilities that it cannot do without; that the live release may be interrupted is one of them."""
        return tuple(
            tag.removeprefix(NEEDS) for tag in self.tags if tag.startswith(NEEDS) or tag == DISRUPTIVE
        )

    def properties(self) -> list[tuple[str, object]]:
        """Return it as properties of a pytest item: they reach every report of it, also through xdist."""
        return [
            ("file", self.place),
            ("feature", self.feature),
            ("rule", self.rule),
            ("scenario", self.name),
            ("tags", " ".join(self.tags)),
        ]

    @classmethod
    def among(cls, properties: Iterable[tuple[str, object]]) -> "Scenario | None":
        """Find it among the properties of a report; None for a report of an ordinary test."""
        found = {name: str(value) for name, value in properties}
        if "scenario" not in found:
            return None
        file, _, line = found["file"].rpartition(":")
        return cls(
            file, int(line), found["feature"], found["rule"], found["scenario"], tuple(found["tags"].split())
        )
