// Addresses, waits and words; requests themselves are tested with a server, in Tests/cli.
import XCTest

@testable import Streams

final class HTTPTests: XCTestCase {
    func testAddresses() {
        let good = [
            ("http://host", "http://host/v1"), ("http://host/", "http://host/v1"), ("https://host:8000/v1", "https://host:8000/v1"),
            ("http://host/v1/", "http://host/v1"), ("http://host/v1/completions", "http://host/v1"),
            ("HTTP://Host/a/v1//", "http://Host/a/v1"),
            ("http://[::1]:80/proxy/teacher", "http://[::1]:80/proxy/teacher/v1"), ("http://host/api/completions/", "http://host/api"),
        ]
        for (text, base) in good {
            let address = ServerAddress.parse(text).address
            XCTAssertEqual(address?.base, base, text)
            XCTAssertEqual(address?.completions, base + "/completions")
            XCTAssertEqual(address?.models, base + "/models")
        }
        let bad = [
            ("host:80", "begin with http"), ("ftp://host", "begin with http"), ("", "begin with http"), ("http://", "no host"),
            ("http:///v1", "no host"), ("http://:80", "no host"), ("http://a:b@host", "password"), ("http://host?key=1", "query"),
            ("http://host/#x", "fragment"), ("http://ho st", "space"), ("http://höst", "ASCII"), ("http://host\n", "control"),
        ]
        for (text, words) in bad {
            let (address, problem) = ServerAddress.parse(text)
            XCTAssertNil(address, text)
            XCTAssertTrue(problem.contains(words), "\(text): \(problem)")
        }
    }

    func testWaitsDoubleWithinTheirBounds() {
        var policy = RetryPolicy()
        (policy.firstSeconds, policy.longestSeconds, policy.longestAskedSeconds) = (0.5, 60, 600)
        for (number, full) in [(1, 0.5), (2, 1), (3, 2), (7, 32), (8, 60), (1000, 60)] {
            XCTAssertEqual(policy.wait(before: number, asked: nil, random: 1), full, accuracy: 1e-9)
            XCTAssertEqual(policy.wait(before: number, asked: nil, random: 0), full / 2, accuracy: 1e-9)
        }
        XCTAssertEqual(policy.wait(before: 1, asked: 7, random: 1), 7)
        XCTAssertEqual(policy.wait(before: 8, asked: 7, random: 1), 60)
        XCTAssertEqual(policy.wait(before: 1, asked: 100_000, random: 1), 600)
    }

    func testWordsOfServers() {
        let cases: [(String, String?)] = [
            ("{\"error\":{\"message\":\"no model\",\"code\":404}}", "no model"), ("{\"error\":\"plain\"}", "plain"),
            ("{\"object\":\"error\",\"message\":\"too long\"}", "too long"), ("{\"detail\":\"Not Found\"}", "Not Found"),
            ("{\"detail\":[{\"loc\":[\"body\",\"prompt\",0],\"msg\":\"bad\"}]}", "body.prompt.0: bad"), ("  \n", nil), ("", nil),
            ("\n<html>\u{1}", "<html>\\x01"), ("{\"error\":", "{\"error\":"), ("{\"error\":{}}", "{\"error\":{}}"),
        ]
        for (body, words) in cases { XCTAssertEqual(serverWords(Array(body.utf8)), words, body) }
        XCTAssertEqual(serverWords([UInt8](repeating: 0x61, count: 10_000))?.utf8.count, 203)
    }
}
