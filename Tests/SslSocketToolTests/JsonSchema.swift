internal import FoundationEssentials

/// As much of JSON Schema (draft 2020-12) as the schemas of this repository use. An unknown keyword is a problem, so that none is passed by.
struct JsonSchema {
    private let root: JsonValue

    /// Reads a schema of the repository.
    init(named name: String) throws {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: "/\(repository)/docs/schema/\(name).schema.json"))
        root = try JsonValue(Array(data))
    }

    /// What is wrong with a document; empty when nothing is.
    func problems(with document: [UInt8]) -> [String] {
        guard let value = try? JsonValue(document) else { return ["it is not one JSON document"] }
        return check(value, root, "$")
    }

    private func check(_ value: JsonValue, _ schema: JsonValue, _ place: String) -> [String] {
        var problems: [String] = []
        for (keyword, rule) in schema.members {
            switch keyword {
            case "$schema", "title", "description", "$defs": break
            case "$ref":
                let name = rule.text?.split(separator: "/").last.map(String.init) ?? ""
                problems += root["$defs"]?[name].map { check(value, $0, place) } ?? ["\(place): no definition \(name)"]
            case "type":
                if !Self.isOf(type: rule.text ?? "", value) { problems.append("\(place): \(value) is not of type \(rule)") }
            case "const":
                if value != rule { problems.append("\(place): \(value) is not \(rule)") }
            case "enum":
                if !rule.elements.contains(value) { problems.append("\(place): \(value) is none of \(rule)") }
            case "minimum":
                if case .number(let number) = value, case .number(let limit) = rule, number < limit {
                    problems.append("\(place): \(number) is below \(limit)")
                }
            case "items":
                for (index, item) in value.elements.enumerated() { problems += check(item, rule, "\(place)[\(index)]") }
            case "required":
                for name in rule.elements.compactMap(\.text) where value[name] == nil {
                    problems.append("\(place): \(name) is missing")
                }
            case "properties", "additionalProperties": break
            default: problems.append("\(place): the keyword \(keyword) is not checked here")
            }
        }
        return problems + checkMembers(value, schema, place)
    }

    private func checkMembers(_ value: JsonValue, _ schema: JsonValue, _ place: String) -> [String] {
        value.members.flatMap { name, member -> [String] in
            if let rule = schema["properties"]?[name] { return check(member, rule, "\(place).\(name)") }
            switch schema["additionalProperties"] {
            case .boolean(false): return ["\(place): \(name) is not allowed"]
            case .some(let rule): return check(member, rule, "\(place).\(name)")
            case nil: return []
            }
        }
    }

    private static func isOf(type: String, _ value: JsonValue) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .boolean), ("number", .number),
            ("null", .null):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }
}
