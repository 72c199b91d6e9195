"""What the steps are made of: everything between a sentence of the features and the cluster."""
