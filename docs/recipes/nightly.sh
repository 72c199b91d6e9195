#!/usr/bin/env bash
# Every night: the release that people use is live, and still keeps what is promised of core. Nothing of it is changed, restarted or
# interrupted, and what is written goes again; its token is read from its Secret unless ADMIN_PASSWORD gives it. More options may follow.
set -euo pipefail
: "${CLUSTER:?the kubeconfig of the cluster}" "${INVENTORY:?what its platform gives, docs/live-clusters.md}"
here=(--kubeconfig="$CLUSTER" --inventory="$INVENTORY")

# What an ordinary cluster lacks, and what a night is too short for, is conceded.
mkdir -p reports/nightly
exec .venv/bin/pytest features/ -m core --verify --require core "${here[@]}" \
    --without=deploying --without=budget --without=exec \
    --time-limit=5400 --report-dir=reports/nightly "$@"
