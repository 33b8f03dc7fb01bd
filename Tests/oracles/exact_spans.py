"""Which bytes of the text each token stands for, from the bytes of the tokens alone: the rule of the man page, written a second time.

Each step of the peer's normaliser rewrites the smallest stretches that it changes on their own; a byte that came out of a changed
stretch stands for the whole stretch, one that a step put there for nothing, any other for itself. Tokens tile what came out; bytes without a token are a gap.
"""
import re

from tokens_vocabularies import BLOCK

CONTEXT = 40


class Unexplained(Exception):
    """The peer's tokens are not the text's bytes: the rule here, or the way the peer was made, is wrong."""


def stretches(text, rewrite):
    """(original, what it becomes), in order."""
    single = {}

    def alone(character):
        if character not in single:
            single[character] = rewrite(character)
        return single[character]

    # Word by word where that gives the same: a word that does not change has no part that does.
    words = re.findall(r"[^ \n]*[ \n]?", text)
    became = [rewrite(word) for word in words]
    if "".join(became) != rewrite(text):
        words, became = [text], [rewrite(text)]
    for word, whole in zip(words, became):
        if word == whole:
            yield from zip(word, word)
        else:
            yield from _changed(word, rewrite, alone)


def _changed(text, rewrite, alone):
    at, count = 0, len(text)
    while at < count:
        end = at + 1
        while end < count and not _is_cut(text, at, end, rewrite, alone):
            end += 1
        piece = text[at:end]
        yield piece, alone(piece) if len(piece) == 1 else rewrite(piece)
        at = end


def _is_cut(text, start, at, rewrite, alone):
    left, right = text[at - 1], text[at]
    if left < "\u0300" and right < "\u0300" and alone(left) == left and alone(right) == right and alone(left + right) == left + right:
        return True
    before, after = text[start:at], text[at : at + CONTEXT]
    return rewrite(before + after) == rewrite(before) + rewrite(after)


class Stream:
    """Rewritten bytes with their origin."""

    def __init__(self):
        self.bytes, self.starts, self.ends = bytearray(), [], []

    def put(self, data, start, end):
        self.bytes += data
        self.starts += [start] * len(data)
        self.ends += [end] * len(data)

    def keep(self, data, start):
        self.bytes += data
        self.starts += range(start, start + len(data))
        self.ends += range(start + 1, start + len(data) + 1)


def section(peer, text, start):
    """The stream of one stretch of text between added tokens, whose first byte is `start`."""
    # Characters with their origin, and whether each of their bytes stands for itself.
    items, at = [], start
    for character in text:
        end = at + len(character.encode())
        items.append((character, at, end, True))
        at = end
    for step in peer.steps or ([peer.rewrite] if peer.rewrite else []):
        items = _stepped(items, step)
    if peer.form == "pieces":
        if peer.strips:
            items = _without_extra_spaces(items)
        if not peer.removes:
            items = [(BLOCK, *item[1:3], False) if item[0] == " " else item for item in items]
        if peer.dummy and not peer.removes and not (peer.only_first and start) and items and not (peer.once and items[0][0] == BLOCK):
            items.insert(0, (BLOCK, items[0][1], items[0][1], False))
    stream = Stream()
    for character, first, last, kept in items:
        if kept:
            stream.keep(character.encode(), first)
        else:
            stream.put(character.encode(), first, last)
    return stream


def _stepped(items, step):
    """What a step of a normaliser makes of characters with their origin."""
    if not items:
        return items
    if isinstance(step, tuple) and step[0] == "prepend":
        return [(character, items[0][1], items[0][1], False) for character in step[1]] + items
    if isinstance(step, tuple) and step[0] == "strip":
        first, last = 0, len(items)
        while step[1] and first < last and items[first][0].isspace():
            first += 1
        while step[2] and last > first and items[last - 1][0].isspace():
            last -= 1
        return items[first:last]
    spaced = isinstance(step, tuple)
    out, at = [], 0
    for original, became in stretches("".join(item[0] for item in items), step[1] if spaced else step):
        taken = items[at : at + len(original)]
        at += len(original)
        if original == became:
            out += taken
        elif spaced:
            first, last = taken[0][1], taken[-1][2]
            out += [(" ", first, first, False), *taken, (" ", last, last, False)]
        else:
            out += [(character, taken[0][1], taken[-1][2], False) for character in became]
    return out


