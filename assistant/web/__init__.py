"""The web chat: pages, what they show, and who may see them. Nothing here decides anything about a case."""
