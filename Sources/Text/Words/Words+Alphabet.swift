// Words in the printable alphabet of byte-level vocabularies, for the pre-tokenisers that follow ByteLevel.

extension Words {
    /// Writes each byte as its printable character. What lies between words goes.
    mutating func writeInAlphabet() {
        let characters = ByteAlphabet.codes.map(utf8)
        var written = RewrittenText()
        for (place, word) in ranges.enumerated() {
            let start = written.count
            for at in word {
                written.append(characters[Int(text.bytes[at])], standingFor: Int(text.starts[at])..<Int(text.ends[at]))
            }
            ranges[place] = start..<written.count
        }
        text = written
    }

    /// Reads words in the printable alphabet as the bytes they stand for.
    mutating func readFromAlphabet() {
        var read = RewrittenText()
        text.bytes.withUnsafeBytes { bytes in
            for (place, word) in ranges.enumerated() {
                let start = read.count
                guard let original = ByteAlphabet.decode(UnsafeRawBufferPointer(rebasing: bytes[word])) else {
                    preconditionFailure("bug: a character outside the alphabet")
                }
                var at = word.lowerBound
                for byte in original {
                    read.append(CollectionOfOne(byte), standingFor: Int(text.starts[at])..<Int(text.ends[at]))
                    at += decodeScalar(bytes, at).length
                }
                ranges[place] = start..<read.count
            }
        }
        text = read
    }
}
