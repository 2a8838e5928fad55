"""The language of rules and personal texts: Jinja expressions, in which RaspiSMS's own run unchanged.

RaspiSMS had two (Symfony's expressions for rules, Twig for texts). Here one parser reads both, and an environment
stricter than Jinja's own runs them: only the data of a contact can be reached, and time and size are bounded.
"""

from .mistakes import Mistake
from .rules import Rule
from .templates import Template, is_personal

__all__ = ["Mistake", "Rule", "Template", "is_personal"]
