"""The one error with which a cluster says what is wrong and what to do about it."""


class ClusterError(Exception):
    """A cluster cannot be had; the text is one message for people and names the remedy."""
