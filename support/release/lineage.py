"""Which versions of Chroma have written a claim's data, and what a change of the version means for it; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.diagnosis.findings import Cause, Finding
from support.release import versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.kube.objects import Object, Objects

# On the claim, since both belong to the data: they outlive the release, and go with the claim.
_WRITERS: Final = "chroma-conformance/written-by"
_BACKUP: Final = "chroma-conformance/backed-up"

# Writers that are remembered, the last ones.
_MOST: Final = 10

# The option by which an operator asks for an older version all the same.
ACCEPT: Final = "--accept-downgrade"


@dataclass(frozen=True)
class Lineage:
    """The images that have written the data, the last one last, and when it was backed up last ("": never, as far as is known).

    An image is identified by its name and tag ("chroma:1.5.9").
    """

    writers: tuple[str, ...] = ()
    backup: str = ""

    @property
    def last(self) -> str | None:
        """The image that wrote last, None where nobody has yet, as far as is known."""
        return self.writers[-1] if self.writers else None

    def changes_to(self, image: str) -> bool:
        """Whether another version would take the data over."""
        return (
            self.last is not None
            and self.last != image
            and (not versions.number(image) or versions.number(image) != versions.number(self.last))
        )

    def then(self, image: str) -> Lineage:
        """Return what it is once an image has written."""
        return self if self.last == image else Lineage((*self.writers, image)[-_MOST:], self.backup)

    def forbids(self, image: str) -> Finding | None:
        """Return why an image must not take the data over: it is below the one that wrote last."""
        if not self.last or not _below(image, self.last):
            return None
        return Finding(
            Cause.OLDER,
            f"{self.last} wrote the data last, and {image} is below it: what the newer one has written it cannot read",
            advice=(
                f"apply a release of {self.last} or later, or restore a backup that {image} made into an empty claim; "
                f"{ACCEPT} tries it nevertheless, and refuses it unless all that was there answers"
            ),
        )

    def remarks(self, image: str) -> tuple[str, ...]:
        """Say what it means for the data that an image takes it over; nothing where no version changes."""
        remark = self._change(image) if self.changes_to(image) else self._stay(image)
        if not remark:
            return ()
        backup = f"it was backed up last at {self.backup}" if self.backup else "no backup of it is known"
        return (f"{remark}; {backup}: back it up first (--backup FILE)",)

    def _change(self, image: str) -> str:
        last = str(self.last)
        if _below(image, last):
            return f"the data of {last} would go back to {image}, which cannot read what the newer one has written"
        if not _below(last, image):
            return (
                f"the data of {last} goes to {image}, and one of them says no version: nobody can tell whether that can be "
                "undone"
            )
        remark = (
            f"the data of {last} goes to {image}, which changes it as it starts: that cannot be undone, since going back is "
            "refused"
        )
        if image in self.writers:
            remark += (
                f"; {image} has had it before and was refused, and may not read what {last} has written since"
            )
        return remark

    def _stay(self, image: str) -> str:
        newer = [one for one in self.writers if _below(image, one)]
        return (
            f"{newer[-1]} has had this data, and may not read what {image} has written since" if newer else ""
        )


def of_claim(claim: Object | None, former: Objects) -> Lineage:
    """Return who wrote the data of a claim; where it does not say, what the release before it ran."""
    annotations = (claim or {}).get("metadata", {}).get("annotations") or {}
    writers = _read(annotations.get(_WRITERS, ""))
    if claim and not writers:
        writers = tuple(filter(None, [image_of(former)]))
    return Lineage(writers, str(annotations.get(_BACKUP, "")))


def annotation(lineage: Lineage) -> Object:
    """Return the merge patch by which a claim says who wrote its data, and when that was backed up."""
    written = json.dumps(lineage.writers) if lineage.writers else None
    return {"metadata": {"annotations": {_WRITERS: written, _BACKUP: lineage.backup or None}}}


def image_of(objects: Objects) -> str | None:
    """Return name and tag of the image by which a release's objects run Chroma, None where they run none."""
    for obj in objects:
        if obj["kind"] == "StatefulSet":
            return next(
                (
                    short(container["image"])
                    for container in obj["spec"]["template"]["spec"]["containers"]
                    if container["name"] == "chroma"
                ),
                None,
            )
    return None


def short(image: str) -> str:
    """Return an image's name and tag without its registry."""
    return image.rpartition("/")[2]


def _read(text: str) -> tuple[str, ...]:
    try:
        read = json.loads(text or "[]")
    except ValueError:  # somebody else has written it
        return ()
    return tuple(map(str, read)) if isinstance(read, list) else ()


def _below(image: str, other: str) -> bool:
    """Whether an image's version is known to be below another's."""
    numbers: Sequence[versions.Number | None] = (versions.number(image), versions.number(other))
    return numbers[0] is not None and numbers[1] is not None and numbers[0] < numbers[1]
