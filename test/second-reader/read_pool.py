#!/usr/bin/env python3
"""A second reader of mabs' pools, written from docs/formats/pool.md alone; the sections named below are those of that page.

It never writes to a pool and needs no home, no catalog and, but for `check`, no index.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import hmac
import itertools
import json
import re
import struct
import sys
import unicodedata
import zlib
from pathlib import Path
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Tuple

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ENVELOPE, CHECKSUM, TAG, PACK_END, PAGE, CONTENT = 80, 32, 16, 128, 4096, 4032
KINDS = {"mabs-pool": 1, "keys": 2, "manifests": 3, "records": 4, "purged": 5, "condemned": 6, "epochs": 7}
SEALED, COMPRESSED = 1, 2
MAX_RAW, MAX_BLOCKS, ZERO = 1 << 20, 65_535, bytes(32)
DAMAGE = (ValueError, KeyError, IndexError, TypeError, OSError, struct.error)
ABOUT = "<16s12s4xII"  # associated data of what is sealed in a pack
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Damaged(ValueError):
    """Something in the pool is not what the page says."""


class Newer(Exception):
    """A version, flag, kind or codec that this reader does not know."""


def newest_first(pack_key: bytes) -> tuple[int, bytes]:
    return -struct.unpack_from("<I", pack_key)[0], pack_key


def expect(right: bool, what: str, error: type[Exception] = Damaged) -> None:
    if not right:
        raise error(what)


def derive(key: bytes, salt: bytes, purpose: str) -> bytes:
    """HKDF-SHA-256 to a key of 32 bytes."""
    return hmac.digest(hmac.digest(salt, key, "sha256"), purpose.encode() + b"\1", "sha256")


def unseal(key: bytes, nonce: tuple[int, int], sealed: bytes, associated: bytes, what: str) -> bytes:
    """AES-256-GCM with the tag behind; the nonce is three u32, the last of them 0."""
    try:
        return AESGCM(key).decrypt(struct.pack("<III", *nonce, 0), sealed, associated)
    except InvalidTag:
        raise Damaged(f"{what}: does not open with the key") from None


def expand(frame: bytes, length: int, what: str) -> bytes:
    """One zstd frame that holds exactly `length` bytes."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(frame, max_output_size=max(length, 1))
    except zstandard.ZstdError as error:
        raise Damaged(f"{what}: {error}") from None
    expect(len(raw) == length, f"{what}: {len(raw)} bytes instead of {length}")
    return raw


class Thing(NamedTuple):
    """A small object, its payload opened."""

    name: str
    payload: bytes
    checksum: bytes

    def json(self) -> Any:
        value = json.loads(self.payload.decode("utf-8"))
        expect(value["version"] == 1, f"{self.name}: version {value['version']}", Newer)
        return value


Numbers = [(name, int) for name in ("raw", "stored", "kind", "codec", "offset", "ordinal")]
Block = NamedTuple("Block", [("digest", bytes), *Numbers])
Checks = List[Tuple[int, int]]
Pack = NamedTuple("Pack", [("path", Path), ("key", bytes), ("sealing_key", Optional[bytes]), ("checks", Checks), ("blocks", List[Block])])
Entries = List[Tuple[Block, bytes]]
Segment = NamedTuple("Segment", [("name", str), ("entries", Entries), ("fences", List[int]), ("filter", bytes), ("packs", List[bytes])])


