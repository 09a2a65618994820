"""Names of nodes: one id for each thing, however producers spell it."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from controlplane.kernel.errors import Refused

OWN_SCHEME = "freshline://"


class Kind(StrEnum):
    """What a node is."""

    DATASET = "dataset"
    JOB = "job"
    VIEW = "view"
    SERVICE = "service"
    MODEL = "model"


_SEPARATOR = {Kind.DATASET: "|", Kind.JOB: "|", Kind.VIEW: "/", Kind.SERVICE: "/", Kind.MODEL: "/"}
# Two spellings of one scheme in the naming standard and its producers.
_SCHEMES = {"postgresql://": "postgres://"}


@dataclass(frozen=True, slots=True, order=True)
class NodeRef:
    """A node's identity. For view, service and model the namespace is the project."""

    kind: Kind
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """``dataset:<namespace>|<name>``, ``job:...``, ``view:<project>/<view>``, ``service:...``"""
        return f"{self.kind}:{self.namespace}{_SEPARATOR[self.kind]}{self.name}"

    @property
    def digest(self) -> str:
        """SHA-256 of the id in hex: what rows are found by, since an id may be too long to index."""
        return hashlib.sha256(self.id.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def project(self) -> str | None:
        """The project that the node belongs to, or None for what is everybody's."""
        if self.kind not in (Kind.DATASET, Kind.JOB):
            return self.namespace
        if self.namespace.startswith(OWN_SCHEME):
            return self.namespace.removeprefix(OWN_SCHEME).split("/")[0]
        return None


def dataset(namespace: str, name: str) -> NodeRef:
    """Return the node of a dataset; in our own namespace that is a feature view."""
    for spelled, canonical in _SCHEMES.items():
        if namespace.startswith(spelled):
            namespace = canonical + namespace.removeprefix(spelled)
    if namespace.startswith(OWN_SCHEME):
        return NodeRef(Kind.VIEW, namespace.removeprefix(OWN_SCHEME), name)
    return NodeRef(Kind.DATASET, namespace, name)


def job(namespace: str, name: str) -> NodeRef:
    """Return the node of a job."""
    return NodeRef(Kind.JOB, namespace, name)


def view(project: str, name: str) -> NodeRef:
    """Return the node of a feature view."""
    return NodeRef(Kind.VIEW, project, name)


def lane_job(project: str, view_name: str, lane: str) -> NodeRef:
    """Return the node of our own job that fills a view by a lane."""
    return job(f"{OWN_SCHEME}{project}", f"{view_name}.{lane}")


def parse_id(text: str) -> NodeRef:
    """Read a node id, percent-encoded or not. Refused when it is none."""
    kind_text, colon, rest = text.partition(":")
    if colon and kind_text in set(Kind):
        kind = Kind(kind_text)
        namespace, separator, name = rest.rpartition(_SEPARATOR[kind])
        if separator and namespace and name:
            return NodeRef(kind, unquote(namespace), unquote(name))
    raise Refused(
        "bad_node_id",
        f"{text!r} is no node: write dataset:<namespace>|<name>, job:..., view:<project>/<view>",
    )
