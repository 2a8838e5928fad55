"""The promises that hold the code together, kept by reading it."""

import ast
import re
from pathlib import Path

import pytest

from raspisms import create_app, job_queue
from raspisms.adapters import REGISTRY
from raspisms.extensions import bell
from raspisms.jobs import LISTED
from raspisms.labels import EVENT_LABELS
from raspisms.models import Action
from raspisms.supervisor import services
from raspisms.web.access import PUBLIC_ENDPOINTS

PACKAGE = Path(__file__).parent.parent / "raspisms"

# Who may import whom, from the ground up. A part may use itself and those before it.
ORDER = (
    "i18n", "refusals", "clock", "csv_files", "machine", "config", "job_queue", "vault", "workshop",
    "extensions", "live", "storage", "sms", "adapters", "language", "models", "pagination", "labels",
    "team", "figures", "phones", "messages", "people", "gate", "operations", "conversations", "delivery_reports",
    "notices", "receiving", "campaigns", "sending", "jobs", "scheduler", "forms", "web", "blueprints",
    "__init__", "supervisor", "cli", "__main__",
)  # fmt: skip
RANK = {name: rank for rank, name in enumerate(ORDER)}
# What lies loose on top, and is worth it; docs/architecture.md says why of each.
MOST_LOOSE = 14


def modules():
    for path in PACKAGE.rglob("*.py"):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def imported(path, tree):
    """Dotted names, in full, that a module imports."""
    package = ["raspisms", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def top(dotted):
    """The part of our package that a dotted name lies in; None for other packages."""
    parts = dotted.split(".")
    if parts[0] != "raspisms":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in RANK | {"sandbox": 0} else "__init__"


def own_part(path):
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def test_imports_point_one_way():
    wrong = []
    for path, tree in modules():
        here = own_part(path)
        if here == "sandbox":
            continue
        for name in imported(path, tree):
            there = top(name)
            if there not in (None, here, "sandbox") and RANK[there] > RANK[here]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert wrong == []


def module_names():
    return {".".join(("raspisms", *path.relative_to(PACKAGE).with_suffix("").parts)) for path, _ in modules()}


def graph():
    """Which module imports which, also inside of functions and for types only."""
    known = module_names()
    edges = {}
    for path, tree in modules():
        here = ".".join(("raspisms", *path.relative_to(PACKAGE).with_suffix("").parts))
        names = set(imported(path, tree))
        targets = {name if name in known else name.rpartition(".")[0] for name in names}
        edges[here] = {opened(target, known) for target in targets} - {here, ""}
    return edges


def opened(target, known):
    """The module that an import opens: of a package its `__init__`, that loads what it imports; else nothing."""
    return next((name for name in (target, f"{target}.__init__") if name in known), "")


def circles(edges):
    """Modules that reach themselves: what is left when the ends of all chains are taken away, again and again."""
    left = dict(edges)
    while True:
        pointed_at = set().union(*left.values())
        ends = [name for name, targets in left.items() if not targets & left.keys() or name not in pointed_at]
        if not ends:
            return sorted(left)
        for name in ends:
            del left[name]


def test_no_module_reaches_itself():
    assert circles(graph()) == []


def test_a_circle_would_be_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c"]


def test_few_modules_lie_loose_and_the_document_says_why():
    loose = sorted(path.stem for path in PACKAGE.glob("*.py"))
    document = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert len(loose) <= MOST_LOOSE
    assert [name for name in loose if f"| `{name}.py` |" not in document] == []


def test_blueprints_are_all_that_lies_among_blueprints():
    others = []
    for path, tree in modules():
        if own_part(path) == "blueprints" and path.name != "__init__.py":
            others += [] if any(is_blueprint(node) for node in tree.body) else [path.name]
    assert others == []


def is_blueprint(node):
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "bp"


def test_every_part_has_its_place():
    assert {own_part(path) for path, _ in modules()} == set(RANK) | {"sandbox"}


def test_the_sandbox_imports_nothing_of_the_rest():
    for path, tree in modules():
        if own_part(path) == "sandbox":
            foreign = [n for n in imported(path, tree) if n.startswith("raspisms") and "raspisms.sandbox" not in n]
            assert foreign == [], path


def test_only_what_starts_the_sandbox_knows_it():
    knowing = {
        own_part(path)
        for path, tree in modules()
        for name in imported(path, tree)
        if name.startswith("raspisms.sandbox")
    }
    assert knowing == {"sandbox", "supervisor", "cli"}


def test_adapters_know_neither_flask_nor_the_database():
    for path, tree in modules():
        if own_part(path) == "adapters":
            foreign = [n for n in imported(path, tree) if n.split(".")[0] in {"flask", "sqlalchemy", "rq", "redis"}]
            foreign += [n for n in imported(path, tree) if top(n) in {"models", "extensions", "storage"}]
            assert foreign == [], path


def test_only_adapters_speak_a_providers_words():
    allowed = {"adapters", "sandbox", "config", "cli", "supervisor", "labels"}
    spoken = {word for adapter in REGISTRY.values() for word in adapter.purposes.values()}
    for path, tree in modules():
        if own_part(path) in allowed:
            continue
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        words = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
        ]
        assert not [word for word in words if "octopush" in word.lower() or word in spoken], path
        kinds = ("attr", "id", "arg", "name")
        names = {str(getattr(node, kind, "")) for node in ast.walk(tree) for kind in kinds}
        assert not [name for name in {*names, *words} if name and "ticket" in name], path  # Octopush's: a provider_id


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_route_is_closed_to_strangers_unless_listed(app, visitor, method):
    open_doors = set()
    for rule in app.url_map.iter_rules():
        if method not in rule.methods:
            continue
        app.config["WTF_CSRF_ENABLED"] = False
        values = {name: "1" for name in rule.arguments} | {"verb": "read", "kind": "status", "filename": "app.js"}
        for verb in ("read", "enable", "again"):
            try:
                with app.test_request_context():
                    url = app.url_map.bind("").build(rule.endpoint, values | {"verb": verb})
                break
            except Exception:  # the route takes another verb
                continue
        answer = visitor.open(url, method=method)
        answer.close()
        if not (answer.status_code == 302 and answer.location.startswith("/login")):
            open_doors.add(rule.endpoint)
    assert open_doors <= PUBLIC_ENDPOINTS