def _without_extra_spaces(items):
    kept = []
    for item in items:
        if item[0] == " " and (not kept or kept[-1][0] == " "):
            continue
        kept.append(item)
    # At the end sentencepiece does not tell a ▁ of the text from its own.
    while kept and kept[-1][0] in (" ", BLOCK):
        kept.pop()
    return kept


def fast(peer, text, data, ids):
    """Spans where no token is anything but its own bytes and no byte is lost; None where that does not hold."""
    if peer.rewrite and peer.rewrite(text) != text and peer.rewrite(text).replace(BLOCK, " ") != text:
        return None
    # Steps that undo one another change the text all the same.
    rewrites = [step for step in peer.steps or [] if callable(step)]
    if len(rewrites) > 1 and any(step(text).replace(BLOCK, " ") != text for step in rewrites):
        return None
    if peer.form == "words" or peer.strips or peer.removes:
        return None
    if peer.form == "bytes":
        parts = [peer.bytes_of[at] for at in ids]
        if b"".join(parts) != data:
            return None
        widths = [len(part) for part in parts]
    else:
        if not hasattr(peer, "spaced"):
            peer.spaced = {at: value.replace(BLOCK.encode(), b" ") for at, value in peer.bytes_of.items()}
            peer.added_ids = set(peer.added)
        if BLOCK in text or not peer.added_ids.isdisjoint(ids):
            return None
        parts = [peer.spaced[at] for at in ids]
        dummy = peer.dummy and data != b"" and not (peer.once and text[0] == " ")
        if b"".join(parts) != (b" " + data if dummy else data):
            return None
        widths = [len(part) for part in parts]
        if dummy and widths:
            widths[0] -= 1
    out, at = [], 0
    for width in widths:
        out += (at, at + width)
        at += width
    return out


def spans(peer, text, ids):
    """Two offsets a token, and the bytes of the text that no token covers."""
    data = text.encode()
    found = fast(peer, text, data, ids)
    if found is not None:
        return found
    places = _added_places(peer, text, ids)
    out, start, at = [], 0, 0
    while at < len(ids) or start < len(data):
        upto = next((index for index in range(at, len(ids)) if places[index] is not None), len(ids))
        end = places[upto][0] if upto < len(ids) else len(data)
        if upto > at:
            out += _walk(peer, data[start:end].decode(), start, ids[at:upto])
        if upto == len(ids):
            break
        # White space that the match before has taken is not covered twice.
        first, last = max(places[upto][0], start), places[upto][1]
        out += (first, max(first, last))
        start, at = max(start, last), upto + 1
    return out


def _added_places(peer, text, ids):
    if not peer.added:
        return [None] * len(ids)
    if hasattr(peer, "places"):
        found = []
        places = peer.places(text)
        byte = _byte_places(text)
        queue = [(byte[first], byte[last], at) for first, last, at in places]
        for at in ids:
            found.append(queue.pop(0)[:2] if queue and queue[0][2] == at else None)
        return found
    found = peer.located(text)
    if len(found) != len(ids):
        raise Unexplained("the peer gives other tokens alone than in a batch")
    return found


def _byte_places(text):
    places = [0]
    for character in text:
        places.append(places[-1] + len(character.encode()))
    return places


def _only_words(peer, stream):
    """What the pre-tokeniser leaves, with the ▁ that it puts before a word."""
    text = stream.bytes.decode()
    byte = _byte_places(text)
    left = Stream()
    for word, (first, last) in peer.tokenizer.pre_tokenizer.pre_tokenize_str(text):
        if peer.form == "pieces" and word.startswith(BLOCK) and text[first] != BLOCK:
            left.put(BLOCK.encode(), stream.starts[byte[first]], stream.starts[byte[first]])
        left.bytes += stream.bytes[byte[first] : byte[last]]
        left.starts += stream.starts[byte[first] : byte[last]]
        left.ends += stream.ends[byte[first] : byte[last]]
    return left


