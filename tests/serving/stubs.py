"""Clients' code, made by grpcio-tools from the .proto files that serving publishes."""

import importlib
import sys
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

from grpc_tools import protoc

from tools.places import SERVING

_FILES = (
    "feast/types/Value",
    "feast/serving/ServingService",
    "grpc/health/v1/health",
    "feast/serving/GrpcServer",
)
# google.rpc.Status as googleapis has it, by a name of the tests' own: what `grpc-status-details-bin` holds.
_STATUS = """
syntax = "proto3";
package wire_stubs.status;
import "google/protobuf/any.proto";
message Status {
  int32 code = 1;
  string message = 2;
  repeated google.protobuf.Any details = 3;
}
"""


def make(folder: Path) -> SimpleNamespace:
    """Generate and import: ``types``, ``serving``, ``health``, the stubs of the last two, and ``Status``."""
    proto = SERVING / "proto"
    # Moved into a package of the tests' own: a Feast that is installed stays as it is.
    for name in _FILES:
        text = (proto / f"{name}.proto").read_text().replace('import "feast/', 'import "wire_stubs/feast/')
        made = folder / "wire_stubs" / f"{name}.proto"
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(text)
    (folder / "wire_stubs" / "status.proto").write_text(_STATUS)
    known = resources.files("grpc_tools") / "_proto"
    sources = [f"wire_stubs/{name}.proto" for name in (*_FILES, "status")]
    words = ["protoc", f"-I{folder}", f"-I{known}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    assert protoc.main([*words, *sources]) == 0
    sys.path.insert(0, str(folder))
    try:
        types, serving, health, writing, status, calls, checks, writes = (
            importlib.import_module(f"wire_stubs.{name.replace('/', '.')}_pb2{kind}")
            for name, kind in [
                *((name, "") for name in (*_FILES, "status")),
                (_FILES[1], "_grpc"),
                (_FILES[2], "_grpc"),
                (_FILES[3], "_grpc"),
            ]
        )
    finally:
        sys.path.remove(str(folder))
    return SimpleNamespace(
        types=types,
        serving=serving,
        health=health,
        writing=writing,
        Status=status.Status,
        GrpcFeatureServerStub=writes.GrpcFeatureServerStub,
        ServingServiceStub=calls.ServingServiceStub,
        HealthStub=checks.HealthStub,
    )
