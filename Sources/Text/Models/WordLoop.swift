// The loop that every byte of a corpus goes through: find a word, take its tokens from the cache, or have them made.

/// Makes the tokens of words that are not in the cache.
protocol WordEncoder: AnyObject {
    /// Writes the tokens of the word `text[at..<stop]` and returns how many; negative where they must not be remembered, because they do
    /// not tile the word or depend on what stands around it.
    ///
    /// - ids, spans: room for 3 tokens a byte and 4 more. A span is its start in the lower half, its end in the upper.
    func encode(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int

    /// Bytes that the vocabulary could not express since this was last asked.
    func takeDroppedBytes() -> Int

    /// One for another thread: the tables are shared, scratch is its own.
    func duplicate() -> Self

    /// The bytes of text that a token stands for by itself.
    func bytes(of id: Int) -> [UInt8]
}

/// Words to tokens, with a cache and room for the tokens of a stretch of text.
final class WordLoop {
    let cache = WordCache()
    private var ids: UnsafeMutablePointer<UInt32>
    private var spans: UnsafeMutablePointer<UInt64>
    private var capacity = 1 << 13
    /// Cached words write up to 15 tokens past the last.
    private static let slack = 64

    init() {
        ids = .allocate(capacity: capacity + Self.slack)
        spans = .allocate(capacity: capacity + Self.slack)
    }

    deinit {
        ids.deallocate()
        spans.deallocate()
        found.deallocate()
    }

    /// A word that was found in the text, before its tokens are looked up.
    private struct Found {
        var start: Int
        var length: Int
        var key: WordCache.Key
        var place: Int
    }
    /// Words are found so many at a time, so that their entries of the cache are on their way from memory before they are looked at.
    private static let block = 32
    private let found = UnsafeMutablePointer<Found>.allocate(capacity: block)

    /// Appends the tokens of all words of `text[range]`.
    ///
    /// Cost for a word that is known: its scan, a product for the hash, one or two comparisons of 16 bytes, and 12 bytes a token written.
    @inline(__always)
    func encode<Scanner: WordScanner, Encoder: WordEncoder>(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ scanner: Scanner, _ encoder: Encoder, into tokens: inout TokenSequence
    ) {
        guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let (end, readable, found) = (range.upperBound, text.count, found)
        var at = range.lowerBound
        var count = 0
        while at < end {
            var words = 0
            while at < end && words < Self.block {
                let stop = scanner.wordEnd(base, at, end)
                let length = stop &- at
                if length <= WordCache.shortWord {
                    let key = WordCache.key(base + at, length, readable: readable &- at)
                    found[words] = Found(start: at, length: length, key: key, place: cache.place(key))
                } else {
                    found[words] = Found(start: at, length: length, key: WordCache.Key(low: 0, high: 0), place: 0)
                }
                words &+= 1
                at = stop
            }
            count = lookUp(words, base, readable, encoder, count, into: &tokens)
        }
        tokens.append(ids, spans, count)
    }

    /// Writes the tokens of the words found behind the `count` that are there, and returns how many there are then.
    @inline(__always)
    private func lookUp<Encoder: WordEncoder>(
        _ words: Int, _ base: UnsafePointer<UInt8>, _ readable: Int, _ encoder: Encoder, _ before: Int, into tokens: inout TokenSequence
    ) -> Int {
        var (ids, spans, room, count) = (ids, spans, capacity, before)
        let generation = cache.generation
        for word in 0..<words {
            let (start, length) = (found[word].start, found[word].length)
            if length <= WordCache.shortWord {
                if count >= room {
                    tokens.append(ids, spans, count)
                    count = 0
                }
                let place = generation == cache.generation ? found[word].place : cache.place(found[word].key)
                let known = cache.find(found[word].key, place, length, at: start, ids + count, spans + count)
                if known != 0 {
                    count &+= known
                    continue
                }
            }
            if count + 3 * length + 4 > room {
                tokens.append(ids, spans, count)
                count = 0
                if 3 * length + 4 > room { (ids, spans, room) = grow(3 * length + 4) }
            }
            count += make(encoder, base, start, start + length, readable, ids + count, spans + count)
        }
        return count
    }

    /// The tokens of a word that is not among the short ones.
    @inline(never)
    private func make<Encoder: WordEncoder>(
        _ encoder: Encoder, _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ readable: Int, _ ids: UnsafeMutablePointer<UInt32>,
        _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let length = stop - at
        if length > WordCache.shortWord && length <= WordCache.longestWord {
            let found = cache.findLong(text + at, length, at: at, ids, spans)
            if found != 0 { return found }
        }
        let made = encoder.encode(text, at, stop, ids, spans)
        if made > 0 {
            if length <= WordCache.shortWord {
                cache.remember(WordCache.key(text + at, length, readable: readable - at), length, at: at, ids, spans, made)
            } else if length <= WordCache.longestWord {
                cache.rememberLong(text + at, length, at: at, ids, spans, made)
            }
        }
        return abs(made)
    }

    private func grow(_ most: Int) -> (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt64>, Int) {
        ids.deallocate()
        spans.deallocate()
        capacity = most
        ids = .allocate(capacity: capacity + Self.slack)
        spans = .allocate(capacity: capacity + Self.slack)
        return (ids, spans, capacity)
    }
}
