// Requests to a server over HTTP or HTTPS, by libcurl where the machine has it.
import CSystem
import Glibc

/// A server's answer, whatever its status.
public struct HTTPAnswer: Sendable {
    public var status: Int
    public var body: [UInt8]
    /// Seconds that the server asks to wait before another try.
    public var retryAfter: Int?

    public init(status: Int, body: [UInt8], retryAfter: Int? = nil) {
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
    }
}

/// Why there is no answer.
public struct HTTPError: Error, Equatable, CustomStringConvertible {
    /// libcurl's code.
    public var code: Int
    /// libcurl's words, or ours.
    public var description: String
    /// Whether another try may end otherwise: no connection, a lost one, a time that ran out.
    public var isTransient: Bool
}

/// How long to wait and how much to take.
public struct HTTPLimits: Sendable {
    public var connectSeconds = 30.0
    public var totalSeconds = 600.0
    /// The longest body.
    public var bodyBytes = 64 << 20

    public init() {}
}

/// Connections that are kept open between requests; for one thread at a time.
///
/// libcurl is opened at run time, so that it is needed by those alone who send requests. What it reads of the environment holds:
/// `https_proxy` and `no_proxy` among others. Redirections are not followed: a body with a key must not go where nobody sent it.
public final class HTTPConnection {
    private let handle: OpaquePointer

    /// Throws 66 with the cure where the machine has no libcurl.
    public init() throws {
        if let problem = preceptor_http_load() {
            throw Failure(
                .cannotOpen, "libcurl", "cannot be opened: \(printable(String(cString: problem), limit: 200))",
                hint: "requests to a server need libcurl.so.4: apt-get install libcurl4, dnf install libcurl")
        }
        guard let handle = preceptor_http_open() else { throw Failure(.inputOutput, "libcurl", "no memory for a connection") }
        self.handle = handle
    }

    deinit { preceptor_http_close(handle) }

    /// libcurl's version and the libraries that it uses, for `--verbose`; nil where there is none.
    public static var library: String? {
        preceptor_http_load() == nil ? String(cString: preceptor_http_version()) : nil
    }

    /// Fetches a URL. Throws `HTTPError`, `Failure.badData` for an answer over its limit, `Failure.stopped` where a signal asks to stop.
    public func get(_ url: String, headers: [String] = [], limits: HTTPLimits = HTTPLimits()) throws -> HTTPAnswer {
        try send(url, headers, body: nil, limits)
    }

    /// Sends a JSON document. Throws as `get` does.
    public func post(_ url: String, json: [UInt8], headers: [String] = [], limits: HTTPLimits = HTTPLimits()) throws -> HTTPAnswer {
        // libcurl would ask leave for a body of 1 MiB, and wait a second for servers that do not give it.
        try send(url, headers + ["Content-Type: application/json", "Expect:"], body: json, limits)
    }

    private func send(_ url: String, _ headers: [String], body: [UInt8]?, _ limits: HTTPLimits) throws -> HTTPAnswer {
        let received = Received(limit: limits.bodyBytes)
        var result = preceptor_http_result()
        withArrayOfCStrings([url] + headers) { texts in
            (body ?? []).withUnsafeBytes { bytes in
                let empty: StaticString = ""
                var request = preceptor_http_request(
                    url: texts[0], headers: texts.baseAddress! + 1, header_count: headers.count,
                    body: body == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(empty.utf8Start), body_count: bytes.count,
                    connect_milliseconds: Int(limits.connectSeconds * 1000), total_milliseconds: Int(limits.totalSeconds * 1000),
                    receive: { bytes, size, count, context in
                        let received = Unmanaged<Received>.fromOpaque(context!).takeUnretainedValue()
                        return received.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
                    },
                    context: Unmanaged.passUnretained(received).toOpaque(), stop: { Interruption.requested?() == true ? 1 : 0 })
                preceptor_http_send(handle, &request, &result)
            }
        }
        try check(result, received)
        return HTTPAnswer(
            status: result.status, body: received.bytes, retryAfter: result.retry_after > 0 ? Int(result.retry_after) : nil)
    }

    private func check(_ result: preceptor_http_result, _ received: Received) throws {
        guard result.code != 0 else { return }
        if Interruption.requested?() == true { throw Failure(.stopped, "the request", "stopped by a signal") }
        if received.isOverfull {
            throw Failure(.badData, "the answer", "longer than \(received.limit) bytes")
        }
        var message = result.message
        let words = withUnsafeBytes(of: &message) { printable($0.prefix { $0 != 0 }, limit: 200) }
        throw HTTPError(code: Int(result.code), description: words, isTransient: HTTPConnection.transient.contains(result.code))
    }

    /// Names not found for now, connections refused, lost or cut, time run out, HTTP/2 streams that were reset.
    private static let transient: Set<Int32> = [5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92]
}

/// An answer's body as it comes in.
private final class Received {
    let limit: Int
    private(set) var bytes: [UInt8] = []
    private(set) var isOverfull = false

    init(limit: Int) { self.limit = limit }

    func take(_ more: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count + more.count <= limit else {
            isOverfull = true
            return false
        }
        bytes.append(contentsOf: more)
        return true
    }
}

/// Texts as C strings, valid during the call.
private func withArrayOfCStrings<Result>(
    _ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>>) -> Result
) -> Result {
    let copies = texts.map { strdup($0)! }
    defer { for copy in copies { free(copy) } }
    return copies.map { UnsafePointer($0) }.withUnsafeBufferPointer(body)
}