def _walk(peer, text, start, ids):
    stream = section(peer, text, start)
    if peer.removes and peer.form != "words":
        stream = _only_words(peer, stream)
    held = _held(peer)
    lengths = peer.unknown_lengths(text) if peer.unknown in ids and hasattr(peer, "unknown_lengths") else None
    words = _words(peer, stream) if peer.form == "words" else None
    out, at = [], 0
    for index, token in enumerate(ids):
        if words is not None:
            at, end = _word_part(peer, stream, words, at, token)
        elif token == peer.unknown:
            length = lengths.pop(0) if lengths is not None else _unknown_length(peer, stream, at, ids, index)
            end = at + length
        else:
            value = peer.bytes_of[token]
            while held is not None and not stream.bytes.startswith(value, at) and at < len(stream.bytes) and stream.bytes[at] not in held:
                at += 1
            end = at
            if held is None:
                if not stream.bytes.startswith(value, at):
                    raise Unexplained(f"token {token} {value!r} is not at byte {at} of {bytes(stream.bytes[at : at + 20])!r}")
                end = at + len(value)
            else:
                for byte in value:
                    while end < len(stream.bytes) and stream.bytes[end] != byte and stream.bytes[end] not in held:
                        end += 1
                    if end >= len(stream.bytes) or stream.bytes[end] != byte:
                        raise Unexplained(f"token {token} {value!r} is not at byte {end} of {bytes(stream.bytes[end : end + 20])!r}")
                    end += 1
        if end > at:
            first = stream.starts[at]
            out += (first, max(first, stream.ends[end - 1]))
        else:
            out += (start, start)
        at = end
    rest = stream.bytes[at:]
    if held is None and words is None and rest or held is not None and any(byte in held for byte in rest):
        raise Unexplained(f"no token for {bytes(rest[:20])!r}")
    return out


def _held(peer):
    """Bytes that a byte-level vocabulary can express."""
    if peer.form != "bytes":
        return None
    if not hasattr(peer, "held"):
        peer.held = {value[0] for at, value in peer.bytes_of.items() if len(value) == 1}
    return peer.held


def _unknown_length(peer, stream, at, ids, index):
    """An unknown run of a model of tokenizers goes to where the next token that is known begins."""
    rest = stream.bytes[at:].decode()
    value = peer.bytes_of[ids[index + 1]] if index + 1 < len(ids) else None
    if value is None:
        return len(stream.bytes) - at
    if not hasattr(peer, "known"):
        peer.known = set(peer.bytes_of.values())
    length = 0
    for character in rest:
        if length and (stream.bytes.startswith(value, at + length) and character.encode() in peer.known or ids[index + 1] == peer.unknown):
            break
        length += len(character.encode())
    return length


def _words(peer, stream):
    """(start, end) in the stream of each word that the pre-tokeniser finds."""
    text = stream.bytes.decode()
    byte = _byte_places(text)
    return [(byte[first], byte[last]) for _, (first, last) in peer.tokenizer.pre_tokenizer.pre_tokenize_str(text)]


def _word_part(peer, stream, words, at, token):
    """Where the next token of WordPiece begins and ends: in the word at `at`, or in the next one."""
    while words and at >= words[0][1]:
        words.pop(0)
    if not words:
        raise Unexplained("more tokens than words")
    at = max(at, words[0][0])
    if token == peer.unknown:
        return at, words[0][1]
    value = peer.bytes_of[token]
    if not stream.bytes.startswith(value, at):
        raise Unexplained(f"token {token} {value!r} is not at byte {at} of {bytes(stream.bytes[at : at + 20])!r}")
    return at, at + len(value)
