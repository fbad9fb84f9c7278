internal import FoundationEssentials

/// A JSON document that was read.
enum JsonValue: Equatable, Decodable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JsonValue])
    case object([String: JsonValue])

    /// Reads a text that holds one document and nothing else.
    init(_ text: [UInt8]) throws { self = try JSONDecoder().decode(JsonValue.self, from: Data(text)) }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JsonValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JsonValue].self))
        }
    }

    /// A member of an object; nil when there is none.
    subscript(_ name: String) -> JsonValue? {
        if case .object(let members) = self { return members[name] }
        return nil
    }

    /// The elements of an array; empty for anything else.
    var elements: [JsonValue] {
        if case .array(let elements) = self { return elements }
        return []
    }

    /// The members of an object; empty for anything else.
    var members: [String: JsonValue] {
        if case .object(let members) = self { return members }
        return [:]
    }

    /// A text; nil for anything else.
    var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }
}
