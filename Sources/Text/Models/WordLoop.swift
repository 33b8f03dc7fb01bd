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

    /// Takes in a short word that will be encoded together with others. False where it is to be encoded by itself.
    func stage(_ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int) -> Bool

    /// What merges the words taken in; nil where none are.
    var merger: ShortWordMerger? { get }

    /// Bytes that the vocabulary could not express since this was last asked.
    func takeDroppedBytes() -> Int

    /// One for another thread: the tables are shared, scratch is its own.
    func duplicate() -> Self

    /// The bytes of text that a token stands for by itself.
    func bytes(of id: Int) -> [UInt8]

    /// A token as vocabulary files write it.
    func spelling(of id: Int) -> [UInt8]
}

extension WordEncoder {
    func stage(_ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int) -> Bool { false }

    var merger: ShortWordMerger? { nil }
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
        staged.deallocate()
    }

    /// A word that was found in the text, before its tokens are looked up.
    private struct Found {
        var start: Int
        var length: Int
        /// Of a longer word: its hash, as the lower part.
        var key: WordCache.Key
        var place: Int
    }
    /// Words are found so many at a time: their entries of the cache are on their way from memory before they are looked at, and those
    /// that are not known are encoded side by side.
    private static let block = 128
    private let found = UnsafeMutablePointer<Found>.allocate(capacity: block)

    /// A word that is being encoded with others: its tokens will stand from `place` on, where a token for each of its bytes has room.
    private struct Staged {
        var word: Int
        var place: Int
    }
    private let staged = UnsafeMutablePointer<Staged>.allocate(capacity: ShortWordMerger.lanes)

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
            let begin = at
            var words = 0
            while at < end && words < Self.block {
                let stop = scanner.wordEnd(base, at, end)
                let length = stop &- at
                if length <= WordCache.shortWord {
                    let key = WordCache.key(base + at, length, readable: readable &- at)
                    found[words] = Found(start: at, length: length, key: key, place: cache.place(key))
                } else {
                    let hash = length <= WordCache.longestWord ? cache.placeLong(base + at, length) : 0
                    found[words] = Found(start: at, length: length, key: WordCache.Key(low: hash, high: 0), place: 0)
                }
                words &+= 1
                at = stop
            }
            count = reserve(at &- begin, count, into: &tokens)
            count = lookUp(words, base, readable, encoder, count, into: &tokens)
        }
        tokens.append(ids, spans, count)
    }

    /// Makes room for `more` tokens behind the `count` that are there, and returns how many there are then.
    @inline(__always)
    private func reserve(_ more: Int, _ count: Int, into tokens: inout TokenSequence) -> Int {
        if count &+ more <= capacity { return count }
        tokens.append(ids, spans, count)
        if more > capacity { grow(more) }
        return 0
    }

    /// Writes the tokens of the words found behind the `count` that are there, and returns how many there are then.
    @inline(__always)
    private func lookUp<Encoder: WordEncoder>(
        _ words: Int, _ base: UnsafePointer<UInt8>, _ readable: Int, _ encoder: Encoder, _ before: Int, into tokens: inout TokenSequence
    ) -> Int {
        var (ids, spans, count, waiting) = (ids, spans, before, 0)
        let generation = cache.generation
        for word in 0..<words {
            let (start, length) = (found[word].start, found[word].length)
            if length <= WordCache.shortWord {
                let place = generation == cache.generation ? found[word].place : cache.place(found[word].key)
                let known = cache.find(found[word].key, place, length, at: start, ids + count, spans + count)
                if known != 0 {
                    count &+= known
                    continue
                }
            } else if length <= WordCache.longestWord {
                let known = cache.findLong(base + start, length, found[word].key.low, at: start, ids + count, spans + count)
                if known != 0 {
                    count &+= known
                    continue
                }
            }
            if encoder.stage(base, start, start &+ length) {
                staged[waiting] = Staged(word: word, place: count)
                waiting &+= 1
                count &+= length
                if waiting < ShortWordMerger.lanes { continue }
                count = settle(encoder, waiting, base, readable, count)
                waiting = 0
                continue
            }
            // The tokens of a word by itself may be more than its bytes.
            let rest = found[words &- 1].start &+ found[words &- 1].length &- start
            cache.writeAwaited()
            if count &+ 3 &* length &+ 4 &+ rest > capacity {
                count = settle(encoder, waiting, base, readable, count)
                waiting = 0
                count = reserve(3 &* length &+ 4 &+ rest, count, into: &tokens)
                (ids, spans) = (self.ids, self.spans)
            }
            count += make(encoder, base, start, start + length, readable, ids + count, spans + count)
        }
        cache.writeAwaited()
        return settle(encoder, waiting, base, readable, count)
    }

    /// Encodes the words that wait, puts their tokens where they belong and remembers them. Returns how many tokens there are then.
    @inline(__always)
    private func settle<Encoder: WordEncoder>(
        _ encoder: Encoder, _ waiting: Int, _ text: UnsafePointer<UInt8>, _ readable: Int, _ count: Int
    ) -> Int {
        guard waiting > 0, let merger = encoder.merger else { return count }
        return settle(merger, waiting, text, readable, count)
    }

    @inline(never)
    private func settle(
        _ merger: ShortWordMerger, _ waiting: Int, _ text: UnsafePointer<UInt8>, _ readable: Int, _ count: Int
    ) -> Int {
        cache.writeAwaited()
        merger.merge()
        var end = staged[0].place
        for lane in 0..<waiting {
            let word = found[staged[lane].word]
            let made = merger.write(lane, ids + end, spans + end)
            if word.length > WordCache.shortWord {
                cache.rememberLong(text + word.start, word.length, at: word.start, ids + end, spans + end, made)
            } else if !cache.contains(word.key) {
                cache.remember(word.key, word.length, at: word.start, ids + end, spans + end, made)
            }
            end += made
            let (from, to) = (staged[lane].place + word.length, lane + 1 < waiting ? staged[lane + 1].place : count)
            (ids + end).update(from: ids + from, count: to - from)
            (spans + end).update(from: spans + from, count: to - from)
            end += to - from
        }
        merger.removeAll()
        return end
    }

    /// The tokens of a word by itself.
    @inline(never)
    private func make<Encoder: WordEncoder>(
        _ encoder: Encoder, _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ readable: Int, _ ids: UnsafeMutablePointer<UInt32>,
        _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let length = stop - at
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

    private func grow(_ most: Int) {
        ids.deallocate()
        spans.deallocate()
        capacity = most
        ids = .allocate(capacity: capacity + Self.slack)
        spans = .allocate(capacity: capacity + Self.slack)
    }
}
