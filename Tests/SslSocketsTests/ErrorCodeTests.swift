import SslSockets
import Testing

/// Programs write codes into logs and settings, so their texts stay what they are.
@Suite("Codes of errors")
struct ErrorCodeTests {
    @Test("Every code has its text, and the text its code")
    func rawValues() {
        let texts: [(SslSocketError.Code, String)] = [
            (.connectionRefused, "connectionRefused"), (.remoteHostClosed, "remoteHostClosed"), (.hostNotFound, "hostNotFound"),
            (.socketAccess, "socketAccess"), (.socketResource, "socketResource"), (.socketTimeout, "socketTimeout"),
            (.datagramTooLarge, "datagramTooLarge"), (.network, "network"), (.addressInUse, "addressInUse"),
            (.addressNotAvailable, "addressNotAvailable"), (.unsupportedOperation, "unsupportedOperation"),
            (.operation, "operation"), (.operationInProgress, "operationInProgress"), (.cancelled, "cancelled"),
            (.proxyAuthenticationRequired, "proxyAuthenticationRequired"), (.proxyConnectionRefused, "proxyConnectionRefused"),
            (.proxyConnectionClosed, "proxyConnectionClosed"), (.proxyConnectionTimeout, "proxyConnectionTimeout"),
            (.proxyNotFound, "proxyNotFound"), (.proxyProtocol, "proxyProtocol"), (.handshakeFailed, "handshakeFailed"),
            (.peerVerificationFailed, "peerVerificationFailed"), (.notTls, "notTls"), (.truncated, "truncated"),
            (.alertReceived, "alertReceived"), (.sslInternal, "sslInternal"), (.unexpectedPlaintext, "unexpectedPlaintext"),
            (.noApplicationProtocol, "noApplicationProtocol"), (.invalidUserData, "invalidUserData"),
            (.unsafeParameters, "unsafeParameters"), (.unsupportedSetting, "unsupportedSetting"),
            (.unsupportedFeature, "unsupportedFeature"), (.keyMismatch, "keyMismatch"), (.wrongPassphrase, "wrongPassphrase"),
            (.unreadableFile, "unreadableFile"), (.noBackend, "noBackend"),
        ]
        for (code, text) in texts {
            #expect(code.rawValue == text)
            #expect(SslSocketError.Code(rawValue: text) == code)
            #expect(
                SslSocketError(code, "").description.contains(text) || SslSocketError(code, "what").description.contains("what"))
        }
        #expect(SslSocketError.Code.allCases == texts.map(\.0))
    }
}
