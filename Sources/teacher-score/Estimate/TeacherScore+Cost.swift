// What a run costs, asked for by --estimate, and checked before any run.

import Command
import Streams

extension TeacherScore {
    /// Scores some documents and says what all will cost, instead of scoring all.
    func say(
        costOf documents: Int, _ tokens: RecordRecutter, _ input: String, _ teacher: any Teacher, _ context: Context
    ) throws {
        let estimator = Estimator(
            teacher: teacher, input: input, output: output, resumes: resume, batchTokens: batchTokens, documents: documents,
            header: header(of: tokens.reader.header, teacher, context), progress: context.progress(unit: "tokens"))
        let cost = try estimator.run(tokens)
        for line in cost.text { Diagnostics.write("\(context.tool): \(line)") }
        let report = ByteOutput.standardOutput()
        try report.write(cost.json)
        try report.close()
        try cost.checkRoom()
    }

    /// Throws 74 where the records cannot fit, as far as the input's own headers tell: what scores take at least is known.
    func checkRoom(for input: String) throws {
        let target = output.file.output
        guard output.format == .tensor, scores.file == nil, let extent = StreamExtent.read(input), let free = freeSpace(for: target)
        else { return }
        let present = resume ? fileSize(of: target + ".partial") ?? fileSize(of: target) ?? 0 : 0
        // First tokens may have no lists.
        let lists = max(0, extent.tokens - extent.documents) * distributions.leastBytesPerToken
        let needed = extent.bytes + 4 * extent.tokens + lists - present
        guard needed > free else { return }
        throw CostEstimate.tooSmall(target, needs: needed, about: false, free: free)
    }
}
