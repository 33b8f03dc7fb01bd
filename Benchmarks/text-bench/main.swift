// Times tokenising alone: every document once, in a fresh process, one thread. What it encodes is checked elsewhere; here its tokens are
// counted and hashed, so that two runs can be compared.
//
//     text-bench VOCABULARY CORPUS.ndjson
//
// One line: load seconds, encode seconds, bytes, tokens, MB/s, hash of ids and spans, MB/s of processor time.

import Glibc
import Streams
import Text

func now(_ clock: clockid_t = CLOCK_MONOTONIC) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
        print("usage: text-bench VOCABULARY CORPUS.ndjson")
        exit(64)
    }
    let start = now()
    let tokenizer = try Tokenizer.load(arguments[1])
    let loaded = now()
    var texts: [[UInt8]] = []
    let corpus = CorpusReader(try ByteInput.open(arguments[2]))
    while let document = try corpus.next() { texts.append(document.text) }
    var tokens = TokenSequence()
    var (bytes, count, hash) = (0, 0, UInt64(0))
    var (seconds, processor) = (0.0, 0.0)
    for text in texts {
        tokens.removeAll()
        let (begin, busy) = (now(), now(CLOCK_THREAD_CPUTIME_ID))
        text.withUnsafeBytes { tokenizer.encode($0, into: &tokens) }
        processor += now(CLOCK_THREAD_CPUTIME_ID) - busy
        seconds += now() - begin
        bytes += text.count
        count += tokens.ids.count
        hash = hash &* 31 &+ tokens.ids.withUnsafeBytes { XXH64.hash($0) } ^ tokens.offsets.withUnsafeBytes { XXH64.hash($0) }
    }
    func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
    print(
        "load_s \(rounded(loaded - start)) encode_s \(rounded(seconds)) bytes \(bytes) tokens \(count)",
        "mb_s \((Double(bytes) / seconds / 1e5).rounded() / 10) hash \(String(hash, radix: 16))",
        "cpu_mb_s \((Double(bytes) / processor / 1e5).rounded() / 10)")
}

do { try main() } catch {
    print(error)
    exit(65)
}
