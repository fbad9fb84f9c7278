internal import SslSockets

/// What a server has stapled about its certificate, as the report tells it.
struct StatusFacts: Encodable {
    /// `good`, `revoked` or `unknown`.
    let status: String
    let revocationReason: String?
    let revocationTime: String?
    let thisUpdate: String?
    let nextUpdate: String?
    /// The subject of the certificate that signed it.
    let responder: String?

    init(_ response: OcspResponse) {
        status = "\(response.certificateStatus)"
        revocationReason = response.revocationReason == .none ? nil : "\(response.revocationReason)"
        revocationTime = response.revocationTime?.description
        thisUpdate = response.thisUpdate?.description
        nextUpdate = response.nextUpdate?.description
        responder = response.responder.map { CertificateFacts($0).subject }
    }

    /// One line for people.
    var line: String {
        var parts = [status + (revocationReason.map { " (\($0))" } ?? "")]
        if let revocationTime { parts.append("revoked at \(revocationTime)") }
        if let thisUpdate { parts.append("as of \(thisUpdate)") }
        if let nextUpdate { parts.append("until \(nextUpdate)") }
        if let responder { parts.append("by \(responder)") }
        return parts.joined(separator: ", ")
    }
}
