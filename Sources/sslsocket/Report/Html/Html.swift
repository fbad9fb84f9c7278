/// Writes HTML. Whatever comes from outside goes through ``text(_:)``.
enum Html {
    /// Text that stands for itself in content and in quoted attributes.
    static func text(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n", "\t": escaped.unicodeScalars.append(scalar)
            // HTML has no control characters, not even escaped ones.
            case _ where scalar.properties.generalCategory == .control: escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// An element with what is inside it, which is HTML already. The values of attributes are not.
    static func element(_ name: String, _ attributes: KeyValuePairs<String, String>, _ content: String) -> String {
        open(name, attributes) + content + "</\(name)>"
    }

    /// An element without attributes.
    static func element(_ name: String, _ content: String) -> String { element(name, [:], content) }

    /// The beginning of an element.
    static func open(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) -> String {
        "<\(name)" + attributes.map { " \($0.key)=\"\(text($0.value))\"" }.joined() + ">"
    }

    /// An identifier that can be linked to.
    static func anchor(_ name: String) -> String {
        "s-" + String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "-" })
    }

    /// A camel-case name in words: `clientCertificates` is `Client certificates`.
    static func words(_ name: String) -> String {
        var words = ""
        for character in name {
            if character.isUppercase, !words.isEmpty { words += " " }
            words += words.isEmpty ? character.uppercased() : character.lowercased()
        }
        return words
    }

    /// Milliseconds with two digits behind the point.
    static func milliseconds(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
