internal import FoundationEssentials
internal import SslSockets

/// One line of `cert verify --batch`.
struct BatchChain: Decodable {
    struct Name: Decodable {
        let kind: String
        let value: String
    }
    /// The answer to a line.
    struct Answer: Encodable {
        let id: String
        let result: String
        let errors: [String]
    }

    let id: String
    let roots: [String]?
    let intermediates: [String]?
    let leaf: String
    let crls: [String]?
    let crl_check: String?
    let time: String?
    let purpose: String?
    let names: [Name]?
    let max_depth: Int?
    let profile: String?

    /// Reads a line and judges what it asks for. What cannot be read is refused.
    static func answer(_ line: String, backend: String?) throws(ToolFailure) -> Answer {
        let question: BatchChain
        do {
            question = try JSONDecoder().decode(BatchChain.self, from: Data(line.utf8))
        } catch {
            throw ToolFailure(.usage, "a line of standard input is not what it should be: \(error)")
        }
        let errors = try question.errors(backend)
        return Answer(id: question.id, result: errors.isEmpty ? "ACCEPT" : "REJECT", errors: errors)
    }

    private func errors(_ backend: String?) throws(ToolFailure) -> [String] {
        var question = ChainQuestion()
        question.backend = backend
        guard let leaf = try? SslCertificate(pem: leaf, backend: backend) else {
            return [ChainQuestion.name(of: .malformedCertificate)]
        }
        // A certificate that cannot be read cannot be part of a path.
        question.chain = [leaf] + (intermediates ?? []).compactMap { try? SslCertificate(pem: $0, backend: backend) }
        question.roots = (roots ?? []).compactMap { try? SslCertificate(pem: $0, backend: backend) }
        // A list that cannot be read proves nothing, but lists were meant to count.
        question.revocationLists = (crls ?? []).compactMap { try? SslRevocationList(pem: $0) }
        if let crls, !crls.isEmpty { try question.setRevocationPolicy(crl_check ?? "leaf") }
        if let time { try question.setTime(time) }
        try question.setPurpose(purpose ?? "server")
        try question.setProfile(profile ?? "path")
        for name in names ?? [] {
            do {
                try question.addName(kind: name.kind, value: name.value)
            } catch {
                return [ChainQuestion.name(of: .hostNameMismatch)]
            }
        }
        question.maxIntermediates = max_depth
        return try question.answer()
    }
}
