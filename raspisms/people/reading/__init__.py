"""Lists of people as they come: workbooks, CSV, cards, JSON, web pages, pasted text.

Every format becomes a table; which of its lines heads it, what its columns are and which number is a person's is found
in one place for all of them (`columns`, `rows`). Only the workshop's child reads: nothing of a stranger is parsed where
pages are served.
"""

from .lines import Choice, Layout, Line, Reading, Role, Unreadable

__all__ = ["Choice", "Layout", "Line", "Reading", "Role", "Unreadable"]
