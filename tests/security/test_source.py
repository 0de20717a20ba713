"""What the code never does, whatever comes in: found by reading the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__"): path.read_text()
    for path in sorted((ROOT / "src").rglob("*.py"))
}
"""Module -> its source."""

RUNS = {
    *("eval", "exec", "compile", "__import__", "runpy.run_path", "runpy.run_module", "code.interact"),
    *("os.system", "os.popen", "pty.spawn", "subprocess.getoutput", "subprocess.getstatusoutput", "tempfile.mktemp"),
}
"""Calls that run a text, let a shell do it, or trust a name that anybody can take."""
REPLACES = ("os.exec", "os.spawn", "os.posix_spawn")
UNPICKLES = {"marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "_pickle"}
"""Modules that make objects, and so may run code, of bytes; `pickle` is imported for the name of its exception alone."""
METHODS = {
    *("read_pickle", "to_pickle", "extractall", "extract"),
    *("all_gather_object", "gather_object", "broadcast_object_list", "scatter_object_list"),
    *("send_object_list", "recv_object_list"),
}
"""Methods that unpickle, also between hosts, or unpack to wherever an archive says."""
STARTERS = {"run", "Popen", "call", "check_call", "check_output"}

STARTS = {
    "relabel.aws.local",
    "relabel.aws.local_hosting",
    "relabel.cli.loop_inputs",
    "relabel.cli.web",
    "relabel.review.retraining",
    "relabel.tracking.clerk",
}
"""Modules that start programs, all by a list of arguments."""
BECOMES = {"relabel.container.supervisor"}
"""Starts the command that its own command line names."""
IMPORTS = {
    "relabel.cli.main",
    "relabel.cli.aws",
    "relabel.model.predictor",
}
"""Modules that import by a name which is not written out; it comes from a table of their own."""
QUERIES = {"f'PRAGMA {of}'", "SELECT + where"}
"""SQL put together of what is written a few lines away."""


def imported(tree: ast.AST) -> dict[str, str]:
    """Give what names of modules, and of what is in them, stand for."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def named(node: ast.expr, known: dict[str, str]) -> str:
    """Give the dotted name of what is called, by where it was imported from."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    return f"{named(node.value, known)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def told(call: ast.Call, name: str) -> object:
    """Give the value of a keyword that is written out; "perhaps" where it may be among others in `**`, None where it is not."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value.value if isinstance(keyword.value, ast.Constant) else ast.unparse(keyword.value)
    return "perhaps" if any(keyword.arg is None for keyword in call.keywords) else None


def is_made(node: ast.expr | None) -> bool:
    """Tell whether a text is put together of anything but texts that are written out and constants of the module."""
    if isinstance(node, ast.JoinedStr):
        return any(is_made(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    if isinstance(node, ast.BinOp):
        return is_made(node.left) or is_made(node.right)
    constant = isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())
    return not constant and ast.unparse(node) not in QUERIES if node else False


def is_text(node: ast.expr | None) -> bool:
    """Tell whether an argument is a text and no list."""
    return isinstance(node, ast.JoinedStr | ast.BinOp) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def wrong(call: ast.Call, name: str, where: str) -> str:
    """Say what is wrong with a call; "" where nothing is."""
    first, (module, _, last) = (call.args[0] if call.args else None), name.rpartition(".")
    problems = {
        "runs a text": name in RUNS,
        "starts a program": name.startswith(REPLACES) and where not in BECOMES,
        "makes objects of bytes, or unpacks to where an archive says": last in METHODS or module == "pickle",
        "may pickle": name in {"numpy.load", "numpy.save"} and told(call, "allow_pickle") is not False,
        "may unpickle": name == "torch.load" and told(call, "weights_only") is not True,
        "may run a folder's code": last == "from_pretrained"
        and told(call, "trust_remote_code") not in (False, "perhaps"),
        "starts a program by a text, or where none is to be started": (
            module == "subprocess"
            and last in STARTERS
            and (where not in STARTS or told(call, "shell") not in (None, False) or is_text(first))
        ),
        "imports whatever is named": (
            name == "importlib.import_module" and not isinstance(first, ast.Constant) and where not in IMPORTS
        ),
        "makes SQL of a text": (
            last in {"execute", "executemany", "executescript"}
            and isinstance(first, ast.JoinedStr | ast.BinOp)
            and ast.unparse(first) not in QUERIES
            and is_made(first)
        ),
        "makes pages without escaping": name == "jinja2.Environment" and told(call, "autoescape") is not True,
    }
    return ", ".join(said for said, is_so in problems.items() if is_so)


def found(source: str, where: str) -> Iterator[str]:
    """Give every line of a module that does what none may."""
    tree = ast.parse(source)
    known = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if {name.partition(".")[0] for name in names} & UNPICKLES:
                yield f"{where}:{node.lineno}: {ast.unparse(node)}: makes objects of bytes"
        elif isinstance(node, ast.Call) and (
            problem := wrong(node, named(node.func, known).removeprefix("builtins."), where)
        ):
            yield f"{where}:{node.lineno}: {ast.unparse(node)[:80]}: {problem}"


def test_nothing_unpickles_evaluates_or_asks_a_shell() -> None:
    """No module of the package does."""
    assert len(SOURCES) > 300
    assert [line for where, source in SOURCES.items() for line in found(source, where)] == []


@pytest.mark.parametrize(
    "source",
    [
        "eval(x)",
        "from builtins import exec\nexec(x)",
        "import os\nos.system(x)",
        "from os import popen\npopen(x)",
        "import os as o\no.execv(x, [])",
        "import pickle\npickle.loads(x)",
        "from pickle import loads\nloads(x)",
        "import pickle as p\np.Unpickler(x)",
        "import numpy as np\nnp.load(x)",
        "import numpy as np\nnp.load(x, allow_pickle=True)",
        "import numpy\nnumpy.save(x, y)",
        "import torch\ntorch.load(x)",
        "import torch\ntorch.load(x, weights_only=False)",
        "import torch.distributed as d\nd.all_gather_object(a, b)",
        "import pandas as pd\npd.read_pickle(x)",
        "import subprocess\nsubprocess.run(['ls'])",
        "import joblib",
        "from yaml import safe_load",
        "import importlib\nimportlib.import_module(x)",
        "archive.extractall(x)",
        "connection.execute(f'select {x}')",
        "connection.execute('select %s' % x)",
        "connection.execute('select ' + x)",
        "import jinja2\njinja2.Environment(loader=x)",
        "transformers.AutoModel.from_pretrained(x)",
    ],
)
def test_the_search_finds_what_it_is_for(source) -> None:
    """Each of these, by whatever name it was imported."""
    assert list(found(source, "relabel.somewhere"))


@pytest.mark.parametrize("call", ["run('ls')", "run(x, shell=True)", "Popen(f'ls {x}')", "run(['ls'], **x)"])
def test_those_who_may_start_programs_never_do_so_by_a_text(call) -> None:
    """Not through a shell, not with what is put together, and not with what cannot be seen here."""
    assert list(found(f"import subprocess\nsubprocess.{call}", "relabel.tracking.clerk"))
    assert not list(found("import subprocess\nsubprocess.run(['ls', x])", "relabel.tracking.clerk"))


def test_every_exception_is_needed() -> None:
    """A module that starts no program any more, or imports by no name, loses its place in the tables above."""
    for modules, what in ((STARTS, "subprocess."), (BECOMES, "os.posix_spawn"), (IMPORTS, "import_module(")):
        assert all(what in SOURCES[module] for module in modules)
    assert all(any(query.replace("'", '"') in source for source in SOURCES.values()) for query in QUERIES)