class Pool:
    """A pool in a folder, opened for reading."""

    def __init__(self, root: Path, complain: Callable[[str], None], secret: str | None, is_recovery_key: bool) -> None:
        self.root, self.complain = root, complain
        self.id, self.sealed = b"", False
        self.ids: bytes | None = None
        self.sealing: bytes | None = None
        self.header = self.read("mabs-pool").json()
        said, self.sealed = [self.header[part] for part in ("format", "codec", "cipher", "hash")], self.header["cipher"] != "none"
        expect(said == ["mabs-pool", "zstd", *(("aes-256-gcm", "hmac-sha256") if self.sealed else ("none", "sha256"))], f"{said}", Newer)
        expect(self.header["id"] == self.id.hex(), "mabs-pool: its id is not that of its envelope")
        if self.sealed:
            expect(bool(secret), "this pool is encrypted: give a passphrase or a recovery key")
            master = (self.recovered if is_recovery_key else self.unwrapped)(secret or "")
            check = hmac.digest(master, b"mabs key check", "sha256")[:16].hex()
            expect(check == self.header["keyCheck"], "this key is of another pool")
            self.ids = derive(master, self.id, "mabs 1 block ids")
            self.sealing = derive(master, self.id, "mabs 1 sealing")
        self.purged = self.latest("purged") or {"ranges": [], "checksums": {}}

    def attempt(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """What an action answers; damage is told, and does not keep the rest of the pool from being read."""
        try:
            return action(*arguments)
        except DAMAGE as problem:
            self.complain(f"{type(problem).__name__}: {problem}")
            return None

    def names(self, folder: str, pattern: str) -> list[str]:
        """Names of the objects in a folder that fit the table of section Objects, in order; other files are ignored."""
        found = sorted(path.name for path in (self.root / folder).glob("*"))
        return [f"{folder}/{name}" for name in found if re.fullmatch(pattern, name)]

    def read(self, name: str) -> Thing:
        """Section Small objects: envelope, checksum, seal and compression."""
        data, kind = (self.root / name).read_bytes(), KINDS[name.split("/")[0]]
        expect(len(data) >= ENVELOPE + CHECKSUM and data[:8] == b"MABSOBJT", f"{name}: not an object")
        checksum = data[-CHECKSUM:]
        expect(hashlib.sha256(name.encode() + b"\0" + data[:-CHECKSUM]).digest() == checksum, f"{name}: its checksum is wrong")
        version, found, flags, stored, raw = struct.unpack_from("<HBBII", data, 8)
        expect(version == 1 and not flags & ~3 and found < 8, f"{name}: version {version}, kind {found}, flags {flags}", Newer)
        expect(found == kind and not any(data[20:32]), f"{name}: is of kind {found}, or reserved bytes are not zero")
        expect(stored == len(data) - ENVELOPE - CHECKSUM, f"{name}: its length is wrong")
        self.id = self.id or data[32:48]
        expect(data[32:48] == self.id, f"{name}: is of another pool")
        expect(bool(flags & SEALED) == (self.sealed and kind > 2), f"{name}: sealed, or not, against the header")
        payload = data[ENVELOPE:-CHECKSUM]
        if flags & SEALED:
            key = derive(self.sealing or b"", data[48:80], "mabs 1 object")
            payload = unseal(key, (1, 0), payload, data[:ENVELOPE] + name.encode(), name)
        if flags & COMPRESSED:
            payload = expand(payload, raw, name)
        expect(len(payload) == raw, f"{name}: its payload has {len(payload)} bytes instead of {raw}")
        return Thing(name, payload, checksum)

    def recovered(self, text: str) -> bytes:
        """Section Keys: the master key out of the recovery key."""
        digits = re.sub(r"[\s-]", "", text).upper().replace("O", "0").replace("I", "1").replace("L", "1")
        expect(len(digits) == 55 and set(digits) <= set(CROCKFORD), "this is not a recovery key")
        number = sum(CROCKFORD.index(digit) << 5 * at for at, digit in enumerate(reversed(digits)))
        data = (number >> 3).to_bytes(34, "big")
        expect(hashlib.sha256(b"mabs recovery key" + data[:32]).digest()[:2] == data[32:], "the recovery key is mistyped")
        return data[:32]

    def unwrapped(self, passphrase: str) -> bytes:
        """Section Keys: the master key out of the first key object that the passphrase opens."""
        typed = unicodedata.normalize("NFC", passphrase).encode()
        for thing in filter(None, [self.attempt(self.read, name) for name in self.names("keys", "[0-9a-f]{16}")]):
            key, kdf = thing.json(), thing.json()["kdf"]
            expect(key["kind"] == "passphrase" and kdf["name"] == "scrypt", f"{thing.name}: kind of key", Newer)
            n, r, p, salt = kdf["cost"], kdf["blockSize"], kdf["parallelization"], bytes.fromhex(kdf["salt"])
            secret = hashlib.scrypt(typed, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r * p + (1 << 20), dklen=32)
            said = [thing.name[len("keys/") :], *(self.header[part] for part in ("id", "blockSize", "hash", "cipher", "keyCheck"))]
            try:
                return unseal(secret, (2, 0), bytes.fromhex(key["wrapped"]), "\n".join(map(str, said)).encode(), thing.name)
            except Damaged:
                continue
        raise Damaged("no key of this pool opens with that passphrase")

    def open_pack(self, name: str) -> Pack:
        """Section Packs: both ends, the check table and the table of blocks."""
        path = self.root / name
        key, size = struct.pack("<I", int(path.stem[:8], 16)) + bytes.fromhex(path.stem[9:]), path.stat().st_size
        expect(size >= 2 * PACK_END, f"{name}: too short")
        with path.open("rb") as file:
            head = file.read(PACK_END)
            file.seek(size - PACK_END)
            tail = file.read(PACK_END)
            for end, magic in ((head, b"MABSPACK"), (tail, b"MABSPEND")):
                intact = end[:8] == magic and zlib.crc32(end[:124]) == struct.unpack_from("<I", end, 124)[0]
                expect(intact, f"{name}: {magic.decode()} is damaged")
                self.expect_ours(name, end)
                expect(end[32:44] == key, f"{name}: its pack key is not that of its name")
            expect(struct.unpack_from("<I", head, 12)[0] == PACK_END, f"{name}: length of the header", Newer)
            expect(not any(head[44:48] + head[80:124] + tail[76:124]), f"{name}: reserved bytes are not zero")
            count, = struct.unpack_from("<I", tail, 12)
            head_crc, checks_at, table_at, table_length, checks_crc, table_crc = struct.unpack_from("<IQQIII", tail, 44)
            expect(head_crc == struct.unpack_from("<I", head, 124)[0], f"{name}: its trailer is of another header")
            expect(count <= MAX_BLOCKS and table_at == checks_at + 8 * count, f"{name}: its tables overlap")
            expect(table_length == 48 * count + TAG * self.sealed, f"{name}: its table has another length")
            expect(table_at + table_length == size - PACK_END, f"{name}: its table does not end at the trailer")
            file.seek(checks_at)
            checks, table = file.read(8 * count), file.read(table_length)
        expect(zlib.crc32(checks) == checks_crc and zlib.crc32(table) == table_crc, f"{name}: its tables are damaged")
        sealing_key = None
        if self.sealing:
            sealing_key = derive(self.sealing, head[48:80], "mabs 1 pack")
            table = unseal(sealing_key, (2, 0), table, struct.pack(ABOUT, self.id, key, 2, count), f"{name}: table of blocks")
        pack = Pack(path, key, sealing_key, list(struct.iter_unpack("<II", checks)), [])
        offset = PACK_END
        for ordinal in range(count):
            digest, raw, stored, kind, codec, flags, reserved = struct.unpack_from("<32sIIBBHI", table, 48 * ordinal)
            expect(kind in (1, 2) and codec in (0, 1) and flags == 0, f"{name}: kind {kind}, codec {codec}, flags {flags}", Newer)
            expect(reserved == 0 and raw <= MAX_RAW and stored == pack.checks[ordinal][0], f"{name}: block {ordinal} contradicts itself")
            pack.blocks.append(Block(digest, raw, stored, kind, codec, offset, ordinal))
            offset += stored
        expect(offset == checks_at, f"{name}: its blocks do not end at the check table")
        return pack

    def expect_ours(self, name: str, end: bytes) -> None:
        """What the ends of packs and of index segments have in common."""
        version, flags = struct.unpack_from("<HH", end, 8)
        expect(version == 1 and not flags & ~SEALED, f"{name}: version {version}, flags {flags}", Newer)
        expect(end[16:32] == self.id and bool(flags & SEALED) == self.sealed, f"{name}: is of another pool, or sealed otherwise")

    def raw(self, pack: Pack, block: Block) -> bytes:
        """A block as it was before compression, verified by its digest."""
        what = f"{pack.path.name}: block {block.ordinal}"
        with pack.path.open("rb") as file:
            file.seek(block.offset)
            data = file.read(block.stored)
        expect(len(data) == block.stored and zlib.crc32(data) == pack.checks[block.ordinal][1], f"{what}: its checksum is wrong")
        if pack.sealing_key:
            data = unseal(pack.sealing_key, (1, block.ordinal), data, struct.pack(ABOUT, self.id, pack.key, 1, block.ordinal), what)
        if block.codec == 1:
            data = expand(data, block.raw, what)
        digest = hmac.digest(self.ids, data, "sha256") if self.ids else hashlib.sha256(data).digest()
        expect(len(data) == block.raw and digest == block.digest, f"{what}: its digest is another")
        return data

    def open_segment(self, name: str) -> Segment:
        """Section Index segments: every page, opened."""
        data = (self.root / name).read_bytes()
        expect(len(data) >= PAGE and len(data) % PAGE == 0, f"{name}: not made of pages")
        last = len(data) // PAGE - 1
        contents = []
        for number, page in enumerate(data[at : at + PAGE] for at in range(0, len(data), PAGE)):
            crc, said = struct.unpack_from("<II", page, 4048)
            expect(zlib.crc32(page[:4048]) == crc and said == number and not any(page[4056:]), f"{name}: page {number} is damaged")
            contents.append(page[: CONTENT + TAG])
        trailer = contents[last]
        expect(trailer[:8] == b"MABSINDX", f"{name}: does not end as a segment")
        self.expect_ours(name, trailer)
        entries, entry_pages, filter_blocks, packs = struct.unpack_from("<QIII", trailer, 64)
        pages = [entry_pages, -(-entry_pages // 1008), -(-filter_blocks // 63), -(-packs // 336)]
        expect(entry_pages == -(-entries // 84) and sum(pages) == last, f"{name}: its trailer contradicts its length")
        if self.sealing:
            salt, key = trailer[32:64], derive(self.sealing, trailer[32:64], "mabs 1 index")
            for number in range(last):
                about = self.id + salt + struct.pack("<I", number)
                contents[number] = unseal(key, (1, number), contents[number], about, f"{name}: page {number}")
        left = iter(page[:CONTENT] for page in contents)
        lines, fences, bits, listed = (b"".join(itertools.islice(left, count)) for count in pages)
        keys = [listed[12 * i : 12 * i + 12] for i in range(packs)]
        opened = [self.entry(lines[48 * i : 48 * i + 48], keys) for i in range(entries)]
        return Segment(name, opened, list(struct.unpack_from(f"<{entry_pages}I", fences)), bits[: 64 * filter_blocks], keys)

    @staticmethod
    def entry(data: bytes, keys: list[bytes]) -> tuple[Block, bytes]:
        digest, pack, offset, ordinal = struct.unpack_from("<32sIIH", data)
        stored, raw = (int.from_bytes(data[at : at + 3], "little") for at in (42, 45))
        low = (1 << 21) - 1
        return Block(digest, raw & low, stored & low, stored >> 21, raw >> 21, offset, ordinal), keys[pack]

    def latest(self, folder: str) -> Any:
        """Section Records: the highest number counts; one that is damaged gives way to the one before."""
        for name in reversed(self.names(folder, "[0-9]{8}")):
            thing = self.attempt(self.read, name)
            if thing:
                return thing.json()
        return None

    def is_purged(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.purged["ranges"])

    def manifests(self) -> Iterator[tuple[int, Thing, dict[str, Any]]]:
        """The manifests that are neither purged nor damaged, by number."""
        for name in self.names("manifests", "[0-9]{10}"):
            seq = int(name[-10:])
            thing = None if self.is_purged(seq) else self.attempt(self.read, name)
            if thing:
                value = thing.json()
                expect(value["manifest"]["version"] == 1, f"{name}: version of the manifest", Newer)
                expect(value["seq"] == seq, f"{name}: says that it is number {value['seq']}")
                yield seq, thing, value

    def live(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Manifests that are neither purged nor in the trash."""
        for seq, _, value in self.manifests():
            trash = self.latest(f"records/trash/{seq:010d}")
            if trash is None or trash["payload"].get("restored"):
                yield seq, value["manifest"]


class Blocks:
    """Finds blocks by digest in the packs' own tables: the copy of the highest epoch first."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        patterns = [(f"packs/{low:02x}", rf"[0-9a-f]{{6}}{low:02x}-[0-9a-f]{{16}}\.pack") for low in range(256)]
        opened = [pool.attempt(pool.open_pack, name) for folder, pattern in patterns for name in pool.names(folder, pattern)]
        self.packs: list[Pack] = [pack for pack in opened if pack]
        self.copies: dict[bytes, list[tuple[Pack, Block]]] = {}
        for pack in sorted(self.packs, key=lambda pack: newest_first(pack.key)):
            for block in pack.blocks:
                self.copies.setdefault(block.digest, []).append((pack, block))

    def get(self, digest: bytes) -> bytes:
        """A block's bytes, verified; another copy where one is damaged."""
        for pack, block in self.copies.get(digest, []):
            data = self.pool.attempt(self.pool.raw, pack, block)
            if data is not None:
                return data
        raise Damaged(f"no whole copy of block {digest.hex()} is in the pool")

    def of_disk(self, disk: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        """Section Disk maps: numbers and digests of the blocks of a disk that are not zero, in order."""
        fan_out, count = self.pool.header["mapFanOut"], -(-disk["virtualSize"] // disk["blockSize"])
        below = [1]  # how many blocks lie below one digest of a page, from level 1 upwards
        while below[-1] * fan_out < count:
            below.append(below[-1] * fan_out)

        def walk(digest: bytes, level: int, first: int) -> Iterator[tuple[int, bytes]]:
            if digest == ZERO:
                return
            expect(first < count, f"a disk's map names block {first} of {count}")
            if level == 0:
                yield first, digest
                return
            page = self.get(digest)
            expect(len(page) % 32 == 0 and len(page) <= 32 * fan_out and page[-32:] != ZERO, "a page of a disk's map is damaged")
            for at in range(len(page) // 32):
                yield from walk(page[32 * at : 32 * at + 32], level - 1, first + at * below[level - 1])

        return walk(bytes.fromhex(disk["root"]), len(below), 0)


def print_list(pool: Pool) -> None:
    """A line of JSON for each live point and replica."""
    for seq, manifest in pool.live():
        disks = [{key: disk[key] for key in ("index", "path", "format", "virtualSize", "dataBytes", "leftOut")} for disk in manifest["disks"]]
        print(json.dumps({"seq": seq, **{key: manifest[key] for key in ("id", "kind", "capturedAt")}, "vm": manifest["vm"]["name"], "disks": disks}))


def restore(pool: Pool, point: str, index: int, out: Path) -> None:
    """Writes a disk as a sparse raw image, every block verified."""
    disks = [disk for _, manifest in pool.live() if manifest["id"] == point for disk in manifest["disks"] if disk["index"] == index]
    expect(len(disks) == 1, f"no disk {index} of a live point {point}")
    size, block_size, blocks = disks[0]["virtualSize"], disks[0]["blockSize"], Blocks(pool)
    with out.open("xb") as file:
        file.truncate(size)
        for number, digest in blocks.of_disk(disks[0]):
            data = blocks.get(digest)
            expect(len(data) == min(block_size, size - number * block_size), f"block {number} has {len(data)} bytes")
            file.seek(number * block_size)
            file.write(data)


class Check:
    """Holds everything that is in a pool against the page; damage goes to the pool's `complain`."""

    def __init__(self, pool: Pool) -> None:
        self.pool, self.attempt = pool, pool.attempt
        self.count: collections.Counter[str] = collections.Counter()

    def run(self) -> dict[str, int]:
        """Answers how much was looked at."""
        self.objects()
        self.attempt(self.roll)
        blocks = Blocks(self.pool)
        for pack in blocks.packs:
            self.count.update(packs=1, blocks=len(pack.blocks))
            for block in pack.blocks:
                self.attempt(self.pool.raw, pack, block)
        self.index(blocks)
        for _, _, value in self.pool.manifests():
            for disk in value["manifest"]["disks"]:
                self.attempt(self.disk, blocks, disk)
        return self.count

    def objects(self) -> None:
        """Opens every small object but the manifests, which come with the roll."""
        patterns = {"keys": "[0-9a-f]{16}", "purged": "[0-9]{8}", "epochs": "[0-9a-f]{8}(-ended)?", "condemned": "[0-9a-f]{8}"}
        for owner in sorted((self.pool.root / "records").glob("*/*")):
            patterns[owner.relative_to(self.pool.root).as_posix()] = "[0-9]{8}"
        for folder, pattern in patterns.items():
            for name in self.pool.names(folder, pattern):
                self.count["objects"] += 1
                thing = self.attempt(self.pool.read, name)
                if thing:
                    self.attempt(self.condemned if folder == "condemned" else Thing.json, thing)

    def condemned(self, thing: Thing) -> None:
        """Section Epochs, mark and sweep: the list's packs ascend, and their bitmaps follow one another to its end."""
        count, = struct.unpack_from("<I", thing.payload)
        at, before = 4 + 20 * count, b""
        for line in range(count):
            key, bits, offset = struct.unpack_from("<12sII", thing.payload, 4 + 20 * line)
            expect(before < key and offset == at, f"{thing.name}: pack {line} is out of order")
            before, at = key, at + (bits + 7) // 8
        expect(at == len(thing.payload), f"{thing.name}: it does not end with its bitmaps")

    def roll(self) -> None:
        """Section The roll: no gaps, and `previous` is the checksum of the manifest before, where both are known."""
        sums = {int(seq): checksum for seq, checksum in self.pool.purged["checksums"].items()}
        for seq, thing, value in self.pool.manifests():
            self.count["manifests"] += 1
            before, said = sums.get(seq - 1), value.get("previous")
            expect(None in (before, said) or before == said, f"{thing.name}: does not follow the manifest before it")
            sums[seq] = thing.checksum.hex()
        for seq in range(1, max([*sums, *(last for _, last in self.pool.purged["ranges"])], default=0) + 1):
            expect(seq in sums or self.pool.is_purged(seq), f"manifest {seq} is lost or damaged")

    def disk(self, blocks: Blocks, disk: dict[str, Any]) -> None:
        """Every block that a disk's map names is there, and what it left out is ascending, apart and on the disk."""
        edges = [edge for offset, length in disk["leftOut"] for edge in (offset, offset + length)]
        expect(edges == sorted(set(edges)) and edges[-1:] <= [disk["virtualSize"]], f"wrong left-out ranges of {disk['path']}")
        for number, digest in blocks.of_disk(disk):
            self.count["references"] += 1
            expect(digest in blocks.copies, f"block {number} of {disk['path']} is not in the pool")

    def index(self, blocks: Blocks) -> None:
        """Section Index segments: each of them against the packs' tables, and these against all of them."""
        tables = {pack.key: pack.blocks for pack in blocks.packs}
        indexed: set[tuple[bytes, int]] = set()
        for name in self.pool.names("index", r"[0-9a-f]{8}-[0-9a-f]{16}\.idx"):
            segment = self.attempt(self.pool.open_segment, name)
            if segment:
                self.count["segments"] += 1
                self.attempt(self.segment, segment, tables)
                indexed.update((key, block.ordinal) for block, key in segment.entries)
        begun, condemned = set(self.pool.names("epochs", "[0-9a-f]{8}")), self.pool.names("condemned", "[0-9a-f]{8}")
        for pack in [] if condemned else blocks.packs:
            epoch = f"epochs/{pack.path.name[:8]}"
            if epoch not in begun or (self.pool.root / f"{epoch}-ended").exists():
                missing = sum((pack.key, block.ordinal) not in indexed for block in pack.blocks)
                self.attempt(expect, missing == 0, f"{pack.path.name}: {missing} blocks are in no segment of the index")

    def segment(self, segment: Segment, tables: dict[bytes, list[Block]]) -> None:
        """Entries are what the packs say, in order, behind the right fences, and the filter lets them through."""
        name, bits = segment.name, segment.filter
        expect(segment.packs == sorted(set(segment.packs), key=newest_first), f"{name}: its packs are not in order")
        before = (b"", (0, b""))
        for at, (block, key) in enumerate(segment.entries):
            self.count["entries"] += 1
            table = tables.get(key, [])
            expect(block.ordinal < len(table) and table[block.ordinal] == block, f"{name}: entry {at} is not what its pack says")
            before, place = (block.digest, newest_first(key)), before
            expect(place <= before, f"{name}: entry {at} is out of order")
            fence = int.from_bytes(block.digest[:4], "big")
            expect(at % 84 != 0 or segment.fences[at // 84] == fence, f"{name}: fence {at // 84} is wrong")
            one, two, three = struct.unpack_from("<III", block.digest, 4)
            first, chosen = (one * (len(bits) // 64) >> 32) * 64, [word >> shift & 511 for word in (two, three) for shift in (0, 9, 18)]
            expect(all(bits[first + bit // 8] >> bit % 8 & 1 for bit in chosen), f"{name}: its filter denies entry {at}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Reads a pool of mabs by docs/formats/pool.md.")
    parser.add_argument("pool", type=Path)
    secrets = parser.add_mutually_exclusive_group()
    secrets.add_argument("--passphrase-file", type=Path)
    secrets.add_argument("--recovery-key-file", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="points and replicas that are neither purged nor in the trash, one JSON document a line")
    one = commands.add_parser("restore", help="write a disk of a point as a sparse raw image")
    one.add_argument("point")
    one.add_argument("disk", type=int)
    one.add_argument("out", type=Path)
    commands.add_parser("check", help="verify everything that is in the pool")
    said = parser.parse_args()
    problems: list[str] = []
    try:
        file = said.passphrase_file or said.recovery_key_file
        secret = file.read_text("utf-8").splitlines()[0] if file else None
        pool = Pool(said.pool, problems.append, secret, said.recovery_key_file is not None)
        if said.command == "list":
            print_list(pool)
        elif said.command == "restore":
            restore(pool, said.point, said.disk, said.out)
        else:
            print(json.dumps({**Check(pool).run(), "problems": len(problems)}))
            return 1 if problems else 0
        return 0
    except (*DAMAGE, Newer) as problem:
        problems.append(f"{type(problem).__name__}: {problem}")
        return 1
    finally:
        for problem in dict.fromkeys(problems):
            print(problem, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
