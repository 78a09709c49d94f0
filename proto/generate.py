"""Make the Python code of the contract, or check that it is what the protos say.

    python proto/generate.py            write the generated code beside the protos
    python proto/generate.py --check    compare it, and the accepted contract, with the protos; write nothing
    python proto/generate.py --accept   record what was added to the contract; refuses what would break callers

Uses the grpcio-tools of the interpreter that runs it. Writing needs exactly the pinned version, checking any: the
descriptors inside the generated code are the same whatever the version, its text is compared under the pinned one only.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from breaking import breaks, contract, uncommented
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).parent
ACCEPTED = ROOT / "elige/v1/contract.json"
PINNED = "1.68.1"
"""The oldest grpcio-tools we support: generated code refuses runtimes older than what generated it."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code: 0 as it should be, 1 not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    todo = parser.add_mutually_exclusive_group()
    todo.add_argument("--check", action="store_true", help="compare, write nothing")
    todo.add_argument("--accept", action="store_true", help="record additions to the contract")
    options = parser.parse_args(arguments)
    problems = check() if options.check else accept() if options.accept else write()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def write() -> list[str]:
    """Write the generated code, and remove what no proto gives any more. What forbids it, else nothing."""
    if (installed := version("grpcio-tools")) != PINNED:
        return [f"grpcio-tools {installed} would make code that older runtimes refuse: expected {PINNED}"]
    made = generated(protos())
    for gone in checked_in().keys() - made.keys():
        (ROOT / gone).unlink()
    for name, text in made.items():
        (ROOT / name).write_text(text, encoding="utf-8")
    return []


def accept() -> list[str]:
    """Record today's contract as the accepted one. What forbids it, else nothing."""
    today = contract(descriptors(protos()))
    if ACCEPTED.exists() and (broken := breaks(json.loads(ACCEPTED.read_text(encoding="utf-8")), today)):
        return broken
    ACCEPTED.write_text(json.dumps(today, indent=2) + "\n", encoding="utf-8")
    return []


def check() -> list[str]:
    """All that is not as it should be, one sentence each."""
    files = descriptors(protos())
    problems = [f"{name} has no comment" for name in uncommented(files)]
    today, accepted = contract(files), json.loads(ACCEPTED.read_text(encoding="utf-8"))
    problems += breaks(accepted, today)
    if not problems and accepted != today:
        problems.append(f"{ACCEPTED.name} lacks what was added: run `python proto/generate.py --accept`")
    again = "run `python proto/generate.py`"
    problems += [f"{file.name} is not what its generated code holds: {again}" for file in files.file if stale(file)]
    if version("grpcio-tools") == PINNED:
        made, found = generated(protos()), checked_in()
        wrong = sorted(name for name in made.keys() | found.keys() if made.get(name) != found.get(name))
        problems += [f"{name} is not what the protos give: {again}" for name in wrong]
    return problems


def protos() -> list[str]:
    """The proto files, relative to ROOT, sorted."""
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("elige/v1/*.proto"))


def checked_in() -> dict[str, str]:
    """The generated code as it is: name relative to ROOT to text."""
    found = [
        path for pattern in ("*_pb2.py", "*_pb2_grpc.py", "*_pb2.pyi") for path in ROOT.glob(f"elige/v1/{pattern}")
    ]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


def generated(names: list[str]) -> dict[str, str]:
    """The generated code as it should be: name relative to ROOT to text. Protos without a service get no gRPC file."""
    with_service = [file.name for file in descriptors(names).file if file.service]
    with tempfile.TemporaryDirectory() as out:
        protoc(f"--python_out={out}", f"--pyi_out={out}", *names)
        protoc(f"--grpc_python_out={out}", *with_service)
        made = [path for path in Path(out).rglob("*.py*") if path.is_file()]
        return {path.relative_to(out).as_posix(): path.read_text(encoding="utf-8") for path in made}


def descriptors(names: list[str]) -> FileDescriptorSet:
    """What the protos say, with source info."""
    with tempfile.TemporaryDirectory() as out:
        file = Path(out, "descriptors")
        protoc(f"--descriptor_set_out={file}", "--include_source_info", *names)
        return FileDescriptorSet.FromString(file.read_bytes())


def stale(file: FileDescriptorProto) -> bool:
    """Whether the generated module of a proto is missing, or holds another descriptor than the proto gives."""
    try:
        module = importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
    except ImportError:
        return True
    held = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(held)
    return _bare(held) != _bare(file)


def _bare(file: FileDescriptorProto) -> FileDescriptorProto:
    """Without what generated code leaves out: comments, and the fields' names in JSON, which follow from the others."""
    bare = FileDescriptorProto()
    bare.CopyFrom(file)
    bare.ClearField("source_code_info")
    waiting = list(bare.message_type)
    while waiting:
        message = waiting.pop()
        waiting += message.nested_type
        for field in message.field:
            field.ClearField("json_name")
    return bare


def protoc(*arguments: str) -> None:
    """Run the compiler. Raises SystemExit with what it said."""
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"protoc {' '.join(arguments)}:\n{done.stderr}")


if __name__ == "__main__":
    raise SystemExit(main())
