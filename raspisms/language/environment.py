"""Where rules and texts run: nothing can be reached but a contact's data and the functions of the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import SandboxedEnvironment

from . import functions, limits, operators
from .mistakes import (
    NOT_COMPUTABLE,
    TOO_DEEP,
    UNKNOWN_FILTER,
    UNKNOWN_FUNCTION,
    UNKNOWN_NAME,
    UNREADABLE,
    Mistake,
    from_jinja,
)
from .syntax import Reader, Syntax
from .values import Missing

# What a text may speak of.
SUBJECTS = frozenset({"contact", "contact_metas"})
LOOP_FACTS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
LONGEST_SOURCE = 10_000


class Language(SandboxedEnvironment):
    """Jinja's sandbox, closed further: no attribute of any object, no call of anything but our functions."""

    intercepted_binops = frozenset(operators.ARITHMETIC)
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, *, by_character: bool) -> None:
        super().__init__(
            undefined=Missing,
            autoescape=False,
            optimized=False,
            finalize=operators.shown,
            cache_size=0,
            trim_blocks=True,
        )
        self._reader = Reader(self, by_character=by_character)
        self.globals = dict(functions.FUNCTIONS)
        self.filters = {name: _bounded(function) for name, function in functions.FILTERS.items()}
        self.tests = {name: _bounded(function) for name, function in functions.TESTS.items()}
        for name, function in operators.CALLS.items():
            setattr(self, name, function)
        self._callable = {id(function) for function in (*functions.FUNCTIONS.values(), *operators.CALLS.values())}

    @property
    def lexer(self) -> Reader:
        return self._reader

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return Syntax(self, source, name, filename).parse()

    def syntax(self, source: str) -> Syntax:
        """A parser of one expression."""
        return Syntax(self, source, state="variable")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A datum of a contact or of a hash, a fact about a loop; nothing else has attributes."""
        if isinstance(obj, Mapping):
            try:
                return obj[attribute]
            except KeyError:
                return Missing(name=attribute)
        if isinstance(obj, LoopContext) and attribute in LOOP_FACTS:
            return getattr(obj, attribute)
        return Missing(name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An item of a hash, a list or a text."""
        if isinstance(obj, Mapping):
            return self.getattr(obj, argument)
        if isinstance(obj, (str, list, tuple, range)) and isinstance(argument, int):
            try:
                return obj[argument]
            except IndexError:
                return Missing(name=str(argument))
        return Missing(name=operators.shown(argument))

    def call(self, context: Any, obj: Any, /, *arguments: Any, **named: Any) -> Any:
        """Call one of our functions. Raises Mistake for anything else."""
        if id(obj) not in self._callable:
            raise Mistake(UNREADABLE)
        named.pop("_loop_vars", None)  # what Jinja tells functions that want the context
        named.pop("_block_vars", None)
        try:
            return limits.bounded(obj(*arguments, **named))
        except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
            if isinstance(error, Mistake):
                raise
            raise Mistake(NOT_COMPUTABLE, what=str(getattr(obj, "__name__", ""))) from error

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        return operators.calculate(operator, left, right)

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        return operators.calculate(operator, 0, arg)

    def context(self, template: Template, data: Mapping[str, Any], metas: Mapping[str, Any]) -> Context:
        """What a template sees of one person; made for a hundred thousand of them, so without Jinja's chain of maps."""
        seen = {**functions.FUNCTIONS, "contact": data, "contact_metas": metas}
        return self.context_class(self, seen, template.name, template.blocks)

    def checked(self, source: str) -> nodes.Template:
        """What a text says, if everything in it exists. Raises Mistake."""
        return self._checked(lambda: self.parse(source), source)

    def checked_expression(self, source: str) -> nodes.Template:
        """An expression, as a template whose variable `result` is its value. Raises Mistake."""

        def read() -> nodes.Template:
            syntax = self.syntax(source)
            expression = syntax.parse_expression()
            if not syntax.stream.eos:
                token = syntax.stream.current
                raise TemplateSyntaxError(f"unexpected '{token.value}'", token.lineno)
            expression.set_environment(self)
            target = nodes.Name("result", "store", lineno=1)
            whole = nodes.Template([nodes.Assign(target, expression, lineno=1)], lineno=1)
            whole.set_environment(self)
            return whole

        return self._checked(read, source)

    def _checked(self, read: Any, source: str) -> nodes.Template:
        if len(source) > LONGEST_SOURCE:
            raise Mistake(TOO_DEEP)
        try:
            tree: nodes.Template = read()
            self._check_names(tree)
        except TemplateSyntaxError as error:
            raise from_jinja(error, by_character=self._reader.by_character) from error
        except RecursionError as error:
            raise Mistake(TOO_DEEP) from error
        except (TypeError, ValueError, OverflowError) as error:  # a hash whose key is a list, a number of 5,000 digits
            if isinstance(error, Mistake):
                raise
            raise Mistake(UNREADABLE) from error
        return tree

    def _check_names(self, tree: nodes.Template) -> None:
        for node in tree.find_all(nodes.Call):
            if isinstance(node.node, nodes.Name) and node.node.name not in self.globals:
                raise Mistake(UNKNOWN_FUNCTION, node.lineno, what=node.node.name)
        for use in tree.find_all((nodes.Filter, nodes.Test)):
            known = self.filters if isinstance(use, nodes.Filter) else self.tests
            if use.name not in known:
                raise Mistake(UNKNOWN_FILTER, use.lineno, what=use.name)
        self._check_functions(tree)
        unknown = (find_undeclared_variables(tree) - SUBJECTS - set(self.globals)) | {"self"}
        for name in tree.find_all(nodes.Name):
            if name.name in unknown:
                raise Mistake(UNKNOWN_NAME, name.lineno, what=name.name)

    def _check_functions(self, tree: nodes.Template) -> None:
        """A function is called, never shown: it is nothing that a person could read."""
        called = {id(node.node) for node in tree.find_all(nodes.Call)}
        names = list(tree.find_all(nodes.Name))
        own = {name.name for name in names if name.ctx != "load"}
        for name in names:
            if name.name in self.globals and name.name not in own and id(name) not in called:
                raise Mistake(UNKNOWN_NAME, name.lineno, what=name.name)


def _bounded(function: Any) -> Any:
    def filtered(*arguments: Any, **named: Any) -> Any:
        limits.budget().step()
        try:
            return limits.bounded(function(*arguments, **named))
        except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            if isinstance(error, Mistake):
                raise
            raise Mistake(NOT_COMPUTABLE, what=function.__name__.strip("_<>")) from error

    filtered.__name__ = function.__name__
    return filtered
