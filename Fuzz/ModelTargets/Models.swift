import FuzzTargets
public let fuzzModelTargets: [FuzzTarget] = []
