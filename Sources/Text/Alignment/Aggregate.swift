// One loss for a student token from those of the teacher tokens that cover it.

/// How the losses of several teacher tokens become one. `max` is the best in the paper.
public enum Aggregate: String, CaseIterable, Sendable {
    case max, mean, sum, min, first, last
}

/// The teacher's loss for each student token.
///
///     loss(i) = aggregate over j in ranges(i) of -logProbs(j)
///
/// - ranges: two indices a student token, half-open, as `alignRanges` gives them. - logProbs: natural log p of each teacher token of
///   the same document. - losses: nats, one a student token, appended.
/// - A NaN log-probability (a token without context) is skipped; where nothing is left, or the range is empty, the loss is NaN:
///   the student token is unmapped. `first` and `last` take the outermost token that has a loss.
/// - Traps if a range passes the log-probabilities. Sums in Double.
/// - Source: VocAgnoLM, arXiv 2503.19123.
public func aggregateLosses(
    ranges: UnsafeBufferPointer<UInt32>, logProbs: UnsafeBufferPointer<Float>, by aggregate: Aggregate, into losses: inout [Float]
) {
    precondition(ranges.count % 2 == 0, "bug: ranges come in pairs")
    let first = losses.count
    losses.append(contentsOf: repeatElement(.nan, count: ranges.count / 2))
    losses.withUnsafeMutableBufferPointer { losses in
        for i in 0..<ranges.count / 2 {
            let (low, end) = (Int(ranges[2 &* i]), Int(ranges[2 &* i &+ 1]))
            guard low < end else { continue }
            precondition(end <= logProbs.count, "bug: a teacher range passes the teacher's tokens")
            // Nine of ten ranges have one token.
            losses[first &+ i] = end &- low == 1 ? -logProbs[low] : aggregated(low..<end, logProbs, aggregate)
        }
    }
}

private func aggregated(_ range: Range<Int>, _ logProbs: UnsafeBufferPointer<Float>, _ aggregate: Aggregate) -> Float {
    var sum = 0.0
    var count = 0
    var largest = -Float.infinity
    var smallest = Float.infinity
    var first = Float.nan
    var last = Float.nan
    for j in range {
        let loss = -logProbs[j]
        if loss.isNaN { continue }
        if count == 0 { first = loss }
        last = loss
        largest = Swift.max(largest, loss)
        smallest = Swift.min(smallest, loss)
        sum += Double(loss)
        count += 1
    }
    guard count > 0 else { return .nan }
    return switch aggregate {
    case .max: largest
    case .mean: Float(sum / Double(count))
    case .sum: Float(sum)
    case .min: smallest
    case .first: first
    case .last: last
    }
}
