// tokenize
