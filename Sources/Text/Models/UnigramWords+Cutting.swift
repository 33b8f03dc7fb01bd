// The search through a text by words: those that are kept are gone through in one step.

extension UnigramWords {
    /// Cuts all that is left of a text.
    ///
    /// Cost of a word that is kept: a pass over its bytes for its end and its hash, two places of memory, which are fetched ahead for a
    /// block of words, an addition for each piece, and a walk in the trie for each exit.
    func cut(
        _ search: inout UnigramLattice<Float>, _ unknownID: UInt32, _ output: inout UnigramOutput, _ tokens: inout TokenSequence
    ) {
        let (text, end, trie) = (search.text, search.end, search.trie)
        while search.at < end {
            var (count, at) = (0, search.at)
            while at < end && count < Self.blockSize {
                let word = UnigramWord(text, at, end)
                prefetchSlots(word.hash)
                block[count] = word
                at = word.stop
                count &+= 1
            }
            for word in 0..<count { prefetch(block[word].hash) }
            walks.count = 0
            for word in 0..<count { prepare(text, &block[word], end, trie) }
            for word in 0..<count { beginWalks(text, &block[word], end, trie) }
            walks.run(text, end, trie)
            let generation = generation
            for number in 0..<count {
                let word = block[number]
                if step(&search, word, isFresh: generation == self.generation, unknownID, &output, &tokens) { continue }
                search.advance(to: word.stop, walks: word.place < 0 && word.walk >= 0 ? walks : nil, walk: word.walk) {
                    write($0, $1, $2, trie, unknownID, &output, &tokens)
                }
            }
        }
        search.report { write($0, $1, $2, trie, unknownID, &output, &tokens) }
    }

    @inline(__always)
    private func write(
        _ node: UnigramLattice<Float>.Node, _ start: Int, _ end: Int, _ trie: UnigramTrie<Float>.View, _ unknownID: UInt32,
        _ output: inout UnigramOutput, _ tokens: inout TokenSequence
    ) {
        if node.piece >= 0 { return output.appendPiece(trie.id(node.piece), start, end, &tokens) }
        if node.piece == UnigramLattice<Float>.unknown { return output.append(unknownID, start, end, &tokens) }
        output.append(pieces(Self.place(node.piece)), Int(node.count), hasUnknown: true, at: start, &tokens)
    }

    /// Pieces of words, beside those of the trie and the unknown character.
    @inline(__always)
    private static func step(_ place: Int) -> Int32 { -2 &- Int32(truncatingIfNeeded: place) }
    @inline(__always)
    private static func place(_ step: Int32) -> Int { -2 &- Int(step) }

    /// Goes through a word in one step; false where that cannot be done.
    @inline(__always)
    private func step(
        _ search: inout UnigramLattice<Float>, _ word: UnigramWord, isFresh: Bool, _ unknownID: UInt32, _ output: inout UnigramOutput,
        _ tokens: inout TokenSequence
    ) -> Bool {
        let (text, end, trie, start, stop) = (search.text, search.end, search.trie, word.start, word.stop)
        guard stop &- start <= UnigramWordCut.longestWord else { return false }
        if search.isDecided {
            if search.base < start { search.report { write($0, $1, $2, trie, unknownID, &output, &tokens) } }
        }
        var known: Int? = isFresh && word.place >= 0 ? word.place : find(text, word, end)
        if known == nil {
            guard isMetAgain(word.hash) else { return false }
            learn(
                text, word, trie, unknownScore: search.limits.unknownScore, unknownID: unknownID,
                mayForget: search.isDecided && search.base == start)
            known = find(text, word, end)
        }
        guard let known else { return false }
        let (head, before) = (head(known).pointee, search.sum)
        let largest = abs(before) + head.reach
        let unit = Self.halfUnit(largest)
        guard head.lead > unit, largest < search.limits.highestSum else { return false }
        let first = piecePlace(known, stop &- start)
        // Cuts that end inside the word, and are not the best at its end: the sums and deficits are rounded too.
        var inside = stop
        if !search.isDecided {
            let slack = 1e-3 + unit * Float(16 &* (stop &- start))
            let mayWin = search.endsInside(stop) { sum, byte in
                inside = min(inside, byte)
                return sum + deficit(first, head, byte &- start) + slack >= before
            }
            guard !mayWin else { return false }
            // They may be the best at an exit.
            if inside < stop && stop < end && goesOn(search, first, head, word, from: inside) { return false }
        }
        let pieces = pieces(first)
        var sum = before
        for piece in 0..<Int(head.count) { sum += pieces[piece].score }
        if word.exits != 0 && head.exits > 0 && stop < end {
            search.reserve(stop &- start &+ search.limits.longestPiece &+ 4)
            let exits = exits(first, Int(head.all))
            var offers = search
            for number in 0..<Int(head.exits) where word.exits &>> UInt64(number) & 1 != 0 {
                let exit = exits[number]
                var from: Float?
                forEachPiece(word, number, exit, search) { to, place, score in
                    let at = start &+ Int(exit.at)
                    if from == nil {
                        var sum = before
                        for piece in 0..<Int(exit.count) { sum += pieces[Int(exit.first) &+ piece].score }
                        from = sum
                        offers.open(stop)
                        if exit.count > 0 {
                            offers.set(sum, start, at, piece: Self.step(first &+ 3 &* Int(exit.first)), count: Int(exit.count))
                        }
                    }
                    offers.offer(from! + score, at, to, piece: place, count: 1)
                }
            }
            search = offers
        }
        if search.isDecided {
            output.append(pieces, Int(head.count), hasUnknown: head.hasUnknown, at: start, &tokens)
            search.restart(stop, sum)
        } else {
            search.offer(sum, start, stop, piece: Self.step(first), count: Int(head.count))
            search.pass(stop)
        }
        return true
    }

    /// Whether a piece goes on with the text from an exit at or behind byte `from`.
    @inline(__always)
    private func goesOn(_ search: UnigramLattice<Float>, _ first: Int, _ head: Head, _ word: UnigramWord, from: Int) -> Bool {
        let exits = exits(first, Int(head.all))
        for number in 0..<Int(head.exits)
        where word.start &+ Int(exits[number].at) >= from && word.exits &>> UInt64(number) & 1 != 0 {
            var isFound = false
            forEachPiece(word, number, exits[number], search) { _, _, _ in isFound = true }
            if isFound { return true }
        }
        return false
    }

    /// Half a unit in the last place of a sum.
    @inline(__always)
    private static func halfUnit(_ sum: Float) -> Float { Float(bitPattern: sum.bitPattern & 0x7F80_0000) * 0x1p-24 }
}
