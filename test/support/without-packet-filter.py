"""`python3 without-packet-filter.py nft|all COMMAND…`: runs a command as on a kernel without nf_tables, or without any packet filter.

The system calls by which iptables asks for them fail as they do there; seccomp is the only way to take that from one
process, and Node has no door to it.
"""
import ctypes
import errno
import os
import platform
import struct
import sys

SOCKET, GETSOCKOPT = {"x86_64": (41, 55), "aarch64": (198, 209)}[platform.machine()]
AF_NETLINK, NETLINK_NETFILTER = 16, 12
GET_INFO = 64  # IPT_SO_GET_INFO and IP6T_SO_GET_INFO: "which table?"
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000


def step(code, value, skip=(0, 0)):
    return struct.pack("HBBI", code, skip[0], skip[1], value)


def argument(index):
    return step(LOAD, 16 + 8 * index)


# A jump skips that many steps when equal, and that many when not.
no_nft = [step(LOAD, 0), step(EQUAL, SOCKET, (0, 5)), argument(0), step(EQUAL, AF_NETLINK, (0, 3)), argument(2)]
no_nft += [step(EQUAL, NETLINK_NETFILTER, (0, 1)), step(RETURN, FAIL | errno.EPROTONOSUPPORT)]
no_legacy = [step(LOAD, 0), step(EQUAL, GETSOCKOPT, (0, 3)), argument(2), step(EQUAL, GET_INFO, (0, 1)), step(RETURN, FAIL | errno.ENOENT)]
program = b"".join(no_nft + (no_legacy if sys.argv[1] == "all" else []) + [step(RETURN, ALLOW)])


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


steps = ctypes.create_string_buffer(program)
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
for call in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(Filter(len(program) // 8, ctypes.addressof(steps))))]:
    if libc.prctl(*call) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
os.execvp(sys.argv[2], sys.argv[2:])
