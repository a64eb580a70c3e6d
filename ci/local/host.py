"""What this machine is and has: facts only, nothing is changed."""

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
"""linux/capability.h, in bit order."""

MEMORY_NEEDED = 6 * 2**30
"""Bytes of available memory that a bootstrap needs."""
DISK_NEEDED = {"build": 25 * 2**30, "pull": 10 * 2**30, "cached": 6 * 2**30}
"""Bytes of free disk that a bootstrap needs, by what is left to do."""


@dataclass(frozen=True, slots=True)
class Host:
    """Memory and disk in bytes; `missing` are capabilities outside the bounding set."""

    root: bool
    debian: bool
    cgroup: int
    missing: tuple[str, ...]
    memory_available: int
    cores: int


def read() -> Host:
    """Look at /proc and /sys."""
    return Host(
        root=os.geteuid() == 0,
        debian=Path("/etc/debian_version").exists(),
        cgroup=2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1,
        missing=missing_capabilities(Path("/proc/self/status").read_text()),
        memory_available=available_memory(Path("/proc/meminfo").read_text()),
        cores=os.cpu_count() or 1,
    )


def missing_capabilities(status: str) -> tuple[str, ...]:
    """Names of known capabilities whose bit is clear in the CapBnd line of /proc/self/status."""
    bits = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapBnd"))
    return tuple(f"CAP_{name}" for bit, name in enumerate(_CAPABILITIES) if not bits >> bit & 1)


def available_memory(meminfo: str) -> int:
    """Bytes of MemAvailable in /proc/meminfo's text."""
    line = next(line for line in meminfo.splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) * 1024


def free_disk(folder: Path) -> int:
    """Bytes free for us on the file system that holds `folder` (or will hold it)."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def port_taken(port: int) -> bool:
    """Whether something listens on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
