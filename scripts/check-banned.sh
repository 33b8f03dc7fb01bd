#!/bin/sh
# Refuses calls that lose data or crash on bad input: all bytes go through Sources/Streams.
#
#     scripts/check-banned.sh [FOLDER]        default Sources; exits 1 and names every line that offends
#
# print           drops its output silently when the disk is full or stdout is closed
# readLine        turns invalid UTF-8 into U+FFFD
# FileHandle      crashes on a full disk
# JSONSerialization, JSONDecoder, JSONEncoder: accept what is not JSON, disagree on duplicate keys
# Data(contentsOf:), .write(to:), String(contentsOf...): no place, no errno, no sync
# try!, fatalError: crash on what should be an error; a bug traps by precondition("bug: ...")
# Foundation      brings all of them
folder=${1:-Sources}
[ -d "$folder" ] || { echo "check-banned: no folder '$folder'" >&2; exit 66; }

pattern='(^|[^A-Za-z0-9_.`])(print|debugPrint|readLine|fatalError|NSLog)\(|Swift\.print\('
pattern="$pattern"'|\<(FileHandle|JSONSerialization|JSONDecoder|JSONEncoder)\>|try!|\<(Data|NSData|String)\((contentsOf|contentsOfFile):|\.write\(to(File)?:'
pattern="$pattern"'|import +(Foundation|FoundationEssentials)\>'

# Comments may speak of them.
found=$(grep -rnE --include='*.swift' "$pattern" "$folder" | grep -vE '^[^:]*:[0-9]+: *//')
[ -z "$found" ] && exit 0
printf '%s\n' "$found" >&2
echo 'check-banned: the calls above are banned; the head of this script says why' >&2
exit 1
