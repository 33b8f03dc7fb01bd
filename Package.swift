// swift-tools-version: 6.0
// Preceptor: Unix tools that train small language models under a teacher with another vocabulary.
// Targets only. Release builds: `make` (static Swift standard library; see the Makefile).
import PackageDescription

/// The commit that `--version` names: the Makefile passes it on. (`Context.gitInformation` is cached with the manifest and grows stale.)
let commit = Context.environment["PRECEPTOR_COMMIT"] ?? "unknown"

/// Functions that give memory, as the linker knows them; the last two are C++'s operator new.
let allocators = ["malloc", "calloc", "realloc", "posix_memalign", "_Znwm", "_ZnwmSt11align_val_t"]

/// A tool's executable: thin, named as typed in a shell.
func tool(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["Command", "Streams", .product(name: "ArgumentParser", package: "swift-argument-parser")] + dependencies)
}

let package = Package(
    name: "preceptor",
    products: [
        .executable(name: "tokenize", targets: ["tokenize"]),
        .executable(name: "align", targets: ["align"]),
        .executable(name: "teacher-score", targets: ["teacher-score"]),
        .executable(name: "train", targets: ["train"]),
        .executable(name: "evaluate", targets: ["evaluate"]),
        .executable(name: "sample", targets: ["sample"]),
        .executable(name: "stream-cat", targets: ["stream-cat"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // C libraries: module maps only.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        // Inner loops in C vector extensions, one copy per instruction set, chosen at run time; no flags.
        .target(name: "CKernels"),
        // The commit as a C string (Swift takes no constants from outside), a system call that Swift does not import, instructions, libcurl
        // by dlopen (a library of its own before glibc 2.34), and what happens where memory ends: allocations go through memory.c.
        .target(
            name: "CSystem", cSettings: [.define("PRECEPTOR_COMMIT", to: commit)],
            linkerSettings: [.linkedLibrary("dl"), .unsafeFlags(allocators.flatMap { ["-Xlinker", "--wrap=\($0)"] })]),

        .target(name: "Compute", dependencies: ["CKernels", "COpenBLAS", "CSystem"]),
        .target(name: "Streams", dependencies: ["CJansson", "CSystem"]),
        .target(name: "Text", dependencies: ["CSystem", "Streams"]),
        // Ranks of a data-parallel run that add up their gradients, over an MPI library found at run time.
        .target(name: "Distributed", dependencies: ["Compute", "CSystem", "Streams"]),
        // Ranks the units of a corpus and cuts the ranking, out of core.
        .target(name: "Selection", dependencies: ["Streams"]),
        // Joins files to models: Hugging Face folders, GGUF, training state.
        .target(name: "Checkpoints", dependencies: ["Compute", "Streams"]),
        .target(
            name: "Command",
            dependencies: [
                "CKernels", "CSystem", "Streams", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        tool("tokenize", ["Text"]),
        tool("align", ["Text"]),
        tool("teacher-score", ["Compute", "Checkpoints", "Text"]),
        tool("train", ["Compute", "Checkpoints", "Distributed", "Text"]),
        tool("evaluate", ["Compute", "Checkpoints", "Text"]),
        tool("sample", ["Selection", "Text"]),
        tool("stream-cat", []),

        // Verifies the numeric operations, then times them.
        .executableTarget(name: "compute-bench", dependencies: ["Compute"], path: "Benchmarks/compute-bench"),
        // Times tokenising alone.
        .executableTarget(name: "text-bench", dependencies: ["Text", "Streams"], path: "Benchmarks/text-bench"),
        // Times alignment alone.
        .executableTarget(name: "align-bench", dependencies: ["Text", "Streams"], path: "Benchmarks/align-bench"),

        // Naive Double twins, gradient checks, closeness, scratch folders.
        .target(name: "TestSupport", dependencies: ["Streams"], path: "Tests/TestSupport"),
        .testTarget(name: "ComputeTests", dependencies: ["Compute", "Streams", "TestSupport"]),
        .testTarget(name: "DistributedTests", dependencies: ["Compute", "Distributed", "TestSupport"]),
        .testTarget(name: "StreamsTests", dependencies: ["Streams", "TestSupport"]),
        .testTarget(name: "SelectionTests", dependencies: ["Selection", "Streams", "TestSupport"]),
        .testTarget(name: "TextTests", dependencies: ["Text", "TestSupport"]),
        .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "Compute", "Streams", "TestSupport"]),
        .testTarget(name: "CommandTests", dependencies: ["Command", "TestSupport"]),

        // What each parser is held to whatever its bytes are, under libFuzzer (see the end) and replayed by a test.
        .target(name: "FuzzTargets", dependencies: ["Streams", "Text"], path: "Fuzz/Targets"),
        .target(name: "FuzzModelTargets", dependencies: ["Checkpoints", "Compute", "FuzzTargets", "Streams"], path: "Fuzz/ModelTargets"),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzModelTargets", "FuzzTargets"]),
    ]
)

// scripts/fuzz builds these with -sanitize=fuzzer, which nothing else links against.
if Context.environment["PRECEPTOR_FUZZ"] != nil {
    package.targets += [
        .target(name: "FuzzDriver", dependencies: ["FuzzTargets"], path: "Fuzz/Driver"),
        .executableTarget(name: "fuzz", dependencies: ["FuzzDriver", "FuzzTargets"], path: "Fuzz/Run"),
        .executableTarget(name: "fuzz-models", dependencies: ["FuzzDriver", "FuzzModelTargets"], path: "Fuzz/RunModels"),
    ]
}
