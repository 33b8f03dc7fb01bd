// Fuzzes a parser that needs no models.
import FuzzDriver
import FuzzTargets

fuzz(fuzzTargets)
