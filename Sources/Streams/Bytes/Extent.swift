// The one place where sizes told by a file are multiplied and rounded.

/// The bytes of `count` elements stored in blocks: `count / per * unit`, rounded up to a multiple of `alignment`.
///
/// - `count`: elements, of which `per` share a block of `unit` bytes. `alignment`: 1 for none.
/// - Returns nil when `per` or `alignment` is 0, when `per` does not divide `count`, or when a product or the rounding passes 2^64 - 1.
///
/// Dividing before multiplying is part of the contract: a count near 2^64 must not wrap into a small size.
public func extent(count: UInt64, unit: UInt64, per: UInt64 = 1, alignment: UInt64 = 1) -> UInt64? {
    guard per > 0, alignment > 0, count % per == 0 else { return nil }
    let (bytes, wrapped) = (count / per).multipliedReportingOverflow(by: unit)
    guard !wrapped else { return nil }
    let over = bytes % alignment
    guard over > 0 else { return bytes }
    let (padded, passed) = bytes.addingReportingOverflow(alignment - over)
    return passed ? nil : padded
}

/// The number of elements of a shape; 1 for no dimensions.
///
/// Returns nil when the product of the dimensions other than 0 passes 2^64 - 1: a 0 must not hide a wrap.
public func elementCount(_ dimensions: some Sequence<UInt64>) -> UInt64? {
    var product: UInt64 = 1
    var isEmpty = false
    for dimension in dimensions {
        if dimension == 0 {
            isEmpty = true
            continue
        }
        let (next, wrapped) = product.multipliedReportingOverflow(by: dimension)
        guard !wrapped else { return nil }
        product = next
    }
    return isEmpty ? 0 : product
}
