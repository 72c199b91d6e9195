module chroma-conformance/cluster/probe

go 1.24.0
