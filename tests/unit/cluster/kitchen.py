"""A tiny recipe, what goes into its image, and looks at what was built."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

from cluster.build import oci
from cluster.build.images import Image, ensure_images

if TYPE_CHECKING:
    from pathlib import Path

    from cluster.build.cache import Store

TINY = """
name: library/tiny
tag: "1"
files:
  - path: /opt/tiny/hello
    source: hello.txt
  - path: /bin/tool
    program: tool
    mode: "0755"
  - path: /etc/passwd
    text: |
      tiny:x:1000:1000::/:/bin/tool
    owner: "7:8"
directories:
  - path: /data
    owner: "1000:1000"
  - path: /tmp
    mode: "1777"
user: "1000:1000"
working_directory: /data
environment:
  PATH: /bin
entrypoint: [/bin/tool, run]
command: [/etc/config]
stop_signal: SIGUSR1
ports: [8000]
"""

PLAIN = """
name: plain
tag: "1"
user: "0:0"
entrypoint: [/x]
"""


def build(store: Store, kitchen: Path) -> Image:
    (image,) = ensure_images(store, [kitchen / "tiny.yaml"], {"tool": kitchen / "program"})
    return image


def build_text(store: Store, directory: Path, recipe: str) -> Image:
    file = directory / "recipe.yaml"
    file.write_text(recipe)
    (image,) = ensure_images(store, [file], {})
    return image


def blob_json(image: Image, digest: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(oci.blob(image.layout, digest).read_bytes())
    return value


def image_files(image: Image) -> dict[str, bytes]:
    """Return the files of all layers of an image, and nothing else of them."""
    layers = [layer(image, number) for number in range(len(blob_json(image, image.digest)["layers"]))]
    return {name: data for one in layers for name, (member, data) in one.items() if member.isfile()}


def layer(image: Image, number: int = 0) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    described = blob_json(image, image.digest)["layers"][number]
    with tarfile.open(oci.blob(image.layout, described["digest"])) as tar:
        return {
            member.name: (member, stream.read() if (stream := tar.extractfile(member)) else b"")
            for member in tar
        }
