import Testing

@testable import Model

@Suite struct SchemaTests {
    static let schema: Value? = try? Value.parse(json: Schema.json())

    @Test func isDraft202012() throws {
        let schema = try #require(Self.schema)
        #expect(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        #expect(schema["type"] == "object" && schema["additionalProperties"] == false)
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let schema = try #require(Self.schema)
        var references: Set<String> = []
        func visit(_ value: Value) {
            if let reference = value["$ref"]?.string { references.insert(reference) }
            value.array?.forEach(visit)
            value.members?.forEach { visit($0.value) }
        }
        visit(schema)
        let definitions = try #require(schema["$defs"]?.members).map { "#/$defs/" + $0.key }
        #expect(references == Set(definitions) && references.count > 15)
    }

    @Test func describesEveryKey() throws {
        let schema = try #require(Self.schema)
        for key in ReferenceWalker.allKeys {
            let object = key.object == "Configuration" ? schema : try #require(schema["$defs"]?[key.object])
            let property = try #require(object["properties"]?[key.shape.name], "\(key.id)")
            #expect(property["description"] == .string(key.shape.meaning))
            #expect(property["default"] == key.shape.defaultValue)
            let required = object["required"]?.array ?? []
            // What `defaults` may say need not stand in a group itself.
            let isElsewhere = key.object == "TargetGroup" && key.shape.name != "name"
            #expect(required.contains(.string(key.shape.name)) == (key.shape.isRequired && !isElsewhere))
        }
    }

    /// What the code accepts of ELBv2's other keys, an editor accepts too.
    @Test func describesKeysWithoutEffect() throws {
        let attributes = try #require(Self.schema?["$defs"]?["LoadBalancerAttributes"]?["properties"])
        #expect(attributes["dns_record.client_routing_policy"]?["enum"] == ["any_availability_zone"])
        #expect(attributes["secondary_ips.auto_assigned.per_subnet"]?["enum"] == [0])
        let ofGroups = try #require(Self.schema?["$defs"]?["TargetGroupAttributes"]?["properties"])
        #expect(ofGroups["target_failover.on_unhealthy"] == nil)
    }

    /// Each file of conf/ keeps the schema, as an editor would see it.
    @Test(arguments: ConfTests.names) func filesKeepIt(_ name: String) throws {
        let schema = try #require(Self.schema)
        let value = try Value.parse(yaml: ConfTests.text(name), file: name)
        #expect(SchemaCheck(root: schema).mistakes(in: value, by: schema, at: "") == [])
    }

    @Test func theCheckItselfFindsMistakes() throws {
        let schema = try #require(Self.schema)
        let value: Value = [
            "admin": ["socket": 1, "sokcet": ""], "runtime": ["workers": 0],
            "loadBalancers": [["type": "x"]],
        ]
        #expect(SchemaCheck(root: schema).mistakes(in: value, by: schema, at: "").count == 5)
    }
}

/// As much of JSON Schema as our schema uses, but for patterns.
struct SchemaCheck {
    let root: Value

    func mistakes(in value: Value, by schema: Value, at path: String) -> [String] {
        if let reference = schema["$ref"]?.string {
            let name = String(reference.dropFirst("#/$defs/".count))
            return mistakes(in: value, by: root["$defs"]?[name] ?? [:], at: path)
        }
        if let choices = schema["anyOf"]?.array {
            return choices.contains { mistakes(in: value, by: $0, at: path).isEmpty } ? [] : ["\(path): none of anyOf"]
        }
        if let words = schema["enum"]?.array { return words.contains(value) ? [] : ["\(path): not in enum"] }
        switch (schema["type"]?.string, value.content) {
        case ("boolean", .bool), ("string", .string): return []
        case ("integer", .int(let number)): return bounds(Double(number), schema, path)
        case ("number", .int(let number)): return bounds(Double(number), schema, path)
        case ("number", .double(let number)): return bounds(number, schema, path)
        case ("array", .array(let elements)):
            return elements.enumerated().flatMap {
                mistakes(in: $0.element, by: schema["items"] ?? [:], at: "\(path)[\($0.offset)]")
            }
        case ("object", .object(let members)):
            let missing = (schema["required"]?.array ?? []).compactMap(\.string).filter { value[$0] == nil }
            // An object whose keys are names has values of one kind.
            let ofNames = schema["additionalProperties"].flatMap { $0.members == nil ? nil : $0 }
            return missing.map { "\(path): lacks \($0)" }
                + members.flatMap { member in
                    (schema["properties"]?[member.key] ?? ofNames).map {
                        mistakes(in: member.value, by: $0, at: "\(path).\(member.key)")
                    } ?? ["\(path): unknown \(member.key)"]
                }
        default: return ["\(path): not of type \(schema["type"]?.string ?? "?")"]
        }
    }

    private func bounds(_ number: Double, _ schema: Value, _ path: String) -> [String] {
        func bound(_ key: String) -> Double {
            switch schema[key]?.content {
            case .int(let bound): Double(bound)
            case .double(let bound): bound
            default: .nan
            }
        }
        return number >= bound("minimum") && number <= bound("maximum") ? [] : ["\(path): out of range"]
    }
}