def test_the_list_of_open_doors_names_only_doors(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= PUBLIC_ENDPOINTS


def test_every_queue_has_a_worker_and_every_job_a_queue(settings):
    started = services(settings, sandbox=False)
    listened = {
        name for service in started if service.run.func.__name__ == "run_worker" for name in service.run.args[1]
    }
    assert listened == {job_queue.SENDING, job_queue.RECEIVING, job_queue.UPKEEP, job_queue.LISTS}


def test_every_job_that_is_rung_for_exists():
    named = {
        value for value in vars(job_queue).values() if isinstance(value, str) and value.startswith("raspisms.jobs.")
    }
    assert named == set(LISTED)
    assert all(callable(function) for function in LISTED.values())


def test_public_functions_say_what_they_mean():
    silent = []
    for path, tree in modules():
        if own_part(path) in {"cli", "blueprints", "sandbox"}:
            continue  # commands speak by their help, views by their route
        for node in tree.body:
            is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if is_public and not ast.get_docstring(node) and not is_model_or_form(path):
                silent.append(f"{path.relative_to(PACKAGE)}: {node.name}")
    assert silent == []


def is_model_or_form(path):
    """Tables and forms are described by their columns and fields, under a module docstring."""
    return own_part(path) in {"models", "forms"} or path.parent.name == "octopush"


# Who may make a row of these: nobody else writes `Message(...)` or `insert(Message)`.
MAKERS = {
    "Message": {"messages/outgoing.py", "receiving/incoming.py"},
    "Submission": {"messages/submissions.py"},
}


@pytest.mark.parametrize("model", MAKERS)
def test_a_row_is_made_by_one_maker(model):
    others = []
    for path, tree in modules():
        where = str(path.relative_to(PACKAGE))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and makes(node, model) and where not in MAKERS[model]:
                others.append(f"{where}:{node.lineno}")
    assert others == []


def makes(call, model):
    name = called(call.func)
    return name == model or (name == "insert" and bool(call.args) and called(call.args[0]) == model)


def called(node):
    """The last word of a name: of `models.Message` as of `Message`."""
    return getattr(node, "id", getattr(node, "attr", ""))


@pytest.mark.parametrize(
    "written", ["Message(id=1)", "models.Message(id=1)", "insert(Message)", "sa.insert(m.Message)"]
)
def test_another_maker_would_be_seen(written):
    assert makes(ast.parse(written, mode="eval").body, "Message")


# Where something else than a message has a status of its own.
OTHER_STATUSES = {"machine/front.py", "phones/saving.py", "phones/checking.py"}


def test_a_messages_status_changes_in_its_history_only():
    """Beside its reason, in the same statement: a status that nobody can explain is none."""
    others = []
    for path, tree in modules():
        where = str(path.relative_to(PACKAGE))
        if where.startswith("sandbox/") or where in OTHER_STATUSES | {"messages/history.py"}:
            continue
        others += [f"{where}:{node.lineno}" for node in ast.walk(tree) if changes_status(node)]
    assert others == []


def changes_status(node):
    """Whether it sets a status: of a row, or of many."""
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Attribute) and target.attr == "status" for target in node.targets)
    if isinstance(node, ast.Call) and called(node.func) == "values":
        return any(keyword.arg == "status" for keyword in node.keywords)
    return isinstance(node, ast.Call) and called(node.func) == "setattr" and "'status'" in ast.unparse(node)


