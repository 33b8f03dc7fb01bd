// Members of an object, key and value in one call: what reports and logs are made of.

extension JSONText {
    public mutating func member(_ name: String, _ value: Int) {
        key(name)
        integer(value)
    }

    /// The shortest digits that read back as the same number; null when it is not finite.
    public mutating func member(_ name: String, _ value: Double) {
        key(name)
        number(value)
    }

    public mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    public mutating func member(_ name: String, _ value: Bool) {
        key(name)
        boolean(value)
    }
}
