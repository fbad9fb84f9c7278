internal import SslBackend
internal import SslValues

/// Certificate policies along a path (RFC 5280 section 6.1), for a user who accepts any policy: what counts is whether a CA requires
/// one (section 4.2.1.11) and the path has none.
///
/// Of the tree only the lowest level is kept, one node for each policy: whether it is empty does not depend on more, and a tree
/// can be made to grow without bounds.
struct CertificatePolicies {
    private static let any = "2.5.29.32.0"
    /// More policies than this in a certificate are an attack.
    private static let mostPolicies = 128

    /// The nodes of the level: a policy and those that are expected below it. nil: the tree is gone.
    private var level: [String: Set<String>]? = [any: [any]]
    private var explicitPolicy: Int
    private var inhibitAny: Int
    private var policyMapping: Int

    private init(pathLength: Int) {
        explicitPolicy = pathLength + 1
        inhibitAny = pathLength + 1
        policyMapping = pathLength + 1
    }

    /// Goes down a path (leaf first, the anchor last). nil: all is well; otherwise what is wrong and at which depth.
    static func problem(_ path: [CertificateFields]) -> TlsPathProblem? {
        // The anchor itself is not part of what is checked.
        let length = path.count - 1
        guard length > 0 else { return nil }
        let isConcerned = path.contains {
            $0.extensionValue(ExtensionOid.policyConstraints) != nil || $0.extensionValue(ExtensionOid.policyMappings) != nil
                || $0.extensionValue(ExtensionOid.certificatePolicies) != nil
        }
        guard isConcerned else { return nil }
        var state = CertificatePolicies(pathLength: length)
        for depth in (0..<length).reversed() {
            if let code = state.enter(path[depth], isLeaf: depth == 0) { return TlsPathProblem(code, depth: depth) }
        }
        return nil
    }

    private mutating func enter(_ fields: CertificateFields, isLeaf: Bool) -> SslErrorCode? {
        guard let policies = Self.policies(fields), let mappings = Self.mappings(fields), let limits = Self.constraints(fields),
            let anyLimit = Self.inhibitAnyPolicy(fields)
        else { return .malformedCertificate }
        descend(policies, takesAny: inhibitAny > 0 || (!isLeaf && fields.isSelfIssued))
        if explicitPolicy == 0 && level == nil { return .policyViolation }
        if isLeaf {
            if explicitPolicy > 0 { explicitPolicy -= 1 }
            if limits.explicit == 0 { explicitPolicy = 0 }
            return explicitPolicy == 0 && level == nil ? .policyViolation : nil
        }
        guard map(mappings) else { return .policyViolation }
        if !fields.isSelfIssued {
            if explicitPolicy > 0 { explicitPolicy -= 1 }
            if policyMapping > 0 { policyMapping -= 1 }
            if inhibitAny > 0 { inhibitAny -= 1 }
        }
        if let limit = limits.explicit { explicitPolicy = min(explicitPolicy, limit) }
        if let limit = limits.mapping { policyMapping = min(policyMapping, limit) }
        if let limit = anyLimit.limit { inhibitAny = min(inhibitAny, limit) }
        return nil
    }

    /// Section 6.1.3 (d) and (e).
    private mutating func descend(_ policies: [String]?, takesAny: Bool) {
        guard let above = level, let policies else {
            level = nil
            return
        }
        var below: [String: Set<String>] = [:]
        for policy in policies where policy != Self.any {
            if above.values.contains(where: { $0.contains(policy) }) || above[Self.any] != nil { below[policy] = [policy] }
        }
        if policies.contains(Self.any), takesAny {
            for expected in above.values.joined() where below[expected] == nil { below[expected] = [expected] }
        }
        level = below.isEmpty ? nil : below
    }

    /// Section 6.1.4 (a) and (b). False when a policy is mapped to or from any policy.
    private mutating func map(_ mappings: [String: Set<String>]) -> Bool {
        if mappings[Self.any] != nil || mappings.values.contains(where: { $0.contains(Self.any) }) { return false }
        guard !mappings.isEmpty, var nodes = level else { return true }
        for (policy, targets) in mappings {
            if policyMapping == 0 {
                nodes[policy] = nil
            } else if nodes[policy] != nil || nodes[Self.any] != nil {
                nodes[policy] = targets
            }
        }
        level = nodes.isEmpty ? nil : nodes
        return true
    }

    // MARK: Reading

    /// Outer nil: malformed. Inner nil: no extension.
    private static func policies(_ fields: CertificateFields) -> [String]?? {
        guard let value = fields.extensionValue(ExtensionOid.certificatePolicies) else { return .some(nil) }
        guard let content = DerReader.only(DerTag.sequence, value), let elements = DerReader.all(content, DerTag.sequence),
            (1...mostPolicies).contains(elements.count)
        else { return nil }
        var list: [String] = []
        for element in elements {
            var reader = DerReader(element.content)
            guard let type = reader.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content),
                !list.contains(oid)
            else { return nil }
            list.append(oid)
        }
        return list
    }

    private static func mappings(_ fields: CertificateFields) -> [String: Set<String>]? {
        guard let value = fields.extensionValue(ExtensionOid.policyMappings) else { return [:] }
        guard let content = DerReader.only(DerTag.sequence, value), let elements = DerReader.all(content, DerTag.sequence),
            (1...mostPolicies).contains(elements.count)
        else { return nil }
        var result: [String: Set<String>] = [:]
        for element in elements {
            guard let pair = DerReader.all(element.content, DerTag.objectIdentifier), pair.count == 2,
                let from = DerValue.objectIdentifier(pair[0].content), let to = DerValue.objectIdentifier(pair[1].content)
            else { return nil }
            result[from, default: []].insert(to)
        }
        return result
    }

    private struct Constraints {
        var explicit: Int?
        var mapping: Int?
    }

    private static func constraints(_ fields: CertificateFields) -> Constraints? {
        guard let value = fields.extensionValue(ExtensionOid.policyConstraints) else { return Constraints() }
        guard let content = DerReader.only(DerTag.sequence, value), !content.isEmpty else { return nil }
        var reader = DerReader(content)
        var result = Constraints()
        if let number = reader.next(0x80) {
            guard let limit = DerValue.smallNumber(number.content) else { return nil }
            result.explicit = limit
        }
        if let number = reader.next(0x81) {
            guard let limit = DerValue.smallNumber(number.content) else { return nil }
            result.mapping = limit
        }
        return reader.isEmpty ? result : nil
    }

    private static func inhibitAnyPolicy(_ fields: CertificateFields) -> (limit: Int?, Void)? {
        guard let value = fields.extensionValue(ExtensionOid.inhibitAnyPolicy) else { return (nil, ()) }
        guard let limit = DerReader.only(DerTag.integer, value).flatMap(DerValue.smallNumber) else { return nil }
        return (limit, ())
    }
}
