#!/usr/bin/env bash
# A gate of a pipeline: the release goes live in a namespace of its own, keeps what is promised of core, and is removed.
# Run it in the checkout, after `make venv`. More options may follow: a capability that the cluster has as well (--capability disposable).
set -euo pipefail
: "${ADMIN_PASSWORD:?the token of the release, 16 characters or more, from the secrets of the pipeline}"
: "${CLUSTER:?the kubeconfig of the cluster}" "${INVENTORY:?what its platform gives, docs/live-clusters.md}"

# Exit code 0 opens the gate; 5 means that too little ran (docs/commands.md).
# What an ordinary cluster lacks, or nobody has named, is conceded; with --capability it runs nevertheless.
exec .venv/bin/pytest features/ -m core --require core \
    --without=disposable --without=storage-limit --without=exec \
    --kubeconfig="$CLUSTER" --inventory="$INVENTORY" --namespace=chroma-gate \
    --roll-back=always --remove-data --time-limit=2400 --report-dir=reports/gate "$@"
