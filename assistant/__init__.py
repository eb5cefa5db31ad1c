"""责明 Zeming: an advisory assistant on accountability (问责) whose every statement has a source."""

__version__ = "0.1.0"
