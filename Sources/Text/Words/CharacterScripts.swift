// Scripts as the pre-tokeniser UnicodeScripts has them.

/// The script of each code point: an older version of Unicode than that of patterns.
enum CharacterScripts {
    /// The script of what goes with any.
    static let none: UInt8 = 255

    /// The number of the script that UnicodeScripts sees in a character. The Japanese syllabaries count as Han.
    static func of(_ code: UInt32) -> UInt8 { scripts[Int(code)] }

    private static let scripts: [UInt8] = {
        func number(_ name: String) -> UInt8 { UInt8(PatternTables.scriptNames.first { $0.name == name }?.script ?? 255) }
        let (han, common, devanagari) = (number("han"), number("common"), number("devanagari"))
        let syllabaries = [number("hiragana"), number("katakana")]
        let runs = PatternTables.scripts
        var scripts = [UInt8](repeating: none, count: 0x11_0000)
        for (at, run) in runs.enumerated() {
            let script = UInt8(run & 0xFF)
            let end = at + 1 < runs.count ? Int(runs[at + 1] >> 8) : scripts.count
            for code in Int(run >> 8)..<end { scripts[code] = syllabaries.contains(script) ? han : script }
        }
        let scriptless = PreTokeniserTables.scriptless
        for at in stride(from: 0, to: scriptless.count, by: 2) {
            for code in Int(scriptless[at])...Int(scriptless[at + 1]) { scripts[code] = Self.none }
        }
        scripts[0x20] = Self.none
        scripts[0x30FC] = han
        // An older version of Unicode has these elsewhere.
        for code in [0x589, 0x61C] { scripts[code] = common }
        for code in [0x953, 0x954] { scripts[code] = devanagari }
        return scripts
    }()
}
