"""Reading: Jinja's parser, which also understands what RaspiSMS's users wrote for Symfony and Twig."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, nodes
from jinja2.lexer import TOKEN_OPERATOR, Lexer, _Rule, operator_re
from jinja2.parser import Parser

# Operators that Jinja has not: the longest first.
MORE_OPERATORS = re.compile(r"===|!==|&&|\|\||\?\?|\?:|\?|!(?!=)|\.\.|" + operator_re.pattern)
AS_TOKENS = {
    "&&": ("name", "and"),
    "||": ("name", "or"),
    "===": (TOKEN_OPERATOR, "=="),
    "!==": (TOKEN_OPERATOR, "!="),
    "!": ("bang", "!"),
    "?": ("question", "?"),
    "?:": ("elvis", "?:"),
    "??": ("coalesce", "??"),
    "..": ("range", ".."),
}
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}
# Word operators of Symfony and Twig, and the word that must follow.
WORD_COMPARISONS = {"matches": "", "starts": "with", "ends": "with"}
CONSTANTS = {"null": None, "NULL": None, "TRUE": True, "FALSE": False}
STATEMENTS = frozenset({"for", "if", "set", "apply", "filter"})
TWO_WORD_TESTS = {("same", "as"): "sameas", ("divisible", "by"): "divisibleby"}


class Reader(Lexer):
    """Jinja's lexer with a few more operators."""

    def __init__(self, environment: Environment, *, by_character: bool) -> None:
        super().__init__(environment)
        self.by_character = by_character
        for state, rules in self.rules.items():
            self.rules[state] = [
                _Rule(MORE_OPERATORS, rule.tokens, rule.command) if rule.pattern is operator_re else rule
                for rule in rules
            ]

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        """Tokens with their line; in a rule, which is one line, with their character instead."""
        position = 1
        for line, kind, text in super().tokeniter(source, name, filename, state):
            place = position if self.by_character else line
            position += len(text)
            if kind == TOKEN_OPERATOR and text in AS_TOKENS:
                kind, text = AS_TOKENS[text]
            elif kind == "name" and text == "elseif":
                text = "elif"
            yield place, kind, text


