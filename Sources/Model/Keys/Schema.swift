/// The JSON Schema of a configuration, for editors. Source: JSON Schema draft 2020-12.
public enum Schema {
    /// The schema as JSON text. It describes each value by itself; what must hold between values is checked by
    /// `Document.validate()`.
    public static func json() -> String {
        var definitions: [String: Value] = [:]
        let root = object(Document.description.shape, &definitions)
        var schema: Value = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Configuration of Apus",
        ]
        for member in root.members ?? [] { schema[member.key] = member.value }
        schema["patternProperties"] = ["^x-": ["description": "Anything, for aliases to repeat; nothing is read here."]]
        schema["$defs"] = .object(definitions.sorted { $0.key < $1.key }.map { Value.Member($0.key, $0.value) })
        return schema.json(pretty: true)
    }

    private static func schema(of shape: Shape, _ definitions: inout [String: Value]) -> Value {
        switch shape {
        case .bool: return ["type": "boolean"]
        case .integer(let range, _):
            return ["type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)]
        case .number(let range, _):
            return ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
        case .text(let rule):
            var text: Value = [
                "type": "string", "minLength": .int(rule.length.lowerBound), "maxLength": .int(rule.length.upperBound),
            ]
            if let pattern = rule.pattern { text["pattern"] = .string(pattern) }
            return text
        case .word(let words, let aliases): return ["enum": .array((words + aliases).map(Value.string))]
        case .list(let element, let count):
            return [
                "type": "array", "items": schema(of: element, &definitions), "minItems": .int(count.lowerBound),
                "maxItems": .int(count.upperBound),
            ]
        case .map(let element): return ["type": "object", "additionalProperties": schema(of: element, &definitions)]
        case .either(let first, let second):
            return ["anyOf": [schema(of: first, &definitions), schema(of: second, &definitions)]]
        case .object(let shape):
            if definitions[shape.name] == nil { definitions[shape.name] = object(shape, &definitions) }
            return ["$ref": .string("#/$defs/\(shape.name)")]
        }
    }

    private static func object(_ shape: ObjectShape, _ definitions: inout [String: Value]) -> Value {
        var properties: [Value.Member] = []
        for key in shape.keys {
            var property = schema(of: key.shape, &definitions)
            property["description"] = .string(key.meaning)
            if let value = key.defaultValue { property["default"] = value }
            properties.append(Value.Member(key.name, property))
        }
        for key in shape.refused where !key.accepted.isEmpty {
            let note =
                "A key of ELBv2 without effect in this version: only values that describe what is done anyway are "
                + "accepted."
            properties.append(Value.Member(key.name, ["enum": .array(key.accepted), "description": .string(note)]))
        }
        // What `defaults` may say need not stand in a group itself.
        let isGroup = shape.name == TargetGroup.description.shape.name
        let elsewhere = isGroup ? TargetGroup.defaultsDescription.names : []
        let required = shape.keys.filter { $0.isRequired && !elsewhere.contains($0.name) }.map { Value.string($0.name) }
        var object: Value = ["type": "object", "properties": .object(properties), "additionalProperties": false]
        if !required.isEmpty { object["required"] = .array(required) }
        return object
    }
}
