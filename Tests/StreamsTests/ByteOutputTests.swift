// Writing: failures are told, files appear whole or not at all, nothing is left behind.
import Glibc
import XCTest

@testable import Streams

final class ByteOutputTests: XCTestCase {
    func testBytesArriveInOrder() throws {
        let pieces: [[UInt8]] = [1, 1_000_000, 70_000, 3_000_000, 0, 5].enumerated().map { [UInt8](repeating: UInt8($0), count: $1) }
        let bytes = try written { output in
            for piece in pieces { try output.write(piece) }
            try output.write("end")
            XCTAssertEqual(output.offset, 4_070_009)
        }
        XCTAssertEqual(bytes, pieces.flatMap { $0 } + Array("end".utf8))
    }

    /// Through a descriptor, never by its name: a build that took devices for files would, run by root, rename one over the device.
    func testFullDeviceIsTold() throws {
        func full() -> ByteOutput { ByteOutput(descriptor: open("/dev/full", O_WRONLY), name: "/dev/full", closing: true) }
        let small = full()
        try small.write("x")
        expectFailure(.inputOutput, "/dev/full: cannot write: No space left on device") { try small.close() }
        let large = full()
        expectFailure(.inputOutput, "No space left") { for _ in 0..<3 { try large.write([UInt8](repeating: 0, count: 1 << 20)) } }
    }

    func testClosedDescriptorIsTold() throws {
        let output = ByteOutput(descriptor: 999, name: "<stdout>", closing: false)
        try output.write("x")
        expectFailure(.inputOutput, "Bad file descriptor") { try output.close() }
        // Nothing to say, nothing lost.
        try ByteOutput(descriptor: 999, name: "<stdout>", closing: false).close()
    }

    /// What a killed writer of the same file left goes when it is written again; what another still holds, and other files', stays.
    func testLeftoversOfKilledWritersGo() throws {
        try withScratchFolder { folder in
            let gone = [".out.2147483647.part", ".out.2147483646.1.part"]
            let stay = [".out.2147483645.part", ".other.2147483647.part", ".out.part", ".out.\(getppid()).part", "out.2147483647.part"]
            for name in gone + stay { close(open("\(folder)/\(name)", O_CREAT | O_WRONLY, 0o666)) }
            let held = open("\(folder)/\(stay[0])", O_RDONLY)
            defer { close(held) }
            XCTAssertEqual(flock(held, LOCK_EX), 0)
            let output = try ByteOutput.file("\(folder)/out")
            try output.write("x")
            try output.close()
            for name in gone { XCTAssertNotEqual(access("\(folder)/\(name)", F_OK), 0, name) }
            for name in stay { XCTAssertEqual(access("\(folder)/\(name)", F_OK), 0, name) }
        }
    }

    func testFileSizeLimitIsTold() throws {
        try withScratchFolder { folder in
            var old = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
            defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old) }
            let output = try ByteOutput.file("\(folder)/limited")
            var limit = rlimit(rlim_cur: 1 << 16, rlim_max: old.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            expectFailure(.inputOutput, "File too large") {
                try output.write([UInt8](repeating: 0, count: 1 << 20))
                try output.close()
            }
            output.discard()
            XCTAssertEqual(try names(in: folder), [])
        }
    }

    func testFileAppearsAtClose() throws {
        try withScratchFolder { folder in
            let path = "\(folder)/out"
            let output = try ByteOutput.file(path)
            try output.write("new")
            try output.flush()
            XCTAssertEqual(try names(in: folder), [".out.\(getpid()).part"])
            try output.close()
            try output.close()
            output.discard()
            XCTAssertEqual(try names(in: folder), ["out"])
            XCTAssertEqual(try contents(path), Array("new".utf8))
        }
    }

    func testGivingUpLeavesTheOldFile() throws {
        try withScratchFolder { folder in
            let path = "\(folder)/out"
            try ByteOutput.replace(path, "old")
            do {
                let output = try ByteOutput.file(path)
                try output.write("new")
                try output.flush()
            }
            XCTAssertEqual(try names(in: folder), ["out"], "deinit removes the temporary file")
            XCTAssertEqual(try contents(path), Array("old".utf8))
            let other = try ByteOutput.file(path)
            TemporaryFiles.removeAll()
            XCTAssertEqual(try names(in: folder), ["out"], "a signal handler can remove it")
            expectFailure(.inputOutput, "rename") { try other.close() }
            XCTAssertEqual(try contents(path), Array("old".utf8))
        }
    }

    func testModesAndLinksAreKept() throws {
        try withScratchFolder { folder in
            let target = "\(folder)/target"
            try ByteOutput.replace(target, "old")
            chmod(target, 0o640)
            mkdir("\(folder)/sub", 0o777)
            symlink("../target", "\(folder)/sub/link")
            try ByteOutput.replace("\(folder)/sub/link", "new")
            XCTAssertEqual(try contents(target), Array("new".utf8))
            XCTAssertEqual(try names(in: "\(folder)/sub"), ["link"])
            var status = stat()
            lstat("\(folder)/sub/link", &status)
            XCTAssertEqual(status.st_mode & S_IFMT, S_IFLNK)
            lstat(target, &status)
            XCTAssertEqual(status.st_mode & 0o777, 0o640)
            symlink("later", "\(folder)/dangling")
            try ByteOutput.replace("\(folder)/dangling", "made")
            XCTAssertEqual(try contents("\(folder)/later"), Array("made".utf8))
        }
    }

    func testTwoOutputsToOneNameDoNotMix() throws {
        try withScratchFolder { folder in
            let (first, second) = (try ByteOutput.file("\(folder)/out"), try ByteOutput.file("\(folder)/out"))
            try first.write("first")
            try second.write("second")
            try first.close()
            try second.close()
            XCTAssertEqual(try contents("\(folder)/out"), Array("second".utf8))
            XCTAssertEqual(try names(in: folder), ["out"])
        }
    }

    func testALongNameHasRoomForTheTemporary() throws {
        try withScratchFolder { folder in
            let path = folder + "/" + String(repeating: "n", count: 255)
            try ByteOutput.replace(path, "x")
            XCTAssertEqual(try contents(path), [0x78])
        }
    }

    func testFIFOIsWrittenDirectly() throws {
        try withScratchFolder { folder in
            let path = "\(folder)/fifo"
            XCTAssertEqual(mkfifo(path, 0o600), 0)
            let reader = open(path, O_RDONLY | O_NONBLOCK)
            let output = try ByteOutput.file(path)
            try output.write("through")
            try output.close()
            XCTAssertEqual(try ByteInput(descriptor: reader, name: "fifo", closing: true).rest(limit: 100), Array("through".utf8))
            XCTAssertEqual(try names(in: folder), ["fifo"])
        }
    }

    func testWhatCannotBeCreated() throws {
        try withScratchFolder { folder in
            expectFailure(.cannotCreate, "folder '\(folder)/none' does not exist") { try ByteOutput.file("\(folder)/none/out") }
            expectFailure(.cannotCreate, "folder") { try ByteOutput.file(folder) }
            expectFailure(.cannotCreate) { try ByteOutput.file("\(folder)/new/") }
        }
    }
}

extension ByteOutput {
    fileprivate static func replace(_ path: String, _ text: String) throws {
        let output = try file(path)
        try output.write(text)
        try output.close()
    }
}
