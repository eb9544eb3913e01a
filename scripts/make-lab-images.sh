#!/bin/sh
# Makes the disk images that `mabs lab init` puts into its sample VMs: lab-images/*.raw.zst.
#
#   sh scripts/make-lab-images.sh          (as root: NTFS is filled through a FUSE mount)
#
# Needs sgdisk, mkntfs and ntfs-3g, mke2fs 1.43 or newer, zstd, python3. All content is made here (texts, tables, noise from a fixed
# seed) or comes from this project (LICENSE, README), so it may be passed on under the project's own licence. Ids and files are the
# same in every run; where mke2fs puts a file, and the times inside NTFS, are not.
set -eu
umask 022
cd "$(dirname "$0")/.."
out=$PWD/lab-images
work=$(mktemp -d)
trap 'mountpoint -q "$work/mnt" && umount "$work/mnt"; rm -rf "$work"' EXIT
mkdir -p "$work/mnt" "$out"
export SOURCE_DATE_EPOCH=1767225600 E2FSPROGS_FAKE_TIME=1767225600 TZ=UTC LC_ALL=C.UTF-8

# files FOLDER SEED: a small file server's content.
files() {
  python3 - "$1" "$2" "$PWD" <<'PY'
import os, random, shutil, sys
root, seed, project = sys.argv[1], int(sys.argv[2]), sys.argv[3]
rnd = random.Random(seed)
words = ('invoice order customer delivery north south river harbour ledger quarter report meeting draft final budget travel plan '
         'server backup restore window garden autumn winter spring summer letter answer question note list table figure page').split()
def put(path, data):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file: file.write(data)
def prose(paragraphs):
    return '\n\n'.join(' '.join(rnd.choice(words) for _ in range(rnd.randint(40, 120))).capitalize() + '.' for _ in range(paragraphs)).encode() + b'\n'
for user in ('ada', 'grace', 'konrad'):
    for number in range(12):
        put(f'Users/{user}/Documents/notes-{number:02}.txt', prose(rnd.randint(1, 6)))
    put(f'Users/{user}/Pictures/camera-{rnd.randint(100, 999)}.dat', rnd.randbytes(40_000))
put('Users/ada/Documents/Bücher und Straßen.txt', 'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\n'.encode() * 20)
put('Users/ada/Documents/日本語.txt', 'いろはにほへと ちりぬるを\n'.encode() * 20)
put('Users/grace/' + 'long ' * 30 + 'name.txt', b'a long name\n')
put('Users/grace/empty.txt', b'')
put('Users/grace/one-byte.txt', b'1')
for year in (2024, 2025):
    rows = [f'{year}-{1 + n * 12 // 4000:02}-{1 + n % 28:02},{rnd.choice(words)},{rnd.randint(1, 99999) / 100:.2f}' for n in range(4000)]
    put(f'Accounts/ledger-{year}.csv', ('date,item,amount\n' + '\n'.join(rows) + '\n').encode())
put('Accounts/archive.bin', bytes(range(256)) * 8192)
deep = 'Projects/' + '/'.join(f'level-{n}' for n in range(12))
put(deep + '/deep.txt', b'at the bottom\n')
for n in range(150): put(f'Projects/many/item-{n:03}.txt', f'item {n}\n'.encode())
for name in ('LICENSE', 'README.md'):
    if os.path.exists(os.path.join(project, name)): put(f'Projects/mabs/{name}', open(os.path.join(project, name), 'rb').read())
PY
}

# disk NAME SIZE-MiB TYPE GUID: an empty GPT disk with one partition from 1 MiB to its last whole MiB.
disk() {
  truncate -s "$2M" "$work/$1.raw"
  sgdisk --clear --disk-guid="$4" --new=1:2048:"$((($2 - 1) * 2048 - 1))" --typecode=1:"$3" \
    --partition-guid=1:"$(echo "$4" | tr 0 1)" --change-name=1:"$1" "$work/$1.raw" >/dev/null
}

# pack NAME: the volume goes into the disk, and the disk is packed.
pack() {
  dd if="$work/volume" of="$work/$1.raw" bs=1M seek=1 conv=notrunc,sparse status=none
  rm "$work/volume"
  zstd -q -f --ultra -22 --no-progress "$work/$1.raw" -o "$out/$1.raw.zst"
  ls -l "$out/$1.raw.zst"
}

# Windows: GPT with NTFS.
disk win-files-disk0 256 0700 6D616273-0000-4000-8000-000000000001
truncate -s 254M "$work/volume"
mkntfs --quick --force --quiet --label FILES --cluster-size 4096 --sector-size 512 --partition-start 2048 --heads 255 \
  --sectors-per-track 63 "$work/volume" 2>/dev/null
printf 'mabslab1' | dd of="$work/volume" bs=1 seek=72 conv=notrunc status=none
printf 'mabslab1' | dd of="$work/volume" bs=1 seek=$((254 * 1048576 - 512 + 72)) conv=notrunc status=none
ntfs-3g -o streams_interface=windows,compression "$work/volume" "$work/mnt"
files "$work/mnt" 1
printf '[ZoneTransfer]\r\nZoneId=3\r\n' >"$work/mnt/Users/ada/Documents/notes-00.txt:Zone.Identifier"
ln "$work/mnt/Accounts/ledger-2024.csv" "$work/mnt/Accounts/ledger-link.csv"
truncate -s 20M "$work/mnt/Accounts/sparse.dat"
printf 'in the middle' | dd of="$work/mnt/Accounts/sparse.dat" bs=1 seek=10000000 conv=notrunc status=none
umount "$work/mnt"
pack win-files-disk0

# Linux: GPT with ext4, and a second disk for data.
disk linux-web-disk0 256 8300 6D616273-0000-4000-8000-000000000002
mkdir -p "$work/tree/etc" "$work/tree/var/log"
files "$work/tree" 2
printf 'linux-web\n' >"$work/tree/etc/hostname"
printf 'LABEL=root / ext4 defaults 0 1\nLABEL=data /srv ext4 defaults 0 2\n' >"$work/tree/etc/fstab"
ln -s ../Users/ada "$work/tree/etc/ada"
ln "$work/tree/etc/hostname" "$work/tree/var/log/hostname"
find "$work/tree" -exec touch -h -d @"$SOURCE_DATE_EPOCH" {} +
truncate -s 254M "$work/volume"
mke2fs -q -t ext4 -L root -U 6d616273-0000-4000-8000-0000000000a2 -E hash_seed=6d616273-0000-4000-8000-0000000000b2,lazy_itable_init=0 \
  -J size=4 -d "$work/tree" "$work/volume"
pack linux-web-disk0

disk linux-web-disk1 64 8300 6D616273-0000-4000-8000-000000000003
mkdir -p "$work/data"
files "$work/data" 3
find "$work/data" -exec touch -h -d @"$SOURCE_DATE_EPOCH" {} +
truncate -s 62M "$work/volume"
mke2fs -q -t ext4 -L data -U 6d616273-0000-4000-8000-0000000000a3 -E hash_seed=6d616273-0000-4000-8000-0000000000b3,lazy_itable_init=0 \
  -J size=4 -d "$work/data" "$work/volume"
pack linux-web-disk1
