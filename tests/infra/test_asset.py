"""The asset: its contents, the same bytes everywhere, and that it runs alone."""

import hashlib
import importlib
import io
import json
import marshal
import os
import shutil
import ssl
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from infra.asset import build
from infra.asset.build import BundleError, build_asset, pinned_distributions
from infra.asset.bytecode import find_python, precompile
from infra.asset.roots import BUNDLE, LABELS, amazon_roots
from infra.asset.stubs import STUBS

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
UNCHECKED_HASH = 0b01  # PEP 552: hash-based, and not to be compared with the source

BUILD = """
import sys
from pathlib import Path
from infra.asset.build import build_asset
build_asset(Path(sys.argv[1]), package=Path(sys.argv[2]), python_version=sys.argv[3])
"""

CALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

class Body:
    def __init__(self, content):
        self.content = content
    def stream(self):
        yield self.content

def call(service, operation, status, answer, **parameters):
    sent = []
    def answers(request, **_):
        sent.append({"target": request.headers["X-Amz-Target"].decode(), "body": json.loads(request.body)})
        return AWSResponse(request.url, status, {}, Body(json.dumps(answer).encode()))
    client = boto3.client(
        service, "eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.meta.events.register("before-send", answers)
    try:
        result = getattr(client, operation)(**parameters)
        del result["ResponseMetadata"]
    except client.exceptions.ClientError as error:
        result = [type(error).__name__, error.response["Error"]["Message"], error.response.get("code")]
    return sent + [result]

print(json.dumps([call(**one) for one in json.loads(sys.argv[2])]))
"""


HANDLERS = ("audit", "copy", "create", "drill", "fan_out", "notify", "prune")
VARIABLES = (
    "EVENT_BUS_NAME",
    "SNAPSHOT_REGIONS",
    "QUEUE_URL",
    "DEAD_LETTER_QUEUE_URL",
    "LOG_GROUP",
    "TOPIC_ARN",
    "RUNBOOK",
)
IMPORTED = f"""
import importlib, json, os, sys
sys.path.insert(0, sys.argv[1])
os.environ.update(dict.fromkeys({VARIABLES!r}, "x"), AWS_REGION="eu-central-1", POWERTOOLS_SERVICE_NAME="x")
os.environ.update(POWERTOOLS_METRICS_NAMESPACE="x", DEADLINE_SECONDS="1", FIRST_RETRY_SECONDS="1")
importlib.import_module(sys.argv[2])
print(json.dumps(list(sys.modules)))
"""
IMPORT_ALL = """
import importlib, json, os, pathlib, sys
sys.path.insert(0, sys.argv[1])
os.environ.update(AWS_REGION="eu-central-1", POWERTOOLS_METRICS_NAMESPACE="x")
root = pathlib.Path(sys.argv[1])
failed = []
for path in sorted(root.rglob("*.py")):
    names = path.relative_to(root).with_suffix("").parts
    if names[0] in ("boto3", "botocore", "aws_lambda_powertools", "urllib3", "dateutil", "jmespath"):
        try:
            importlib.import_module(".".join(names).removesuffix(".__init__"))
        except ModuleNotFoundError as error:
            failed.append([str(path.relative_to(root)), error.name])
print(json.dumps(failed))
"""
UNUSED_PACKAGES = {"awscrt", "html", "multiprocessing", "pydantic", "typing_extensions", "zipfile"}
UNUSED_MODULES = (
    "boto3.docs",
    "botocore.docs.bcdoc",
    "importlib.metadata",
    "s3transfer.download",
    "urllib3.http2.connection",
)
MOST_MODULES = 400
"""Each module takes a thousandth of a cold start or two."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The asset, as a runtime of this very Python would get it."""
    output = tmp_path_factory.mktemp("asset")
    assert build_asset(output, python_version=THIS_PYTHON)
    return output


def isolated(script: str, *arguments: str) -> str:
    """Run a script by this Python without site-packages, the environment and the current directory."""
    command = [sys.executable, "-I", "-S", "-B", "-c", script, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - a fixed command


def contents(folder: Path) -> dict[str, tuple[str, str]]:
    return {
        str(path.relative_to(folder)): (
            oct(path.stat().st_mode),
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in folder.rglob("*")
    }


def test_second_build_elsewhere_has_the_same_bytes_and_modes(built: Path, tmp_path: Path) -> None:
    package, output, elsewhere = tmp_path / build.PACKAGE.name, tmp_path / "output", tmp_path / "elsewhere"
    shutil.copytree(build.PACKAGE, package)
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "old.cpython-39.pyc").write_bytes(b"litter")
    (package / ".DS_Store").write_bytes(b"litter")
    output.mkdir()
    elsewhere.mkdir()
    subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-c", BUILD, str(output), str(package), THIS_PYTHON],
        check=True,
        cwd=elsewhere,
        umask=0o077,
        env={**os.environ, "PYTHONPATH": f"{build.ROOT}:{build.ROOT / 'lambda'}", "PYTHONHASHSEED": "7"},
    )
    assert contents(output) == contents(built)


def test_everyone_may_read_the_files(built: Path) -> None:
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in built.rglob("*")}
    assert modes == {(True, 0o755), (False, 0o644)}


