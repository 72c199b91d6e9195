"""A system call filter that closes the two ways around a network namespace."""

from __future__ import annotations

import ctypes
import errno
import os
import platform

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_AF_VSOCK = 40
_IO_URING_SETUP = 425  # the same on both architectures

# Instruction codes of classic BPF, and the offsets of struct seccomp_data.
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000

# (audit architecture, number of socket(2))
_ARCHITECTURES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_X32_BIT = 0x40000000


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("when_true", ctypes.c_uint8),
        ("when_false", ctypes.c_uint8),
        ("operand", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def close_side_doors() -> None:
    """Filter this process and all it starts from now on; raises OSError.

    AF_VSOCK sockets reach a hypervisor from any network namespace and the runtime's default profile
    lets pods make them: they answer EAFNOSUPPORT, as on a kernel without them. io_uring could make
    them unseen by any filter, and the calling conventions of other architectures have other numbers
    for the same calls: both are refused.
    """
    architecture, socket = _ARCHITECTURES[platform.machine()]
    steps = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 0, 8, architecture),  # another calling convention → refuse
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 6, 0, _X32_BIT),  # → refuse
        (_EQUAL, 5, 0, _IO_URING_SETUP),  # → refuse
        (_EQUAL, 0, 2, socket),  # any other call → allow
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 1, 0, _AF_VSOCK),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    instructions = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"install a system call filter: {os.strerror(number)}")
