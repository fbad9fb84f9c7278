internal import ArgumentParser
internal import Glibc

/// When to use colours.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never
}

/// Colours of the human output, or none.
struct Style {
    /// Escape sequences are written.
    let isColored: Bool

    /// Decides once: an explicit choice first, then NO_COLOR (no-color.org), then whether a terminal is there.
    init(_ choice: ColorChoice, isTerminal: Bool) {
        switch choice {
        case .always: isColored = true
        case .never: isColored = false
        case .auto: isColored = isTerminal && Self.environment("NO_COLOR").isEmpty && Self.environment("TERM") != "dumb"
        }
    }

    /// Something good.
    func good(_ text: String) -> String { paint(text, "32") }
    /// Something to look at.
    func notable(_ text: String) -> String { paint(text, "33") }
    /// Something wrong.
    func bad(_ text: String) -> String { paint(text, "31") }
    /// A heading.
    func strong(_ text: String) -> String { paint(text, "1") }
    /// Something of less interest.
    func faint(_ text: String) -> String { paint(text, "2") }

    private func paint(_ text: String, _ code: String) -> String {
        isColored && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private static func environment(_ name: String) -> String {
        unsafe getenv(name).map { unsafe String(cString: $0) } ?? ""
    }
}
