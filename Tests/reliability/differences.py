"""Where we and another reader may differ, and why ours is right: used by R08-differential.

(format, who accepts, pattern in our message, pattern in the peer's, why). Who: "peer" where we refuse what it accepts, "we" where it refuses
what we accept, "content" where both accept and read different things.
"""
DIFFERENCES = [
    ("ndjson", "peer", r"\\\\u0000", "", "a key with \\u0000 is refused: C strings end there, and two keys could pass for one"),
]
