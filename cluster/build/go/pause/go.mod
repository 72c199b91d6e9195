module chroma-conformance/cluster/pause

go 1.24.0