class Syntax(Parser):
    """Jinja's parser; comparisons, sums and loops become calls that are bounded and mean what people mean."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.assigned: set[str] = set()
        self.loop_names: list[set[str]] = []
        self.in_target = False

    def _call(self, name: str, *arguments: nodes.Expr, line: int) -> nodes.Call:
        function = nodes.EnvironmentAttribute(name)
        return nodes.Call(function, list(arguments), [], None, None, lineno=line)

    # -- expressions -----------------------------------------------------------------------------------

    def parse_condexpr(self) -> nodes.Expr:
        """`a ? b : c`, `a ?: b`, `a ?? b`, and Jinja's own `b if a else c`."""
        line = self.stream.current.lineno
        first = self.parse_or()
        while True:
            if self.stream.skip_if("coalesce"):
                first = self._call("coalesce", first, self.parse_or(), line=line)
            elif self.stream.skip_if("elvis"):
                first = self._call("elvis", first, self.parse_condexpr(), line=line)
            elif self.stream.skip_if("question"):
                then = self.parse_condexpr()
                other = self.parse_condexpr() if self.stream.skip_if("colon") else nodes.Const("")
                first = nodes.CondExpr(first, then, other, lineno=line)
            elif self.stream.skip_if("name:if"):
                test = self.parse_or()
                other = self.parse_condexpr() if self.stream.skip_if("name:else") else nodes.Const("")
                first = nodes.CondExpr(test, first, other, lineno=line)
            else:
                return first

    def parse_compare(self) -> nodes.Expr:
        left = self._range()
        while True:
            line, token = self.stream.current.lineno, self.stream.current
            if token.type in COMPARISONS:
                next(self.stream)
                left = self._call("compare", nodes.Const(COMPARISONS[token.type]), left, self._range(), line=line)
            elif token.test("name:in"):
                next(self.stream)
                left = self._call("contains", self._range(), left, line=line)
            elif token.test("name:not") and self.stream.look().test("name:in"):
                self.stream.skip(2)
                left = nodes.Not(self._call("contains", self._range(), left, line=line), lineno=line)
            elif token.type == "name" and token.value in WORD_COMPARISONS:
                left = self._word_comparison(left)
            else:
                return left

    def _word_comparison(self, left: nodes.Expr) -> nodes.Expr:
        token = next(self.stream)
        if follows := WORD_COMPARISONS[token.value]:
            self.stream.expect(f"name:{follows}")
        return self._call(token.value, left, self._range(), line=token.lineno)

    def _range(self) -> nodes.Expr:
        line = self.stream.current.lineno
        first = self.parse_math1()
        if self.stream.skip_if("range"):
            return self._call("numbers", first, self.parse_math1(), line=line)
        return first

    def parse_concat(self) -> nodes.Expr:
        line = self.stream.current.lineno
        pieces = [self.parse_math2()]
        while self.stream.skip_if("tilde"):
            pieces.append(self.parse_math2())
        return pieces[0] if len(pieces) == 1 else self._call("joined", *pieces, line=line)

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        if self.stream.current.type == "bang":
            line = next(self.stream).lineno
            return nodes.Not(self.parse_unary(), lineno=line)
        return super().parse_unary(with_filter)

    def parse_assign_target(self, *arguments: Any, **options: Any) -> Any:
        self.in_target = True
        try:
            return super().parse_assign_target(*arguments, **options)
        finally:
            self.in_target = False

    def parse_primary(self, with_namespace: bool = False) -> nodes.Expr:
        token = self.stream.current
        if self.in_target:
            return super().parse_primary(with_namespace)
        if token.type == "name" and token.value in CONSTANTS:
            next(self.stream)
            return nodes.Const(CONSTANTS[token.value], lineno=token.lineno)
        is_call = token.type == "name" and self.stream.look().type == "lparen"
        hidden = any(token.value in names for names in self.loop_names)
        if token.type == "name" and token.value in self.assigned and not is_call and not hidden:
            next(self.stream)
            return self._call("recall", nodes.Const(token.value), line=token.lineno)
        return super().parse_primary(with_namespace)

    def parse_dict(self) -> nodes.Dict:
        """A hash; a key without quotes is a word."""
        line = self.stream.expect("lbrace").lineno
        items: list[nodes.Pair] = []
        while self.stream.current.type != "rbrace":
            if items:
                self.stream.expect("comma")
            if self.stream.current.type == "rbrace":
                break
            token = self.stream.current
            if token.type == "name" and self.stream.look().type == "colon":
                next(self.stream)
                key: nodes.Expr = nodes.Const(token.value)
            else:
                key = self.parse_expression()
            self.stream.expect("colon")
            items.append(nodes.Pair(key, self.parse_expression(), lineno=key.lineno))
        self.stream.expect("rbrace")
        return nodes.Dict(items, lineno=line)

    def parse_subscript(self, node: nodes.Expr) -> Any:
        """`a[1:2]` as Twig means it: from the second on, two of them."""
        found = super().parse_subscript(node)
        if isinstance(found, nodes.Getitem) and isinstance(found.arg, nodes.Slice):
            start, length = found.arg.start or nodes.Const(0), found.arg.stop or nodes.Const(None)
            return self._call("cut", node, start, length, line=found.lineno)
        return found

    def parse_test(self, node: nodes.Expr) -> nodes.Expr:
        line = next(self.stream).lineno
        negated = self.stream.skip_if("name:not")
        name = self.stream.expect("name").value
        if (name, self.stream.current.value) in TWO_WORD_TESTS:
            name = TWO_WORD_TESTS[(name, next(self.stream).value)]
        arguments: list[nodes.Expr] = []
        if self.stream.current.type == "lparen":
            arguments = self.parse_call_args()[0]
        test = nodes.Test(node, name, arguments, [], None, None, lineno=line)
        return nodes.Not(test, lineno=line) if negated else test

    # -- tags ------------------------------------------------------------------------------------------

    def parse_statement(self) -> nodes.Node | list[nodes.Node]:
        token = self.stream.current
        if token.type != "name" or token.value not in STATEMENTS:
            self.fail_unknown_tag(token.value, token.lineno)
        if token.value == "apply":
            self._tag_stack.append("apply")
            try:
                return self._parse_apply()
            finally:
                self._tag_stack.pop()
        return super().parse_statement()

    def _parse_apply(self) -> nodes.FilterBlock:
        line = next(self.stream).lineno
        block = nodes.FilterBlock(lineno=line)
        block.filter = self.parse_filter(None, start_inline=True)  # type: ignore[assignment]
        block.body = self.parse_statements(("name:endapply",), drop_needle=True)
        return block

    def parse_for(self) -> nodes.For:
        """A loop whose every step is counted; over a hash, `for key, value in …` gives both."""
        line = self.stream.expect("name:for").lineno
        target = self.parse_assign_target(extra_end_rules=("name:in",))
        self.stream.expect("name:in")
        over = self.parse_tuple(with_condexpr=False)
        names = {name.name for name in target.find_all(nodes.Name)} | (
            {target.name} if isinstance(target, nodes.Name) else set()
        )
        width = nodes.Const(len(target.items) if isinstance(target, nodes.Tuple) else 1)
        self.loop_names.append(names | {"loop"})
        test = self.parse_expression() if self.stream.skip_if("name:if") else None
        body = self.parse_statements(("name:endfor", "name:else"))
        self.loop_names.pop()
        other: list[nodes.Node] = []
        if next(self.stream).value != "endfor":
            other = self.parse_statements(("name:endfor",), drop_needle=True)
        return nodes.For(target, self._call("steps", over, width, line=line), body, other, test, False, lineno=line)

    def parse_set(self) -> Any:
        """A variable of the whole text, as in Twig: one that is set in a loop keeps its value after it."""
        line = next(self.stream).lineno
        name = self.stream.expect("name").value
        if self.stream.skip_if("assign"):
            value = self.parse_tuple()
            self.assigned.add(name)
            return nodes.ExprStmt(self._call("assign", nodes.Const(name), value, line=line), lineno=line)
        block = nodes.Name("_block", "store")
        filter_node = self.parse_filter(None)
        body = self.parse_statements(("name:endset",), drop_needle=True)
        self.assigned.add(name)
        stored = self._call("assign", nodes.Const(name), nodes.Name("_block", "load"), line=line)
        return [
            nodes.AssignBlock(block, filter_node, body, lineno=line),
            nodes.ExprStmt(stored, lineno=line),
        ]
