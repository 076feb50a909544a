"""What the source itself may not do: no pickle, no shell, no network, no code made of text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "videmo"
FORBIDDEN_IMPORTS = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle", "yaml"),
    *("urllib", "http", "requests", "httpx", "aiohttp", "socket", "ftplib", "smtplib", "ssl", "webbrowser"),
    *("subprocess", "pty", "multiprocessing", "runpy", "code", "openvino_telemetry", "huggingface_hub"),
}
EXCEPTIONS = {
    ("findings/report/panels.py", "urllib"): "`urllib.parse.quote` spells the path of a film as a URL",
    ("pipeline/memory.py", "ctypes.CDLL"): "without a name: the C library that Python itself runs with",
}
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN_ATTRIBUTES = {
    *("os.system", "os.popen", "os.exec", "os.execv", "os.spawnv", "os.fork", "os.posix_spawn", "tempfile.mktemp"),
    *("pd.read_pickle", "pandas.read_pickle", "np.frombytes", "keras.utils.get_file", "keras.models.load_model"),
    *("keras.config.enable_unsafe_deserialization", "tf.io.gfile", "ctypes.CDLL"),
}
FORBIDDEN_OPTIONS = {"allow_pickle": True, "shell": True, "safe_mode": False, "custom_objects": ...}
SOURCES = sorted(PACKAGE.rglob("*.py"))


def find_offences(source: str, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        for module in imported(node):
            if module.split(".")[0] in FORBIDDEN_IMPORTS and (name, module.split(".")[0]) not in EXCEPTIONS:
                yield f"imports {module}"
        if isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
            yield f"uses {node.id}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in FORBIDDEN_ATTRIBUTES:
            yield from [] if (name, ast.unparse(node)) in EXCEPTIONS else [f"uses {ast.unparse(node)}"]
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                wrong = FORBIDDEN_OPTIONS.get(keyword.arg or "")
                if wrong is ... or (wrong is not None and ast.unparse(keyword.value) == str(wrong)):
                    yield f"passes {ast.unparse(keyword)}"
            if ast.unparse(node.func).endswith("load_model") and ast.unparse(node.func).startswith("keras"):
                yield from [] if "safe_mode=True" in ast.unparse(node) else ["loads a model without safe mode"]


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_can_run_or_fetch_what_it_was_not_shipped_with(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    assert list(find_offences(path.read_text(encoding="utf-8"), name)) == []


def test_the_exceptions_are_needed() -> None:
    for name, needed in EXCEPTIONS:
        offences = list(find_offences((PACKAGE / name).read_text(encoding="utf-8"), "elsewhere.py"))
        assert offences
        assert all(needed in offence for offence in offences)


def test_no_foreign_library_is_loaded() -> None:
    calls = [
        ast.unparse(node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("ctypes.")
    ]
    assert calls == ["ctypes.CDLL(None)"]


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from urllib.request import urlopen",
        "def load():\n    import joblib",
        "eval('1')",
        "np.load(path, allow_pickle=True)",
        "run(command, shell=True)",
        "os.system('true')",
        "keras.saving.load_model(path)",
        "keras.saving.load_model(path, safe_mode=False)",
        "load(path, custom_objects=things)",
        "pd.read_pickle(path)",
    ],
)
def test_each_offence_is_found(source: str) -> None:
    assert list(find_offences(source, "made_up.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_openvino_is_only_imported_without_its_telemetry(path: Path) -> None:
    """Its import alone tells Google Analytics of it, unless `import_openvino` is what imports it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if any(name.split(".")[0] == "openvino" for name in imported(node))]
    if path.name != "openvino_network.py":
        assert found == []
        return
    allowed = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "import_openvino")
    plain = [node for node in found if isinstance(node, ast.Import)]
    assert [node for node in plain if node not in list(ast.walk(allowed))] == []


def test_nncf_is_only_imported_after_the_telemetry_was_shut_out() -> None:
    """It asks for the same telemetry as OpenVINO."""
    trees = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    imports = [
        (name, node)
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if any(module.split(".")[0] == "nncf" for module in imported(node))
    ]
    assert [name for name, _ in imports] == ["openvino_int8.py"]
    (function,) = [
        node
        for node in ast.walk(trees["openvino_int8.py"])
        if isinstance(node, ast.FunctionDef) and imports[0][1] in node.body
    ]
    calls = [ast.unparse(node) for node in function.body[: function.body.index(imports[0][1])]]
    assert "import_openvino()" in calls
