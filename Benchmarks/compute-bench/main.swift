// Times the numeric operations, each verified first, as shares of the machine's own sgemm peak or in GB/s.
//
//     swift run -c release compute-bench [threads] [name] [float32|bfloat16]
//
// One line an operation: name, time of the best of several runs, GFLOP/s or GB/s, and the share of the peak or of the memory's bandwidth
// that this run measured on the same threads. Rough on a shared machine: read ratios.
import Compute
import Glibc

var arguments = CommandLine.arguments.dropFirst()
let precision = arguments.last.flatMap(Precision.init) ?? .float32
if arguments.last == precision.rawValue { arguments.removeLast() }
let threads = arguments.first.flatMap(Int.init) ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
let wanted = arguments.count > 1 ? arguments.last : nil
let bench = Bench(threads: threads, wanted: wanted, precision: precision)
bench.report("openblas \(OpenBLAS.core), kernels \(bench.operations.instructionSet), threads \(threads), \(precision)")
bench.measurePeak()
bench.measureBandwidth()
bench.region()
bench.linear()
bench.attention()
bench.head()
bench.elementwise()
bench.stateSpaces()
bench.finish()
