"""Ratings from where Python people build chat UIs, each a few lines over the public API. docs/chat-uis.md shows them.

No adapter is imported by anything here, and each needs only the package whose name it has.
"""
