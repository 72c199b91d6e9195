#!/usr/bin/env bash
# Every night: the release that people use is live, and still keeps what is promised of core. Nothing of it is changed or interrupted:
# where the files here ask for another release than the one that lives, the run is refused with 4 (--apply-changes would apply it).
# Run it in the checkout that deployed the release. More options may follow.
set -euo pipefail
: "${ADMIN_PASSWORD:?the token of the release}"
: "${CLUSTER:?the kubeconfig of the cluster}" "${INVENTORY:?what its platform gives, docs/live-clusters.md}"
here=(--kubeconfig="$CLUSTER" --inventory="$INVENTORY")

# As JSON on standard output: an exit code other than 0 means that the release is not live, and ends the night here.
mkdir -p reports/nightly
.venv/bin/pytest features/ --status=json "${here[@]}" --time-limit=300 >reports/nightly/status.json

# What an ordinary cluster lacks is conceded.
exec .venv/bin/pytest features/ -m core --require core "${here[@]}" \
    --without=disposable --without=storage-limit --without=disruptive \
    --roll-back=never --time-limit=5400 --report-dir=reports/nightly "$@"
