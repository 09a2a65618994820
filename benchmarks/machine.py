"""What a measurement ran on, without a name or a path: processor, cores, memory, load, versions."""

import os
import platform
import re
from pathlib import Path


def describe_machine() -> dict[str, str]:
    """Return facts by name, in the order in which a report shows them."""
    one, five, _ = os.getloadavg()
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gb():.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "load before": f"{one:.1f} (1 min), {five:.1f} (5 min)",
    }


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.M)
    return found[1].strip() if found else platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # not Linux
        return ""
