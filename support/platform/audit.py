"""What an account asked of a cluster, as the API server's audit log tells, beside what its rights grant; pure but for one file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from support.platform.rights import Grant

# What the API server grants to everybody whom it knows (system:basic-user, system:discovery), and nothing is told by it but
# what it serves, and what the asker may do.
_OF_EVERYBODY: Final = frozenset({"authentication.k8s.io", "authorization.k8s.io"})
# Answers to a request that was made, not only asked for.
_CREATED: Final = 201
_FORBIDDEN: Final = 403
# Requests that change nothing, whatever they ask for.
READS: Final = frozenset({"get", "list", "watch"})
# What is a `get` as well where a connection is upgraded, and runs something in a pod.
UPGRADED: Final = frozenset({"pods/exec", "pods/attach", "pods/portforward"})


@dataclass(frozen=True)
class Use:
    """What was asked: a verb on a resource ("pods/log") of a group; `namespace` and `name` are "" where none was named.

    `dry`: nothing was to come of it. `refused`: for want of a right.
    """

    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    dry: bool = False
    refused: bool = False

    @property
    def writes(self) -> bool:
        """Whether it changes an object, or runs something in one."""
        return (self.verb not in READS or self.resource in UPGRADED) and not self.dry

    def __str__(self) -> str:
        what = f"{self.verb} of {self.resource}" + (f".{self.group}" if self.group else "")
        where = f" in {self.namespace}" if self.namespace else " everywhere"
        return f"{what}{f' {self.name}' if self.name else ''}{where}{' (dry run)' if self.dry else ''}"


def uses(log: Path, user: str) -> Iterator[Use]:
    """Yield what a user asked of objects, as an audit log tells; one that is being written to may end in half a line."""
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n") and user in line:
                yield from of_event(json.loads(line), user)


def of_event(event: Mapping[str, Any], user: str) -> Iterator[Use]:
    """Yield what one event of audit.k8s.io/v1 tells that a user asked of objects; nothing where it was somebody else.

    An apply that has made its object is a create as well: the API server asks for both rights.
    """
    asked = event.get("objectRef")
    if event["user"]["username"] != user or not asked or asked.get("apiGroup", "") in _OF_EVERYBODY:
        return
    code = event.get("responseStatus", {}).get("code")
    use = partial(
        Use,
        group=asked.get("apiGroup", ""),
        resource="/".join(filter(None, (asked["resource"], asked.get("subresource")))),
        namespace=asked.get("namespace", ""),
        name=asked.get("name", ""),
        dry="dryRun=" in event.get("requestURI", ""),
        refused=code == _FORBIDDEN and is_for_want_of_a_right(event),
    )
    yield use(verb=event["verb"])
    if event["verb"] == "patch" and code == _CREATED:
        yield use(verb="create")


def is_for_want_of_a_right(event: Mapping[str, Any]) -> bool:
    """Whether an event was refused by RBAC: admission answers 403 as well, to who may ask."""
    decision = (event.get("annotations") or {}).get("authorization.k8s.io/decision")
    return bool(decision == "forbid")


def allows(grant: Grant, use: Use) -> bool:
    """Whether one right is what a request needed."""
    return (
        (grant.verb, grant.group, grant.resource) == (use.verb, use.group, use.resource)
        and grant.namespace in {None, use.namespace}
        and grant.name in {None, use.name}
    )


def beyond(grants: Iterable[Grant], used: Iterable[Use]) -> list[Use]:
    """Return what was asked beyond what some rights allow, once each."""
    rights = list(grants)
    return [use for use in dict.fromkeys(used) if not any(allows(grant, use) for grant in rights)]


def unused(
    grants: Iterable[Grant], used: Iterable[Use], excepted: Callable[[Grant], bool] = lambda _: False
) -> list[Grant]:
    """Return the rights that nothing needed of what was asked, but for those that are `excepted`."""
    asked = list(dict.fromkeys(used))
    return [grant for grant in grants if not any(allows(grant, use) for use in asked) and not excepted(grant)]


def intrusions(used: Iterable[Use], is_own: Callable[[str], bool]) -> list[Use]:
    """Return what was written outside the namespaces that are the suite's own or its release's."""
    return [use for use in dict.fromkeys(used) if use.writes and not is_own(use.namespace)]
