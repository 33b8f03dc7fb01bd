// OpenBLAS: the right core for this processor, one thread, and one matrix product.
import CKernels
import COpenBLAS
import Glibc

/// The BLAS library as this process uses it. Ready before its first product; see docs/decisions/0002-openblas-core.md.
public enum OpenBLAS {
    /// The core type that OpenBLAS runs, for example "Cooperlake", after ours was preferred to its own choice.
    public static let core: String = prepare()

    /// Version and build options as OpenBLAS states them.
    public static var configuration: String { String(cString: openblas_get_config()) }

    /// C = alpha · op(A) · op(B) + beta · C in float32, row-major, on the calling thread.
    ///
    /// - `op(A)`: (m, k), `op(B)`: (k, n), `C`: (m, n); `lda`, `ldb`, `ldc`: floats from one stored row to the next.
    /// - With a core for AVX-512 an element's bits do not depend on how C is cut into calls, as long as m · n · k of each call is
    ///   above `smallProductLimit`. Other cores give the same bits only for the same cut.
    @inline(__always)
    static func sgemm(
        transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
        a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int,
        beta: Float, c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        _ = core
        cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c, blasint(ldc))
    }

    /// Cores for AVX-512.
    static let wideCores: Set = ["SkylakeX", "Cooperlake", "Sapphirerapids", "Zen4", "Zen5"]

    /// Up to this m · n · k OpenBLAS 0.3.21 may take another kernel with another order of summation
    /// (measured: 0.99 million is the largest product whose bits differ from those of the same rows in a larger call).
    static let smallProductLimit = 1_000_000
}

/// Chooses the core and takes OpenBLAS's own threads away. Runs once, before any product.
private func prepare() -> String {
    // A core that the user names is obeyed, also a slower one.
    if getenv("OPENBLAS_CORETYPE") == nil { preferOwnCore() }
    openblas_set_num_threads(1)
    return String(cString: openblas_get_corename())
}

/// OpenBLAS 0.3.21 decides between Haswell and the AVX-512 cores from registers that it does not set on processors newer than itself
/// (AMD family 26): the choice is random from process to process, and so are speed (118 against 230 GFLOP/s) and bits.
/// Where our own cpuid finds AVX-512 and OpenBLAS runs no core for it, its choice is made again with the core named.
/// Not while another thread is inside OpenBLAS. Returns the core that runs.
@discardableResult
func preferOwnCore() -> String {
    let running = String(cString: openblas_get_corename())
    typealias Call = @convention(c) () -> Void
    guard preceptor_best_level() == preceptor_v4, !OpenBLAS.wideCores.contains(running),
        // Exported by builds with DYNAMIC_ARCH; others have one core and keep it.
        let quit = dlsym(nil, "gotoblas_dynamic_quit"), let start = dlsym(nil, "gotoblas_dynamic_init")
    else { return running }
    setenv("OPENBLAS_CORETYPE", preceptor_has_avx512_bf16() ? "Cooperlake" : "SkylakeX", 1)
    unsafeBitCast(quit, to: Call.self)()
    unsafeBitCast(start, to: Call.self)()
    return String(cString: openblas_get_corename())
}
