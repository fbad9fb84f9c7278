/// What a peer wrote, made fit for a terminal: it may hold control characters that a terminal obeys.
enum Printable {
    /// Control characters become question marks.
    static func text(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }

    /// Octets that should be text.
    static func text(_ octets: [UInt8]) -> String { text(String(decoding: octets, as: UTF8.self)) }
}
