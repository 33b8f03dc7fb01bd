// Fuzzes a parser of models' files.
import FuzzDriver
import FuzzModelTargets

fuzz(fuzzModelTargets)
