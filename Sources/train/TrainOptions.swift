// Options of train in groups: what a step is made of, and how the optimiser uses it.

import ArgumentParser
import Command
import Compute
import Distributed
import Streams

/// What a step is made of, and how many there are.
struct PlanOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Optimiser steps.", valueName: "n"))
    var steps: Int

    @Option(help: ArgumentHelp("Tokens of a step, at most.", valueName: "n"))
    var batchTokens = PlanOptions.usual.batchTokens

    @Option(help: ArgumentHelp("Longest stretch of a document that the model sees at once.", valueName: "n"))
    var sequenceLength = PlanOptions.usual.sequenceLength

    @Option(help: ArgumentHelp("Tokens that go through the model at a time: fewer take less memory.", valueName: "n"))
    var microBatchTokens = Trainer.defaultMicroBatchTokens

    @Option(
        help: ArgumentHelp(
            "Gradients that a step is the sum of, made one by one: 1, 2, 4 … ranks give the same bytes (default: the number of ranks).",
            valueName: "n"))
    var gradientGroups: Int?

    @Flag(help: "Keep the inputs of blocks only and compute the rest again in the backward pass: less memory, the same result.")
    var recompute = false

    @Option(
        help: ArgumentHelp(
            "Put the beginning-of-sequence token before each document: auto (as the vocabulary asks), always or never.", valueName: "when"))
    var bos = SpecialTokenPolicy.auto

    @Option(
        help: ArgumentHelp(
            "Put the end-of-sequence token after each document: auto (as the vocabulary asks), always or never.", valueName: "when"))
    var eos = SpecialTokenPolicy.auto

    private static let usual = (batchTokens: 4096, sequenceLength: 512)

    func validate() throws {
        guard steps >= 1 else { throw ValidationError("--steps must be at least 1") }
        guard sequenceLength >= 1 else { throw ValidationError("--sequence-length must be at least 1") }
        guard sequenceLength <= batchTokens else {
            let usual = PlanOptions.usual
            func value(_ number: Int, _ usual: Int) -> String { "\(number)" + (number == usual ? " (the default)" : "") }
            throw ValidationError(
                "--sequence-length is \(value(sequenceLength, usual.sequenceLength)), more than "
                    + "--batch-tokens \(value(batchTokens, usual.batchTokens))")
        }
        guard microBatchTokens >= 1 else { throw ValidationError("--micro-batch-tokens must be at least 1") }
        guard gradientGroups.map({ (1...4096).contains($0) && $0 & ($0 - 1) == 0 }) ?? true else {
            throw ValidationError("--gradient-groups must be a power of two, at most 4096")
        }
    }
}

extension PlanOptions {
    /// Gradient groups where `ranks` share the work. Throws, on every rank, a usage error where there are not as many.
    func groups(ranks: Int) throws -> Int {
        guard let groups = gradientGroups else { return ranks }
        guard groups >= ranks else {
            throw EndedTogether(ValidationError("--gradient-groups \(groups) leaves some of \(ranks) ranks without work"))
        }
        return groups
    }
}

/// AdamW and its schedule.
struct OptimiserOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Peak learning rate.", valueName: "rate"))
    var learningRate = 6e-4

    @Option(
        help: ArgumentHelp(
            "Course of the learning rate after the warm-up: cosine, linear, constant or wsd (stable, then a linear decay).",
            valueName: "name"))
    var schedule = LearningRateSchedule.Kind.cosine

    @Option(help: ArgumentHelp("Steps of linear warm-up.", valueName: "n"))
    var warmup = 0

    @Option(help: ArgumentHelp("wsd: steps of the decay at the end (default: a tenth of --steps).", valueName: "n"))
    var decay: Int?

    @Option(help: ArgumentHelp("Learning rate at the last step, as a share of the peak.", valueName: "share"))
    var finalShare = 0.1

    @Option(help: ArgumentHelp("Decay of the first moment.", valueName: "x"))
    var beta1 = 0.9

    @Option(help: ArgumentHelp("Decay of the second moment.", valueName: "x"))
    var beta2 = 0.95

    @Option(help: ArgumentHelp("Added to the square root of the second moment.", valueName: "x"))
    var epsilon = 1e-8

    @Option(help: ArgumentHelp("Decoupled weight decay.", valueName: "x"))
    var weightDecay = 0.1

    @Option(help: ArgumentHelp("What decays: matrices, or all (biases and the weights of norms too).", valueName: "what"))
    var decayOn = DecayOn.matrices

    @Option(help: ArgumentHelp("Largest global norm of the gradient; 0: no clipping.", valueName: "norm"))
    var clip = 1.0

    func validate() throws {
        let numbers = [learningRate, finalShare, weightDecay, clip]
        guard numbers.allSatisfy({ $0.isFinite && $0 >= 0 }) && warmup >= 0 else {
            throw ValidationError("--learning-rate, --final-share, --weight-decay, --clip and --warmup must not be negative")
        }
        // The weights after a step must be numbers of float32, whatever the gradient.
        guard learningRate * max(1, weightDecay) <= 1e30 else {
            throw ValidationError("--learning-rate, and its product with --weight-decay, must be at most 1e30")
        }
        guard [beta1, beta2].allSatisfy({ $0 >= 0 && $0 < 1 }) && epsilon > 0 && epsilon.isFinite else {
            throw ValidationError("--beta1 and --beta2 must lie in [0, 1), --epsilon above 0")
        }
        if let decay, decay < 1 { throw ValidationError("--decay must be at least 1") }
    }

    func schedule(steps: Int) -> LearningRateSchedule {
        LearningRateSchedule(
            kind: schedule, peak: learningRate, finalFraction: finalShare, warmup: warmup, total: steps, decay: decay)
    }

    var settings: AdamWSettings {
        AdamWSettings(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, decaysAll: decayOn == .all, clip: clip)
    }
}

/// Names of `--decay-on`.
enum DecayOn: String, CaseIterable, ExpressibleByArgument {
    case matrices, all
}

extension LearningRateSchedule.Kind: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
