"""Zip archives, and the workbooks that are ones: how large they are unpacked, before anything unpacks them.

What belongs here: the directory of an archive, and counting what comes out of it, as the directory may lie. What does not:
which members are wanted (`fetch.arrival`) and what a workbook says (`workbook`). Nothing is written to the disk.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib

from pipeline import settings
from pipeline.readers import guarded

_DIRECTORY_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_STEP = 1024 * 1024
_DAMAGE = (zipfile.BadZipFile, struct.error, zlib.error, ValueError, NotImplementedError, EOFError, OSError)

_weighed: set[bytes] = set()  # hashes of archives that were counted: each is opened several times in a run


class BadArchive(Exception):
    """Why an archive cannot be what a publisher made."""


def refuse_swollen(content: bytes, file: str) -> None:
    """Raise Refusal for an archive that unpacks to more than any publication, BadArchive for one that is damaged.

    First the directory is asked, then every member is unpacked and counted, no further than the limit.
    """
    digest = hashlib.blake2b(content).digest()
    if digest in _weighed:
        return
    limits = settings.load().files
    if content.count(_DIRECTORY_ENTRY) > limits.members:  # before a list of them is made
        raise guarded.too_large(f"it has more than {limits.members:,} members", file)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
        names = [member.filename for member in members]
        if len(set(names)) < len(names):
            raise BadArchive("two members have one name")
        told = sum(member.file_size for member in members)
        if told > limits.unpacked_bytes:
            raise guarded.too_large(_unpacked(told), file)
        room = limits.unpacked_bytes
        for member in members:
            room -= _unpacked_bytes(content, member, room)
            if room < 0:
                raise guarded.too_large(f"unpacked it is more than {limits.unpacked_bytes // 2**20} MiB", file)
    except _DAMAGE as error:
        raise BadArchive(str(error) or type(error).__name__) from error
    _weighed.add(digest)


def _unpacked(told: int) -> str:
    return f"unpacked it would be {told // 2**20:,} MiB"


def _unpacked_bytes(content: bytes, member: zipfile.ZipInfo, room: int) -> int:
    """The bytes that a member unpacks to, counted to a little more than `room` at most."""
    signature, name, extra = _LOCAL_HEADER.unpack_from(content, member.header_offset)
    start = member.header_offset + _LOCAL_HEADER.size + name + extra
    if signature != b"PK\x03\x04" or start + member.compress_size > len(content):
        raise BadArchive(f"its member {member.filename} is not where the directory says")
    packed = memoryview(content)[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        return len(packed)
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise BadArchive(f"its member {member.filename} is packed in a way that no publication is")
    unpacking, counted, at = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
    rest: bytes | memoryview = b""
    while not unpacking.eof and counted <= room:
        rest = unpacking.unconsumed_tail or packed[at : at + _STEP]
        if not unpacking.unconsumed_tail:
            at += _STEP
        came = len(unpacking.decompress(rest, _STEP))
        if not came and not rest:
            raise BadArchive(f"its member {member.filename} is cut short")
        counted += came
    return counted