@pytest.mark.parametrize(
    "written",
    [
        "sms.status = 1",
        "update(Message).values(status=1)",
        "update(m).where(x).values(a=1, status=2)",
        "setattr(sms, 'status', 1)",
    ],
)
def test_another_change_of_a_status_would_be_seen(written):
    assert any(changes_status(node) for node in ast.walk(ast.parse(written)))


def test_every_module_says_its_one_job():
    assert [str(path) for path, tree in modules() if not ast.get_docstring(tree)] == []


def test_the_two_factories_are_independent(settings):
    first, second = create_app(settings), create_app(settings)
    assert first.url_map is not second.url_map
    for app in (first, second):
        app.extensions["bell"].close()


# Neither the clock nor the parent of all processes is a job: no limit strikes them, and one step's trouble must not
# end them.
NO_LIMIT = {("scheduler", "sweep.py", "guarded"), ("supervisor", "process.py", "fork")}


def test_no_general_except_swallows_a_time_limit_or_trouble_of_the_storage():
    wrong = []
    for path, tree in modules():
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if (own_part(path), path.name, function.name) in NO_LIMIT:
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Try) and not lets_interruptions_pass(node):
                    wrong.append(f"{path.relative_to(PACKAGE)}: {function.name}")
    assert wrong == []


def lets_interruptions_pass(node):
    """Whether a `try` with a general handler gives INTERRUPTIONS on first, or the handler gives everything on."""
    passed = False
    for handler in node.handlers:
        names = {one.id for one in ast.walk(handler.type) if isinstance(one, ast.Name)} if handler.type else {"bare"}
        raises = any(isinstance(one, ast.Raise) and one.exc is None for one in ast.walk(handler))
        if "INTERRUPTIONS" in names and raises:
            passed = True
        if names & {"Exception", "BaseException", "bare"} and not (passed or raises or keeps_for_others(handler)):
            return False
    return True


def keeps_for_others(handler):
    """The inbox hands an error to everybody whose callback it was; each of them raises it."""
    return any(isinstance(one, ast.Attribute) and one.attr == "error" for one in ast.walk(handler))


def test_names_in_the_queue_server_are_the_installations_own(settings):
    other = settings | {"SECRET_KEY": "another secret of another installation"}
    first, second = create_app(settings), create_app(other)
    names = []
    for app in (first, second):
        with app.app_context():
            names.append([bell.own(name) for name in ("sending", "live", "bell:x")])
        app.extensions["bell"].close()
    assert not set(names[0]) & set(names[1])


def test_views_ask_verbs_and_write_nothing_themselves():
    wrong = []
    for path, tree in modules():
        if own_part(path) in {"blueprints", "web", "forms", "cli"}:
            wrong += [f"{path.relative_to(PACKAGE)}: {name}" for name in writes(tree)]
            wrong += [f"{path.relative_to(PACKAGE)}: {name}" for name in imported(path, tree) if opens_writing(name)]
    assert wrong == []


WRITING = {"transaction", "bulk_step", "record"}
WRITING_TO_A_SESSION = {"add", "add_all", "delete", "merge", "flush", "commit", "bulk_save_objects"}


def writes(tree):
    """The calls that write, under their own names or of a session."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node.func)
            owner = called(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if name in WRITING or (name in WRITING_TO_A_SESSION and owner == "session"):
                yield name


def opens_writing(name):
    """What is imported under whatever name, to write with."""
    where, _, what = name.rpartition(".")
    is_ours = where == "raspisms.storage.transactions" and what in WRITING
    return is_ours or (where.startswith("sqlalchemy") and what in {"insert", "update", "delete"})


@pytest.mark.parametrize("written", ["transaction()", "db.session.add(x)", "session.commit()", "audit.record(s)"])
def test_a_view_that_writes_would_be_seen(written):
    assert list(writes(ast.parse(written)))


def test_every_action_is_written_by_a_verb_and_has_its_words():
    written = {
        node.attr
        for path, tree in modules()
        if own_part(path) not in {"labels", "models", "blueprints", "web", "cli"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Action"
    }
    migrations = [path.read_text() for path in (PACKAGE / "migrations/versions").glob("*.py")]
    written |= {action.name for action in Action if any(f"action='{action.value}'" in text for text in migrations)}
    assert written == {action.name for action in Action}
    assert set(EVENT_LABELS) == set(Action)


def test_templates_have_one_field_against_forgery():
    forms = list((PACKAGE / "templates").rglob("*.html"))
    assert [path.name for path in forms if re.search(r"name=.csrf_token", path.read_text(encoding="utf-8"))] == []


def test_no_test_imports_a_test():
    """What several of them need lies beside them: factories, desk, steps."""
    importing = []
    for path in Path(__file__).parent.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.match(r"\s*(from|import) (tests)?\S*\.test_\w+|\s*from \S+ import test_", line):
                importing.append(f"{path.name}: {line.strip()}")
    assert importing == []
