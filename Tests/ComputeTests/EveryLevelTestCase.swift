// Tests of operations, run once with the kernels of each instruction set that this machine has.
import XCTest

@testable import Compute

/// A test case whose every test runs on two threads with each instruction set, lowest first.
class EveryLevelTestCase: XCTestCase {
    private(set) var operations: CPUOperations!

    required init(name: String, testClosure: @escaping XCTestCaseClosure) {
        super.init(name: name) { test in
            guard let self = test as? EveryLevelTestCase else { return XCTFail("not of this class") }
            for level in runnableLevels {
                self.operations = CPUOperations(pool: ThreadPool(threads: 2), level: level)
                try testClosure(test)
            }
            self.operations = nil
        }
    }

    override func recordFailure(withDescription description: String, inFile filePath: String, atLine lineNumber: Int, expected: Bool) {
        let description = "\(operations?.instructionSet ?? ""): \(description)"
        super.recordFailure(withDescription: description, inFile: filePath, atLine: lineNumber, expected: expected)
    }
}
