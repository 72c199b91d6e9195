"""What knows nothing of Kubernetes or Chroma: waiting, parallel work, validation, redaction."""
