// OpenBLAS: one thread, one matrix product, and the name of the core that runs it.
import COpenBLAS

/// The BLAS library as this process uses it. Ready before its first product; see docs/decisions/0002-openblas-core.md.
public enum OpenBLAS {
    /// The core type that OpenBLAS runs, for example "Cooperlake": its own choice, or that of `OPENBLAS_CORETYPE`.
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

/// Takes OpenBLAS's own threads away. Runs once, before any product.
private func prepare() -> String {
    openblas_set_num_threads(1)
    return String(cString: openblas_get_corename())
}
