internal import SslBackend
package import SslValues

// The rules by which octets are bound to a connection, the same above every engine.
extension TlsConnection {
    /// What both ends know of this connection and nobody in between can make equal on two.
    package func channelBinding(_ kind: SslChannelBinding) throws(SslSocketError) -> [UInt8] {
        switch kind {
        case .tlsUnique: try uniqueBinding()
        case .tlsServerEndPoint: try serverEndPointBinding()
        case .tlsExporter: try exporterBinding()
        }
    }

    private func refusal(_ reason: String) -> SslSocketError {
        SslSocketError(.operation, "The channel binding cannot be had on this connection: \(reason)", backend: backendName)
    }

    /// RFC 5929 section 3; only with the extended master secret, for without it two connections can be made to have the same (RFC 7627 section 1).
    private func uniqueBinding() throws(SslSocketError) -> [UInt8] {
        let facts = facts
        guard facts.version != .tls1_3 else { throw refusal("tls-unique is not defined for TLS 1.3 (RFC 8446 appendix C.5)") }
        guard facts.hasExtendedMasterSecret else {
            throw refusal("tls-unique is safe only with the extended master secret (RFC 7627)")
        }
        guard let message = session.firstFinished else { throw refusal("there is no Finished message yet") }
        return message
    }

    /// RFC 5929 section 4.1.
    private func serverEndPointBinding() throws(SslSocketError) -> [UInt8] {
        guard let leaf = serverLeaf else { throw refusal("no certificate of the server is known") }
        guard let algorithm = X509SignatureAlgorithm(der: try CertificateFields(leaf).signatureAlgorithmDer),
            let signed = algorithm.hash
        else { throw refusal("the signature of the server's certificate has no hash, so tls-server-end-point is not defined") }
        let hash = signed == .md5 || signed == .sha1 ? .sha256 : signed
        guard let digest = context.backend.digest(leaf, hash) else { throw refusal("the backend does not have \(hash)") }
        return digest
    }

    /// A resumed session shows no certificate; a server with one only has no other that it could have shown before.
    private var serverLeaf: [UInt8]? {
        guard role == .server else { return peerCertificates.first?.der }
        if let shown = session.shownCertificate { return shown }
        let chains = configurationInForce.credentials
        return session.facts.isResumed && chains.count == 1 ? chains.first?.chain.first?.der : nil
    }

    /// RFC 9266 sections 2 and 4.2.
    private func exporterBinding() throws(SslSocketError) -> [UInt8] {
        guard facts.hasExtendedMasterSecret else {
            throw refusal("tls-exporter needs TLS 1.3 or the extended master secret (RFC 9266 section 4.2)")
        }
        let secret = try session.exportKeyingMaterial(label: "EXPORTER-Channel-Binding", context: [], length: 32)
        return unsafe secret.withBytes { unsafe [UInt8]($0) }
    }
}
