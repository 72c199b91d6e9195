#!/usr/bin/env bash
# Once, before people use a cluster: everything that is promised is proved there, and the release goes again with its data.
# Run it in the checkout. A capability that the cluster has is named by --capability, one that it lacks conceded by --without:
#   docs/recipes/acceptance.sh --capability networkpolicy --without disposable
set -euo pipefail
: "${ADMIN_PASSWORD:?a token, 16 characters or more}"
: "${CLUSTER:?the kubeconfig of the cluster}" "${INVENTORY:?what its platform gives, docs/live-clusters.md}"

# The plan says first what would be created, and ends with 1 where the cluster would not take it.
.venv/bin/pytest features/ --plan --kubeconfig="$CLUSTER" --inventory="$INVENTORY" "$@"

# With 100 examples of each law instead of 20.
exec .venv/bin/pytest features/ --require extended --hypothesis-profile=ci \
    --kubeconfig="$CLUSTER" --inventory="$INVENTORY" \
    --roll-back=always --remove-data --time-limit=14400 --report-dir=reports/acceptance "$@"
