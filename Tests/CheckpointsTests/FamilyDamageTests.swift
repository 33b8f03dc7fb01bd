// Damaged descriptions of models of every family: each is read or refused, and none traps.
import Checkpoints
import Compute
import Foundation
import Streams
import TestSupport
import XCTest

final class FamilyDamageTests: XCTestCase {
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    private let values = [
        "0", "-1", "1", "3", "7", "4096", "2147483647", "2147483648", "9223372036854775807", "-9223372036854775808", "0.5", "-0.0",
        "1e-300",
        "1e308", "1e39", "\"\"", "\"x\"", "[]", "[0]", "{}", "null", "true", "false",
    ]

    /// Each key of each config.json, and each inside its rotary parameters, with each value, and without; what is read can be scored with.
    func testConfigurations() throws {
        var outcomes = (read: 0, refused: 0)
        let pool = ThreadPool(threads: 1)
        for name in FamilyFixture.names {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture("families/\(name)/config.json")))
            let whole = try XCTUnwrap(JSONSerialization.jsonObject(with: bytes) as? [String: Any])
            let weights = fixture("families/\(name)/model.safetensors")
            try scratch.write("\(name)/config.json", "{}")
            try FileManager.default.copyItem(atPath: weights, toPath: scratch("\(name)/model.safetensors"))
            let file = open(scratch("\(name)/config.json"), O_RDWR)
            defer { close(file) }
            func attempt(_ object: [String: Any]) throws {
                let text = try [UInt8](JSONSerialization.data(withJSONObject: object))
                XCTAssertEqual(pwrite(file, text, text.count, 0), text.count)
                XCTAssertEqual(ftruncate(file, off_t(text.count)), 0)
                do {
                    let model = try ModelFolder.open(scratch(name)).model
                    outcomes.read += 1
                    guard model.configuration.positionLimit ?? 3 >= 3 else { return }
                    XCTAssertEqual(Scorer(model, pool: pool).logProbabilities(ids: [1, 2, 3], splits: [0, 3]).count, 3)
                } catch is Failure { outcomes.refused += 1 }
            }
            let extra = ["rope_scaling", "sliding_window", "layer_types", "partial_rotary_factor", "intermediate_size", "head_dim"]
            for key in Set(whole.keys).union(extra) {
                for value in values {
                    var object = whole
                    object[key] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
                    try attempt(object)
                    guard var inner = whole[key] as? [String: Any] else { continue }
                    for innerKey in Array(inner.keys) + [
                        "factor", "original_max_position_embeddings", "beta_fast", "mscale", "attention_factor",
                    ] {
                        inner[innerKey] = object[key]
                        object[key] = inner
                        try attempt(object)
                        inner = whole[key] as? [String: Any] ?? [:]
                        object[key] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
                    }
                }
                var object = whole
                object[key] = nil
                try attempt(object)
            }
        }
        XCTAssertGreaterThan(outcomes.read, 1000)
        XCTAssertGreaterThan(outcomes.refused, 1000)
    }

    /// Each byte of the metadata and the table of tensors of each GGUF, with one of its bits or all of them turned.
    func testGGUF() throws {
        for name in FamilyFixture.converted {
            let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: fixture("families/\(name)/model.gguf"))))
            let data = try GGUFFile.open(fixture("families/\(name)/model.gguf")).tensors.map(\.range.lowerBound).min() ?? 0
            let path = scratch("\(name).gguf")
            try scratch.write("\(name).gguf", whole)
            let file = open(path, O_RDWR)
            defer { close(file) }
            for place in 0..<data {
                for mask in [UInt8(1) << (place % 8), 0xff] {
                    var byte = whole[place] ^ mask
                    XCTAssertEqual(pwrite(file, &byte, 1, off_t(place)), 1)
                    do { _ = try ModelFolder.open(path) } catch is Failure {}
                    byte = whole[place]
                    XCTAssertEqual(pwrite(file, &byte, 1, off_t(place)), 1)
                }
            }
            XCTAssertNoThrow(try ModelFolder.open(path))
        }
    }
}
