// The address of a server that speaks OpenAI's HTTP interface, as a user types it.

/// Where a server takes requests for completions and names its models.
public struct ServerAddress: Equatable, Sendable {
    /// `http://host:8000/v1`, without what follows: what messages name.
    public let base: String

    public var completions: String { base + "/completions" }
    public var models: String { base + "/models" }

    /// An address of the form `http[s]://host[:port][/path]`; the path may end in `/v1` or `/v1/completions`, and otherwise gets a `/v1`.
    ///
    /// Returns nil with the words for a usage error otherwise. Names and passwords in the address are refused, and so is a query: they
    /// would be seen in the list of processes and be written into the output.
    public static func parse(_ text: String) -> (address: ServerAddress?, problem: String) {
        let bytes = Array(text.utf8)
        let schemes = ["http://", "https://"].map { Array($0.utf8) }
        guard let scheme = schemes.first(where: { bytes.prefix($0.count).map(lowered).elementsEqual($0) }) else {
            return (nil, "must begin with http:// or https://")
        }
        let rest = bytes[scheme.count...]
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return (nil, "holds a space, a control character or one beyond ASCII") }
        let host = rest.prefix { $0 != UInt8(ascii: "/") }
        guard !host.contains(UInt8(ascii: "@")) else {
            return (nil, "holds a name or a password, which the output would show: give a key in the environment")
        }
        guard !rest.contains(UInt8(ascii: "?")), !rest.contains(UInt8(ascii: "#")) else { return (nil, "holds a query or a fragment") }
        guard let first = host.first, first != UInt8(ascii: ":") else { return (nil, "names no host") }
        var path = Array(rest[host.endIndex...])
        func trim() { while path.last == UInt8(ascii: "/") { path.removeLast() } }
        trim()
        let ending = Array("/completions".utf8)
        if path.suffix(ending.count).elementsEqual(ending) {
            path.removeLast(ending.count)
            trim()
        } else if !path.suffix(3).elementsEqual("/v1".utf8) {
            path += Array("/v1".utf8)
        }
        return (ServerAddress(base: String(decoding: scheme + Array(host) + path, as: UTF8.self)), "")
    }
}

private func lowered(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