def test_zipped_asset_is_at_most_2_7_mebibytes(built: Path) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in built.rglob("*"):
            archive.write(path, path.relative_to(built))
    assert len(zipped.getvalue()) <= 2.7 * 1024 * 1024


def test_asset_has_no_trace_of_the_machine_or_the_installer(built: Path) -> None:
    names = {path.name for path in built.rglob("*")}
    assert not names & {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "bin"}
    here = [str(built).encode(), str(build.ROOT).encode(), sys.prefix.encode()]
    assert not [path for path in built.rglob("*") if path.is_file() and any(word in path.read_bytes() for word in here)]


def test_amazon_roots_are_those_of_the_bundle_and_issued_by_amazon_trust_services(built: Path) -> None:
    def loaded(path: Path) -> dict[str, str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(path)
        found = zip(context.get_ca_certs(binary_form=True), context.get_ca_certs(), strict=True)
        return {hashlib.sha256(der).hexdigest(): str(text["subject"]) for der, text in found}

    roots = loaded(built / "lightsail_snapshots" / "aws" / "amazon_roots.pem")
    bundle = loaded(built / "botocore" / "cacert.pem")
    assert roots.items() <= bundle.items()
    assert len(roots) == len(LABELS)
    assert all(any(label in subject for subject in roots.values()) for label in LABELS)
    assert len(bundle) > 100


def test_bundle_without_one_of_amazon_roots_is_an_error() -> None:
    with pytest.raises(ValueError, match="each of these roots once"):
        amazon_roots(BUNDLE.read_text().replace('"Amazon Root CA 3"', '"Another Root"'))


@pytest.mark.parametrize("path", STUBS)
def test_stub_has_names_that_the_installed_module_has_too(path: str) -> None:
    module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    assert all(isinstance(getattr(module, name), type) for name in STUBS[path])


@pytest.mark.parametrize("handler", HANDLERS)
def test_function_imports_only_what_it_uses_when_it_starts(handler: str, built: Path) -> None:
    """The budget of a cold start, without a clock: what a function imports before its first event."""
    imported = set(json.loads(isolated(IMPORTED, str(built), f"lightsail_snapshots.{handler}")))
    assert not {name for name in imported if name.split(".")[0] in UNUSED_PACKAGES or name.startswith(UNUSED_MODULES)}
    assert len(imported) <= MOST_MODULES


@pytest.mark.parametrize("handler", ["create", "copy", "drill"])
def test_function_of_a_queue_looks_for_the_garbage_of_its_invocations_alone(handler: str, built: Path) -> None:
    """Else its memory grows by 8 MiB in thousands of batches: `python -m benchmarks functions`."""
    script = IMPORTED.replace("list(sys.modules)", "[gc.get_threshold()[0], gc.get_freeze_count()]")
    threshold, frozen = json.loads(isolated(f"import gc{script}", str(built), f"lightsail_snapshots.{handler}"))
    assert threshold <= 5_000
    assert frozen > 20_000


def test_every_module_of_the_asset_can_be_imported(built: Path) -> None:
    """What was left out is missed by nothing that ships."""
    assert json.loads(isolated(IMPORT_ALL, str(built))) == []


def test_every_module_is_compiled_for_its_place_on_lambda(built: Path) -> None:
    sources = list(built.rglob("*.py"))
    assert sources
    for source in sources:
        bytecode = (source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc").read_bytes()
        code: CodeType = marshal.loads(bytecode[16:])  # noqa: S302 - written a moment ago
        assert int.from_bytes(bytecode[4:8], "little") == UNCHECKED_HASH
        assert code.co_filename == f"/var/task/{source.relative_to(built)}"


def test_bytecode_runs_when_time_stamps_differ(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("print('compiled')")
    precompile(tmp_path)
    module.write_text("print('read from the source')")
    assert isolated(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import module") == "compiled\n"


def fake_python(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path / "path"


def test_asset_has_no_bytecode_if_no_python_of_the_runtime_is_found(tmp_path: Path, only_path: Path) -> None:
    assert not list(only_path.iterdir())
    (tmp_path / "asset").mkdir()
    assert not build_asset(tmp_path / "asset", python_version="3.5")
    assert not list((tmp_path / "asset").rglob("*.pyc"))


def test_python_is_taken_from_the_path_and_pyenv_is_told_the_version(only_path: Path) -> None:
    fake_python(only_path, "python3.6", 'echo "pyenv $PYENV_VERSION"')
    assert find_python("3.6") == "pyenv 3.6"


def test_python_comes_from_uv_if_the_one_on_the_path_does_not_start(only_path: Path) -> None:
    fake_python(only_path, "python3.7", "exit 127")
    fake_python(only_path, "uv", 'echo "$1 $2 $3 $4 $5 $6"')
    assert find_python("3.7") == "run --no-project --no-config --python cpython-3.7 python"


def test_python_that_cannot_be_fetched_is_none(only_path: Path) -> None:
    fake_python(only_path, "uv", "echo 'error: Failed to download' >&2; exit 1")
    assert find_python("3.8") is None


def test_asset_alone_sends_our_calls_and_reads_the_responses(built: Path) -> None:
    def call(operation: str, parameters: Any, answer: Any, service: str = "lightsail", status: int = 200) -> Any:
        return {"service": service, "operation": operation, "status": status, "answer": answer, **parameters}

    create = {"instanceName": "web-1", "instanceSnapshotName": "web-1-a", "tags": [{"key": "env", "value": "prod"}]}
    started = {"operations": [{"resourceName": "web-1-a", "resourceType": "InstanceSnapshot", "status": "Started"}]}
    in_use = {"__type": "InvalidInputException", "message": "Some names are already in use", "code": "NameExists"}
    get = {"instanceSnapshotName": "web-1-a"}
    found = {"instanceSnapshot": {"name": "web-1-a", "state": "pending", "fromInstanceName": "web-1"}}
    entries = {"Entries": [{"Source": "us", "DetailType": "Example", "Detail": "{}"}]}
    put = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
    answers = isolated(
        CALL,
        str(built),
        json.dumps(
            [
                call("create_instance_snapshot", create, started),
                call("create_instance_snapshot", create, in_use, status=400),
                call("get_instance_snapshot", get, found),
                call("put_events", entries, put, service="events"),
            ]
        ),
    )
    target = "Lightsail_20161128"
    assert json.loads(answers) == [
        [{"target": f"{target}.CreateInstanceSnapshot", "body": create}, started],
        [
            {"target": f"{target}.CreateInstanceSnapshot", "body": create},
            ["InvalidInputException", "Some names are already in use", "NameExists"],
        ],
        [{"target": f"{target}.GetInstanceSnapshot", "body": get}, found],
        [{"target": "AWSEvents.PutEvents", "body": entries}, put],
    ]


def test_bundle_error_lists_everything_wrong_with_the_environment() -> None:
    lock = [
        "botocore==0.0.1 \\",
        "    --hash=sha256:00",
        "no-such-distribution==1.0",
        f"awslambdaric=={version('awslambdaric')}",
    ]
    with pytest.raises(BundleError) as raised:
        pinned_distributions("\n".join(lock))
    assert str(raised.value).splitlines() == [
        "The Lambda asset cannot be built from this environment:",
        f"  - botocore {version('botocore')} is installed, 0.0.1 is pinned",
        "  - no-such-distribution 1.0 is not installed",
        f"  - awslambdaric {version('awslambdaric')} is not a pure Python wheel, and may not run on Lambda",
        "Install what requirements.txt pins, and try again. `make clean`, then the same target, does both.",
    ]


def test_lock_file_pins_what_the_tests_run_with() -> None:
    names = {dist.name.lower() for dist in pinned_distributions(build.LOCK.read_text())}
    assert {"aws_lambda_powertools", "boto3", "botocore", "s3transfer", "urllib3"} <= names
