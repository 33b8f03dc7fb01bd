"""The real vocabularies in the peers' hands, and the bytes that their tokens stand for.

Spans come from the bytes, never from a peer's character offsets: the tokens of a text tile it, but for bytes that are dropped.
"""
import json
import os
import pathlib

import gguf
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

BLOCK = "\u2581"


def byte_of_character():
    """GPT-2's printable alphabet, backwards."""
    plain = list(range(0x21, 0x7F)) + list(range(0xA1, 0xAD)) + list(range(0xAE, 0x100))
    table = {chr(byte): byte for byte in plain}
    table.update({chr(256 + at): byte for at, byte in enumerate(b for b in range(256) if b not in plain)})
    return table


def smollm2(path):
    """A tokenizers.Tokenizer of the GGUF's tokens and merges, with the pre-tokeniser that 'smollm' stands for."""
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={token: at for at, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token, kind in zip(tokens, types) if kind == 3])
    return tokenizer


def byte_level_bytes(tokenizer):
    """id -> bytes: added tokens as they are written, others through the printable alphabet."""
    alphabet = byte_of_character()
    added = tokenizer.get_added_tokens_decoder()
    return {
        at: added[at].content.encode() if at in added else bytes(alphabet[character] for character in token)
        for token, at in tokenizer.get_vocab().items()
    }


def byte_level_spans(text, ids, bytes_of, expressible=None):
    """Two offsets a token. Bytes that no token holds are skipped."""
    data = text.encode()
    held = expressible or {value[0] for value in bytes_of.values() if len(value) == 1}
    spans, at = [], 0
    for token in ids:
        start = None
        for byte in bytes_of[token]:
            while data[at] != byte:
                assert data[at] not in held, (text, token, at)
                at += 1
            start = at if start is None else start
            at += 1
        spans += [start, at]
    assert all(byte not in held for byte in data[at:]), (text, at)
    return spans


def piece_spans(text, pieces, dummy):
    """Two offsets a piece: a leading dummy prefix covers nothing, ▁ one space or its own three bytes, <0xNN> one byte.

    `dummy` says whether the first ▁ was put there. An unknown piece is given as the text that it stands for.
    """
    data = text.encode()
    spans, at = [], 0
    for piece in pieces:
        start = at
        if isinstance(piece, int):
            assert data[at] == piece, (text, piece, at)
            at += 1
        else:
            for character in piece:
                if character == BLOCK:
                    if dummy:
                        dummy = False
                    elif data[at : at + 1] == b" ":
                        at += 1
                    else:
                        assert data[at : at + 3] == BLOCK.encode(), (text, piece, at)
                        at += 3
                else:
                    width = len(character.encode())
                    assert data[at : at + width] == character.encode(), (text, piece, at)
                    at += width
        spans += [start, at]
    assert at == len(data), (text, at)
    return spans


def sentencepiece_model(path):
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def sentencepiece_tokens(processor, text):
    """ids and spans by sentencepiece, the unknown piece as the text of its surface."""
    encoded = processor.encode(text, return_type="proto")
    ids, pieces = [], []
    for piece in encoded.pieces:
        ids.append(piece.id)
        if processor.is_byte(piece.id):
            pieces.append(int(processor.id_to_piece(piece.id)[1:-1], 16))
        else:
            pieces.append(piece.piece)
    return ids, pieces


def mistral_json(path, scheme):
    """A tokenizers.Tokenizer with the pieces of a SentencePiece BPE model; merges ordered by score, ties by the result's id.

    `scheme`: 'legacy' (Prepend and Replace), or Metaspace's prepend_scheme with split false.
    """
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(open(path, "rb").read())
    vocab = {piece.piece: at for at, piece in enumerate(model.pieces)}
    found = []
    for at, piece in enumerate(model.pieces):
        if piece.type != 1:
            continue
        for cut in range(1, len(piece.piece)):
            left, right = piece.piece[:cut], piece.piece[cut:]
            if left in vocab and right in vocab:
                found.append((-piece.score, at, vocab[left], vocab[right], left, right))
    merges = [(left, right) for *_, left, right in sorted(found)]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if scheme == "legacy":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(BLOCK), normalizers.Replace(" ", BLOCK)])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=BLOCK, prepend_scheme=scheme, split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(BLOCK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in ("<unk>", "<s>", "</s>")])
    return tokenizer


def write_json(tokenizer, path):
    path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False), encoding="utf-8")


def cache():
    """The folder of scripts/fetch-assets."""
    return pathlib.Path(os.environ.get("PRECEPTOR_CACHE", pathlib.Path.home() / ".cache/preceptor"))
